"""A claim's own page."""

import re
from typing import Any

from cvclaims.results.claim_page import claim_page, claims_of, file_of
from cvclaims.results.view import Numbers
from tests.results.synthetic import CE, MSE, SHORT, Shelf, judged, row

SHELF = Shelf(CE, MSE, SHORT)
LOSSES = {"ce": CE, "mse": MSE}
DECISION = Numbers(estimate=0.01067, lower=0.0031, upper=0.0182, level=0.0244, p=0.004, n=[3, 3])
ONE = judged(
    "5.04",
    LOSSES,
    assumed=["batch_size", "scheduler"],
    decision=DECISION,
    size="at least half",
    own_runs="one run",
    guards=["V1"],
    report_note="Once.",
    reported={"ce": [0.98, 0.99], "mse": 0.9694},
    figures=["figures/losses/5.04-ce-mse-curves.svg"],
    versions={"torch": ["2.11", "2.14"]},
)


def test_all_that_is_known_of_a_claim() -> None:
    page = claim_page([ONE], SHELF.records)
    for part in (
        "# 5.04 Cross-entropy is more accurate than MSE on Digits\n",
        "[Results](../README.md) / 5. Computer Vision HW3\n",
        "**✓\xa0supported** at full scale. difference 0.01067, at least 0.0031 (n = 3, 3)",
        "- Source: Experiment A\n",
        "- Rule: greater(0)\n",
        "- Guards that spoke: V1\n",
        "- Size of the effect against the reported one: at least half\n",
        "- The same rule on the report's own runs: one run\n",
        "| ce | 0.9850 (n = 2) (0.98, 0.99) | 0.9813\xa0±\xa00.0032 | 0.98, 0.985, 0.979 |".replace(
            "\xa0", " "
        ),
        "What decided: estimate 0.01067; lower bound 0.0031; upper bound 0.0182; level of each "
        "bound 0.0244; p 0.004; n = 3, 3.\n",
        "![curves](../figures/losses/5.04-ce-mse-curves.svg)",
        "An open mark",
        "> Once.\n",
        "scheduler none (assumed); epochs 30; batch_size 64 (assumed)",
        "| arm | loss |\n| --- | --- |\n| ce | cross_entropy |\n| mse | softmax_mse |\n",
        "The report leaves open, and we assumed: batch_size, scheduler.\n",
        "- torch: 2.11, 2.14\n",
        "<details><summary>6 runs</summary>",
        "    pytest --claims-id 5.04 --claims-scale full\n",
    ):
        assert part in page
    assert "gamma" not in page  # there is no scheduler that it could be of


def test_a_record_is_linked_where_it_lies_in_the_folder() -> None:
    (first, *others) = (record for record in SHELF.records.values() if record.trained == CE)
    page = claim_page([ONE], SHELF.records, {file_of(first)})
    assert f"[`{first.key[:12]}`](../records/full/digits/{first.key[:24]}.json)" in page
    assert all(f"| `{other.key[:12]}` |" in page for other in others)


def test_records_that_are_gone_are_said_to_be() -> None:
    page = claim_page([ONE], {})
    assert page.count("not in this folder") == 6
    assert "Every arm" not in page


def test_cases_stand_together_and_share_what_they_trained() -> None:
    cases = [
        judged("5.10", {"relu": SHORT}, case="moons", verdict="refuted", disputed="a tie"),
        judged("5.10", {"relu": CE}, case="digits"),
        row("5.10", case="timed", rule="ratio(1), timed", device="CPU, 2 cores"),
        row("5.10", case="later", verdict="not evaluated", measured={}, reported={}, reason=""),
    ]
    page = claim_page(cases, SHELF.records)
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    named = ["moons", "digits", "timed", "later"]
    assert heads == [*(f"## {name}" for name in named), "## Protocol", "## Evidence"]
    assert "| moons | ✗\xa0refuted (disputed, as expected) | full |  |\n" in page
    assert "| timed | ✓\xa0supported | full | CPU |\n" in page
    assert "- Disputed: a tie\n" in page
    assert "| moons: relu | moons |" in page
    assert "| digits: relu | digits |" in page


def test_a_run_of_two_cases_is_listed_once() -> None:
    cases = [judged("5.10", {"relu": CE}, case=name) for name in "ab"]
    assert "<summary>3 runs</summary>" in claim_page(cases, SHELF.records)


def test_a_claim_that_was_never_trained_says_so() -> None:
    one = row("5.11", verdict="not evaluated", measured={}, rule=None, device="", data="")
    page = claim_page([one], {})
    assert "Not trained so far.\n" in page
    assert "- Rule: none was reached\n" in page


def test_each_claim_has_a_page_of_its_own() -> None:
    rows = [row("1.1", report="a"), row("1.1", report="a", case="b"), row("1.1", report="b")]
    found = claims_of(rows)
    assert list(found) == ["claims/1.1.md", "claims/1.1-2.md"]
    assert [len(cases) for cases in found.values()] == [2, 1]
    (odd,) = claims_of([row("../../etc | <b>")])
    assert re.fullmatch(r"claims/[\w.-]+\.md", odd)


def test_no_text_from_outside_gets_out_raw() -> None:
    nasty = "a|<b>![x](http://a.b)\n# head"
    names = {nasty: CE}
    texts = dict.fromkeys(
        ["title", "case", "reason", "source", "disputed", "rule", "failure", "report_note"], nasty
    )
    given: dict[str, Any] = dict(texts)
    given |= {"assumed": [nasty], "guards": [nasty], "versions": {nasty: [nasty]}}
    given |= {"reported": {nasty: 1.0}, "measured": {}}
    page = claim_page([judged("5.04", names, **given)], SHELF.records)
    assert "![x]" not in page
    assert "<b>" not in page
    assert "\n# head" not in page
