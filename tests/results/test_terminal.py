"""Claims as a table for a terminal."""

import pytest

from cvclaims.results.terminal import terminal_table
from tests.results.synthetic import measured, row

LONG = "A statement that goes on and on, " * 8


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 250])
def test_the_terminal_table_keeps_to_its_width(width: int) -> None:
    rows = [
        row(title=LONG, device="A device with a long name", data="Some data, re-encoded"),
        row("5.05", title=LONG, case="a_case_with_a_long_name", disputed="no", verdict="refuted"),
        row("5.06", title=LONG, verdict="error", reason="RuntimeError: " + LONG, measured={}),
        row("5.07", measured={"a_measure_with_a_very_long_name": measured(0.1, 0.2)}),
    ]
    table = terminal_table(rows, width)
    assert max(map(len, table.splitlines())) <= width
    assert table.split("\n")[0].split()[-1] in ("measured", "verdict", "scale", "device")
    for part in ("5.04", "5.05", "supported", "refuted", "RuntimeError"):
        assert part in table


def test_a_wide_terminal_shows_everything() -> None:
    table = terminal_table([row(), row("5.05", measured={}, verdict="error", reason="crash")], 106)
    assert table.splitlines() == [
        "claim    statement                       of    reported    measured         verdict    "
        "scale    device",
        "-------  ------------------------------  ----  ----------  ---------------  ---------  "
        "-------  --------",
        "5.04     Cross-entropy is more accurate  ce    0.9833      0.9813 ± 0.0032  supported  "
        "full     cpu",
        "         than MSE on Digits              mse   0.9694      0.9707 ± 0.0031             "
        "Digits",
        "                                                           3 values",
        "5.05     Cross-entropy is more accurate  ce    0.9833                       error      "
        "full     cpu",
        "         than MSE on Digits              mse   0.9694                                  "
        "Digits",
        "         crash",
    ]


def test_a_narrow_terminal_gives_the_statement_its_own_line() -> None:
    table = terminal_table([row(case="digits"), row(case="moons")], 60).splitlines()
    assert table[2] == "5.04  Cross-entropy is more accurate than MSE on Digits"
    assert table[3].startswith("digits   ce    0.9833")
    assert sum("5.04" in line for line in table) == 1


def test_no_rows_make_no_table() -> None:
    assert terminal_table([], 80) == ""
