"""The scikit-learn sets against their protocol, written out once more."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_circles, make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from cvclaims.specs import DATASETS, built

NAMES = ("digits", "moons", "circles")


def raw(name: str) -> tuple[Any, Any, float]:
    if name == "digits":
        return (*load_digits(return_X_y=True), 0.2)
    if name == "moons":
        return (*make_moons(1000, noise=0.3, random_state=42), 0.3)
    return (*make_circles(1000, noise=0.2, factor=0.5, random_state=42), 0.3)


@pytest.mark.parametrize("name", NAMES)
def test_is_what_scikit_learn_computes(name: str) -> None:
    x, y, share = raw(name)
    x = StandardScaler().fit_transform(x)
    parts = train_test_split(x, y, test_size=share, random_state=42, stratify=y)
    dataset = built(DATASETS[name].load)()
    for ours, theirs in zip((dataset.train_x, dataset.test_x), parts[:2], strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.astype(np.float32))
    for ours, theirs in zip((dataset.train_y, dataset.test_y), parts[2:], strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs)


@pytest.mark.parametrize("name", NAMES)
def test_is_standardised_over_training_and_test_set_together(name: str) -> None:
    dataset = built(DATASETS[name].load)()
    x = torch.cat([dataset.train_x, dataset.test_x]).double()
    varies = x.std(0) > 0  # some border pixels of the digits are always 0
    torch.testing.assert_close(x.mean(0), torch.zeros(x.shape[1]).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(
        x.std(0, correction=0)[varies], torch.ones(int(varies.sum())).double()
    )
    assert varies.sum() == {"digits": 61, "moons": 2, "circles": 2}[name]


@pytest.mark.parametrize("name", NAMES)
def test_has_its_classes_in_equal_shares_in_both_parts(name: str) -> None:
    dataset = built(DATASETS[name].load)()
    train, test = dataset.train_y.bincount(), dataset.test_y.bincount()
    assert len(train) == len(test) == len(dataset.classes)
    share = len(dataset.train_y) / (len(dataset.train_y) + len(dataset.test_y))
    assert ((train - (train + test) * share).abs() < 1).all()


@pytest.mark.parametrize(
    ("name", "fingerprint"),
    [
        ("digits", "0909ab5fdef4b949c6182b2535ac2e48abf78a3918b8307c756e35c7b6a2e548"),
        ("moons", "1c2a3b3846f1c564c5a9c7800bf40f921dbad2210f66f56156df92d913e6ada0"),
        ("circles", "c12d6fc6ab16d3faab4146c04bcaa76d472bdbc73dac96a0cd090ae3d4840293"),
    ],
)
def test_keeps_the_fingerprint_that_records_are_stored_under(name: str, fingerprint: str) -> None:
    """When this fails, the data changed (scikit-learn's?), and no stored record counts any more."""
    assert built(DATASETS[name].load)().fingerprint == fingerprint
