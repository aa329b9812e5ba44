"""The rerun that a store is under: a session in which only its own records count."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cvclaims.files import read_plain, write_atomically
from cvclaims.locks import Lock
from cvclaims.records.store import StoreError
from cvclaims.session import SESSION


class Rerun:
    """A session in which only its own records count; one that was killed goes on as itself.

    Args:
        root: the store's folder.
        about: what has to be the same for a killed one to go on: the command, the machine.
    """

    def __init__(self, root: Path, about: Mapping[str, str]) -> None:
        self._file = root / ".locks" / "rerun"
        self._about = dict(about)
        self._lock = Lock(root / ".locks" / "rerun.lock", "a rerun of this store")
        self._is_alone = False
        self.goes_on = False

    def begin(self, session: str) -> str:
        """The session whose records count: that of a killed rerun, else this one.

        Beside another rerun that is alive it is this one, which then cannot go on once killed.
        Raises StoreError, LockError.
        """
        self._is_alone = self._lock.acquire(blocking=False)
        if not self._is_alone:
            return session
        killed = self._killed()
        if killed is not None:
            self.goes_on = True
            return killed
        text = json.dumps({"session": session, **self._about})
        try:
            write_atomically(self._file, text.encode())
        except OSError as error:
            raise StoreError(
                f"{self._file} cannot be written ({error.strerror}): free it"
            ) from None
        return session

    def _killed(self) -> str | None:
        """The session of a rerun like this one that never ended."""
        try:
            form = json.loads(read_plain(self._file))
            session = form.pop("session")
        except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
            return None
        sound = isinstance(session, str) and SESSION.fullmatch(session) is not None
        return session if sound and form == self._about else None

    def end(self) -> None:
        """It is done: the next one begins anew."""
        if self._is_alone:
            with suppress(OSError):
                self._file.unlink()

    def close(self) -> None:
        """Leave the store to others."""
        self._lock.release()
