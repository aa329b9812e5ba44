"""Whose commit a record names: the package's own, beside that of the claims."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import cvclaims
from cvclaims.data.load import load
from cvclaims.engines import provenance
from cvclaims.engines.provenance import commit_of, environment, origin, package_commit
from tests.engines.workers import CPU

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    for function in (package_commit, commit_of):
        function.cache_clear()
    yield
    for function in (package_commit, commit_of):
        function.cache_clear()


def git(folder: Path, *command: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *command], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository, with this package in a virtual environment inside it."""
    folder = tmp_path / "theirs"
    package = folder / ".venv" / "lib" / "site-packages" / "cvclaims"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    git(folder, "init", "-q")
    git(folder, "add", "-A")  # even if they track it
    git(folder, "commit", "-qm", "theirs")
    return folder


def moved(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    monkeypatch.setattr(cvclaims, "__file__", str(package / "__init__.py"))


@needs_git
def test_an_installed_package_has_no_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(monkeypatch, repository / ".venv" / "lib" / "site-packages" / "cvclaims")
    assert package_commit() == ""


@needs_git
def test_nor_has_one_that_lies_untracked_at_the_top(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = repository / "cvclaims"
    copy.mkdir()
    (copy / "__init__.py").touch()
    moved(monkeypatch, copy)
    assert package_commit() == ""
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "tracked")
    package_commit.cache_clear()
    assert package_commit() == git(repository, "rev-parse", "--short", "HEAD")


@needs_git
@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_variables_of_git_name_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = commit_of(repository)
    assert before == git(repository, "rev-parse", "--short", "HEAD")
    commit_of.cache_clear()
    monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert commit_of(repository) == before


@needs_git
def test_the_claims_repository_is_a_field_of_its_own(repository: Path) -> None:
    found = origin(load("digits", None), CPU, stacked=1, precision="fp32", claims=repository)
    assert found.claims == git(repository, "rev-parse", "--short", "HEAD")
    assert found.commit != found.claims
    (repository / ".venv" / "lib" / "site-packages" / "cvclaims" / "__init__.py").write_text("1")
    commit_of.cache_clear()
    assert commit_of(repository) == f"{found.claims}+"


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit_of(tmp_path) == ""
    commit_of.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(Path(cvclaims.__file__).parent) == package_commit() == ""


def test_what_bears_on_rounding_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    found = environment()
    assert found["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert "ATEN_CPU_CAPABILITY" not in found
    assert found["numpy"]
    assert all(isinstance(value, str) for value in found.values())


def test_how_steps_ran() -> None:
    found = origin(load("digits", None), CPU, stacked=3, precision="bf16", session="20261126-1")
    assert (found.steps, found.stacked, found.precision) == ("eager", 3, "bf16")
    assert found.session == "20261126-1"
    assert found.device == provenance.device_name(CPU)


@pytest.mark.parametrize("answers", [True, False])
def test_a_gpu_is_named_with_its_driver_and_who_shares_it(
    answers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\necho 580.159.04\necho 580.159.04\n" if answers else "#!/bin/sh\nexit 9\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91900)
    provenance.driver.cache_clear()
    found = provenance._of_gpu(torch.device("cuda:0"))
    provenance.driver.cache_clear()
    driver = {"driver": "580.159.04"} if answers else {}
    assert found == {**driver, "cudnn": "91900", "workers": "4 on 2 GPUs"}
    assert provenance._of_gpu(CPU) == {}
