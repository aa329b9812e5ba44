"""Every way a claim's test can end: its row, pytest's outcome, and the same under xdist."""

import re
from xml.etree import ElementTree

import pytest

from cvclaims.plugins.results import REFUTED_ONLY
from tests.plugins.endings import CLAIMS, COUNTS, EXPECTED, MISTAKES, TOLD
from tests.plugins.project import Project, Ran


def check(ran: Ran) -> None:
    """Rows, pytest's own counts and ours are those expected."""
    assert ran.verdicts() == {name: verdict for name, (verdict, _) in EXPECTED.items()}
    for name, (_, reason) in EXPECTED.items():
        assert reason in ran.reason(name), name
    for mistake in MISTAKES:
        assert mistake in ran.text
    assert ran.told() == TOLD
    assert ran.counts == COUNTS
    assert "page: .cvclaims/results/README.md" in ran.lines
    assert ran.result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("mode", ["-n0", "-n2"])
def test_every_end_of_a_claim_with_xdist_and_without(project: Project, mode: str) -> None:
    project.write(CLAIMS)
    plain = project.run()
    check(plain)
    project.results.rename(project.path / "plain")
    ran = project.run(mode)
    check(ran)
    assert ran.rows == plain.rows


def test_words_and_letters(project: Project) -> None:
    project.write(CLAIMS)
    chosen = "supported or refuted or inconclusive or missing or asks or holds"
    told = project.run("-v", "-k", chosen)
    for test, word in {
        "test_supported": "SUPPORTED",
        "test_refuted": "REFUTED",
        "test_inconclusive": "INCONCLUSIVE",
        "test_disputed_and_refuted": "REFUTED, AS DISPUTED",
        "test_disputed_and_supported": "SUPPORTED, THOUGH DISPUTED",
        "test_missing_data": "NOT EVALUATED",
        "test_asks_for_nothing": "ERROR",
        "test_property_holds": "SUPPORTED",
    }.items():
        told.result.stdout.fnmatch_lines([f"test_paper.py::{test} {word} *[[]*%]"])
    assert "test_paper.py .F?xF.FEs  " in project.run("-k", chosen).text


def test_what_pytest_says_of_a_verdict(project: Project) -> None:
    project.write(CLAIMS)
    ran = project.run("-k", "refuted or supported or asks or crashes", "-v", "-ra")
    shows = ran.result.stdout.fnmatch_lines
    shows(["*::test_disputed_and_refuted REFUTED, AS DISPUTED (*"])
    shows(["claim 15 ERROR: statement 15", "the test ended without asking for a verdict"])
    shows(["claim 5 SUPPORTED: statement 5", "difference 0.*must exceed 0*", "A surprise: *"])
    # A refuted claim is a result, which our own summary tells: pytest shows what is broken.
    assert "claim 2 REFUTED" not in ran.text
    assert "REFUTED test_paper.py" not in ran.text
    assert re.findall("^_+ (.*) _+$", ran.text, re.MULTILINE) == [
        *("ERROR at call of test_property_crashes", "ERROR at call of test_crashes"),
        *("ERROR at call of test_asks_for_nothing", "test_disputed_and_supported"),
    ]


def test_what_decided_nothing_is_a_skip_at_its_test(project: Project) -> None:
    project.write(CLAIMS)
    lines = (project.path / "test_paper.py").read_text().splitlines()
    project.run("-k", "inconclusive or test_ran or test_gpu or missing", "--junitxml=junit.xml")
    skips = {
        case.get("name"): skip.text
        for case in ElementTree.parse(project.path / "junit.xml").iter("testcase")
        for skip in case.iter("skipped")
    }
    for test, id in {
        **{"test_inconclusive": "3", "test_ran": "6", "test_gpu": "7"},
        **{"test_gpu_without_recipes": "8", "test_missing_data": "25"},
    }.items():
        line = next(n for n, text in enumerate(lines, 1) if text.startswith(f'@about("{id}"'))
        where, _, reason = (skips.pop(test) or "").partition(": ")
        assert where == f"{project.path}/test_paper.py:{line}"
        assert EXPECTED[id][1] in reason
    assert skips == {}


