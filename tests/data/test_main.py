"""`python -m cvclaims.data`, with the network taken away or played."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from torchvision.datasets import CIFAR10, FashionMNIST

from cvclaims.data import load
from cvclaims.data.__main__ import main
from cvclaims.data.cifar10 import cifar10

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(self: FashionMNIST) -> None:
        raise RuntimeError("Error downloading it:\nTried http://mirror, got:\n<urlopen error>\n")

    monkeypatch.setattr(FashionMNIST, "download", download)
    monkeypatch.setattr(CIFAR10, "download", download)


def test_what_is_there_is_told_without_a_download(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == f"Fashion-MNIST is in {tmp_path}: 30 training and 20 test samples\n"
    assert err == ""


@pytest.mark.parametrize("folder", [None, "elsewhere"])
def test_what_lacks_is_downloaded(
    folder: str | None,
    tmp_path: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)

    def download(self: FashionMNIST) -> None:
        write(Path(self.root), packed=False)

    monkeypatch.setattr(FashionMNIST, "download", download)
    assert main(["fashion_mnist", *(["--claims-data", folder] if folder else [])]) == 0
    where = folder or "data"
    assert (tmp_path / where / "FashionMNIST" / "raw").is_dir()
    assert capsys.readouterr().out.startswith(f"Fashion-MNIST is in {where}: 30 training")


def test_the_rest_of_a_broken_download_is_got(
    tmp_path: Path, write: Write, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (write(tmp_path, packed=False) / "t10k-labels-idx1-ubyte").unlink()

    def download(self: FashionMNIST) -> None:
        for name, content in contents.items():
            (Path(self.raw_folder) / name).write_bytes(content)

    monkeypatch.setattr(FashionMNIST, "download", download)
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 0


def test_no_network_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "python -m cvclaims.data: the download failed: "
        "Error downloading it: Tried http://mirror, got: <urlopen error>\n"
    )


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), TimeoutError()])
def test_a_failing_disk_or_line_is_one_line(
    tmp_path: Path,
    error: OSError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def download(self: FashionMNIST) -> None:
        raise error

    monkeypatch.setattr(FashionMNIST, "download", download)
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert (str(error) or "TimeoutError") in err


def test_a_damaged_file_is_not_touched(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path) / "train-labels-idx1-ubyte.gz"
    path.write_bytes(b"damaged")
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 1
    assert f"{path} is damaged" in capsys.readouterr().err
    assert path.read_bytes() == b"damaged"


def test_an_unknown_name_is_one_line_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fashion_mnst"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("python -m cvclaims.data: unknown data set 'fashion_mnst': did you mean")
    assert err.count("\n") == 1


def test_a_folder_that_is_a_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["fashion_mnist", "--claims-data", str(file)]) == 1
    assert capsys.readouterr().err.endswith("is a file: --claims-data has to name a folder\n")


def test_a_set_of_scikit_learn_needs_no_download(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["digits"]) == 0
    expected = "Digits comes with scikit-learn: 1,437 training and 360 test samples\n"
    assert capsys.readouterr().out == expected


def test_cifar10_is_downloaded_into_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def download(self: CIFAR10) -> None:
        asked.append(Path(self.root))
        raise RuntimeError("Error downloading cifar-10-python.tar.gz")

    monkeypatch.setattr(CIFAR10, "download", download)
    assert main(["cifar10", "--claims-data", str(tmp_path)]) == 1
    assert asked == [tmp_path]
    err = capsys.readouterr().err
    assert err.endswith("the download failed: Error downloading cifar-10-python.tar.gz\n")


def test_re_encoded_images_are_told_as_what_they_are(
    tmp_path: Path,
    plant: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant(tmp_path, "jpg")
    small = functools.partial(cifar10, per_class=(3, 2))
    monkeypatch.setattr(load, "STORED", {"cifar10": small})
    assert main(["cifar10", "--claims-data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        f"CIFAR-10, JPEG re-encoded is in {tmp_path}: 30 training and 20 test samples\n"
    )
