"""A record as its JSON form."""

import json
from typing import Any

from cvclaims.records import Record

FIELDS = (
    *("schema", "digest", "key", "recipe", "seed", "scale", "status", "error"),
    *("origin", "numbers", "series", "probes"),
)


def form_of(of: Record) -> dict[str, Any]:
    form: dict[str, Any] = json.loads(of.to_json())
    return form
