"""The committed tables are what the committed records say."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"


def rows(folder: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    form = json.loads((folder / "claims.json").read_text(encoding="utf-8"))
    return {(row["report"], row["id"], row["case"]): row for row in form["claims"]}


def test_replaying_the_records_gives_the_committed_rows(tmp_path: Path) -> None:
    # With the figures as they stand there is nothing to draw.
    shutil.copytree(RESULTS / "figures", tmp_path / "figures")
    command = [
        *(sys.executable, "-m", "pytest", "claims", "-qq", "-p", "no:cacheprovider"),
        *("--claims-replay", "--claims-results", str(tmp_path)),
        *("--claims-store", str(RESULTS / "records")),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    # Times are taken anew in every session: there are no records to replay them from.
    timed = {place for place, row in rows(RESULTS).items() if "timed" in (row["rule"] or "")}
    committed, replayed = (
        {place: row for place, row in found.items() if row["recipes"] and place not in timed}
        for found in (rows(RESULTS), rows(tmp_path))
    )
    assert committed, "no trained claim is committed"
    assert replayed == committed, done.stdout
    assert "problem:" not in done.stdout


def test_every_row_traces_to_records_of_real_data() -> None:
    for place, row in rows(RESULTS).items():
        assert row["verdict"] != "error", place
        for keys in row["evidence"].values():
            for key in keys:
                (path,) = (RESULTS / "records").glob(f"*/*/{key[:24]}.json")
                record = json.loads(path.read_text(encoding="utf-8"))
                assert record["key"] == key
                assert (record["scale"], record["origin"]["stand_in"]) == (row["scale"], False)
