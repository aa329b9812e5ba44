"""How long training takes on a device, from a few timed steps on random data."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from cvclaims.data.dataset import Arrays, Dataset, PerChannel, from_arrays
from cvclaims.models import stacks
from cvclaims.recipe import Recipe
from cvclaims.specs import DatasetSpec
from cvclaims.training.session import Session
from cvclaims.training.timing import seconds_of, wait_for

# On a CPU the time of a step is taken at these sizes of a batch, the smaller ones first, until a
# step takes long enough; it grows with the images of a batch from there, in a straight line.
SIZES = (2, 8, 32, 128)
LONG_ENOUGH = 0.3
TRIES = 3
# A perceptron's time for a batch is taken at that size; of a larger one its share.
LARGEST_BATCH = 4096
TESTED_IMAGES, TESTED = 16, 500


@dataclass(frozen=True)
class Pace:
    """Seconds that a session of one or more networks takes.

    Attributes:
        step: for each step, whatever its batch.
        image: for each training image.
        tested: for each image that the networks are tested on.
        networks: how many train side by side in these times.
    """

    step: float
    image: float
    tested: float
    networks: int = 1

    def seconds(self, recipe: Recipe, epochs: int) -> float:
        """One network's share of a training of so many epochs; without its start."""
        samples = recipe.train_samples
        steps = math.ceil(samples / (recipe.batch_size or samples))
        tests = epochs * (recipe.test_samples + recipe.held_out)
        if "evaluated_train_accuracy" in recipe.probes:
            tests += samples
        training = epochs * (steps * self.step + samples * self.image)
        return (training + tests * self.tested) / self.networks


def alike(recipe: Recipe) -> Recipe:
    """Recipes that are equal under this take as long for an epoch: they differ in what is learned.

    Whether a perceptron stops early decides whether it trains in a stack.
    """
    return recipe.but(
        init="default",
        loss="cross_entropy" if recipe.class_names else recipe.loss,
        metrics={},
        lr=1.0,
        momentum=recipe.momentum and 0.9,
        weight_decay=recipe.weight_decay and 1e-4,
        scheduler=None,
        gamma=1.0,
        step_size=None,
        warmup=0,
        epochs=1,
        patience=recipe.patience and 1,
        pixels="standardised",
        own_seeds=False,
        assumed=(),
    )


def kind(recipe: Recipe, device: torch.device) -> Recipe:
    """Recipes that are equal under this have one pace on a device.

    A CPU's steps take time in proportion to their images, beyond what each step takes; a GPU's
    may take as long for few as for many.
    """
    batch = recipe.batch_size
    if not recipe.network.flat and device.type == "cpu":
        batch = SIZES[-1]
    return alike(recipe).but(
        classes=(),
        train_size=None,
        test_size=None,
        held_out=0,
        monitor="test_loss",
        patience=(recipe.patience and 1) if recipe.network.flat else None,
        batch_size=batch or recipe.train_samples,
        probes=tuple(name for name in recipe.probes if name == "units"),
    )


def pace(kind: Recipe, device: torch.device, beside: int = 1) -> Pace:
    """The pace of recipes of a `kind`; perceptrons in a stack of `beside`, if they are stacked.

    It takes about a second on a CPU: a few steps on random data. Raises torch.OutOfMemoryError
    where the device cannot hold a batch.
    """
    images = not kind.network.flat
    batch = min(kind.batch_size or kind.train_samples, LARGEST_BATCH)
    # Where it is all samples, as of a small set, no other size can be tried.
    samples = min(2 * batch, kind.dataset.train)
    tests = min(TESTED_IMAGES if images and device.type == "cpu" else TESTED, kind.test_samples)
    recipe = kind.but(batch_size=batch, train_size=samples, test_size=tests)
    networks = beside if stacks(recipe) else 1
    data = random_data(recipe.dataset, samples, tests)
    session = Session([(recipe, seed) for seed in range(networks)], data, device)
    one_size = session.batches.whole or device.type != "cpu"
    sizes = (batch,) if one_size else (*takewhile(lambda size: size < batch, SIZES), batch)
    with session.running():
        session.batches.shuffle()
        session.train_batch(sizes[0])
        times: list[float] = []
        for size in sizes:
            times.append(_least(partial(session.train_batch, size), device))
            if len(times) > 1 and times[-1] > LONG_ENOUGH:
                break
        tested = _least(session.test, device) / tests
    step, image = line(list(zip(sizes, times, strict=False)))
    return Pace(step, image, tested, networks)


def random_data(spec: DatasetSpec, train: int, test: int) -> Dataset:
    """So many random samples in the shape of a data set, so that it need not be here."""
    facts = spec.facts
    generator = np.random.default_rng(0)

    def part(count: int) -> Arrays:
        labels: np.ndarray[Any, Any] = np.arange(count) % max(1, len(facts.classes))
        if facts.targets:
            labels = generator.random((count, facts.targets), np.float32)
        x = generator.integers(0, 256, (count, *facts.shape), np.uint8)
        return x if images else x.astype(np.float32) / 255, labels

    images = len(facts.shape) == 3
    # Of several channels each has numbers of its own.
    middle: PerChannel = (0.5,) * facts.shape[0] if images and facts.shape[0] > 1 else 0.5
    return from_arrays(
        spec.name,
        part(train),
        part(test),
        mean=middle if images else 0.0,
        std=middle if images else 1.0,
        source=spec.title,
        classes=facts.classes,
        stand_in=True,
    )


def _least(work: Callable[[], object], device: torch.device) -> float:
    """The least seconds of a few tries: whatever else runs here can only make it longer."""

    def once(_: int) -> None:
        work()

    times: list[float] = []
    while len(times) < TRIES and sum(times) < LONG_ENOUGH:
        times.append(seconds_of(once, 1, lambda: wait_for(device)))
    return min(times)


def line(points: list[tuple[int, float]]) -> tuple[float, float]:
    """The seconds of a step and of each of its images, from the last two of (images, seconds)."""
    size, seconds = points[-1]
    if len(points) == 1:
        return 0.0, seconds / size
    smaller, quicker = points[-2]
    image = max(0.0, (seconds - quicker) / (size - smaller))
    # Noise may make the smaller batch the faster by more than its share.
    image = min(image, seconds / size)
    return seconds - image * size, image
