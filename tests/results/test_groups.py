"""Which rows share a figure, and what it is called."""

from collections.abc import Sequence
from typing import Any

import pytest

from cvclaims.results.figures.groups import MOST_LINES, groups, named, slug
from cvclaims.results.view import ClaimView
from tests.results.synthetic import CE, MSE, SHORT, judged, measured, row

LOSSES = {"ce": CE, "mse": MSE}


def stems(rows: Sequence[ClaimView]) -> list[str]:
    return [stem.removeprefix("figures/losses/") for stem, _ in named(groups(rows))]


def test_overlapping_claims_share_a_figure_while_it_can_show_all() -> None:
    nets = {f"lr_{n}": SHORT.but(lr=n / 10) for n in range(1, 7)}
    pairs = [
        judged(f"5.1{n}", {name: nets[name] for name in (f"lr_{n}", f"lr_{n + 1}")})
        for n in range(1, 6)
    ]
    one, other = groups(pairs)
    assert list(one.runs) == ["lr_1", "lr_2", "lr_3", "lr_4"]
    assert list(other.runs) == ["lr_4", "lr_5", "lr_6"]
    assert [len(group.rows) for group in (one, other)] == [3, 2]
    whole = judged("5.20", nets)
    (one,) = groups([*pairs, whole])
    assert one.lead == pairs[0]
    assert sorted(one.runs) == sorted(nets)


def test_one_name_for_two_recipes_keeps_claims_apart() -> None:
    rows = [judged("1", {"a": CE, "b": MSE}), judged("2", {"a": MSE})]
    assert len(groups(rows)) == 2


def test_reports_scales_data_and_training_revisions_do_not_mix() -> None:
    one = judged("5.04", LOSSES)
    others = [
        judged("5.04", LOSSES, report="other"),
        judged("5.05", LOSSES, data="Digits, re-encoded"),
        judged("5.06", LOSSES, scale="reduced"),
        judged("5.07", LOSSES, revision=99),
        judged("5.08", {"short": SHORT}),
    ]
    assert len(groups([one, *others])) == 6


def test_rough_runs_and_claims_without_runs_have_no_figure() -> None:
    rows = [row(), judged("1", LOSSES, scale="smoke"), judged("2", LOSSES, evidence={"ce": []})]
    assert groups(rows) == []


def test_unknown_digests_are_told_apart_by_their_records() -> None:
    one, same, other = (
        judged(id, LOSSES, n, recipes={}) for id, n in (("1", 3), ("2", 3), ("3", 5))
    )
    assert [len(group.rows) for group in groups([one, same, other])] == [2, 1]


def test_files_are_named_after_the_first_claim() -> None:
    rows = [
        judged("5.04", LOSSES),
        judged("5.10", {"relu": SHORT}, case="lr=0.1/moons [x]"),
        judged("5.11", {"a": SHORT.but(lr=0.5)}, case="ReLU"),
        judged("5.11", {"a": SHORT.but(lr=0.6)}, case="relu"),
        judged("5.12", {"a": SHORT.but(lr=0.7)}, case="x", data="Moons (scikit-learn)"),
        judged("5.12", {"a": SHORT.but(lr=0.7)}, case="y", data="Moons (scikit-learn)"),
    ]
    assert stems(rows) == [
        "5.04-ce-mse",
        "5.10-lr-0.1-moons-x",
        "5.11-ReLU",
        "5.11-relu-2",
        "5.12-moons-a",
    ]


