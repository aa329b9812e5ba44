"""CIFAR-10 from each of its sources, and the real images where they lie."""

import functools
import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10

from cvclaims.data import cifar10 as module
from cvclaims.data import pictures
from cvclaims.data.cifar10 import BATCHES, MEAN, STD
from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import DataError, DataMissing, IncompleteError, data_folder
from cvclaims.data.load import load
from cvclaims.specs import DATASETS

Plant = Callable[..., Path]
FACTS = DATASETS["cifar10"]
cifar10 = functools.partial(module.cifar10, per_class=(3, 2))


def pack(tree: Path, archive: Path, root: str = "cifar10") -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, root)
    return archive


class Python2Type:
    """Pickles as Python 2's NumPy pickled the dtype uint8: `align` and `copy` are 0 and 1."""

    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, ("u1", 0, 1), (3, "|", None, None, None, -1, -1, 0)


class Python2Array:
    """Pickles as an array did."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        new, args, *_ = tuple(self.array.__reduce__())
        return new, args, (1, self.array.shape, Python2Type(), False, self.array.tobytes())


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 did: as its plain strings."""

    dispatch = pickle._Pickler.dispatch | {
        bytes: lambda self, content: self.write(struct.pack("<ci", b"T", len(content)) + content)
    }


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The publisher's files with 10 images each, whose hashes are taken for the right ones."""
    generator, written, hashes = np.random.default_rng(2), {}, {}
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name in BATCHES:
        written[name] = generator.integers(0, 256, (10, 3072), dtype=np.uint8)
        stream = io.BytesIO()
        content = {"data": Python2Array(written[name]), "labels": list(range(9, -1, -1))}
        Python2Pickler(stream, 2).dump(content)
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(stream.getvalue())
        hashes[name] = hashlib.md5(stream.getvalue()).hexdigest()
    monkeypatch.setattr(module, "BATCHES", hashes)
    return written


def test_the_hashes_are_those_of_torchvision() -> None:
    assert dict(BATCHES) == dict(CIFAR10.train_list + CIFAR10.test_list)


def test_the_publishers_files(tmp_path: Path, batches: dict[str, np.ndarray]) -> None:
    dataset = cifar10(tmp_path)
    *train, test = (array.reshape(-1, 3, 32, 32) for array in batches.values())
    np.testing.assert_array_equal(dataset.train_x.numpy(), np.concatenate(train))
    np.testing.assert_array_equal(dataset.test_x.numpy(), test)
    assert dataset.train_y.tolist() == 5 * [*range(9, -1, -1)]
    assert dataset.test_y.tolist() == [*range(9, -1, -1)]
    assert (dataset.train_x.dtype, dataset.train_y.dtype) == (torch.uint8, torch.int64)
    assert (dataset.source, dataset.stand_in) == ("CIFAR-10", False)
    assert (dataset.mean, dataset.std, dataset.classes) == (MEAN, STD, FACTS.classes)


def test_the_publishers_files_go_before_images(
    tmp_path: Path, batches: dict[str, np.ndarray], plant: Plant
) -> None:
    pack(plant(tmp_path), tmp_path / "cifar10.tar.gz")
    assert cifar10(tmp_path).source == "CIFAR-10"


def test_a_pickle_of_another_md5_is_never_opened(
    tmp_path: Path, batches: dict[str, np.ndarray]
) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (tmp_path / "exploded").touch, ()

    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError) as caught:
        cifar10(tmp_path)
    assert not (tmp_path / "exploded").exists()
    assert str(caught.value).startswith(f"{path} is damaged or not CIFAR-10 (md5 ")
    assert str(caught.value).endswith(
        f": move it out of the folder and get it again by `{FACTS.get} --claims-data {tmp_path}`"
    )


def test_a_batch_that_lacks_is_named(tmp_path: Path, batches: dict[str, np.ndarray]) -> None:
    (tmp_path / "cifar-10-batches-py" / "test_batch").unlink()
    with pytest.raises(IncompleteError, match="lacks test_batch; get the rest by `python -m"):
        cifar10(tmp_path)


