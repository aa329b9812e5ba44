"""A GPU is seen or hidden as torch sees it, without torch."""

from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvclaims.plugins import gpu

VALUES = (
    *("", " ", "0", "0,1", "1,0", " 0 , 1 ", "-1", "-1,0", "0,-1,1", "0,0", "0,1,0", "1,01", "+1"),
    *("NoDevFiles", "none", "all", "void", "0,none,1", "none,0", "1gpu,2", "0,,1", ",0", "0,"),
    *("GPU-8932f937", "GPU-a,GPU-b", "GPU-a,GPU-a", "GPU-a,0", "0,GPU-a", " GPU-a", "gpu-a"),
    *("MIG-a", "MIG-GPU-a/1/0", "MIG-a,GPU-b", "-0", "--1", "0x1", "1e3", "99", "0;1", "٣"),
)


def torchs(value: str | None, monkeypatch: pytest.MonkeyPatch) -> tuple[int | str, ...] | None:
    """What torch's own parser makes of it; None where it does not bear the value."""
    if value is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    try:
        return tuple(torch.cuda._parse_visible_devices())
    except ValueError:
        return None


@pytest.mark.parametrize("value", [None, *VALUES])
def test_values(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", None)
    read = gpu.visible(value)
    expected = torchs(value, monkeypatch)
    assert read == (() if expected is None else expected)


parts = st.sampled_from(["0", "1", "-1", "GPU-a", "GPU-b", "MIG-a", "none", "", " ", "+", "2x"])


@given(st.lists(parts, max_size=4).map(",".join) | st.text(st.characters(codec="ascii")))
@example("0,-1,0")
def test_any_value(value: str) -> None:
    if "\0" in value:
        return  # no variable holds it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.version, "hip", None)
        expected = torchs(value, patch)
    if expected is not None:
        assert gpu.visible(value) == expected


@pytest.mark.parametrize("hip", [None, "", "0", "1,0", "-1", "GPU-a"])
@pytest.mark.parametrize("rocr", [None, "0", "0,1,2"])
@pytest.mark.parametrize("cuda", [None, "", "1"])
def test_on_amds_gpus(
    cuda: str | None, rocr: str | None, hip: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "hip", "7.0")
    given = {"HIP_VISIBLE_DEVICES": hip, "ROCR_VISIBLE_DEVICES": rocr}
    for name, value in given.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    given["CUDA_VISIBLE_DEVICES"] = cuda
    if rocr == "0" and hip == "1,0":
        return  # torch raises: more devices than ROCr leaves
    environ = {name: value for name, value in given.items() if value is not None}
    assert gpu.visible_to_rocm(environ) == torchs(cuda, monkeypatch)


@pytest.mark.parametrize(
    ("files", "environ", "present"),
    [
        (["nvidiactl"], {}, True),
        (["nvidiactl", "nvidia0"], {"CUDA_VISIBLE_DEVICES": "0"}, True),
        (["nvidiactl", "nvidia0"], {"CUDA_VISIBLE_DEVICES": "1"}, False),
        (["nvidiactl", "nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": "1,5"}, True),
        (["nvidiactl", "nvidia0"], {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, False),
        (["nvidiactl", "nvidia0"], {"CUDA_VISIBLE_DEVICES": "-1,0"}, False),
        (["nvidiactl", "nvidia0"], {"CUDA_VISIBLE_DEVICES": "MIG-a"}, True),
        (["dxg"], {"CUDA_VISIBLE_DEVICES": "3"}, True),
        (["kfd"], {}, True),
        (["kfd"], {"HIP_VISIBLE_DEVICES": "-1"}, False),
        (["null"], {}, False),
    ],
)
def test_a_gpu_is_there(
    files: list[str],
    environ: dict[str, str],
    present: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.setattr(gpu, "DEV", tmp_path)
    assert gpu.gpu_present(environ) == present
