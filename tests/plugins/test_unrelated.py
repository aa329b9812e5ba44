"""A project that has nothing to do with claims does not notice that cvclaims is installed."""

import os
import re
from pathlib import Path

import pytest

from tests.plugins.project import Project

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_fine(number):
    pass

def test_fails():
    assert False

def test_skips():
    pytest.skip("so")
"""
# What pytest loads by the entry points, and under xdist a place for notes that nobody writes.
LOADED = {
    "cvclaims",
    *(f"cvclaims.{name}" for name in ("catalogue", "files", "plugins", "session", "text")),
    *(f"cvclaims.plugins.{name}" for name in ("claims", "gpu", "results", "settings", "suite")),
    *(f"cvclaims.plugins.{name}" for name in ("hooks", "notes", "torch_fixtures")),
}
# What pytester and pytest-benchmark make.
OTHERS = {"stdout", "stderr", "runpytest-0", "runpytest-current", ".benchmarks"}
SPY = f"""
import sys

def pytest_unconfigure():
    heavy = {{"torch", "numpy", "scipy", "filelock", "tabulate"}} & set(sys.modules)
    ours = {{m for m in sys.modules if m.split(".")[0] == "cvclaims"}} - {LOADED!r}
    assert not heavy | ours, heavy | ours
"""


@pytest.mark.parametrize("mode", [(), ("-n2",)], ids=["plain", "n2"])
def test_nothing_is_printed_written_or_imported(
    project: Project, mode: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / "test_things.py").write_text(TESTS)
    (project.path / "conftest.py").write_text(SPY)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    before = set(os.listdir(project.path))
    ran = project.run_alone("--strict-markers", "-Werror", "-pno:cacheprovider", "-rA", *mode)
    assert "AssertionError" not in ran.errors, ran.errors
    assert ran.counts == {"passed": 4, "failed": 1, "skipped": 1}
    lines = [line for line in ran.lines if not line.startswith("plugins: ")]
    assert not re.search(r"\bclaim", "\n".join(lines) + ran.errors)
    assert set(os.listdir(project.path)) - before <= OTHERS
    assert os.listdir(temporary) == []


@pytest.mark.parametrize("mode", ["-n0", "-n1"])
def test_settings_that_would_be_wrong_are_not_read(
    project: Project, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    (project.path / "test_things.py").write_text("def test_fine():\n    pass\n")
    monkeypatch.setenv("CVCLAIMS_DATA", "/no/such/folder")
    ran = project.run(mode)
    assert (ran.result.ret, ran.counts) == (0, {"passed": 1})


ANOTHERS = """
import pytest

@pytest.mark.claim("JIRA-12")
def test_fine():
    pass

@pytest.mark.claim
def test_fails():
    assert False
"""


@pytest.mark.parametrize("mode", ["-n0", "-n1"])
def test_a_marker_of_the_same_name_is_anothers(project: Project, mode: str) -> None:
    (project.path / "test_things.py").write_text(ANOTHERS)
    ran = project.run(mode)
    assert (ran.result.ret, ran.counts) == (1, {"passed": 1, "failed": 1})
    assert ran.rows == {}
    # Whoever has options of ours has claims, and may have made the marker by hand.
    assert "which makes this marker" in project.run(mode, "--claims-seeds=3").text
