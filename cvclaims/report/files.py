"""Reading and writing the results folder: whole files or none, and nothing that is lost."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cvclaims.files import write_atomically
from cvclaims.report.rows import SCHEMA, Row

CLAIMS = "claims.json"


class ReportError(RuntimeError):
    """The results cannot be written; the message is one line that names the file and the mend."""


def replace(path: Path, content: bytes) -> bool:
    """Write a file so that a reader sees all of it or none; False where it stands so already."""
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        write_atomically(path, content)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written ({error.strerror}): free it, then --claims-replay "
            "writes the results anew from the records"
        ) from None
    return True


def remove(path: Path) -> bool:
    """Remove a file; False where there is none."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ReportError(f"{path} cannot be removed ({error.strerror}): free it") from None
    return True


def to_json(rows: Sequence[Row]) -> bytes:
    """The text of `claims.json`: one line for each field, so that it diffs well."""
    return (
        f'{{\n"schema": {SCHEMA},\n"claims": [' + ",".join(map(_object, rows)) + "\n]\n}\n"
    ).encode()


def _object(row: Row) -> str:
    try:
        form = row.to_dict()
    except (TypeError, ValueError) as error:
        raise ReportError(
            f"claim {row.id}: its row is not plain JSON ({error}); mend the test that made it"
        ) from None
    fields = (f"{_json(name)}: {_json(value)}" for name, value in form.items())
    return "\n{\n  " + ",\n  ".join(fields) + "\n}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_rows(folder: Path) -> tuple[list[Row], list[str]]:
    """The sound rows of `claims.json` and one line for each problem met.

    A damaged file is kept under another name before anything else is written; a file of a newer
    schema raises ReportError and stays as it is.
    """
    path = folder / CLAIMS
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise ReportError(
            f"{path} cannot be read ({error.strerror}): free it or choose another folder"
        ) from None
    try:
        forms = _forms(path, content)
    except ValueError as error:
        return [], [_set_aside(path, str(error))]
    rows, damage = [], []
    for form in forms:
        try:
            rows.append(sound(form))
        except ValueError as error:
            damage.append(str(error))
    if not damage:
        return rows, []
    return rows, [_set_aside(path, f"{len(damage)} of {len(forms)} rows unsound ({damage[0]})")]


def _forms(path: Path, content: bytes) -> list[Any]:
    """The rows as they stand in the file; ValueError where it is no results file."""
    try:
        form = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON, perhaps cut off ({error})") from None
    schema = form.get("schema") if isinstance(form, dict) else None
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise ValueError("no results of cvclaims: it has no schema number")
    if schema > SCHEMA:
        raise ReportError(
            f"{path} has schema {schema}, this cvclaims reads {SCHEMA}: upgrade cvclaims, "
            "or choose another folder"
        )
    forms = form.get("claims")
    if not isinstance(forms, list):
        raise ValueError("it has no list of claims")
    return forms


def sound(form: Any) -> Row:
    """A row whose every field has its type, whatever the file held; ValueError otherwise."""
    if not isinstance(form, Mapping):
        raise ValueError("a row is an object")
    row = Row.from_dict(form)
    texts = [row.id, row.title, row.report, row.device, row.data, row.reason, row.case]
    texts += [row.report_title, row.report_note, row.source, row.rule or "", row.disputed or ""]
    right = (
        _all(texts, str)
        and _all([row.report_number, row.revision], int)
        and _is_table(row.reported, _is_number)
        and _is_table(row.measured, _is_measured)
        and _is_table(row.evidence, _are_texts)
        and _is_table(row.recipes, lambda names: _is_table(names, _is_text))
        and _are_texts(row.assumed)
    )
    if not right:
        raise ValueError(f"claim {row.id!r} has a field of the wrong type")
    return row


def _is_measured(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"mean", "std", "n", "values"}
        and isinstance(value["values"], list)
        and all(v is None or _is_number(v) for v in (value["mean"], value["std"], *value["values"]))
        and isinstance(value["n"], int)
    )


def _is_table(value: Any, good: Any) -> bool:
    return isinstance(value, Mapping) and all(map(good, value.values()))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and _all(value, str)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    # The comparison is false for NaN, which Python's reader lets pass although it is no JSON.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _all(values: Sequence[Any], kind: type) -> bool:
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def _set_aside(path: Path, why: str) -> str:
    kept = path.with_name(path.name + ".damaged")
    count = 1
    while kept.exists():  # an earlier one may be all that is left of someone's results
        count += 1
        kept = path.with_name(f"{path.name}.{count}.damaged")
    try:
        os.replace(path, kept)
    except OSError as error:
        raise ReportError(
            f"{path} is damaged ({why}) and cannot be set aside ({error.strerror}): move it away"
        ) from None
    return f"{path}: {why}; set aside as {kept.name}, --claims-replay fills the gaps"
