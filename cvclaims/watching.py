"""A session's state as whoever watches sees it: plain lines, or a table for a terminal."""

from typing import TYPE_CHECKING

from cvclaims.events import SILENCE_SECONDS, Active, State
from cvclaims.text import clean, encodable, shortened

if TYPE_CHECKING:
    from rich.table import Table

# What else stands in a line has to have room, too.
LONGEST = 200
# The heads of the table, and which of them have numbers.
COLUMNS = {
    "claim": False,
    "what trains": False,
    "seed": True,
    "epoch": True,
    "so far": False,
    "images/s": True,
    "left": True,
}


def whole(state: State, now: float) -> str:
    """How far all of it is, in one line; `now` in seconds since 1970."""
    parts = [f"{len(state.judged)} of {state.claims} claims judged"] if state.claims else []
    trained = f"{state.trained} trained" + (f", {state.failed} crashed" if state.failed else "")
    parts.append(f"{len(state.held)} of {state.runs} runs ({trained})" if state.runs else trained)
    parts.append(f"{duration(state.last - state.begun)} so far")
    silent = now - state.last
    if state.ended:
        parts.append("ended")
    elif state.dead(now):
        parts.append(f"no sign of life for {duration(silent)}: its processes are gone")
    else:
        left = state.left()
        parts += [f"about {duration(left)} left"] if left is not None else []
        quiet = silent > SILENCE_SECONDS
        parts += [f"silent for {duration(silent)}: a long epoch, or it hangs"] if quiet else []
    return ", ".join(parts)


def lines(state: State) -> list[str]:
    """What trains, a plain line each."""
    return [_line(run) for _, run in sorted(state.active.items())]


def _line(run: Active) -> str:
    of = run.progress
    parts = [f"epoch {of.step}/{of.steps}"] if of.steps else [f"step {of.step}"]
    parts += [f"{name} {value:.4g}" for name, value in of.numbers.items()]
    parts += [f"{of.rate:,.0f} images/s"] if of.rate else []
    parts += [f"{duration(of.left)} left"] if of.left is not None else []
    beside = f" (+{of.beside} beside it)" if of.beside else ""
    what = shortened(clean(f"claim {run.claim}: {_what(run)}"), LONGEST)
    return f"{what}, seed {of.seed}{beside}: {shortened(clean(', '.join(parts)), LONGEST)}"


def _what(run: Active) -> str:
    return f"{run.arm}: {run.progress.what}" if run.arm else run.progress.what


def table(state: State, now: float, most: int, encoding: str) -> "Table":
    """What trains and how far all of it is, for a terminal; of so many runs at most."""
    from rich.table import Table
    from rich.text import Text

    def fit(text: str) -> Text:
        return Text(shortened(encodable(clean(text), encoding), LONGEST))

    caption = Text(whole(state, now), style="dim")
    made = Table(box=None, padding=(0, 1, 0, 0), expand=True, caption=caption)
    made.caption_justify = "left"
    for name, right in COLUMNS.items():
        made.add_column(
            name,
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis" if encodable("…", encoding) == "…" else "crop",
            ratio=1 if name == "what trains" else None,
            min_width=6 if name == "left" else None,
            max_width=24 if name in ("claim", "so far") else None,
        )
    runs = [run for _, run in sorted(state.active.items())]
    for run in runs[:most]:
        made.add_row(*map(fit, _cells(run)))
    if len(runs) > most:
        made.add_row("", Text(f"and {len(runs) - most} more"))
    return made


def _cells(run: Active) -> tuple[str, ...]:
    of = run.progress
    return (
        run.claim,
        _what(run),
        f"{of.seed} +{of.beside}" if of.beside else str(of.seed),
        f"{of.step}/{of.steps}" if of.steps else str(of.step),
        ", ".join(f"{name} {value:.3g}" for name, value in of.numbers.items()),
        f"{of.rate:,.0f}" if of.rate else "",
        duration(of.left) if of.left is not None else "",
    )


def drawn(state: State, now: float, size: tuple[int, int], encoding: str) -> list[str]:
    """The table as lines for a terminal of so many columns and lines, with their codes."""
    from rich.console import Console

    width, height = max(20, size[0] - 1), max(1, size[1] - 4)
    console = Console(width=width, force_terminal=True, legacy_windows=False)
    with console.capture() as captured:
        console.print(table(state, now, height, encoding))
    return captured.get().rstrip("\n").split("\n")


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 05 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
