"""Report 1, "Assignment 2: Review and Implementation of AlexNet and VGGNet".

It reviews the two papers, then builds VGG16 for CIFAR-10's 32×32 images, without and with batch
norm. What it says of the papers' networks is put to the test on CIFAR-10 too, as far as it needs
training: statements about VGG under the report's own protocol, those about AlexNet under that of
report 3, which trains an AlexNet for 32×32 images.
"""

from typing import Any

from claims.cnn_architectures.protocol import CROP_AND_FLIP
from claims.cnn_architectures.protocol import alexnet as alexnet_of_report_3
from cvclaims import Recipe, Report

ALEXNET_VGG = Report(
    1,
    "alexnet-vgg-review",
    "Assignment 2: Review and Implementation of AlexNet and VGGNet",
    note="The report trained VGG16 once without and once with batch norm; its other statements "
    "are the papers', and the report gives neither numbers nor a protocol for them: CIFAR-10 "
    "stands in for ImageNet. The report does not say in what precision it trained; bfloat16 is "
    "ours.",
)


def vgg(depth: int, *, batch_norm: bool = False, lrn: bool = False) -> Recipe:
    """The report's training: SGD 0.01, divided by 10 every 20 epochs, 50 epochs, crop and flip."""
    return Recipe(
        data="cifar10",
        model="vgg",
        model_args={"depth": depth, "batch_norm": batch_norm, "lrn": lrn},
        init="xavier_uniform",
        augment=CROP_AND_FLIP,
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        weight_decay=5e-4,
        scheduler="step",
        step_size=20,
        gamma=0.1,
        epochs=50,
        batch_size=128,
        precision="bf16",
        # The report says "Xavier", not which, and "random crop", not with how much padding.
        assumed=("init", "loss", "batch_size", "pixels", "augment", "precision"),
    )


def with_and_without_batch_norm() -> dict[str, Recipe]:
    """The report's two networks."""
    return {"batch_norm": vgg(16, batch_norm=True), "plain": vgg(16)}


def alexnet(**model_args: Any) -> Recipe:
    """AlexNet for 32×32 images, trained as in report 3, with crop and flip."""
    return alexnet_of_report_3(CROP_AND_FLIP, **model_args)


def four_layers(activation: str, *, stacked: bool = False) -> Recipe:
    """The network of four convolutions on which AlexNet's paper compares ReLU with tanh.

    The paper trains it on CIFAR-10 without any regularisation. The rest is ours: the report's
    SGD at a constant rate, and for each activation the same initialisation, Xavier's, which was
    made for tanh and sigmoid, so that ReLU owes nothing to it. `stacked` puts two 3×3 convolutions
    in the place of each 5×5.
    """
    return Recipe(
        data="cifar10",
        model="conv4",
        model_args={"activation": activation, "stacked": stacked},
        init="xavier_uniform",
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        epochs=30,
        batch_size=128,
        precision="bf16",
        assumed=(
            *("data", "model", "model_args", "pixels", "init", "loss", "optimizer", "lr"),
            *("momentum", "scheduler", "epochs", "batch_size", "precision"),
        ),
    )
