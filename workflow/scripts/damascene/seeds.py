"""Seeds of all random choices, derived from the one of the study."""

import hashlib


def derive_seed(seed: int, *purpose: str) -> int:
    """Return a seed for one purpose, the same on every machine and in every order of jobs."""
    digest = hashlib.sha256("/".join([str(seed), *purpose]).encode()).digest()
    return int.from_bytes(digest[:4], "big")
