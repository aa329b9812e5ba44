"""Timed claims through pytest: what a row of times holds, and who is refused a timer."""

import tempfile
from pathlib import Path

import pytest
import torch
import torch._dynamo  # an inner session that is the first to import it takes it away again

import cvclaims.engines.device
import cvclaims.plugins.timing
import cvclaims.training.timing  # noqa: F401
from cvclaims.engines.device import shared
from tests.plugins.project import Project, Ran

# The real rounds are of 50 ms; these only have to be real. What is changed here is put back, as
# pytester runs in this process.
QUICK = """
import pytest

@pytest.fixture(autouse=True)
def quick(monkeypatch):
    from cvclaims.training import timing
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.002)
    monkeypatch.setattr(timing, "ROUNDS", 3)
"""
BROKEN = (
    QUICK
    + """
    def broken(*_):
        raise RuntimeError("no step")
    monkeypatch.setattr(timing, "alternate", broken)
"""
)
TIMED = """
WIDE = GOOD.but(model_args={"hidden": (16,)})

@about("1", recipes={"wide": WIDE, "narrow": GOOD}, reported={"time of wide / narrow": 1.3})
@pytest.mark.timing
def test_slower(runs, timer, verdict):
    verdict.times(timer.ratio(runs.wide, runs.narrow), factor=1e-6)

@about("2", recipes={"wide": WIDE, "narrow": GOOD})
@pytest.mark.timing
def test_the_same(runs, timer, verdict):
    verdict.times_within(timer.ratio(runs.wide, runs.narrow), 0.05)
"""
HEAVY = """
HEAVY = Recipe(data="fashion_mnist", lr=0.1, epochs=9, model_args={"hidden": (16,)})

@about("1", recipes={"wide": HEAVY.but(model_args={"hidden": (32,)}), "narrow": HEAVY})
@pytest.mark.gpu
@pytest.mark.timing
def test_slower(runs, timer, verdict):
    verdict.times(timer.ratio(runs.wide, runs.narrow))
"""

CALLS = """
@about("1", reported={"time of long / short": 10})
@pytest.mark.timing
def test_longer(timer, verdict):
    def work(name, device):
        import torch
        x = torch.randn(100, 100 if name == "long" else 10, device=device)
        return lambda: x.t().matmul(x)

    verdict.times(timer.calls("long", "short", work), factor=1e-6)
"""


@pytest.fixture
def timed(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    """A project whose rounds are short, and whose device's lock nobody else knows."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # workers'
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # this process's
    (project.path / "conftest.py").write_text(QUICK)
    return project


def check_times(ran: Ran) -> None:
    """All that can be said of real times on a machine that others use as well."""
    row = ran.rows["1"]
    assert row["verdict"] == "supported"
    assert row["rule"] == "ratio(1e-06), timed"
    assert row["scale"] == "full"
    assert row["evidence"] == {}
    assert row["device"].startswith("CPU, ")
    assert row["data"] == "Digits (scikit-learn)"
    measured = row["measured"]
    assert list(measured) == ["time of wide / narrow"] + [
        f"{arm}, {what}"
        for arm in ("wide", "narrow")
        for what in ("s per epoch", "FLOPs per image", "bytes kept per image")
    ]
    assert all(m["n"] == 3 and m["mean"] > 0 for m in measured.values())
    assert measured["narrow, FLOPs per image"]["values"] == [2 * (64 * 8 + 8 * 10)] * 3
    same = ran.rows["2"]
    assert same["rule"] == "ratio(1 ± 0.05), timed"
    assert same["measured"]["time of wide / narrow"]["n"] == 3


@pytest.mark.parametrize("options", [("-p", "no:xdist"), ("-n0",), ("-n1",)])
def test_times_with_and_without_workers(timed: Project, options: tuple[str, ...]) -> None:
    timed.write(TIMED)
    ran = timed.run(*options, "--claims-seeds", "3")
    check_times(ran)


def test_functions_without_any_recipe(timed: Project) -> None:
    timed.write(CALLS)
    ran = timed.run("-n0", "--claims-seeds", "3")
    row = ran.rows["1"]
    assert row["verdict"] == "supported"
    assert row["rule"] == "ratio(1e-06), timed"
    assert row["device"].startswith("CPU, ")
    assert (row["data"], row["evidence"], row["recipes"]) == ("", {}, {})
    measured = row["measured"]
    assert list(measured) == ["time of long / short", "long, s per call", "short, s per call"]
    assert all(m["n"] == 3 and m["mean"] > 0 for m in measured.values())
    # Its own rows stand: a replay takes no times.
    assert timed.run("-n0", "--claims-replay").counts == {"not evaluated": 1}


def test_functions_at_smoke_scale_wait_for_nobody(timed: Project) -> None:
    timed.write(CALLS)
    with shared(torch.device("cpu")):
        ran = timed.run_alone("-n0", "--claims-scale", "smoke", timeout=300)
    assert ran.counts == {"ran": 1}


def test_nothing_is_trained_for_times(timed: Project) -> None:
    timed.write(TIMED)
    ran = timed.run("-n0", "-k", "slower")
    assert ran.verdicts() == {"1": "supported"}
    assert timed.records() == []


def test_a_replay_takes_no_times(timed: Project) -> None:
    timed.write(TIMED)
    timed.run("-n0", "--claims-seeds", "3")
    ran = timed.run("-n0", "--claims-replay", "-v")
    assert ran.counts == {"not evaluated": 2}
    check_times(ran)  # the rows of the session before stand


def test_without_a_gpu_it_is_refused_as_others_are(timed: Project) -> None:
    timed.write(HEAVY)
    ran = timed.run("-n0")
    assert ran.rows["1"]["verdict"] == "not evaluated"
    assert ran.reason("1").startswith("it wants a GPU")


def test_smoke_takes_one_round_and_judges_nothing(timed: Project) -> None:
    timed.write(HEAVY)
    ran = timed.run("-n0", "--claims-scale", "smoke")
    row = ran.rows["1"]
    assert (row["verdict"], row["scale"]) == ("ran", "smoke")
    assert row["reason"] == "generated stand-in data judges nothing"
    assert row["measured"]["time of wide / narrow"]["n"] == 1


def test_smoke_waits_for_nobody(timed: Project) -> None:
    timed.write(HEAVY)
    with shared(torch.device("cpu")):  # as a long training elsewhere does
        ran = timed.run_alone("-n1", "--claims-scale", "smoke", timeout=300)
    assert ran.counts == {"ran": 1}


def test_reduced_needs_real_data(timed: Project) -> None:
    timed.write(HEAVY)
    ran = timed.run("-n0", "--claims-scale", "reduced")
    assert ran.rows["1"]["verdict"] == "not evaluated"


def test_a_timer_is_for_claims_marked_timing(timed: Project) -> None:
    timed.write(
        """
        @about("1", recipes=BOTH)
        def test_unmarked(timer, verdict):
            pass

        @pytest.mark.timing
        def test_no_claim(timer):
            pass
        """
    )
    ran = timed.run("-n0")
    assert ran.rows["1"]["verdict"] == "error"
    assert ran.reason("1") == "`timer` needs the device alone: add @pytest.mark.timing"
    assert "`timer` needs a claim" in ran.text


def test_a_failing_step_is_an_error_and_lets_go_of_the_device(timed: Project) -> None:
    (timed.path / "conftest.py").write_text(BROKEN)
    timed.write(TIMED)
    ran = timed.run("-n0")
    assert ran.verdicts() == {"1": "error", "2": "error"}
    assert ran.reason("2") == "RuntimeError: no step"  # and not that the device is taken
