"""Verdicts, rows and identities beside other plugins, and wherever pytest is started.

The other plugins are stood in for by what they do to pytest, so that none has to be installed.
"""

import json
from pathlib import Path

import pytest

from tests.plugins.project import Project

EXACT = """
@about("1")
def test_one(verdict):
    verdict.exact(1, 1)
"""

SUBTESTS = """
@about("1")
def test_before(verdict, subtests):
    with subtests.test("before"):
        pass
    verdict.exact(1, 1)

@about("2")
def test_after(verdict, subtests):
    verdict.exact(1, 2)
    with subtests.test("after"):
        pass

@about("3")
def test_fails(verdict, subtests):
    with subtests.test("a part"):
        assert 1 == 2, "in a part"
    verdict.exact(1, 1)

@about("4")
@given(st.integers())
def test_property(subtests, n):
    with subtests.test("a part"):
        assert n < 7, "in a part"
"""


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests since version 9")
@pytest.mark.parametrize("mode", ["-n0", "-n2"])
def test_subtests_are_parts_and_no_verdicts(project: Project, mode: str) -> None:
    project.write(SUBTESTS.replace("@given", "@settings(suppress_health_check=[FIXTURE])\n@given"))
    source = (project.path / "test_paper.py").read_text()
    health = "from hypothesis import HealthCheck\nFIXTURE = HealthCheck.function_scoped_fixture\n"
    (project.path / "test_paper.py").write_text(health + source)
    ran = project.run(mode)
    assert ran.verdicts() == {"1": "supported", "2": "refuted", "3": "error", "4": "error"}
    assert ran.reason("3") == "1 subtest failed: AssertionError: in a part"
    assert "subtests failed: AssertionError: in a part" in ran.reason("4")
    assert (ran.counts["passed"], ran.counts["refuted"], ran.counts["errors"]) == (1, 1, 2)
    assert ran.told() == "1 supported, 1 refuted, 2 error"
    assert ran.result.ret == pytest.ExitCode.TESTS_FAILED


REPEATS = """
import pytest

@pytest.fixture
def step(request):
    return request.param

@pytest.hookimpl({when}=True)
def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("step")
    metafunc.parametrize("step", range(2), indirect=True, ids=lambda n: f"{{n + 1}}-2")
"""
REPEATED = """
@about("1")
def test_one(verdict):
    verdict.exact(1, 2)

@about("2", reported=lambda size: {"counted": size})
@pytest.mark.parametrize(("size", "word"), [(1, "x"), (2, "y")], ids=["small-1", "large-1-2"])
@pytest.mark.parametrize("colour", ["red"])
def test_two(verdict, size, word, colour):
    verdict.exact(size, size)

@pytest.fixture(params=["low", "high"])
def level(request):
    return request.param

@pytest.fixture
def around(level):
    return level

@about("3", reported=lambda level: {"counted": len(level)})
def test_three(verdict, around):
    verdict.exact(1, 1)

@pytest.mark.parametrize("size", [1, 2])
class TestClass:
    @about("4")
    def test_four(self, verdict, size):
        verdict.exact(1, 1)

def pytest_generate_tests(metafunc):
    if "mine" in metafunc.fixturenames:
        metafunc.parametrize("mine", ["a", "b"])

@about("5")
def test_five(verdict, mine):
    verdict.exact(1, 1)
"""
PLACES = {
    **{"1": "refuted", "2/red-small-1": "supported", "2/red-large-1-2": "supported"},
    **{"3/low": "supported", "3/high": "supported", "4/1": "supported", "4/2": "supported"},
    **{"5/a": "supported", "5/b": "supported"},
}


@pytest.mark.parametrize("when", ["tryfirst", "trylast"])
@pytest.mark.parametrize("mode", ["-n0", "-n2"])
def test_a_repeated_claim_is_judged_once_under_its_own_name(
    project: Project, mode: str, when: str
) -> None:
    project.write(REPEATED)
    plain = project.run()
    assert plain.verdicts() == PLACES
    (project.path / "conftest.py").write_text(REPEATS.format(when=when))
    ran = project.run(mode)
    assert ran.rows == plain.rows
    assert ran.counts == {"passed": 8, "refuted": 1, "skipped": 9}
    assert ran.told() == plain.told()


def test_a_copy_that_is_chosen_alone_is_judged(project: Project) -> None:
    project.write(EXACT)
    (project.path / "conftest.py").write_text(REPEATS.format(when="trylast"))
    ran = project.run("test_paper.py::test_one[2-2]")
    assert (ran.verdicts(), ran.counts) == ({"1": "supported"}, {"passed": 1})


