"""What all commands share, and those that only look: list, show, plan, doctor."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cvclaims import cli
from cvclaims.cli import main
from cvclaims.results.claims_json import to_json
from tests.results.synthetic import row

NETS = {"report": "nets", "report_number": 1, "report_title": "Nets"}
ROWS = [
    row("1.01", title="Three kernels | see", device="NVIDIA H200", **NETS),
    row("5.04", case="digits"),
    row("5.04", case="moons", verdict="refuted", scale="reduced"),
    row("5.05", case="ä, ≤", verdict="refuted"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with results in it, which is the working directory."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "claims.json").write_bytes(to_json(ROWS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestAll:
    @pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda module: module.__name__)
    def test_help_says_every_exit_status(
        self, command: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name = {"listing": "list"}.get(last := command.__name__.rpartition(".")[2], last)
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        told = capsys.readouterr().out
        assert "exit status:\n  0  " in told
        assert "\n  2  " in told

    @pytest.mark.parametrize("shell", cli.SHELLS)
    def test_completion_knows_the_commands(
        self, shell: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match="0"):
            main(["--print-completion", shell])
        assert "compare" in capsys.readouterr().out

    def test_nothing_heavy_is_imported_for_the_parser(self) -> None:
        code = "import sys; from cvclaims.cli import parser; parser(); print(*sys.modules)"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        heavy = {"torch", "numpy", "matplotlib", "rich", "jinja2", "pytest", "scipy", "shtab"}
        assert not heavy & set(out.stdout.split())

    @pytest.mark.parametrize("command", [["list"], ["show", "1.01"], ["report"]])
    def test_a_table_of_a_newer_version_is_one_line(
        self, folder: Path, capsys: pytest.CaptureFixture[str], command: list[str]
    ) -> None:
        (folder / "results" / "claims.json").write_text('{"schema": 99}')
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"cvclaims {command[0]}: ")
        assert err.count("\n") == 1


class TestList:
    @pytest.mark.parametrize(
        ("options", "claims"),
        [
            ((), ["1.01", "5.04", "5.04", "5.05"]),
            (("--report", "1"), ["1.01"]),
            (("--report", "losses"), ["5.04", "5.04", "5.05"]),
            (("--verdict", "refuted"), ["5.04", "5.05"]),
            (("--scale", "reduced", "--verdict", "refuted"), ["5.04"]),
            (("--device", "h200"), ["1.01"]),
            (("--text", "kernels THREE"), ["1.01"]),
            (("--text", "nothing like it"), []),
        ],
    )
    @pytest.mark.usefixtures("folder")
    def test_each_filter(
        self, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], claims: list[str]
    ) -> None:
        assert main(["list", "--json", *options]) == 0
        assert [claim["id"] for claim in json.loads(capsys.readouterr().out)] == claims

    @pytest.mark.parametrize(
        ("form", "begins"),
        [
            ("table", "claim    statement"),
            ("csv", "report,id,case"),
            ("latex", "% Nets\n\\begin{tabular}"),
            ("json", "[\n"),
        ],
    )
    def test_every_format(
        self, folder: Path, capsys: pytest.CaptureFixture[str], form: str, begins: str
    ) -> None:
        assert main(["list", "--format", form]) == 0
        out, err = capsys.readouterr()
        assert out.startswith(begins)
        assert err == ""
        assert [path.name for path in (folder / "results").iterdir()] == ["claims.json"]
        if form == "csv":
            read = list(csv.DictReader(out.splitlines()))
            assert {line["case"] for line in read if line["id"] == "5.05"} == {"ä, ≤"}

    def test_damage_is_told_and_the_rest_is_listed(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = to_json(ROWS).decode().replace('"verdict": "supported"', '"verdict": "maybe"', 1)
        (folder / "results" / "claims.json").write_text(text)
        assert main(["list"]) == 1
        out, err = capsys.readouterr()
        assert "5.05" in out
        assert "1 of 4 rows unsound" in err


@pytest.mark.usefixtures("folder")
class TestShow:
    def test_a_page_is_markdown_where_nobody_watches(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["show", "5.04"]) == 0
        out = capsys.readouterr().out
        assert out.startswith("# 5.04 ")
        assert "## moons" in out

    def test_on_a_terminal_it_is_rendered(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cvclaims.cli.show.columns", lambda: 60)
        assert main(["show", "5.04", "--case", "moons"]) == 0
        out = capsys.readouterr().out
        assert "|" not in out
        assert "**" not in out
        assert max(map(len, out.splitlines())) <= 60

    def test_json_has_every_fact(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["show", "5.04", "--case", "moons", "--json"]) == 0
        (facts,) = json.loads(capsys.readouterr().out)
        assert facts["case"] == "moons"
        assert facts["measured"]["ce"]["n"] == 3

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            (["5.4"], "no claim is called '5.4' there: did you mean '5.04', '5.05'?"),
            (["nothing"], "no claim is called 'nothing' there: `cvclaims list` lists them"),
            (["5.04", "--case", "moon"], "no case of 5.04 is called 'moon' there: did you mean"),
        ],
    )
    def test_a_wrong_name_names_those_that_are_near(
        self, capsys: pytest.CaptureFixture[str], asked: list[str], told: str
    ) -> None:
        assert main(["show", *asked]) == 2
        assert told in capsys.readouterr().err


class TestDoctor:
    def found(self, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, dict[str, str]]:
        main(["doctor", "--json", *options])
        return {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}

    def test_this_machine_can(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["doctor"]) == 0
        told = capsys.readouterr().out
        assert "✓ torch: " in told
        assert f"4 rows in {Path('results') / 'claims.json'}" in told
        assert {path.name for path in folder.rglob("*")} == {"results", "claims.json"}

    def test_what_is_broken_ends_with_one(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "results" / "claims.json").write_text("{")
        (folder / "results" / "records").write_text("")
        assert main(["doctor"]) == 1
        found = self.found(capsys, "--data", "nowhere") if capsys.readouterr() else {}
        assert found["results"]["state"] == "broken"
        assert found["store"]["state"] == "broken"
        assert "records is a file" in found["store"]["found"]
        assert "nowhere does not exist" in found["data"]["found"]

    def test_a_look_that_fails_is_a_finding(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: object) -> None:
            raise OSError("odd")

        monkeypatch.setattr("shutil.disk_usage", fail)
        found = self.found(capsys)
        assert found["disk"] == {
            "what": "disk", "state": "broken", "found": "OSError: odd", "mend": ""
        }  # fmt: skip

    def test_an_old_torch_is_named(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("torch.__version__", "2.9.1+cpu")
        found = self.found(capsys)
        assert found["torch"]["state"] == "broken"
        assert found["torch"]["mend"] == "install torch 2.11 or later"


CLAIM = """
from cvclaims import Recipe, Report, claim

PAPER = Report(1, "paper", "Paper")
ONE = Recipe(data="moons", optimizer="sgd", lr=0.01, epochs=2, batch_size=64)

@claim("1.1", "One is better", source=PAPER.at("p. 1"), recipes={"one": ONE})
def test_one(runs, verdict):
    verdict.above(runs.one.test_accuracy, 0.5)
"""


def test_a_plan_for_programs(folder: Path) -> None:
    (folder / "test_paper.py").write_text(CLAIM)
    command = [sys.executable, "-m", "cvclaims", "plan", "--json", "test_paper.py"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    plan = json.loads(ran.stdout)
    (claim,) = plan["claims"]
    assert (plan["tests"], plan["runs"]["first look"]["left"]) == (1, 3)
    assert (claim["claim"], claim["scale"], claim["left"]) == ("1.1", "full", 3)
    assert claim["seconds"] > 0
    wrong = subprocess.run([*command[:-1], "nowhere.py"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("cvclaims plan: pytest made no plan (")