def test_what_a_broken_download_left_goes_before_what_lacks(
    tmp_path: Path, batches: dict[str, np.ndarray]
) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    (folder / "test_batch").unlink()
    (folder / "data_batch_2").write_bytes(b"half")
    with pytest.raises(DataError, match="data_batch_2 is damaged or not CIFAR-10"):
        cifar10(tmp_path)


@pytest.mark.parametrize("archived", [False, True], ids=["folder", "archive"])
def test_images_are_read_by_class_and_name(
    tmp_path: Path, plant: Plant, colours: Callable[..., np.ndarray], archived: bool
) -> None:
    tree = plant(tmp_path)
    if archived:
        pack(tree, tmp_path / "cifar10-png.tar.gz")
        tree.rename(tmp_path / "elsewhere")
    dataset = cifar10(tmp_path)
    for part, x, y, count in (
        ("train", dataset.train_x, dataset.train_y, 3),
        ("test", dataset.test_x, dataset.test_y, 2),
    ):
        where = [(label, number) for label in range(10) for number in range(count)]
        expected = np.stack([colours(part, *at) for at in where]).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(x.numpy(), expected)
        assert y.tolist() == [label for label, _ in where]
    assert (dataset.train_x.dtype, dataset.train_y.dtype) == (torch.uint8, torch.int64)
    assert dataset.train_x.is_contiguous()
    assert dataset.source == "CIFAR-10, from image files"
    assert (dataset.mean, dataset.std, dataset.stand_in) == (MEAN, STD, False)


@pytest.mark.parametrize("suffix", ["bmp", "gif", "ppm", "tiff"])
def test_other_formats_are_read(tmp_path: Path, plant: Plant, suffix: str) -> None:
    plant(tmp_path, suffix)
    dataset = cifar10(tmp_path)
    assert dataset.source == "CIFAR-10, from image files"
    assert dataset.train_x.float().std() > 50


def test_one_jpeg_is_said_whatever_it_is_called(tmp_path: Path, plant: Plant) -> None:
    tree = plant(tmp_path)
    jpeg = plant(tmp_path / "jpeg", "jpg") / "test" / "cat" / "0001.jpg"
    jpeg.rename(tree / "test" / "cat" / "0001.png")
    assert cifar10(tmp_path).source == "CIFAR-10, JPEG re-encoded"


def lossy_webp(image: Image.Image, path: Path) -> None:
    image.save(path, "WEBP", quality=100)


def lossless_webp(image: Image.Image, path: Path) -> None:
    image.save(path, "WEBP", lossless=True)


def jpeg_in_tiff(image: Image.Image, path: Path) -> None:
    image.save(path, "TIFF", compression="jpeg")


@pytest.mark.parametrize(
    ("encode", "kind"),
    [
        (lossy_webp, "WebP re-encoded"),
        (lossless_webp, "from image files"),
        (jpeg_in_tiff, "JPEG re-encoded"),
    ],
)
def test_what_lost_something_is_said(
    tmp_path: Path, plant: Plant, encode: Callable[[Image.Image, Path], None], kind: str
) -> None:
    path = plant(tmp_path) / "test" / "cat" / "0001.png"
    encode(Image.open(path), path)
    assert cifar10(tmp_path).source == f"CIFAR-10, {kind}"


def test_all_that_lost_something_is_said(tmp_path: Path, plant: Plant) -> None:
    path = plant(tmp_path, "jpg") / "train" / "dog" / "0000.jpg"
    lossy_webp(Image.open(path), path)
    assert cifar10(tmp_path).source == "CIFAR-10, JPEG and WebP re-encoded"


