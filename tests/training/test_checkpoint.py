"""A training that was stopped goes on from its checkpoint and gives what it would have given."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from cvclaims.data.load import load
from cvclaims.recipe import Recipe
from cvclaims.training.checkpoint import Checkpoint
from cvclaims.training.loop import Trained, train

CPU = torch.device("cpu")
Pairs = Sequence[tuple[Recipe, int]]
MLP = Recipe(
    data="digits",
    train_size=100,
    test_size=40,
    model_args={"hidden": (8, 4)},
    optimizer="adamw",
    lr=0.01,
    weight_decay=0.01,
    scheduler="exponential",
    gamma=0.9,
    epochs=4,
    batch_size=40,
    probes=("units",),
)
IMAGES = Recipe(
    data="cifar10",
    train_size=60,
    test_size=30,
    augment=("crop", "flip"),
    model="alexnet",
    model_args={"dropout": 0.5, "width": 1 / 8},
    lr=0.01,
    momentum=0.9,
    weight_decay=5e-4,
    scheduler="cosine",
    warmup=1,
    epochs=3,
    batch_size=25,
    precision="bf16",
    probes=("evaluated_train_accuracy",),
    own_seeds=True,
)
STOPPING = IMAGES.but(
    model="resnet",
    model_args={"width": 1 / 16},
    augment=(),
    scheduler=None,
    warmup=0,
    lr=0.1,
    epochs=6,
    patience=1,
    monitor="held_out_loss",
    held_out=10,
)
INCEPTION = IMAGES.but(
    model="small_inception", model_args={"width": 1 / 4}, augment=("flip", "jitter"), epochs=2
)
WHOLE = MLP.but(data="moons", train_size=None, test_size=None, batch_size=None, epochs=5)
KINDS: Mapping[str, Pairs] = {
    "a stack": [(MLP, 0), (MLP.but(optimizer="sgd", momentum=0.9, weight_decay=0.0), 1), (MLP, 2)],
    "whole batches": [(WHOLE, 3)],
    "alexnet": [(IMAGES, 0)],
    "resnet, stopping": [(STOPPING, 1)],
    "inception": [(INCEPTION, 0)],
}


class Stopped(BaseException):
    """As a signal would: nothing catches it."""


class Dying(Checkpoint):
    """Saves at every chance, and stops after so many."""

    lives = 0

    def due(self) -> bool:
        return True

    def save(self, state: Mapping[str, Any]) -> None:
        super().save(state)
        self.lives -= 1
        if self.lives == 0:
            raise Stopped


def checkpoint(folder: Path, lives: int = 0, **changes: Any) -> Dying:
    settings: dict[str, Any] = {"alike": {"runs": "these"}, "told": {"processor": "this one"}}
    settings["tell"] = pytest.fail
    made = Dying(folder / "some.checkpoint", **settings | changes)
    made.lives = lives
    return made


def trained(pairs: Pairs, kept: Checkpoint | None = None) -> list[Trained]:
    data = load(pairs[0][0].data, None, allow_stand_in=True)
    return train(pairs, data, CPU, checkpoint=kept)


def learned(results: Sequence[Trained]) -> list[Any]:
    """What does not depend on the clock."""
    found = []
    for result in results:
        curves = {name: curve for name, curve in result.curves.items() if name != "seconds"}
        parts = (
            result.status,
            curves,
            result.class_accuracy,
            result.probes,
            result.numbers["parameters"],
        )
        found.append(repr(parts))  # NaN equals itself
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path, kind: str) -> None:
    """Whether it was stopped after its first step, inside an epoch, at one's end, or late."""
    pairs = KINDS[kind]
    kept = checkpoint(tmp_path)
    whole = learned(trained(pairs, kept))
    saves = -kept.lives
    for stop in {1, saves // 3, saves // 2, saves}:
        kept.remove()
        with pytest.raises(Stopped):
            trained(pairs, checkpoint(tmp_path, stop))
        assert learned(trained(pairs, checkpoint(tmp_path))) == whole, f"at save {stop} of {saves}"


def test_it_may_be_stopped_over_and_over(tmp_path: Path) -> None:
    pairs = KINDS["alexnet"]
    for stops in range(20):
        try:
            again = trained(pairs, checkpoint(tmp_path, 2))  # the first save is where it was
        except Stopped:
            continue
        assert stops > 3
        assert learned(again) == learned(trained(pairs))
        return
    pytest.fail("it never ended")


def test_to_save_changes_nothing(tmp_path: Path) -> None:
    pairs = KINDS["alexnet"]
    assert learned(trained(pairs, checkpoint(tmp_path))) == learned(trained(pairs))


def test_one_that_is_done_is_gone(tmp_path: Path) -> None:
    kept = checkpoint(tmp_path)
    trained(KINDS["whole batches"], kept)
    assert kept.path.exists()
    kept.remove()
    kept.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(b""), "it is no checkpoint of cvclaims"),
        (lambda path: path.write_bytes(b"PK" + path.read_bytes()), "it is no checkpoint"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "it is damaged"),
        (lambda path: path.write_bytes(path.read_bytes() + b"0"), "it is damaged"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read ("),
    ],
)
def test_a_damaged_one_is_told_and_training_begins_anew(
    tmp_path: Path, spoil: Callable[[Path], object], why: str
) -> None:
    pairs = KINDS["whole batches"]
    told: list[str] = []
    trained(pairs, checkpoint(tmp_path))
    spoil(checkpoint(tmp_path).path)
    again = Checkpoint(checkpoint(tmp_path).path, {"runs": "these"}, {}, told.append)
    assert learned(trained(pairs, again)) == learned(trained(pairs))
    (line,) = told
    assert why in line
    assert line.endswith("begun anew")
    assert again.resumed == 0


def test_one_of_other_runs_is_not_taken_up_and_another_processor_is_told(tmp_path: Path) -> None:
    pairs = KINDS["whole batches"]
    told: list[str] = []
    trained(pairs, checkpoint(tmp_path))
    path = checkpoint(tmp_path).path
    other = Checkpoint(path, {"runs": "others"}, {}, told.append)
    trained(pairs, other)
    assert told == [
        f"checkpoint {path} is not used (it was made with runs these, this is others): begun anew"
    ]
    moved = Checkpoint(path, {"runs": "these"}, {"processor": "another"}, pytest.fail)
    trained(pairs, moved)
    assert moved.resumed == WHOLE.epochs - 1
    assert moved.elsewhere == "processor this one"


def test_one_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").touch()
    told: list[str] = []
    kept = checkpoint(tmp_path / "folder", tell=told.append)
    assert learned(trained(KINDS["whole batches"], kept)) == learned(
        trained(KINDS["whole batches"])
    )
    assert "cannot be read (Not a directory): begun anew" in told[0]
    assert len(set(told[1:])) == 1
    assert "cannot be written" in told[1]