RERUNS = """
import pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for more in (True, False):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        again = more and any(report.failed for report in reports)
        for report in reports:
            if again and report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
        if not again:
            return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", ("RERUN", {"yellow": True})
"""
FLAKY = """
tries = []

@about("1")
def test_crashes_once(verdict):
    tries.append(1)
    assert len(tries) > 1
    verdict.exact(1, 1)

@about("2")
def test_refuted(verdict):
    verdict.exact(1, 2)

asked = []

@about("3")
def test_asks_once(request):
    asked.append(1)
    if len(asked) == 1:
        request.getfixturevalue("verdict").exact(1, 1)
        raise OSError("after the verdict")
"""


@pytest.mark.parametrize("mode", ["-n0", "-n1"])
def test_a_rerun_counts_as_one_and_the_last_try_stands(project: Project, mode: str) -> None:
    project.write(FLAKY)
    (project.path / "conftest.py").write_text(RERUNS)
    ran = project.run(mode)
    assert ran.verdicts() == {"1": "supported", "2": "refuted", "3": "error"}
    assert ran.reason("3") == "the test ended without asking for a verdict"
    assert ran.counts == {"passed": 1, "refuted": 1, "errors": 1, "rerun": 3}


OTHERS = """
import json

def pytest_runtest_logreport(report):
    if report.when == "call":
        with open("seen.json", "w") as file:
            json.dump([report.outcome, report.user_properties], file)
"""


def test_what_other_plugins_are_told_is_plain_text(project: Project) -> None:
    project.write(
        EXACT.replace(
            "(verdict):", "(verdict, record_property):\n    record_property('scale', 'my own')"
        )
    )
    (project.path / "conftest.py").write_text(OTHERS)
    project.run()
    outcome, properties = json.loads((project.path / "seen.json").read_text())
    assert outcome == "passed"
    assert all(isinstance(value, str) for _, value in properties)
    told = dict(properties)
    assert (told["claim_id"], told["claim_verdict"], told["scale"]) == ("1", "supported", "my own")


@pytest.fixture
def below(project: Project) -> Path:
    """A folder with an ini file and a claim of its own, below the project's, seen from outside."""
    project.write(EXACT)
    folder = project.path / "below"
    folder.mkdir()
    (project.path / "test_paper.py").rename(folder / "test_paper.py")
    (folder / "pytest.ini").write_text("[pytest]\nclaims_results = kept\npythonpath = .\n")
    (project.path / "elsewhere").mkdir()
    project.enter(project.path / "elsewhere")
    return folder


@pytest.mark.parametrize("root", [".", "..", "../below"])
def test_an_ini_path_is_meant_from_its_file(project: Project, below: Path, root: str) -> None:
    ran = project.run(f"--rootdir={root}", "../below/test_paper.py")
    assert ran.result.ret == 0
    assert (below / "kept" / "claims.json").exists()
    assert not (project.path / "elsewhere" / "kept").exists()


def test_an_ini_file_by_name(project: Project, below: Path) -> None:
    assert project.run("-c", "../below/pytest.ini", "../below/test_paper.py").result.ret == 0
    assert (below / "kept" / "claims.json").exists()


def test_tests_that_pytest_cannot_tell_apart_are_refused(project: Project, below: Path) -> None:
    other = below / "test_other.py"
    other.write_text((below / "test_paper.py").read_text().replace('"1"', '"2"'))
    files = ("../below/test_paper.py", "../below/test_other.py")
    ran = project.run("--import-mode=importlib", "--rootdir=.", *files)
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "two claims' tests are '::test_one' to pytest" in ran.errors
    assert project.run("--import-mode=importlib", "--rootdir=..", *files).result.ret == 0


def test_this_repository_is_collected_below_another_root(
    project: Project, pytestconfig: pytest.Config
) -> None:
    root = pytestconfig.rootpath
    assert not (root / "conftest.py").exists(), "below another root it is loaded too late"
    options = ("--collect-only", "-q", "-pno:cacheprovider", f"--rootdir={project.path}")
    files = ("tests/plugins/test_reasons.py", "claims/vgg_batch_size", "tests/test_plan.py")
    ran = project.run_alone(*options, *(str(root / file) for file in files))
    assert ran.result.ret == 0
    assert "tests collected" in ran.text
