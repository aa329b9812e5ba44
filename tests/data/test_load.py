"""Loading by name, and finding the folder."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import cvclaims
from cvclaims.data.download import DOWNLOADS
from cvclaims.data.folder import DataError, DataMissing, data_folder
from cvclaims.data.load import load
from cvclaims.specs import DATASETS, built


def test_every_set_of_the_catalogue_has_one_loader() -> None:
    assert all(callable(built(spec.load)) for spec in DATASETS.values())
    assert sorted(DOWNLOADS) == sorted(name for name, spec in DATASETS.items() if spec.get)


@pytest.mark.parametrize("name", [name for name, spec in DATASETS.items() if not spec.get])
def test_what_is_loaded_is_what_the_catalogue_states(name: str) -> None:
    dataset, facts = load(name, None), DATASETS[name]
    assert dataset.train_x.shape == (facts.train, *facts.shape)
    assert dataset.test_x.shape == (facts.test, *facts.shape)
    assert dataset.train_x.dtype == torch.float32
    assert dataset.train_y.dtype == dataset.test_y.dtype == torch.int64
    assert dataset.classes == facts.classes
    assert dataset.source == f"{facts.title} (scikit-learn)"
    assert (dataset.mean, dataset.std) == (0, 1)


def test_a_set_is_loaded_once(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(tmp_path)
    real = load("fashion_mnist", tmp_path)
    assert load("fashion_mnist", tmp_path, allow_stand_in=True) is real
    assert load("digits", None) is load("digits", tmp_path)


def test_scikit_learn_is_imported_once_for_a_set(cache: Path) -> None:
    code = """
import sys
from cvclaims.data.load import load
print(load("moons", None).fingerprint, "sklearn" in sys.modules)
"""
    first, second = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    fingerprint = load("moons", None).fingerprint
    assert first.stdout == f"{fingerprint} True\n"
    assert second.stdout == f"{fingerprint} False\n"
    assert len(list(cache.glob("moons-*"))) == 1


def test_a_relative_folder_is_another_one_elsewhere(
    tmp_path: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "here" / "data")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    load("fashion_mnist", Path("data"))
    monkeypatch.chdir(tmp_path / "there")
    with pytest.raises(DataMissing, match="not in data; get it by"):
        load("fashion_mnist", Path("data"))


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown data set 'digit': did you mean 'digits'"):
        load("digit", None)


def test_without_a_folder_a_stored_set_is_missing() -> None:
    with pytest.raises(DataMissing, match=r"get it by `python -m cvclaims\.data fashion_mnist`$"):
        load("fashion_mnist", None)
    assert load("fashion_mnist", None, allow_stand_in=True).stand_in


@pytest.mark.parametrize("folder", ["", "does/not/exist", "with space"])
def test_a_folder_without_it_is_named_with_the_command(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder
    with pytest.raises(DataMissing) as caught:
        load("fashion_mnist", path)
    quoted = f"'{path}'" if " " in folder else path
    assert str(caught.value) == (
        f"Fashion-MNIST is not in {path}; "
        f"get it by `python -m cvclaims.data fashion_mnist --claims-data {quoted}`"
    )
    assert load("fashion_mnist", path, allow_stand_in=True).stand_in


@pytest.mark.parametrize("name", ["fashion_mnist", "digits"])
def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "data"
    file.touch()
    with pytest.raises(DataError, match="is a file: the data folder has to name a folder"):
        load(name, file, allow_stand_in=True)


def test_the_folder_is_the_option_then_the_variable_then_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)
    assert data_folder(None) is None
    (tmp_path / "data").mkdir()
    assert data_folder(None) == Path("data")
    monkeypatch.setenv("CVCLAIMS_DATA", "elsewhere")
    assert data_folder(None) == Path("elsewhere")
    assert data_folder("named") == Path("named")
    monkeypatch.setenv("CVCLAIMS_DATA", "")
    assert data_folder("") == Path("data")


def test_a_file_named_as_the_folder_is_refused_with_what_named_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DataError, match="is a file: --claims-data has to name a folder"):
        data_folder(str(file))
    monkeypatch.setenv("CVCLAIMS_DATA", str(file))
    with pytest.raises(DataError, match="is a file: CVCLAIMS_DATA has to name a folder"):
        data_folder(None)


def test_a_file_that_happens_to_be_called_data_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)
    (tmp_path / "data").touch()
    assert data_folder(None) is None


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("cvclaims.data.folder", "torch torchvision sklearn numpy"),
        ("cvclaims.data.load", "torchvision sklearn"),
    ],
)
def test_importing_stays_light(module: str, heavy: str) -> None:
    code = f"import sys, {module}; print(*({set(heavy.split())} & set(sys.modules)))"
    root = Path(cvclaims.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
