"""A store of records for each test."""

from pathlib import Path

import pytest

from cvclaims.records import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records")
