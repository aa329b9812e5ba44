"""What the C library is told about memory."""

import ctypes
import platform
from collections.abc import Iterator

import pytest

from cvclaims.training.allocator import keep_memory


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    keep_memory.cache_clear()
    yield
    keep_memory.cache_clear()


def library(monkeypatch: pytest.MonkeyPatch, largest: int) -> list[tuple[int, int]]:
    """A C library that takes thresholds up to a size; what it was told."""
    told: list[tuple[int, int]] = []

    class Library:
        def __init__(self, name: None) -> None:
            del name

        @staticmethod
        def mallopt(what: int, size: int) -> int:
            told.append((what, size))
            return int(what != -3 or size <= largest)

    monkeypatch.setattr(ctypes, "CDLL", Library)
    return told


def test_it_tells_a_library_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    told = library(monkeypatch, 1 << 40)
    assert keep_memory()
    assert told == [(-3, 1 << 30), (-1, (1 << 31) - 1)]


def test_it_asks_an_older_one_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    told = library(monkeypatch, 1 << 25)
    assert keep_memory()
    assert told == [(-3, 1 << 30), (-3, 1 << 25), (-1, (1 << 31) - 1)]


def test_it_leaves_another_library_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_memory()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_glibc_takes_it() -> None:
    assert keep_memory()
