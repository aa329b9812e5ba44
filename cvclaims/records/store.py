"""The folder that keeps records: atomic, locked, and distrustful of what it did not write."""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from cvclaims.catalogue import SCALES
from cvclaims.recipe import Recipe
from cvclaims.records.record import TRAINING_REVISION, NewerSchemaError, Record, RecordError


class StoreError(RuntimeError):
    """The store cannot be used; the message is one line that names the folder and the mend."""


class Store:
    """Records under `root/<scale>/<data set>/<key>.json`, one file a run.

    `problems` collects one line for each file that could not be trusted; whoever owns the
    terminal shows them. Such a file is renamed to `*.damaged` and never read again; a record of
    a newer schema is left as it is.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self.problems: list[str] = []
        self._by_recipe: dict[str, list[Record]] | None = None

    def check(self) -> None:
        """Raise StoreError unless the folder can be read and, where needed, written."""
        try:
            if self.root.exists() and not self.root.is_dir():
                raise StoreError(f"{self.root} is a file; the store needs a folder")
            if self.read_only:
                return
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            use = "read" if self.read_only else "written"
            raise StoreError(
                f"{self.root} cannot be {use} ({error.strerror}); choose another folder"
            ) from None

    def path(self, scale: str, data: str, key: str) -> Path:
        """The file of a run."""
        return self.root / scale / data / f"{key[:24]}.json"

    def get(self, recipe: Recipe, scale: str, key: str) -> Record | None:
        """The record of a run, or None where there is none to trust.

        Raises StoreError where a newer cvclaims wrote it: training again would overwrite it.
        """
        path = self.path(scale, recipe.data, key)
        try:
            return self._read(path)
        except NewerSchemaError as error:
            raise StoreError(f"{path}: {error}, or choose another store") from None

    def put(self, record: Record) -> Path:
        """Write a record so that a reader sees all of it or none; returns its file."""
        path, text = self._path_of(record), record.to_json()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written ({error.strerror}): free it and run again; "
                "the runs that finished before are kept"
            ) from None
        self._by_recipe = None
        return path

    def lock(self, key: str) -> FileLock:
        """The lock of a run: whoever holds it trains it."""
        folder = self.root / ".locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be written ({error.strerror}): free it and run again"
            ) from None
        # thread_local=False: the lock may be let go by another thread than took it.
        return FileLock(folder / f"{key[:24]}.lock", thread_local=False)

    def of(self, recipe: Recipe) -> list[Record]:
        """Every trusted record of a recipe under the present training revision, by seed.

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
        found: dict[str, list[Record]] = {}
        for name, of_name in keys.items():
            paths = [p for key in of_name for p in self.root.glob(f"*/*/{key[:24]}.json")]
            found[name] = sorted(self._trusted(paths), key=lambda r: r.seed)
        return found

    def __iter__(self) -> Iterator[Record]:
        """Every trusted record, in a fixed order."""
        for scale in SCALES:
            yield from self._trusted(sorted((self.root / scale).glob("*/*.json")))

    def _path_of(self, record: Record) -> Path:
        return self.path(record.scale, record.recipe.data, record.key)

    def _trusted(self, paths: Iterable[Path]) -> Iterator[Record]:
        """The records of those files that can be trusted."""
        for path in paths:
            try:
                record = self._read(path)
            except NewerSchemaError as error:
                self.problems.append(f"{path}: {error}")
                continue
            if record is not None:
                yield record

    def _read(self, path: Path) -> Record | None:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            self._set_aside(path, f"unreadable ({type(error).__name__})")
            return None
        try:
            record = Record.from_json(text)
        except NewerSchemaError:
            raise
        except RecordError as error:
            self._set_aside(path, str(error))
            return None
        if path != self._path_of(record):
            self._set_aside(path, "it holds another run than its name says")
            return None
        return record

    def _set_aside(self, path: Path, why: str) -> None:
        kept = path.with_name(path.name + ".damaged")
        if self.read_only:
            self.problems.append(f"{path}: {why}; ignored")
            return
        try:
            os.replace(path, kept)
            self.problems.append(f"{path}: {why}; set aside as {kept.name}, it will be run again")
        except OSError as error:
            self.problems.append(f"{path}: {why}; ignored ({error.strerror})")


def _replace(path: Path, text: str) -> None:
    """Put a text in the place of a file, all of it or nothing; no draft is left behind."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
