"""`index.html` as text; `tests/page` opens it in a browser."""

import json
import re
from pathlib import Path

import pytest

from cvclaims.results.claims_json import read_claims
from cvclaims.results.html import index_html
from cvclaims.results.view import Numbers
from tests.results.synthetic import CE, MSE, judged, row

NASTY = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>'\"&\u2028{{ 7*7 }}"
ROOT = Path(__file__).parents[2]


def data_of(page: str) -> dict[str, list[dict[str, object]]]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    read: dict[str, list[dict[str, object]]] = json.loads(found)
    return read


def test_a_row_has_all_that_the_page_shows() -> None:
    numbers = Numbers(estimate=0.0107, lower=0.003, upper=0.02, level=0.02, p=0.01, n=[3, 3])
    one = judged("5.04", {"ce": CE, "mse": MSE}, decision=numbers, figures=["figures/a.svg"])
    (shown,) = data_of(index_html([one]))["rows"]
    assert shown["effect"] == {
        "reported": pytest.approx(0.0139),
        "measured": 0.0107,
        "lower": 0.003,
        "upper": 0.02,
    }
    assert shown["figures"] == ["figures/a.svg"]
    assert shown["page"] == "claims/5.04.md"
    assert ["rule", "greater(0)"] in shown["facts"]  # type: ignore[operator]
    first = shown["quantities"][0]  # type: ignore[index]
    assert (first["reported"], first["values"]) == ("0.9833", "0.98, 0.985, 0.979")


def test_no_text_from_outside_can_leave_its_place() -> None:
    texts = dict.fromkeys(
        ["title", "case", "reason", "source", "disputed", "rule", "failure", "report_title"], NASTY
    )
    named = {"reported": {NASTY: 1.0}, "measured": {}, "device": NASTY, "data": NASTY}
    page = index_html([row(NASTY, **texts, **named, assumed=[NASTY], guards=[NASTY])])
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<img" not in page
    assert "<!--" not in page
    (shown,) = data_of(page)["rows"]
    assert "alert(1)" in str(shown["title"])
    assert "{{ 7*7 }}" in str(shown["title"])


def test_the_policy_names_the_script_and_the_style_that_are_there() -> None:
    page = index_html([row()])
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert policy[1].count("'sha256-") == 2
    assert "unsafe" not in policy[1]
    assert set(re.findall(r"https?://[\w./]+", page)) == {"http://www.w3.org/2000/svg"}


def test_the_same_rows_make_the_same_page() -> None:
    assert index_html([row()]) == index_html([row()])


def test_the_committed_claims_make_a_page_of_less_than_two_megabytes() -> None:
    rows, _ = read_claims(ROOT / "results" / "claims.json")
    assert 100_000 < len(index_html(rows).encode()) < 2_000_000


def test_a_page_without_rows_is_a_page() -> None:
    assert data_of(index_html([]))["rows"] == []
