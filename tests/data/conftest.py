"""A tiny set in the files of Fashion-MNIST, for which the pinned hashes are exchanged."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cvclaims.data import images

TRAIN, TEST = 30, 20


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
