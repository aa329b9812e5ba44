"""The hooks that a project's conftest.py may carry out for cvclaims."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cvclaims.results.sections import Section


@pytest.hookspec
def pytest_claims_sections() -> "Iterable[Section]":  # type: ignore[empty-body]
    """Sections that reports add to the page of the results; see `cvclaims.results.sections`.

    Asked for once, when the page is written, in the process that writes it.
    """
