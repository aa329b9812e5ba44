"""Every CUDA step is clean, and captured it learns what it learns step by step: bit for bit."""

import pytest
import torch

from cvclaims.recipe import Recipe
from tests.pretend_gpu.machine import DEVICE, UncleanError, pretended
from tests.pretend_gpu.runs import FLAT, IMAGES, same, told, trained

ALL = ("crop", "flip", "jitter", "rotation", "affine", "cutout")
KINDS: dict[str, Recipe] = {
    "vgg": IMAGES,
    "batch norm": IMAGES.but(model_args={**IMAGES.model_args, "batch_norm": True}),
    "lrn": IMAGES.but(model_args={**IMAGES.model_args, "lrn": True}),
    "fp32, raw": IMAGES.but(precision="fp32", pixels="raw"),
    "tf32, three classes": IMAGES.but(precision="tf32", classes=("cat", "dog", "ship")),
    "augmented": IMAGES.but(augment=ALL),
    "alexnet": IMAGES.but(model="alexnet", model_args={"width": 1 / 16}),
    "resnet": IMAGES.but(model="resnet", model_args={"depth": 50, "width": 1 / 16}),
    "inception": IMAGES.but(model="inception", model_args={"width": 1 / 8}),
    "conv4": IMAGES.but(model="conv4", model_args={"width": 1 / 8}),
    "adam, stops": IMAGES.but(
        optimizer="adam", momentum=0.0, lr=1e-3, patience=1, held_out=6, monitor="held_out_loss"
    ),
    "adamw, steps": IMAGES.but(
        optimizer="adamw", momentum=0.0, scheduler="step", step_size=1, gamma=0.5
    ),
    "warm-up, cosine": IMAGES.but(scheduler="cosine", warmup=1),
    "evaluated": IMAGES.but(probes=("evaluated_train_accuracy",)),
    "mlp": FLAT,
    "mlp, whole": FLAT.but(batch_size=None),
    "mlp, mse, adam": FLAT.but(
        loss="mse", optimizer="adam", model_args={"hidden": (8,), "activation": "leaky_relu"}
    ),
    "mlp, bf16": FLAT.but(
        data="fashion_mnist", probes=("units",), precision="bf16", loss="softmax_mse"
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_captured_steps_are_clean_and_equal_eager_ones(name: str) -> None:
    eager, eager_learned = trained(KINDS[name], capture=False)
    captured, captured_learned = trained(KINDS[name], capture=True)
    assert same(told(captured), told(eager))
    assert same(captured_learned, eager_learned)


def test_tensors_of_two_devices_are_refused() -> None:
    with pretended(), pytest.raises(UncleanError, match=r"cuda:0 and on the CPU"):
        torch.zeros(2, device=DEVICE) + torch.zeros(2)
