"""Several workers on one GPU, beside one that does all runs in turn."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch

from benchmarks.images import cifar10
from benchmarks.machine import describe, mebibytes
from benchmarks.table import Row

ROOT = Path(__file__).parent.parent
WORKERS, EPOCHS, ROUNDS = 4, 3, 2


def test_four_workers_on_one_gpu(
    gpu: Callable[..., torch.device], record: Callable[[Row], None]
) -> None:
    work = f"8 different runs of {EPOCHS} epochs, GPU, without starting up"
    sides = f"1 worker / {WORKERS} workers"
    device = gpu(work, sides, "1.5 ×")
    record(side_by_side(work, sides, device, EPOCHS, "full"))


def side_by_side(work: str, sides: str, device: torch.device, epochs: int, scale: str) -> Row:
    """The row that sets one worker beside several, in turn."""
    times: tuple[list[float], list[float]] = [], []
    peaks = [0, 0]
    for _ in range(ROUNDS):
        for side, workers in enumerate((1, WORKERS)):
            seconds, peaks[side] = train_with(workers, device, epochs, scale)
            times[side].append(seconds)
    one, several = map(statistics.median, times)
    ratio = statistics.median(a / b for a, b in zip(*times, strict=True))
    memory = " / ".join(map(mebibytes, peaks)) if device.type == "cuda" else "not measured"
    machine = describe(device, cifar10().source)
    return Row(
        work, sides, f"{one:.1f} s", f"{several:.1f} s", f"{ratio:.1f} ×", "1.5 ×", memory, machine
    )


def train_with(workers: int, device: torch.device, epochs: int, scale: str) -> tuple[float, int]:
    """Seconds from when all workers are ready until the last is done, and their bytes together."""
    command = [sys.executable, "-m", "benchmarks.worker", str(device)]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, str(number), str(workers), str(epochs), scale],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    # One thread each, as xdist's workers have where they share the processor.
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                )
            )
            for number in range(workers)
        ]
        for worker in started:
            assert _line(worker) == "ready"
        start = time.perf_counter()
        for worker in started:
            assert worker.stdin is not None
            worker.stdin.write("start\n")
            worker.stdin.flush()
        answers = [_line(worker).split() for worker in started]
        seconds = time.perf_counter() - start
    assert all(answer[0] == "done" for answer in answers)
    return seconds, sum(int(answer[1]) for answer in answers)


def _line(worker: "subprocess.Popen[str]") -> str:
    """The next line that a worker says; it ends early only by an error, which stderr shows."""
    assert worker.stdout is not None
    line = worker.stdout.readline().strip()
    assert line, "a worker stopped; its error is above"
    return line
