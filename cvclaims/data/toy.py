"""The small sets that come with scikit-learn, split as in report 5.

The protocol of `losses-activations-optimizers` (CLAIMS.md, section 5): features are standardised
over all data, training and test set together, and then split, stratified, with random_state 42.
float32 comes last, which also hides how a processor rounds the last bit of a float64: the same
fingerprint is to be expected everywhere.
"""

import zlib
from importlib import metadata
from pathlib import Path
from typing import Any

from cvclaims.data.dataset import Dataset, from_arrays


def origin() -> tuple[object, ...]:
    """What the sets below may change with: scikit-learn, numpy, and this file."""
    mine = zlib.crc32(Path(__file__).read_bytes())
    return metadata.version("scikit-learn"), metadata.version("numpy"), mine


def digits() -> Dataset:
    """scikit-learn's 8 x 8 digits: 1437 + 360 samples of 64 features."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _standardised("digits", x, y, test_size=0.2, source="Digits (scikit-learn)")


def moons() -> Dataset:
    """Two half circles, noise 0.3: 700 + 300 points."""
    from sklearn.datasets import make_moons

    x, y = make_moons(1000, noise=0.3, random_state=42)
    return _standardised("moons", x, y, test_size=0.3, source="Moons (scikit-learn)")


def circles() -> Dataset:
    """Two circles, noise 0.2, factor 0.5: 700 + 300 points."""
    from sklearn.datasets import make_circles

    x, y = make_circles(1000, noise=0.2, factor=0.5, random_state=42)
    return _standardised("circles", x, y, test_size=0.3, source="Circles (scikit-learn)")


def _standardised(name: str, x: Any, y: Any, *, test_size: float, source: str) -> Dataset:
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    x = StandardScaler().fit_transform(x)
    train_x, test_x, train_y, test_y = train_test_split(
        x, y, test_size=test_size, random_state=42, stratify=y
    )
    return from_arrays(name, (train_x, train_y), (test_x, test_y), source=source)