def test_damaged_images_are_to_be_had_in_another_folder(tmp_path: Path, plant: Plant) -> None:
    (plant(tmp_path) / "test" / "cat" / "0001.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        cifar10(tmp_path)
    assert str(caught.value).endswith(
        ": put the original there, or get the whole set into another folder by "
        "`python -m cvclaims.data cifar10 --claims-data FOLDER`"
    )


def test_folder_and_archive_of_jpegs_are_one_set(tmp_path: Path, plant: Plant) -> None:
    tree = plant(tmp_path / "folder", "jpg")
    (tmp_path / "archive").mkdir()
    pack(tree, tmp_path / "archive" / "cifar10-jpeg.tar.gz", "./cifar10")
    folder, archive = (cifar10(tmp_path / name) for name in ("folder", "archive"))
    assert folder.fingerprint == archive.fingerprint
    assert folder.source == archive.source == "CIFAR-10, JPEG re-encoded"


def test_two_archives_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("cifar10-b.tar.gz", "cifar10-a.tar.gz"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"-a.tar.gz and cifar10-b.tar.gz: move all but one"):
        cifar10(tmp_path)


def test_the_data_folder_is_not_written_to(tmp_path: Path, plant: Plant, cache: Path) -> None:
    plant(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    cifar10(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert list(cache.glob("cifar10-*"))


def test_what_lacks_is_missing_and_may_be_stood_in_for(tmp_path: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        load("cifar10", tmp_path)
    assert str(caught.value) == (
        f"CIFAR-10 is not in {tmp_path}; get it by `{FACTS.get} --claims-data {tmp_path}`"
    )
    assert load("cifar10", tmp_path, allow_stand_in=True).stand_in


def test_images_that_lack_are_not_stood_in_for(tmp_path: Path, plant: Plant) -> None:
    plant(tmp_path)
    with pytest.raises(IncompleteError, match="holds 3 images instead of 5,000"):
        load("cifar10", tmp_path, allow_stand_in=True)


# SHA-256 of an archive of re-encoded images, and the fingerprint that records on it are stored
# under: where it is another one, Pillow decodes to other pixels, and no stored record counts.
ARCHIVE = "dc46a88ca5a99914b656bf79a82dddd8fe8744a34a53e86f874cd853735ad7ad"
DECODED = "47f71779404ff2549f2cb1bd3e3518ba7e05d550e1588de23fdab196f5d684cf"


def real_folder() -> Path:
    """The first place with CIFAR-10's images, of the data folder and shared ones near the tests."""
    root = Path(__file__).parents[2]
    places = [data_folder(None), root / "shared" / "data", root.parent / "shared" / "data"]
    for place in places:
        if place and (any(place.glob("cifar10*")) or (place / "cifar-10-batches-py").is_dir()):
            return place
    pytest.skip("CIFAR-10 is in no data folder: name one by CVCLAIMS_DATA")


def check_real(dataset: Dataset) -> None:
    assert dataset.train_x.shape == (FACTS.train, *FACTS.shape)
    assert dataset.test_x.shape == (FACTS.test, *FACTS.shape)
    assert dataset.train_y.bincount().tolist() == [5000] * 10
    assert dataset.test_y.bincount().tolist() == [1000] * 10


def test_the_real_set(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = real_folder()
    dataset = module.cifar10(folder)
    check_real(dataset)
    pixels = dataset.train_x[::5].float() / 255
    # JPEG leaves each channel's mean as it was, and takes a little of its deviation.
    np.testing.assert_allclose(pixels.mean((0, 2, 3)), MEAN, atol=4e-3)
    np.testing.assert_allclose(pixels.std((0, 2, 3)), STD, atol=4e-3)
    for archive in folder.glob("cifar10-jpeg.tar.gz"):
        if hashlib.sha256(archive.read_bytes()).hexdigest() == ARCHIVE:
            assert dataset.fingerprint == DECODED

    monkeypatch.delattr(pictures, "decoded")
    monkeypatch.delattr(module, "_from_pictures")
    again = module.cifar10(folder)  # from the cache, as nothing could be decoded
    check_real(again)
    assert (again.fingerprint, again.source) == (dataset.fingerprint, dataset.source)
