"""What each step trains on: the order of samples, and what augmentation draws for each image."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cvclaims.data.augment import Augmentation
from cvclaims.data.dataset import Dataset
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.training.graph import put


class Batches:
    """The training samples of a stack of networks, batch by batch.

    Order and draws come from the CPU's generators, once an epoch for all of it: the same seed
    gives the same on every device, and no step waits for a random number. They stay in the same
    memory from epoch to epoch, where a captured CUDA graph finds them.

    Args:
        recipe: what the networks have in common.
        sources: what each one's random streams are drawn from; see `Recipe.random_source`.
        data: the part of the data set that is used.

    Attributes:
        samples: training samples of an epoch.
        size: samples of a batch; the last one of an epoch may have fewer.
    """

    def __init__(self, recipe: Recipe, sources: Sequence[str], data: Dataset) -> None:
        self.data = data
        self.samples = len(data.train_x)
        self.size = recipe.batch_size or self.samples
        # A perceptron sees features, a convolutional network the image.
        self._flat = recipe.network.flat
        self._orders = [
            torch.Generator().manual_seed(stream(source, "order")) for source in sources
        ]
        self._augmentation = (
            Augmentation(recipe.augment, data.normalise) if recipe.augment else None
        )
        self._drawing = torch.Generator().manual_seed(stream(sources[0], "augment"))
        self._generators = [*self._orders, self._drawing]
        device = data.train_x.device
        draws = self._augmentation.draws if self._augmentation else 0
        self.order = torch.zeros(len(sources), self.samples, dtype=torch.int64, device=device)
        # Whatever this process has as its default, which would draw others.
        self.draws = torch.zeros(self.samples, draws, dtype=torch.float32, device=device)

    def state(self) -> dict[str, Any]:
        """What the next epochs' orders and draws come from, and what this epoch's are."""
        generators = [generator.get_state() for generator in self._generators]
        return {"generators": generators, "order": self.order, "draws": self.draws}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as from `state`."""
        for generator, kept in zip(self._generators, state["generators"], strict=True):
            generator.set_state(kept)
        put([state["order"], state["draws"]], [self.order, self.draws])

    @property
    def whole(self) -> bool:
        """Whether a batch is all samples, so that their order means nothing."""
        return self.size >= self.samples and self._flat

    def shuffle(self) -> None:
        """Draw the next epoch's order and augmentation."""
        if self.whole:
            return
        orders = [torch.randperm(self.samples, generator=g) for g in self._orders]
        self.order.copy_(torch.stack(orders))
        if self._augmentation is not None:
            self.draws.copy_(
                torch.rand(self.draws.shape, dtype=torch.float32, generator=self._drawing)
            )

    def starts(self) -> range:
        """Where the batches of an epoch begin."""
        return range(0, self.samples, self.size)

    def batch(self, order: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (S, batch, ...) and labels (S, batch), or targets (S, batch, targets).

        Args:
            order: (S, batch), which samples.
            draws: (batch, draws), the uniform numbers that augmentation takes.
        """
        data, networks = self.data, len(order)
        if self.whole:
            x = data.normalise(data.train_x).flatten(1)
            y = data.train_y
            return x.expand(networks, *x.shape), y.expand(networks, *y.shape)
        index = order.flatten()
        x, y = data.train_x.index_select(0, index), data.train_y.index_select(0, index)
        x = data.normalise(x) if self._augmentation is None else self._augmentation(x, draws)
        return self.shaped(x, networks), y.view(networks, -1, *y.shape[1:])

    def shaped(self, x: Tensor, networks: int) -> Tensor:
        """(S · batch, *shape) as (S, batch, ...) in the form that the networks take."""
        shape = (-1,) if self._flat else x.shape[1:]
        return x.view(networks, len(x) // networks, *shape)
