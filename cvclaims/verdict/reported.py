"""What a claim reports, held against what its test judges: refused before anything is trained.

A name that no table would ever show beside a measured number, and a percentage where a share is
measured, make a row that compares nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from cvclaims.claim import Claim, Reported
from cvclaims.verdict.samples import AnySample, Pooled


def check_names(claim: Claim, shown: Iterable[str]) -> None:
    """Refuse a reported name that is neither a recipe's nor one of what is measured."""
    known = [*dict.fromkeys([*claim.recipes, *shown])]
    for name in claim.reported:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"its names: {', '.join(known)}"
            raise ValueError(
                f"claim {claim.id}: reported {name!r} is no recipe and nothing that is measured; "
                + (mend if known else "nothing is measured by name")
            )


def check_shares(claim: Claim, samples: Sequence[AnySample], bounds: Mapping[str, float]) -> None:
    """Refuse numbers above 1, reported or in the rule, where shares of 0 to 1 are measured."""
    labels = {sample.label for sample in samples}
    for sample in filter(lambda sample: sample.share, _with_parts(samples)):
        # Differences and pools of shares are of arms whose own numbers are shares. A number under
        # the name of an arm may be meant for another sample of that name.
        arms = {arm.name for arm in sample.arms} - labels
        for name in {sample.label, *arms} & claim.reported.keys():
            for number in runs_of_reported(claim.reported[name]):
                _check_share(claim, f"reported {name!r}", number)
    if all(sample.share for sample in samples):
        for name, bound in bounds.items():
            _check_share(claim, f"`{name}`", bound)


def runs_of_reported(value: Reported) -> Sequence[float]:
    """The number, or those of the runs."""
    return value if isinstance(value, Sequence) else (value,)


def _with_parts(samples: Sequence[AnySample]) -> Iterator[AnySample]:
    """The samples, and those that they pool: some of these may be shares and others not."""
    for sample in samples:
        yield sample
        yield from sample.samples if isinstance(sample, Pooled) else ()


def _check_share(claim: Claim, what: str, number: float) -> None:
    if abs(number) > 1:
        raise ValueError(
            f"claim {claim.id}: {what} is {number:g}, but a share of 0 to 1 is measured: "
            f"write {number / 100:g} for {number:g} %"
        )
