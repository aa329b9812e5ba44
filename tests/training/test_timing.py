"""Timing side by side: the order of the rounds and the arithmetic, on a clock of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.models import build
from cvclaims.recipe import Recipe
from cvclaims.training import timing
from cvclaims.training.hooks import Hooks
from cvclaims.training.timing import alternate, calls_side_by_side, counted, side_by_side

CPU = torch.device("cpu")
TINY = Recipe(
    data="digits", train_size=40, test_size=20, batch_size=16, lr=0.1, epochs=1,
    model_args={"hidden": (4,)},
)  # fmt: skip


class Bench:
    """Work that takes time on the bench's clock, and is done only once waited for."""

    def __init__(self) -> None:
        self.now, self.pending = 0.0, 0.0
        self.log: list[str] = []

    def work(self, name: str, *seconds: float) -> Callable[[int], None]:
        """Steps of these lengths, call by call, over and over."""
        lengths = cycle(seconds)

        def steps(n: int) -> None:
            self.log.append(f"{name}{n}")
            self.pending += n * next(lengths)

        return steps

    def wait(self) -> None:
        self.log.append("wait")
        self.now += self.pending
        self.pending = 0

    def clock(self) -> float:
        self.log.append("clock")
        return self.now

    @property
    def worked(self) -> list[str]:
        return [entry for entry in self.log if entry not in ("wait", "clock")]


class TestAlternate:
    def test_first_second_second_first(self) -> None:
        bench = Bench()
        done = alternate(bench.work("a", 3), bench.work("b", 2), bench.wait, 5, bench.clock)
        assert bench.worked[:4] == ["a1", "a1", "b1", "b1"]  # long enough for a round
        assert bench.worked[4:] == ["a1", "b1", "b1", "a1", "a1", "b1", "b1", "a1", "a1", "b1"]
        assert done == timing.Rounds(1, (3.0,) * 5, (2.0,) * 5)
        assert done.ratio == 1.5

    def test_every_reading_of_the_clock_waits_for_the_device(self) -> None:
        bench = Bench()
        alternate(bench.work("a", 3), bench.work("b", 2), bench.wait, 3, bench.clock)
        whole = ["wait", "clock", "work", "wait", "clock"]
        log = [entry if entry in ("wait", "clock") else "work" for entry in bench.log]
        assert log == whole * (len(log) // 5)

    @pytest.mark.parametrize(
        ("a", "b", "steps"),
        [(0.05, 0.01, 1), (0.049, 0.01, 2), (0.01, 0.02, 4), (0.001, 0.001, 64), (1e-6, 9, 1)],
    )
    def test_steps_until_the_slower_takes_long_enough(self, a: float, b: float, steps: int) -> None:
        bench = Bench()
        done = alternate(bench.work("a", a), bench.work("b", b), bench.wait, 1, bench.clock)
        assert done.steps == steps
        assert done.first == pytest.approx((steps * a,))
        assert done.second == pytest.approx((steps * b,))

    def test_an_interruption_makes_no_step_long_enough(self) -> None:
        bench = Bench()
        a, b = bench.work("a", 9, *[0.03] * 99), bench.work("b", 0.02)
        assert alternate(a, b, bench.wait, 1, bench.clock).steps == 2

    def test_the_median_of_the_ratios_not_the_ratio_of_medians(self) -> None:
        rounds = timing.Rounds(1, (1.0, 2.0, 9.0), (1.0, 4.0, 3.0))
        assert rounds.ratio == 1.0  # of 1, 1/2 and 3; the medians' would be 2/3

    def test_one_slow_round_changes_nothing(self) -> None:
        bench = Bench()
        first = bench.work("a", 2, 2, 2, 90, 2, 2, 2)
        done = alternate(first, bench.work("b", 1), bench.wait, 5, bench.clock)
        assert 90 in done.first
        assert done.ratio == 2


class FakeSession:
    """In the place of `Session`: a step takes a tenth of a second per hidden unit."""

    made: list["FakeSession"]
    now = 0.0

    def __init__(self, runs: list[tuple[Recipe, int]], data: Dataset, device: torch.device) -> None:
        ((self.recipe, self.seed),) = runs
        self.device, self.ready, self.steps = device, False, 0
        self.batches = self
        FakeSession.made.append(self)

    def starts(self) -> range:
        assert self.recipe.batch_size is not None
        return range(0, self.recipe.train_samples, self.recipe.batch_size)

    @contextmanager
    def running(self) -> Iterator[None]:
        self.ready = True
        yield
        self.ready = False

    def train_steps(self, steps: int) -> None:
        assert self.ready
        self.steps += steps
        FakeSession.now += steps * 0.1 * self.recipe.model_args["hidden"][0]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[FakeSession]:
    FakeSession.made, FakeSession.now = [], 0.0
    monkeypatch.setattr(timing, "Session", FakeSession)
    # `alternate` has bound the real clock as its default.
    monkeypatch.setattr(alternate, "__defaults__", (timing.ROUNDS, lambda: FakeSession.now))
    return FakeSession.made


class TestSideBySide:
    @property
    def data(self) -> Dataset:
        return load("digits", None)

    def test_each_recipe_trains_its_own_steps(self, fakes: list[FakeSession]) -> None:
        wide = TINY.but(model_args={"hidden": (8,)})
        compared = side_by_side((wide, self.data), (TINY, self.data), 7, CPU, rounds=3)
        assert compared.ratio == pytest.approx(2)
        assert [fake.recipe for fake in fakes] == [wide, TINY]
        assert {fake.seed for fake in fakes} == {7}
        assert [fake.steps for fake in fakes] == [timing.WARM_STEPS + 2 + 3] * 2
        assert not any(fake.ready for fake in fakes)
        # 40 samples in batches of 16 are three steps of 0.8 and 0.4 s.
        seconds = [cost.epoch_seconds for cost in compared.costs]
        assert seconds == pytest.approx([2.4, 1.2])

    @pytest.mark.usefixtures("fakes")
    def test_epochs_are_compared_where_batches_differ(self) -> None:
        small = TINY.but(batch_size=4)  # ten steps against three
        compared = side_by_side((small, self.data), (TINY, self.data), 0, CPU, rounds=1)
        assert compared.ratio == pytest.approx(10 / 3)

    @pytest.mark.usefixtures("fakes")
    def test_a_processor_tells_no_peak(self) -> None:
        compared = side_by_side((TINY, self.data), (TINY, self.data), 0, CPU, rounds=1)
        assert [cost.peak_bytes for cost in compared.costs] == [None, None]

    def test_of_a_gpu_the_peak_above_what_was_there_before(
        self, fakes: list[FakeSession], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits: list[torch.device] = []
        monkeypatch.setattr(torch.cuda, "synchronize", waits.append)
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: None)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 100 * len(fakes))
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 1000)
        cuda = torch.device("cuda:0")
        compared = side_by_side((TINY, self.data), (TINY, self.data), 0, cuda, rounds=1)
        assert [cost.peak_bytes for cost in compared.costs] == [1000, 900]
        assert set(waits) == {cuda}

    def test_a_real_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(timing, "ROUND_SECONDS", 0.001)
        augmented = TINY.but(model_args={"hidden": (5,)})
        compared = side_by_side((augmented, self.data), (TINY, self.data), 0, CPU, rounds=1)
        assert compared.ratio > 0
        assert all(cost.epoch_seconds > 0 for cost in compared.costs)


