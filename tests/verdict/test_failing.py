"""V4: which runs failed to train, which are undecided, and what they are taken for."""

import math
from typing import Any

import pytest

from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.verdict.failing import decided, ended_by_patience, failed_to_train, is_undecided
from tests.records.factory import record

PATIENT = Recipe(data="cifar10", lr=0.1, epochs=6, patience=2)
failed = failed_to_train(0.15)


def run(
    accuracy: float,
    *,
    epochs: int = 6,
    loss: list[float] | None = None,
    gradient: float = 0.3,
    recipe: Recipe = PATIENT,
    **changes: Any,
) -> Record:
    """A run whose test loss falls in every epoch, unless `loss` says otherwise."""
    losses = loss or [1 - 0.1 * epoch for epoch in range(epochs)]
    probes = {"gradient_norms": {"0.weight": [0.5] * (len(losses) - 1) + [gradient], "1.bias": [0]}}
    given = {"probes": probes, **changes}
    return record(recipe, accuracy=[accuracy] * len(losses), loss=losses, **given)


STOPPED = [1.0, 0.9, 0.95, 0.93]


class TestFailed:
    @pytest.mark.parametrize(("accuracy", "expected"), [(0.1, 1), (0.15, 1), (0.1501, 0), (0.9, 0)])
    def test_patience_ended_it_at_the_limit_or_below(self, accuracy: float, expected: int) -> None:
        assert failed(run(accuracy, loss=STOPPED)) == expected

    @pytest.mark.parametrize(("gradient", "expected"), [(0.0, 1), (1e-30, math.nan)])
    def test_a_first_layer_without_gradient(self, gradient: float, expected: float) -> None:
        assert failed(run(0.15, gradient=gradient)) == pytest.approx(expected, nan_ok=True)
        assert failed(run(0.1501, gradient=gradient)) == 0

    def test_at_the_cap_of_epochs_it_is_undecided(self) -> None:
        assert math.isnan(failed(run(0.1)))
        assert math.isnan(failed(run(0.15)))
        assert failed(run(0.1501)) == 0

    def test_patience_that_ran_out_at_the_cap_ended_it(self) -> None:
        assert failed(run(0.1, loss=[1.0, 0.9, 0.8, 0.7, 0.75, 0.72])) == 1
        assert math.isnan(failed(run(0.1, loss=[1.0, 0.9, 0.8, 0.7, 0.65, 0.72])))

    def test_without_patience_only_the_gradient_or_the_cap(self) -> None:
        endless = PATIENT.but(patience=None)
        flat = [1.0] * 6
        assert math.isnan(failed(run(0.1, loss=flat, recipe=endless)))
        assert failed(run(0.1, loss=flat, gradient=0.0, recipe=endless)) == 1

    def test_a_run_that_diverged_at_chance_is_undecided(self) -> None:
        for gradient, expected in ((0.3, math.nan), (0.0, 1.0)):
            one = run(0.1, loss=[1.0, math.nan], gradient=gradient, status="diverged")
            assert failed(one) == pytest.approx(expected, nan_ok=True)
        assert failed(run(0.9, loss=[1.0, math.nan], status="diverged")) == 0

    def test_one_that_started_below_a_high_limit_at_the_cap_trained(self) -> None:
        assert failed_to_train(0.5)(run(0.4)) == 0
        assert failed_to_train(0.5)(run(0.4, loss=STOPPED)) == 1

    def test_one_above_a_low_limit_that_never_started_is_undecided_at_the_cap(self) -> None:
        assert math.isnan(failed_to_train(0.1)(run(0.12)))

    @pytest.mark.parametrize("limit", [0, 1, 15, -0.1, math.nan, "0.15", True, None])
    def test_a_limit_that_is_no_share(self, limit: Any) -> None:
        with pytest.raises(ValueError, match=r"^failed_to_train: the limit is an accuracy .*$"):
            failed_to_train(limit)

    def test_records_that_keep_no_gradients(self) -> None:
        assert math.isnan(failed(run(0.1, probes={})))


class TestPatience:
    def test_by_the_loss_that_is_monitored(self) -> None:
        held = PATIENT.but(monitor="held_out_loss", held_out=5)
        losses = [1.0, 0.9, 0.8, 0.7, 0.75, 0.72]
        falling = [1 - 0.1 * epoch for epoch in range(6)]
        assert ended_by_patience(run(0.1, recipe=held, probes={"held_out_loss": losses}))
        assert not ended_by_patience(
            run(0.1, recipe=held, loss=losses, probes={"held_out_loss": falling})
        )

    def test_it_alone_ends_a_run_early(self) -> None:
        assert ended_by_patience(run(0.1, loss=[1.0, 0.9, 0.8]))
        assert not ended_by_patience(run(0.1, loss=[1.0, 0.9, 0.8], status="diverged"))

    def test_a_loss_that_is_no_number_has_not_fallen(self) -> None:
        held = PATIENT.but(monitor="held_out_loss", held_out=5)
        losses = [None, 0.9, 0.8, 0.7, None, math.nan]
        assert ended_by_patience(run(0.1, recipe=held, probes={"held_out_loss": losses}))


class TestDecided:
    @pytest.mark.parametrize("taken", [True, False])
    def test_an_undecided_run_is_what_it_is_taken_for(self, taken: bool) -> None:
        assert failed(decided(run(0.1), failed=taken)) == float(taken)

    @pytest.mark.parametrize("taken", [True, False])
    @pytest.mark.parametrize(
        "known", [run(0.1, loss=STOPPED), run(0.1, gradient=0.0), run(0.9), run(0.9, loss=STOPPED)]
    )
    def test_what_is_known_stays(self, known: Record, taken: bool) -> None:
        assert failed(decided(known, failed=taken)) == failed(known)

    def test_the_record_itself_is_left_alone(self) -> None:
        one = run(0.1)
        before = dict(one.numbers)
        changed = decided(one, failed=True)
        assert is_undecided(one)
        assert is_undecided(changed)
        assert one.numbers == before
        assert (changed.key, changed.series, changed.probes) == (one.key, one.series, one.probes)
