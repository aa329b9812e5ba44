"""`cvclaims merge A B --into C`: results of several machines in one folder."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import add_command, show
from cvclaims.cli.report import own_sections
from cvclaims.text import clean

if TYPE_CHECKING:
    from cvclaims.records import Record, Store

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "merge", carry_out,
        summary="join results folders, as of several machines",
        description="Copy the records of results folders into one, join their claims as "
        "sessions one after the other would, and write its pages. What stands in it is never "
        "written over: of a run that two machines trained the record that is there stays. Judge "
        "anew with `pytest --claims-replay` to use all seeds together.",
        statuses={
            0: "all of it is joined",
            1: "something is damaged, or is there already in another form; a line each says what",
        },
    )  # fmt: skip
    parser.add_argument("results", metavar="RESULTS", type=Path, nargs="+", help="results folders")
    parser.add_argument("--into", type=Path, required=True, help="the folder that takes them in")


def carry_out(options: argparse.Namespace) -> int:
    """Join the folders; returns the exit status."""
    from cvclaims.records import Store
    from cvclaims.records.store import StoreError
    from cvclaims.results.claims_json import CLAIMS
    from cvclaims.results.folder import Results
    from cvclaims.results.output import ResultsError
    from cvclaims.results.writing import write_results

    into = Store(options.into / "records")
    told, problems = [], []
    views = []
    try:
        for folder in options.results:
            if not (folder / CLAIMS).exists() and not (folder / "records").is_dir():
                raise ResultsError(
                    f"{folder} has neither {CLAIMS} nor records: is it a results folder?"
                )
            found = Results.load(folder)
            views += list(found.claims)
            store = Store(folder / "records", read_only=True)
            new, other = _copied(store, into)
            told.append(f"{folder}: {len(found.claims)} rows, {new} records that were not there")
            problems += [*found.problems, *store.problems]
            problems += [
                f"{folder}: {run} is there already, as another machine trained it" for run in other
            ]
        # The order in which machines are named is no news: what rests on more comes last.
        views.sort(key=lambda view: (sum(map(len, view.evidence.values())), str(view.to_dict())))
        sections, why = own_sections(options.into.resolve().parent)
        done = write_results(
            options.into, views, lambda row: into.evidence(row.evidence), lambda: into, sections
        )
    except StoreError as error:
        raise ResultsError(str(error)) from None
    show([*told, f"{options.into}: {len(done.rows)} rows"])
    problems = list(dict.fromkeys([*problems, *why, *done.problems]))
    show(map(clean, problems))
    return 1 if problems else 0


def _copied(store: "Store", into: "Store") -> tuple[int, list[str]]:
    """How many records are new, and the runs of which another record stands."""
    new, other = 0, []
    for record in store:
        with into.lock(record.key):
            standing = into.get(record.trained, record.scale, record.key)
            if standing is None:
                into.put(record)
                new += 1
            elif _learned(standing) != _learned(record):
                other.append(f"seed {record.seed} of {record.trained.describe()}")
    return new, other


def _learned(record: "Record") -> dict[str, object]:
    """What a run learned, whoever trained it: without its times."""
    return dict(_series(record))


def _series(record: "Record") -> Iterator[tuple[str, object]]:
    yield from ((name, values) for name, values in record.series.items() if name != "seconds")
    yield "probes", record.probes
