"""Tiny sets in the files of the real ones, for which pinned hashes and counts are exchanged."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvclaims.data import images
from cvclaims.specs import DATASETS

TRAIN, TEST = 30, 20
CLASSES = DATASETS["cifar10"].classes
PER_CLASS = (3, 2)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, not there yet."""
    folder = tmp_path_factory.mktemp("cache") / "cvclaims"
    monkeypatch.setenv("CVCLAIMS_CACHE", str(folder))
    return folder


@pytest.fixture
def colours() -> Callable[[str, int, int], np.ndarray]:
    """The pixels (32, 32, 3) of an image, by its part, label and number in its class."""

    def colours(part: str, label: int, number: int) -> np.ndarray:
        generator = np.random.default_rng([len(part), label, number])
        return generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)

    return colours


@pytest.fixture
def plant(colours: Callable[[str, int, int], np.ndarray]) -> Callable[..., Path]:
    """A function that writes a small folder/cifar10, and returns it."""

    def plant(folder: Path, suffix: str = "png", per_class: tuple[int, int] = PER_CLASS) -> Path:
        for part, count in zip(("train", "test"), per_class, strict=True):
            for label, name in enumerate(CLASSES):
                place = folder / "cifar10" / part / name
                place.mkdir(parents=True)
                for number in reversed(range(count)):  # the order of writing must not matter
                    image = Image.fromarray(colours(part, label, number))
                    image.save(place / f"{number:04}.{suffix}")
        return folder / "cifar10"

    return plant


def idx(array: np.ndarray) -> bytes:
    """The file of a uint8 array, as yann.lecun.com/exdb/mnist describes it."""
    return struct.pack(f">2x2B{array.ndim}I", 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the four files hold, unpacked; their hashes are taken for the right ones."""
    generator = np.random.default_rng(1)
    files = {}
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        pixels = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = idx(pixels)
        files[f"{part}-labels-idx1-ubyte"] = idx(np.arange(count, dtype=np.uint8) % 10)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(images, "FASHION_MNIST_SHA256", hashes)
    return files


@pytest.fixture
def write(contents: dict[str, bytes]) -> Callable[..., Path]:
    """A function that lays `contents` out under a folder and returns folder/…/raw."""

    def write(folder: Path, *, packed: bool = True) -> Path:
        raw = folder / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        for name, content in contents.items():
            if packed:
                (raw / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                (raw / name).write_bytes(content)
        return raw

    return write
