"""Claims of computer vision reports, tested by training the networks and judging the outcome.

    from cvclaims import Recipe, Report, claim, measure

A claim file needs nothing deeper. Every word below is imported when it is first asked for: pytest
loads this package in every project of an environment that has it, and must not become slower there.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cvclaims.claim import Claim as Claim
    from cvclaims.claim import Report as Report
    from cvclaims.claim import Source as Source
    from cvclaims.claim import claim as claim
    from cvclaims.engines import NotEvaluated as NotEvaluated
    from cvclaims.logs import Logged as Logged
    from cvclaims.logs import logged as logged
    from cvclaims.models import build as build
    from cvclaims.models.init import initialise as initialise
    from cvclaims.own import dataset as dataset
    from cvclaims.own import image_folder as image_folder
    from cvclaims.own import model as model
    from cvclaims.own import training as training
    from cvclaims.plugins.timing import Timer as Timer
    from cvclaims.recipe import Recipe as Recipe
    from cvclaims.records import Record as Record
    from cvclaims.records import measure as measure
    from cvclaims.results.sections import Section as Section
    from cvclaims.seeds import stream as stream
    from cvclaims.trainable import Training as Training
    from cvclaims.training.hooks import Hooks as Hooks
    from cvclaims.training.own import Running as Running
    from cvclaims.verdict.failing import ended_by_patience as ended_by_patience
    from cvclaims.verdict.failing import failed_to_train as failed_to_train
    from cvclaims.verdict.judge import Judge as Judge
    from cvclaims.verdict.samples import Arm as Arm
    from cvclaims.verdict.samples import Computed as Computed
    from cvclaims.verdict.samples import Given as Given
    from cvclaims.verdict.samples import Pooled as Pooled
    from cvclaims.verdict.samples import Runs as Runs
    from cvclaims.verdict.samples import Sample as Sample
    from cvclaims.verdict.samples import Timed as Timed
    from cvclaims.verdict.samples import combined as combined
    from cvclaims.verdict.samples import pooled as pooled

__version__ = "0.1.0"

# Where each word stands.
_WORDS = {
    **dict.fromkeys(("Claim", "Report", "Source", "claim"), "cvclaims.claim"),
    "Timer": "cvclaims.plugins.timing",
    **dict.fromkeys(("Logged", "logged"), "cvclaims.logs"),
    **dict.fromkeys(("dataset", "image_folder", "model", "training"), "cvclaims.own"),
    "Recipe": "cvclaims.recipe",
    "Record": "cvclaims.records",
    "measure": "cvclaims.records",
    "Section": "cvclaims.results.sections",
    "stream": "cvclaims.seeds",
    "Training": "cvclaims.trainable",
    "Running": "cvclaims.training.own",
    "Hooks": "cvclaims.training.hooks",
    "NotEvaluated": "cvclaims.engines",
    "build": "cvclaims.models",
    "initialise": "cvclaims.models.init",
    **dict.fromkeys(("ended_by_patience", "failed_to_train"), "cvclaims.verdict.failing"),
    "Judge": "cvclaims.verdict.judge",
    **dict.fromkeys(
        ("Arm", "Computed", "Given", "Pooled", "Runs", "Sample", "Timed", "combined", "pooled"),
        "cvclaims.verdict.samples",
    ),
}
__all__ = sorted(_WORDS)


class _Face(ModuleType):
    """This package, whose word `claim` is the decorator and not the room of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        # An import of `cvclaims.claim` would put that module in the decorator's place.
        if not (name in _WORDS and getattr(value, "__name__", "") == f"{self.__name__}.{name}"):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


def __getattr__(name: str) -> Any:
    if name not in _WORDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(_WORDS[name])
    word = getattr(room, name, None) or import_module(f"{room.__name__}.{name}")
    globals()[name] = word
    return word


def __dir__() -> list[str]:
    return [*globals(), *__all__]
