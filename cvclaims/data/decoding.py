"""One image file, decoded to pixels: what it holds exactly as it was stored, or an error.

An image that would lose something here is refused, and one whose encoding lost something says so.
What was lost before, as when colours were reduced for a GIF, no file can tell. Pixels are taken as
they are stored, without colour management, as torchvision takes them: gamma and ICC profiles are
left out of account.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# What torchvision's folders of images may hold, by Pillow's names; told by content, not by suffix.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM", "TIFF")
# Modes that become RGB without a loss: black and white, grey, a palette, and RGB itself.
MODES = ("1", "L", "P", "RGB")
# TIFF is a wrapper: the compressions in it that lose something, by Pillow's names.
LOSSY_TIFF = {"jpeg": "JPEG", "tiff_jpeg": "JPEG", "webp": "WebP"}
ORIENTATION, BITS_PER_SAMPLE = 0x112, 0x102  # tags of EXIF and of TIFF
TURNED = range(2, 9)

Pixels = npt.NDArray[np.uint8]


class UnfitError(ValueError):
    """An image that can be read and not be used; the message ends in the mend."""


def decode(content: bytes, size: tuple[int, int]) -> tuple[Pixels, str]:
    """Pixels (H, W, 3), and by what some of them were lost: "JPEG", "WebP" or "" for nothing.

    Raises UnfitError for an image that is not of `size` (width, height), 8 bits, opaque, still and
    upright. Where its bytes are damaged, Pillow raises nearly anything.
    """
    from PIL import Image

    # The header alone is read here, so an image of another size costs nothing.
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if fault := _fault(image, content, size):
            raise UnfitError(fault)
        if image.format == "JPEG" and b"\xff\xd9" not in content:
            raise EOFError("its end is missing")  # Pillow lets the last few bytes lack
        pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
        return pixels, _lost_by(image, content)


@contextmanager
def strictly() -> Iterator[None]:
    """Decoding as it is meant here, whatever a conftest made of Pillow's switch for broken files.

    A warning of too many pixels is left to the error of another size.
    """
    from PIL import Image, ImageFile

    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def decoder() -> str:
    """What decodes, with its version: another one may decode a JPEG to slightly other pixels."""
    import PIL

    return f"Pillow {PIL.__version__}"


def _fault(image: "ImageFile", content: bytes, size: tuple[int, int]) -> str:
    """What is wrong with an image that can be read, and the mend; empty where nothing is."""
    if image.size != size:
        found, wanted = (f"{width} × {height}" for width, height in (image.size, size))
        return f"has {found} pixels instead of {wanted}: replace it by the data set's own image"
    if (bits := _bits(image, content)) > 8:
        return f"has {bits} bits in a channel instead of 8: save it as an 8-bit RGB image"
    if image.has_transparency_data:
        return f"is {image.mode}, maybe with transparency: save it as an opaque RGB image"
    if image.mode not in MODES:
        return f"is {image.mode}: save it as an RGB image"
    if getattr(image, "n_frames", 1) != 1:
        return "holds several images: put the data set's own image there"
    if (turn := image.getexif().get(ORIENTATION)) in TURNED:
        return f"is stored turned (EXIF orientation {turn}): save it upright, without that mark"
    return ""


def _bits(image: "ImageFile", content: bytes) -> int:
    """Bits of each value in the file: Pillow cuts 16 of RGB to 8, and says so nowhere."""
    if image.format == "PNG":
        return content[24]
    if image.format == "TIFF":
        tags: Any = image
        return int(max(tags.tag_v2.get(BITS_PER_SAMPLE, (1,))))
    if image.format == "PPM":
        if image.mode in ("I", "F"):
            return 16 if image.mode == "I" else 32
        args = image.tile[0][-1]
        # What has to be scaled comes with its largest value, plain bytes with a name alone.
        return args[-1].bit_length() if isinstance(args, tuple) else 8
    return 8


def _lost_by(image: "ImageFile", content: bytes) -> str:
    if image.format == "TIFF":
        return LOSSY_TIFF.get(image.info.get("compression", ""), "")
    if image.format == "WEBP":
        return "WebP" if _is_lossy_webp(content) else ""
    return "JPEG" if image.format == "JPEG" else ""


def _is_lossy_webp(content: bytes) -> bool:
    """Whether the first image of a WebP is of its lossy kind: a chunk "VP8 " and not "VP8L"."""
    at = 12
    while (kind := content[at : at + 4]) not in (b"VP8 ", b"VP8L", b""):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        # The chunks of a frame lie inside its own, after 16 bytes.
        at += 8 + (16 if kind == b"ANMF" else length + length % 2)
    return kind != b"VP8L"
