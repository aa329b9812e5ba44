"""The examples of docs/ run as they stand, and print what stands below them."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.plugins.project import Project

DOCS = Path(__file__).parents[2] / "docs"
# A file's name above its content.
FILE = re.compile(r"^`(?P<name>[\w./-]+)`:\n\n```\w*\n(?P<content>.*?)^```", re.M | re.S)
SHOWN = re.compile(r"^```console\n\$ pytest -q\n(?P<lines>.*?)^```", re.M | re.S)
# What an example needs that is no dependency.
NEEDS = {"test_lightning.py": "lightning"}


def test_the_example_runs(
    warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)
    page = (DOCS / "writing-claims.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    pytester.makepyfile(test_my_paper=example)
    ran = pytester.runpytest_inprocess("--claims-scale", "smoke", "-p", "no:cacheprovider")
    ran.stdout.fnmatch_lines(["report  *  ran", "no page was written: smoke judged nothing"])
    assert ran.ret == 0


def examples() -> list[tuple[str, dict[str, str], str]]:
    """By the name of their test: the files of each example, and what pytest ends with."""
    found = []
    for page in sorted((DOCS / "own").glob("*.md")):
        files: dict[str, str] = {}
        for block in re.finditer(f"{FILE.pattern}|{SHOWN.pattern}", page.read_text(), re.M | re.S):
            if block["name"]:
                files[block["name"]] = block["content"]
            else:
                found.append((list(files)[-1], files, block["lines"]))
                files = {}
        assert not files, f"{page.name} shows no output of {', '.join(files)}"
    return found


@pytest.mark.parametrize(
    ("files", "shown"),
    [pytest.param(files, shown, id=name) for name, files, shown in examples()],
)
def test_a_page_about_what_is_ones_own_runs(
    project: Project,
    files: dict[str, str],
    shown: str,
) -> None:
    for name in files:
        if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
            pytest.skip(f"{NEEDS[name]} is not installed")
    for name, content in files.items():
        (project.path / name).write_text(content, encoding="utf-8")
    ran = project.run("-q")
    assert ran.result.ret == 0, ran.text
    lines = [re.sub(r" in [0-9.]+s$", "", line) for line in ran.lines]
    assert [line for line in lines if line in shown.splitlines()] == shown.splitlines()
    assert not [line for line in lines if line.startswith("problem")]
    # In a replay the same, and nothing trains.
    replayed = project.run("-q", "--claims-replay")
    assert [line for line in replayed.lines if line.endswith(" 0 trained")]
    assert shown.splitlines()[1] in replayed.lines


def test_an_example_is_short() -> None:
    for name, files, _ in examples():
        code = [line for line in files[name].splitlines() if line.strip()]
        most = 34 if name in NEEDS else 20
        assert len(code) <= most, f"{name} has {len(code)} lines"
