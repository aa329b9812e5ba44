"""What the pretended GPU is worth: each mistake, made on purpose, is caught."""

import functools
import inspect
import textwrap
from typing import Any
from unittest import mock

import pytest

from cvclaims.data.dataset import Dataset
from cvclaims.models.lone import Lone
from cvclaims.training import graph, optim, probes
from cvclaims.training.session import Session
from tests.pretend_gpu.runs import IMAGES, same, told, trained

RECIPE = IMAGES.but(
    model_args={**IMAGES.model_args, "batch_norm": True},
    lr=0.02,
    scheduler="exponential",
    gamma=0.5,
    augment=("crop", "flip"),
)
COUNTS = "self.sums[0] += losses * y.shape[1]"
RIGHT = "(logits.detach().argmax(2) == y)"
# Where, what stands there, and what is written in its place.
MISTAKES: dict[str, tuple[Any, str, str, str]] = {
    "a number is read back in a step": (
        *(Session, "_advance", COUNTS),
        "self.sums[0] += losses.sum().item() * y.shape[1]",
    ),
    "a mask chooses in a step": (
        *(Session, "_advance", f"{RIGHT}.sum(1)"),
        f"y[{RIGHT}].numel()",
    ),
    "sums out of place": (
        *(Session, "_advance", COUNTS),
        "self.sums = torch.stack([self.sums[0] + losses * y.shape[1], self.sums[1]])",
    ),
    "a number comes from the host in each step": (
        *(Dataset, "normalise", "torch.mul(x, scale)"),
        "torch.mul(x, torch.tensor(scale.flatten().shape[0] / 150, device=x.device))",
    ),
    "the rate is a number of Python's": (
        *(optim._Update, "__init__", 'device.type == "cuda"'),
        "False",
    ),
    "gradients are summed out of place": (
        *(probes.Gradients, "after_backward", "self.sum[:-1] += norms"),
        "self.sum = torch.cat([self.sum[:-1] + norms, self.sum[-1:]])",
    ),
    "random numbers come from the host": (
        *(Lone, "forward", "self.network(x)"),
        "self.network(x * __import__('torch').rand(1).to(x.device))",
    ),
    "rows of the host index the batch": (
        *(Session, "_captured", "torch.arange(size, device=self.device)"),
        "torch.arange(size)",
    ),
    "warming up is not undone": (Session, "_forget", "kept.restore()", "pass"),
    "moments are not forgotten": (Session, "_forget", "self.optimizers.forget()", "pass"),
    "sums are not forgotten": (
        *(Session, "_forget", "for counted in (self.sums, self.gradients.sum):"),
        "for counted in ():",
    ),
    "steps are counted in Python": (
        *(Session, "_advance", "self.optimizers.step()"),
        "self.n = getattr(self, 'n', 0) + 1; self.optimizers.step() if self.n < 7 else None",
    ),
    "the smaller batch is captured first": (
        *(Session, "_captured", "for size in sizes}"),
        "for size in reversed(list(sizes))}",
    ),
    "what a graph reads is freed": (
        *(graph.Graphs, "capture", "_reads: Callable[[], None] = work"),
        "",
    ),
}


@functools.cache
def eager() -> Any:
    """What is learned step by step, without a mistake."""
    results, learned = trained(RECIPE, capture=False)
    return told(results), learned


def changed(owner: Any, name: str, old: str, new: str) -> Any:
    """A patch that puts a method with `new` for `old` into the place of `owner.name`."""
    method = inspect.unwrap(getattr(owner, name))
    source = textwrap.dedent(inspect.getsource(method))
    assert source.count(old) == 1, f"{name} no longer says {old!r}"
    made: dict[str, Any] = {}
    exec(compile(source.replace(old, new), method.__code__.co_filename, "exec"),
         method.__globals__, made)  # fmt: skip
    return mock.patch.object(owner, name, made[name])


def test_without_a_mistake_nothing_is_caught() -> None:
    results, learned = trained(RECIPE, capture=True)
    assert same([told(results), learned], list(eager()))


def test_steps_that_see_other_samples_say_so() -> None:
    first_rows_only = changed(Session, "_captured", "at = position + rows", "at = rows")
    with first_rows_only, pytest.raises(RuntimeError, match="captured steps of vgg saw other samp"):
        trained(RECIPE, capture=True)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_caught(mistake: str) -> None:
    expected = list(eager())
    with changed(*MISTAKES[mistake]):
        try:
            results, learned = trained(RECIPE, capture=True)
        except RuntimeError:  # what the machine refuses, and what training itself does
            return
    assert not same([told(results), learned], expected)
