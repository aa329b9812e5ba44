"""`cvclaims merge`: results of several machines in one folder, and nothing lost."""

from pathlib import Path

import pytest

from cvclaims.cli import main
from cvclaims.records import Record, Store
from cvclaims.results.claims_json import read_claims, to_json
from cvclaims.results.view import ClaimView
from tests.results.synthetic import CE, MSE, classifier, judged

LOSSES = {"ce": CE, "mse": MSE}


def machine(folder: Path, rows: list[ClaimView], records: list[Record]) -> str:
    store = Store(folder / "records")
    for record in records:
        store.put(record)
    (folder / "claims.json").write_bytes(to_json(rows))
    return str(folder)


def runs(*seeds: int) -> list[Record]:
    return [classifier(seed, recipe) for recipe in (CE, MSE) for seed in seeds]


@pytest.fixture
def machines(tmp_path: Path) -> tuple[str, str]:
    """Of one claim three seeds and five, of which each has trained some alone."""
    few = judged("5.04", LOSSES, verdict="inconclusive")
    many = judged("5.04", LOSSES, 5)
    other = judged("5.05", LOSSES)
    one = machine(tmp_path / "one", [few, other], runs(0, 1, 2))
    return one, machine(tmp_path / "two", [many], runs(2, 3, 4))


def test_records_and_rows_of_both_are_there(
    tmp_path: Path, machines: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "both"
    assert main(["merge", *machines, "--into", str(into)]) == 0
    told = capsys.readouterr().out
    assert "one: 2 rows, 6 records that were not there" in told
    assert "two: 1 rows, 4 records that were not there" in told
    assert len(list(Store(into / "records", read_only=True))) == 10
    rows, _ = read_claims(into / "claims.json")
    assert {row.id: row.verdict for row in rows} == {"5.04": "supported", "5.05": "supported"}
    assert (into / "README.md").exists()
    assert (into / "claims" / "5.04.md").exists()


def test_the_order_does_not_matter_and_twice_is_once(
    tmp_path: Path, machines: tuple[str, str]
) -> None:
    for name, order in (("ab", machines), ("ba", machines[::-1])):
        assert main(["merge", *order, "--into", str(tmp_path / name)]) == 0
    before = content(tmp_path / "ab")
    assert content(tmp_path / "ba") == before
    assert main(["merge", *machines, "--into", str(tmp_path / "ab")]) == 0
    assert content(tmp_path / "ab") == before


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_a_run_that_two_machines_trained_otherwise_is_told_and_the_first_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = classifier(0, CE)
    series = {
        **first.series,
        "test_accuracy": [0.5] * first.epochs,
        "seconds": [9.0] * first.epochs,
    }
    other = classifier(0, CE, series=series)
    timed = classifier(1, CE)
    slower = classifier(1, CE, series={**timed.series, "seconds": [9.0] * timed.epochs})
    one = machine(tmp_path / "one", [], [first, timed])
    two = machine(tmp_path / "two", [], [other, slower])
    assert main(["merge", one, two, "--into", str(tmp_path / "both")]) == 1
    told = capsys.readouterr().out
    assert "seed 0 of " in told
    assert "seed 1 of " not in told  # only its times differ
    kept = {r.seed: r for r in Store(tmp_path / "both" / "records", read_only=True)}
    assert kept[0].series["test_accuracy"] == first.series["test_accuracy"]


def test_what_is_no_results_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["merge", str(tmp_path / "empty"), "--into", str(tmp_path / "both")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("cvclaims merge: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "both").exists()
