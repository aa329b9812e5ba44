"""Claims that are Hypothesis properties: those that nothing could refute, and how all are run.

A property is supported where no counterexample was found, so one that looks for none, or could
not show it, must not count.
"""

import functools
import itertools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins import asserts

if TYPE_CHECKING:
    from hypothesis import settings


_OF_THE_TEST = "_cvclaims_of_the_test"


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
    return asserts.mistake(test.hypothesis.inner_test)


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
        try:
            result = inner(*args, **kwargs)
        except AssertionError as error:
            # Only here: what asserts while Hypothesis makes an example says nothing of the claim.
            error.__dict__[_OF_THE_TEST] = not _in_strategy(error.__traceback__)
            raise
        next(finished)
        return result

    return counted


def is_of_the_test(error: BaseException) -> bool:
    """Whether an assertion failed in a property itself, and not in what makes its examples."""
    return bool(getattr(error, _OF_THE_TEST, False))


def _in_strategy(trace: TracebackType | None) -> bool:
    """Whether the test was drawing more of its example, as by `data.draw`."""
    frames = (frame for frame, _ in traceback.walk_tb(trace))
    names = (str(frame.f_globals.get("__name__", "")) for frame in frames)
    return any(name.startswith("hypothesis.strategies") for name in names)
