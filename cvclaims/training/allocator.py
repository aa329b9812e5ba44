"""Memory that a training step frees is what the next step asks for."""

import ctypes
import functools

# glibc's <malloc.h>. Blocks above the first are mapped from the kernel, which clears their pages
# each time; free memory beyond the second at the heap's end goes back to it.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGER_THAN_ANY_TENSOR = 1 << 30
# What older versions of glibc take at most.
_LARGEST_EVERYWHERE = 1 << 25


@functools.cache
def keep_memory() -> bool:
    """Let this process keep the memory that it frees; whether its C library can be told so.

    By default glibc hands the memory of large tensors back to the kernel and gets it anew, page by
    page, in every step: a third of the time of a VGG at batch size 8. The process stays as large
    as it once was, which is what a training that is about to repeat itself needs.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False  # another C library, with ways of its own
    thresholds = (_LARGER_THAN_ANY_TENSOR, _LARGEST_EVERYWHERE)
    mapped = any(mallopt(_M_MMAP_THRESHOLD, size) == 1 for size in thresholds)
    return bool(mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1) == 1 and mapped)
