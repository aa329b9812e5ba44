"""Kill training at random moments and take it up again: python tests/kills.py (some minutes).

Of each kind of network processes that train are killed twenty times by SIGKILL, at moments drawn
from a seed; every record has to be that of a run which nobody killed, bit for bit, times aside.
"""

import dataclasses
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path

from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store
from cvclaims.training import checkpoint
from tests.engines.standin import engine
from tests.engines.test_resume import KINDS, timeless

KILLS, SEED = 20, 2026
# Long enough to be met in the midst of it.
EPOCHS = {"a stack of perceptrons": 300, "inception": 12}

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.kills"])


def longer(kind: str) -> list[Recipe]:
    """The kind's recipes with enough epochs to be killed in."""
    epochs = EPOCHS.get(kind, 20)
    return [r.but(epochs=epochs, patience=r.patience and epochs) for r in KINDS[kind]]


def carried_out(kind: str, root: Path, seed: int) -> list[Record]:
    """Train the kind with a seed, saving at every chance, or read what is there."""
    import torch

    torch.set_num_threads(1)
    checkpoint.EVERY_SECONDS = 0.0
    runs = [Run(recipe, seed, "smoke") for recipe in longer(kind)]
    return engine(Store(root)).records(runs)


def learned(record: Record) -> str:
    """A record without times, and whatever commit the working tree was at meanwhile."""
    origin = dataclasses.replace(record.origin, commit="", claims="")
    return timeless(dataclasses.replace(record, origin=origin))


def killed(kind: str, root: Path, kills: int, chance: random.Random) -> tuple[int, int]:
    """Train seed after seed until so many processes were killed; the seeds, and the kills."""
    begun = time.monotonic()
    carried_out(kind, root / "pace", 999)
    whole, done, seed = time.monotonic() - begun, 0, 0
    while True:
        process = context.Process(target=carried_out, args=(kind, root / "killed", seed))
        process.start()
        process.join(chance.uniform(0.05, 0.6) * whole if done < kills else None)
        if process.is_alive():
            process.kill()
            process.join()
            done += 1
            continue
        assert process.exitcode == 0, f"{kind}, seed {seed}: it ended with {process.exitcode}"
        seed += 1
        if done >= kills:
            return seed, done


def main(kinds: list[str]) -> int:
    """Try each kind; the number of those whose records were not the same."""
    wrong = 0
    for kind in kinds or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            seeds, done = killed(kind, root, KILLS, random.Random(f"{SEED} {kind}"))
            lost = 0
            for seed in range(seeds):
                again = carried_out(kind, root / "killed", seed)
                whole = carried_out(kind, root / "whole", seed)
                lost += list(map(learned, again)) != list(map(learned, whole))
        print(f"{kind}: {done} kills over {seeds} runs, {lost} records lost or changed", flush=True)
        wrong += lost > 0
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
