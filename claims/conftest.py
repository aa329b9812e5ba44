"""What the reports add to the page of the results."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cvclaims import Section


def pytest_claims_sections() -> "list[Section]":
    from claims.vgg_batch_size.section import BatchSizes  # once the page is written

    return [BatchSizes()]
