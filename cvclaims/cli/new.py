"""`cvclaims new my-paper`: a folder for the claims of a paper, in which `pytest` works at once."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import OutputError, add_command, show

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_CLAIMS = '''\
"""What the paper claims, and the runs that put it to the test."""

from cvclaims import Recipe, Report, claim

PAPER = Report(1, "{slug}", "{title}")

SGD = Recipe(data="digits", optimizer="sgd", lr=0.01, epochs=20, batch_size=64)
MOMENTUM = SGD.but(momentum=0.9)


@claim(
    "1.1",
    "Momentum gains over plain SGD",
    source=PAPER.at("Table 2"),
    recipes={{"sgd": SGD, "momentum": MOMENTUM}},
    reported={{"sgd": 0.84, "momentum": 0.98}},
)
def test_momentum_gains(runs, verdict):
    verdict.greater(runs.momentum.test_accuracy, runs.sgd.test_accuracy)
'''

_INI = """\
[pytest]
# Tables and the records behind them, where git sees them.
claims_results = results
claims_store = results/records
"""

_IGNORE = """\
__pycache__/
.pytest_cache/
.benchmarks/
.cvclaims/
results/records/.locks/
results/records/.sessions/
"""


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "new", carry_out,
        summary="begin claims for a paper, in a folder of their own",
        description="Make a folder with one claim to change, pytest's ini file and a .gitignore. "
        "`pytest` in it trains the claim's networks in seconds and judges it.",
        statuses={
            0: "the folder is there, with its three files",
            2: "it was there before and not empty, its name is no word, or it cannot be written",
        },
    )  # fmt: skip
    parser.add_argument(
        "folder", type=Path, help="its last part, such as my-paper, names the paper"
    )


def carry_out(options: argparse.Namespace) -> int:
    """Make the folder; returns the exit status."""
    try:
        show(_made(options.folder))
    except ValueError as error:
        raise OutputError(str(error)) from None
    except OSError as error:
        raise OutputError(f"{options.folder} cannot be written ({error.strerror})") from None
    return 0


def _made(folder: Path) -> list[str]:
    """What was made, in lines; ValueError where the folder cannot be used."""
    slug = folder.name
    if not _SLUG.fullmatch(slug):
        raise ValueError(
            f"{slug or str(folder)!r} cannot name a paper in tables and folders: use small letters "
            "a to z, digits and single hyphens, as in my-paper"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder} is there and not empty: choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    title = slug.replace("-", " ").capitalize()
    file = f"test_{slug.replace('-', '_')}.py"
    files = {
        file: _CLAIMS.format(slug=slug, title=title),
        "pytest.ini": _INI,
        ".gitignore": _IGNORE,
    }
    for name, text in files.items():
        with (folder / name).open("x", encoding="utf-8") as target:
            target.write(text)
    return [f"{folder} is made: change {file}, then run `pytest` in it"]
