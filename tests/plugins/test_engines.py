"""An engine of somebody else's, found by its entry point."""

import os

import pytest

from tests.plugins.project import Project

ENGINE = """
from cvclaims.engines import NotEvaluated
from cvclaims.engines.inline import Inline, start

class Counting:
    def __init__(self, inner):
        self.inner, self.trained, self.read, self.unwritten = inner, inner.trained, inner.read, []

    def records(self, runs):
        print("asked for", len(runs))
        return self.inner.records(runs)

    def times(self, first, second, seed, scale):
        raise NotEvaluated("it has no clock")

    def close(self):
        self.inner.close()

def begin(session):
    return Counting(start(session))
"""


@pytest.fixture
def installed(project: Project) -> Project:
    """A project beside a package that has an engine and says so."""
    (project.path / "counting.py").write_text(ENGINE)
    info = project.path / "counting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cvclaims.engines]\ncounting = counting:begin\n")
    project.monkeypatch.syspath_prepend(str(project.path))
    before = os.environ.get("PYTHONPATH")
    workers = os.pathsep.join(filter(None, (str(project.path), before)))
    project.monkeypatch.setenv("PYTHONPATH", workers)
    project.write(
        """
@about("1", recipes=BOTH)
def test_it(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@pytest.mark.timing
@about("2", recipes=BOTH)
def test_times(runs, verdict, timer):
    verdict.times(timer.ratio(runs.good, runs.bad), factor=1)
"""
    )
    return project


@pytest.mark.parametrize("mode", [("-pno:xdist",), ("-n2",)], ids=["plain", "n2"])
def test_it_carries_out_runs_and_takes_times(installed: Project, mode: tuple[str, ...]) -> None:
    ran = installed.run_alone("--claims-engine", "counting", "-rP", *mode)
    assert ran.verdicts() == {"1": "supported", "2": "not evaluated"}
    assert ran.reason("2") == "it has no clock"
    assert "asked for 6" in ran.text
    assert "6 trained" in ran.text


def test_one_that_cannot_be_loaded_is_told_in_a_line(installed: Project) -> None:
    (installed.path / "counting.py").write_text("import nowhere\n")
    ran = installed.run("--claims-engine", "counting")
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "--claims-engine: counting cannot be loaded (ModuleNotFoundError: No module named "
        "'nowhere')"
    ) in ran.errors
