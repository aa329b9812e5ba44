"""What one image file may be: every encoding that would lose something here, or has lost it."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from cvclaims.data.decoding import UnfitError, decode, strictly

SIZE = (32, 32)
NOISE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
RGB = Image.fromarray(NOISE)
TURNED = Image.Exif()
TURNED[0x112] = 6
DEEP = r"has {} bits in a channel instead of 8: save it as an 8-bit RGB image"


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(depth: int, kind: int, row: int, *chunks: bytes, size: int = 32) -> bytes:
    """A black PNG: bits of a value, type of colour, bytes of a row, further chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, depth, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes((1 + row) * 32)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def tiff(bits: int, channels: int = 3) -> bytes:
    """A black TIFF, uncompressed: header, tags, bits of each channel, pixels."""
    length = 32 * 32 * channels * bits // 8
    after = 8 + 2 + 9 * 12 + 4
    tags = [(256, 32), (257, 32), (258, bits if channels == 1 else after), (259, 1)]
    tags += [(262, 2 if channels == 3 else 1), (273, after + 6), (277, channels)]
    tags += [(278, 32), (279, length)]
    entries = [
        struct.pack("<HHII", tag, 3, channels if tag == 258 else 1, value) for tag, value in tags
    ]
    table = struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + table + struct.pack("<H", bits) * 3 + bytes(length)


@pytest.mark.parametrize(
    ("content", "bits"),
    [
        pytest.param(png(16, 2, 32 * 6), 16, id="PNG RGB"),
        pytest.param(png(16, 6, 32 * 8), 16, id="PNG RGBA"),
        pytest.param(png(16, 0, 32 * 2), 16, id="PNG grey"),
        pytest.param(png(16, 4, 32 * 4), 16, id="PNG grey with alpha"),
        pytest.param(tiff(16), 16, id="TIFF RGB"),
        pytest.param(tiff(16, channels=1), 16, id="TIFF grey"),
        pytest.param(encoded(Image.new("I", SIZE), "TIFF"), 32, id="TIFF integers"),
        pytest.param(encoded(Image.new("F", SIZE), "TIFF"), 32, id="TIFF floats"),
        pytest.param(b"P6 32 32 65535\n" + bytes(32 * 32 * 6), 16, id="PPM"),
        pytest.param(b"P6 32 32 1023\n" + bytes(32 * 32 * 6), 10, id="PPM of 10 bits"),
        pytest.param(b"P3 32 32 65535\n" + b"0 " * (32 * 32 * 3), 16, id="PPM in letters"),
        pytest.param(b"P5 32 32 65535\n" + bytes(32 * 32 * 2), 16, id="PGM"),
        pytest.param(b"P2 32 32 4095\n" + b"0 " * (32 * 32), 16, id="PGM in letters"),
        pytest.param(b"Pf\n32 32\n-1.0\n" + bytes(32 * 32 * 4), 32, id="PFM"),
    ],
)
def test_more_than_eight_bits_are_not_cut(content: bytes, bits: int) -> None:
    with pytest.raises(UnfitError, match=DEEP.format(bits)):
        decode(content, SIZE)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png(8, 2, 32 * 3), id="PNG RGB"),
        pytest.param(png(4, 0, 32 // 2), id="PNG of 4 bits"),
        pytest.param(png(1, 0, 32 // 8), id="PNG of 1 bit"),
        pytest.param(tiff(8), id="TIFF RGB"),
        pytest.param(tiff(8, channels=1), id="TIFF grey"),
        pytest.param(encoded(Image.new("1", SIZE), "TIFF"), id="TIFF of 1 bit"),
        pytest.param(b"P6 32 32 255\n" + bytes(32 * 32 * 3), id="PPM"),
        pytest.param(b"P6 32 32 100\n" + bytes(32 * 32 * 3), id="PPM of 7 bits"),
        pytest.param(b"P3 32 32 255\n" + b"0 " * (32 * 32 * 3), id="PPM in letters"),
        pytest.param(b"P4 32 32\n" + b"\xff" * 128, id="PBM"),
        pytest.param(b"P1 32 32\n" + b"1 " * (32 * 32), id="PBM in letters"),
        # Pixels are taken as they are stored, without colour management.
        pytest.param(png(8, 2, 96, chunk(b"gAMA", struct.pack(">I", 99_000))), id="gamma"),
        pytest.param(png(8, 2, 96, chunk(b"iCCP", b"x\0\0" + zlib.compress(b"x"))), id="profile"),
    ],
)
def test_eight_bits_or_less_are_taken_as_stored(content: bytes) -> None:
    pixels, lost_by = decode(content, SIZE)
    assert pixels.shape == (32, 32, 3)
    assert not pixels.any()
    assert lost_by == ""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(encoded(RGB, "PNG"), id="PNG"),
        pytest.param(encoded(RGB, "BMP"), id="BMP"),
        pytest.param(encoded(RGB, "PPM"), id="PPM"),
        *(
            pytest.param(encoded(RGB, "TIFF", compression=kind), id=f"TIFF {kind}")
            for kind in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits")
        ),
        pytest.param(encoded(RGB, "WEBP", lossless=True), id="WebP"),
        pytest.param(encoded(RGB, "WEBP", lossless=True, icc_profile=b"x" * 201), id="WebP, VP8X"),
    ],
)
def test_what_is_stored_whole_comes_back_whole(content: bytes) -> None:
    pixels, lost_by = decode(content, SIZE)
    np.testing.assert_array_equal(pixels, NOISE)
    assert lost_by == ""


