"""The same events for the tools that people have: `--claims-live tensorboard,wandb,trackio`.

Each is an extra of this package, and imported only where it is named. One run of theirs is one of
ours; of a stack the first network is told, by the best of the accuracies in it.
"""

import importlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cvclaims.events import Progress

PROJECT = "cvclaims"


class TrackerError(RuntimeError):
    """A tool that cannot be used; the message is one line with the mend."""


class Tracker(ABC):
    """A tool that is told of runs."""

    name: str

    def __init__(self, session: str, folder: Path) -> None:
        self.session, self.folder = session, folder
        self._current = ""

    def take(self, claim: str, progress: Progress) -> None:
        """A run goes on, or is over."""
        if progress.done:
            if progress.run == self._current:  # others of its stack were not told of
                self.close()
            return
        if progress.run != self._current:
            self.close()
            self._current = progress.run
            name = f"{claim}: {progress.what}, seed {progress.seed}, {progress.key}"
            self.begin(name, {"claim": claim, "seed": str(progress.seed)})
        numbers = {**progress.numbers}
        if progress.rate:
            numbers["images_per_second"] = progress.rate
        if progress.step:
            self.log(numbers, progress.step)

    def close(self) -> None:
        """Whatever was begun ends."""
        if self._current:
            self._current = ""
            self.end()

    @abstractmethod
    def begin(self, name: str, about: Mapping[str, str]) -> None:
        """A run of this name begins."""

    @abstractmethod
    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """It has come to a step."""

    @abstractmethod
    def end(self) -> None:
        """It is over."""


class TensorBoard(Tracker):
    """Event files below `.cvclaims/tensorboard/<session>`."""

    name = "tensorboard"

    def __init__(self, session: str, folder: Path) -> None:
        super().__init__(session, folder)
        from torch.utils import tensorboard

        self._made: Any = tensorboard.SummaryWriter

    def begin(self, name: str, about: Mapping[str, str]) -> None:
        """A folder of its own."""
        place = re.sub(r"[^\w.=-]+", "_", name)[:120]
        self._writer = self._made(str(self.folder / "tensorboard" / self.session / place))
        self._writer.add_text("claim", about["claim"])

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Scalars."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def end(self) -> None:
        """Close its file."""
        self._writer.close()


class Wandb(Tracker):
    """Weights & Biases: a run of the project `cvclaims`, in a group of the session's name."""

    name = "wandb"

    def __init__(self, session: str, folder: Path) -> None:
        super().__init__(session, folder)
        self._tool: Any = importlib.import_module("wandb")

    def begin(self, name: str, about: Mapping[str, str]) -> None:
        """A run of theirs."""
        self._run = self._tool.init(
            project=PROJECT,
            group=self.session,
            name=name[:128],  # it takes no longer ones
            config=dict(about),
            dir=str(self.folder),
        )

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """What they draw."""
        self._run.log(dict(numbers), step=step)

    def end(self) -> None:
        """End it."""
        self._run.finish()


class Trackio(Tracker):
    """Trackio: a run of the project `cvclaims`, told to it by its module's functions."""

    name = "trackio"

    def __init__(self, session: str, folder: Path) -> None:
        super().__init__(session, folder)
        self._tool: Any = importlib.import_module("trackio")

    def begin(self, name: str, about: Mapping[str, str]) -> None:
        """A run of theirs."""
        self._tool.init(project=PROJECT, name=name, config={**about, "session": self.session})

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """What they draw."""
        self._tool.log(dict(numbers), step=step)

    def end(self) -> None:
        """End it."""
        self._tool.finish()


TRACKERS: Mapping[str, type[Tracker]] = {tool.name: tool for tool in (TensorBoard, Trackio, Wandb)}


def trackers(names: tuple[str, ...], session: str, folder: Path) -> list[Tracker]:
    """Those that are named; raises TrackerError where one is not installed."""
    found = []
    for name in names:
        try:
            found.append(TRACKERS[name](session, folder))
        except ImportError as error:
            raise TrackerError(
                f"--claims-live {name}: it is not installed ({error}): pip install cvclaims[{name}]"
            ) from None
    return found
