"""Benchmarks: ours beside a reference, alternating in one run, since machines are noisy.

    pytest benchmarks

Each benchmark does the same work twice a round, the reference first; the table at the end gives
the median over rounds of time(reference) / time(ours), and each side's peak memory.
"""

import resource
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ROUNDS = 5
_rows = pytest.StashKey[list[list[str]]]()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Hold torch to one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def beside(
    request: pytest.FixtureRequest, benchmark: Any
) -> Callable[[str, Callable[[], object], Callable[[], object], float], float]:
    """Time `ours` beside `reference`: `beside(work, ours, reference, at_least)` -> the ratio."""

    def compare(
        work: str,
        ours: Callable[[], object],
        reference: Callable[[], object],
        at_least: float,
        rounds: int = ROUNDS,
    ) -> float:
        theirs: list[float] = []

        def time_reference() -> None:
            start = time.perf_counter()
            reference()
            theirs.append(time.perf_counter() - start)

        # pytest-benchmark runs `setup` before each round: that makes the two alternate.
        benchmark.pedantic(ours, setup=time_reference, rounds=rounds, warmup_rounds=1)
        # The warm-up has a setup of its own, so the last `rounds` times belong to the rounds.
        mine = [float(seconds) for seconds in benchmark.stats.stats.data]
        ratios = [t / m for t, m in zip(theirs[-rounds:], mine, strict=True)]
        ratio = float(statistics.median(ratios))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        row = [
            work,
            f"{statistics.median(theirs[-rounds:]):.2f} s",
            f"{statistics.median(mine):.2f} s",
            f"{ratio:.1f} ×",
            f"{at_least:g} ×",
            f"{memory:,.0f} MiB",
        ]
        benchmark.extra_info["ratio"] = ratio
        request.config.stash.setdefault(_rows, []).append(row)
        return ratio

    return compare


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The table."""
    from tabulate import tabulate

    rows = config.stash.get(_rows, [])
    if rows:
        head = ["work", "reference", "ours", "ratio", "asked", "peak memory of the process"]
        terminalreporter.section("ours beside a reference")
        terminalreporter.write_line(tabulate(rows, headers=head, tablefmt="github"))
