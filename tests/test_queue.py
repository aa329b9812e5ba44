"""The queue of long runs: what it may hold, and that ours names claims that there are."""

import re
from pathlib import Path

import pytest

from cvclaims.queue import QueueError, Step, read_queue

ROOT = Path(__file__).parents[1]
GOOD = """
[[step]]
what = "AlexNet"
claims = ["3.01", "2.*"]
scale = "reduced"
hours = 5

[[step]]
claims = ["1.30"]
scale = "full"
timed = true
"""


def refused(tmp_path: Path, text: str) -> str:
    """The one line that a queue is refused by, without its path."""
    path = tmp_path / "queue.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(QueueError) as caught:
        read_queue(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert len(line.splitlines()) == 1
    return line.removeprefix(f"{path}")


def test_steps_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "queue.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_queue(path) == [
        Step(1, "AlexNet", ("3.01", "2.*"), "reduced", False, 5.0),
        Step(2, "", ("1.30",), "full", True, 0.0),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", " holds no list of [[step]] tables, and nothing else"),
        ("steps = 1", " holds no list of [[step]] tables, and nothing else"),
        (GOOD + "\n[more]\n", " holds no list of [[step]] tables, and nothing else"),
        ("[[step]\n", " is no TOML: "),
        (GOOD.replace('"reduced"', '"small"'), ": step 1: unknown scale 'small': "),
        (GOOD.replace('"reduced"', '"smoke"'), ": step 1: unknown scale 'smoke': "),
        (GOOD.replace('scale = "full"\n', ""), ": step 2: unknown scale None: "),
        (GOOD.replace("hours", "hour"), ": step 1: unknown field 'hour': did you mean 'hours'?"),
        (GOOD.replace("= 5", "= -5"), ": step 1: `hours` cannot be -5"),
        (GOOD.replace("= 5", "= nan"), ": step 1: `hours` cannot be nan"),
        (GOOD.replace("= true", '= "yes"'), ": step 2: `timed` cannot be 'yes'"),
        (GOOD.replace('["1.30"]', '"1.30"'), ": step 2: `claims` cannot be '1.30'"),
        (GOOD.replace('["1.30"]', "[]"), ": step 2: `claims` lists the ids of claims, such as "),
        (GOOD.replace('["1.30"]', "[1.3]"), ": step 2: `claims` lists the ids of claims, such as "),
        ("step = [1]", ": step 1: it is no table but 1"),
    ],
)
def test_what_is_no_queue(tmp_path: Path, text: str, told: str) -> None:
    assert refused(tmp_path, text).startswith(told)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(QueueError, match=r"queue\.toml cannot be read \(No such file"):
        read_queue(tmp_path / "queue.toml")


def test_ours_names_claims_that_there_are() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "claims").rglob("test_*.py")]
    known = {id for text in sources for id in re.findall(r'@claim\(\s*"([\d.]+)"', text)}
    steps = read_queue(ROOT / "claims" / "evidence.toml")
    assert len(steps) == 14
    named = {id for step in steps for id in step.ids if "*" not in id}
    assert named <= known
