"""Records of runs that were logged elsewhere: read from their file, and trained by nobody here."""

from collections.abc import Callable, Sequence

from cvclaims.engines import NotEvaluated
from cvclaims.logs import LogError, Logged, LoggedRun
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
    read: dict[Logged, tuple[Sequence[LoggedRun], str]] = {}
    for run in runs:
        if isinstance(logged := run.trained, Logged):
            try:
                if logged not in read:  # once: a log may be thousands of files
                    read[logged] = logged.runs(), logged.file_digest
            except LogError as why:
                raise NotEvaluated(str(why)) from None
            found[run] = _record(logged, *read[logged], run)
    return [found[run] for run in runs]


def _record(logged: Logged, of_log: Sequence[LoggedRun], digest: str, run: Run) -> Record:
    of_run = of_log[run.seed]
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
            data=f"{logged.source}, SHA-256 {digest[:12]}",
            fingerprint=digest,
            stand_in=False,
            precision="",
        ),
    )
