"""A results folder, read and left as it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cvclaims.records import Record, Store
from cvclaims.results.claims_json import CLAIMS, read_claims
from cvclaims.results.figures.index import Picture, standing_figures
from cvclaims.results.view import ClaimView, Place

# What a record's origin says of versions; the others stand in its environment.
_OWN_VERSIONS = ("cvclaims", "torch", "python")


@dataclass(frozen=True)
class Results:
    """What a results folder holds.

        for claim in Results.load(Path("results")).claims:
            print(claim.id, claim.verdict, claim.decision.get("estimate"))

    Attributes:
        claims: every row of `claims.json`, with the versions behind it and its figures' files.
        records: by key, of those that a claim rests on and the folder has.
        problems: what is damaged or cannot be used, one line each; it is left as it is.
    """

    claims: Sequence[ClaimView]
    records: Mapping[str, Record]
    problems: Sequence[str] = ()

    @classmethod
    def load(cls, folder: Path, store: Path | None = None) -> "Results":
        """Read a folder that `--claims-results` named, and its store, where that is elsewhere.

        Nothing is written, renamed or locked. Raises ResultsError where `claims.json` cannot be
        read or is of a newer cvclaims.
        """
        views, damage = read_claims(folder / CLAIMS)
        wanted = {key for view in views for keys in view.evidence.values() for key in keys}
        held = Store(store or folder / "records", read_only=True)
        records = {record.key: record for record in held if record.key in wanted}
        claims = traced(views, records, figures_of(standing_figures(folder, views).pictures))
        problems = [f"{folder / CLAIMS}: {damage}"] if damage else []
        return cls(claims, records, [*problems, *held.problems])

    def runs(self, claim: ClaimView) -> dict[str, list[Record]]:
        """The records that a claim was judged from, by the name of their recipe."""
        return {
            name: [self.records[key] for key in keys if key in self.records]
            for name, keys in claim.evidence.items()
        }


def figures_of(pictures: Iterable[Picture]) -> dict[Place, list[str]]:
    """The figures' files of each row that has some."""
    figures: dict[Place, list[str]] = {}
    for picture in pictures:
        for view in picture.group.rows:
            figures.setdefault(view.place, []).append(picture.file)
    return figures


def traced(
    views: Iterable[ClaimView],
    records: Mapping[str, Record],
    figures: Mapping[Place, Sequence[str]],
) -> list[ClaimView]:
    """The views with the versions of what trained them, and with their figures' files."""
    return [
        replace(v, versions=_versions(v, records), figures=figures.get(v.place, [])) for v in views
    ]


def _versions(view: ClaimView, records: Mapping[str, Record]) -> dict[str, list[str]]:
    """Each version of what trained a claim's runs, by name."""
    found: dict[str, dict[str, None]] = {}
    for keys in view.evidence.values():
        for origin in (records[key].origin for key in keys if key in records):
            for name in _OWN_VERSIONS:
                found.setdefault(name, {})[getattr(origin, name)] = None
    return {name: list(of) for name, of in found.items()}
