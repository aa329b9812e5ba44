"""A results folder is read and left as it is, whatever became of it."""

from pathlib import Path

import pytest

from cvclaims.records import Store
from cvclaims.results.folder import Results
from cvclaims.results.output import ResultsError
from cvclaims.results.writing import write_results
from tests.results.synthetic import SHORT, Shelf, classifier, judged, row

TRAINED = judged("5.10", {"relu": SHORT}, case="moons", data="Moons")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_results(tmp_path, [TRAINED, row("5.04")], Shelf(SHORT))
    store = Store(tmp_path / "records")
    for seed in range(2):
        store.put(classifier(seed, SHORT))
    return tmp_path


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_a_claim_has_what_its_row_says_and_what_its_records_and_figures_do(folder: Path) -> None:
    results = Results.load(folder)
    plain, trained = results.claims
    assert plain.to_dict() == row("5.04").to_dict()
    assert trained.to_dict() == TRAINED.to_dict()
    assert trained.versions == {"cvclaims": ["0.1.0"], "torch": ["2.11"], "python": ["3.11"]}
    assert trained.figures[0] == "figures/losses/5.10-moons-dots.svg"
    assert all((folder / file).exists() for file in trained.figures)
    assert (plain.versions, plain.figures) == ({}, [])
    assert [r.seed for r in results.runs(trained)["relu"]] == [0, 1]
    assert results.problems == []


@pytest.mark.parametrize("name", ["claims.json", "figures/index.json", "README.md", "a record"])
@pytest.mark.parametrize("text", ["", "{", '{"schema": 1, "claims": [{}]}'])
def test_reading_changes_nothing(folder: Path, name: str, text: str) -> None:
    records = sorted((folder / "records").rglob("*.json"))
    path = records[0] if name == "a record" else folder / name
    path.write_text(text)
    before = content(folder)
    results = Results.load(folder)
    assert content(folder) == before
    told = [problem for problem in results.problems if str(path) in problem]
    assert len(told) == len(results.problems) == (name in ("claims.json", "a record"))


def test_a_folder_without_results_is_empty_and_stays_so(tmp_path: Path) -> None:
    assert Results.load(tmp_path) == Results([], {}, [])
    assert list(tmp_path.iterdir()) == []


def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text('{"schema": 99}')
    with pytest.raises(ResultsError, match="upgrade"):
        Results.load(tmp_path)
