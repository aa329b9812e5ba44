"""Which device a process trains on, and how many threads it takes."""

import os
import platform
import sys
import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cvclaims.plugins import device, gpu, settings
from cvclaims.plugins.device import side_by_side
from cvclaims.plugins.suite import Suite


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of threads that were set, on four cores."""
    numbers: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return numbers


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Suite]:
    """Make the suite of a process that was asked for a device."""

    def make(device: str, **worker: object) -> Suite:
        config = SimpleNamespace(option=SimpleNamespace())
        if worker:
            config.workerinput = worker
        made = Suite(config)  # type: ignore[arg-type]
        made.__dict__["settings"] = SimpleNamespace(device=device)
        return made

    return make


@pytest.mark.parametrize(("workers", "each"), [(0, 4), (1, 4), (2, 2), (3, 1), (4, 1), (9, 1)])
def test_workers_divide_the_cores(
    process: Callable[..., Suite], threads: list[int], workers: int, each: int
) -> None:
    worker = {"workerid": "gw0", "workercount": workers} if workers else {}
    assert process("cpu", **worker).device == torch.device("cpu")
    assert threads == [each]


def test_a_plan_for_workers_times_on_their_share_of_the_cores(
    process: Callable[..., Suite], threads: list[int]
) -> None:
    planning = process("cpu")
    planning.config.option.numprocesses = 2
    assert planning.device == torch.device("cpu")
    assert threads == [2]


def test_threads_that_were_asked_for_stand(
    process: Callable[..., Suite], threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert process("cpu").device == torch.device("cpu")
    assert threads == []


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, threads: list[int]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(settings, "gpu_present", lambda: True)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_workers_take_the_gpus_in_turn(process: Callable[..., Suite], wanted: str) -> None:
    devices = [process(wanted, workerid=f"gw{n}", workercount=4).device.index for n in range(4)]
    assert devices == [0, 1, 0, 1]
    assert process(wanted).device == torch.device("cuda:0")


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_by_its_number(process: Callable[..., Suite]) -> None:
    assert process("cuda:1", workerid="gw0", workercount=2).device == torch.device("cuda:1")
    with pytest.raises(pytest.fail.Exception, match="'cuda:2' is not among the 2 GPUs"):
        process("cuda:2").device  # noqa: B018
    assert process("cpu").device == torch.device("cpu")


@pytest.mark.parametrize(
    ("visible", "present"), [(None, True), ("0,1", True), ("", False), ("-1", False)]
)
def test_a_gpu_is_looked_for_without_torch(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, present: bool
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/nvidiactl")
    assert settings.gpu_present() == present


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("workers", "lanes"), [(1, 1), (2, 2), (5, 2)])
def test_gpus_train_a_run_each_at_full_pace(workers: int, lanes: int) -> None:
    assert side_by_side("cuda", workers) == lanes
    assert side_by_side("cuda:1", workers) == 1


OLD = (
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). "
    "Please update your GPU driver."
)


@pytest.mark.parametrize(
    ("warned", "told"),
    [
        (OLD, "the GPU's driver supports CUDA 11.4 and torch * needs *: update the driver, or "
              "install a torch for CUDA 11.4; --claims-device cpu trains on the CPU"),
        ("CUDA initialization: Unexpected error. More of it",
         "torch cannot use the GPU here: CUDA initialization: Unexpected error; *"),
        ("", "torch finds no GPU that it can use here; *"),
    ],
)  # fmt: skip
def test_a_driver_that_is_too_old_is_named(
    warned: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_available() -> bool:
        if warned:
            warnings.warn(warned, stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert fnmatch(device.fault("cuda"), told)


@pytest.mark.parametrize(("usable", "kind"), [(True, "mps"), (False, "cpu")])
def test_auto_is_a_macs_gpu_where_torch_can_use_it(
    usable: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "is_mac", lambda: True)
    monkeypatch.setattr(settings, "gpu_present", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: usable)
    assert device.fault("auto") == ""
    assert device.chosen("auto", "gw0") == torch.device(kind)
    assert bool(device.fault("mps")) != usable


@pytest.mark.parametrize(
    ("system", "machine", "present"),
    [("darwin", "arm64", True), ("darwin", "x86_64", False), ("win32", "AMD64", False)],
)
def test_a_gpu_of_other_systems_is_looked_for(
    system: str, machine: str, present: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert gpu.gpu_present({}) == present


@pytest.mark.parametrize(("hides", "present"), [({}, True), ({"CUDA_VISIBLE_DEVICES": ""}, False)])
def test_a_gpu_under_windows_is_seen_by_its_driver(
    hides: dict[str, str], present: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "System32").mkdir()
    (tmp_path / "System32" / "nvcuda.dll").touch()
    monkeypatch.setattr(sys, "platform", "win32")
    assert gpu.gpu_present({"SystemRoot": str(tmp_path), **hides}) == present
