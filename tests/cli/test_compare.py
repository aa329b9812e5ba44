"""`cvclaims compare`: what agrees, what does not, and what it cannot use."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cvclaims.cli import main
from cvclaims.results.claims_json import to_json
from cvclaims.results.view import ClaimView
from tests.results.synthetic import measured, row

RUNS = {"ours": measured(0.97, 0.98, 0.9636), "base": measured(0.95, 0.95, 0.95)}
LESS = {"ours": measured(0.96, 0.95, 0.955, 0.955), "base": measured(0.95, 0.95, 0.95)}


def folder(path: Path, *rows: ClaimView) -> Path:
    path.mkdir()
    (path / "claims.json").write_bytes(to_json(rows))
    return path


def a(id: str, verdict: str = "supported", **changes: Any) -> ClaimView:
    return row(id, verdict=verdict, **{"measured": RUNS, "reason": "in numbers"} | changes)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folders, `a` and `b`, in the working directory."""
    monkeypatch.chdir(tmp_path)
    first = [a("5.04"), a("5.1", "refuted"), a("5.2", case="b"), a("5.3"), a("5.4")]
    first += [a("5.5", measured={}), a("5.6"), a("5.7", "not evaluated")]
    second = [a("5.1", "supported"), a("5.2", "inconclusive", case="b", measured=LESS)]
    second += [a("5.04"), a("5.3", "ran", scale="reduced"), a("5.4", "not evaluated")]
    second += [a("5.5", "error", measured={}, reason="RuntimeError: ≤\x1b[2J"), a("5.8")]
    folder(tmp_path / "a", *first)
    folder(tmp_path / "b", *second)


SHOWN = r"""1 of 6 verdicts agree: a -> b
5.1: refuted -> supported; ours 0.9712 -> 0.9712, base 0.9500 -> 0.9500 (n = 3 -> 3)
5.2 b: supported -> inconclusive; ours 0.9712 -> 0.9550, base 0.9500 -> 0.9500 (n = 3 -> 3 to 4)
5.3: supported -> ran (full -> reduced); ours 0.9712 -> 0.9712, base 0.9500 -> 0.9500 (n = 3 -> 3)
5.5: supported -> error; RuntimeError: ≤\x1b[2J
5.6: supported -> not there
only in a: 2
only in b: 1
not evaluated in b: 1
"""


@pytest.mark.usefixtures("both")
def test_what_agrees_is_counted_and_what_differs_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "a", "b/claims.json"]) == 1
    assert capsys.readouterr().out == SHOWN.replace("-> b\n", "-> b/claims.json\n").replace(
        "in b:", "in b/claims.json:"
    )


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("supported", "supported", 0),
        ("supported", "refuted", 1),
        ("supported", "inconclusive", 1),
        ("supported", "error", 1),
        ("supported", "ran", 0),
        ("supported", "not evaluated", 0),
        ("refuted", "supported", 0),
        ("inconclusive", "refuted", 0),
    ],
)
def test_the_status_says_whether_a_supported_claim_fell(
    tmp_path: Path, before: str, after: str, status: int
) -> None:
    paths = [str(folder(tmp_path / name, a("1", v))) for name, v in (("a", before), ("b", after))]
    assert main(["compare", *paths]) == status


@pytest.mark.parametrize(
    ("verdict", "status"), [("supported", 1), ("refuted", 0), ("not evaluated", 0)]
)
def test_a_supported_claim_that_is_not_there_fell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verdict: str, status: int
) -> None:
    folder(tmp_path / "a", a("1"), a("2", verdict, case="x"))
    folder(tmp_path / "b", a("1"))
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == status
    out = capsys.readouterr().out
    assert ("2 x: supported -> not there\n" in out) == bool(status)
    assert out.startswith(f"1 of {1 + status} verdicts agree")
    assert "only in " in out


def timing(device: str, verdict: str = "supported") -> ClaimView:
    return a("3.06", verdict, rule="ratio(1), timed", device=device)


