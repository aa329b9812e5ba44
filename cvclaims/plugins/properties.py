"""Claims that are Hypothesis properties: those that nothing could refute, and how all are run.

A property is supported where no counterexample was found, so one that looks for none, or could
not show it, must not count.
"""

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hypothesis import settings


def is_property(item: pytest.Item) -> bool:
    """Whether a test is under `@given`."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


def mistake(item: pytest.Item) -> str | None:
    """Why nothing can be claimed by this property, or None."""
    if not __debug__:
        return "python -O drops assertions, so nothing can refute a property: run without -O"
    if "verdict" in getattr(item, "fixturenames", ()):
        return "it is a property, which is its own verdict: take `verdict` or `@given` away"
    test = _test_of(item)
    given = _settings_of(test)
    if given and {phase.name for phase in given.phases}.isdisjoint({"explicit", "generate"}):
        return "its settings leave out the phases that try examples, so nothing can refute it"
    if not _can_refute(test.hypothesis.inner_test):
        return "its property asserts nothing, so nothing can refute it: write `assert ...`"
    return None


@contextmanager
def steadily(item: pytest.Item) -> Iterator[None]:
    """Run a property the same way on each machine; fail one that tried no example.

    No clock, no random start and no stored examples, whatever profile is loaded; the number of
    examples and the phases are the author's. The test is as it was afterwards.
    """
    from hypothesis import HealthCheck, settings

    test = _test_of(item)
    given, inner = _settings_of(test), test.hypothesis.inner_test
    if given is None:
        yield
        return
    checks = {*given.suppress_health_check, HealthCheck.too_slow}
    finished = itertools.count()
    # Hypothesis has no public way to change a test's settings; its own pytest plugin does this.
    test._hypothesis_internal_use_settings = settings(
        given, deadline=None, derandomize=True, database=None, suppress_health_check=checks
    )
    test.hypothesis.inner_test = _counted(inner, finished)
    try:
        yield
    finally:
        test._hypothesis_internal_use_settings = given
        test.hypothesis.inner_test = inner
    if next(finished) == 0:
        pytest.fail("no example of its property ran to the end: see its settings", pytrace=False)


def _test_of(item: pytest.Item) -> Any:
    """The function that `@given` made: a method's attributes are those of its function."""
    test = getattr(item, "obj", None)
    return getattr(test, "__func__", test)


def _settings_of(test: Any) -> "settings | None":
    """The settings of a property; None where `@given` itself was used wrongly, as the test says."""
    found: settings | None = getattr(test, "_hypothesis_internal_use_settings", None)
    return found


def _counted(inner: Callable[..., Any], finished: Iterator[int]) -> Callable[..., Any]:
    @functools.wraps(inner)  # Hypothesis draws its examples by the source and signature
    def counted(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        result = inner(*args, **kwargs)
        next(finished)
        return result

    return counted


def _can_refute(test: Callable[..., Any]) -> bool:
    """Whether anything in a function could raise; True where its source does not tell."""
    if hasattr(test, "__wrapped__"):
        return True  # what wraps it may assert
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(test))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return True
    return not isinstance(function, ast.FunctionDef) or any(map(_may_raise, function.body))


def _may_raise(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not (isinstance(node.test, ast.Constant) and node.test.value)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare | ast.BoolOp):
        return False  # compared, and the outcome thrown away
    if isinstance(node, ast.Raise | ast.Call):
        return True
    return any(map(_may_raise, ast.iter_child_nodes(node)))