def test_junit_tells_verdicts_in_words_and_properties(project: Project) -> None:
    project.write(CLAIMS)
    for mode in ("-n0", "-n1"):
        chosen = "refuted or supported or inconclusive or crashes or gpu"
        project.run(mode, "-k", chosen, "--junitxml=junit.xml")
        suite = ElementTree.parse(project.path / "junit.xml")
        seen = {
            case.get("name"): [part.tag for part in case if part.tag != "properties"]
            for case in suite.iter("testcase")
        }
        assert seen == {
            "test_supported": [],
            "test_refuted": ["failure"],
            "test_inconclusive": ["skipped"],
            "test_disputed_and_refuted": ["skipped"],
            "test_disputed_and_supported": ["failure"],
            "test_gpu": ["skipped"],
            "test_gpu_without_recipes": ["skipped"],
            "test_property_refuted": ["failure"],
            "test_property_crashes": ["failure"],
            "test_crashes": ["failure"],
        }
        told = {
            case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
            for case in suite.iter("testcase")
        }
        first = told["test_supported"]
        assert "at least" in (first.pop("claim_reason") or "")
        assert first == {
            **{"claim_id": "1", "claim_verdict": "supported", "claim_scale": "full"},
            "claim_reported": "good 0.9",
            # At a rate of 1e-4 the other network never leaves chance.
            "claim_guards": "V1",
            "claim_measured": "good 0.683333 ± 0.01667; bad 0.0833333 ± 0.01667",
        }
        assert told["test_gpu"]["claim_verdict"] == "not evaluated"
        assert told["test_crashes"]["claim_reason"] == "AssertionError: in the test"


STRANGE = """
@about("1", case="it")
def test_one(verdict):
    raise OSError("a \\udcff \\x1b[31m \\x00 \\u202e z")

@about("2")
def test_two(verdict):
    pytest.skip("a \\udcff \\x1b[31m \\x00 \\u202e z")
"""


@pytest.mark.parametrize("mode", ["-n0", "-n1"])
def test_strange_characters_break_no_report(project: Project, mode: str) -> None:
    project.write(STRANGE)
    ran = project.run(mode, "--junitxml=junit.xml")
    shown = r"a \udcff \x1b[31m \x00 \u202e z"
    assert (ran.reason("1/it"), ran.reason("2")) == (f"OSError: {shown}", shown)
    cases = ElementTree.parse(project.path / "junit.xml").iter("testcase")
    told = [p.get("value") for case in cases for p in case.iter("property")]
    assert told.count(shown) == 1
    assert "INTERNALERROR" not in ran.text


FAILING = """
import pytest

@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        report.outcome, report.longrepr = "failed", "too slow\\nby far"
    return report
"""


def test_another_plugin_fails_a_claim(project: Project) -> None:
    project.write(CLAIMS)
    (project.path / "conftest.py").write_text(FAILING)
    ran = project.run("-k", "test_property_holds or parametrised")
    assert ran.counts.keys() == {"deselected", "errors"}
    assert {row["verdict"] for row in ran.rows.values()} == {"error"}
    assert ran.reason("9") == "too slow"


def test_strict_fails_what_is_inconclusive(project: Project) -> None:
    project.write(CLAIMS)
    lax = project.run("-k", "inconclusive")
    assert (lax.result.ret, lax.counts["inconclusive"]) == (0, 1)
    strict = project.run("-k", "inconclusive", "--claims-strict")
    assert strict.counts == {"failed": 1, "deselected": lax.counts["deselected"]}
    assert strict.verdicts() == {"3": "inconclusive"}
    assert "Inconclusive claims fail under --claims-strict." in strict.text


# The same ends, of claims that train nothing.
COUNTED = """
@about("1")
def test_supported(verdict):
    verdict.exact(1, 1)

@about("2")
def test_refuted(verdict):
    verdict.exact(1, 2)

@about("3", disputed="its table says so")
def test_disputed_and_refuted(verdict):
    verdict.exact(1, 2)

@about("4", disputed="its table says so")
def test_disputed_and_supported(verdict):
    verdict.exact(1, 1)

@about("5")
def test_asks_for_nothing():
    pass
"""


@pytest.mark.parametrize("mode", [[], ["-n1"]], ids=["plain", "n1"])
def test_the_exit_status_tells_refuted_from_broken(project: Project, mode: list[str]) -> None:
    project.write(COUNTED)
    held = "test_supported or test_refuted or test_disputed_and_refuted"
    assert project.run(*mode, "-k", held).result.ret == REFUTED_ONLY
    assert project.run(*mode, "-k", f"{held} or asks").result.ret == pytest.ExitCode.TESTS_FAILED
    surprise = f"{held} or test_disputed_and_supported"
    assert project.run(*mode, "-k", surprise).result.ret == pytest.ExitCode.TESTS_FAILED
