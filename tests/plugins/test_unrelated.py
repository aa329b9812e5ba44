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
    "cvclaims.files",
    "cvclaims.plugins",
    *(f"cvclaims.plugins.{name}" for name in ("claims", "results", "settings", "suite")),
    *(f"cvclaims.plugins.{name}" for name in ("notes", "torch_fixtures")),
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
    assert ran.counts == {"passed": 4, "failed": 1, "skipped": 1}
    lines = [line for line in ran.lines if not line.startswith("plugins: ")]
    assert not re.search(r"\bclaim", "\n".join(lines) + ran.errors)
    assert set(os.listdir(project.path)) - before <= OTHERS
    assert os.listdir(temporary) == []
