"""A section of its own that a report adds to the page, with figures of its own.

What is so of one report alone, such as the axes of its sweep, stands with that report's claims and
not in this package:

    # conftest.py, at the root of the claims
    def pytest_claims_sections():
        from claims.my_paper.section import Rates  # only once the page is written

        return [Rates("my-paper")]

    # claims/my_paper/section.py
    class Rates(Section):
        def markdown(self, name, views, files):
            return f"### Rates of {name}\\n\\n...\\n"

The process that writes the page asks for the sections, also under xdist, where it collects no test:
so they are named by a conftest.py, which it reads, and not by a test's file.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cvclaims.records.record import Record
from cvclaims.results.view import ClaimView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# All records of a store.
Held: TypeAlias = Callable[[], Iterable[Record]]


@dataclass(frozen=True)
class OwnFigure:
    """A figure of a section: figures/<report>/<name>.svg.

    Attributes:
        name: in it the section's `kinds` tell its files from others.
        title: what stands above it.
        evidence: all that it shows, as text: where that is the same, it is not drawn anew.
        draw: makes it; imports matplotlib only then.
    """

    name: str
    title: str
    evidence: str
    draw: "Callable[[], Figure]"


@dataclass(frozen=True)
class News:
    """What a session changed: the rows that stood, those that stand, and those that it made.

    `held` reads every record of the session's store.
    """

    before: Sequence[ClaimView]
    rows: Sequence[ClaimView]
    session: Sequence[ClaimView]
    held: Held


class Section(ABC):
    """A report's own part of the page; `markdown` alone has to be there.

    A section may keep a file in the results folder, so that a session with another store, or of
    other claims, shows what an earlier one found: it is given to `read` before, and `content` is
    written after `renew`.

    Attributes:
        report: the slug of its report.
        file: the name of the file that it keeps; empty for none.
        kinds: what the names of its figures end with; the package never removes any others.
    """

    file = ""
    kinds: tuple[str, ...] = ()

    def __init__(self, report: str) -> None:
        self.report = report

    def read(self, content: bytes) -> None:  # noqa: B027
        """Take up what its file holds; raises ValueError, TypeError or KeyError where damaged."""

    def renew(self, news: News) -> None:  # noqa: B027
        """Take up what a session found; `news` is of all reports."""

    def content(self) -> bytes:
        """What its file is to hold; nothing for no file."""
        return b""

    def figures(self) -> Sequence[OwnFigure]:
        """Its figures, in order."""
        return ()

    @abstractmethod
    def markdown(self, name: str, views: Sequence[ClaimView], files: Sequence[str | None]) -> str:
        """The section, from its heading to a line's end; empty for none.

        Args:
            name: the report's title, fit for Markdown.
            views: the report's claims.
            files: each figure's file, relative to the page; None for one that is not drawn.
        """
