"""Which assertions say nothing, as far as their source shows it."""

import contextlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from cvclaims.plugins import asserts

IDLE = "its property asserts nothing, so nothing can refute it: write `assert ...`"


def lines(*body: str) -> Callable[..., Any]:
    """A function of these lines, whose source can be read."""
    source = "\n    ".join(("def test(n):", *body)) + "\n"
    made: dict[str, Any] = {"pytest": pytest, "contextlib": contextlib, "suppress": suppress}
    exec(compile(source, f"<{source}>", "exec"), made)
    import linecache

    linecache.cache[f"<{source}>"] = (len(source), None, source.splitlines(True), f"<{source}>")
    return made["test"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "held",
    [
        *("(n < 7, 'small')", "n < 7 or True", "f'{n}'", "f'n is {n}'", "(x < 7 for x in [n])"),
        *("[n < 7]", "{n}", "{n: 1}", "lambda: n < 7", "n < 7 or (n, 'so')", "(x := (n, 1))"),
        *("True and 'so'", "(1,) if n else [1]", "not 0", "not None"),
    ],
)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_an_assertion_that_always_holds(held: str) -> None:
    why = asserts.mistake(lines("m = abs(n)", f"assert {held}"))
    assert why is not None
    assert why.startswith("`assert ")
    assert why.endswith("` always holds, so nothing can refute it")


@pytest.mark.parametrize(
    "may_fail",
    [
        *("n < 7", "n or m", "True and n < 7", "()", "[]", "not n", "[x for x in [n]]", "{*[]}"),
        *("(n, 1) if n else ()", "all(x < 7 for x in [n])", "(n < 7), 'small'", "not 1", "''"),
    ],
)
def test_an_assertion_that_may_fail(may_fail: str) -> None:
    assert asserts.mistake(lines("m = abs(n)", f"assert {may_fail}")) is None


@pytest.mark.parametrize(
    "body",
    [
        ["m = abs(n)", "try:", "    assert m < 7", "except AssertionError:", "    pass"],
        ["try:", "    assert n < 7", "except:", "    n = abs(n)"],
        ["try:", "    assert n < 7", "except (ValueError, Exception) as e:", "    return"],
        ["try:", "    assert n < 7", "except* AssertionError:", "    pass"],
        ["m = abs(n)", "with suppress(AssertionError):", "    assert m < 7"],
        ["with contextlib.suppress(ValueError, Exception):", "    assert n < 7"],
        ["m = abs(n)", "with pytest.raises(AssertionError):", "    assert m < 7"],
        ["abs(n) >= 0"],
        ["assert True"],
        ["pass"],
    ],
)
def test_a_property_that_asserts_nothing(body: list[str]) -> None:
    assert asserts.mistake(lines(*body)) == IDLE


@pytest.mark.parametrize(
    "body",
    [
        ["try:", "    assert n < 7", "except ValueError:", "    pass"],
        ["try:", "    assert n < 7", "except AssertionError:", "    raise"],
        ["try:", "    assert n < 7", "except AssertionError:", "    pytest.fail('so')"],
        ["try:", "    abs(n)", "except Exception:", "    n = 1", "else:", "    assert n < 7"],
        ["with suppress(ValueError):", "    assert n < 7"],
        ["with pytest.raises(ValueError):", "    int(n)"],
        ["with suppress(AssertionError):", "    assert n", "assert n < 7"],
        ["assert True", "abs(n)"],
        ["helper(n)"],
        ["raise AssertionError"],
    ],
)
def test_a_property_that_can_be_refuted(body: list[str]) -> None:
    assert asserts.mistake(lines(*body)) is None
