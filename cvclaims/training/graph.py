"""Capturing work in CUDA graphs: one launch for what would be hundreds."""

import functools
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

# cuDNN tunes and libraries allocate in the first runs, which must not be captured.
WARM_UP = 3


class Graphs:
    """CUDA graphs that share their memory, as only one of them runs at a time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        self._stream = _stream(device)

    def warm_up(self, work: Callable[[], None]) -> None:
        """Run `work` a few times beside the main stream."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UP):
                work()
        torch.cuda.current_stream(self._device).wait_stream(self._stream)

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """`work` as a graph; calling what is returned carries it out. It has to be warmed up."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            work()

        def replay(_reads: Callable[[], None] = work) -> None:
            # A graph does not hold the tensors that it reads: what `work` closes over must live on.
            graph.replay()

        return replay


@functools.cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """One for all graphs of a device: cuBLAS keeps a workspace for each stream that it saw."""
    stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return stream


@contextmanager
def collected() -> Iterator[None]:
    """Free what earlier sessions left before a capture, and nothing during it.

    A session holds itself, through its steps and graphs: until Python looks for such circles its
    weights, its data and its graphs' memory stay on the device. To free a graph while another is
    captured ends that capture.
    """
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Kept:
    """A copy of tensors, to be put back in place: warming up must not teach anything."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._pairs = [(tensor, tensor.detach().clone()) for tensor in tensors]

    @property
    def copies(self) -> list[Tensor]:
        """The copies, in order."""
        return [copy for _, copy in self._pairs]

    @torch.no_grad()
    def restore(self) -> None:
        """Write every copy back."""
        put(self.copies, [tensor for tensor, _ in self._pairs])


@torch.no_grad()
def put(values: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    """Write values into tensors that stay where they are: graphs read them, layouts matter."""
    for value, tensor in zip(values, into, strict=True):
        tensor.copy_(value)
