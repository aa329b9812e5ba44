"""What a report adds to the page: kept, drawn when it changed, and no danger to anything else."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.results.figures.index import read_index
from cvclaims.results.sections import News, OwnFigure, Section
from cvclaims.results.view import ClaimView
from cvclaims.results.writing import Written, write_results
from tests.results.synthetic import CE, Shelf, judged, row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = "figures/losses/count-of-claims.svg"


class Counting(Section):
    """How many claims were judged so far, in all sessions."""

    file = "counted.txt"
    kinds = ("claims",)

    def __init__(self, report: str = "losses") -> None:
        super().__init__(report)
        self.count, self.drawn = 0, 0

    def read(self, content: bytes) -> None:
        self.count = int(content)

    def renew(self, news: News) -> None:
        self.count += len(news.session)

    def content(self) -> bytes:
        return str(self.count).encode() if self.count else b""

    def figures(self) -> list[OwnFigure]:
        return [OwnFigure("count-of-claims", "So many", str(self.count), self._figure)]

    def _figure(self) -> "Figure":
        from matplotlib.figure import Figure

        self.drawn += 1
        return Figure(figsize=(1, 1))

    def markdown(self, name: str, views: Sequence[ClaimView], files: Sequence[str | None]) -> str:
        return f"### Counted of {name}\n\n{self.count} of {len(views)}: {files}\n"


def write(folder: Path, section: Section, *rows: ClaimView) -> Written:
    return write_results(folder, rows, Shelf(CE), tuple, [section])


def page(folder: Path) -> str:
    return (folder / "README.md").read_text()


def test_it_stands_in_its_report_and_is_kept(tmp_path: Path) -> None:
    first = Counting()
    write(tmp_path, first, row("5.04"), row("5.05"))
    assert (tmp_path / "counted.txt").read_text() == "2"
    assert f"### Counted of Computer Vision HW3\n\n2 of 2: ['{FIGURE}']\n" in page(tmp_path)
    assert list(read_index(tmp_path, [first])[0]) == [FIGURE]
    second = Counting()
    done = write(tmp_path, second)
    assert (done.written, done.removed, first.drawn, second.drawn) == ([], [], 1, 0)


def test_without_rows_of_its_report_it_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, Counting("other"), row("5.04"))
    assert "Counted" not in page(tmp_path)


def test_where_nothing_is_left_its_file_goes(tmp_path: Path) -> None:
    write(tmp_path, Counting(), row("5.04"))

    class Empty(Counting):
        def renew(self, news: News) -> None:
            self.count = 0

    done = write(tmp_path, Empty())
    assert tmp_path / "counted.txt" in done.removed


def test_a_damaged_file_is_kept_aside_and_made_anew(tmp_path: Path) -> None:
    write(tmp_path, Counting(), row("5.04"))
    (tmp_path / "counted.txt").write_text("many")
    (problem,) = write(tmp_path, Counting()).problems
    assert problem.startswith(f"{tmp_path / 'counted.txt'}: it cannot be used (ValueError: ")
    assert (tmp_path / "counted.txt.damaged").read_text() == "many"
    assert (tmp_path / "counted.txt").read_text() == "1"


@pytest.mark.parametrize("broken", ["renew", "content", "figures", "markdown", "_figure"])
def test_one_that_fails_costs_neither_table_nor_page_nor_the_other_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(Counting, broken, fail)
    done = write(tmp_path, Counting(), judged("5.04", {"ce": CE}))
    assert len(done.problems) == 1
    assert "RuntimeError: no ink" in done.problems[0]
    assert "**5.04**" in page(tmp_path)
    claim = (tmp_path / "claims" / "5.04.md").read_text()
    assert ("](../figures/losses/5.04-ce-curves.svg)" in claim) == (broken != "figures")
