"""Half of a training on disk: written now and then, and taken up again where it was.

A run that was killed and goes on from its checkpoint gives the record of one never killed, bit for
bit on a CPU, its times aside.
"""

import hashlib
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cvclaims.files import read_plain, write_atomically

# A killed process loses so much work at most, beyond the step or the test that it was in.
EVERY_SECONDS = 60.0
# The layout of what is saved. Raise it when an older one would be misread.
FORMAT = 1
_MAGIC = b"cvclaims checkpoint\n"


@dataclass
class Checkpoint:
    """The file that keeps one stack's training.

    Attributes:
        path: where it lies; its name is that of the stack: its runs, in their order.
        alike: what has to be as it was for a resumed run to be the same run, by name.
        told: what may differ, and is told where it does, by name.
        tell: called with one line about a checkpoint that cannot be used.
        resumed: the epochs that were there when training was taken up; 0 where it began anew.
        elsewhere: of `told`, what differed when training was taken up.
    """

    path: Path
    alike: Mapping[str, str]
    told: Mapping[str, str]
    tell: Callable[[str], None]
    resumed: int = 0
    elsewhere: str = ""

    def __post_init__(self) -> None:
        self._saved = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved >= EVERY_SECONDS

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state: tensors, numbers and texts in lists and dicts.

        What cannot be written is told, and training goes on.
        """
        buffer = io.BytesIO()
        form = {"format": FORMAT, "alike": dict(self.alike), "told": dict(self.told)}
        torch.save({**form, "state": state}, buffer)
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest().encode()
        try:
            write_atomically(self.path, _MAGIC + digest + b"\n" + content)
        except OSError as error:
            self.tell(f"checkpoint {self.path} cannot be written ({error.strerror}): free it")
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state that was kept; None without one, or with one that cannot be used, told why."""
        try:
            whole = read_plain(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.tell(f"checkpoint {self.path} cannot be read ({error.strerror}): begun anew")
            return None
        try:
            form = _form(whole)
            for name, wanted in self.alike.items():
                if (found := form["alike"].get(name)) != wanted:
                    raise ValueError(f"it was made with {name} {found}, this is {wanted}")
        except Exception as error:  # whatever torch makes of a file that is none of its own
            why = " ".join(str(error).split())[:200] or type(error).__name__
            self.tell(f"checkpoint {self.path} is not used ({why}): begun anew")
            return None
        state: dict[str, Any] = form["state"]
        others = [n for n, value in self.told.items() if form["told"].get(n) != value]
        self.elsewhere = ", ".join(f"{name} {form['told'].get(name)}" for name in others)
        return state

    def remove(self) -> None:
        """The run is in its record."""
        self.path.unlink(missing_ok=True)


def _form(whole: bytes) -> dict[str, Any]:
    """What a checkpoint's bytes hold; raises ValueError, or what torch raises."""
    if not whole.startswith(_MAGIC):
        raise ValueError("it is no checkpoint of cvclaims")
    digest, _, content = whole[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise ValueError("it is damaged")
    form: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if form["format"] != FORMAT:
        raise ValueError(f"it has format {form['format']}, this cvclaims reads {FORMAT}")
    return form
