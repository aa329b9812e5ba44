"""Every way a claim's test can end: its row, pytest's outcome, and the same under xdist."""

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


def test_what_a_failure_says(project: Project) -> None:
    project.write(CLAIMS)
    ran = project.run("-k", "refuted or supported or asks", "-rx")
    shows = ran.result.stdout.fnmatch_lines
    shows(["claim 15 ERROR: statement 15", "the test ended without asking for a verdict"])
    shows(["claim 2 REFUTED: statement 2", "difference -0.*must exceed 0"])
    shows(["claim 5 SUPPORTED: statement 5", "difference 0.*must exceed 0", "A surprise: *"])
    # All that Hypothesis and pytest have to say, not only what fits a table.
    shows([">       assert n < 7", "E *n=7,", "test_paper.py:*: AssertionError"])
    shows(["*::test_disputed_and_refuted - refuted as expected: its table says so"])


def test_a_skip_stands_at_its_test(project: Project) -> None:
    project.write(CLAIMS)
    lines = (project.path / "test_paper.py").read_text().splitlines()
    ran = project.run("-k", "test_gpu or missing", "-rs")
    for id, why in (("7", "it wants a GPU"), ("8", "it wants a GPU"), ("25", "Fashion-MNIST is")):
        line = next(n for n, text in enumerate(lines, 1) if text.startswith(f'@about("{id}"'))
        assert f"NOT EVALUATED [1] test_paper.py:{line}: {why}" in ran.text


def test_other_plugins_see_what_pytest_makes_of_it(project: Project) -> None:
    project.write(CLAIMS)
    project.run("-k", "refuted or supported or inconclusive or crashes", "--junitxml=junit.xml")
    cases = ElementTree.parse(project.path / "junit.xml").iter("testcase")
    seen = {case.get("name"): [part.tag for part in case] for case in cases}
    assert seen == {
        "test_supported": [],
        "test_refuted": ["failure"],
        "test_inconclusive": [],
        "test_disputed_and_refuted": ["skipped"],
        "test_disputed_and_supported": ["failure"],
        "test_property_refuted": ["failure"],
        "test_property_crashes": ["failure"],
        "test_crashes": ["failure"],
    }


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


@pytest.mark.parametrize("mode", [[], ["-n0"], ["-n2"]], ids=["plain", "n0", "n2"])
def test_the_exit_status_tells_refuted_from_broken(project: Project, mode: list[str]) -> None:
    project.write(CLAIMS)
    held = "test_supported or test_refuted or test_disputed_and_refuted"
    assert project.run(*mode, "-k", held).result.ret == REFUTED_ONLY
    assert project.run(*mode, "-k", f"{held} or asks").result.ret == pytest.ExitCode.TESTS_FAILED
    surprise = f"{held} or test_disputed_and_supported"
    assert project.run(*mode, "-k", surprise).result.ret == pytest.ExitCode.TESTS_FAILED
