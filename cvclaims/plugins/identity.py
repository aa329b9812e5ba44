"""Which parameters of a test are its claim's own: those that it asks for, by any of its fixtures.

Another plugin may multiply tests by a parameter of its own, as pytest-repeat does. Its copies are
the same claim, and named as if the plugin were not there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def own_parameters(item: pytest.Item) -> tuple[Mapping[str, Any], str]:
    """The claim's parameters, and pytest's id of the case without what is not the claim's."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return {}, ""
    asked = _asked_for(item)
    own = {name: value for name, value in callspec.params.items() if name in asked}
    return own, callspec.id if len(own) == len(callspec.params) else _id(item, own)


def origin(item: pytest.Item) -> tuple[object, ...]:
    """What a test and its copies have in common."""
    parent = item.parent.nodeid if item.parent else ""
    return item.path, parent, getattr(item, "originalname", item.name), own_parameters(item)[1]


def _asked_for(item: pytest.Item) -> set[str]:
    """The names that a test, its marks and its fixtures ask for."""
    info = item._fixtureinfo  # type: ignore[attr-defined]  # pytest has no public word for it
    names: set[str] = set()
    ahead = list(info.initialnames)
    while ahead:
        name = ahead.pop()
        if name not in names:
            names.add(name)
            ahead += [
                needed for known in info.name2fixturedefs.get(name, ()) for needed in known.argnames
            ]
    return names


def _id(item: pytest.Item, own: Mapping[str, Any]) -> str:
    """pytest joins an id from one part for each parametrisation, in the parameters' order."""
    callspec = item.callspec  # type: ignore[attr-defined]
    together = {
        name: names
        for mark in item.iter_markers("parametrize")
        for names in [_names(mark)]
        for name in names
    }
    calls = list(dict.fromkeys(together.get(name, (name,)) for name in callspec.params))
    parts: Sequence[str] = callspec._idlist
    if len(calls) != len(parts):  # some were hidden from the id
        return str(callspec.id)
    return "-".join(part for names, part in zip(calls, parts, strict=True) if names[0] in own)


def _names(mark: pytest.Mark) -> tuple[str, ...]:
    """The parameters that one mark gives."""
    names = mark.args[0] if mark.args else mark.kwargs["argnames"]
    names = names.split(",") if isinstance(names, str) else names
    return tuple(name.strip() for name in names if name.strip())
