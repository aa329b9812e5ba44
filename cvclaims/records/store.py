"""The folder that keeps records: atomic, locked, and careful with what it did not write."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cvclaims.catalogue import SCALES
from cvclaims.files import check_writable, damaged_names, read_plain, write_atomically
from cvclaims.locks import Lock, LockError
from cvclaims.records.record import TRAINING_REVISION, DamagedError, Record, RecordError
from cvclaims.text import clean
from cvclaims.trainable import Trainable

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
    just now, is left as it is. What is damaged is renamed to `*.damaged` when its run's record is
    to take its place. `problems` collects one line for each of these; whoever owns the terminal
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

    def get(self, recipe: Trainable, scale: str, key: str) -> Record | None:
        """The record of a run, or None where there is none, or a damaged one.

        Raises StoreError where it cannot be used here: training again would overwrite it.
        """
        path = self.path(scale, recipe.folder, key)
        try:
            record = self._read(path)
            return None if record is None else _of(recipe, record)
        except DamagedError as error:
            self._report(f"{path}: {error}; ignored")
            return None
        except RecordError as error:
            raise StoreError(f"{path}: {error}, or choose another store") from None

    def put(self, record: Record) -> Path:
        """Write a record so that a reader sees all of it or none; returns its file.

        A run that crashed is no evidence and takes no record's place; what is damaged is set aside
        first. To be called by whoever has the run's lock. Raises UnwrittenError.
        """
        path = self._path_of(record)
        try:
            if self._read_status(path) not in (None, "failed") and record.status == "failed":
                return path
        except DamagedError as error:
            self._set_aside(path, str(error))
        try:
            write_atomically(path, record.to_json().encode())
        except OSError as error:
            raise UnwrittenError(
                f"{path} cannot be written ({error.strerror}): free it and run again; "
                "what was written before is kept"
            ) from None
        self._by_recipe = None
        return path

    def lock(self, key: str, what: str = "the store of records") -> Lock:
        """The lock of a run: whoever holds it trains it."""
        return Lock(self.root / ".locks" / f"{key[:24]}.lock", what)

    def of(self, recipe: Trainable) -> list[Record]:
        """Every usable record of a recipe under the present training revision, by seed.

        This is how a claim is replayed: without the data, and so without its fingerprint.
        """
        if self._by_recipe is None:
            self._by_recipe = {}
            for record in self:
                if record.origin.revision == TRAINING_REVISION:
                    self._by_recipe.setdefault(record.trained.digest, []).append(record)
        found = [_of(recipe, record) for record in self._by_recipe.get(recipe.digest, [])]
        return sorted(found, key=lambda r: r.seed)

    def evidence(self, keys: Mapping[str, Sequence[str]]) -> dict[str, list[Record]]:
        """The records that a row was judged from, by name; those no longer here are left out."""
        wanted = {key for of_name in keys.values() for key in of_name if _KEY.fullmatch(key)}
        names = sorted(f"{key[:24]}.json" for key in wanted)
        files = (folder / name for folder in self._folders() for name in names)
        there = self._usable(path for path in files if path.is_file())
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
        for folder in self._folders():
            yield from (p for p in self._entries(folder) if _FILE.fullmatch(p.name))

    def _folders(self) -> Iterator[Path]:
        for scale in SCALES:
            yield from self._entries(self.root / scale)

    def _entries(self, folder: Path) -> list[Path]:
        """What lies in a folder, by name; nothing where it is none."""
        try:
            with os.scandir(folder) as entries:
                return sorted(folder / entry.name for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._report(f"{folder}: unreadable now ({error.strerror}): free it; ignored")
            return []

    def _path_of(self, record: Record) -> Path:
        return self.path(record.scale, record.trained.folder, record.key)

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
            content = read_plain(path)
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
            raise RecordError(
                f"it belongs into {record.scale}/{record.trained.folder}: move it there"
            )
        return record

    def _read_status(self, path: Path) -> str | None:
        """What became of the run in a file, None without one; raises DamagedError."""
        try:
            found = self._read(path)
        except DamagedError:
            raise
        except RecordError as error:
            return str(error)  # it may be evidence elsewhere
        return None if found is None else found.status

    def _set_aside(self, path: Path, why: str) -> None:
        """Give a file a second name, which no earlier one had; its own is about to be taken."""
        for kept in damaged_names(path):
            try:
                _name_also(path, kept)
            except FileExistsError:  # it may be all that is left of a run
                continue
            except OSError as error:
                raise UnwrittenError(
                    f"{path}: {why}, and cannot be set aside ({error.strerror}): move it away"
                ) from None
            self._report(f"{path}: {why}; set aside as {kept.name}, it was run again")
            return

    def _report(self, problem: str) -> None:
        problem = clean(problem)
        if problem not in self._told:
            self._told.add(problem)
            self.problems.append(problem)


def _of(recipe: Trainable, record: Record) -> Record:
    """The record with the very recipe: of a stranger's things, a file holds the names alone."""
    return replace(record, trained=recipe) if record.trained.digest == recipe.digest else record


def _name_also(path: Path, kept: Path) -> None:
    """Give a file a name that nothing has; FileExistsError where something does."""
    try:
        os.link(path, kept)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names: then it gets this one alone
        if kept.exists():
            raise FileExistsError(kept) from None
        os.replace(path, kept)
