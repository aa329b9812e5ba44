"""Which folder a session reads, what is seen in it at a glance, and what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cvclaims.data.folder import TRACES, DataError, DataMissing, found, session_folder
from cvclaims.data.load import load
from cvclaims.specs import DATASETS


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without anything, where nothing is named."""
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(option: str | None = None, ini: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        session_folder(option, ini)
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.fixture
def sets(here: Path, write: Callable[..., Path]) -> None:
    """Folders with Fashion-MNIST."""
    for name in ("option", "ini", "variable", "data"):
        write(here / name)


def test_the_option_goes_before_the_ini_before_the_variable_before_data(
    sets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session_folder(None, None) == Path("data")
    monkeypatch.setenv("CVCLAIMS_DATA", "variable")
    assert session_folder(None, None) == Path("variable")
    assert session_folder("", "ini") == Path("ini")
    assert session_folder("option", "ini") == Path("option")
    monkeypatch.setenv("CVCLAIMS_DATA", "")
    assert session_folder(None, "") == Path("data")


def test_nothing_named_and_nothing_there_is_none(here: Path) -> None:
    assert session_folder(None, None) is None
    (here / "data").touch()  # any project may have a file called "data"
    assert session_folder(None, None) is None
    assert found(None) == ()


def test_a_folder_that_was_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    mend = (
        "has to name the folder of the sets; get a set by "
        "`python -m cvclaims.data fashion_mnist --claims-data nope` (or cifar10), or name another "
        "folder"
    )
    assert refused("nope") == f"nope does not exist: --claims-data {mend}"
    assert refused(None, "nope") == f"nope does not exist: claims_data {mend}"
    monkeypatch.setenv("CVCLAIMS_DATA", "nope")
    assert refused() == f"nope does not exist: CVCLAIMS_DATA {mend}"


def test_what_is_no_folder_is_told_as_what_it_is(here: Path) -> None:
    (here / "file").touch()
    (here / "link").symlink_to("nothing")
    (here / "round").symlink_to("round")
    assert refused("file") == "file is a file: --claims-data has to name a folder"
    assert refused("link").startswith("link is a link to nothing: --claims-data has to name")
    assert refused("round").startswith("round is a link to nothing: --claims-data has to name")
    assert refused("file/below").startswith("file/below does not exist: --claims-data")
    assert refused("x" * 300).endswith(
        "x cannot be read (File name too long): --claims-data has to name a folder that can"
    )
    assert refused("~nobody-at-all/x") == (
        "~nobody-at-all/x: no home is known; --claims-data has to name a folder"
    )


def test_a_folder_that_cannot_be_read_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    (here / "closed").mkdir()
    monkeypatch.setattr(os, "listdir", refuse)  # not by chmod: root may read every folder
    assert refused("closed") == (
        "closed cannot be read (Permission denied): --claims-data has to name a folder that can"
    )


def test_an_empty_folder_is_refused_and_one_with_other_things_is_not(here: Path) -> None:
    (here / "sets").mkdir()
    assert refused("sets") == (
        "sets holds nothing: get a set by "
        "`python -m cvclaims.data fashion_mnist --claims-data sets` (or cifar10), or name another "
        "folder"
    )
    # A project or a shell may name it before anything was downloaded.
    assert session_folder(None, "sets") == Path("sets")
    (here / "sets" / "pets.npz").touch()  # an author's own
    assert session_folder("sets", None) == Path("sets")


def test_odd_names_are_shown_and_do_not_steer(here: Path) -> None:
    assert r"'a\x1b b'" in refused("a\x1b\nb")


def test_every_stored_set_leaves_traces() -> None:
    assert sorted(TRACES) == sorted(n for n in DATASETS if DATASETS[n].get)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("fashion_mnist", "FashionMNIST/raw/train-labels-idx1-ubyte"),
        ("fashion_mnist", "FashionMNIST/raw/t10k-images-idx3-ubyte.gz"),
        ("cifar10", "cifar-10-batches-py/test_batch"),
        ("cifar10", "cifar-10-batches-py/data_batch_3"),
        ("cifar10", "cifar10/train/cat/0001.png"),
        ("cifar10", "cifar10-jpeg.tar.gz"),
        ("", "FashionMNIST/raw/readme.txt"),
        ("", "FashionMNIST/raw/t10k-images-idx3-ubyte/x"),
        ("", "cifar-10-batches-py/batches.meta"),
        ("", "cifar-10-python.tar.gz"),
        ("", "cifar10.tar.gz/x"),
        ("", "digits"),
    ],
)
def test_what_is_seen_at_a_glance_is_what_nothing_stands_in_for(
    here: Path, name: str, file: str
) -> None:
    path = here / "sets" / file
    path.parent.mkdir(parents=True)
    path.touch()
    assert found(here / "sets") == ((name,) if name else ())
    for stored in TRACES:
        with pytest.raises(DataError) as caught:  # it is empty, or not there
            load(stored, here / "sets")
        assert isinstance(caught.value, DataMissing) == (stored != name)
