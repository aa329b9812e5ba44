"""pytest's own ways of choosing and stopping work on claims as on any test."""

import os

import pytest

from tests.plugins.project import Project

EXACT = """
@about("1")
def test_one(verdict):
    verdict.exact(1, 1)

@about("2")
def test_two(verdict):
    verdict.exact(1, 2)

@about("3")
@pytest.mark.parametrize("size", [1, 2], ids=["small", "large"])
def test_three(verdict, size):
    verdict.exact(size, size)
"""


def test_all(project: Project) -> None:
    project.write(EXACT)
    ran = project.run()
    assert sorted(ran.rows) == ["1", "2", "3/large", "3/small"]
    assert ran.rows["3/small"]["measured"]["counted"]["values"] == [1.0]


def test_stop_at_the_first_failure(project: Project) -> None:
    project.write(EXACT)
    assert list(project.run("-x").rows) == ["1", "2"]


@pytest.mark.parametrize("options", [("--maxfail=1",), ("--sw",), ("-n1", "-x")])
def test_a_refuted_claim_stops_as_a_failure_does(
    project: Project, options: tuple[str, ...]
) -> None:
    project.write(EXACT)
    ran = project.run(*options)
    assert {"1", "2"} <= set(ran.rows)
    assert ran.counts["refuted"] == 1
    assert "stopping after" in ran.text or "Interrupted" in ran.text
    assert project.run("--sw").counts["refuted"] == 1


def test_choose_by_keyword(project: Project) -> None:
    project.write(EXACT)
    assert list(project.run("-k", "large").rows) == ["3/large"]


def test_run_what_failed_last(project: Project) -> None:
    project.write(EXACT)
    project.run()
    ran = project.run("--lf")
    assert ran.told() == "1 refuted"
    assert len(ran.rows) == 4  # the others stay in the table


LATE = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    yield
    items[:] = items[:1]
"""


def test_what_was_not_selected_is_not_trained(project: Project) -> None:
    project.write("""
        @about("1", recipes=BOTH)
        def test_one(runs, verdict):
            verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)

        @about("2", recipes={"other": GOOD.but(lr=0.3)})
        def test_two(runs, verdict):
            verdict.above(runs.other.test_accuracy, 0.2)
    """)
    (project.path / "conftest.py").write_text(LATE)
    assert project.run().told() == "1 refuted"
    assert len(project.records()) == 6


def test_without_the_results_plugin(project: Project) -> None:
    project.write(EXACT)
    ran = project.run("-p", "no:cvclaims-results")
    assert ran.counts == {"passed": 3, "refuted": 1}
    assert not project.results.exists()
    assert ran.summary == []


def test_without_any_plugin(project: Project) -> None:
    project.write("def test_nothing():\n    pass\n")
    off = ["cvclaims", "cvclaims-torch", "cvclaims-results"]
    ran = project.run(*(part for name in off for part in ("-p", f"no:{name}")))
    assert ran.counts == {"passed": 1}
    assert project.run("-p", "no:cvclaims").counts == {"passed": 1}


def test_without_a_terminal(project: Project) -> None:
    project.write(EXACT)
    ran = project.run("-p", "no:terminal")
    assert len(ran.rows) == 4
    assert ran.text == ""


@pytest.mark.parametrize(("quiet", "settings"), [("-q", True), ("-qq", False)])
def test_quiet(project: Project, quiet: str, settings: bool) -> None:
    project.write(EXACT)
    ran = project.run(quiet)
    assert ran.summary[0].startswith("claims: scale auto, ") == settings
    assert ran.told() == "3 supported, 1 refuted"


def test_claims_that_count_need_no_torch(project: Project) -> None:
    project.write(EXACT.replace('"1"', '"1", recipes=BOTH'))
    project.forbid("torch")
    assert project.run_alone().told() == "3 supported, 1 refuted"


def test_collecting_our_own_claims_imports_no_torch(
    project: Project, pytestconfig: pytest.Config
) -> None:
    project.forbid("torch")
    (project.path / "conftest.py").rename(project.path / "spy.py")
    project.monkeypatch.setenv("PYTHONPATH", str(project.path), prepend=os.pathsep)
    project.enter(pytestconfig.rootpath)
    options = ("--collect-only", "-q", "-pspy", "-pno:cacheprovider", f"--claims-store={'x' * 8}")
    ran = project.run_alone("claims", *options)
    assert ran.result.ret == 0
    assert "tests collected" in ran.text


def test_collecting_writes_nothing_and_imports_no_torch(project: Project) -> None:
    project.write(EXACT.replace('"1"', '"1", recipes=BOTH'))
    project.forbid("torch", "numpy", "scipy")
    ran = project.run_alone("--collect-only", "--claims-store", "store")
    assert "4 tests collected" in ran.text
    assert not project.results.exists()
    assert not (project.path / "store").exists()
