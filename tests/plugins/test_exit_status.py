"""The exit status tells a session in which claims were refuted from one in which things broke."""

import pytest

from cvclaims.plugins.results import REFUTED_ONLY
from tests.plugins.project import Project

REFUTED = """
@about("1")
def test_refuted(verdict):
    verdict.exact(1, 2)
"""
COVERAGE = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    result = yield
    session.testsfailed += 1
    return result
"""


@pytest.mark.parametrize("mode", ["--continue-on-collection-errors", "-n1"])
def test_a_file_that_cannot_be_collected_is_no_refuted_claim(project: Project, mode: str) -> None:
    project.write(REFUTED)
    assert project.run(mode).result.ret == REFUTED_ONLY
    (project.path / "test_broken.py").write_text("import no_such_module\n")
    assert project.run(mode).result.ret == pytest.ExitCode.TESTS_FAILED


def test_what_another_plugin_fails_is_no_refuted_claim(project: Project) -> None:
    project.write(REFUTED)
    (project.path / "conftest.py").write_text(COVERAGE)
    assert project.run().result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("mode", ["--continue-on-collection-errors", "-n1"])
def test_an_unrelated_project_keeps_its_status(project: Project, mode: str) -> None:
    (project.path / "test_fine.py").write_text("def test_fine():\n    pass\n")
    (project.path / "test_broken.py").write_text("import no_such_module\n")
    assert project.run(mode).result.ret == pytest.ExitCode.TESTS_FAILED


def test_results_that_could_not_be_written_fail_whatever_was_refuted(project: Project) -> None:
    project.write(REFUTED.replace("    verdict", "    open('tables', 'w').close()\n    verdict"))
    ran = project.run("--claims-store=store", "--claims-results=tables")
    assert ran.verdicts() == {"1": "refuted"}
    assert ran.result.ret == pytest.ExitCode.TESTS_FAILED


ODD = """
def test_fine(request):
    request.node.user_properties += [("a", "b", "c"), ("d",), None, ([], {})]
"""


def test_other_properties_of_reports_may_be_anything(project: Project) -> None:
    (project.path / "test_fine.py").write_text(ODD)
    ran = project.run()
    assert (ran.result.ret, ran.counts) == (0, {"passed": 1})


LATE = """
@about("1")
def test_mark(request, verdict):
    request.node.add_marker(pytest.mark.xfail(reason="so"))
    verdict.exact(1, 2)

@about("2")
def test_xfail(verdict):
    verdict.exact(1, 2)
    pytest.xfail("so")

@about("3")
def test_skip(verdict):
    verdict.exact(1, 2)
    pytest.skip("so")

@about("4")
def test_skip_after_support(verdict):
    verdict.exact(1, 1)
    pytest.skip("so")

@about("5")
def test_no_verdict(verdict):
    pytest.xfail("so")

@about("6")
def test_error(request, verdict):
    request.node.add_marker(pytest.mark.xfail(reason="so"))
    raise OSError("in the test")

@pytest.fixture
def skips():
    yield
    pytest.skip("so")

@about("7")
def test_skip_in_teardown(verdict, skips):
    verdict.exact(1, 1)

@about("8")
@steady
@given(st.integers())
def test_property(request, n):
    request.node.add_marker(pytest.mark.xfail(reason="so"))
    assert n < 7
"""


def test_neither_xfail_nor_skip_takes_a_verdict_back(project: Project) -> None:
    project.write(LATE)
    for options in ((), ("-n1",)):
        ran = project.run(*options, "--junitxml=junit.xml")
        assert ran.verdicts() == {
            **{"1": "refuted", "2": "refuted", "3": "refuted", "4": "supported"},
            **{"5": "not evaluated", "6": "error", "7": "supported", "8": "refuted"},
        }
        assert ran.reason("5") == "so"
        assert ran.counts.pop("skipped") == 1
        assert (ran.counts["refuted"], ran.counts["passed"], ran.counts["errors"]) == (4, 2, 1)
        assert ran.result.ret == pytest.ExitCode.TESTS_FAILED
