"""Properties as claims: judged the same everywhere, and refused where nothing could refute them."""

import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from cvclaims.plugins.properties import _settings_of, steadily
from tests.plugins.project import Project

SLOW = """
import time

@settings(deadline=1, max_examples=30)
@given(st.integers())
def test_no_claim(n):
    time.sleep(0.01)

@about("1")
@settings(deadline=1, max_examples=30)
@given(st.integers())
def test_slow(n):
    time.sleep(0.01)
    assert n == n

class TestClass:
    @about("2")
    @pytest.mark.parametrize("more", [1, 2])
    @settings(deadline=1, max_examples=5)
    @given(n=st.integers())
    def test_slow(self, n, more):
        time.sleep(0.01)
        assert n == n

slept = []

@about("3")
@settings(max_examples=5)
@given(st.integers())
def test_slow_at_first(n):
    slept.append(n)
    time.sleep(0.3 if len(slept) == 1 else 0)
    assert n == n

@about("4")
@settings(max_examples=5)
@given(st.data())
def test_slow_to_draw(data):
    assert data.draw(st.integers().map(lambda n: time.sleep(0.3))) is None
"""


def test_no_clock_decides(project: Project) -> None:
    project.write(SLOW)
    ran = project.run()
    verdicts = {"1": "supported", "2/1": "supported", "2/2": "supported", "3": "supported"}
    assert ran.verdicts() == {**verdicts, "4": "supported"}
    # A test that is no claim keeps the settings that it has.
    assert "DeadlineExceeded" in ran.text
    assert ran.counts == {"passed": 5, "failed": 1}


def test_settings_are_the_authors_again_afterwards() -> None:
    kept = settings(
        max_examples=7,
        deadline=5,
        database=InMemoryExampleDatabase(),
        suppress_health_check=[HealthCheck.filter_too_much],
    )

    @kept
    @given(st.integers())
    def test(n: int) -> None:
        assert n == n

    item: Any = SimpleNamespace(obj=test)
    inner = test.hypothesis.inner_test  # type: ignore[attr-defined]
    for fails in (False, True):
        with suppress(ZeroDivisionError), steadily(item):
            held = _settings_of(test)
            assert held is not None
            assert (held.max_examples, held.deadline, held.database) == (7, None, None)
            assert held.derandomize
            checks = {HealthCheck.filter_too_much, HealthCheck.too_slow}
            assert set(held.suppress_health_check) == checks
            test()
            if fails:
                raise ZeroDivisionError
        assert _settings_of(test) is kept
        assert test.hypothesis.inner_test is inner  # type: ignore[attr-defined]


DRAWN = """
drawn = []

@about("1")
@settings(derandomize=False, max_examples=20)
@given(st.integers())
def test_drawn(n):
    drawn.append(n)
    assert n is not None

def test_write():
    import json
    with open("drawn.json", "w") as file:
        json.dump(drawn, file)
"""


def test_no_chance_decides(project: Project) -> None:
    project.write(DRAWN)
    seen = []
    for seed in ("1", "2"):
        assert project.run(f"--hypothesis-seed={seed}").result.ret == 0
        seen.append(json.loads((project.path / "drawn.json").read_text()))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 20


IDLE = """
@about("1")
@given(st.integers())
def test_compares(n):
    abs(n) >= 0

@about("2")
@given(st.integers())
def test_nothing(n):
    '''It says so.'''
    assert True

@about("3")
@settings(phases=[])
@given(st.integers())
def test_no_phase(n):
    assert n == n

@about("4")
@given(st.integers())
def test_gives_a_verdict(verdict, n):
    verdict.exact(n, n)

@about("5")
@given(st.nothing())
def test_nothing_to_draw(n):
    assert n == n

from hypothesis import assume

@about("6")
@settings(max_examples=5)
@given(st.integers())
def test_assumes_away(n):
    assume(n != n)
    assert n == n

def helper(n):
    assert n < 7

@about("7")
@given(st.integers())
def test_helper(n):
    helper(n)
"""


def test_a_property_that_nothing_could_refute_is_refused(project: Project) -> None:
    project.write(IDLE)
    ran = project.run()
    assert ran.verdicts() == {"5": "error", "6": "error", "7": "refuted"}
    idle = "its property asserts nothing, so nothing can refute it: write `assert ...`"
    phases = "its settings leave out the phases that try examples, so nothing can refute it"
    for line in (
        *(f"claim 1: {idle}", f"claim 2: {idle}", f"claim 3: {phases}"),
        "claim 4: it is a property, which is its own verdict: take `verdict` or `@given` away",
    ):
        assert line in ran.lines
    assert ran.counts == {"errors": 6, "refuted": 1}


HELPER = """
import helper

@about("1")
@given(st.integers())
def test_helper(n):
    helper.check(n)

@about("2")
@given(st.integers())
def test_own(n):
    assert n < 7

@about("3")
def test_counts(verdict):
    verdict.exact(1, 1)
"""


@pytest.mark.parametrize("how", ["rewrite", "plain"])
@pytest.mark.parametrize("optimised", ["", "1", "2"])
def test_python_without_assertions(project: Project, optimised: str, how: str) -> None:
    project.write(HELPER)
    (project.path / "helper.py").write_text("def check(n):\n    assert n < 7\n")
    project.monkeypatch.setenv("PYTHONOPTIMIZE", optimised)
    ran = project.run_alone(f"--assert={how}", "-W", "ignore")
    if not optimised:
        assert ran.verdicts() == {"1": "refuted", "2": "refuted", "3": "supported"}
        return
    assert ran.verdicts() == {"3": "supported"}
    why = "python -O drops assertions, so nothing can refute a property: run without -O"
    assert {f"claim 1: {why}", f"claim 2: {why}"} <= set(ran.lines)
    assert ran.result.ret == pytest.ExitCode.TESTS_FAILED


STRATEGIES = """
def grown(n):
    assert n < 7, "in the strategy"
    return n

@about("1")
@given(st.integers().map(grown))
def test_drawn_before(n):
    assert n == n

@about("2")
@given(st.data())
def test_drawn_within(data):
    n = data.draw(st.integers().map(grown))
    assert n == n

@about("3")
@given(st.integers())
def test_two_failures(n):
    assert n > -7
    if n > 7:
        raise OSError("in the test")

@about("4")
@given(st.integers())
def test_two_counterexamples(n):
    assert n > -7
    assert n < 7

from hypothesis import example

@about("5")
@example(9)
@settings(phases=["explicit"])
@given(st.integers())
def test_explicit(n):
    assert n < 7

@about("6")
@given(st.integers())
def test_fine_beside_what_always_holds(n):
    assert n < 7 or True
"""


def test_only_what_fails_in_the_property_itself_refutes_it(project: Project) -> None:
    project.write(STRATEGIES.replace('["explicit"]', "[Phase.explicit]"))
    file = project.path / "test_paper.py"
    file.write_text("from hypothesis import Phase\n" + file.read_text())
    ran = project.run()
    assert ran.verdicts() == {
        **{"1": "error", "2": "error", "3": "error", "4": "refuted", "5": "refuted"},
    }
    assert "in the strategy" in ran.reason("1")
    assert "claim 6: `assert n < 7 or True` always holds, so nothing can refute it" in ran.lines
