"""Runs read from logs: every format, and every file that cannot be meant."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.logs import LogError, Logged, same_seeds

TABLE = "method,seed,f1,note\nours,0,0.81,a\nours,1,0.83,b\nbase,0,0.78,c\nbase,1,0.77,d\n"


def log(folder: Path, text: str | None = TABLE, name: str = "runs.csv", **asked: Any) -> Logged:
    """A log of this text; as `logged` would make it for a claim file in the folder."""
    if text is not None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Logged(name, folder, **asked)


def told(found: Logged) -> list[Any]:
    return [
        (r.seed, dict(r.numbers), {k: list(v) for k, v in r.series.items()}) for r in found.runs()
    ]


class TestFormats:
    def test_a_row_a_run(self, tmp_path: Path) -> None:
        arms = log(tmp_path, arm="method").arms()
        assert list(arms) == ["ours", "base"]
        assert told(arms["ours"]) == [(0, {"f1": 0.81}, {}), (1, {"f1": 0.83}, {})]
        assert arms["base"].available == 2
        assert arms["base"].describe() == "runs.csv where method = base"

    def test_a_row_an_epoch(self, tmp_path: Path) -> None:
        text = "seed,epoch,loss,f1\n0,2,0.5,\n0,1,0.9,0.1\n1,1,0.8,0.2\n1,2,nan,0.3\n"
        found = told(log(tmp_path, text, step="epoch"))
        assert found[0] == (0, {}, {"loss": [0.9, 0.5], "f1": [0.1]})
        assert str(found[1]) == "(1, {}, {'loss': [0.8, nan], 'f1': [0.2, 0.3]})"

    @pytest.mark.parametrize("as_list", [False, True])
    def test_json(self, tmp_path: Path, as_list: bool) -> None:
        rows = [{"seed": 3, "eval": {"f1": 0.5}, "tags": ["a"]}, {"seed": 1, "eval": {"f1": 0.25}}]
        text = json.dumps(rows) if as_list else "\n".join(map(json.dumps, rows))
        found = log(tmp_path, text, "runs.json" if as_list else "runs.jsonl")
        assert told(found) == [(1, {"eval.f1": 0.25}, {}), (3, {"eval.f1": 0.5}, {})]

    def test_tensorboard_exports_a_file_for_each_run_and_tag(self, tmp_path: Path) -> None:
        for seed, tag, value in ((0, "loss", 2), (0, "f1", 3), (1, "loss", 4), (1, "f1", 5)):
            text = f"Wall time,Step,Value\n1.5,0,{value}\n2.5,10,{value + 0.5}\n"
            log(tmp_path, text, f"tb/ours-{seed}-{tag}.csv")
        found = log(tmp_path, None, "tb/{method}-{seed}-{tag}.csv", step="Step", arm="method")
        assert told(found.arms()["ours"]) == [
            (0, {}, {"f1": [3, 3.5], "loss": [2, 2.5]}),
            (1, {}, {"f1": [5, 5.5], "loss": [4, 4.5]}),
        ]

    def test_wandb_exports_a_column_for_each_run(self, tmp_path: Path) -> None:
        names = ["ours-seed0 - val_loss", "ours-seed1 - val_loss"]
        wide = [column for name in names for column in (name, f"{name}__MIN", f"{name}__MAX")]
        text = ",".join(f'"{name}"' for name in ["Step", *wide])
        text += '\n"1","0.5","0.5","0.5","","",""\n"2","0.4","0.4","0.4","0.7","0.7","0.7"\n'
        asked = {"columns": "{method}-seed{seed} - {tag}", "step": "Step", "arm": "method"}
        assert told(log(tmp_path, text, **asked).arms()["ours"]) == [
            (0, {}, {"val_loss": [0.5, 0.4]}),
            (1, {}, {"val_loss": [0.7]}),
        ]

    def test_wandb_exports_a_table_of_runs(self, tmp_path: Path) -> None:
        text = '"Name","State","seed","lr","f1"\n"brisk-sky","finished","0","0.1","0.9"\n'
        text += '"calm-sea","finished","1","0.10","0.8"\n"odd-elm","crashed","0","0.2","0.1"\n'
        found = log(tmp_path, text).where(lr=0.1)
        assert told(found) == [(0, {"f1": 0.9}, {}), (1, {"f1": 0.8}, {})]

    def test_without_seeds_each_row_is_a_run(self, tmp_path: Path) -> None:
        found = log(tmp_path, "\ufefff1\n0.5\n\n0.25\n", seed=None)
        assert told(found) == [(0, {"f1": 0.5}, {}), (1, {"f1": 0.25}, {})]

    @given(
        st.dictionaries(
            st.integers(0, 99), st.floats(allow_nan=False, allow_infinity=False), min_size=1
        )
    )
    def test_what_was_written_is_read(
        self, tmp_path_factory: pytest.TempPathFactory, runs: dict[int, float]
    ) -> None:
        folder = tmp_path_factory.mktemp("log")
        with (folder / "runs.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("seed", "f1"), *runs.items()])
        found = log(folder, None).runs()
        assert {run.seed: run.numbers["f1"] for run in found} == runs


class TestIdentity:
    def test_the_files_bytes_and_the_choice_are_what_counts(self, tmp_path: Path) -> None:
        one = log(tmp_path).where(method="ours")
        digest = one.digest
        assert log(tmp_path, TABLE, "copy.csv").where(method="ours").digest == digest
        assert log(tmp_path).where(method="base").digest != digest
        other = log(tmp_path, TABLE.replace("0.81", "0.82")).where(method="ours")
        assert other.digest != digest

    def test_a_changed_file_is_read_again(self, tmp_path: Path) -> None:
        found = log(tmp_path).where(method="ours")
        assert found.runs()[0].numbers == {"f1": 0.81}
        log(tmp_path, TABLE.replace("0.81", "0.99"))
        os.utime(tmp_path / "runs.csv", ns=(1, 1))
        assert found.runs()[0].numbers == {"f1": 0.99}


@pytest.mark.parametrize(
    ("text", "asked", "why"),
    [
        (None, {}, "runs.csv cannot be read (No such file or directory)"),
        ("", {}, "runs.csv is empty"),
        ("seed,f1\n", {}, "runs.csv holds no runs"),
        ("f1\n0.5\n", {}, "runs.csv has no column 'seed': it has f1"),
        ("sed,f1\n0,1\n", {}, "runs.csv has no column 'seed': did you mean 'sed'? it has sed, f1"),
        ("seed,f1\n0,1\n,2\n", {}, "runs.csv, row 3: it has no seed; every run has a seed"),
        (
            "seed,f1\n0,1\n0.5,2\n",
            {},
            "runs.csv, row 3: seed '0.5' is no whole number of 0 or more",
        ),
        (
            "seed,f1\n0,1\n1,n/a\n",
            {},
            "runs.csv, row 3: f1 is 'n/a', which is no number; leave the cell empty where there "
            "is none",
        ),
        (
            "seed,f1\n0,1\n1,2\n0,3\n",
            {},
            "runs.csv, row 2 and runs.csv, row 4 are both seed 0: a row an epoch wants step=...",
        ),
        (
            "seed,f1,optimizer\n0,1,adam\n0,3,sgd\n",
            {},
            "runs.csv, row 2 and runs.csv, row 3 are both seed 0: choose by where(optimizer=...)",
        ),
        (
            "seed,epoch,f1\n0,1,1\n0,1,3\n",
            {"step": "epoch"},
            "runs.csv, row 2 and runs.csv, row 3 are both seed 0 at epoch 1: one of them has to go",
        ),
        ("seed,f1\n0,1,2\n", {}, "runs.csv, row 2: it has 3 cells, and the header 2"),
        ("seed,f1,f1\n0,1,2\n", {}, "runs.csv has two columns 'f1': rename one"),
        (
            TABLE,
            {"chosen": {"method": "theirs"}},
            "runs.csv holds no run where method = theirs (method is ours, base)",
        ),
        (
            "Step,a - loss\n1,2\n",
            {"columns": "{seed}_{tag}", "step": "Step"},
            "runs.csv: no column is named like '{seed}_{tag}'; it has Step, a - loss",
        ),
    ],
)
def test_what_is_no_log_is_told_in_a_line(
    tmp_path: Path, text: str | None, asked: dict[str, Any], why: str
) -> None:
    with pytest.raises(LogError) as caught:
        log(tmp_path, text, **asked).runs()
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"\xff\xfe\x00", "runs.csv", "runs.csv is no text in UTF-8"),
        (b'{"seed": 1}\n{"seed": \n', "runs.jsonl", "runs.jsonl, row 2: it is no JSON"),
        (b"[1]", "runs.json", "runs.json, row 1: it is no object of names and numbers"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes, name: str, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LogError) as caught:
        log(tmp_path, None, name).runs()
    assert str(caught.value) == why


class TestArms:
    def test_names_are_made_for_runs(self, tmp_path: Path) -> None:
        text = "method,seed,f1\nOurs (new),0,1\nbase-line,0,2\n"
        assert list(log(tmp_path, text, arm="method").arms()) == ["ours_new", "base_line"]

    @pytest.mark.parametrize("text", ["method,seed\n3x,0\n", "method,seed\na b,0\na-b,0\n"])
    def test_what_gives_no_name_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(LogError, match=r"gives no name of its own for runs\.<name>: name the"):
            log(tmp_path, text, arm="method").arms()

    def test_the_column_has_to_be_said(self, tmp_path: Path) -> None:
        with pytest.raises(LogError, match=r"arms\(\) needs the column that names them"):
            log(tmp_path).arms()

    def test_all_have_the_same_seeds(self, tmp_path: Path) -> None:
        arms = log(tmp_path, TABLE.replace("base,1", "base,4"), arm="method").arms()
        with pytest.raises(LogError) as caught:
            same_seeds(arms)
        assert str(caught.value) == (
            "runs.csv: 'ours' has no seed 4, which 'base' has: add its row, or leave that seed out "
            "of both"
        )


def test_the_face_takes_the_folder_of_whoever_calls(tmp_path: Path) -> None:
    (tmp_path / "claims.py").write_text("from cvclaims import logged\nLOG = logged('runs.csv')\n")
    scope: dict[str, Any] = {"__file__": str(tmp_path / "claims.py")}
    exec((tmp_path / "claims.py").read_text(), scope)
    assert scope["LOG"].folder_of_caller == tmp_path


@pytest.mark.parametrize("path", ["a{b", "a}b", "{}", "{a b}", "{a}{"])
def test_braces_hold_a_name(path: str) -> None:
    from cvclaims import logged

    with pytest.raises(LogError, match="a field is a name in braces"):
        logged(path)
