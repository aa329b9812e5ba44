"""Rewrites the tables of calibration.md by simulation: python docs/calibrate.py (five minutes).

With --levels it looks for the levels themselves, those of `cvclaims.verdict.levels`, instead.

Every cell has a generator of its own, seeded by its place, so a table that gains a row keeps the
numbers of the others.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cvclaims.plan import LOOKS, MORE_LOOKS
from cvclaims.verdict import statistics
from cvclaims.verdict.calibration import (
    CASES,
    NOISES,
    Case,
    Noise,
    Rates,
    draw,
    first_decision,
    level_case,
    rate_rates,
    rates,
    share_rates,
    spread_rates,
)
from cvclaims.verdict.levels import NOMINAL, Kind, nominal
from cvclaims.verdict.statistics import Array, Signs

PAGE = Path(__file__).with_name("calibration.md")
SIMULATIONS = 100_000
SEED = 20250

ARMS = (1, 3)  # pooled in one sample of counts
PAIRED = [case for case in CASES if len(case.limit) > 1]


def simulated(
    case: Case,
    noise: str,
    distance: float = 0.0,
    variances: Sequence[float] = (1.0,),
    looks: Sequence[int] = LOOKS,
    three: bool = False,
) -> Rates:
    """The rates of one cell; `three`: as far as these looks go of three."""
    place = f"{case.name} {case.limit} {noise} {distance} {variances}"
    rng = np.random.default_rng([SEED, zlib.crc32(place.encode())])
    drawn: Noise = NOISES[noise]
    scales, most = np.sqrt(variances).tolist(), max(looks[-1], LOOKS[-1])
    samples = draw(case, drawn, SIMULATIONS, rng, distance, scales, most)
    return rates(case, samples, looks, nominal(case.kind, 3) if three else None)


def percent(*shares: float) -> str:
    return " / ".join(f"{100 * share:.1f}" for share in shares)


def table(head: Sequence[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def setting() -> str:
    return (
        f"Looks at {LOOKS[0]}, {LOOKS[1]} and {LOOKS[2]} seeds, each at the level of three looks; "
        f"{SIMULATIONS:,} data sets a cell, seed {SEED}; "
        f"a rate of 5 % is known to ± {196 * (0.05 * 0.95 / SIMULATIONS) ** 0.5:.2f} %."
    )


def levels() -> str:
    """Each kind's level, and the false support in percent, by the number of looks."""
    by_name = {case.name: case for case in CASES}

    def cell(kind: Kind, k: int) -> str:
        looks = MORE_LOOKS[: k + 1]
        if kind == "deviation":
            rng = np.random.default_rng([SEED, k])
            found = spread_rates(NOISES["Normal"], SIMULATIONS, rng, looks=looks).supported
        elif kind == "rate":
            shares = np.linspace(0.05, 0.5, 10)
            found = max(rate_rates(p, p, each, looks).supported for p in shares for each in (1, 2))
        elif kind == "share":
            found = max(share_rates(0.5, 0.5, each, looks).supported for each in (1, 2, 4, 8))
        else:
            case = by_name["greater" if kind == "difference" else "above"]
            found = simulated(case, "Normal", 0.0, (1.0, 16.0), looks).supported
        return f"{NOMINAL[kind][k]:g}: {percent(found)}"

    head = ["kind", *(f"{k} look{'s' * (k > 1)}" for k in range(1, 6))]
    return table(head, ([kind, *(cell(kind, k) for k in range(5))] for kind in NOMINAL))


def largest(kind: Kind, looks: Sequence[int], simulations: int = 1_000_000) -> float:
    """The largest level with at most 5 % false support, by bisection on one set of draws."""
    rng = np.random.default_rng([SEED, len(looks), looks[-1]])
    groups = 2 if kind == "difference" else 1
    # Welch's is at its worst where the standard deviations are most unlike: ratio 4.
    draws = [(1, 4)[g] * rng.standard_normal((simulations, looks[-1])) for g in range(groups)]
    signs: dict[str, Callable[..., Signs]] = {
        "one mean": lambda x, alpha: statistics.side(statistics.one_mean(x), 0.0, alpha),
        "difference": lambda a, b, alpha: statistics.side(statistics.welch(a, b), 0.0, alpha),
        "deviation": _narrower,
    }
    low, high = 0.001, 0.06
    for _ in range(18):
        middle = (low + high) / 2
        outcome = first_decision(signs[kind], draws, middle, looks)
        low, high = (middle, high) if np.mean(outcome > 0) <= 0.05 else (low, middle)
    return low


