"""The state of one stack in training, and what one step and one test of it are.

On CUDA the whole step (draw the batch, augment, forward, backward, update, add up) is captured in
a CUDA graph, one for each batch size that occurs, and so is the test. Elsewhere the same functions
run as they are written.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from cvclaims.data.dataset import Dataset
from cvclaims.models import Lone, build_for, stack
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.training.allocator import keep_memory
from cvclaims.training.batches import Batches
from cvclaims.training.graph import Graphs, Kept, collected, put
from cvclaims.training.losses import LOSSES
from cvclaims.training.optim import Optimizers
from cvclaims.training.pinned import pinned
from cvclaims.training.precision import autocast, matrix_units, precision_on
from cvclaims.training.probes import Gradients, Units

# Samples tested at once: perceptrons are wide batches of small products, images need memory.
TEST_BATCH = 2_000
TEST_IMAGES = 500


class Session:
    """Networks of recipes that are equal under `loop.stackable`, with everything they train by.

    Use it inside `with session.running():`.

    Args:
        runs: (recipe, seed) of each network.
        data: the whole data set; the recipe says which part of it is used.
        device: where to train.
        capture: whether to use CUDA graphs, where the device has them.
    """

    def __init__(
        self,
        runs: Sequence[tuple[Recipe, int]],
        data: Dataset,
        device: torch.device,
        *,
        capture: bool = True,
    ) -> None:
        with pinned(device):
            self._build(runs, data, device)
        self._capture = capture and device.type == "cuda"

    def _build(
        self, runs: Sequence[tuple[Recipe, int]], data: Dataset, device: torch.device
    ) -> None:
        self.recipes = [recipe for recipe, _ in runs]
        sources = [recipe.random_source(seed) for recipe, seed in runs]
        self._dropout = stream(sources[0], "dropout")
        self.recipe = self.recipes[0]
        self.device = device
        self.precision = precision_on(self.recipe.precision, device)
        self.data = data_of(self.recipe, data).to(device)
        self.networks = stack([build_for(recipe, seed) for recipe, seed in runs]).to(device)
        self.loss = LOSSES[self.recipe.loss]
        lone = isinstance(self.networks, Lone)
        parameters = list(self.networks.named().values())
        self.optimizers = Optimizers(parameters, self.recipes, lone=lone)
        self.batches = Batches(self.recipe, sources, self.data)
        self.gradients = Gradients(self.networks)
        self.units: Units | None = None
        if "units" in self.recipe.probes and not isinstance(self.networks, Lone):
            self.units = Units(self.networks)
        size, classes = self.networks.size, len(self.data.classes)
        # The step of the epoch that comes next.
        self._next = 0
        # Where numbers are to be predicted no answer is right or wrong.
        self._by_class = classes > 0
        # Loss and right answers of the epoch so far, (2, S).
        self.sums = torch.zeros(2, size, device=device)
        # Of a captured epoch so far the sum of the samples' numbers, (S,).
        self._seen: Tensor | None = None
        # Of the last test: summed losses (S,), on the held-out samples too, and right answers and
        # samples of each class, (S, classes) and (classes,).
        self.test_loss = torch.zeros(size, device=device)
        self.held_loss = torch.zeros(size, device=device)
        self.right = torch.zeros(size, classes, device=device)
        y = self.data.test_y
        self.class_sizes = torch.bincount(y, minlength=classes) if classes else y.new_zeros(0)
        self._step: Callable[[int, int], None] = self._eager
        self._test: Callable[[], None] = self._tested
        self._cycle = self._cycling()

    @contextmanager
    def running(self) -> Iterator[None]:
        """What training needs of this process: a random state of its own, and its precision."""
        cuda = self.device.type == "cuda"
        if self.device.type == "cpu":
            keep_memory()
        with ExitStack() as contexts:
            contexts.enter_context(pinned(self.device))
            contexts.enter_context(matrix_units(self.precision, self.device))
            if cuda:
                contexts.enter_context(torch.cuda.device(self.device))
            self._seed()
            if self._capture:
                self._capture = False
                self._captured()
            yield

    def learned(self) -> Kept:
        """A copy of what the networks have learned, in the device's memory."""
        return Kept(self._learned)

    @property
    def _learned(self) -> list[Tensor]:
        return [*self.networks.parameters(), *self.networks.buffers()]

    def state(self) -> dict[str, Any]:
        """All that training goes on from, between any two steps; inside `running()`."""
        return {
            "learned": self._learned,
            "optimizers": self.optimizers.state,
            "batches": self.batches.state(),
            "random": self._random_state(),
            "next": self._next,
            "sums": self.sums,
            "gradients": self.gradients.state(),
            "units": self.units.state() if self.units else None,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, of a session of the same runs; inside `running()`."""
        put(state["learned"], self._learned)
        put(state["optimizers"], self.optimizers.state)
        self.batches.restore(state["batches"])
        self._next = state["next"]
        self.sums.copy_(state["sums"])
        self.gradients.restore(state["gradients"])
        if self.units:
            self.units.restore(state["units"])
        self._set_random_state(state["random"])
        if self._seen is not None:
            self._seen.copy_(self.batches.order[:, : self._next * self.batches.size].sum(1))

    def _random_state(self) -> Tensor:
        if self.device.type == "cuda":
            return torch.cuda.get_rng_state(self.device)
        return torch.mps.get_rng_state() if self.device.type == "mps" else torch.get_rng_state()

    def _set_random_state(self, state: Tensor) -> None:
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state, self.device)
        elif self.device.type == "mps":
            torch.mps.set_rng_state(state)
        else:
            torch.set_rng_state(state)

    def train_epoch(self, after_step: Callable[[], None] = lambda: None) -> Tensor:
        """One pass over the training data, or what is left of one; loss and accuracy, (2, S).

        Calls `after_step` after each step but the last.
        """
        samples, starts = self.batches.samples, self.batches.starts()
        if not self._next:
            self.batches.shuffle()
            self.sums.zero_()
            if self._seen is not None:
                self._seen.zero_()
        for start in starts[self._next :]:
            if self._next:
                after_step()
            self._step(start, min(start + self.batches.size, samples))
            self._next += 1
        self._next = 0
        self.gradients.after_epoch(len(starts))
        if self.units:
            self.units.after_epoch(samples)
        return self.sums / samples

    def check_epoch(self) -> None:
        """Raise RuntimeError where the epoch's captured steps saw not every sample once.

        A graph reads the order of samples from addresses that it was given: were those others'
        by now, it would train on without a word. N numbers from 0 on sum to N (N - 1) / 2.
        """
        samples = self.batches.samples
        if self._seen is None or self.batches.whole:
            return
        if (self._seen != samples * (samples - 1) // 2).any():
            raise RuntimeError(
                f"captured steps of {self.recipe.model} saw other samples than the epoch's order "
                "holds: the graph reads memory that is no longer its own; please report this"
            )

    def train_steps(self, steps: int) -> None:
        """So many steps, going round the training data, without waiting for the device."""
        for start, stop in itertools.islice(self._cycle, steps):
            self._step(start, stop)

    def train_batch(self, size: int) -> None:
        """One step on the first `size` samples of an epoch; on CUDA that is a batch's size."""
        self._step(0, size)

    def test(self) -> Tensor:
        """Loss and accuracy on the test data, (2, S)."""
        self._test()
        return torch.stack([self.test_loss, self.right.sum(1)]) / len(self.data.test_x)

    def monitored(self) -> Tensor:
        """The loss that the recipe's `monitor` names, of the last test, (S,)."""
        if self.recipe.monitor == "held_out_loss":
            return self.held_loss / self.recipe.held_out
        return self.test_loss / len(self.data.test_x)

    @torch.no_grad()
    def evaluated_train_accuracy(self) -> Tensor:
        """Accuracy on the training images as they are, in evaluation mode, (S,)."""
        right = torch.zeros_like(self.right)
        self.networks.eval()
        self._measure(self.data.train_x, self.data.train_y, torch.zeros_like(self.test_loss), right)
        self.networks.train()
        return right.sum(1) / self.batches.samples

    def class_accuracy(self) -> Tensor:
        """(S, classes), of the last test.

        A small test subset may lack a class: it has no accuracy, and none is made up.
        """
        return self.right / self.class_sizes

    def _cycling(self) -> Iterator[tuple[int, int]]:
        while True:
            self.batches.shuffle()
            for start in self.batches.starts():
                yield start, min(start + self.batches.size, self.batches.samples)

    def _seed(self) -> None:
        torch.manual_seed(self._dropout)

    def _eager(self, start: int, stop: int) -> None:
        self._advance(self.batches.order[:, start:stop], self.batches.draws[start:stop])

    def _advance(self, order: Tensor, draws: Tensor) -> None:
        """One step of every network on the samples `order`, (S, batch)."""
        x, y = self.batches.batch(order, draws)
        hidden: list[Tensor] = []
        with autocast(self.precision, self.device):
            logits = self.networks(x, hidden)
        losses, gradient = self.loss(logits.detach().float(), y)
        gradient = gradient.to(logits.dtype)
        self.optimizers.zero_grad()
        torch.autograd.backward(logits, gradient)
        self.gradients.after_backward()
        if self.units:
            self.units.after_backward(hidden)
        self.optimizers.step()
        self.sums[0] += losses * y.shape[1]
        if self._by_class:
            self.sums[1] += (logits.detach().argmax(2) == y).sum(1)

    @torch.no_grad()
    def _tested(self) -> None:
        """Test every network; leaves `test_loss`, `held_loss` and `right`."""
        self.networks.eval()
        self.right.zero_()
        self._measure(self.data.test_x, self.data.test_y, self.test_loss, self.right)
        if self.data.held_x is not None and self.data.held_y is not None:
            self._measure(self.data.held_x, self.data.held_y, self.held_loss, None)
        self.networks.train()

    def _measure(self, xs: Tensor, ys: Tensor, loss: Tensor, right: Tensor | None) -> None:
        """Sum up the loss, and the right answers of each class, over these samples."""
        loss.zero_()
        for logits, labels in self._outputs(xs, ys):
            losses, _ = self.loss(logits, labels)
            loss += losses * labels.shape[1]
            if right is not None and self._by_class:
                right.scatter_add_(1, labels, (logits.argmax(2) == labels).float())

    def _outputs(self, xs: Tensor, ys: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Batch by batch what every network gives for these samples, and what it should."""
        flat = self.recipe.network.flat
        size = TEST_BATCH if flat else TEST_IMAGES
        for x, y in zip(torch.split(xs, size), torch.split(ys, size), strict=True):
            x = self.data.normalise(x)
            x = x.flatten(1) if flat else x
            with autocast(self.precision, self.device):
                logits = self.networks(x.expand(self.networks.size, *x.shape)).float()
            yield logits, y.expand(self.networks.size, *y.shape)

    @torch.no_grad()
    def predictions(self) -> tuple[Tensor, Tensor]:
        """Of all test samples the outputs (S, N, outputs), and the targets (N, ...); on the CPU."""
        self.networks.eval()
        batches = self._outputs(self.data.test_x, self.data.test_y)
        outputs = torch.cat([logits.cpu() for logits, _ in batches], 1)
        self.networks.train()
        return outputs, self.data.test_y.cpu()

    def _captured(self) -> None:
        """Put CUDA graphs in the place of `_step` and `_test`, leaving the state as it was."""
        batches, position = self.batches, torch.zeros((), dtype=torch.int64, device=self.device)
        kept = self.learned()
        self._seen = seen = batches.order.new_zeros(len(batches.order))

        def step(size: int) -> Callable[[], None]:
            rows = torch.arange(size, device=self.device)

            def work() -> None:
                at = position + rows
                order = batches.order[:, at]
                self._advance(order, batches.draws[at])
                seen.add_(order.sum(1))

            return work

        graphs = Graphs(self.device)
        # The last batch of an epoch may be smaller. It is captured last, so that the gradients
        # which the probes read at an epoch's end are those of its graph.
        sizes = dict.fromkeys([batches.size, batches.samples % batches.size or batches.size])
        works = {min(size, batches.samples): step(min(size, batches.samples)) for size in sizes}
        for work in (*works.values(), self._tested):
            graphs.warm_up(work)
        self._forget(kept)
        with collected():
            replays = {size: graphs.capture(work) for size, work in works.items()}
            self._test = graphs.capture(self._tested)
        self._seed()

        def replay(start: int, stop: int) -> None:
            position.fill_(start)
            replays[stop - start]()

        self._step = replay

    def _forget(self, kept: Kept) -> None:
        """Undo what warming up has taught and counted."""
        kept.restore()
        self.optimizers.forget()
        for counted in (self.sums, self.gradients.sum):
            counted.zero_()
        if self.units:
            self.units.forget()


def data_of(recipe: Recipe, data: Dataset) -> Dataset:
    """The part of a data set that a recipe trains on, as its networks see it."""
    if recipe.classes:
        data = data.of_classes(recipe.classes)
    if recipe.pixels == "raw":
        data = data.raw()
    data = data.subset(recipe.train_size, recipe.test_size)
    return data.hold_out(recipe.held_out) if recipe.held_out else data
