"""Reports 1 and 3: each statement has its row; what rows share; what is read off their records."""

import importlib
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cvclaims
from claims.alexnet_vgg_review import protocol as report_1
from claims.alexnet_vgg_review import test_classes as classes
from claims.cnn_architectures import protocol as report_3
from claims.cnn_architectures import test_augmentation as augmentation
from claims.cnn_architectures import test_gradients_over_training as over_training
from claims.cnn_architectures.gradients import entries, in_layer4, is_weight, log_per_entry
from cvclaims.claim import ClaimMark
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.scales import scaled
from cvclaims.verdict import Verdict
from cvclaims.verdict.judge import Judge, Judgment, Runs
from tests.records.factory import record

CLAIMS = Path(cvclaims.__file__).parents[1] / "claims"
FOLDERS = {1: "alexnet_vgg_review", 3: "cnn_architectures"}
LAST = {1: 37, 3: 30}


def modules(folder: str) -> Iterator[ModuleType]:
    for path in sorted((CLAIMS / folder).glob("test_*.py")):
        yield importlib.import_module(f"claims.{folder}.{path.stem}")


def mark_of(test: Callable[..., None]) -> ClaimMark | None:
    marks = getattr(test, "pytestmark", [])
    return next((mark.args[0] for mark in marks if mark.name == "claim"), None)


def marks(report: int) -> dict[str, list[ClaimMark]]:
    """The claims of a report, by id."""
    found = defaultdict(list)
    for module in modules(FOLDERS[report]):
        for name, test in vars(module).items():
            if name.startswith("test_") and (mark := mark_of(test)):
                found[mark.id].append(mark)
    return found


@pytest.mark.parametrize("report", FOLDERS)
def test_every_statement_has_its_tests(report: int) -> None:
    assert sorted(marks(report)) == [f"{report}.{n:02}" for n in range(1, LAST[report] + 1)]


def test_the_statements_about_failing_are_those_of_the_catalogue() -> None:
    told = {
        id: {str(mark.about_failing) for mark in of}
        for report in FOLDERS
        for id, of in marks(report).items()
        if any(mark.about_failing for mark in of)
    }
    assert told == {
        "1.13": {"True"},
        "3.12": {"['vgg_50']"},
        # At initialisation, and over training.
        **{id: {"True", "['vgg_50']"} for id in ("3.13", "3.15", "3.19")},
        # VGG-16's falling gradient, the two beside each other, VGG-50's classifier.
        "3.25": {"()", "['vgg_50']", "True"},
    }


class TestProtocols:
    def test_what_report_1_leaves_open(self) -> None:
        # The padding of the crops is ours: "random crop" is all that the report says.
        ours = {"init", "loss", "batch_size", "pixels", "augment", "precision"}
        assert set(report_1.vgg(16).assumed) == ours

    def test_report_3_names_its_augmentations_and_not_their_strengths(self) -> None:
        assert "augment" not in augmentation.BASELINE.assumed
        assert "augment" in augmentation.CROPPED.assumed
        assert "augment" in report_3.alexnet(report_3.MORE_AUGMENTATION).assumed

    @pytest.mark.parametrize("scale", ["full", "reduced", "smoke"])
    def test_six_statements_share_the_run_of_one_alexnet(self, scale: str) -> None:
        base = scaled(report_3.alexnet(report_3.CROP_AND_FLIP), scale).digest
        of = {id: mark for report in FOLDERS for id, mark in marks(report).items()}
        for id in ("1.14", "1.16", "1.17", "1.32", "3.01", "3.02"):
            for mark in of[id]:
                recipes = mark.claim({}).recipes.values()
                assert base in [recipe.at(scale).digest for recipe in recipes], id

    def test_what_is_asked_for_its_gap_records_it(self) -> None:
        of = {id: mark for report in FOLDERS for id, mark in marks(report).items()}
        for id in ("1.17", "1.32", "3.24"):
            for recipe in of[id][0].claim({}).recipes.values():
                assert isinstance(recipe, Recipe)
                assert "evaluated_train_accuracy" in recipe.probes


class TestPublishedRuns:
    """The report's lists and what it says of them."""

    @pytest.mark.parametrize(
        ("id", "arm", "mean"),
        [
            ("3.01", "crop_and_flip", 0.8634),
            ("3.02", "more", 0.8688),
            ("3.05", "kernel_3", 0.8691),
            ("3.05", "kernel_7", 0.8247),
            ("3.09", "without", 0.81406),
            ("3.09", "reductions", 0.79886),
        ],
    )
    def test_their_mean_is_the_reports(self, id: str, arm: str, mean: float) -> None:
        runs = marks(3)[id][0].claim({}).reported[arm]
        assert isinstance(runs, Sequence)
        assert len(runs) == 5
        assert statistics.fmean(runs) == pytest.approx(mean, abs=0.00005)

    def test_but_for_one_as_its_row_says(self) -> None:
        mean = statistics.fmean(augmentation.PUBLISHED["baseline"])
        assert f"{mean:.4f}" == "0.8302"
        (title,) = {
            mark.title for mark in marks(3)["3.01"] if mark.claim({}).case == "" and mark.recipes
        }
        assert ".8302" in title
        assert ".8291" in title

    @pytest.mark.parametrize(("arm", "spread"), [("baseline", 0.0048), ("crop_and_flip", 0.0036)])
    def test_their_spread(self, arm: str, spread: float) -> None:
        assert statistics.stdev(augmentation.PUBLISHED[arm]) == pytest.approx(spread, abs=0.00005)