@pytest.mark.parametrize(
    ("before", "after", "status", "told"),
    [
        ([timing("CPU")], [timing("CPU", "refuted")], 1, "0 of 1 verdicts agree"),
        ([timing("CPU"), timing("H200")], [timing("CPU")], 0, "1 of 1 verdicts agree"),
        ([timing("H200")], [timing("CPU", "refuted")], 0, "0 of 0 verdicts agree"),
        ([timing("H200")], [timing("", "not evaluated")], 0, "0 of 0 verdicts agree"),
        ([timing("H200")], [timing("", "error")], 1, "0 of 1 verdicts agree"),
        ([timing("", "not evaluated")], [timing("CPU")], 0, "0 of 0 verdicts agree"),
        ([timing("H200")], [a("1", "refuted")], 1, "0 of 1 verdicts agree"),
    ],
)
def test_times_of_a_cpu_and_of_a_gpu_are_no_pair(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    before: list[ClaimView],
    after: list[ClaimView],
    status: int,
    told: str,
) -> None:
    folder(tmp_path / "a", *before)
    folder(tmp_path / "b", *after)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == status
    assert capsys.readouterr().out.startswith(told)


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    ("where", "why"),
    [
        (">&-", "standard output is closed: redirect it to a file"),
        ("> /dev/full", "standard output cannot be written (No space left on device)"),
    ],
)
@pytest.mark.parametrize("names", ["a b", "a a"])
def test_an_answer_that_cannot_be_printed_is_one_line(names: str, where: str, why: str) -> None:
    code = f"{sys.executable} -m cvclaims compare {names} {where}"
    done = subprocess.run(code, shell=True, env=env(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"cvclaims compare: {why}\n")


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("where", ["2>&-", "2> /dev/full", ">&- 2>&-"])
def test_nowhere_to_say_why_is_no_traceback(where: str) -> None:
    code = f"{sys.executable} -m cvclaims compare a nowhere {where}"
    done = subprocess.run(code, shell=True, env=env(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "nowhere does not exist, and is no git revision with results/claims.json (fatal: "),
        ("", "nowhere has no claims.json: name a folder that --claims-results wrote"),
        ("{", "nowhere/claims.json is damaged (not JSON"),
        ('{"schema": 1, "claims": [{}]}', "nowhere/claims.json is damaged (1 of 1 rows unsound"),
        ('{"schema": 99}', "nowhere/claims.json has schema 99, this cvclaims reads 1: upgrade"),
    ],
)
@pytest.mark.usefixtures("both")
def test_what_cannot_be_used_is_one_line_and_stays(
    capsys: pytest.CaptureFixture[str], content: str | None, told: str
) -> None:
    there = Path("nowhere")
    if content is not None:
        there.mkdir()
    if content:
        (there / "claims.json").write_text(content)
    before = sorted(Path().rglob("*"))
    assert main(["compare", "a", "nowhere"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"cvclaims compare: {told}")
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("name", ["pipe", "nowhere"])
def test_a_pipe_is_not_waited_for(capsys: pytest.CaptureFixture[str], name: str) -> None:
    Path("nowhere").mkdir()
    pipe = Path("nowhere", "claims.json") if name == "nowhere" else Path(name)
    os.mkfifo(pipe)
    assert main(["compare", "a", name]) == 2
    told = f"cvclaims compare: {pipe} cannot be read (is no plain file)"
    assert capsys.readouterr().err.startswith(told)


@pytest.mark.parametrize("name", ["a\x1b[2J\nb", "\udc80"])
def test_a_name_reaches_the_terminal_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["compare", str(tmp_path / name), "b"]) == 2
    assert capsys.readouterr().err[:-1].isprintable()
    path = str(folder(tmp_path / name, a("1")))
    assert main(["compare", path, path]) == 0
    assert capsys.readouterr().out[:-1].isprintable()


