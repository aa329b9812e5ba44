"""A project of its own for each test."""

import jinja2  # noqa: F401
import pytest
import rich.console
import rich.live
import rich.markdown
import rich.table  # noqa: F401
import torch

import cvclaims.engines.inline
import cvclaims.engines.replay
import cvclaims.plugins.live
import cvclaims.plugins.outcome
import cvclaims.plugins.trackers
import cvclaims.results.html
import cvclaims.verdict.judge
import cvclaims.watching  # noqa: F401
from cvclaims.data.load import load
from cvclaims.recipe import Recipe
from cvclaims.results import writing
from cvclaims.results.figures.index import Drawn
from cvclaims.training.loop import train
from tests.plugins.project import Project


@pytest.fixture(scope="session")
def warm() -> None:
    """Import all that training imports.

    pytester makes this process forget what a run imported, and torch bears no second import.
    """
    recipe = Recipe(data="digits", train_size=50, test_size=20, lr=0.1, epochs=1, batch_size=50)
    train([(recipe, 0)], load("digits", None), torch.device("cpu"))


@pytest.fixture
def project(warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project on a machine without a GPU and without data, whose tables have no figures."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(writing, "draw_figures", lambda *_: Drawn())
    return Project(pytester, monkeypatch)
