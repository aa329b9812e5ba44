"""The audit of the evidence: it counts guards, and finds what the judge should have held back."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.results.claims_json import to_json
from cvclaims.results.view import ClaimView
from tests.records.factory import record
from tests.results.synthetic import row

SCRIPT = Path(__file__).parent.parent / "docs" / "evidence_audit.py"
CIFAR = Recipe(data="cifar10", lr=0.1, epochs=2)
THREE = CIFAR.but(classes=("airplane", "automobile", "bird"))
MOONS = Recipe(data="moons", lr=0.1, epochs=2)


def audit(*folders: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, folders)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def results(folder: Path, *pairs: tuple[dict[str, Any], list[Record]]) -> Path:
    """A results folder with a row for each pair, whose one arm has these records."""
    rows: list[ClaimView] = []
    for number, (about, runs) in enumerate(pairs):
        for run in runs:
            path = folder / "records" / run.scale / run.recipe.data / f"{run.key[:24]}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(run.to_json())
        fields = {"scale": "reduced", "evidence": {"arm": [run.key for run in runs]}, **about}
        rows.append(row(f"1.{number:02}", **fields))
    (folder / "claims.json").write_bytes(to_json(rows))
    return folder


def runs(recipe: Recipe, *accuracies: float, scale: str = "reduced") -> list[Record]:
    return [record(recipe, seed, accuracy=a, scale=scale) for seed, a in enumerate(accuracies)]


def test_it_shares_no_code_with_the_judge() -> None:
    names = [
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    assert {name.partition(".")[0] for name in names if name} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("recipe", "at_chance", "started"),
    [(CIFAR, 0.15, 0.1501), (THREE, 1111 / 3000, 1112 / 3000), (MOONS, 184 / 300, 185 / 300)],
)
def test_a_judged_network_at_chance_is_found(
    tmp_path: Path, recipe: Recipe, at_chance: float, started: float
) -> None:
    good = audit(results(tmp_path / "a", ({}, runs(recipe, started, 0.9))))
    assert good.returncode == 0, good.stderr
    assert "reduced scale, guarded arms all started: 1 of 1 (1.000)" in good.stdout
    bad = audit(results(tmp_path / "b", ({}, runs(recipe, 0.9, at_chance))))
    assert bad.returncode == 1
    assert "reduced: 1.00 is supported; at chance: arm" in bad.stdout
    assert "reduced scale, guarded arms all started: 0 of 1 (0.000)" in bad.stdout


@pytest.mark.parametrize(
    "about",
    [
        {"about_failing": True},
        {"about_failing": ["arm"]},
        {"verdict": "ran", "guards": ["V1"]},
        {"rule": "exact"},
        {"scale": "full"},
    ],
)
def test_what_may_rest_on_networks_at_chance(tmp_path: Path, about: dict[str, Any]) -> None:
    scale = about.get("scale", "reduced")
    found = audit(results(tmp_path, (about, runs(CIFAR, 0.1, scale=scale))))
    assert found.returncode == 0, found.stdout
    assert ("at chance: arm" in found.stdout) is (scale == "full")


def test_guards_are_counted_by_scale(tmp_path: Path) -> None:
    sound = runs(CIFAR, 0.9)
    done = audit(
        results(
            tmp_path,
            ({"verdict": "ran", "guards": ["V1", "V2"]}, sound),
            ({"verdict": "ran", "guards": ["V1"]}, sound),
            ({"verdict": "ran"}, sound),
            ({"guards": ["V3"]}, sound),
            ({"verdict": "ran", "guards": ["V5"], "scale": "full"}, []),
            ({"guards": ["V1"], "verdict": "inconclusive", "scale": "full"}, []),
        )
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    full, reduced = (next(line for line in lines if line[:1] == [s]) for s in ("full", "reduced"))
    assert " ".join(full) == "full 2 1 1 0 of 1 0 of 0 0 of 0 0 of 0 1 of 1"
    assert " ".join(reduced) == "reduced 4 1 3 2 of 2 1 of 1 0 of 1 0 of 0 0 of 0"


def test_it_reads_records_of_either_schema(tmp_path: Path) -> None:
    folder = results(tmp_path, ({}, runs(CIFAR, 0.1)))
    (path,) = folder.glob("records/*/*/*.json")
    form = json.loads(path.read_text())
    path.write_text(json.dumps({**form, "curves": form.pop("series")}))
    assert audit(folder).returncode == 1


def test_records_elsewhere_are_named_and_lacking_ones_are_one_line(tmp_path: Path) -> None:
    folder = results(tmp_path, ({}, runs(CIFAR, 0.9)))
    elsewhere = folder / "elsewhere"
    (folder / "records").rename(elsewhere)
    lacking = audit(folder)
    assert lacking.returncode == 1
    assert lacking.stderr.startswith(f"{folder / 'records'} lacks the record ")
    assert lacking.stderr.count("\n") == 1
    assert audit(folder, elsewhere).returncode == 0
