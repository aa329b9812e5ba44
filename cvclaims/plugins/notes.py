"""What the processes of one xdist session leave for the one that reports, in a folder of its own.

A worker that dies sends nothing any more, and one that trains sends nothing until its test ends;
notes outlive the first and fill the second.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from cvclaims.files import write_atomically


class Notes:
    """Small JSON files by name. The folder is made with the first note.

    A note that cannot be written or read is no reason to stop a run: it counts as not left.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = False

    @classmethod
    def fresh(cls) -> "Notes":
        """Notes in a folder that nobody else can guess or has made."""
        import secrets
        import tempfile

        return cls(Path(tempfile.gettempdir()) / f"cvclaims-{secrets.token_hex(8)}")

    def leave(self, name: str, value: Any) -> None:
        """Write a note of JSON types, so that a reader sees all of it or none."""
        try:
            if not self._made:
                self.folder.mkdir(mode=0o700, exist_ok=True)
                self._made = True
            elif not self.folder.exists():
                return  # whoever reports is gone, and nobody would remove the folder again
            content = json.dumps(value).encode()
            write_atomically(self.folder / f"{name}.json", content, durable=False)
        except OSError:
            return

    def read(self, pattern: str) -> list[Any]:
        """The notes whose names match a shell pattern, by name."""
        return [
            note for path in sorted(self.folder.glob(f"{pattern}.json")) for note in _read(path)
        ]

    def remove(self) -> None:
        """Remove the folder, if it was made."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path) -> list[Any]:
    """What a note says: one value, or none."""
    try:
        return [json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return []