class TestGradients:
    @pytest.mark.parametrize(("depth", "late"), [(18, 4), (50, 9), (101, 9)])
    def test_the_layers_that_a_resnet_is_named_by(self, depth: int, late: int) -> None:
        names = entries("resnet", depth=depth)
        assert len([*filter(is_weight, names)]) == depth
        assert len([name for name in names if in_layer4(name)]) == late

    def test_entries(self) -> None:
        found = entries("resnet", depth=18)
        assert found["conv1.weight"] == 64 * 3 * 3 * 3
        assert found["fc.bias"] == 10

    def test_a_norm_per_entry_is_the_size_of_an_entry(self) -> None:
        size, number = 0.25, 144
        norm = math.sqrt(number * size**2)
        assert log_per_entry(math.log(norm), number) == pytest.approx(math.log(size))

    @pytest.mark.parametrize("scale", ["full", "reduced"])
    def test_over_training_a_record_is_measured_by_its_own_network(self, scale: str) -> None:
        recipe = scaled(report_3.resnet(18), scale)
        counts = entries("resnet", **recipe.model_args)
        # Every entry of every gradient is 1/e² in one half of the epochs, and 1 in the other.
        half = recipe.epochs // 2
        norms = {
            name: [math.sqrt(n) * math.exp(-2)] * half + [math.sqrt(n)] * (recipe.epochs - half)
            for name, n in counts.items()
        }
        of = record(recipe, scale=scale, probes={"gradient_norms": norms})
        mean = -2 * half / recipe.epochs
        sizes = over_training.mean_log_size
        assert sizes(of, is_weight, per_entry=True) == pytest.approx(mean)
        assert sizes(of, in_layer4, per_entry=True) == pytest.approx(mean)
        plain = over_training.log_size(of, "conv1.weight", per_entry=False)
        assert plain == pytest.approx(mean + math.log(counts["conv1.weight"]) / 2)


# The report's seven; what it does not say of deer, frog and horse is between its extremes.
BY_CLASS = {
    **classes.REPORTED,
    **{"deer": 0.90, "frog": 0.92, "horse": 0.91},
}


class Shelf:
    """An engine whose every run has these accuracies by class, a little apart for each seed."""

    def __init__(self, by_class: dict[str, float]) -> None:
        self.by_class = by_class

    def records(self, runs: Sequence[Run]) -> list[Record]:
        return [
            record(
                run.recipe,
                run.seed,
                accuracy=0.9,
                class_accuracy=[
                    self.by_class[name] + 0.001 * ((run.seed + i) % 3)
                    for i, name in enumerate(run.recipe.class_names)
                ],
            )
            for run in runs
        ]


def judged(test: Callable[..., None], **by_class: float) -> Judgment:
    """What a claim's test says where these classes differ from the report's."""
    mark = mark_of(test)
    assert mark is not None
    claim: Any = mark.claim({})
    judge = Judge(claim, "full", Shelf(BY_CLASS | by_class), (8,))
    test(Runs(claim), judge)
    assert judge.judgment is not None
    return judge.judgment


class TestClasses:
    """1.28 on numbers such as the report's, and on those that one class more would change."""

    @pytest.mark.parametrize(
        "test",
        [
            classes.test_vehicles_are_recognised_better,
            classes.test_vehicles_lead,
            classes.test_cat_is_the_hardest_class,
        ],
    )
    def test_the_reports_own_numbers(self, test: Callable[..., None]) -> None:
        assert judged(test).verdict is Verdict.SUPPORTED

    def test_one_animal_above_one_vehicle(self) -> None:
        judgment = judged(classes.test_vehicles_lead, horse=0.95)
        assert judgment.verdict is Verdict.REFUTED
        assert judgment.measured["lowest vehicle"]["mean"] == pytest.approx(0.933, abs=0.001)
        assert judgment.measured["best animal"]["mean"] == pytest.approx(0.951, abs=0.001)
        better = judged(classes.test_vehicles_are_recognised_better, horse=0.95)
        assert better.verdict is Verdict.SUPPORTED

    @pytest.mark.parametrize("other", ["bird", "deer", "dog", "frog", "horse", "ship", "truck"])
    def test_another_class_below_cat(self, other: str) -> None:
        judgment = judged(classes.test_cat_is_the_hardest_class, **{other: 0.7})
        assert judgment.verdict is Verdict.REFUTED

    def test_the_seven_are_shown(self) -> None:
        measured = judged(classes.test_vehicles_are_recognised_better).measured
        assert list(measured) == ["vehicles", "animals", *classes.REPORTED]
        for name, share in classes.REPORTED.items():
            assert measured[name]["mean"] == pytest.approx(share + 0.001, abs=0.0011)
