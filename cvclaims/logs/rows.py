"""The rows of a log: of CSV, JSON lines or a JSON list, in one file or several."""

import csv
import functools
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
# Where a row stands, for messages; and which column of TensorBoard's export holds the values.
PLACE, TAG, VALUE = "\0place", "tag", "Value"
# What W&B puts beside each column of a chart, and a clock's time: numbers of no run.
BESIDE = ("__MIN", "__MAX")
CLOCK = "Wall time"
FIELD = re.compile(r"\{([^{}]*)\}")


class LogError(ValueError):
    """A log that cannot be used; the message is one line that names the file and the mend."""


def as_number(value: Any) -> float | None:
    """A cell as a number; None where it is none."""
    if isinstance(value, bool):
        return float(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def stats(paths: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """What a file is told by to have changed."""
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError as error:
            raise LogError(f"{path.name} cannot be read ({error.strerror})") from None
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Log:
    """What the files of a log hold.

    Attributes:
        digest: SHA-256 (hex) of their bytes.
        rows: with `PLACE` in each.
        words: the columns that hold no number at all, such as the name of a run.
    """

    digest: str
    rows: Sequence[Row]
    words: frozenset[str]


@functools.lru_cache(maxsize=64)
def read(
    name: str, folder: Path, stats: tuple[tuple[str, int, int], ...], columns: str | None
) -> Log:
    """Read the files as they stand; `columns` as in `logged`."""
    digest, rows = _read(name, folder, stats)
    if columns:
        rows = _unpivoted(name, columns, rows)
    words: dict[str, bool] = {}
    for row in rows:
        for column, value in row.items():
            if words.get(column, True):
                words[column] = value in ("", None) or as_number(value) is None
    return Log(digest, rows, frozenset(column for column, are in words.items() if are))


def _read(
    name: str, folder: Path, stats: tuple[tuple[str, int, int], ...]
) -> tuple[str, list[Row]]:
    digest, rows = hashlib.sha256(), []
    for path, *_ in stats:
        shown = str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path
        try:
            content = Path(path).read_bytes()
            text = content.decode("utf-8-sig")
        except OSError as error:
            raise LogError(f"{shown} cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise LogError(f"{shown} is no text in UTF-8") from None
        digest.update(content)
        fields = _fields_of(name, shown)
        for row in _rows_of(shown, text):
            if TAG in fields and VALUE in row:
                row = {k: v for k, v in row.items() if k != VALUE} | {fields[TAG]: row[VALUE]}
            rows.append({**fields, **row})
    return digest.hexdigest(), rows


def _fields_of(name: str, shown: str) -> dict[str, str]:
    """What the braces in a file's name stand for."""
    found = re.fullmatch(_pattern(name), shown.replace("\\", "/"))
    return found.groupdict() if found else {}


def _pattern(template: str) -> str:
    parts = FIELD.split(template)
    return "".join(
        f"(?P<{part}>[^/]+?)" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )


def _rows_of(shown: str, text: str) -> Iterator[Row]:
    if not text.strip():
        raise LogError(f"{shown} is empty")
    if shown.lower().endswith((".jsonl", ".ndjson", ".json")):
        yield from _json_rows(shown, text)
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader)]
    if twice := [name for name in header if header.count(name) > 1]:
        raise LogError(f"{shown} has two columns {twice[0]!r}: rename one")
    for row in reader:
        place = f"{shown}, row {reader.line_num}"
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise LogError(f"{place}: it has {len(row)} cells, and the header {len(header)}")
        yield {PLACE: place, **dict(zip(header, map(str.strip, row), strict=True))}


def _json_rows(shown: str, text: str) -> Iterator[Row]:
    """The objects of a JSON list, or one a line; what is nested goes by dotted names."""
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    lines = whole if isinstance(whole, list) else text.splitlines()
    for number, line in enumerate(lines, 1):
        place = f"{shown}, row {number}"
        if isinstance(line, str) and not line.strip():
            continue
        try:
            form = json.loads(line) if isinstance(line, str) else line
        except ValueError:
            raise LogError(f"{place}: it is no JSON") from None
        if not isinstance(form, dict):
            raise LogError(f"{place}: it is no object of names and numbers")
        yield {PLACE: place, **dict(_flat(form))}


def _flat(form: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in form.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif not isinstance(value, list):
            yield f"{before}{name}", value


def _unpivoted(name: str, columns: str, rows: Sequence[Row]) -> list[Row]:
    """A row for each run and step, of rows in which each column holds a run."""
    pattern = re.compile(_pattern(columns).replace("[^/]+?", ".+?"))
    names = dict.fromkeys(column for row in rows for column in row)
    matches = {c: m.groupdict() for c in names if (m := pattern.fullmatch(c))}
    matches = {c: fields for c, fields in matches.items() if not c.endswith(BESIDE)}
    if not matches:
        there = ", ".join(column for column in names if column != PLACE)
        raise LogError(f"{name}: no column is named like {columns!r}; it has {there}")
    found: list[Row] = []
    for row in rows:
        rest = {c: value for c, value in row.items() if c not in matches and not c.endswith(BESIDE)}
        by_run: dict[str, Row] = {}
        for column, fields in matches.items():
            of_run = {key: value for key, value in fields.items() if key != TAG}
            mine = by_run.setdefault(repr(of_run), {**rest, **of_run})
            mine[fields.get(TAG, column)] = row.get(column, "")
        found += by_run.values()
    return found
