"""Which records may speak for a statement: guards fixed before the runs that they judge.

Pure functions of records. A guard that holds a claim back makes it *ran*: its numbers are shown,
with the reason, and no verdict is given.
"""

from collections.abc import Iterable

from cvclaims.records import Record

# How the source of a data set ends whose images went through a lossy format.
RE_ENCODED = "re-encoded"


def level_on_other_bytes(records: Iterable[Record]) -> str:
    """V5: why these records give no absolute level of accuracy; empty where they may.

    Images that were re-encoded with loss are real, and networks on them can be compared, but how
    accurate one is on the report's own bytes they do not say.
    """
    others = dict.fromkeys(r.origin.data for r in records if r.origin.data.endswith(RE_ENCODED))
    return f"an absolute level on {', '.join(others)}, not the report's own bytes" if others else ""
