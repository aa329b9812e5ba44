"""The benchmarks' table: what a run measured takes its rows, and no other's."""

from pathlib import Path

import pytest

from benchmarks.table import MARKS, NOT_MEASURED, Row, merge, read, render, write

HERE, THERE = "two cores", "a GPU"
CPU = Row("an epoch, CPU", "loop / ours", "4.0 s", "2.0 s", "2.0 ×", "2 ×", "1 MiB", HERE)
GPU = Row("an epoch, GPU", "eager / graph", "9.0 s", "1.0 s", "9.0 ×", "10 ×", "2 MiB", THERE)
UNMEASURED = Row(GPU.work, GPU.sides, asked=GPU.asked)


class TestMerge:
    def test_a_row_measured_anew_takes_its_own_place(self) -> None:
        faster = Row(CPU.work, ratio="3.0 ×", machine=HERE)
        assert merge([CPU, GPU], [faster]) == [faster, GPU]

    def test_what_was_not_measured_now_leaves_what_was_measured_elsewhere(self) -> None:
        assert merge([CPU, GPU], [UNMEASURED]) == [CPU, GPU]

    def test_a_row_never_measured_takes_what_is_asked_now(self) -> None:
        asked = Row(GPU.work, asked="12 ×")
        assert merge([UNMEASURED], [asked]) == [asked]

    def test_new_work_follows_the_row_before_it(self) -> None:
        new = Row("a step, CPU", machine=HERE)
        assert merge([CPU, GPU], [CPU, new]) == [CPU, new, GPU]
        assert merge([CPU], [new]) == [CPU, new]
        assert merge([], [CPU, GPU]) == [CPU, GPU]


class TestTable:
    def test_rows_name_their_machine_by_number(self) -> None:
        head, _, *lines, first, second = render([CPU, UNMEASURED, GPU]).split("\n")[:-1]
        assert head.split("|")[1].strip() == "work"
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line]
        assert [row[-1] for row in cells] == ["(1)", "", "(2)"]
        assert cells[1][2:5] == [NOT_MEASURED] * 3
        assert (first, second) == (f"- (1) {HERE}", f"- (2) {THERE}")

    def test_the_file_comes_back_and_the_page_keeps_what_is_around(self, tmp_path: Path) -> None:
        file, page = tmp_path / "measured.json", tmp_path / "README.md"
        page.write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n", encoding="utf-8")
        assert read(file) == []
        write([CPU, UNMEASURED], file, page)
        assert read(file) == [CPU, UNMEASURED]
        table = render([CPU, UNMEASURED])
        assert page.read_text(encoding="utf-8") == (
            f"before\n{MARKS[0]}\n\n{table}\n{MARKS[1]}\nafter\n"
        )

    def test_a_page_without_the_marks_is_left_as_it_is(self, tmp_path: Path) -> None:
        file, page = tmp_path / "measured.json", tmp_path / "README.md"
        page.write_text(f"{MARKS[0]} and no end", encoding="utf-8")
        with pytest.raises(ValueError, match=r"README\.md lacks the marks"):
            write([CPU], file, page)
        assert page.read_text(encoding="utf-8") == f"{MARKS[0]} and no end"
        assert not file.exists()

    def test_the_page_shows_what_the_file_has(self) -> None:
        folder = Path(__file__).parent.parent / "benchmarks"
        shown = (folder / "README.md").read_text(encoding="utf-8")
        assert render(read(folder / "measured.json")) in shown
