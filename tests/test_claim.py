"""The words of a claim: what `@claim` takes, case by case, and what it refuses in one line."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from cvclaims.claim import Claim, ClaimMark, Report, Source, claim
from cvclaims.recipe import Recipe

REPORT = Report(9, "a-report", "A report")
PLACE = REPORT.at("Table 1")
CE = Recipe(data="digits", lr=0.1, epochs=3)
MSE = CE.but(loss="mse")


def mark(**given: Any) -> ClaimMark:
    """The mark that `@claim` puts on a test."""
    id, title = given.pop("id", "9.01"), given.pop("title", "Something holds")
    (found,) = claim(id, title, **{"source": PLACE, **given}).mark.args
    assert isinstance(found, ClaimMark)
    return found


def made(params: Mapping[str, Any] | None = None, /, **given: Any) -> Claim:
    return mark(**given).claim(params or {})


def refused(params: Mapping[str, Any] | None = None, /, **given: Any) -> str:
    with pytest.raises(ValueError) as caught:
        made(params, **given)
    line = str(caught.value)
    assert line.count("\n") == 0
    return line


def test_a_report_and_a_place_in_it() -> None:
    assert REPORT.at("Table 1") == Source(REPORT, "Table 1")
    assert REPORT.note == ""


def test_the_decorator_marks_a_test() -> None:
    @claim("9.01", "Something holds", source=PLACE)
    def test_something() -> None: ...

    (found,) = test_something.pytestmark  # type: ignore[attr-defined]
    assert (found.name, found.args[0].id) == ("claim", "9.01")


def test_what_is_given_is_what_the_claim_says() -> None:
    assert made(
        reported={"ce": 0.98},
        recipes={"ce": CE, "mse": MSE},
        disputed="its own table says otherwise",
        case="digits",
    ) == Claim(
        id="9.01",
        title="Something holds",
        source=PLACE,
        reported={"ce": 0.98},
        recipes={"ce": CE, "mse": MSE},
        disputed="its own table says otherwise",
        case="digits",
    )


def test_what_is_left_out_is_empty() -> None:
    plain = made()
    assert (dict(plain.reported), dict(plain.recipes)) == ({}, {})
    assert (plain.disputed, plain.case) == (None, "")


class TestParameters:
    PARAMS = {"loss": "mse", "lr": 0.5, "row": "A"}  # noqa: RUF012

    def test_each_part_may_be_a_function_of_those_it_names(self) -> None:
        found = made(
            self.PARAMS,
            reported=lambda lr, loss: {loss: lr},
            recipes=lambda loss: {"it": CE.but(loss=loss)},
            disputed=lambda row: "the figure differs" if row == "A" else None,
            case=lambda row, loss: f"{row}, {loss}",
        )
        assert found.reported == {"mse": 0.5}
        assert found.recipes == {"it": MSE}
        assert (found.disputed, found.case) == ("the figure differs", "A, mse")

    def test_the_same_mark_gives_another_claim_for_another_case(self) -> None:
        of = mark(
            reported=lambda row: {"it": {"A": 0.1, "B": 0.2}[row]},
            disputed=lambda row: "no" if row == "A" else None,
        )
        a, b = of.claim({"row": "A"}, "case-A"), of.claim({"row": "B"}, "case-B")
        assert (a.reported, b.reported) == ({"it": 0.1}, {"it": 0.2})
        assert (a.disputed, b.disputed) == ("no", None)
        assert (a.case, b.case) == ("case-A", "case-B")

    def test_the_case_is_pytests_name_only_where_none_is_given(self) -> None:
        assert mark().claim({}, "digits-0.1").case == "digits-0.1"
        assert mark(case="mine").claim({}, "digits-0.1").case == "mine"
        assert mark(case="").claim({}, "digits-0.1").case == ""
        assert mark(case=lambda: None).claim({}, "digits-0.1").case == "digits-0.1"

    def test_a_function_may_ask_for_nothing(self) -> None:
        assert made(recipes=lambda: {"ce": CE}).recipes == {"ce": CE}

    def test_recipes_may_be_fewer_at_a_smaller_scale(self) -> None:
        of = mark(recipes=lambda row, scale: {row: MSE} | ({"ce": CE} if scale == "full" else {}))
        at = of.at_scales({"row": "mse"}, "case")
        assert {scale: list(claim.recipes) for scale, claim in at.items()} == {
            "smoke": ["mse"],
            "reduced": ["mse"],
            "full": ["mse", "ce"],
        }
        assert of.claim({"row": "mse"}).recipes == at["full"].recipes

    def test_a_parameter_of_the_tests_own_called_scale_stays_what_it_is(self) -> None:
        at = mark(recipes=lambda scale: {scale: MSE}).at_scales({"scale": "pixels"})
        assert [list(claim.recipes) for claim in at.values()] == [["pixels"]] * 3

    @pytest.mark.parametrize("part", ["reported", "recipes", "disputed", "case"])
    def test_a_wrong_name_is_told_the_right_ones(self, part: str) -> None:
        asks: Any = lambda los, row: {}  # noqa: E731
        assert refused(self.PARAMS, **{part: asks}) == (
            f"claim 9.01: `{part}` asks for los, which is no parameter of its test "
            "(it has: loss, lr, row)"
        )
        assert refused({}, **{part: asks}).endswith("(it has: none)")

    @pytest.mark.parametrize("part", ["reported", "recipes", "disputed", "case"])
    def test_a_function_that_fails_names_its_claim(self, part: str) -> None:
        fails: Any = lambda row: {}[row]  # noqa: E731
        assert refused({"row": "Z"}, **{part: fails}) == (
            f"claim 9.01: `{part}` failed for {{'row': 'Z'}}: KeyError: 'Z'"
        )

    def test_a_recipe_that_cannot_be_trained_names_the_claim_and_the_mend(self) -> None:
        line = refused({"lr": 0}, recipes=lambda lr: {"ce": CE.but(lr=lr)})
        assert line.startswith("claim 9.01: `recipes` failed for {'lr': 0}: ")
        assert line.endswith("lr must be above 0, not 0")


class TestBadInput:
    @pytest.mark.parametrize("bad", ["", "5 04", "5.04 ", "\t", "5\n04", 5.04, None])
    def test_ids(self, bad: object) -> None:
        assert refused(id=bad) == f"a claim's id is a word such as '5.04', not {bad!r}"

    @pytest.mark.parametrize("bad", ["", "   ", "\n", None, 3])
    def test_titles(self, bad: object) -> None:
        line = refused(title=bad)
        assert line == "claim 9.01: the title is empty; write what the report states"

    @pytest.mark.parametrize("bad", [REPORT, "Table 1", None])
    def test_sources(self, bad: object) -> None:
        assert refused(source=bad).startswith("claim 9.01: its source is a place such as ")

    @pytest.mark.parametrize(
        "bad", ["0.98", None, True, {0.98}, 1j, float("nan"), float("inf"), -float("inf")]
    )
    def test_reported_numbers(self, bad: object) -> None:
        assert refused(reported={"ce": bad}) == (
            f"claim 9.01: reported 'ce' is not a number: {bad!r}"
        )

    @pytest.mark.parametrize(
        ("runs", "told"),
        [
            ([0.98], "lists 1 runs; write a number for one, two or more in a list"),
            ([], "lists 0 runs; write a number for one, two or more in a list"),
            ([0.98, "0.97"], "is not a number: '0.97' among its runs"),
            ([0.98, True], "is not a number: True among its runs"),
            ([0.98, None], "is not a number: None among its runs"),
            ([0.98, 1e301], "is too large: 1e+300 or more"),
            ([0.98, 97.0], "mixes shares and percentages: 0.98 and 97 are runs of one"),
        ],
    )
    def test_reported_runs(self, runs: object, told: str) -> None:
        assert refused(reported={"ce": runs}) == f"claim 9.01: reported 'ce' {told}"

    @pytest.mark.parametrize("bad", [10**400, -(10**5000), 1e300], ids=["a", "b", "c"])
    def test_reported_numbers_that_no_file_could_hold(self, bad: float) -> None:
        assert refused(reported={"ce": bad}) == (
            "claim 9.01: reported 'ce' is too large: 1e+300 or more"
        )

    @pytest.mark.parametrize("bad", [3, None, "", " "])
    def test_names_of_reported_numbers(self, bad: object) -> None:
        line = refused(reported={bad: 0.5})
        assert line == f"claim 9.01: what is reported has a name, not {bad!r}"

    @pytest.mark.parametrize("bad", ["7", 7.0, True, None])
    def test_numbers_of_reports(self, bad: Any) -> None:
        with pytest.raises(ValueError) as caught:
            Report(bad, "a-report", "A report")
        assert str(caught.value) == f"a report's number is a whole one such as 7, not {bad!r}"

    @pytest.mark.parametrize("bad", [-1, 10**9, 10**5000], ids=["below 0", "large", "huge"])
    def test_numbers_that_no_report_has(self, bad: int) -> None:
        with pytest.raises(ValueError, match="a whole one from 0 to 999,999,999"):
            Report(bad, "a-report", "A report")

    @pytest.mark.parametrize("bad", [7, None, "", " "])
    def test_slugs(self, bad: Any) -> None:
        with pytest.raises(ValueError) as caught:
            Report(7, bad, "A report")
        assert str(caught.value) == f"a report's slug is a word such as 'paper', not {bad!r}"

    @pytest.mark.parametrize("name", ["title", "note"])
    def test_texts_of_reports(self, name: str) -> None:
        texts: dict[str, Any] = {"title": "A report", name: 3}
        with pytest.raises(ValueError, match=f"report a-report: its {name} is a text, not 3"):
            Report(7, "a-report", **texts)

    @pytest.mark.parametrize("bad", [3, None, ["Table 1"]])
    def test_places(self, bad: Any) -> None:
        with pytest.raises(ValueError, match="a place in it is a text such as 'Table 1', not "):
            REPORT.at(bad)
        with pytest.raises(ValueError, match="a place is one in a Report, not in 'paper'"):
            Source("paper")  # type: ignore[arg-type]

    def test_reported_numbers_may_be_whole_or_below_zero(self) -> None:
        assert made(reported={"a": 3, "b": -0.5}).reported == {"a": 3, "b": -0.5}

    @pytest.mark.parametrize(
        "bad", ["", "my recipe", "1st", "_mse", "a-b", "class", "None", "values", "items", "get", 3]
    )
    def test_names_of_recipes(self, bad: object) -> None:
        assert refused(recipes={bad: CE}) == (
            f"claim 9.01: {bad!r} cannot name a recipe in `runs.{bad}`"
        )

    @pytest.mark.parametrize("bad", [None, "mse", {"data": "digits"}, Recipe])
    def test_recipes(self, bad: object) -> None:
        assert (
            refused(recipes={"mse": bad})
            == f"claim 9.01: 'mse' is no Recipe, Training or logged runs: {bad!r}"
        )

    @pytest.mark.parametrize("part", ["reported", "recipes"])
    @pytest.mark.parametrize("bad", [[1, 2], "words", 3, [("a", 1)]])
    def test_what_has_no_names(self, part: str, bad: object) -> None:
        assert refused(**{part: bad}) == (
            f"claim 9.01: `{part}` has to be a mapping of names, not {bad!r}"
        )

    @pytest.mark.parametrize("bad", ["", "  ", True, 1])
    def test_disputed_without_a_reason(self, bad: object) -> None:
        assert refused(disputed=bad) == "claim 9.01: `disputed` has to say why"

    @pytest.mark.parametrize("bad", [0.1, True, ["a"]])
    def test_cases(self, bad: object) -> None:
        assert refused(case=bad) == f"claim 9.01: `case` is a word or two, not {bad!r}"


class TestAboutFailing:
    BOTH: ClassVar = {"ce": CE, "mse": MSE}

    def test_nothing_is_said_to_fail_unless_it_is_named(self) -> None:
        one = made(recipes=self.BOTH)
        assert one.about_failing == ()
        assert [one.fails(name) for name in self.BOTH] == [False, False]

    @pytest.mark.parametrize("names", [["mse"], ("mse",), {"mse": MSE}, lambda: ["mse"]])
    def test_names_of_recipes(self, names: Any) -> None:
        one = made(recipes=self.BOTH, about_failing=names)
        assert one.about_failing == ("mse",)
        assert [one.fails(name) for name in self.BOTH] == [False, True]

    def test_all_of_them(self) -> None:
        one = made(recipes=self.BOTH, about_failing=True)
        assert one.about_failing is True
        assert [one.fails(name) for name in self.BOTH] == [True, True]
        assert made(about_failing=True).about_failing is True

    def test_by_parameter_and_by_the_scale_that_recipes_ask_for(self) -> None:
        def recipes(loss: str, scale: str) -> dict[str, Recipe]:
            return self.BOTH if scale == "full" else {loss: CE}

        found = mark(recipes=recipes, about_failing=recipes).at_scales({"loss": "ce"})
        assert found["full"].about_failing == ("ce", "mse")
        assert found["reduced"].about_failing == ("ce",)

    @pytest.mark.parametrize(
        ("names", "line"),
        [
            (["msee"], "names 'msee', which is no recipe of it; did you mean 'mse'?"),
            (["none"], "names 'none', which is no recipe of it; its recipes: ce, mse"),
            ([3], "names 3, which is no recipe of it; its recipes: ce, mse"),
            ("mse", "is True or names some of its recipes, not 'mse'"),
            (False, "is True or names some of its recipes, not False"),
            (3, "is True or names some of its recipes, not 3"),
            (None, "is True or names some of its recipes, not None"),
        ],
    )
    def test_what_is_no_recipe_is_refused_in_one_line(self, names: Any, line: str) -> None:
        told = refused(recipes=self.BOTH, about_failing=names)
        assert told == f"claim 9.01: `about_failing` {line}"
        assert refused(about_failing=["ce"]).endswith("its recipes: none")
