"""The nine optimiser settings on Digits: our loop, and the whole suite, beside the usual loop."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.plain import digits_settings, train_plainly
from cvclaims.data.load import load
from cvclaims.training.loop import train

ROOT = Path(__file__).parent.parent
# The reference takes a minute a round on a GPU: each of its steps waits for the device.
EPOCHS_ON_GPU = 20

# A claim file that trains the nine settings over five seeds and judges them.
SUITE = """
import pytest
from benchmarks.plain import digits_settings
from cvclaims.claim import Report, claim
from cvclaims.records.measure import final

SETTINGS = {f"{r.optimizer}_{r.momentum:g}_{r.lr:g}".replace(".", "_"): r
            for r in digits_settings()}

@claim("b", "A setting differs from itself", source=Report(0, "benchmark", "Benchmark").at(""),
       recipes=lambda name: {name: SETTINGS[name]})
@pytest.mark.parametrize("name", SETTINGS)
def test_setting(runs, verdict, name):
    # Never decided, so that every setting trains all of its seeds.
    again = runs[name].measure(final("test_accuracy"), "again")
    verdict.greater(runs[name].test_accuracy, again)
"""


def test_nine_settings_on_one_thread(beside: Callable[..., float], one_thread: None) -> None:
    data = load("digits", None)
    # Three seeds: what a claim asks for first.
    runs = [(recipe, seed) for recipe in digits_settings(epochs=10) for seed in range(3)]

    def ours() -> object:
        return train(runs, data, torch.device("cpu"))

    def reference() -> object:
        return [train_plainly(recipe, seed, data) for recipe, seed in runs]

    beside("9 settings × 3 seeds on Digits, 10 epochs, one thread", ours, reference, 3)


def test_nine_settings_on_gpu(
    beside: Callable[..., float], gpu: Callable[..., torch.device]
) -> None:
    work = f"9 settings × 5 seeds on Digits, {EPOCHS_ON_GPU} epochs, GPU"
    sides = "fp32, one after the other, eager / side by side, CUDA graph"
    device = gpu(work, sides, "20 ×")
    data = load("digits", None)
    runs = [(recipe, seed) for recipe in digits_settings(EPOCHS_ON_GPU) for seed in range(5)]

    def ours() -> object:
        return train(runs, data, device)

    def reference() -> object:
        return [train_plainly(recipe, seed, data, device) for recipe, seed in runs]

    beside(work, ours, reference, 20, rounds=2, sides=sides, device=device)


def test_nine_settings_as_a_suite(beside: Callable[..., float], tmp_path: Path) -> None:
    seeds = 5
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE)

    def ours() -> None:
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
            *("--claims-seeds", str(seeds), "--claims-rerun", "--claims-device", "cpu"),
            *("--claims-store", str(tmp_path / "records"), "--claims-results", str(tmp_path)),
            str(suite),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        records = list((tmp_path / "records").rglob("*.json"))
        assert len(records) == 9 * seeds, done.stdout + done.stderr

    def reference() -> None:
        command = [sys.executable, "-m", "benchmarks.plain", str(seeds)]
        subprocess.run(command, cwd=ROOT, check=True)

    beside(
        f"9 settings × {seeds} seeds on Digits, from start to table, -n 2",
        ours,
        reference,
        6,
        rounds=1,
        memory=False,
    )
