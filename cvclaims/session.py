"""A session's id, made without the rooms that use it: xdist's controller does so in any project."""

import secrets
import time


def new_session() -> str:
    """An id for a session, which its records carry."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
