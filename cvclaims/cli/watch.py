"""`cvclaims watch`: a session that trains, followed from another terminal."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import OutputError, add_command, columns, show, write
from cvclaims.events import Follower, State, journals

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

# Where a project's sessions keep their records, unless they are told another place.
STORES = ("results/records", ".cvclaims/results/records", ".cvclaims/evidence/records")
LOOK_SECONDS, PLAIN_SECONDS = 0.5, 30.0


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "watch", carry_out,
        summary="follow a session that trains, from another terminal",
        description="Show what the newest session of this folder trains, until it ends: pytest's, "
        "or one of `cvclaims evidence`. Of one that has ended, or died, it shows how far it came. "
        "Ctrl-C ends the watching and not the session.",
        statuses={0: "it was shown", 1: "the session died without a word"},
    )  # fmt: skip
    parser.add_argument("store", type=Path, nargs="*", help="stores (default: this folder's)")
    parser.add_argument("--session", help="this one, by the beginning of its name")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--once", action="store_true", help="show how it is now, and end")
    what.add_argument("--json", action="store_true", help="print its events so far, a line each")


def carry_out(options: argparse.Namespace) -> int:
    """Show the session; returns the exit status."""
    path = _journal(options.store or [Path(store) for store in STORES], options.session or "")
    if options.json:
        write(path.read_text(encoding="utf-8", errors="replace").rstrip("\n").split("\n"))
        return 0
    state, follower = State(), Follower(path)
    follower.into(state)
    try:
        if not options.once:
            (_follow if columns() else _print)(state, follower)
    except KeyboardInterrupt:
        return 0
    show([f"session {state.session}: {state.plan(time.time())}", *state.lines()])
    return int(state.dead(time.time()))


def _journal(stores: list[Path], session: str) -> Path:
    found = [path for path in journals(stores) if path.name.startswith(session)]
    if not found:
        named = f" called {session!r}" if session else ""
        raise OutputError(
            f"no session{named} has trained anything in {', '.join(map(str, stores))}: name its store"
        )
    return found[-1]


def _goes_on(state: State) -> bool:
    return not (state.ended or state.dead(time.time()))


def _follow(state: State, follower: Follower) -> None:
    """On a terminal: a table that is drawn anew."""
    from rich.live import Live

    with Live(state.table(time.time()), refresh_per_second=4, transient=True) as shown:
        while _goes_on(state):
            time.sleep(LOOK_SECONDS)
            follower.into(state)
            shown.update(state.table(time.time()))


def _print(state: State, follower: Follower) -> None:
    """Elsewhere: lines now and then."""
    last = -PLAIN_SECONDS
    while _goes_on(state):
        if time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            show([state.plan(time.time()), *state.lines()])
        time.sleep(LOOK_SECONDS)
        follower.into(state)
