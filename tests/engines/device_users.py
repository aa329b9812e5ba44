"""What other processes do in the tests of the device's lock."""

import tempfile
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import torch

from cvclaims.engines import device
from tests.engines.workers import write

CPU = torch.device("cpu")


def use(way: str, name: str, temporary: Path, log: Path, leave: Event) -> None:
    """Take the processor, "shared" or "exclusive", say so, and keep it until told to leave."""
    tempfile.tempdir = str(temporary)
    with getattr(device, way)(CPU):
        write(log, f"{name} in")
        assert leave.wait(60)
        write(log, f"{name} out")


def meet(temporary: Path, both: Barrier) -> None:
    """Share the processor until another does so as well."""
    tempfile.tempdir = str(temporary)
    with device.shared(CPU):
        both.wait(60)
