"""Reading and writing the results folder: whole files or none, and nothing that is lost."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cvclaims.claim import LARGEST
from cvclaims.files import damaged_names, read_plain, write_atomically
from cvclaims.report.rows import SCHEMA, Measured, Row
from cvclaims.text import clean

CLAIMS = "claims.json"
_KEY = re.compile("[0-9a-f]{64}")


class ReportError(RuntimeError):
    """The results cannot be written; the message is one line that names the file and the mend."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


def replace(path: Path, content: bytes) -> bool:
    """Write a file so that a reader sees all of it or none; False where it stands so already."""
    try:
        with suppress(FileNotFoundError):
            if read_plain(path) == content:
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


def read_rows(path: Path) -> tuple[list[Row], str]:
    """The sound rows of a `claims.json`, and what is wrong with the file; nothing is changed.

    A file of a newer schema or with fields that only a newer cvclaims can know, and one that cannot
    be read, raise ReportError.
    """
    try:
        forms = _forms(path, read_plain(path))
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        raise ReportError(
            f"{path} cannot be read ({error.strerror}): free it or choose another folder"
        ) from None
    except ValueError as error:
        return [], _short(error)
    rows, damage = [], []
    for form in forms:
        try:
            rows.append(sound(form))
        except (ValueError, RecursionError) as error:
            damage.append(_short(error))
    why = f"{len(damage)} of {len(forms)} rows unsound ({damage[0]})" if damage else ""
    return rows, why


def _short(error: Exception | str) -> str:
    """What an error or a file says; it may hold anything."""
    return clean(str(error))[:200]


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
    # To read past them would lose them when the file is written anew.
    if (unknown := next(_unknown(form, forms), None)) is not None:
        raise ReportError(
            f"{path} has a field {_short(unknown)!r} that this cvclaims does not know: upgrade "
            "cvclaims, or choose another folder"
        )
    return forms


def _unknown(form: Mapping[str, Any], rows: Sequence[Any]) -> Iterator[str]:
    """The fields of a file, its rows and their measured quantities that no version so far has."""
    yield from form.keys() - {"schema", "claims"}
    for row in rows:
        if isinstance(row, Mapping):
            yield from row.keys() - Row.__dataclass_fields__.keys()
            measured = row.get("measured")
            for quantity in measured.values() if isinstance(measured, Mapping) else ():
                if isinstance(quantity, Mapping):
                    yield from quantity.keys() - Measured.__annotations__.keys()


def sound(form: Any) -> Row:
    """A row whose every field has its type, whatever the file held; ValueError otherwise."""
    if not isinstance(form, Mapping):
        raise ValueError("a row is an object")
    row = Row.from_dict(form)
    texts = [row.id, row.title, row.report, row.device, row.data, row.reason, row.case]
    texts += [
        row.size,
        row.own_runs,
        row.rule_digest,
        row.report_title,
        row.report_note,
        row.source,
        row.failure,
    ]
    texts += ["" if text is None else text for text in (row.rule, row.disputed)]
    right = (
        _all(texts, str)
        and _all([row.report_number, row.revision], int)
        and _is_table(row.reported, _is_reported)
        and _is_table(row.decision, _is_number_or_none_or_counts)
        and _is_table(row.measured, _is_measured)
        and _is_table(row.evidence, _are_keys)
        and _is_table(row.recipes, lambda names: _is_table(names, _is_text))
        and _are_texts(row.assumed)
        and _are_texts(_listed(row.guards))
        and (row.about_failing is True or _are_texts(_listed(row.about_failing)))
    )
    if not right:
        raise ValueError(f"claim {row.id!r} has a field of the wrong type")
    return row


def _is_reported(value: Any) -> bool:
    """A number, or a list of some."""
    return _is_number(value) or (
        isinstance(value, list) and len(value) > 1 and all(map(_is_number, value))
    )


def _is_number_or_none_or_counts(value: Any) -> bool:
    return value is None or _is_number(value) or (isinstance(value, list) and _all(value, int))


def _is_measured(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"mean", "std", "n", "values"}
        and isinstance(value["values"], list)
        and all(v is None or _is_number(v) for v in (value["mean"], value["std"], *value["values"]))
        and _all([value["n"]], int)
    )


def _is_table(value: Any, good: Any) -> bool:
    return isinstance(value, Mapping) and all(map(good, value.values()))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and _all(value, str)


def _listed(value: Any) -> Any:
    """What stands in no file is an empty tuple, and not a list."""
    return [] if value == () else value


def _are_keys(value: Any) -> bool:
    """Whether these can be records' keys: files' names are made of them."""
    return _are_texts(value) and all(map(_KEY.fullmatch, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    # The comparison is false for NaN, which Python's reader lets pass although it is no JSON.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _all(values: Sequence[Any], kind: type) -> bool:
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def keep_copy(path: Path) -> Path:
    """Copy a damaged file to a name of its own, before it is written anew; once is enough."""
    try:
        content = read_plain(path)
        for kept in damaged_names(path):
            if not kept.exists() or (kept.is_file() and read_plain(kept) == content):
                break
    except OSError as error:
        raise ReportError(
            f"{error.filename} cannot be read ({error.strerror}): {path} is damaged, and a copy "
            "of it is to be kept; move both away"
        ) from None
    replace(kept, content)
    return kept
