"""`python -m cvclaims.data`, with the network taken away or played."""

import functools
import hashlib
import io
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest
from torchvision.datasets import CIFAR10, FashionMNIST

from cvclaims.data import load
from cvclaims.data.__main__ import main
from cvclaims.data.cifar10 import cifar10

Write = Callable[..., Path]
OWN_DOWNLOADS = {dataset: dataset.download for dataset in (FashionMNIST, CIFAR10)}


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


def test_a_folder_of_any_name_is_told_in_any_encoding(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "données\n\x1b"
    write(folder)
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, "ascii", write_through=True))
    assert main(["fashion_mnist", "--claims-data", str(folder)]) == 0
    assert rb"/donn\xe9es \x1b: 30 training" in stream.getvalue()
    assert stream.getvalue().count(b"\n") == 1


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


def test_no_network_is_one_line_with_addresses_and_what_to_put_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "python -m cvclaims.data: the download failed: "
        "Error downloading it: Tried http://mirror, got: <urlopen error>; "
        "put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        f"t10k-labels-idx1-ubyte.gz from {FashionMNIST.mirrors[0]} into "
        f"{tmp_path}/FashionMNIST/raw by hand and run this again\n"
    )


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_a_failed_download_leaves_nothing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torchvision's own download, without a network."""
    for dataset, download in OWN_DOWNLOADS.items():
        monkeypatch.setattr(dataset, "download", download)
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    (tmp_path / "mine").mkdir()
    assert main([name, "--claims-data", str(tmp_path / "a" / "b")]) == 1
    assert main([name, "--claims-data", str(tmp_path / "mine")]) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def no_network(*args: object, **kwargs: object) -> None:
    raise URLError("no network")


def half_done(error: type[BaseException]) -> Callable[[FashionMNIST], None]:
    """A download that breaks off in the second file."""

    def download(self: FashionMNIST) -> None:
        Path(self.raw_folder).mkdir(parents=True, exist_ok=True)
        (Path(self.raw_folder) / "train-images-idx3-ubyte.gz").write_bytes(b"whole")
        (Path(self.raw_folder) / "train-labels-idx1-ubyte.gz").write_bytes(b"hal")
        print("12%", file=sys.stderr)
        raise error

    return download


def test_an_interrupted_download_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FashionMNIST, "download", half_done(KeyboardInterrupt))
    assert main(["fashion_mnist", "--claims-data", str(tmp_path / "new")]) == 130
    assert capsys.readouterr().err == (
        "python -m cvclaims.data: interrupted; nothing was kept, and what was there is as it was\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FashionMNIST, "download", half_done(TimeoutError))
    assert main(["fashion_mnist", "--claims-data", str(tmp_path / "new")]) == 1
    assert capsys.readouterr().err.startswith(
        "python -m cvclaims.data: the download failed: TimeoutError; put train-images"
    )
    assert list(tmp_path.iterdir()) == []


def test_files_of_ones_own_are_neither_overwritten_nor_lost(
    tmp_path: Path, write: Write, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sound archives, packed by another gzip: torchvision takes them for broken ones."""
    raw = write(tmp_path)
    (raw / "t10k-labels-idx1-ubyte.gz").unlink()
    before = {path: path.read_bytes() for path in raw.iterdir()}
    monkeypatch.setattr(FashionMNIST, "download", half_done(TimeoutError))
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 1
    assert {path: path.read_bytes() for path in raw.iterdir()} == before

    def download(self: FashionMNIST) -> None:
        for name in contents:
            (Path(self.raw_folder) / f"{name}.gz").write_bytes(b"from the network")
        for name, content in contents.items():
            (Path(self.raw_folder) / name).write_bytes(content)

    monkeypatch.setattr(FashionMNIST, "download", download)
    assert main(["fashion_mnist", "--claims-data", str(tmp_path)]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_an_archive_that_was_put_there_by_hand_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def download(self: CIFAR10) -> None:
        seen.append((Path(self.root) / CIFAR10.filename).exists())
        raise RuntimeError("no network")

    monkeypatch.setattr(CIFAR10, "download", download)
    archive = tmp_path / CIFAR10.filename
    archive.write_bytes(b"the archive")
    assert main(["cifar10", "--claims-data", str(tmp_path)]) == 1
    assert (
        "by hand (cifar-10-python.tar.gz there: not the publisher's) and" in capsys.readouterr().err
    )
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    assert main(["cifar10", "--claims-data", str(tmp_path)]) == 1
    assert "there: not" not in capsys.readouterr().err
    assert seen == [False, True]
    assert archive.read_bytes() == b"the archive"


def test_a_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to("nothing")
    assert main(["fashion_mnist", "--claims-data", str(tmp_path / "link")]) == 1
    assert capsys.readouterr().err == (
        f"python -m cvclaims.data: {tmp_path}/link cannot be written (File exists): name another "
        "by --claims-data\n"
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
    assert [path.parent for path in asked] == [tmp_path]
    assert list(tmp_path.iterdir()) == []
    err = capsys.readouterr().err
    assert err == (
        "python -m cvclaims.data: the download failed: Error downloading cifar-10-python.tar.gz; "
        f"put cifar-10-python.tar.gz from {CIFAR10.url} into {tmp_path} by hand and run this "
        "again\n"
    )


def test_re_encoded_images_are_told_as_what_they_are(
    tmp_path: Path,
    plant: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant(tmp_path, "jpg")
    small = functools.partial(cifar10, per_class=(3, 2))
    monkeypatch.setattr(load, "built", lambda _: small)
    assert main(["cifar10", "--claims-data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        f"CIFAR-10, JPEG re-encoded is in {tmp_path}: 30 training and 20 test samples\n"
    )