def test_long_names_are_cut_and_stay_apart() -> None:
    rows = [judged("1", {"a": SHORT.but(lr=lr)}, case="x" * 200 + str(lr)) for lr in (0.1, 0.2)]
    first, second = stems(rows)
    assert first != second
    assert max(len(first), len(second)) <= 60


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "figure"),
        ("../..", "figure"),
        ("../x", "x"),
        ("/etc/x", "etc-x"),
        ("a\x00b\x1b[2J\nc", "a-b-2J-c"),
        ("a\u202eb\udc80", "a-b"),
        ("end. ", "end"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("console", "console"),
        ("C:x*?", "C-x"),
    ],
)
def test_a_name_that_every_file_system_takes(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_claim_on_a_whole_grid_has_no_curves_of_its_own() -> None:
    grid = {f"lr_{n}": SHORT.but(lr=n / 10) for n in range(1, 9)}
    assert groups([judged("2.01", grid)]) == []
    assert len(groups([judged("2.01", dict(list(grid.items())[:7]))])) == 1


class TestReported:
    def test_a_number_belongs_to_the_arm_of_its_name_run_by_run(self) -> None:
        row = judged("5.04", LOSSES)
        (group,) = groups([row])
        assert [(r.arm, r.numbers) for r in group.reported] == [
            ("ce", (0.9833,)),
            ("mse", (0.9694,)),
        ]
        told = group.reported[0]
        assert list(told.measured) == row.evidence["ce"]
        assert list(told.measured.values()) == row.measured["ce"]["values"]

    def test_a_list_of_runs_has_a_mean(self) -> None:
        (group,) = groups([judged("5.04", LOSSES, reported={"ce": [0.9, 0.8]})])
        (told,) = group.reported
        assert told.numbers == (0.9, 0.8)
        assert told.mean == pytest.approx(0.85)

    def test_a_sample_with_a_name_of_its_own_may_be_of_any_arm(self) -> None:
        values = {"first epoch": measured(0.1, 0.2, 0.3)}
        (group,) = groups([judged("1", LOSSES, reported={"first epoch": 0.3}, measured=values)])
        assert [told.arm for told in group.reported] == ["ce", "mse"]

    def test_an_arm_is_called_as_the_first_row_calls_it(self) -> None:
        values = {"cross": measured(0.1, 0.2, 0.3)}
        second = judged("5.06", {"cross": CE}, reported={"cross": 3}, measured=values)
        (group,) = groups([judged("5.04", LOSSES, reported={}), second])
        assert [told.arm for told in group.reported] == ["ce"]

    @pytest.mark.parametrize("values", [{}, {"ce": measured(0.1, 0.2)}])
    def test_what_was_not_measured_of_each_run_is_left_out(self, values: object) -> None:
        (group,) = groups([judged("5.04", LOSSES, reported={"ce": 0.9}, measured=values)])
        assert group.reported == []

    @pytest.mark.parametrize(
        "change",
        [{"reported": {"ce": 0.98}}, {"measured": {"ce": measured(0.9, 0.9, 0.8)}}],
        ids=["reported", "measured"],
    )
    def test_another_number_is_another_figure(self, change: dict[str, Any]) -> None:
        whole: dict[str, Any] = {"reported": {"ce": 0.9}}
        (one,), (other,) = (
            groups([judged("5.04", LOSSES, **given)]) for given in (whole, whole | change)
        )
        assert one.hash("curves", 1) != other.hash("curves", 1)
        assert one.hash("curves", 1) == groups(one.rows)[0].hash("curves", 1)


class TestColours:
    def test_a_name_has_one_colour_in_all_figures_of_a_report(self) -> None:
        nets = {name: SHORT.but(lr=n / 10) for n, name in enumerate("abcdefgh", 1)}
        rows = [
            judged("1", {"b": nets["b"]}),
            judged("2", {"a": CE}),
            judged("3", {name: nets[name] for name in "cab"}, data="other"),
            judged("4", {name: nets[name] for name in "defgh"}, data="third"),
        ]
        found = groups(rows)
        assert len(found) == 4
        colours: dict[str, set[int]] = {}
        for group in found:
            assert len(set(group.colours.values())) == len(group.runs)
            assert max(group.colours.values()) < MOST_LINES
            for name, number in group.colours.items():
                colours.setdefault(name, set()).add(number)
        assert all(len(numbers) == 1 for numbers in colours.values())

    def test_reports_do_not_share_colours(self) -> None:
        one, other = groups([judged("1", LOSSES), judged("1", {"mse": MSE}, report="other")])
        assert (one.colours, other.colours) == ({"ce": 0, "mse": 1}, {"mse": 0})

    def test_what_is_drawn_has_them(self) -> None:
        (group,) = groups([judged("5.04", LOSSES)])
        subject = group.subject({"ce": [], "mse": []})
        assert [subject.number(name) for name in ("ce", "mse")] == [0, 1]
        assert (subject.title, subject.reported) == (group.title, group.reported)
