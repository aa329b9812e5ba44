"""What a session says at its end: pure functions of rows, and what reaches a terminal."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cvclaims.plugins import summary
from cvclaims.plugins.cases import HEAVY, WANTS_GPU
from cvclaims.plugins.terminal import Line, Sheet
from cvclaims.results.view import ClaimView, Measured, in_order
from cvclaims.text import cells
from tests.plugins.project import Project

SHEET = Sheet()
ASCII = Sheet(encoding="ascii")


def numbers(*values: float) -> Measured:
    mean = sum(values) / len(values)
    return {"mean": mean, "std": 0.01, "n": len(values), "values": list(values)}


REFUTED = ClaimView(
    id="5.09",
    title="Without softmax MSE trains badly",
    report="losses",
    report_number=5,
    rule="greater(0)",
    verdict="refuted",
    disputed=None,
    scale="full",
    case="digits",
    reported={"mse": 0.9694},
    measured={"mse": numbers(0.9767, 0.9767), "mse_without_softmax": numbers(0.9843, 0.9843)},
    device="CPU",
    data="Digits",
    reason="difference -0.01",
    evidence={"mse": ["a" * 64, "b" * 64]},
)


def but(**changes: Any) -> ClaimView:
    return dataclasses.replace(REFUTED, **changes)


def idle(reason: str) -> ClaimView:
    return but(verdict="not evaluated", reason=reason, measured={}, evidence={})


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def test_a_refuted_claim_has_its_numbers_beside_those_reported() -> None:
    heading, line = summary.claim_lines([REFUTED], {}, SHEET)
    assert heading.text == "refuted, in error or changed (name reported → measured):"
    assert line.verdict == "refuted"
    assert line.text == (
        "  5.09 digits  refuted  mse 0.9694 → 0.9767, mse_without_softmax 0.9843 (n = 2)"
    )
    _, line = summary.claim_lines([REFUTED], {}, ASCII)
    assert "mse 0.9694 -> 0.9767" in line.text


def test_what_a_guard_held_back_is_counted_apart_from_what_ran() -> None:
    rows = [
        but(verdict="ran"),
        but(verdict="ran", guards=["V1"]),
        but(verdict="ran", guards=["V5"]),
        but(verdict="inconclusive", guards=["V1"]),
    ]
    found = summary.count(rows)
    assert (found["ran"], found["not comparable"], found["inconclusive"]) == (1, 2, 1)
    heads, counts = texts(summary.overview(rows, SHEET))
    assert heads.split()[-4:] == ["inconclusive", "ran", "not", "comparable"]
    assert counts.split()[-3:] == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("row", "before", "told"),
    [
        (but(disputed="it says so"), None, None),
        (but(verdict="supported"), None, None),
        (but(verdict="inconclusive"), None, None),
        (but(verdict="supported"), but(), "supported  was refuted; mse"),
        (but(verdict="inconclusive"), but(verdict="supported"), "inconclusive  was supported; mse"),
        (but(verdict="supported"), but(scale="reduced"), None),
        (but(verdict="supported"), idle("no time"), None),
        (idle("no time"), but(), None),
        (but(verdict="supported", disputed="so"), None, "supported  though disputed; mse"),
        (but(verdict="error", measured={}, reason="it broke"), None, "error  it broke"),
        (but(measured={}, reason="n=7"), None, "refuted  n=7"),
    ],
)
def test_which_claims_have_a_line(
    row: ClaimView, before: ClaimView | None, told: str | None
) -> None:
    lines = texts(summary.claim_lines([row], {row.place: before} if before else {}, SHEET))
    whole = "  ".join(line.strip() for line in lines[1:])  # what does not fit goes below
    assert (told is None and lines == []) or (told is not None and told in whole)


def test_errors_are_shown_whatever_is_left_out() -> None:
    rows = [but(id=f"5.{n}") for n in range(40)] + [but(id="6.1", verdict="error")]
    lines = texts(summary.claim_lines(rows, {}, SHEET))
    assert lines[1].startswith("  6.1 digits")
    assert lines[-1] == "  and 27 more: --claims-table shows every claim"
    assert len(lines) == summary.MOST_CLAIMS + 2
    rows = rows[: summary.MOST_CLAIMS + 1]
    assert len(summary.claim_lines(rows, {}, SHEET)) == len(rows) + 1


def test_reasons_are_grouped_by_their_text() -> None:
    rows = [*(idle(WANTS_GPU) for _ in range(105)), idle(HEAVY), idle("no time"), idle("no time")]
    assert texts(summary.reason_lines(rows, SHEET)) == [
        "105 claims want a GPU: --claims-scale reduced judges them small, --claims-scale",
        "  full --claims-device cpu in full, slowly",
        "2 claims not evaluated: no time",
        "1 claim takes more than seconds on a CPU: --claims-scale full trains it",
    ]
    many = [idle(f"reason {n}") for n in range(9)]
    assert (
        texts(summary.reason_lines(many, SHEET))[-1] == "4 claims not evaluated for other reasons"
    )


def test_the_overview_counts_by_report() -> None:
    rows = [
        idle(WANTS_GPU),
        but(report_number=2),
        but(report_number=2, disputed="so"),
        dataclasses.replace(idle(HEAVY), report_number=7),
    ]
    assert texts(summary.overview(in_order(rows), SHEET)) == [
        "report    refuted  disputed  not evaluated",
        "2 losses        1         1              0",
        "5, 7            0         0              2",
    ]


def test_claims_stand_in_natural_order() -> None:
    rows = [but(id="5.10"), but(id="5.9"), but(report_number=1, id="10")]
    assert [row.id for row in in_order(rows)] == ["10", "5.9", "5.10"]


def test_what_was_read_and_trained() -> None:
    assert texts(summary.runs_line([REFUTED], 62, 0, SHEET)) == ["62 runs read, 0 trained"]
    assert texts(summary.runs_line([REFUTED, idle("so")], 1, 1204, SHEET)) == [
        "1 run read, 1,204 trained; 1 of 2 claims not evaluated"
    ]


def test_stand_ins_are_named() -> None:
    rows = [but(data=f"Digits; generated stand-in for {name}") for name in ("CIFAR-10", "Cats")]
    assert texts(summary.stand_ins(rows, Path("data"), SHEET)) == [
        "smoke: generated stand-ins for CIFAR-10, Cats, which are not in data"
    ]
    assert summary.stand_ins([REFUTED], Path("data"), SHEET) == []


WIDE = "模型模型 " * 30


def test_of_what_the_results_keep_an_earlier_verdict() -> None:
    stands = [but(scale="full"), but(id="6.1", scale="full")]
    small, none = but(scale="reduced"), but(id="6.1", scale="reduced", verdict="not evaluated")
    assert summary.outranked([small, none], stands) == (
        "; of 1 it keeps the verdict of an earlier, larger run"
    )
    assert summary.outranked([none, stands[0]], stands) == ""


ODD = "odd\x1b[31m\u202e ± 模型 " + "a-long-word " * 30


@pytest.mark.parametrize("sheet", [SHEET, ASCII, Sheet(40), Sheet(200, "latin-1")])
@pytest.mark.parametrize("odd", [ODD, WIDE])
def test_no_line_is_wider_than_the_sheet_or_says_what_it_cannot(sheet: Sheet, odd: str) -> None:
    rows = [
        but(case=odd, measured={odd: numbers(1.0)}, report=odd),
        but(verdict="error", reason=odd, measured={}),
        idle(odd),
    ]
    lines = [
        *summary.claim_lines(rows, {}, sheet),
        *summary.reason_lines(rows, sheet),
        *summary.overview(rows, sheet),
        *summary.stand_ins([but(data=f"generated stand-in for {odd}")], None, sheet),
    ]
    for text in texts(lines):
        assert cells(text) <= sheet.width
        assert text.isprintable()
        text.encode(sheet.encoding)


@pytest.mark.parametrize("sheet", [SHEET, ASCII])
def test_a_problem_is_one_line_however_long_as_people_copy_its_path(sheet: Sheet) -> None:
    (text,) = texts(summary.problem_lines([ODD] * 3, sheet))
    assert text.isprintable()
    assert text.count("a-long-word") == 30
    text.encode(sheet.encoding)


def test_problems_are_told_once_and_not_by_the_thousand() -> None:
    problems = [f"record {n}: damaged" for n in range(1000)] + ["record 0: damaged"]
    lines = summary.problem_lines(problems, SHEET)
    assert texts(lines)[-1] == "and 995 problems more"
    assert len(lines) == summary.MOST_PROBLEMS + 1


CLAIMS = """
@about("1.1", recipes=BOTH, reported={"good": 0.9})
def test_good(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("1.2", recipes=BOTH, reported={"bad": 0.9})
def test_bad(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)

@about("1.3")
@pytest.mark.gpu
def test_gpu(verdict):
    verdict.exact(1, 1)
"""
END = [
    "0 runs read, 6 trained; 1 of 3 claims not evaluated",
    "refuted, in error or changed (name reported → measured):",
    "  1.2  refuted  bad 0.9000 → 0.0833, good 0.6833 (n = 3)",
    "1 claim wants a GPU: --claims-scale reduced judges it small, --claims-scale full",
    "  --claims-device cpu in full, slowly",
    "report   supported  refuted  not evaluated",
    "7 paper          1        1              1",
    "page: .cvclaims/results/README.md",
]


@pytest.mark.parametrize("mode", ["-n0", "-n2"])
def test_the_end_of_a_session(project: Project, mode: str) -> None:
    project.write(CLAIMS)
    assert project.run(mode, "--claims-seeds=3").summary == END
    again = project.run("-n0", "--claims-seeds=3")
    assert again.summary == ["6 runs read, 0 trained; 1 of 3 claims not evaluated", *END[1:]]


@pytest.mark.parametrize("option", ["--claims-table", "-v"])
def test_the_whole_table_on_request(project: Project, option: str) -> None:
    project.write(CLAIMS)
    ran = project.run("--claims-seeds=3", option)
    assert ran.summary[-len(END) :] == END
    for id in ("1.1", "1.2", "1.3"):
        assert f"statement {id}" in ran.text
    assert max(map(len, ran.summary)) <= 80


def test_verdicts_are_coloured_where_pytest_has_colours(project: Project) -> None:
    project.write(CLAIMS)
    assert "\x1b[31mrefuted\x1b[0m  bad" in project.run("--color=yes").text
    assert "\x1b" not in project.run("--color=no").text


def test_a_terminal_that_has_ascii_alone(project: Project) -> None:
    project.write(CLAIMS)
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--claims-table"],
        env=plain,
        cwd=project.path,
        capture_output=True,
    )
    lines = done.stdout.decode("ascii").splitlines()
    assert [line for line in END[:-1] if line.isascii() and line not in lines] == []
    assert "  1.2  refuted  bad 0.9000 -> 0.0833, good 0.6833 (n = 3)" in lines
    assert "\\" not in done.stdout.decode("ascii")


SMOKE = """
@about("1", recipes=BOTH)
def test_bad(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)

@about("2")
def test_differs(verdict):
    verdict.exact(1, 2)

@about("3")
@steady
@given(st.integers())
def test_property(n):
    assert n < 7

@about("4", disputed="its table says so")
def test_surprise(verdict):
    verdict.exact(1, 1)

@about("5", recipes={"net": Recipe(data="fashion_mnist", lr=0.1, epochs=9)})
def test_stand_in(runs, verdict):
    verdict.above(runs.net.test_accuracy, 0.5)
"""


@pytest.mark.parametrize("options", [("-n0",), ("-n1",), ("--claims-strict",)])
def test_smoke_judges_nothing(project: Project, options: tuple[str, ...]) -> None:
    project.write(SMOKE)
    ran = project.run("--claims-scale=smoke", *options)
    assert ran.result.ret == 0
    assert ran.counts == {"ran": 5}
    assert ran.verdicts() == dict.fromkeys("12345", "ran")
    assert "smoke: generated stand-ins for Fashion-MNIST, which are not here" in ran.summary
    assert not (project.results / "claims.json").exists()
    for reason in ("1", "2", "3", "4"):
        assert "smoke scale judges nothing" in ran.reason(reason)


@pytest.mark.parametrize("mode", ["-n0", "-n1"])
def test_smoke_fails_for_errors_alone(project: Project, mode: str) -> None:
    project.write(SMOKE + "\n@about('6')\ndef test_broken(verdict):\n    raise OSError('broken')\n")
    ran = project.run("--claims-scale=smoke", mode)
    assert ran.result.ret == pytest.ExitCode.TESTS_FAILED
    assert ran.counts == {"ran": 5, "errors": 1}
