"""`claims.json`: its text, and reading it with distrust. Nothing here writes."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cvclaims.claim import LARGEST
from cvclaims.files import read_plain
from cvclaims.results.output import ResultsError
from cvclaims.results.view import ELSEWHERE, SCHEMA, ClaimView, Measured
from cvclaims.text import clean

CLAIMS = "claims.json"
_KEY = re.compile("[0-9a-f]{64}")


def to_json(views: Sequence[ClaimView]) -> bytes:
    """The text of `claims.json`: one line for each field, so that it diffs well."""
    return (
        f'{{\n"schema": {SCHEMA},\n"claims": [' + ",".join(map(_object, views)) + "\n]\n}\n"
    ).encode()


def _object(view: ClaimView) -> str:
    try:
        form = view.to_dict()
    except (TypeError, ValueError) as error:
        raise ResultsError(
            f"claim {view.id}: its row is not plain JSON ({error}); mend the test that made it"
        ) from None
    fields = (f"{_json(name)}: {_json(value)}" for name, value in form.items())
    return "\n{\n  " + ",\n  ".join(fields) + "\n}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_claims(path: Path) -> tuple[list[ClaimView], str]:
    """The sound rows of a `claims.json`, and what is wrong with the file; nothing is changed.

    A file of a newer schema or with fields that only a newer cvclaims can know, and one that cannot
    be read, raise ResultsError.
    """
    try:
        content = read_plain(path)
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        raise ResultsError(
            f"{path} cannot be read ({error.strerror}): free it or choose another folder"
        ) from None
    return parsed(path, content)


def parsed(path: Path, content: bytes) -> tuple[list[ClaimView], str]:
    """The same of a file's content; `path` is for messages."""
    try:
        forms = _forms(path, content)
    except ValueError as error:
        return [], short(error)
    views, damage = [], []
    for form in forms:
        try:
            views.append(sound(form))
        except (ValueError, RecursionError) as error:
            damage.append(short(error))
    why = f"{len(damage)} of {len(forms)} rows unsound ({damage[0]})" if damage else ""
    return views, why


def short(error: Exception | str) -> str:
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
        raise ResultsError(
            f"{path} has schema {schema}, this cvclaims reads {SCHEMA}: upgrade cvclaims, "
            "or choose another folder"
        )
    forms = form.get("claims")
    if not isinstance(forms, list):
        raise ValueError("it has no list of claims")
    # To read past them would lose them when the file is written anew.
    if (unknown := next(_unknown(form, forms), None)) is not None:
        raise ResultsError(
            f"{path} has a field {short(unknown)!r} that this cvclaims does not know: upgrade "
            "cvclaims, or choose another folder"
        )
    return forms


def _unknown(form: Mapping[str, Any], rows: Sequence[Any]) -> Iterator[str]:
    """The fields of a file, its rows and their measured quantities that no version so far has."""
    yield from form.keys() - {"schema", "claims"}
    for row in rows:
        if isinstance(row, Mapping):
            yield from row.keys() - (ClaimView.__dataclass_fields__.keys() - {*ELSEWHERE})
            measured = row.get("measured")
            for quantity in measured.values() if isinstance(measured, Mapping) else ():
                if isinstance(quantity, Mapping):
                    yield from quantity.keys() - Measured.__annotations__.keys()


def sound(form: Any) -> ClaimView:
    """A row whose every field has its type, whatever the file held; ValueError otherwise."""
    if not isinstance(form, Mapping):
        raise ValueError("a row is an object")
    view = ClaimView.from_dict(form)
    if not all(_SOUND.get(name, _is_text)(getattr(view, name)) for name in form):
        raise ValueError(f"claim {view.id!r} has a field of the wrong type")
    return view


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    # The comparison is false for NaN, which Python's reader lets pass although it is no JSON.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_reported(value: Any) -> bool:
    """A number, or a list of some."""
    return _is_number(value) or (_list_of(_is_number)(value) and len(value) > 1)


def _is_measured(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"mean", "std", "n", "values"}
        and _list_of(_is_number_or_none)(value["values"])
        and _is_number_or_none(value["mean"])
        and _is_number_or_none(value["std"])
        and _is_whole(value["n"])
    )


def _is_number_of_a_verdict(value: Any) -> bool:
    return _is_number_or_none(value) or _list_of(_is_whole)(value)


def _is_key(value: Any) -> bool:
    """Whether it can be a record's key: files' names are made of them."""
    return isinstance(value, str) and bool(_KEY.fullmatch(value))


def _list_of(good: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(good, value))


def _table_of(good: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and all(map(good, value.values()))


def _are_failing(value: Any) -> bool:
    return value is True or _list_of(_is_text)(value)


# What each field has to be; a text where none is named.
_SOUND: Mapping[str, Callable[[Any], bool]] = {
    "rule": _is_text_or_none,
    "disputed": _is_text_or_none,
    "reported": _table_of(_is_reported),
    "measured": _table_of(_is_measured),
    "report_number": _is_whole,
    "assumed": _list_of(_is_text),
    "evidence": _table_of(_list_of(_is_key)),
    "recipes": _table_of(_table_of(_is_text)),
    "revision": _is_whole,
    "about_failing": _are_failing,
    "guards": _list_of(_is_text),
    "decision": _table_of(_is_number_of_a_verdict),
}
