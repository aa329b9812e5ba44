"""The folder that keeps records: atomic, locked, and careful with what it did not write."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cvclaims.catalogue import SCALES
from cvclaims.files import check_writable, write_atomically
from cvclaims.locks import Lock, LockError
from cvclaims.recipe import Recipe
from cvclaims.records.record import TRAINING_REVISION, DamagedError, Record, RecordError
from cvclaims.text import clean

# A session's id: when it began, in UTC, and what tells it from others of that second.
SESSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[0-9a-f]{24}\.json")


class StoreError(RuntimeError):
    """The store cannot be used; the message is one line that names the file and the mend."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


class UnwrittenError(StoreError):
    """A finished run's record could not be written: to train on would be to train for nothing."""


class Store:
    """Records under `root/<scale>/<data set>/<first 24 digits of the key>.json`, one file a run.

    Files of other names are none of ours: they are neither read nor touched. What cannot be used
    here, because it is of a later version, of models that this installation lacks, or unreadable
    just now, is left as it is. What is damaged is renamed to `*.damaged` when its run is about to
    be trained anew. `problems` collects one line for each of these; whoever owns the terminal
    shows them.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self.problems: list[str] = []
        self._told: set[str] = set()
        self._by_recipe: dict[str, list[Record]] | None = None

    def check(self) -> None:
        """Raise StoreError unless the folder can be read and, where needed, written and locked."""
        try:
            if self.root.exists() and not self.root.is_dir():
                raise StoreError(f"{self.root} is a file; the store needs a folder")
            if self.read_only:
                return
            check_writable(self.root)
            with self.lock("check"):
                pass
        except LockError as error:
            raise StoreError(str(error)) from None
        except OSError as error:
            use = "read" if self.read_only else "written"
            raise StoreError(
                f"{self.root} cannot be {use} ({error.strerror}); choose another folder"
            ) from None

    def path(self, scale: str, data: str, key: str) -> Path:
        """The file of a run."""
        return self.root / scale / data / f"{key[:24]}.json"

    def get(self, recipe: Recipe, scale: str, key: str) -> Record | None:
        """The record of a run, or None where there is none, or a damaged one, which is set aside.

        Raises StoreError where it cannot be used here: training again would overwrite it.
        """
        path = self.path(scale, recipe.data, key)
        try:
            return self._read(path)
        except DamagedError as error:
            self._set_aside(path, str(error))
            return None
        except RecordError as error:
            raise StoreError(f"{path}: {error}, or choose another store") from None

    def put(self, record: Record) -> Path:
        """Write a record so that a reader sees all of it or none; returns its file.

        A run that crashed is no evidence and takes no record's place. Raises UnwrittenError.
        """
        path = self._path_of(record)
        if record.status == "failed" and self._holds_evidence(path):
            return path
        try:
            write_atomically(path, record.to_json().encode())
        except OSError as error:
            raise UnwrittenError(
                f"{path} cannot be written ({error.strerror}): free it and run again; "
                "the runs that finished before are kept"
            ) from None
        self._by_recipe = None
        return path

    def lock(self, key: str, what: str = "the store of records") -> Lock:
        """The lock of a run: whoever holds it trains it."""
        return Lock(self.root / ".locks" / f"{key[:24]}.lock", what)

    def begin_rerun(self, session: str) -> str:
        """The session whose records count in a rerun: this one, or that of one that was killed."""
        try:
            killed = self._rerun.read_text(encoding="ascii")
        except (OSError, ValueError):
            killed = ""
        if SESSION.fullmatch(killed):
            return killed
        try:
            write_atomically(self._rerun, session.encode())
        except OSError as error:
            raise StoreError(
                f"{self._rerun} cannot be written ({error.strerror}): free it"
            ) from None
        return session

    def end_rerun(self) -> None:
        """The rerun is done: the next one begins anew."""
        with contextlib.suppress(OSError):
            self._rerun.unlink()

    @property
    def _rerun(self) -> Path:
        return self.root / ".locks" / "rerun"

    def of(self, recipe: Recipe) -> list[Record]:
        """Every usable record of a recipe under the present training revision, by seed.

        This is how a claim is replayed: without the data, and so without its fingerprint.
        """
        if self._by_recipe is None:
            self._by_recipe = {}
            for record in self:
                if record.origin.revision == TRAINING_REVISION:
                    self._by_recipe.setdefault(record.recipe.digest, []).append(record)
        return sorted(self._by_recipe.get(recipe.digest, []), key=lambda r: r.seed)

    def evidence(self, keys: Mapping[str, Sequence[str]]) -> dict[str, list[Record]]:
        """The records that a row was judged from, by name; those no longer here are left out."""
        wanted = {key for of_name in keys.values() for key in of_name if _KEY.fullmatch(key)}
        names = {f"{key[:24]}.json" for key in wanted}
        there = self._usable(path for path in self._files() if path.name in names)
        found = {record.key: record for record in there if record.key in wanted}
        return {
            name: sorted((found[key] for key in of_name if key in found), key=lambda r: r.seed)
            for name, of_name in keys.items()
        }

    def __iter__(self) -> Iterator[Record]:
        """Every usable record, in a fixed order."""
        return self._usable(self._files())

    def _files(self) -> Iterator[Path]:
        """The store's own files, in a fixed order."""
        for scale in SCALES:
            for path in sorted((self.root / scale).glob("*/*.json")):
                if _FILE.fullmatch(path.name):
                    yield path

    def _path_of(self, record: Record) -> Path:
        return self.path(record.scale, record.recipe.data, record.key)

    def _usable(self, paths: Iterable[Path]) -> Iterator[Record]:
        for path in paths:
            try:
                record = self._read(path)
            except RecordError as error:
                self._report(f"{path}: {error}; ignored")
                continue
            if record is not None:
                yield record

    def _read(self, path: Path) -> Record | None:
        """The record in a file, None without one; raises RecordError, DamagedError."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RecordError(f"unreadable now ({error.strerror}): free it") from None
        try:
            record = Record.from_json(content.decode())
        except UnicodeDecodeError as error:
            raise DamagedError(f"not JSON, perhaps cut off ({error.reason})") from None
        if path.name != self._path_of(record).name:
            raise DamagedError("it holds another run than its name says")
        if path != self._path_of(record):
            raise RecordError(f"it belongs into {record.scale}/{record.recipe.data}: move it there")
        return record

    def _holds_evidence(self, path: Path) -> bool:
        """Whether there is a file that is not known to hold nothing."""
        try:
            found = self._read(path)
        except DamagedError:
            return False
        except RecordError:
            return True
        return found is not None and found.status != "failed"

    def _set_aside(self, path: Path, why: str) -> None:
        if self.read_only:
            self._report(f"{path}: {why}; ignored")
            return
        kept, count = path.with_name(f"{path.name}.damaged"), 1
        while kept.exists():  # an earlier one may be all that is left of a run
            count += 1
            kept = path.with_name(f"{path.name}.{count}.damaged")
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            try:
                os.replace(path, kept)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise StoreError(
                    f"{path}: {why}, and cannot be set aside ({error.strerror}): move it away"
                ) from None
            self._report(f"{path}: {why}; set aside as {kept.name}, it will be run again")

    def _report(self, problem: str) -> None:
        problem = clean(problem)
        if problem not in self._told:
            self._told.add(problem)
            self.problems.append(problem)
