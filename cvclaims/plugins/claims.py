"""The plugin that collects claims, gives tests `runs` and `verdict`, and reports outcomes.

Hooks here register, delegate and return. Nothing heavy is imported at the top: pytest loads this
module in every project of the environment.
"""

from collections.abc import Generator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.results import sent
from cvclaims.plugins.suite import suite_of

if TYPE_CHECKING:
    from cvclaims.plugins.cases import Case
    from cvclaims.verdict.judge import Judge, Runs

MARKERS = (
    "claim(...): a report's claim, judged by this test; made by cvclaims.claim.claim",
    "gpu: the full protocol of this claim wants a GPU",
    "timing: this claim measures time, so it takes the device alone",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The --claims-* options."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Markers."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse settings that can only be wrong, before anything is printed or started."""
    suite, config = suite_of(session.config), session.config
    if not suite.is_worker and options.any_given(config):
        options.check(suite.settings, runs=not config.option.collectonly)
        suite.begin()
    if options.any_given(config):
        from cvclaims.data.folder import tell_folder

        tell_folder(suite.settings.data)  # data of an author's own may be read at collection


def pytest_report_header(config: pytest.Config) -> list[str] | None:
    """The settings, in a project that uses the suite."""
    return suite_of(config).header() if options.any_given(config) else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each xdist worker of the session."""
    node.workerinput.update(suite_of(node.config).tell_worker())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """Refuse what a worker found wrong; else show what the workers train."""
    suite_of(node.config).workers_collected()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker that is gone trains nothing."""
    suite_of(node.config).gone(node.gateway.id)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """--claims-id, before other selections: an id that they leave out is known all the same."""
    suite_of(session.config).select(session, items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Take up the claims that are left after every selection (--lf selects last of all)."""
    suite_of(session.config).collect(session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing trains any more; what could not be written is tried once more."""
    suite = suite_of(session.config)
    suite.unwatch()
    suite.finish()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind but results."""
    suite_of(config).close()


@pytest.fixture
def runs(request: pytest.FixtureRequest) -> "Runs":
    """The claim's recipes as arms, by name: `runs.mse.test_accuracy` is a number for each seed.

    Nothing trains until `verdict` asks.
    """
    from cvclaims.verdict.judge import Runs

    case = _case(request)
    return Runs(case.claim, case.arms)


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> "Judge":
    """The judge of this test's claim: call one of its rules, once.

    `verdict.greater(a, b)`, `not_worse`, `paired`, `ratio`, `sooner`, `order`, `greatest`,
    `least`, `rate`, `level`, `above`, `below`, `spread_below`, `share_above`, `times`,
    `times_within`, `exact`: see `cvclaims.verdict.judge.Judge`.
    """
    from cvclaims.plan import looks
    from cvclaims.verdict.judge import Judge

    case, suite = _case(request), suite_of(request.config)
    judge = Judge(
        case.claim, case.scale, suite.engine_for(case), looks(case.claim, suite.settings.seeds)
    )
    case.judge = judge
    return judge


def _case(request: pytest.FixtureRequest) -> "Case":
    case = suite_of(request.config).cases.get(request.node.nodeid)
    if case is None:
        pytest.fail(
            f"`{request.fixturename}` needs a claim: mark the test with @claim(...)", pytrace=False
        )
    return case


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a claim that cannot be one, or that cannot run here and has no runs to ask for."""
    suite = suite_of(item.config)
    if item.nodeid in suite.problems:
        pytest.fail(suite.problems[item.nodeid], pytrace=False)
    case = suite.cases.get(item.nodeid)
    if case is not None:
        case.begin()
        if case.refusal is not None and not case.claim.recipes:
            pytest.skip(case.refusal)
    elif suite.cases and item.get_closest_marker("claim") is not None:
        pytest.skip("another copy of this test gives the claim its one verdict")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A claim that cannot be evaluated here is skipped, with its reason."""
    case = suite_of(item.config).cases.get(item.nodeid)
    if case is None:
        return (yield)
    from cvclaims.engines import NotEvaluated
    from cvclaims.locks import LockError
    from cvclaims.plugins.properties import steadily
    from cvclaims.records import StoreError, UnwrittenError

    case.runs_now = True
    try:
        with steadily(item) if case.is_property else nullcontext():
            return (yield)
    except (NotEvaluated, StoreError, LockError) as error:
        why = error
    finally:
        case.runs_now = False
    # Outside of the handler, so that one line is told and not two errors, one of the other.
    if isinstance(why, NotEvaluated):
        pytest.skip(str(why))
    if isinstance(why, UnwrittenError):  # what else is trained would be lost as well
        item.session.shouldstop = str(why)
    pytest.fail(str(why), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a claim's outcome into its verdict, and send the row with the report."""
    report = yield
    suite = suite_of(item.config)
    case = suite.cases.get(item.nodeid)
    if case is not None:
        from cvclaims.plugins import outcome

        if case.runs_now:  # a subtest reports itself while the test goes on
            outcome.note_part(report, call, case)
        else:
            outcome.apply(report, item, call, case, strict=suite.settings.strict)
        outcome.send_problems(report, suite.take_problems())
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
    """Show a claim's verdict instead of "passed" and "failed"."""
    if not sent(report, "cvclaims_row"):
        return None
    from cvclaims.plugins import outcome

    row = outcome.row_of(report)
    # Another plugin has a word of its own for a test that it will run again.
    known = report.outcome in ("passed", "failed", "skipped")
    return outcome.status(report, row) if row is not None and known else None
