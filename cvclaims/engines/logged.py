"""Records of runs that were logged elsewhere: read from their file, and trained by nobody here."""

from collections.abc import Callable, Sequence

from cvclaims.engines import NotEvaluated
from cvclaims.logs import LogError, Logged
from cvclaims.plan import Run
from cvclaims.records import Origin, Record


def with_logged(
    runs: Sequence[Run], trained: Callable[[Sequence[Run]], list[Record]]
) -> list[Record]:
    """The record of each run: of logged ones from their file, of the rest what `trained` gives.

    Raises NotEvaluated where a file is not here, or is no log.
    """
    to_train = [run for run in runs if not isinstance(run.trained, Logged)]
    found = dict(zip(to_train, trained(to_train), strict=True)) if to_train else {}
    return [found[run] if run in found else _record(run) for run in runs]


def _record(run: Run) -> Record:
    logged = run.trained
    assert isinstance(logged, Logged)
    try:
        of_run = logged.runs()[run.seed]
        source, digest = logged.source, logged.file_digest
    except LogError as why:
        raise NotEvaluated(str(why)) from None
    return Record(
        trained=logged,
        seed=of_run.seed,
        scale=run.scale,
        status="finished",
        series=of_run.series,
        numbers=of_run.numbers,
        probes={},
        origin=Origin(
            commit="",
            cvclaims="",
            torch="",
            python="",
            device="as logged",
            host="",
            threads=0,
            stacked=1,
            data=f"{source}, SHA-256 {digest[:12]}",
            fingerprint=digest,
            stand_in=False,
            precision="",
        ),
    )
