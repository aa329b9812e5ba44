"""No character that steers, hides or does not encode gets through."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.text import cells, clean, encodable, fit, padded, wrapped

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x00", r"a\x1b[31mred\x00"),
        ("tabs\tand\r\nlines\u2028of\u2029two\x85", "tabs and lines of two"),
        ("  wide \u3000\u00a0 room ", "wide room"),
        ("\x1c\x1f\x7f\x9b", r"\x1c\x1f\x7f\x9b"),
        ("folder\udc80", r"folder\udc80"),
        ("\ud83d\ude00", r"\ud83d\ude00"),
        ("gnp.\u202etxt\u2066\u200f\u061c", r"gnp.\u202etxt\u2066\u200f\u061c"),
        ("zero\u200bwidth\u200d\ufeff\u00ad", r"zero\u200bwidth\u200d\ufeff\xad"),
        ("\ufffe\ue000\U000e0041\U0010ffff", r"\ufffe\ue000\U000e0041\U0010ffff"),
        ("größer, ≤ 3×3, 模型, नमस्ते, e\u0301, ☀️, 🎉", "größer, ≤ 3×3, 模型, नमस्ते, e\u0301, ☀️, 🎉"),
        (r"C:\new \x1b $x$", r"C:\new \x1b $x$"),
        ("", ""),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.characters(codec=None)))
def test_whatever_comes_is_one_line_that_encodes(text: str) -> None:
    shown = clean(text)
    assert HIDDEN.isdisjoint(map(unicodedata.category, shown))
    assert "  " not in shown
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert clean(shown) == shown


@given(st.characters(codec="utf-8"))
def test_what_can_be_seen_stays(char: str) -> None:
    if unicodedata.category(char) not in {*HIDDEN, "Zs"}:
        assert clean(char) == char


def test_what_an_encoding_lacks_is_replaced_or_escaped() -> None:
    assert encodable("0.98 ± 0.01 → …, 模", "utf-8") == "0.98 ± 0.01 → …, 模"
    assert encodable("0.98 ± 0.01 → …, 模", "ascii") == r"0.98 +- 0.01 -> ..., \u6a21"


def test_columns_are_those_of_a_terminal() -> None:
    assert [cells(text) for text in ("mlp", "模型", "e\u0301", "ｱ", "🎉", "")] == [3, 4, 1, 1, 2, 0]
    assert [fit("模型mlp", width) for width in (-1, 0, 1, 2, 3, 5, 9)] == [
        *("", "", "", "模", "模", "模型m", "模型mlp")
    ]
    assert fit("e\u0301e", 1) == "e\u0301"
    assert (padded("模型", 6), padded("模型", 6, right=True)) == ("模型  ", "  模型")


def test_lines_break_at_spaces_and_beside_wide_letters() -> None:
    assert wrapped("模型模型模型 mlp", 8, "  ") == ["模型模型", "  模型", "  mlp"]
    assert wrapped("a  b cc", 4, " ") == ["a  b", " cc"]
    assert wrapped("a/very-long/path b", 4, "") == ["a/very-long/path", "b"]
    assert wrapped("", 4, "") == []


@given(st.text(alphabet="ab 模型e\u0301"), st.integers(4, 20))
def test_wrapping_loses_no_letter(text: str, width: int) -> None:
    lines = wrapped(text, width, " ")
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cells(line) <= width for line in lines if len(line.split()) > 1)
