"""`cvclaims watch`: sessions that train, followed from another terminal."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims import watching
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
        summary="follow sessions that train, from another terminal",
        description="Show what the newest session of this folder trains, until it ends: pytest's, "
        "or one of `cvclaims evidence`. Of one that has ended, or died, it shows how far it came. "
        "Ctrl-C ends the watching and not the session.",
        statuses={0: "it was shown", 1: "a session died without a word"},
    )  # fmt: skip
    parser.add_argument(
        "results", type=Path, nargs="*", metavar="RESULTS",
        help="results folders, or stores of records (default: this folder's)",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--session", default="", help="this one, by the beginning of its name")
    which.add_argument("--all", action="store_true", help="every session that goes on")
    parser.add_argument("--once", action="store_true", help="show how it is now, and end")
    parser.add_argument("--json", action="store_true", help="print the events, a line of JSON each")


def carry_out(options: argparse.Namespace) -> int:
    """Show the sessions; returns the exit status."""
    watched = [Watched(path) for path in _journals(options)]
    if options.all:
        watched = _going(watched) or watched[-1:]
    try:
        if options.json:
            return _stream(watched, once=options.once)
        if not options.once:
            (_follow if columns() else _print)(watched)
    except KeyboardInterrupt:
        return 0
    for one in watched:
        one.look()
        show(one.lines())
    return int(any(one.state.dead(time.time()) for one in watched))


class Watched:
    """A session that is watched."""

    def __init__(self, path: Path) -> None:
        self.state, self.follower = State(), Follower(path)

    def look(self) -> None:
        """Take what is new."""
        self.follower.into(self.state)

    def goes_on(self) -> bool:
        """Whether there may be more."""
        self.look()
        return not (self.state.ended or self.state.dead(time.time()))

    def lines(self) -> Iterator[str]:
        """How it is, in plain lines."""
        yield f"session {self.state.session}: {watching.whole(self.state, time.time())}"
        yield from watching.lines(self.state)
        for problem in self.state.problems:
            yield f"problem: {problem}"


def _journals(options: argparse.Namespace) -> list[Path]:
    """The journals that are asked for, the newest last; raises OutputError."""
    given = options.results or [Path(store) for store in STORES]
    for folder in options.results:
        if not folder.is_dir():
            raise OutputError(f"{folder} is no folder: name a results folder, or a store")
    stores = [inner if (inner := f / "records").is_dir() else f for f in given]
    try:
        found = journals(stores)
    except OSError as error:
        raise OutputError(f"{error.filename} cannot be read ({error.strerror})") from None
    found = [path for path in found if path.name.startswith(options.session)]
    if not found:
        named = f" called {options.session!r}" if options.session else ""
        where = ", ".join(map(str, stores))
        raise OutputError(f"no session{named} has trained anything in {where}: name its folder")
    return found if options.all else found[-1:]


def _going(watched: Sequence[Watched]) -> list[Watched]:
    """Those that go on; every one takes what is new."""
    return [one for one in watched if one.goes_on()]


def _follow(watched: Sequence[Watched]) -> None:
    """On a terminal: tables that are drawn anew."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console, encoding = Console(), sys.stdout.encoding or "utf-8"

    def tables() -> Group:
        most = max(1, console.height // len(watched) - 4)
        parts: list[object] = []
        for one in watched:
            parts += [Text(f"session {one.state.session}", style="bold")]
            parts += [watching.table(one.state, time.time(), most, encoding)]
        return Group(*parts)  # type: ignore[arg-type]

    with Live(tables(), console=console, auto_refresh=False, transient=True) as shown:
        while _going(watched):
            shown.update(tables(), refresh=True)
            time.sleep(LOOK_SECONDS)


def _print(watched: Sequence[Watched]) -> None:
    """Elsewhere: lines now and then."""
    last = -PLAIN_SECONDS
    while _going(watched):
        if time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            if not all(show(one.lines()) for one in watched):
                return
        time.sleep(LOOK_SECONDS)


def _stream(watched: Sequence[Watched], *, once: bool) -> int:
    """Events as they come; as JSON has them, whoever wrote them: escaped and whole."""
    while True:
        for one in watched:
            for event in one.follower.events():
                one.state.take(event)
                if not write([json.dumps({"session": one.follower.path.stem, **event})]):
                    return 0
        now = time.time()
        if once or all(one.state.ended or one.state.dead(now) for one in watched):
            return int(any(one.state.dead(now) for one in watched))
        time.sleep(LOOK_SECONDS)
