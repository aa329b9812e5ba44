"""A session's id, made without the rooms that use it: xdist's controller does so in any project."""

import re
import secrets
import time

# When it began, in UTC, and what tells it from others of that second.
SESSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}", re.ASCII)


def new_session() -> str:
    """An id for a session, which its records carry."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
