"""Claims as comma-separated values."""

import csv
import math
from typing import Any

from cvclaims.results.csv import COLUMNS, csv_table
from cvclaims.results.view import ClaimView
from tests.results.synthetic import CE, MSE, judged, measured, row


def lines(*views: ClaimView) -> list[dict[str, str]]:
    return list(csv.DictReader(csv_table(views).splitlines()))


def test_a_line_for_each_quantity_with_every_seed_in_full() -> None:
    numbers: Any = {"estimate": 0.01, "lower": 0.002, "upper": None, "level": 0.0221, "p": 0.01}
    view = judged(
        "5.04", {"ce": CE, "mse": MSE}, decision=numbers, guards=["V1", "V2"], about_failing=True
    )
    ce, mse = lines(view)
    assert (ce["quantity"], ce["reported"], ce["values"]) == ("ce", "0.9833", "0.98; 0.985; 0.979")
    assert float(ce["mean"]) == view.measured["ce"]["mean"]
    assert (ce["rule"], ce["bound"], ce["estimate"], ce["upper"]) == ("greater(0)", "0", "0.01", "")
    assert (ce["guards"], ce["about_failing"], ce["disputed"]) == ("V1; V2", "all", "")
    assert ce["records"] == "; ".join(f"{n} {k}" for n, of in view.evidence.items() for k in of)
    same = [name for name in ce if ce[name] == mse[name]]
    assert {*COLUMNS} - {*same} == {"quantity", "reported", "mean", "std", "values"}


def test_a_claim_without_numbers_has_one_line() -> None:
    (line,) = lines(row(reported={}, measured={}, verdict="not evaluated", reason="no, GPU"))
    assert (line["id"], line["quantity"], line["mean"], line["reason"]) == (
        *("5.04", "", "", "no, GPU"),
    )


def test_several_reported_runs_and_values_that_are_no_numbers() -> None:
    odd: Any = {**measured(0.5, 0.5), "mean": None, "values": [0.5, None]}
    (line,) = lines(row(reported={"ce": [0.5, 0.25]}, measured={"ce": odd}))
    assert (line["reported"], line["mean"], line["values"]) == ("0.5; 0.25", "", "0.5; nan")
    assert math.isnan(float(line["values"].split("; ")[1]))


def test_no_claims_leave_the_heads() -> None:
    assert csv_table([]) == ",".join(COLUMNS) + "\n"
