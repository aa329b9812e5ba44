"""The workflow for CI: every command in it has options that exist."""

import re
import shlex
from pathlib import Path

import pytest

from cvclaims.cli import parser
from cvclaims.plugins.settings import CHOICES, FLAGS, OPTIONS

TEXT = (Path(__file__).parents[2] / "docs" / "ci" / "claims.yml").read_text()
COMMANDS = re.findall(r"^\s*(?:- run: )?(python -m pytest|cvclaims)( .*)$", TEXT, re.M)


def words(text: str) -> list[str]:
    return shlex.split(
        re.sub(r"\$\{\{.*?\}\}", "main", text.partition("||")[0].partition(" > ")[0])
    )


def test_it_has_the_commands_of_smoke_replay_and_compare() -> None:
    found = [f"{name}{rest}" for name, rest in COMMANDS]
    for part in ("--claims-scale smoke", "--claims-replay", "cvclaims compare"):
        assert any(part in text for text in found)


@pytest.mark.parametrize("rest", [rest for name, rest in COMMANDS if name == "cvclaims"])
def test_the_command_takes_what_it_is_told(rest: str) -> None:
    assert parser().parse_args(words(rest)).markdown


@pytest.mark.parametrize("rest", [rest for name, rest in COMMANDS if name != "cvclaims"])
def test_pytest_takes_what_it_is_told(rest: str) -> None:
    known = {f"--claims-{name}" for name, *_ in (*OPTIONS, *FLAGS, *CHOICES)}
    told = {word for word in words(rest) if word.startswith("--claims-")}
    assert told
    assert told <= known
