"""What the tests of the store look at: its files, and what it gives back."""

from pathlib import Path

import pytest

from cvclaims.records import Record, Store, StoreError


def files(store: Store) -> list[str]:
    """Everything in the store, locks aside."""
    found = (p.relative_to(store.root) for p in store.root.rglob("*") if p.is_file())
    return sorted(str(p) for p in found if p.parts[0] != ".locks")


def get(store: Store, of: Record) -> Record | None:
    return store.get(of.recipe, of.scale, of.key)


def text_of(of: Record | None) -> str:
    assert of is not None
    return of.to_json()


def spoil(store: Store, of: Record, content: str | bytes) -> Path:
    """The file of a record with something else in it."""
    path = store.put(of)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    line = str(error.value)
    assert len(line.splitlines()) == 1
    return line
