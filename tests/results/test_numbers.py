"""A reported and a measured number in the same digits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.results.numbers import quantities, side_by_side
from cvclaims.results.view import Measured
from tests.results.synthetic import CE, MSE, judged, measured, row


@pytest.mark.parametrize(
    ("reported", "values", "shown"),
    [
        (0.9833, (0.98, 0.986, 0.9806), ("0.9833", "0.9822 ± 0.0033")),
        (0.89, (0.8876,), ("0.8900", "0.8876")),
        (31, (30, 33, 28), ("31", "30.3 ± 2.5")),
        (3, (3, 3, 3), ("3", "3 ± 0")),
        (33_646_666, (33_646_666.0,), ("33,646,666", "33,646,666")),
        (1923.64, (1204.2, 1210.9), ("1,924", "1,208 ± 5")),
        (22.8, (24.1, 25.2), ("22.80", "24.65 ± 0.78")),
        (2.31, (2.2, 2.3), ("2.310", "2.250 ± 0.071")),
        # A gradient that vanished is not 0.0000, whatever the report's digits.
        (0.006, (3.1e-6, 2.2e-6), ("0.0060", "2.65e-06 ± 6.4e-07")),
        (0.0, (3.1e-6,), ("0", "3.10e-06")),
        (450.0, (0.0041, 0.0052), ("450.0", "0.0046 ± 0.0008")),
        (0.5, (0.5000001, 0.5000002), ("0.5000", "0.5000 ± <0.0001")),
        (None, (0.5, 0.6), ("–", "0.5500 ± 0.0707")),
        (None, (-0.25, -0.5), ("–", "-0.3750 ± 0.1768")),
        (None, (1.5e30, 2e30), ("–", "1.75e+30 ± 3.5e+29")),
        (0.1, (), ("0.1000", "–")),
        (None, (), ("–", "–")),
    ],
)
def test_numbers_compare_at_a_glance(
    reported: float | None, values: tuple[float, ...], shown: tuple[str, str]
) -> None:
    assert side_by_side(reported, measured(*values) if values else None) == shown


def test_a_run_that_diverged_has_no_number() -> None:
    lost: Measured = {"mean": None, "std": None, "n": 2, "values": [0.5, None]}
    assert side_by_side(0.9, lost) == ("0.9000", "not finite")
    odd: Measured = {"mean": 0.5, "std": None, "n": 2, "values": [0.5, None]}
    assert side_by_side(None, odd) == ("–", "0.5000")


@given(
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=4),
)
def test_any_number_has_a_form_that_keeps_its_size(
    reported: float | None, values: list[float]
) -> None:
    left, right = side_by_side(reported, measured(*values))
    for text, number in ((left, reported), (right.split(" ")[0], math.fsum(values) / len(values))):
        if number is not None:
            shown = float(text.replace(",", ""))
            spread = max(values) - min(values)
            assert math.isclose(shown, number, rel_tol=0.1, abs_tol=0.1 * spread + 1e-300)


def test_quantities_name_reported_ones_first_and_count_seeds_once() -> None:
    one = judged("1", {"a": CE}, reported={"b": 0.5}, measured={"a": measured(0.1, 0.2)})
    lines, common = quantities(one)
    assert [(q.name, q.reported, q.measured, q.n) for q in lines] == [
        ("b", "0.5000", "–", ""),
        ("a", "–", "0.1500 ± 0.0707", ""),
    ]
    assert common == "2 seeds"


def test_values_pooled_from_several_recipes_are_runs() -> None:
    pooled = row(
        evidence={"small": ["a", "b"], "large": ["c", "d"]},
        measured={"both": measured(0.0, 1.0, 1.0, 1.0)},
    )
    assert quantities(pooled)[1] == "4 runs"


def test_different_numbers_of_seeds_stand_with_each_quantity() -> None:
    uneven = {"ce": measured(0.1, 0.2), "mse": measured(0.3)}
    lines, common = quantities(judged("1", {"ce": CE, "mse": MSE}, measured=uneven))
    assert [q.n for q in lines] == ["n = 2", "n = 1"]
    assert common == ""


@pytest.mark.parametrize(("evidence", "told"), [({}, ""), ({"ce": ["k"]}, "1 seed")])
def test_one_value_has_no_spread_and_a_count_no_seed(
    evidence: dict[str, list[str]], told: str
) -> None:
    one = row(reported={"n": 5}, measured={"n": measured(5.0)}, evidence=evidence)
    lines, common = quantities(one)
    assert (lines[0].name, lines[0].measured, common) == ("", "5", told)
