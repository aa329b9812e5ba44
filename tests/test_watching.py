"""How a session's state is shown: plain lines, and a table for a terminal."""

import re
from typing import Any

import pytest

from cvclaims.events import SILENCE_SECONDS, State
from cvclaims.text import cells
from cvclaims.watching import drawn, duration, lines, whole
from tests.test_events import GONE, begin, event, progress, state_of


def plain(state: State, width: int = 120, height: int = 24, encoding: str = "utf-8") -> list[str]:
    """The table without the codes of bold letters."""
    shown = drawn(state, 100.0, (width, height), encoding)
    return [re.sub(r"\x1b\[[\d;]*m", "", line) for line in shown]


def test_plain_lines() -> None:
    state = state_of(begin(), begin("gw1"), progress(), progress("gw1", beside=2, steps=0, rate=0))
    assert lines(state) == [
        "claim 1.1: ours: mlp on digits, seed 0: epoch 3/9, accuracy 0.9877, 12,345 images/s, "
        "7 s left",
        "claim 1.1: ours: mlp on digits, seed 0 (+2 beside it): step 3, accuracy 0.9877, 7 s left",
    ]


@pytest.mark.parametrize(
    ("happened", "at", "expected"),
    [
        ([], 100.0, "(0 trained), 0 s so far"),
        ([event("end", 160.0)], 200.0, "(0 trained), 1 min so far, ended"),
        (
            [progress(done="failed", at=160.0)],
            161.0,
            "(0 trained, 1 crashed), 1 min so far",
        ),
        (
            [progress(done="finished", at=160.0)],
            161.0,
            "(1 trained), 1 min so far, about 3 min left",
        ),
        (
            [],
            101.0 + SILENCE_SECONDS,
            "(0 trained), 0 s so far, silent for 10 min: a long epoch, or it hangs",
        ),
    ],
)
def test_the_whole(happened: list[dict[str, Any]], at: float, expected: str) -> None:
    state = state_of(begin(), *happened)
    assert whole(state, at).startswith("0 of 9 claims judged, ")
    assert whole(state, at).partition("of 4 runs ")[2] == expected


def test_a_dead_session_is_told_as_dead() -> None:
    state = state_of(begin(pid=GONE), progress())
    assert whole(state, 225.0).endswith("no sign of life for 2 min: its processes are gone")


def test_the_table() -> None:
    state = state_of(begin(), progress(), progress("gw1", claim="1.2 moons", seed=4, beside=2))
    head, first, second, told = plain(state)
    columns = [*(r"claim", "what trains", "seed", "epoch", "so far", "images/s", "left")]
    assert re.split("  +", head.strip())[0].startswith("claim")
    assert all(name in head for name in columns)
    assert re.fullmatch(r"1\.1 +ours: mlp on digits +0 +3/9 +accuracy 0\.988 +12,345 +7 s *", first)
    assert re.match(r"1\.2 moons +ours: mlp on digits +4 \+2 ", second)
    assert told.startswith("0 of 9 claims judged")


@pytest.mark.parametrize("width", [10, 20, 40, 80, 120])
def test_a_table_is_no_wider_than_the_terminal(width: int) -> None:
    wide = {f"a number of a long name {n}": n / 7 for n in range(9)}
    state = state_of(
        begin(), progress(what="모델 " * 40, numbers=wide), progress("gw1", claim="9" * 50)
    )
    for encoding in ("utf-8", "ascii"):
        shown = plain(state, width, encoding=encoding)
        assert max(map(cells, shown)) < max(width, 21)
        assert encoding == "utf-8" or "".join(shown).isascii()


def test_a_low_terminal_still_shows_the_whole() -> None:
    state = state_of(begin(), *(progress(f"gw{n}") for n in range(30)))
    shown = plain(state, height=10)
    assert len(shown) <= 10
    assert shown[-2].strip() == "and 24 more"
    assert shown[-1].startswith("0 of 9 claims judged")


def test_no_text_steers_the_terminal() -> None:
    state = state_of(begin(), progress(claim="1\x1b[2J", what="[red]a\x1b]0;x\x07\nb", arm="\x9b"))
    for told in ("".join(plain(state)), "".join(lines(state))):
        assert told.isprintable()
        assert "[red]a" in told  # no markup of rich's


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (3_600 + 300, "1 h 05 min"), (-3, "0 s")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