@pytest.mark.parametrize(
    ("content", "by"),
    [
        pytest.param(encoded(RGB, "JPEG", quality=100, subsampling=0), "JPEG", id="JPEG"),
        pytest.param(encoded(RGB.convert("L"), "JPEG"), "JPEG", id="JPEG grey"),
        pytest.param(encoded(RGB, "TIFF", compression="jpeg"), "JPEG", id="TIFF"),
        pytest.param(encoded(RGB, "WEBP", quality=100), "WebP", id="WebP"),
        pytest.param(encoded(RGB, "WEBP", icc_profile=b"x" * 201), "WebP", id="WebP, VP8X"),
        pytest.param(encoded(RGB.convert("RGBA"), "WEBP"), "WebP", id="WebP, opaque RGBA"),
    ],
)
def test_what_lost_something_is_told(content: bytes, by: str) -> None:
    assert decode(content, SIZE)[1] == by


def test_the_letters_of_a_lossy_chunk_inside_a_lossless_image_are_not_one() -> None:
    content = encoded(RGB, "WEBP", lossless=True, icc_profile=b"VP8 " * 50)
    assert decode(content, SIZE)[1] == ""


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_image_that_viewers_turn_is_refused(form: str) -> None:
    with pytest.raises(UnfitError, match=r"is stored turned \(EXIF orientation 6\): save it"):
        decode(encoded(RGB, form, exif=TURNED), SIZE)
    upright = Image.Exif()
    upright[0x112] = 1
    decode(encoded(RGB, form, exif=upright), SIZE)


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "TIFF", "MPO"])
def test_several_images_in_a_file_are_refused(form: str) -> None:
    frames = {"save_all": True, "append_images": [Image.new("RGB", SIZE)]}
    with pytest.raises(UnfitError, match="holds several images: put the data set's own"):
        decode(encoded(RGB, form, **frames), SIZE)


def test_transparency_is_refused_in_every_form() -> None:
    clear = RGB.convert("RGBA")
    clear.putpixel((0, 0), (0, 0, 0, 0))
    for content in (
        encoded(clear, "PNG"),
        encoded(clear, "WEBP", lossless=True),
        encoded(clear, "TIFF"),
        png(8, 2, 96, chunk(b"tRNS", bytes(6))),
        png(8, 0, 32, chunk(b"tRNS", bytes(2))),
        encoded(RGB.convert("LA"), "TIFF"),
    ):
        with pytest.raises(UnfitError, match="maybe with transparency: save it as an opaque RGB"):
            decode(content, SIZE)


@pytest.mark.parametrize(
    ("mode", "form"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF"), ("LAB", "TIFF")]
)
def test_other_colours_are_refused(mode: str, form: str) -> None:
    with pytest.raises(UnfitError, match=rf"^is {mode}: save it as an RGB image$"):
        decode(encoded(Image.new(mode, SIZE), form), SIZE)


def test_a_bomb_is_not_decoded_and_does_not_warn() -> None:
    with strictly(), pytest.raises(UnfitError, match="has 12000 × 12000 pixels instead of 32"):
        decode(png(8, 2, 96, size=12_000), SIZE)
    with strictly(), pytest.raises(Image.DecompressionBombError):
        decode(png(8, 2, 96, size=16_000), SIZE)


def test_pillows_switch_for_broken_files_is_off_here_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    content = encoded(RGB, "PNG")[:-1500]
    decode(content, SIZE)  # as a conftest asked for
    with strictly(), pytest.raises(OSError, match=r"."):
        decode(content, SIZE)
    assert ImageFile.LOAD_TRUNCATED_IMAGES
