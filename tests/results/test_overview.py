"""Counts over rows and claims."""

from cvclaims.results.overview import assumed, overview
from tests.results.synthetic import row

NETS = {"report": "nets", "report_number": 1, "report_title": "Nets | more"}
ROWS = [
    row("5.01"),
    row("5.02", verdict="refuted", disputed="cross terms"),
    row("5.10", case="moons"),
    row("5.10", case="circles", verdict="refuted"),
    row("5.11", verdict="not evaluated"),
    row("1.01", verdict="error", **NETS),
    row("1.02", verdict="ran", **NETS),
    row("1.04", verdict="ran", guards=["V1"], case="a", **NETS),
    row("1.04", verdict="ran", guards=["V1", "V2"], case="b", **NETS),
    row("1.05", guards=["V1"], **NETS),
    row("1.03", verdict="inconclusive", **NETS),
]


def test_claims_are_counted_as_well_as_rows() -> None:
    assert overview(ROWS).splitlines() == [
        "| report | claims | supported | refuted | of them disputed | inconclusive | ran "
        "| of them not comparable | not evaluated | error |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        "| 5. Computer Vision HW3 | 4 (5) | 1 (2) | 2 | 1 | 0 | 0 | 0 | 1 | 0 |",
        "| 1. Nets \\| more | 5 (6) | 1 | 0 | 0 | 1 | 2 (3) | 1 (2) | 0 | 1 |",
        "| **all** | 9 (11) | 2 (3) | 2 | 1 | 1 | 2 (3) | 1 (2) | 1 | 1 |",
    ]


def test_one_report_needs_no_total() -> None:
    assert "**all**" not in overview(ROWS[:3])


def test_a_claim_refuted_in_an_undisputed_case_too_is_not_expected_to_be() -> None:
    rows = [row(case="a", verdict="refuted", disputed="a tie"), row(case="b", verdict="refuted")]
    assert (
        overview(rows)
        .splitlines()[2]
        .startswith("| 5. Computer Vision HW3 | 1 (2) | 0 | 1 (2) | 0 (1) |")
    )


def test_a_claim_that_has_a_verdict_is_comparable() -> None:
    rows = [row(case="a", verdict="ran", guards=["V1"]), row(case="b", verdict="refuted")]
    assert (
        overview(rows).splitlines()[2].endswith("| 1 (2) | 0 | 1 | 0 | 0 | 0 (1) | 0 (1) | 0 | 0 |")
    )


def test_assumed_fields_name_their_claims_unless_all_share_them() -> None:
    trained = {"recipes": {"full": {"a": "digest"}}}
    rows = [
        row("1", assumed=["batch_size", "init"], **trained),
        row("2", assumed=["batch_size"], **trained),
        row("3"),
    ]
    assert assumed(rows) == "Assumed, as the report does not say: batch_size, init (1)."
    assert assumed([row()]) == ""