def _narrower(x: Array, alpha: float) -> Signs:
    return np.asarray(-statistics.spread_side(x, 1.0, alpha), dtype=np.int8)


def on_the_limit(cases: Sequence[Case], variances: Sequence[float]) -> str:
    """SUPPORTED / REFUTED in percent, though the truth is neither: by noise and rule."""
    return table(
        ["values", *(case.name for case in cases)],
        (
            [noise, *(percent(*simulated(case, noise, 0.0, variances)) for case in cases)]
            for noise in NOISES
        ),
    )


def power() -> str:
    def cell(case: Case, distance: float) -> str:
        by_look = (LOOKS[: k + 1] for k in range(len(LOOKS)))
        found = (simulated(case, "Normal", distance, looks=n, three=True) for n in by_look)
        return percent(*(rates.supported for rates in found))

    return table(
        ["rule", "1 σ", "2 σ", "3 σ"],
        ([case.name, *(cell(case, distance) for distance in (1.0, 2.0, 3.0))] for case in CASES),
    )


def narrow_levels() -> str:
    return table(
        ["δ", "supported / refuted"],
        (
            [f"{delta:g} σ", percent(*simulated(level_case(delta), "Normal", delta))]
            for delta in (0.05, 0.2, 0.5, 1.0, 2.0, 3.0)
        ),
    )


def counts() -> str:
    """What *rate* and *share* support, exactly, by how many arms are pooled."""

    def against(a: float, b: float) -> list[str]:
        found = (percent(rate_rates(a, b, each).supported) for each in ARMS)
        return [f"*rate*, {100 * a:.0f} % against {100 * b:.0f} %", *found]

    def above(share: float) -> list[str]:
        found = (percent(share_rates(share, 0.5, each).supported) for each in ARMS)
        return [f"*share* above one half, truly {100 * share:.0f} %", *found]

    pairs = ((0.5, 0.1), (0.7, 0.3), (0.9, 0.1))
    head = ["truth", *(f"{n} arm{'s' * (n > 1)}" for n in ARMS)]
    return table(head, iter([*(against(*pair) for pair in pairs), above(0.7), above(0.9)]))


def spreads() -> str:
    """SUPPORTED / REFUTED of *spread* in percent, by noise and true standard deviation."""

    def cell(noise: str, scale: float) -> str:
        rng = np.random.default_rng([SEED, zlib.crc32(f"spread {noise} {scale:.3f}".encode())])
        return percent(*spread_rates(NOISES[noise], SIMULATIONS, rng, scale))

    scales = {"σ on the bound": 1.0, "σ = ½ of it": 1 / 2, "σ = ⅓ of it": 1 / 3}
    return table(
        ["values", *scales],
        ([noise, *(cell(noise, s) for s in scales.values())] for noise in NOISES),
    )


def main() -> None:
    if "--levels" in sys.argv:
        for kind in NOMINAL:
            for k in range(1, 6) if kind in ("one mean", "difference", "deviation") else ():
                print(f"{kind}, {k} looks: {largest(kind, MORE_LOOKS[:k]):.5f}")
        return
    tables = {
        "setting": setting(),
        "levels": levels(),
        "equal variances": on_the_limit(CASES, (1.0,)),
        "variances 1 to 3": on_the_limit(PAIRED, (1.0, 3.0)),
        "variances 1 to 16": on_the_limit(PAIRED, (1.0, 16.0)),
        "power": power(),
        "narrow levels": narrow_levels(),
        "counts": counts(),
        "spreads": spreads(),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, text in tables.items():
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not end:
            raise SystemExit(f"{PAGE.name} has no place for the table {name!r}")
        page = f"{before}{start}{text}\n{end}{after}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
