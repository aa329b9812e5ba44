"""Rows and records as a session would make them, without training anything."""

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from cvclaims.recipe import CURVES, Recipe
from cvclaims.records.record import TRAINING_REVISION, Origin, Record, rounded, run_key
from cvclaims.results.view import ClaimView, Measured
from cvclaims.scales import scaled

DIGITS = Recipe(data="digits", lr=0.001, epochs=30, optimizer="adamw", batch_size=64)
MOONS = Recipe(
    data="moons",
    lr=0.01,
    epochs=300,
    optimizer="adamw",
    batch_size=None,
    probes=("units", "boundary"),
)
CE = DIGITS
MSE = DIGITS.but(loss="softmax_mse")
RELU = MOONS
LEAKY = MOONS.but(model_args={"activation": "leaky_relu"})
SIGMOID = MOONS.but(model_args={"activation": "sigmoid"})
SHORT = MOONS.but(epochs=4)
CONVOLUTIONAL = Recipe(data="cifar10", model="vgg", lr=0.01, epochs=50, batch_size=128)
CLASSES = CONVOLUTIONAL.class_names


def record(recipe: Recipe, seed: int = 0, *, diverged: bool = False, **changes: Any) -> Record:
    """A record with plausible curves and every probe that its recipe asks for."""
    rng = random.Random(f"{recipe.digest} {seed}")
    epochs = max(2, recipe.epochs // 3) if diverged else recipe.epochs
    speed = rng.uniform(3, 5) * (0.3 if recipe.model_args.get("activation") == "sigmoid" else 1)
    fit = [1 - math.exp(-speed * (e + 1) / epochs) for e in range(epochs)]
    accuracy = [min(1.0, 0.5 + 0.45 * f + rng.uniform(-0.01, 0.01)) for f in fit]
    loss = [2.3 * (1 - 0.98 * f) * rng.uniform(0.95, 1.05) for f in fit]
    if diverged:
        loss[-1] = math.nan
    curves = {
        "train_loss": loss,
        "train_accuracy": [0.98 * x + 0.02 for x in accuracy],
        "test_loss": [x * 1.1 for x in loss],
        "test_accuracy": accuracy,
        "lr": [recipe.lr * recipe.gamma**e for e in range(epochs)],
        "seconds": [0.5] * epochs,
    }
    fields: dict[str, Any] = {
        "trained": recipe,
        "seed": seed,
        "scale": "full",
        "status": "diverged" if diverged else "finished",
        "series": {name: rounded(curves[name]) for name in CURVES},
        "numbers": {"parameters": 50_000, "images_per_second": 12_345.0},
        "probes": rounded(probes(recipe, fit, rng)),
        "origin": origin(),
    }
    return Record(**fields | changes)


def classifier(seed: int = 0, recipe: Recipe = CONVOLUTIONAL, **changes: Any) -> Record:
    """A record of a network whose accuracies fall from class to class."""
    names = recipe.class_names
    rng = random.Random(seed)
    shares = {
        f"class_accuracy.{name}": rounded(0.9 - 0.05 * i + rng.uniform(-0.02, 0.02))
        for i, name in enumerate(names)
    }
    return record(
        recipe, seed, numbers={"parameters": 9, "images_per_second": 1.0, **shares}, **changes
    )


def probes(recipe: Recipe, fit: Sequence[float], rng: random.Random) -> dict[str, Any]:
    norm = [5 * (1.02 - f) * rng.uniform(0.8, 1.2) for f in fit]
    found: dict[str, Any] = {
        "gradient_norm": norm,
        "gradient_norms": {"0.weight": norm},
        "gradient_mean_abs": [x / 1000 for x in norm],
    }
    if "units" in recipe.probes:
        found |= units(recipe.model_args["activation"], fit, rng)
    if "boundary" in recipe.probes:
        found["boundary"] = boundary(rng)
    return found


def units(activation: str, fit: Sequence[float], rng: random.Random) -> dict[str, Any]:
    high = {"layer1": 0.85, "layer2": 0.55}
    share = {layer: [0.3 + (top - 0.3) * f for f in fit] for layer, top in high.items()}
    dead = {
        layer: [0.2 * x if activation == "relu" else 0.0 for x in part]
        for layer, part in share.items()
    }
    low, top = {"relu": (0.0, 4.0), "leaky_relu": (-0.1, 4.0)}.get(activation, (0.0, 1.0))
    edges = [low + (top - low) * i / 40 for i in range(41)]
    weights = [math.exp(-i / 6) * rng.uniform(0.7, 1.3) for i in range(40)]
    weights[1 if low < 0 else 0] += 20
    total = sum(weights)
    histogram = {"edges": edges, "counts": [w / total for w in weights]}
    return {
        "non_positive": share if activation != "sigmoid" else {k: [0.0] * len(fit) for k in share},
        "dead": dead,
        "histograms": {"layer1": histogram, "layer2": histogram},
    }


def boundary(rng: random.Random, size: int = 40) -> dict[str, Any]:
    bend, shift = rng.uniform(0.8, 1.2), rng.uniform(-0.2, 0.2)
    axis = [-2.5 + 5 * i / (size - 1) for i in range(size)]
    grid = [
        [1 / (1 + math.exp(4 * (y - bend * math.sin(1.5 * x) - shift))) for x in axis] for y in axis
    ]
    return {"x": [-2.5, 2.5], "y": [-2.5, 2.5], "probability": grid}


def origin(**changes: Any) -> Origin:
    fields: dict[str, Any] = {
        "commit": "0" * 40,
        "cvclaims": "0.1.0",
        "torch": "2.11",
        "python": "3.11",
        "device": "cpu",
        "host": "x86_64",
        "threads": 1,
        "stacked": 1,
        "data": "Digits",
        "fingerprint": "f" * 64,
        "stand_in": False,
    }
    return Origin(**fields | changes)


def measured(*values: float) -> Measured:
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": std, "n": len(values), "values": [*values]}


def row(id: str = "5.04", **changes: Any) -> ClaimView:
    """A row of report 5; a claim without runs unless `evidence` is given."""
    fields: dict[str, Any] = {
        "id": id,
        "title": "Cross-entropy is more accurate than MSE on Digits",
        "report": "losses",
        "rule": "greater(0)",
        "verdict": "supported",
        "disputed": None,
        "scale": "full",
        "reported": {"ce": 0.9833, "mse": 0.9694},
        "measured": {"ce": measured(0.98, 0.985, 0.979), "mse": measured(0.97, 0.968, 0.974)},
        "device": "cpu",
        "data": "Digits",
        "reason": "difference 0.01067, at least 0.0031 (n = 3, 3); must exceed 0",
        "report_number": 5,
        "report_title": "Computer Vision HW3",
        "source": "Experiment A",
    }
    return ClaimView(**fields | changes)


def judged(id: str, trained: Mapping[str, Recipe], seeds: int = 3, **changes: Any) -> ClaimView:
    """A row that rests on records of these recipes, one for each seed."""
    data = origin().fingerprint
    digests = {
        scale: {name: scaled(r, scale).digest for name, r in trained.items()}
        for scale in ("smoke", "reduced", "full")
    }
    given = {
        "evidence": {n: [run_key(r, s, data) for s in range(seeds)] for n, r in trained.items()},
        "recipes": digests,
        "revision": TRAINING_REVISION,
    }
    return row(id, **given | changes)


class Shelf:
    """A store in memory that counts how often it was asked."""

    def __init__(self, *recipes: Recipe, seeds: int = 3) -> None:
        made = [record(recipe, seed) for recipe in recipes for seed in range(seeds)]
        self.records = {r.key: r for r in made}
        self.asked = 0

    def __call__(self, of: ClaimView) -> dict[str, list[Record]]:
        self.asked += 1
        return {
            name: [self.records[key] for key in keys if key in self.records]
            for name, keys in of.evidence.items()
        }
