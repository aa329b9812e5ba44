"""Data of an author's own: what is read off, what is refused, what is kept."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cvclaims.data import own
from cvclaims.data.folder import DataError, DataMissing, tell_folder
from cvclaims.data.load import load
from cvclaims.own import dataset, image_folder
from cvclaims.recipe import Recipe
from cvclaims.specs import Facts, dataset_spec
from cvclaims.training.loop import train

FLOATS = np.arange(24, dtype=np.float64).reshape(6, 4)
IMAGES = np.arange(6 * 3 * 2 * 2, dtype=np.uint8).reshape(6, 3, 2, 2)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def made(x: Any = FLOATS, y: Any = LABELS, **more: Any) -> own.Arrays:
    return own.checked("mine", ((x, y), (more.get("test_x", x), more.get("test_y", y))))


class TestReadOff:
    def test_features_and_labels(self) -> None:
        found = made()
        assert found.facts == Facts(6, 6, (4,), ("0", "1", "2"), test_counts=(2, 2, 2))
        assert [part.dtype.name for part in found.parts] == ["float32", "int64"] * 2

    def test_names_of_classes(self) -> None:
        found = made(y=np.array(["dog", "cat", "eel", "dog", "cat", "eel"]))
        assert found.classes == ("cat", "dog", "eel")
        assert found.parts[1].tolist() == [1, 0, 2, 1, 0, 2]

    def test_images_grey_and_coloured(self) -> None:
        assert made(IMAGES).facts.shape == (3, 2, 2)
        assert made(IMAGES[:, 0]).facts.shape == (1, 2, 2)
        assert made(IMAGES).parts[0].dtype == np.uint8

    def test_tensors(self) -> None:
        found = made(torch.from_numpy(FLOATS), torch.from_numpy(LABELS))
        assert found.facts == made().facts

    def test_targets(self) -> None:
        assert made(y=FLOATS[:, 0]).facts == Facts(6, 6, (4,), (), targets=1)
        assert made(y=FLOATS[:, :2]).facts.targets == 2


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (lambda: None, "give (train x, train y), (test x, test y)"),
        (lambda: ((1, 2), (3,)), "give (train x, train y), (test x, test y)"),
        (
            lambda: made(x=["a"] * 6),
            "train x is an array of numbers, (N, ...), not <U1 of shape (6,)",
        ),
        (lambda: made(y=LABELS[:5]), "train has 6 samples and 5 targets"),
        (lambda: made(FLOATS[:0], LABELS[:0]), "train has 0 samples and 0 targets"),
        (
            lambda: made(np.where(FLOATS == 5, np.nan, FLOATS)),
            "1 of 6 train samples hold what is not finite",
        ),
        (
            lambda: made(y=np.where(FLOATS[:, 0] == 4, np.inf, 1.0)),
            "1 of 6 train targets are not finite",
        ),
        (
            lambda: made(IMAGES.transpose(0, 2, 3, 1)),
            "train x is (6, 2, 2, 3): images are (N, channels, H, W); transpose(0, 3, 1, 2) makes "
            "that of (N, H, W, C)",
        ),
        (lambda: made(y=LABELS - 1), "train label -1 in row 0 is none of its 2 classes, 0 to 1"),
        (
            lambda: made(test_x=FLOATS[:, :3]),
            "train samples are (4,) float32, test samples (3,) float32",
        ),
        (
            lambda: made(y=np.stack([LABELS, LABELS], 1)),
            "train y is (6, 2) of int64: classes are (N,), from 0",
        ),
    ],
)
def test_what_is_no_data_set_is_told_in_a_line(given: Callable[[], Any], why: str) -> None:
    with pytest.raises(DataError) as caught:
        own.checked("mine", given())
    assert str(caught.value) == f"data set mine: {why}"


def test_what_was_said_has_to_hold() -> None:
    declared = Facts(6, 6, (4,), ("a", "b"))
    with pytest.raises(DataError) as caught:
        own.checked("mine", ((FLOATS, LABELS), (FLOATS, LABELS)), declared)
    assert str(caught.value) == (
        "data set mine: train label 2 in row 2 is none of its 2 classes, 0 to 1"
    )
    longer = Facts(7, 6, (4,), ("a", "b", "c"))
    with pytest.raises(DataError, match="data set mine: train was said to be 7, and is 6"):
        own.checked("mine", ((FLOATS, LABELS), (FLOATS, LABELS)), longer)


def test_images_are_seen_standardised_by_channel() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8), np.uint8)
    images[:, 1] //= 4

    @dataset
    def pictures() -> Any:
        return (images, np.arange(50) % 2), (images[:10], np.arange(10) % 2)

    data = load(dataset_spec(pictures), None)
    seen = data.normalise(data.train_x)
    assert seen.mean((0, 2, 3)).abs().max() < 1e-3
    assert (seen.std((0, 2, 3)) - 1).abs().max() < 1e-3
    assert data.name.startswith("pictures@")
    assert data.source == "pictures"


def test_moments_are_those_of_numpy() -> None:
    images = np.random.default_rng(1).integers(0, 256, (20, 2, 5, 5), np.uint8)
    means, deviations = own.moments(images)
    shares = images / 255
    np.testing.assert_allclose(means, shares.mean((0, 2, 3)), atol=6e-5)
    np.testing.assert_allclose(deviations, shares.std((0, 2, 3)), atol=6e-5)


class TestFunctions:
    def test_it_is_called_for_facts_once_and_then_loaded(self) -> None:
        calls = []

        @dataset
        def mine() -> Any:
            calls.append(1)
            return (FLOATS, LABELS), (FLOATS, LABELS)

        recipe = Recipe(data=mine, lr=0.1, epochs=1, batch_size=3)
        assert recipe.class_names == ("0", "1", "2")
        assert load(recipe.dataset, None).classes == ("0", "1", "2")
        assert load(recipe.dataset, None) is load(recipe.dataset, None)
        assert len(calls) == 1

    def test_what_was_said_spares_the_call(self) -> None:
        @dataset(classes=("a", "b", "c"), shape=(4,), train=6, test=6)
        def mine() -> Any:
            raise AssertionError

        assert Recipe(data=mine, lr=0.1, epochs=1, batch_size=3).train_samples == 6

    def test_the_folder_is_the_sessions(self, tmp_path: Path) -> None:
        @dataset(files="*.npy")
        def mine(folder: Path) -> Any:
            x = np.load(folder / "x.npy")
            return (x, LABELS), (x, LABELS)

        spec = dataset_spec(mine)
        with pytest.raises(DataMissing, match=r"mine is not here: there is no \*.npy in"):
            load(spec, tmp_path)
        np.save(tmp_path / "x.npy", FLOATS)
        assert load(spec, tmp_path).train_x.shape == (6, 4)

    def test_what_it_reads_is_kept_until_it_changes(self, tmp_path: Path) -> None:
        calls = []
        np.save(tmp_path / "x.npy", FLOATS)

        def once() -> Any:
            @dataset(files="x.npy", version=1)
            def mine(folder: Path) -> Any:
                calls.append(1)
                x = np.load(folder / "x.npy")
                return (x, LABELS), (x, LABELS)

            return load(dataset_spec(mine), tmp_path)

        first = once()
        assert once().fingerprint == first.fingerprint
        assert len(calls) == 1
        np.save(tmp_path / "x.npy", FLOATS + 1)
        os.utime(tmp_path / "x.npy", ns=(1, 1))
        assert once().fingerprint != first.fingerprint
        assert len(calls) == 2

    def test_a_file_that_is_not_there_is_data_missing(self) -> None:
        @dataset
        def mine() -> Any:
            return open("/no/such/file")

        with pytest.raises(DataMissing, match="mine is not here: /no/such/file does not exist"):
            dataset_spec(mine).facts.train  # noqa: B018

    def test_what_fails_is_told_in_a_line(self) -> None:
        @dataset
        def mine() -> Any:
            raise KeyError("x")

        with pytest.raises(DataError, match=r"^data set mine: its function failed: KeyError: 'x'$"):
            load(dataset_spec(mine), None)

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"classes": ("a", "b")}, "it lacks shape, train, test"),
            ({"shape": (4,), "train": 6, "test": 6}, "it lacks one of classes and targets"),
        ],
    )
    def test_facts_are_said_in_full(self, said: dict[str, Any], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            dataset(**said)(lambda_named())


def lambda_named() -> Callable[[], Any]:
    def mine() -> Any: ...

    return mine


def test_numbers_are_predicted() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))

    @dataset(light=True)
    def plane() -> Any:
        y = x @ np.array([1.0, -2.0, 0.5])
        return (x[:90], y[:90]), (x[90:], y[90:])

    recipe = Recipe(data=plane, loss="mse", optimizer="adam", lr=0.01, epochs=20, batch_size=10)
    with pytest.raises(ValueError, match="'plane' has numbers for targets: loss='mse'"):
        recipe.but(loss="cross_entropy")
    (found,) = train([(recipe, 0)], load(recipe.dataset, None), torch.device("cpu"))
    assert "test_accuracy" not in found.curves
    assert found.curves["test_loss"][-1] < found.curves["test_loss"][0] / 5
    assert found.class_accuracy == []


class TestImageFolder:
    @pytest.fixture
    def pets(self, tmp_path: Path) -> Path:
        from PIL import Image

        for part, count in (("train", 3), ("test", 2)):
            for shade, name in ((40, "cat"), (200, "dog")):
                folder = tmp_path / "pets" / part / name
                folder.mkdir(parents=True)
                for number in range(count):
                    Image.new("RGB", (20 + number, 12), (shade, 0, 255)).save(
                        folder / f"{number}.png"
                    )
        return tmp_path

    def test_it_is_counted_and_decoded(self, pets: Path) -> None:
        spec = image_folder("pets", size=8)
        tell_folder(pets)
        assert spec.facts == Facts(6, 4, (3, 8, 8), ("cat", "dog"), test_counts=(2, 2))
        data = load(spec, pets)
        assert data.train_x.shape == (6, 3, 8, 8)
        assert data.train_x[0, :, 4, 4].tolist() == [40, 0, 255]
        assert data.train_y.tolist() == [0, 0, 0, 1, 1, 1]
        assert (str(spec), spec.name) == ("pets", "pets@8px")

    def test_what_is_wrong_names_it(self, pets: Path) -> None:
        (pets / "pets" / "test" / "eel").mkdir()
        with pytest.raises(DataError, match=r"data set pets: .*eel holds no images"):
            load(image_folder("pets", size=8), pets)
        (pets / "pets" / "test" / "eel").rmdir()
        (pets / "pets" / "train" / "cat" / "1.png").write_bytes(b"no image")
        with pytest.raises(DataError, match=r"1.png cannot be read as an image"):
            load(image_folder("pets", size=8), pets)
        with pytest.raises(DataMissing, match="fish is not here: there is no folder fish in"):
            load(image_folder("fish", size=8), pets)

    @pytest.mark.parametrize("size", [0, True, 1.5, 5000])
    def test_a_size_is_a_number_of_pixels(self, size: Any) -> None:
        with pytest.raises(ValueError, match="size is 1 to 1024 pixels"):
            image_folder("pets", size=size)
