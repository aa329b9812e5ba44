"""A conftest.py names the sections that reports add to the page."""

import pytest

from tests.plugins.project import Project

CLAIMS = """
@about("7.1")
def test_counted(verdict):
    verdict.exact(3, 3)

@about("7.2")
def test_counted_again(verdict):
    verdict.exact(4, 3)
"""
CONFTEST = """
def pytest_claims_sections():
    from cvclaims import Section

    class Counted(Section):
        def markdown(self, name, views, files):
            return f"### Counted of {name}\\n\\n{[view.verdict for view in views]}\\n"

    return [Counted("paper")]
"""


@pytest.mark.parametrize("options", [("-n0",), ("-n2",)], ids=["n0", "n2"])
def test_they_stand_on_the_page_also_where_the_controller_collects_nothing(
    project: Project, options: tuple[str, ...]
) -> None:
    project.write(CLAIMS)
    (project.path / "conftest.py").write_text(CONFTEST)
    ran = project.run(*options)
    assert ran.verdicts() == {"7.1": "supported", "7.2": "refuted"}
    page = (project.results / "README.md").read_text()
    assert "### Counted of A paper\n\n['supported', 'refuted']\n" in page
    assert "problem" not in ran.text


def test_one_that_cannot_be_had_is_a_problem_and_costs_no_page(project: Project) -> None:
    project.write(CLAIMS)
    (project.path / "conftest.py").write_text("def pytest_claims_sections():\n    import nowhere\n")
    ran = project.run()
    assert "problem: no report has its own section (ModuleNotFoundError: " in ran.text
    assert "**7.1**" in (project.results / "README.md").read_text()


def test_the_hook_is_known_in_a_project_without_claims(project: Project) -> None:
    (project.path / "conftest.py").write_text(CONFTEST)
    (project.path / "test_other.py").write_text("def test_it():\n    pass\n")
    assert project.run().counts == {"passed": 1}
    assert not project.results.exists()
