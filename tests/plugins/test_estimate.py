"""About how long runs take: by which records, by which times, and what is told of it."""

from typing import Any

import pytest
import torch

from cvclaims.engines.provenance import device_name
from cvclaims.estimate import Bench, Estimate, bench_on, duration
from cvclaims.plan import Run
from cvclaims.plugins.device import side_by_side
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.training.pace import Pace, alike, kind
from tests.records.factory import origin, record

CPU = torch.device("cpu")
VGG = Recipe(
    data="cifar10", model="vgg", model_args={"depth": 11}, lr=0.01, epochs=10, precision="bf16"
)
RESNET = VGG.but(model="resnet", model_args={})
DEEP = VGG.but(model_args={"depth": 19})
HERE, ELSEWHERE = origin(device="here"), origin(device="elsewhere")


class Stopwatch:
    """A bench on the device "here", at a pace of 1 ms for each training image."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.timed: list[Recipe] = []
        self.fault = fault

    def pace(self, kind: Recipe) -> Pace:
        self.timed.append(kind)
        if self.fault is not None:
            raise self.fault
        return Pace(0.0, 0.001, 0.0)

    def bench(self) -> Bench:
        def by_kind(recipe: Recipe) -> Recipe:
            return kind(recipe, CPU)

        return Bench("here", lambda r: r.origin.device == "here", alike, by_kind, self.pace)


def here(recipe: Recipe, seed: int = 0, **changes: Any) -> Record:
    return record(recipe, seed, **{"origin": HERE, **changes})


def run(recipe: Recipe, seed: int = 0) -> Run:
    return Run(recipe, seed, "full")


def seconds(wanted: Recipe, *records: Record) -> float | None:
    return Estimate(records, Stopwatch().bench()).seconds(run(wanted))


class TestWhatItGoesBy:
    def test_the_median_of_this_devices_records_of_the_same_training(self) -> None:
        rates = (1000.0, 2000.0, 9000.0)
        same = [here(VGG.but(lr=rate), images_per_second=rate) for rate in rates]
        assert seconds(VGG, *same) == 500_000 / 2000

    def test_a_few_steps_where_there_is_none(self) -> None:
        assert seconds(VGG) == pytest.approx(500)

    @pytest.mark.parametrize(
        "other",
        [
            here(VGG.but(batch_size=256), images_per_second=7.0),
            here(VGG.but(augment=("flip",)), images_per_second=7.0),
            here(VGG.but(train_size=1000), images_per_second=7.0),
            here(DEEP, images_per_second=7.0),
            here(RESNET, images_per_second=7.0),
            record(VGG, images_per_second=7.0, origin=ELSEWHERE),
            here(VGG, images_per_second=0.0),
            here(VGG, images_per_second=float("nan")),
        ],
    )
    def test_other_records_say_nothing(self, other: Record) -> None:
        assert seconds(VGG, other) == pytest.approx(500)

    def test_with_patience_it_ends_where_that_recipes_runs_did(self) -> None:
        patient = VGG.but(patience=3)
        stopped = [
            record(patient, seed, accuracy=[0.5] * epochs, loss=[0.5] * epochs, origin=ELSEWHERE)
            for seed, epochs in enumerate((4, 5, 9))
        ]
        assert seconds(patient, *stopped) == pytest.approx(250)
        assert seconds(patient.but(lr=0.1), *stopped) == pytest.approx(500)

    def test_whether_it_is_known_when_they_stop(self) -> None:
        patient = VGG.but(patience=3)
        estimate = Estimate([record(patient)], Stopwatch().bench())
        assert not estimate.may_stop_early([run(VGG), run(patient)])
        assert estimate.may_stop_early([run(patient.but(patience=4))])


class TestTiming:
    def test_each_kind_is_timed_once_and_only_when_asked_for(self) -> None:
        watch = Stopwatch()
        estimate = Estimate([here(RESNET)], watch.bench())
        runs = [run(r, s) for r in (VGG, VGG.but(batch_size=64), DEEP, RESNET) for s in (0, 1)]
        assert estimate.untimed(runs) == [kind(VGG, CPU), kind(DEEP, CPU)]
        assert watch.timed == []
        estimate.total(runs)
        assert watch.timed == [kind(VGG, CPU), kind(DEEP, CPU)]
        assert estimate.untimed(runs) == []
        estimate.total(runs)
        assert len(watch.timed) == 2

    def test_workers_share_the_work(self) -> None:
        runs = [run(VGG, seed) for seed in range(4)]
        alone, shared = (Estimate([], Stopwatch().bench(), lanes) for lanes in (1, 2))
        assert alone.total(runs)[0] == pytest.approx(2000)
        assert shared.total(runs)[0] == pytest.approx(1000)

    @pytest.mark.parametrize("error", [torch.OutOfMemoryError("too large\nand more"), ValueError()])
    def test_what_cannot_be_timed_is_named_once(self, error: Exception) -> None:
        estimate = Estimate([here(RESNET)], Stopwatch(error).bench())
        runs = [run(VGG), run(VGG, 1), run(RESNET)]
        assert estimate.total(runs)[1] == 2
        assert "2 not estimated" in estimate.told(runs)
        (fault,) = estimate.faults
        assert fault.startswith("vgg on cifar10 cannot be timed: ")
        assert "\n" not in fault

    def test_without_a_bench_nothing_is_estimated(self) -> None:
        estimate = Estimate([here(VGG)])
        assert estimate.told([run(VGG)]) == "not estimated"
        assert estimate.untimed([run(VGG)]) == []
        assert estimate.told([]) == "nothing to train"


class TestThisDevice:
    SMALL = Recipe(
        data="digits", train_size=100, test_size=20, batch_size=50, lr=0.1, epochs=2,
        model_args={"hidden": (4,)},
    )  # fmt: skip

    def test_its_own_records_are_those_with_its_name_and_threads(self) -> None:
        bench, name, threads = bench_on(CPU, 3), device_name(CPU), torch.get_num_threads()
        conv = self.SMALL.but(data="cifar10", model="conv4", model_args={})
        assert bench.measured(record(conv, origin=origin(device=name, threads=threads)))
        assert not bench.measured(record(conv, origin=origin(device=name, threads=threads + 1)))
        assert not bench.measured(record(conv, origin=origin(device="other", threads=threads)))

    def test_small_networks_are_timed_as_they_train(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        bench, name = bench_on(CPU, 3), device_name(CPU)
        assert bench.measured(record(self.SMALL, origin=origin(device=name, threads=1)))
        assert not bench.measured(record(self.SMALL, origin=origin(device=name, threads=64)))
        assert bench.pace(bench.kind(self.SMALL)).networks == 3

    def test_how_many_runs_train_at_a_time(self) -> None:
        assert [side_by_side("cpu", workers) for workers in (1, 4)] == [1, 4]
        assert side_by_side("mps", 4) == 1
        assert side_by_side("cuda:0", 4) == 1


@pytest.mark.parametrize(
    ("taken", "told"), [(0, "0 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_duration(taken: float, told: str) -> None:
    assert duration(taken) == told
