"""Report 5, "Computer Vision HW3": its settings, as its own public code has them.

Digits and Fashion-MNIST are learned in mini-batches, moons and circles as one batch. Each
experiment trains the perceptron in-256-128-out, once in the report, over several seeds here.
"""

from collections.abc import Mapping

from cvclaims import Recipe, Report

HW3 = Report(
    5,
    "losses-activations-optimizers",
    "Computer Vision HW3",
    note="The report trained each network once. As in its code, Digits, moons and circles are "
    "standardised over training and test data together.",
)

BATCH = {"digits": 64, "fashion_mnist": 128}


# Of experiment C the text says that SGD and momentum keep a constant rate and Adam's alone decays;
# the code, whose numbers the report gives, decays all three. Comparisons are judged under both.
AS_CODE, AS_TEXT = "as the code", "as the text"
SCHEDULES = {AS_CODE: "", AS_TEXT: "SGD and momentum at constant rates"}
# Where the numbers of experiments A and B come from, which the text does not give.
OUTPUT_A = HW3.at("Experiment A, the output of its public code")
OUTPUT_B = HW3.at("Experiment B, the output of its public code")


def experiment_a(dataset: str) -> dict[str, Recipe]:
    """Losses: AdamW 1e-3, weight decay 0.01, 30 epochs."""
    base = Recipe(
        data=dataset,
        batch_size=BATCH[dataset],
        optimizer="adamw",
        lr=1e-3,
        weight_decay=0.01,
        epochs=30,
    )
    return {
        "cross_entropy": base.but(loss="cross_entropy"),
        "mse": base.but(loss="softmax_mse"),
        "mse_without_softmax": base.but(loss="mse"),
    }


def experiment_b(dataset: str) -> dict[str, Recipe]:
    """Activations: small weights "to provoke dead units", full batch, AdamW 0.01, 300 epochs."""
    base = Recipe(
        data=dataset,
        batch_size=None,
        init="normal",
        init_std=0.01,
        optimizer="adamw",
        lr=0.01,
        weight_decay=0.01,
        epochs=300,
        probes=("units", "boundary"),
    )
    return {
        "relu": base.but(model_args={"activation": "relu"}),
        "leaky_relu": base.but(model_args={"activation": "leaky_relu", "negative_slope": 0.01}),
        "sigmoid": base.but(model_args={"activation": "sigmoid"}),
    }


def experiment_c(dataset: str, optimizer: str, lr: float, schedule: str = AS_CODE) -> Recipe:
    """Optimisers: each at one rate, which falls by 5 % an epoch, 100 epochs; see `SCHEDULES`."""
    update: Mapping[str, Mapping[str, object]] = {
        "sgd": {"optimizer": "sgd"},
        "momentum": {"optimizer": "sgd", "momentum": 0.9},
        "adam": {"optimizer": "adam"},
    }
    recipe = Recipe(
        data=dataset,
        batch_size=BATCH[dataset],
        lr=lr,
        scheduler="exponential",
        gamma=0.95,
        epochs=100,
    ).but(**update[optimizer])
    return constant(recipe) if schedule == AS_TEXT and optimizer != "adam" else recipe


def constant(recipe: Recipe) -> Recipe:
    """The same at a constant rate."""
    return recipe.but(scheduler=None, gamma=1.0)


# The rate at which the report's table has each optimiser most accurate. For Adam on Digits it
# gives 0.1 alone, at 66 %; the rate is Fashion-MNIST's there.
BEST_RATE = {"sgd": 0.1, "momentum": 0.01, "adam": 0.001}


def optimizers_at_best(dataset: str, schedule: str = AS_CODE) -> dict[str, Recipe]:
    """Each optimiser at its best reported rate."""
    return {name: experiment_c(dataset, name, lr, schedule) for name, lr in BEST_RATE.items()}


def optimizers_at(dataset: str, lr: float, schedule: str = AS_CODE) -> dict[str, Recipe]:
    """Each optimiser at the same rate."""
    return {name: experiment_c(dataset, name, lr, schedule) for name in BEST_RATE}


def adam_with_and_without_decay(dataset: str) -> dict[str, Recipe]:
    """Adam at 0.01, at a constant rate and at one that decays."""
    decaying = experiment_c(dataset, "adam", 0.01)
    return {"constant": constant(decaying), "decaying": decaying}


def case(what: str, schedule: str) -> str:
    """What names a row: what it is about, and the schedule where it is the text's."""
    return ", ".join(part for part in (what, SCHEDULES[schedule]) if part)
