"""Report 3, "Report 2: CNN architectures".

AlexNet with more and less augmentation, VGG with 3×3 and 7×7 kernels, Inception with and without
its 1×1 reductions, and what becomes of VGG, Inception and ResNet at 50 and 101 layers.
"""

from typing import Any

from cvclaims import Recipe, Report

CNN_ARCHITECTURES = Report(
    3,
    "cnn-architectures",
    "Report 2: CNN architectures",
    note="The report trained AlexNet, VGG 3×3 and 7×7 and the small Inception over five seeds, "
    "the deep networks and the ResNets once. Of how it trained it says next to nothing: optimiser, "
    "rate, epochs, initialisation and precision are ours throughout, so levels of accuracy may "
    "differ where comparisons hold. Its VGG-16 is 86.91 % accurate in section 2 and 84.34 % in "
    "section 4; here it is one network, trained once for both.",
)

CROP_AND_FLIP = ("crop", "flip")
MORE_AUGMENTATION = (*CROP_AND_FLIP, "jitter", "rotation", "affine")

# Initialisation: torchvision's own of each family, as the report's names and numbers of parameters
# are those of its AlexNet (which leaves it to torch's layers), VGG and ResNet; torch's for the
# report's own Inceptions. The report states none of these; sections 1 to 3 do not name the data
# set either.
ASSUMED = (
    *("pixels", "init", "loss", "optimizer", "lr", "momentum", "weight_decay", "scheduler"),
    *("epochs", "batch_size", "precision"),
)

# For the gap between training and test accuracy, without what dropout and augmentation add to it.
GENERALISATION = ("evaluated_train_accuracy",)


def initialisation(model: str) -> str:
    """Of a model: torchvision's, where it has one of its own."""
    return "torchvision" if model in ("vgg", "resnet") else "default"


def trained(
    model: str,
    model_args: dict[str, Any],
    *assumed: str,
    augment: tuple[str, ...] = CROP_AND_FLIP,
    lr: float = 0.01,
    epochs: int = 30,
    probes: tuple[str, ...] = (),
) -> Recipe:
    """A network of the report; `assumed` names what it leaves open besides `ASSUMED`."""
    return Recipe(
        data="cifar10",
        model=model,
        model_args=model_args,
        init=initialisation(model),
        augment=augment,
        optimizer="sgd",
        lr=lr,
        momentum=0.9,
        weight_decay=5e-4,
        scheduler="cosine",
        epochs=epochs,
        batch_size=128,
        precision="bf16",
        probes=probes,
        assumed=(*ASSUMED, *assumed),
    )


def alexnet(augment: tuple[str, ...] = (), **model_args: Any) -> Recipe:
    """Section 1: AlexNet, in our form for 32×32 images.

    The report names its augmentations and not how strong they are: no padding, no angles.
    """
    assumed = ("data", "model_args", *(("augment",) if augment else ()))
    return trained("alexnet", model_args, *assumed, augment=augment, probes=GENERALISATION)


def vgg_with_kernel(kernel: int) -> Recipe:
    """Section 2: VGG16 without batch norm, every convolution 3×3 or 7×7."""
    return trained("vgg", {"depth": 16, "kernel": kernel}, "data", "augment")


def small_inception(reductions: bool) -> Recipe:
    """Section 3: two Inception modules, recovered from the report's numbers of parameters."""
    model_args = {"reductions": reductions}
    assumed = ("data", "model_args", "augment")
    return trained("small_inception", model_args, *assumed, probes=GENERALISATION)


def vgg(depth: int) -> Recipe:
    """Section 4: VGG-16, or VGG-50, whose blocks follow from the names of the report's layers."""
    return trained("vgg", {"depth": depth}, "model_args", "augment")


def inception(modules: int) -> Recipe:
    """Section 4: GoogLeNet for 32×32 images with 9 modules, Inception-v1, or 23, Inception-50."""
    return trained("inception", {"modules": modules}, "model_args", "augment")


def resnet(depth: int) -> Recipe:
    """Section 5: a ResNet for 32×32 images, at a rate and for epochs that let it reach 93 %."""
    return trained("resnet", {"depth": depth}, "augment", lr=0.1, epochs=60)
