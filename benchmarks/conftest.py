"""Benchmarks: ours beside a reference, alternating in one run, since machines are noisy.

    pytest benchmarks

Each benchmark does the same work twice a round, the reference first; the table at the end gives
the median over rounds of time(reference) / time(ours), and each side's peak memory. Rows that
need a GPU are skipped without one. With --benchmarks-write the README's table is renewed.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.table import NOT_MEASURED, Row, merge, read, render, write

ROUNDS = 5
HERE = Path(__file__).parent
MEASURED, README = HERE / "measured.json", HERE / "README.md"

_rows = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that renews the table."""
    parser.addoption(
        "--benchmarks-write",
        action="store_true",
        help="keep what is measured now in benchmarks/measured.json and benchmarks/README.md",
    )


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Hold torch to one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Enter a row into the table: `record(row)`."""
    rows: list[Row] = request.config.stash.setdefault(_rows, [])

    def enter(row: Row) -> None:
        rows.append(row)
        # At once, so that a run that is stopped keeps what it measured.
        if request.config.getoption("--benchmarks-write"):
            write(merge(read(MEASURED), rows), MEASURED, README)

    return enter


@pytest.fixture
def gpu(record: Callable[[Row], None]) -> Callable[..., Any]:
    """The GPU, for work that needs one: `gpu(work, sides, asked)` -> torch.device.

    Without one, the work is entered as not measured, and the test is skipped.
    """
    import torch

    def device(work: str, sides: str = "", asked: str = "") -> torch.device:
        if not torch.cuda.is_available():
            record(Row(work, sides, asked=asked))
            pytest.skip("no CUDA device")
        return torch.device("cuda", torch.cuda.current_device())

    return device


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s"


@dataclass
class Beside:
    """Times ours beside a reference; see the fixture `beside`."""

    benchmark: Any
    record: Callable[[Row], None]
    theirs: list[float] = field(default_factory=list)

    def __call__(
        self,
        work: str,
        ours: Callable[[], object],
        reference: Callable[[], object],
        at_least: float | None,
        rounds: int = ROUNDS,
        *,
        sides: str = "",
        device: Any = None,
        images: str = "",
        show: Callable[[float], str] = _seconds,
        memory: bool = True,
    ) -> float:
        """Enter a row and return the ratio; see the fixture."""
        from benchmarks.machine import CPU, describe, mebibytes, peak, seconds, wait

        device = device or CPU
        # This warms both up, too; other processes start cold anyway.
        peaks = [peak(side, device) if memory else None for side in (reference, ours)]

        def mine() -> None:
            ours()
            wait(device)

        # pytest-benchmark runs `setup` before each round: that makes the two alternate.
        self.benchmark.pedantic(
            mine, setup=lambda: self.theirs.append(seconds(reference, device)), rounds=rounds
        )
        times = [float(s) for s in self.benchmark.stats.stats.data]
        ratio = statistics.median(t / m for t, m in zip(self.theirs, times, strict=True))
        self.benchmark.extra_info["ratio"] = ratio
        self.record(
            Row(
                work,
                sides,
                show(statistics.median(self.theirs)),
                show(statistics.median(times)),
                f"{ratio:.1f} ×",
                f"{at_least:g} ×" if at_least else "",
                " / ".join(map(mebibytes, peaks)) if memory else NOT_MEASURED,
                describe(device, images),
            )
        )
        return ratio


@pytest.fixture
def beside(benchmark: Any, record: Callable[[Row], None]) -> Beside:
    """Time `ours` beside `reference`: `beside(work, ours, reference, at_least)` -> the ratio.

    Also takes `sides`, what is special of each (see `Row`); the `device` that has to be waited
    for; which `images` were trained on; how to `show` seconds; and `memory=False` where the work
    is done by other processes, whose memory is not seen from here.
    """
    return Beside(benchmark, record)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The table of this run; with --benchmarks-write also the README's."""
    rows = config.stash.get(_rows, [])
    if not rows:
        return
    terminalreporter.section("ours beside a reference")
    terminalreporter.write_line(render(rows))
    if config.getoption("--benchmarks-write"):
        terminalreporter.write_line(f"written to {README.name} and {MEASURED.name}")
