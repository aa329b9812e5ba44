"""Rows travel and merge without losing evidence."""

import math
from dataclasses import replace
from typing import Any

import pytest

from cvclaims.results.merging import merge
from cvclaims.results.view import ClaimView
from tests.results.synthetic import CE, MSE, judged, measured, row

RECIPES = {"ce": CE, "mse": MSE}


def at(scale: str, verdict: str = "supported", **changes: Any) -> ClaimView:
    return judged("5.04", RECIPES, scale=scale, verdict=verdict, **changes)


def only(old: ClaimView, new: ClaimView) -> ClaimView:
    (standing,) = merge([old], [new])
    return standing


def test_a_row_survives_its_json() -> None:
    one = judged("5.04", RECIPES, assumed=["batch_size"], disputed="a tie", case="digits")
    assert ClaimView.from_dict(one.to_dict()) == one


def test_nan_is_no_json() -> None:
    bad = row(measured={"ce": measured(math.nan)})
    with pytest.raises(ValueError, match="JSON"):
        bad.to_dict()


@pytest.mark.parametrize("form", [{"id": "1"}, {"surprise": 1}])
def test_what_is_no_row_is_refused(form: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a row"):
        ClaimView.from_dict(form)


def test_a_smaller_scale_never_hides_a_larger() -> None:
    assert only(at("full"), at("reduced", "refuted")).scale == "full"


@pytest.mark.parametrize("old", ["smoke", "reduced", "full"])
def test_a_newer_row_of_the_same_or_a_larger_scale_replaces(old: str) -> None:
    assert only(at(old), at("full", "refuted")).verdict == "refuted"


def test_smoke_never_enters() -> None:
    assert merge([], [at("smoke", "ran")]) == []
    for old in (at("full"), at("full", "not evaluated"), at("full", revision=99)):
        assert only(old, at("smoke", "error")) == old


@pytest.mark.parametrize("verdict", ["supported", "refuted", "inconclusive", "ran"])
@pytest.mark.parametrize("scale", ["reduced", "full"])
def test_an_error_stands_beside_the_verdict_until_one_is_judged_again(
    verdict: str, scale: str
) -> None:
    crash = at(scale, "error", reason="RuntimeError: no GPU", evidence={}, measured={})
    failed = only(at("reduced", verdict), crash)
    assert failed == at("reduced", verdict, failure="RuntimeError: no GPU")
    assert only(failed, at(scale, "not evaluated")) == failed
    assert only(failed, at(scale, "error", reason="again")).failure == "again"
    assert only(failed, at(scale, "refuted")) == at(scale, "refuted")


def test_what_stands_at_a_larger_scale_loses_its_failure_when_a_smaller_one_is_judged() -> None:
    assert only(at("full", failure="RuntimeError"), at("reduced", "refuted")) == at("full")


def test_an_error_is_told_where_there_is_no_verdict() -> None:
    crash = at("full", "error")
    assert merge([], [crash]) == [crash]
    assert only(at("full", "not evaluated"), crash) == crash
    assert only(at("full", "error", reason="before"), crash) == crash
    assert only(crash, at("reduced")) == at("reduced")


def test_what_was_not_evaluated_hides_nothing_judged() -> None:
    assert only(at("reduced"), at("full", "not evaluated")).verdict == "supported"
    assert only(at("full", "not evaluated"), at("reduced", "ran")).verdict == "ran"


def of(seeds: int, verdict: str, scale: str = "full") -> ClaimView:
    return at(scale, verdict, measured={"ce": measured(*[0.5] * seeds)})


@pytest.mark.parametrize("verdict", ["supported", "refuted", "inconclusive"])
def test_fewer_seeds_that_leave_it_open_hide_nothing_judged(verdict: str) -> None:
    assert only(of(3, verdict), of(1, "inconclusive")) == of(3, verdict)
    assert only(of(3, verdict), of(3, "inconclusive")) == of(3, "inconclusive")
    assert only(of(3, verdict), of(1, "refuted")) == of(1, "refuted")
    assert only(of(3, verdict), of(8, "inconclusive")) == of(8, "inconclusive")
    assert only(of(3, verdict, "reduced"), of(1, "inconclusive")) == of(1, "inconclusive")
    changed = judged("5.04", {"ce": CE.but(lr=0.5)}, 1, verdict="inconclusive")
    assert only(of(3, verdict), changed) == changed


@pytest.mark.parametrize("verdict", ["supported", "refuted", "inconclusive"])
@pytest.mark.parametrize("scale", ["reduced", "full"])
def test_what_only_ran_hides_nothing_judged(verdict: str, scale: str) -> None:
    others = replace(of(8, "ran", scale), evidence={"ce": ["f" * 24]})
    assert only(of(3, verdict, "reduced"), others) == of(3, verdict, "reduced")


@pytest.mark.parametrize("verdict", ["supported", "refuted", "inconclusive"])
def test_a_verdict_that_its_own_records_no_longer_give_is_taken_back(verdict: str) -> None:
    keys = [f"{seed:024x}" for seed in range(8)]
    old = at("full", verdict, evidence={"ce": keys[:4], "mse": keys[4:]})
    fewer = at("full", "ran", evidence={"ce": keys[:2], "mse": keys[4:6]})
    assert only(old, fewer) == fewer
    for others in ({"ce": [*keys, "f" * 24]}, {"ce": ["f" * 24]}, {}):
        assert only(old, at("full", "ran", evidence=others)) == old


def test_what_only_ran_gives_way_to_more_seeds_and_to_a_verdict() -> None:
    assert only(of(3, "ran"), of(1, "ran")) == of(3, "ran")
    assert only(of(3, "ran"), of(5, "ran")) == of(5, "ran")
    assert only(of(3, "ran"), of(1, "inconclusive")) == of(1, "inconclusive")


def test_evidence_of_another_recipe_or_training_code_gives_way() -> None:
    changed = judged("5.04", {"ce": CE.but(lr=0.5), "mse": MSE}, scale="reduced", verdict="ran")
    assert only(at("full"), changed).scale == "reduced"
    assert only(at("full"), at("reduced", "ran", revision=99)).scale == "reduced"


def test_only_a_row_with_a_failure_has_the_field() -> None:
    assert "failure" not in at("full").to_dict()
    failed = at("full", failure="no GPU", assumed=[])
    assert ClaimView.from_dict(failed.to_dict()) == failed


def test_only_a_row_with_guards_has_their_fields() -> None:
    assert not {"guards", "about_failing"} & at("full").to_dict().keys()
    for about in (True, ["ce"]):
        guarded = at("full", "ran", guards=["V1", "V2"], about_failing=about, assumed=[])
        assert ClaimView.from_dict(guarded.to_dict()) == guarded


@pytest.mark.parametrize(
    ("verdict", "guards", "held_back"),
    [
        ("ran", ["V1"], True),
        ("ran", [], False),
        ("supported", ["V1"], False),
        ("inconclusive", ["V4"], False),
    ],
)
def test_what_a_guard_held_back(verdict: str, guards: list[str], held_back: bool) -> None:
    assert at("reduced", verdict, guards=guards).held_back is held_back


KEYS = [f"{seed:064x}" for seed in range(8)]


@pytest.mark.parametrize("scale", ["reduced", "full"])
@pytest.mark.parametrize("verdict", ["supported", "refuted", "inconclusive"])
def test_a_guard_withdraws_what_the_same_records_once_gave(verdict: str, scale: str) -> None:
    old = at(scale, verdict, evidence={"ce": KEYS[:4], "mse": KEYS[4:]})
    fewer = {"ce": KEYS[:3], "mse": KEYS[4:7]}
    held = at(scale, "ran", guards=["V1"], evidence=fewer)
    assert only(old, held) == held
    others = at(scale, "ran", guards=["V1"], evidence={"ce": ["f" * 64]})
    assert only(old, others) == old


@pytest.mark.parametrize(
    ("assumed", "guards", "taken_back"),
    [
        (["init"], ["V1"], True),
        (["lr"], ["V3", "V1"], True),
        (["epochs"], ["V1"], False),  # V1 is a note there; fewer seeds left it open
        (["init"], ["V4"], False),
        (["init"], [], False),
    ],
)
def test_what_v1_leaves_open_stays_so_however_many_seeds_were_judged(
    assumed: list[str], guards: list[str], taken_back: bool
) -> None:
    def values(seeds: int) -> dict[str, Any]:
        return {"measured": {"ce": measured(*[0.5] * seeds)}, "evidence": {"ce": KEYS[:seeds]}}

    old = at("full", assumed=assumed, **values(8))
    new = at("full", "inconclusive", assumed=assumed, guards=guards, **values(3))
    assert only(old, new) == (new if taken_back else old)
    reduced = at("reduced", assumed=assumed, **values(8))
    assert only(reduced, new) == new


def test_what_v1_left_open_of_fewer_records_hides_no_verdict_on_others() -> None:
    old = at("full", measured={"ce": measured(*[0.5] * 8)}, evidence={"ce": KEYS})
    new = at("full", "inconclusive", guards=["V1"], assumed=["init"], evidence={"ce": ["f" * 64]})
    assert only(old, new) == old


CPU, GPU = "CPU, some processor, 2 cores", "NVIDIA H200"


def timing(device: str, verdict: str = "supported", **changes: Any) -> ClaimView:
    times = {"rule": "ratio(1), timed", "evidence": {}, "device": device}
    return at("full", verdict, **{**times, **changes})


class TestTimed:
    """V6: a timed row belongs to the kind of device that it was timed on."""

    def test_only_times_belong_to_a_kind_of_device(self) -> None:
        assert [timing(CPU).timed_on, timing(GPU).timed_on] == ["CPU", "GPU"]
        assert [at("full", device=GPU).timed_on, timing("").timed_on] == ["", ""]
        assert timing(CPU, rule="ratio(1)").timed_on == ""
        assert timing(CPU, rule=None).timed_on == ""

    def test_each_kind_has_a_row_of_its_own(self) -> None:
        both = merge([timing(GPU)], [timing(CPU, "refuted")])
        assert [row.timed_on for row in both] == ["CPU", "GPU"]
        assert [row.verdict for row in both] == ["refuted", "supported"]
        assert merge(both, [timing(CPU, "refuted")]) == both

    def test_the_same_kind_replaces(self) -> None:
        other = timing("CPU, another, 64 cores", "refuted")
        both = merge([timing(GPU), timing(CPU)], [other])
        assert both == [other, timing(GPU)]

    def test_a_smaller_scale_hides_nothing_of_its_kind(self) -> None:
        small = timing(CPU, "refuted")
        small = replace(small, scale="reduced")
        assert merge([timing(CPU)], [small]) == [timing(CPU)]
        assert len(merge([timing(GPU)], [small])) == 2

    @pytest.mark.parametrize("rule", ["ratio(1), timed", None])
    def test_what_was_not_timed_hides_neither(self, rule: str | None) -> None:
        both = merge([timing(GPU)], [timing(CPU)])
        idle = timing("", "not evaluated", rule=rule, measured={})
        assert merge(both, [idle]) == both
        crash = timing("", "error", rule=rule, measured={}, reason="no memory")
        assert [row.failure for row in merge(both, [crash])] == ["no memory"] * 2

    def test_what_was_not_timed_gives_way(self) -> None:
        for before in ("not evaluated", "error"):
            idle = timing("", before, rule=None, measured={})
            assert merge([idle], [timing(CPU)]) == [timing(CPU)]

    def test_times_of_other_recipes_go_with_the_next_ones(self) -> None:
        changed = judged("5.04", {"ce": CE.but(lr=0.5), "mse": MSE})
        new = replace(timing(CPU), recipes=changed.recipes)
        assert merge([timing(GPU)], [new]) == [new]

    def test_a_claim_that_is_no_longer_timed_has_one_row(self) -> None:
        both = merge([timing(GPU)], [timing(CPU)])
        assert merge(both, [at("full", "refuted")]) == [at("full", "refuted")]
        assert merge([at("full", "refuted")], [timing(CPU)]) == [timing(CPU)]


NASTY = "a\x1b[2J\nb\udc80\u202e"
SHOWN = r"a\x1b[2J b\udc80\u202e"


def test_every_text_of_a_row_is_fit_to_be_shown() -> None:
    texts = "id title report rule disputed device data reason case report_title report_note source"
    one = row(
        **dict.fromkeys(texts.split()[1:], NASTY),
        id=NASTY,
        failure=NASTY,
        reported={NASTY: 1.0},
        measured={NASTY: measured(1.0)},
        evidence={NASTY: [NASTY]},
        recipes={NASTY: {NASTY: NASTY}},
        assumed=[NASTY],
    )
    assert {getattr(one, name) for name in [*texts.split(), "failure"]} == {SHOWN}
    assert [one.reported, one.recipes] == [{SHOWN: 1.0}, {SHOWN: {SHOWN: SHOWN}}]
    assert [one.evidence, one.assumed, [*one.measured]] == [{SHOWN: [SHOWN]}, [SHOWN], [SHOWN]]


def test_rows_stand_in_the_order_of_reports_and_claims() -> None:
    rows = [row("5.10"), row("5.2", case="b"), row("5.2", case="a"), row("2.01", report_number=2)]
    odd = [row("5.²"), row(f"5.{'1' * 5000}")]
    order = [(r.id, r.case) for r in merge(rows[:2], [*rows[2:], *odd])]
    assert order[:4] == [("2.01", ""), ("5.2", "a"), ("5.2", "b"), ("5.10", "")]