@pytest.mark.usefixtures("both")
def test_ascii_alone_will_do() -> None:
    done = command("a", "b", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == SHOWN.replace("≤", "<=")


@pytest.mark.usefixtures("both")
def test_a_reader_that_has_enough_is_no_error() -> None:
    code = f"{sys.executable} -m cvclaims compare a b | true"
    done = subprocess.run(code, shell=True, env=env(), capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.usefixtures("both")
def test_on_a_terminal_lines_are_broken_and_nothing_is_cut() -> None:
    import pty

    ours, base = pty.openpty()
    call = [sys.executable, "-m", "cvclaims", "compare", "a", "b"]
    subprocess.run(call, env=env(COLUMNS="80"), stdout=base, check=False)
    os.close(base)
    lines = os.read(ours, 10_000).decode().replace("\r\n", "\n").splitlines()
    os.close(ours)
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()) == " ".join(SHOWN.split())


def test_it_starts_at_once_and_imports_nothing_heavy(tmp_path: Path) -> None:
    path = str(folder(tmp_path / "a", a("1")))
    code = f"import sys, cvclaims.cli as c; c.main(['compare', {path!r}, {path!r}]); "
    code += "print(*sorted({'torch', 'matplotlib', 'numpy', 'filelock'} & set(sys.modules)))"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=env(), capture_output=True, text=True)
    assert time.perf_counter() - start < 3  # 0.2 s where nothing else runs
    assert done.stdout.splitlines() == [f"1 of 1 verdicts agree: {path} -> {path}", ""]


@pytest.mark.parametrize("argv", [["--help"], ["compare", "--help"]])
def test_help_lists_the_exit_statuses(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(argv)
    assert "exit status:" in capsys.readouterr().out


def test_the_committed_results_agree_with_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    results = Path(__file__).parents[2] / "results"
    rows = json.loads((results / "claims.json").read_text(encoding="utf-8"))["claims"]
    judged = sum(row["verdict"] != "not evaluated" for row in rows)
    assert main(["compare", str(results), str(results)]) == 0
    assert capsys.readouterr().out.startswith(f"{judged} of {judged} verdicts agree: ")


def env(**changes: str) -> dict[str, str]:
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **changes}


def command(*argv: str, **changes: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "cvclaims", "compare", *argv]
    return subprocess.run(call, env=env(**changes), capture_output=True, text=True, check=False)


def test_a_git_revision_is_a_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "results", a("5.04"))
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "results")):
        subprocess.run([*git, *command], check=True)
    (tmp_path / "results" / "claims.json").write_bytes(to_json([a("5.04", "refuted")]))
    assert main(["compare", "HEAD", "results"]) == 1
    assert main(["compare", "HEAD:results", "HEAD"]) == 0
    assert main(["compare", "HEAD:elsewhere", "results"]) == 2
    assert main(["compare", "HEAD^", "results"]) == 2


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ((0.90, 0.91, 0.92), (0.95, 0.96, 0.97), True),
        ((0.90, 0.91, 0.92), (0.92, 0.93, 0.94), False),  # within 0.025 of each other's mean
        ((0.90, 0.91, 0.92), (0.8, 0.95, 1.3), False),  # beyond the first's interval alone
        ((33.0,), (33.0,), False),
        ((33.0,), (34.0,), True),
        ((math.nan,), (1.0,), True),
    ],
)
def test_agreeing_verdicts_with_numbers_apart_are_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    before: tuple[float, ...],
    after: tuple[float, ...],
    moved: bool,
) -> None:
    sides = []
    for name, values in (("a", before), ("b", after)):
        of = {**measured(*values), "values": list(values)}
        of |= {"mean": None, "values": [None]} if math.isnan(values[0]) else {}
        sides.append(str(folder(tmp_path / name, a("5.04", measured={"ours": of}))))
    assert main(["compare", *sides]) == 0
    told = capsys.readouterr().out
    assert ("1 agree with numbers beyond each other's intervals:" in told) == moved
    main(["compare", "--json", *sides])
    assert len(json.loads(capsys.readouterr().out)["moved"]) == moved


def test_times_and_other_scales_never_count_as_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timed = {"rule": "ratio(1), timed", "device": "CPU"}
    one = [a("5.04", **timed), a("5.05", scale="reduced")]
    far = {"ours": measured(5.0, 5.1), "base": measured(9.0, 9.1)}
    other = [a("5.04", measured=far, **timed), a("5.05", measured=far)]
    main(["compare", str(folder(tmp_path / "a", *one)), str(folder(tmp_path / "b", *other))])
    assert "beyond" not in capsys.readouterr().out


@pytest.mark.usefixtures("both")
def test_markdown_for_a_pull_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--markdown", "a", "b"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("### Claims: a → b\n")
    assert "**3 supported claims fell.** 1 of 6 verdicts agree." in told
    assert "| 5.6 | ✓ supported | not there | |" in told.replace("\xa0", " ")