class TestCalls:
    """Two functions, on a clock that they themselves move."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.called = 0.0, {"slow": 0, "quick": 0}
        monkeypatch.setattr(alternate, "__defaults__", (timing.ROUNDS, lambda: self.now))

    def make(self, name: str, seconds: float) -> timing.Make:
        def on(device: torch.device) -> Callable[[], None]:
            assert device == CPU

            def call() -> None:
                self.called[name] += 1
                self.now += seconds

            return call

        return on

    def test_a_ratio_and_the_seconds_of_each_call(self) -> None:
        slow, quick = self.make("slow", 0.03), self.make("quick", 0.01)
        ratio, seconds = calls_side_by_side(slow, quick, 0, CPU, rounds=3)
        assert ratio == pytest.approx(3)
        assert seconds == pytest.approx((0.03, 0.01))
        # Two trials of one call and two of two, which are long enough for a round; three rounds.
        assert set(self.called.values()) == {timing.WARM_STEPS + 2 * (1 + 2) + 3 * 2}

    def test_both_are_made_of_the_seeds_random_numbers_and_of_no_others(self) -> None:
        made: list[torch.Tensor] = []

        def random(device: torch.device) -> Callable[[], None]:
            made.append(torch.randn(4, device=device))
            return self.make("slow", 1)(device)

        with torch.random.fork_rng(devices=[]):
            before = torch.manual_seed(5).get_state()
            for seed in (0, 1, 0):
                calls_side_by_side(random, random, seed, CPU, rounds=1)
            assert torch.equal(torch.random.get_rng_state(), before)
        first, second, again = made[::2], made[1::2], made[4]
        assert all(a.equal(b) for a, b in zip(first, second, strict=True))
        assert again.equal(made[0])
        assert not again.equal(made[2])

    def test_it_is_made_and_called_in_the_state_that_training_has(self) -> None:
        seen: set[tuple[torch.dtype, bool]] = set()

        def look(device: torch.device) -> Callable[[], None]:
            call = self.make("slow", 1)(device)

            def step() -> None:
                seen.add((torch.get_default_dtype(), torch.is_grad_enabled()))
                call()

            seen.add((torch.get_default_dtype(), torch.is_grad_enabled()))
            return step

        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            with torch.no_grad():
                calls_side_by_side(look, look, 0, CPU, rounds=1)
        finally:
            torch.set_default_dtype(before)
        assert seen == {(torch.float32, True)}


class TestCounted:
    def test_as_on_the_processor(self) -> None:
        network = build("mlp", (64,), 10, hidden=(4,))
        flops, kept = counted(TINY)
        assert flops == Hooks().flops(network, torch.zeros(1, 64)) == 2 * (64 * 4 + 4 * 10)
        assert kept == Hooks().saved_bytes(network, torch.zeros(1, 64)) == 4 * (64 + 4)

    def test_of_chosen_classes(self) -> None:
        assert counted(TINY.but(classes=("0", "1")))[0] == 2 * (64 * 4 + 4 * 2)

    def test_of_a_network_with_batch_norm(self) -> None:
        recipe = Recipe(data="cifar10", model="resnet", model_args={"depth": 18}, lr=0.1, epochs=1)
        flops, kept = counted(recipe)
        assert flops == pytest.approx(2 * 556e6, rel=0.01)  # the catalogue's MEGAMACS
        assert kept > 1e6
