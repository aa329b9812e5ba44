"""What every test has: a cache that is not the user's own, and properties without chance."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Workers fill the processor: with more threads than cores torch takes many times as long. It
# reads this when it is imported, which comes later.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Properties are judged the same way on each run: no clock, no random start, no stored examples.
# (Those that are claims are so by themselves.)
settings.register_profile("tests", deadline=None, derandomize=True, database=None)
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests and what they start share a cache, and leave the user's as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVCLAIMS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
