"""What the tests of the engines share: a store, and training that takes no time."""

from pathlib import Path

import pytest

from cvclaims.engines import work
from cvclaims.records import Store
from tests.engines.standin import Trainer


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    fake = Trainer()
    monkeypatch.setattr(work, "train", fake)
    return fake


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "records")
