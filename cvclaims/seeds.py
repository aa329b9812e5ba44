"""Independent random streams from one seed."""

import hashlib


def stream(seed: int | str, purpose: str) -> int:
    """A seed for one purpose ("init", "order", ...), the same on every machine.

    Initialisation, order and augmentation each draw from their own stream, so that changing how
    one draws does not change the others, and two recipes that share a seed share their order;
    those with seeds of their own do not: see `Recipe.random_source`.
    """
    digest = hashlib.sha256(f"cvclaims/{purpose}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # torch takes seeds below 2**63
