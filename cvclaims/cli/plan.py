"""`cvclaims plan`: what claims would train, and how long it would take here."""

import argparse
import contextlib
import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from cvclaims.cli.output import OutputError, add_command, write_json

if TYPE_CHECKING:
    import pytest

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "plan", carry_out,
        summary="say what claims would train, and how long it would take here",
        description="The same as `pytest --claims-plan`, with whatever else pytest is told: "
        "folders, --claims-id, --claims-scale, -k. A few steps of each network are timed; "
        "nothing is trained.",
        statuses={0: "the plan is printed", 1: "claims could not be collected"},
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("pytest", nargs=argparse.REMAINDER, help="what pytest is told")


def carry_out(options: argparse.Namespace) -> int:
    """Print the plan; returns the exit status."""
    told = ["--claims-plan", *options.pytest]
    if not options.json:
        return min(subprocess.call([sys.executable, "-m", "pytest", *told]), 2)
    import pytest

    plan, said = _Plan(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = pytest.main([*told, "-p", "no:cacheprovider"], plugins=[plan])
    if status and not plan.facts.get("tests"):
        last = said.getvalue().strip().rpartition("\n")[2]
        raise OutputError(f"pytest made no plan ({last or f'status {status:d}'})")
    write_json(plan.facts)
    return int(bool(status))


class _Plan:
    """A plugin that takes the plan's facts from the one that makes it."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def pytest_unconfigure(self, config: "pytest.Config") -> None:
        """Take them."""
        planner = config.pluginmanager.get_plugin("cvclaims-planner")
        self.facts = planner.facts if planner is not None else {}
