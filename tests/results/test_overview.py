"""Counts over rows, and what they are worth."""

import pytest

from cvclaims.results.overview import certainty, ran, reports_table
from tests.results.synthetic import row

NETS = {"report": "nets", "report_number": 1, "report_title": "Nets | more"}
HELD = {"verdict": "ran", "scale": "reduced"}
ROWS = [
    row("5.01"),
    row("5.02", verdict="refuted", disputed="cross terms"),
    row("5.10", case="moons"),
    row("5.10", case="circles", verdict="refuted"),
    row("5.11", verdict="not evaluated"),
    row("1.01", verdict="error", **NETS),
    row("1.02", scale="reduced", **NETS),
    row("1.04", guards=["V1"], case="a", **HELD, **NETS),
    row("1.04", guards=["V1", "V2"], case="b", **HELD, **NETS),
    row("1.03", verdict="inconclusive", rule="exact", **NETS),
]


def test_full_and_reduced_are_counted_apart() -> None:
    head, _, *lines = reports_table(ROWS).splitlines()
    assert head.startswith("| report | claims | rows | full: ✓ supported | full: ✗ refuted |")
    assert lines == [
        "| 5. Computer Vision HW3 | 4 | 5 | 2 | 2 (1 disputed) | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 0 |",
        "| 1. Nets \\| more | 4 | 5 | 0 | 0 | 1 | 0 | 1 | 0 | 0 | 2 | 0 | 1 |",
        "| all | 8 | 10 | 2 | 2 (1 disputed) | 1 | 0 | 1 | 0 | 0 | 2 | 1 | 1 |",
    ]


def test_one_report_at_one_scale_needs_no_total_and_no_other_scale() -> None:
    told = reports_table(ROWS[:3])
    assert "| all |" not in told
    assert "reduced" not in told


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (ROWS, "**6 of 10 rows are judged** (3 supported, 2 refuted, 1 inconclusive)"),
        (ROWS, " 5 of them by a statistical rule, "),
        (ROWS, "up to 0.2 of these are expected to be wrong by chance alone."),
        (ROWS[4:5], "No claim is judged so far."),
        ([], "No claim is judged so far."),
    ],
)
def test_how_sure_one_can_be(rows: list[object], told: str) -> None:
    assert told in certainty(rows)  # type: ignore[arg-type]


def test_counted_and_proved_verdicts_are_not_wrong_by_chance() -> None:
    assert "chance" not in certainty([row(rule="exact"), row(rule="property")])


def test_each_guard_that_held_rows_back_says_why() -> None:
    assert ran(ROWS) == (
        "Ran, and not comparable: 2 by V1 (networks that never left chance); "
        "1 by V2 (networks that learned too little to be compared).\n"
    )
    assert ran(ROWS[:5]) == ""
