"""The evidence: what each run did, and where it came from."""

from cvclaims.records.record import Origin, Record, RecordError, run_key
from cvclaims.records.rerun import Rerun
from cvclaims.records.store import Store, StoreError, UnwrittenError
from cvclaims.session import new_session

__all__ = [
    "Origin",
    "Record",
    "RecordError",
    "Rerun",
    "Store",
    "StoreError",
    "UnwrittenError",
    "new_session",
    "run_key",
]
