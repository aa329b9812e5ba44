"""Claims as Markdown."""

import re

import pytest

from cvclaims.results.markdown import claims_table, plain, why
from cvclaims.results.terminal import terminal_table
from cvclaims.results.view import ClaimView
from cvclaims.verdict.decision import SYMBOLS, Verdict, in_words
from tests.results.synthetic import CE, MSE, judged, row


def cells(line: str) -> list[str]:
    return [cell.strip(" ") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def lines_of(*rows: ClaimView) -> list[list[str]]:
    return [
        cells(line)
        for line in claims_table(
            rows, {row.place: f"claims/{row.id}.md" for row in rows}
        ).splitlines()[2:]
    ]


def test_every_verdict_has_its_own_symbol_and_word() -> None:
    assert set(SYMBOLS) == set(Verdict)
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)


def test_a_disputed_claim_says_what_its_verdict_means() -> None:
    told = [in_words(v, "a tie") for v in ("refuted", "supported", "ran")]
    assert told == [
        "refuted (disputed, as expected)",
        "supported (disputed: a surprise)",
        "ran (disputed)",
    ]


def test_markdown_of_one_row() -> None:
    one = judged("5.04", {"ce": CE, "mse": MSE}, case="digits", reason="difference 0.01; n = 3, 3")
    assert lines_of(one) == [
        [
            "[**5.04**](claims/5.04.md)<br>digits",
            "Cross-entropy is more accurate than MSE on Digits",
            "<sub>ce</sub>\xa00.9833<br><sub>mse</sub>\xa00.9694",
            "<sub>ce</sub>\xa00.9813\xa0±\xa00.0032<br><sub>mse</sub>\xa00.9707\xa0±\xa00.0031"
            "<br><sub>3 seeds</sub>",
            "✓\xa0supported",
            "full",
        ]
    ]


def test_markdown_of_a_row_without_numbers() -> None:
    (line,) = lines_of(row(verdict="ran", reported={}, measured={}, device="", data=""))
    assert line[2:] == ["–", "–", "·\xa0ran", "full"]


def test_the_statement_is_said_once_for_all_cases_of_a_claim() -> None:
    first, second, other = lines_of(row(case="a"), row(case="b"), row("5.05", case="b"))
    assert [line[1] for line in (first, second, other)] == [row().title, "", row().title]


def test_text_cannot_break_the_table_or_the_page() -> None:
    nasty = "a | b\nc <script> *x* `y` [z](u) _w_ a_b $1$ ~~s~~ \\ &amp;"
    (line,) = lines_of(row(title=nasty, case="x|y", failure=nasty))
    assert len(line) == 6
    assert "<script>" not in line[1]
    assert plain(nasty) == (
        r"a \| b c &lt;script&gt; \*x\* \`y\` \[z\](u) \_w\_ a_b &#36;1&#36; \~\~s\~\~ \\ &amp;amp;"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](http://a.b/c.png)", r"!\[x\](http:<!-- -->//a.b/c.png)"),
        ("see HTTPS://a.b or www.a.b", "see HTTPS:<!-- -->//a.b or www<!-- -->.a.b"),
        ("@name a@b.c #12", "@<!-- -->name a@<!-- -->b.c #<!-- -->12"),
        ("# head", r"\# head"),
        ("#12", r"\#<!-- -->12"),
        ("- item", r"\- item"),
        ("--- rule", r"\--- rule"),
        ("1. item", r"1\. item"),
        ("5.04 and 3×3", "5.04 and 3×3"),
        ("[a]: http", r"\[a\]: http"),
        ("a<!-- b -->", "a&lt;!-- b --&gt;"),
        ("\x1b[31m\u202ex\n\udc80", r"\\x1b\[31m\\u202ex \\udc80"),
    ],
)
def test_text_makes_no_link_no_picture_and_no_heading(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_failure_stands_beside_the_verdict() -> None:
    (line,) = lines_of(row(failure="RuntimeError: out | of memory; try --claims-device cpu"))
    assert line[4] == (
        r"✓\xa0supported<br><sub>last try failed: RuntimeError: out \| of memory</sub>".replace(
            r"\xa0", "\xa0"
        )
    )
    assert "last try failed: RuntimeError" in terminal_table([row(failure="RuntimeError")], 120)


GPU = "it wants a GPU and there is none here; try it with --claims-scale smoke, or later"
OPEN = "no more than 3 seeds: no record of seed 3; run without --claims-replay to train it"


@pytest.mark.parametrize(
    ("verdict", "reason", "shown"),
    [
        ("not evaluated", GPU, "it wants a GPU and there is none here"),
        ("inconclusive", f"{OPEN}; 9 stand for: no", OPEN.split("; ")[0] + "; 9 stand for: no"),
        (
            "not evaluated",
            "it rests on no records; run without --claims-replay",
            "it rests on no records",
        ),
        (
            "not evaluated",
            "the grid lacks VGG11, 8, 16: run without --claims-replay",
            "the grid lacks VGG11, 8, 16",
        ),
        ("not evaluated", "run --claims-replay", "no record at full scale: not trained so far"),
        ("not evaluated", "", "no record at full scale: not trained so far"),
    ],
)
def test_the_page_gives_no_advice_on_options(verdict: str, reason: str, shown: str) -> None:
    one = judged("5.04", {"ce": CE}, verdict=verdict, reason=reason)
    assert why(one) == shown


def test_a_long_statement_is_cut_in_the_table() -> None:
    (line,) = lines_of(row(title="x" * 1000))
    assert len(line[1]) < 400
    assert "…" in line[1]
