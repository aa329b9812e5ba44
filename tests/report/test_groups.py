"""Which rows share a figure, and what it is called."""

from collections.abc import Sequence

import pytest

from cvclaims.report.groups import groups, named, slug
from cvclaims.report.rows import Row
from tests.report.synthetic import CE, MSE, SHORT, judged, row

LOSSES = {"ce": CE, "mse": MSE}


def stems(rows: Sequence[Row]) -> list[str]:
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
