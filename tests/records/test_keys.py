"""A run's key is what its evidence is found by: every recipe that was ever trained keeps its own.

`keys.txt` has a line for each recipe of the committed evidence: the run's key at seed 0 on data
with the fingerprint ffff…, and the recipe in canonical form. Lines are added, never changed:

    python -m tests.records.test_keys
"""

import json
from collections.abc import Iterator
from pathlib import Path

import cvclaims
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store, run_key

LIST = Path(__file__).with_name("keys.txt")
EVIDENCE = Path(cvclaims.__file__).parents[1] / "results" / "records"


def line(recipe: Recipe) -> str:
    form = json.dumps(recipe.canonical(), sort_keys=True)
    return f"{run_key(recipe, 0, 'f' * 64, 1)} {form}"


def listed() -> list[str]:
    return LIST.read_text(encoding="utf-8").splitlines()


def evidence() -> Iterator[Record]:
    return iter(Store(EVIDENCE, read_only=True))


def test_no_key_has_changed() -> None:
    for before in listed():
        recipe = Recipe.from_canonical(json.loads(before.partition(" ")[2]))
        assert line(recipe) == before


def test_every_recipe_of_the_evidence_is_listed() -> None:
    before = set(listed())
    missing = {line(record.recipe) for record in evidence()} - before
    assert not missing, f"{len(missing)} are missing: python -m tests.records.test_keys adds them"


def test_every_record_of_the_evidence_is_read_and_keeps_its_key() -> None:
    store = Store(EVIDENCE, read_only=True)
    files = sorted(EVIDENCE.glob("*/*/*.json"))
    found = list(store)
    assert len(found) == len(files)
    assert store.problems == []
    for record in found:
        again = Record.from_json(record.to_json())  # as the present schema writes it
        assert again.key == record.key
        assert again.series.keys() == record.series.keys()


if __name__ == "__main__":
    lines = {*(listed() if LIST.exists() else ()), *(line(record.recipe) for record in evidence())}
    LIST.write_text("".join(f"{one}\n" for one in sorted(lines)), encoding="utf-8")
