"""Where a record comes from: code, versions, machine, session."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

import cvclaims
from cvclaims.data.dataset import Dataset
from cvclaims.records import Origin

# What changes how a processor computes, and so how results are rounded.
_VARIABLES = (
    *(
        "ATEN_CPU_CAPABILITY",
        "ONEDNN_MAX_CPU_ISA",
        "DNNL_MAX_CPU_ISA",
        "ONEDNN_DEFAULT_FPMATH_MODE",
    ),
    *("MKL_CBWR", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "PYTORCH_CUDA_ALLOC_CONF"),
)


def origin(
    data: Dataset | None,
    device: torch.device,
    *,
    stacked: int,
    precision: str,
    session: str = "",
    claims: Path | None = None,
    begun: str = "",
) -> Origin:
    """Where a run of this process comes from.

    Args:
        data: None for a training of an author's own that names none.
        claims: a folder of the claims' repository.
        begun: where it was begun, if that was on another device, by "device" and its name.
    """
    # On CUDA every step is captured, and a run whose capture fails crashes.
    steps = "graph" if device.type == "cuda" else "eager"
    return Origin(
        commit=package_commit(),
        claims=commit_of(claims) if claims is not None else "",
        cvclaims=cvclaims.__version__,
        torch=torch.__version__,
        python=platform.python_version(),
        device=device_name(device),
        host=f"{platform.system()} {platform.machine()}",
        threads=torch.get_num_threads(),
        stacked=stacked,
        data=data.source if data is not None else "its own",
        fingerprint=data.fingerprint if data is not None else "",
        stand_in=data is not None and data.stand_in,
        precision=precision,
        session=session,
        environment=environment() | _of_gpu(device),
        steps=f"{steps}, begun on {begun}" if begun else steps,
    )


def device_name(device: torch.device) -> str:
    """What tables show: the GPU's name, or the processor's with its cores."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {_processor()}, {os.cpu_count()} cores"


def environment() -> dict[str, str]:
    """Versions of other packages, what the processor offers, and variables that bear on it."""
    found = {"numpy": metadata.version("numpy"), "cpu": torch.backends.cpu.get_cpu_capability()}
    if torch.version.cuda is not None:
        found["cuda"] = torch.version.cuda
    return found | {name: os.environ[name] for name in _VARIABLES if name in os.environ}


def _of_gpu(device: torch.device) -> dict[str, str]:
    """What a GPU's speed and rounding hang on beside its name; nothing of another device."""
    if device.type != "cuda":
        return {}
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    found = {"driver": driver(), "cudnn": str(cudnn)}
    workers = os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    found["workers"] = f"{workers} on {torch.cuda.device_count()} GPUs"
    return {name: value for name, value in found.items() if value}


@functools.cache
def driver() -> str:
    """The version of NVIDIA's driver; empty where `nvidia-smi` does not say it."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout.partition("\n")[0].strip()


@functools.cache
def package_commit() -> str:
    """The commit of this package's code; empty where it is installed.

    An installed package lies in somebody's environment, maybe inside a repository of theirs,
    whose commit says nothing of it: its version does.
    """
    here = Path(cvclaims.__file__).resolve().parent
    top = _git(here, "rev-parse", "--show-toplevel")
    ours = top and Path(top).resolve() == here.parent
    return commit_of(here) if ours and _git(here, "ls-files", "__init__.py") else ""


@functools.cache
def commit_of(folder: Path) -> str:
    """The commit that a folder is at, with "+" where its working tree differs; else empty."""
    return _git(folder, "describe", "--always", "--dirty=+", "--exclude=*")


def _git(folder: Path, *command: str) -> str:
    # Variables such as GIT_DIR, which hooks set, would name another repository.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *command],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            env=clean,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):  # no git, or output that is no text
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@functools.cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
