"""Rewrites the tables of calibration.md by simulation: python docs/calibrate.py (three minutes).

Every cell has a generator of its own, seeded by its place, so a table that gains a row keeps the
numbers of the others.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cvclaims.verdict.calibration import (
    CASES,
    NOISES,
    Case,
    Noise,
    Rates,
    draw,
    level_case,
    rate_rates,
    rates,
    share_rates,
    spread_rates,
)
from cvclaims.verdict.statistics import LOOKS, NOMINAL_ALPHA

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
) -> Rates:
    """The rates of one cell."""
    place = f"{case.name} {case.limit} {noise} {distance} {variances}"
    rng = np.random.default_rng([SEED, zlib.crc32(place.encode())])
    drawn: Noise = NOISES[noise]
    samples = draw(case, drawn, SIMULATIONS, rng, distance, np.sqrt(variances).tolist())
    return rates(case, samples, looks)


def percent(*shares: float) -> str:
    return " / ".join(f"{100 * share:.1f}" for share in shares)


def table(head: Sequence[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def setting() -> str:
    return (
        f"Looks at {LOOKS[0]}, {LOOKS[1]} and {LOOKS[2]} seeds, nominal level {NOMINAL_ALPHA}; "
        f"{SIMULATIONS:,} data sets a cell, seed {SEED}; "
        f"a rate of 5 % is known to ± {196 * (0.05 * 0.95 / SIMULATIONS) ** 0.5:.2f} %."
    )


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
        return percent(*(simulated(case, "Normal", distance, looks=n).supported for n in by_look))

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
    tables = {
        "setting": setting(),
        "equal variances": on_the_limit(CASES, (1.0,)),
        "variances 1 to 3": on_the_limit(PAIRED, (1.0, 3.0)),
        "variances 1 to 9": on_the_limit(PAIRED, (1.0, 9.0)),
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
