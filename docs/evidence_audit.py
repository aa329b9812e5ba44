"""Whether the evidence may speak, checked beside the judge and without its code.

    python docs/evidence_audit.py [results [records]]

Reads `claims.json` and the records as plain JSON; these lie in the results unless they are named.
Prints for each scale how many rows each guard had a say in and how many it held back, and of the
rows judged at reduced scale those whose guarded networks all left chance. Ends with status 1 where
not all have.
"""

import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

GUARDS = ("V1", "V2", "V3", "V4", "V5")
JUDGED = ("supported", "refuted", "inconclusive")
SCALES = ("full", "reduced")
# Classes, test samples, and the share of the largest class among these.
TESTS = {
    "digits": (10, 360, 37 / 360),
    "moons": (2, 300, 1 / 2),
    "circles": (2, 300, 1 / 2),
    "fashion_mnist": (10, 10_000, 1 / 10),
    "cifar10": (10, 10_000, 1 / 10),
}


def left_chance(record: Json) -> bool:
    """Whether a network was ever better than chance by a clear step."""
    recipe = record["recipe"]
    classes, samples, share = TESTS[recipe["data"]]
    if "classes" in recipe:
        samples = samples * len(recipe["classes"]) // classes
        share = 1 / len(recipe["classes"])
    samples = recipe.get("test_size", samples)
    step = max((1 - share) / 18, 4 * math.sqrt(share * (1 - share) / samples))
    curve = record["series" if "series" in record else "curves"]["test_accuracy"]
    return max((x for x in curve if x is not None), default=0.0) > share + step + 1e-9


def at_chance(row: Json, records: Path) -> list[str]:
    """The guarded arms of a row with networks at its scale that never left chance."""
    failing = row.get("about_failing", [])
    if failing is True or (row["rule"] or "").startswith("exact"):
        return []
    found = []
    for arm, keys in row["evidence"].items():
        runs = [load(records, key) for key in keys] if arm not in failing else []
        if not all(left_chance(run) for run in runs if run["scale"] == row["scale"]):
            found.append(arm)
    return found


def load(records: Path, key: str) -> Json:
    """The record of a key."""
    path = next(records.glob(f"*/*/{key[:24]}.json"), None)
    if path is None:
        sys.exit(f"{records} lacks the record {key[:24]}: name the folder that has it")
    record: Json = json.loads(path.read_text(encoding="utf-8"))
    return record


def table(rows: list[Json]) -> list[str]:
    """How many rows each guard had a say in, and held back, at each scale."""
    lines = ["scale    rows  judged   ran  " + "  ".join(f"{name:>9}" for name in GUARDS)]
    for scale in SCALES:
        here = [row for row in rows if row["scale"] == scale]
        say: Counter[str] = Counter()
        held: Counter[str] = Counter()
        for row in here:
            say.update(row.get("guards", []))
            held.update(row.get("guards", []) if row["verdict"] == "ran" else [])
        judged = sum(row["verdict"] in JUDGED for row in here)
        ran = sum(row["verdict"] == "ran" for row in here)
        cells = "  ".join(f"{held[name]:>3} of {say[name]:>2}" for name in GUARDS)
        lines.append(f"{scale:<8} {len(here):>4}  {judged:>6}  {ran:>4}  {cells}")
    return lines


def audit(rows: list[Json], records: Path, scale: str) -> tuple[list[str], int]:
    """Of the rows judged at a scale, those that rest on networks at chance, and how many are."""
    judged = [row for row in rows if row["scale"] == scale and row["verdict"] in JUDGED]
    judged = [row for row in judged if any(row["evidence"].values())]
    lines = []
    for row in judged:
        if arms := at_chance(row, records):
            name = " ".join(part for part in (row["id"], row["case"]) if part)
            lines.append(f"  {scale}: {name} is {row['verdict']}; at chance: {', '.join(arms)}")
    odd, good = len(lines), len(judged) - len(lines)
    share = f" ({good / len(judged):.3f})" if judged else ""
    told = f"judged on records at {scale} scale, guarded arms all started:"
    return [*lines, f"{told} {good} of {len(judged)}{share}"], odd


def main(folder: Path, records: Path) -> int:
    """Print the audit of a results folder."""
    rows = json.loads((folder / "claims.json").read_text(encoding="utf-8"))["claims"]
    print("of the rows in which a guard had a say, those that it held back (ran):")
    print(*table(rows), sep="\n")
    odd = {}
    for scale in SCALES:
        lines, odd[scale] = audit(rows, records, scale)
        print(*lines, sep="\n")
    return 1 if odd["reduced"] else 0


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[1:3]] or [Path("results")]
    sys.exit(main(named[0], named[-1] if len(named) > 1 else named[0] / "records"))
