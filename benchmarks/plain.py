"""How such reports are usually coded: a DataLoader, `.item()` each step, norms by a Python loop.

The reference of the benchmarks. Run as a script it trains all of `digits_settings` over seeds, as
one process of such a report would.
"""

import sys
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.machine import CPU
from claims.losses_activations_optimizers.protocol import experiment_c
from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.recipe import Recipe


def digits_settings(epochs: int = 100) -> list[Recipe]:
    """Report 5's nine optimiser settings on Digits."""
    return [
        experiment_c("digits", optimizer, lr).but(epochs=epochs)
        for optimizer in ("sgd", "momentum", "adam")
        for lr in (0.1, 0.01, 0.001)
    ]


def train_plainly(
    recipe: Recipe, seed: int, data: Dataset, device: torch.device = CPU
) -> list[dict[str, float]]:
    """Train one recipe of report 5 the usual way; one dictionary of numbers an epoch."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    ).to(device)
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=recipe.lr, momentum=recipe.momentum)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=recipe.gamma)
    train = DataLoader(
        TensorDataset(data.train_x, data.train_y), batch_size=recipe.batch_size, shuffle=True
    )
    test = DataLoader(TensorDataset(data.test_x, data.test_y), batch_size=recipe.batch_size)
    history = []
    for _ in range(recipe.epochs):
        model.train()
        loss_sum, right, norms = 0.0, 0, []
        for features, labels in train:
            x, y = features.to(device), labels.to(device)
            optimizer.zero_grad()
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            loss.backward()  # type: ignore[no-untyped-call]
            total = 0.0
            for parameter in model.parameters():
                if parameter.grad is not None:
                    total += parameter.grad.norm(2).item() ** 2
            norms.append(total**0.5)
            optimizer.step()
            loss_sum += loss.item() * len(x)
            right += int((logits.argmax(1) == y).sum().item())
        test_loss, test_right = _evaluate(model, test, device)
        scheduler.step()
        history.append(
            {
                "train_loss": loss_sum / len(data.train_x),
                "train_accuracy": right / len(data.train_x),
                "test_loss": test_loss / len(data.test_x),
                "test_accuracy": test_right / len(data.test_x),
                "gradient_norm": sum(norms) / len(norms),
            }
        )
    return history


def _evaluate(
    model: nn.Module, loader: "DataLoader[tuple[torch.Tensor, ...]]", device: torch.device
) -> tuple[float, int]:
    model.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for features, labels in loader:
            x, y = features.to(device), labels.to(device)
            logits = model(x)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            right += int((logits.argmax(1) == y).sum().item())
    return loss, right


def main(seeds: Sequence[int]) -> None:
    """Train every setting with every seed, one after the other, on one thread."""
    torch.set_num_threads(1)
    data = load("digits", None)
    for seed in seeds:
        for recipe in digits_settings():
            train_plainly(recipe, seed, data)


if __name__ == "__main__":
    main(range(int(sys.argv[1])))
