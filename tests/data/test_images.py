"""Fashion-MNIST from files: both layouts, every kind of damage, and the real set where it lies."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cvclaims.data.folder import IncompleteError, data_folder
from cvclaims.data.images import fashion_mnist
from cvclaims.data.load import DataError, DataMissing, load
from cvclaims.specs import DATASETS

Write = Callable[..., Path]
IMAGES = "train-images-idx3-ubyte"


@pytest.mark.parametrize("packed", [True, False], ids=["gz", "unpacked"])
def test_reads_what_the_files_hold(
    tmp_path: Path, contents: dict[str, bytes], write: Write, packed: bool
) -> None:
    write(tmp_path, packed=packed)
    dataset = fashion_mnist(tmp_path)
    assert dataset.train_x.shape == (30, 1, 28, 28)
    assert dataset.test_x.shape == (20, 1, 28, 28)
    assert dataset.train_x.dtype == torch.uint8
    assert dataset.train_y.dtype == torch.int64
    assert dataset.train_x.numpy().tobytes() == contents[IMAGES][16:]
    assert dataset.test_y.tolist() == list(contents["t10k-labels-idx1-ubyte"][8:])
    assert (dataset.mean, dataset.std, dataset.stand_in) == (0.5, 0.5, False)
    assert dataset.source == "Fashion-MNIST"


def test_both_layouts_mixed_give_the_same_set(tmp_path: Path, write: Write) -> None:
    packed, mixed = tmp_path / "packed", tmp_path / "mixed"
    write(packed)
    archive = write(mixed) / f"{IMAGES}.gz"
    archive.with_suffix("").write_bytes(gzip.decompress(archive.read_bytes()))
    archive.unlink()
    assert fashion_mnist(mixed).fingerprint == fashion_mnist(packed).fingerprint


def test_agrees_with_torchvision(tmp_path: Path, write: Write) -> None:
    from torchvision.datasets import FashionMNIST

    write(tmp_path, packed=False)
    ours, theirs = fashion_mnist(tmp_path), FashionMNIST(str(tmp_path), train=True)
    assert torch.equal(ours.train_x.squeeze(1), theirs.data)
    assert torch.equal(ours.train_y, theirs.targets)
    assert ours.classes == tuple(theirs.classes)


def test_nothing_is_written(tmp_path: Path, write: Write) -> None:
    raw = write(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for folder in (raw, raw.parent, tmp_path):
        folder.chmod(0o555)
    try:
        fashion_mnist(tmp_path)
    finally:
        for folder in (tmp_path, raw.parent, raw):
            folder.chmod(0o755)
    assert sorted(tmp_path.rglob("*")) == before


def truncated_gzip(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def no_gzip(path: Path) -> None:
    path.write_bytes(b"<html>404 Not Found</html>")


def flipped_bit_in_gzip(path: Path) -> None:
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed)


def wrong_magic(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x0d\3" + gzip.decompress(path.read_bytes())[4:]))


def wrong_count(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-784]))


def one_pixel(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [truncated_gzip, no_gzip, flipped_bit_in_gzip, wrong_magic, wrong_count, one_pixel, empty],
)
def test_damage_is_told_in_one_line_with_file_and_mend(
    tmp_path: Path, write: Write, damage: Callable[[Path], None]
) -> None:
    path = write(tmp_path) / f"{IMAGES}.gz"
    damage(path)
    with pytest.raises(DataError) as caught:
        load("fashion_mnist", tmp_path, allow_stand_in=True)
    message = str(caught.value)
    assert not isinstance(caught.value, DataMissing)
    assert message.startswith(f"{path} is damaged")
    assert f"`python -m cvclaims.data fashion_mnist --claims-data {tmp_path}`" in message
    assert ": move it out of the folder and get it again by `" in message
    assert "\n" not in message


def test_an_unpacked_file_cut_short_is_damaged(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path, packed=False) / IMAGES
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"damaged or not Fashion-MNIST \(sha256 [0-9a-f]{16}…"):
        fashion_mnist(tmp_path)


@pytest.mark.parametrize("packed", [True, False], ids=["gz", "unpacked"])
def test_one_file_of_four_lacking_is_named_and_not_replaced(
    tmp_path: Path, write: Write, packed: bool
) -> None:
    raw = write(tmp_path, packed=packed)
    next(raw.glob("t10k-labels*")).unlink()
    with pytest.raises(IncompleteError, match="lacks t10k-labels-idx1-ubyte; get the rest by"):
        load("fashion_mnist", tmp_path, allow_stand_in=True)


def test_what_a_broken_download_left_goes_before_what_lacks(tmp_path: Path, write: Write) -> None:
    raw = write(tmp_path)
    truncated_gzip(raw / f"{IMAGES}.gz")
    next(raw.glob("t10k-labels*")).unlink()
    with pytest.raises(DataError, match=rf"{IMAGES}\.gz is damaged \(.+\): move it out"):
        fashion_mnist(tmp_path)


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    write(tmp_path)
    # Not by chmod: root may read every file.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=rf"{IMAGES}\.gz cannot be read: Permission denied"):
        fashion_mnist(tmp_path)


def test_the_real_set() -> None:
    try:
        dataset = load("fashion_mnist", data_folder(None))
    except DataMissing as error:
        pytest.skip(str(error))
    facts = DATASETS["fashion_mnist"]
    assert dataset.train_x.shape == (facts.train, *facts.shape)
    assert dataset.test_x.shape == (facts.test, *facts.shape)
    assert dataset.train_y.bincount().tolist() == [6000] * 10
    assert dataset.test_y.bincount().tolist() == [1000] * 10
    # Mean and deviation of the training pixels, as is widely published: 0.2860 and 0.3530.
    pixels = dataset.train_x.numpy()
    np.testing.assert_allclose([pixels.mean() / 255, pixels.std() / 255], [0.286, 0.353], atol=1e-4)
    assert dataset.fingerprint == "0af59ca65fda781b473419da2893d0fb256c0ab13cb2d78ef95dd34da57164a4"
