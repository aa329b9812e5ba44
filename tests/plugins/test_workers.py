"""What is special under xdist: the order of work, who writes, and a worker that dies."""

import tempfile
from pathlib import Path

import pytest

from cvclaims.plugins import live
from tests.plugins.project import Project

COUNTED = """
def counted(id, cost):
    def test(verdict):
        verdict.exact(1, 1)
    return about(id, recipes={"net": GOOD.but(epochs=cost)})(test)

test_short, test_longest, test_long = counted("1", 1), counted("2", 9), counted("3", 5)

def test_no_claim():
    pass
"""
SINKS = """
from pathlib import Path

def pytest_sessionfinish(session):
    process = "worker" if hasattr(session.config, "workerinput") else "controller"
    found = session.config.pluginmanager.has_plugin("cvclaims-sink")
    Path(process).write_text(f"gathers rows: {found}")
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[live.Watch]:
    """The threads that showed what workers train."""
    threads: list[live.Watch] = []
    start = live.Watch.start

    def started(watch: live.Watch) -> None:
        threads.append(watch)
        start(watch)

    monkeypatch.setattr(live.Watch, "start", started)
    return threads


def test_a_worker_begins_with_the_longest_and_leaves_the_tables_to_another(
    project: Project, temporary: Path, watched: list[live.Watch]
) -> None:
    project.write(COUNTED)
    (project.path / "conftest.py").write_text(SINKS)
    ran = project.run("-n1", "-v")
    tests = [line.split("::")[1].strip() for line in ran.lines if line.startswith("[gw0]")]
    assert tests == ["test_longest", "test_long", "test_short", "test_no_claim"]
    assert ran.result.ret == 0
    assert ran.told() == "3 supported"
    assert (project.path / "controller").read_text() == "gathers rows: True"
    assert (project.path / "worker").read_text() == "gathers rows: False"
    assert [watch.is_alive() for watch in watched] == [False]
    assert list(temporary.glob("cvclaims-*")) == []


CLAIMS = """
@about("1")
def test_fine(verdict):
    verdict.exact(1, 1)

@about("2")
def test_fatal(verdict):
    os._exit(3)

@about("3")
def test_fine_too(verdict):
    verdict.exact(1, 1)
"""


@pytest.mark.parametrize("options", [("-n2",), ("-n1", "--max-worker-restart=0")])
def test_a_worker_that_dies_takes_no_other_claim_with_it(
    project: Project, options: tuple[str, ...], temporary: Path
) -> None:
    project.write(CLAIMS)
    ran = project.run(*options)
    assert ran.rows["2"]["verdict"] == "error"
    assert ran.rows["2"]["title"] == "statement 2"
    assert "crashed while running 'test_paper.py::test_fatal'" in ran.reason("2")
    assert ran.rows["1"]["verdict"] == "supported"
    if options == ("-n2",):
        assert ran.rows["3"]["verdict"] == "supported"
        assert ran.told() == "2 supported, 1 error"
    assert ran.result.ret != 0
    assert list(temporary.glob("cvclaims-*")) == []
