"""Report 2, "Training CIFAR-10 with VGGNet: does the deeper network do better?".

VGG11 and VGG19 without and with data normalisation, without and with batch norm, at eight batch
sizes, each training stopped early: one grid, of which every claim takes the cells that it needs.
The report stops on the test loss. So does one half of the claims' cases; the other stops on
training images held out, and stands beside it.
"""

import math
from collections.abc import Callable, Iterable, Mapping

from cvclaims import Recipe, Record, Report, ended_by_patience, failed_to_train, measure

VGG_BATCH_SIZE = Report(
    2,
    "vgg-batch-size",
    "Training CIFAR-10 with VGGNet: does the deeper network do better?",
    note="A leak: the report stops each training, and chooses the epoch that it keeps, by the loss "
    "on the test set that it then measures accuracy on, which flatters every number. Claims are "
    "judged so, as reported, and beside it with stopping on 5,000 training images held out. A run "
    "failed to train when no epoch's test accuracy is above 15 %, and patience ended it or its "
    "first layer's gradient is 0. One that met the cap of epochs before it left chance is "
    "undecided: taken for failed and for trained, it leaves a row open where the two differ. The "
    "report shows its numbers in plots alone, so none stand here.",
)

NETS = {"vgg11": 11, "vgg19": 19}
TREATMENTS: Mapping[str, tuple[str, bool]] = {  # pixels, batch norm
    "raw": ("raw", False),
    "normalised": ("standardised", False),
    "batch_norm": ("raw", True),
    "both": ("standardised", True),
}
BATCHES = (8, 16, 32, 64, 128, 256, 512, 1024)
# Two processor cores would take a night over the whole grid, even reduced. Below full scale it
# keeps the sizes that the statements name: both ends, 32, and 128 in the middle.
FEWER_BATCHES = (8, 32, 128, 1024)
# As the rows name them; in a table's alphabetical order the reported one comes first.
STOPPINGS = {
    "test loss": "stopping on the test loss (as reported)",
    "held-out": "stopping on training images held out",
}

REPORTED_STOPPING = "test loss"

# Of the network's arguments the head and its dropout; the report says no more of pixels than
# that half of them are normalised.
ASSUMED = (
    *("batch_size", "model_args", "init", "optimizer", "lr", "augment", "epochs", "pixels"),
    "precision",
)
FAILED = 0.15


def case(what: str = "") -> Callable[[str], str]:
    """What names a row: what it judges, and the stopping."""
    return lambda stopping: ", ".join(part for part in (what, STOPPINGS[stopping]) if part)


def cell(net: str, treatment: str, batch: int, stopping: str) -> Recipe:
    """One cell of the grid."""
    pixels, batch_norm = TREATMENTS[treatment]
    recipe = Recipe(
        data="cifar10",
        pixels=pixels,
        model="vgg",
        model_args={
            "depth": NETS[net],
            "batch_norm": batch_norm,
            "head": "mlp",
            "dropout": 0.5,
        },
        optimizer="adam",
        lr=1e-3,
        epochs=100,
        patience=10,
        batch_size=batch,
        precision="bf16",
        # Runs are counted together over cells, so they have to be independent.
        own_seeds=True,
        assumed=ASSUMED,
    )
    if stopping == "held-out":
        return recipe.but(
            monitor="held_out_loss", held_out=5_000, assumed=(*ASSUMED, "monitor", "held_out")
        )
    return recipe


def arm(net: str, treatment: str, batch: int) -> str:
    """The name of a cell among a claim's recipes."""
    return f"{net}_{treatment}_{batch}"


def cells(
    *lines: tuple[str, str], stopping: str, scale: str = "full", batches: Iterable[int] = BATCHES
) -> dict[str, Recipe]:
    """The cells of some lines, each a network and a treatment, by name.

    Reduced there are none of the other stopping: it stands beside the report's at full scale only.
    """
    if scale == "reduced" and stopping != REPORTED_STOPPING:
        return {}
    there = BATCHES if scale == "full" else FEWER_BATCHES
    return {
        arm(net, treatment, batch): cell(net, treatment, batch, stopping)
        for net, treatment in lines
        for batch in batches
        if batch in there
    }


failed = failed_to_train(FAILED)


def accuracy(record: Record) -> float:
    """Test accuracy at the epoch that early stopping keeps."""
    return measure.at_lowest("test_accuracy", record.recipe.monitor)(record)


def dead_if_ended(record: Record) -> float:
    """1 or 0, whether the first layer's gradient is 0, of a failing run that patience ended.

    Not a number of any other run.
    """
    ended = ended_by_patience(record) and failed(record) == 1
    return measure.first_gradient_is_zero(record) if ended else math.nan


def trained(record: Record) -> bool:
    """Whether a run is known not to have failed to train."""
    return failed(record) == 0
