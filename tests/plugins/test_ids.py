"""Claims by their ids: --claims-id, and what --collect-only says."""

import pytest

from tests.plugins.project import Project

CLAIMS = """
@about("5.1")
def test_one(verdict):
    verdict.exact(1, 1)

@about("5.10")
@pytest.mark.parametrize("size", [1, 2], ids=["small", "large"])
def test_ten(verdict, size):
    verdict.exact(size, 1)

@about("3.2")
def test_three(verdict):
    verdict.exact(1, 1)

def test_no_claim():
    pass
"""
MODES = [(), ("-n1",)]


@pytest.mark.parametrize("mode", MODES, ids=["plain", "n2"])
@pytest.mark.parametrize(
    ("ids", "rows"),
    [
        ("5.10", ["5.10/large", "5.10/small"]),
        ("5.1, 3.*", ["3.2", "5.1"]),
        ("5.*", ["5.1", "5.10/large", "5.10/small"]),
        ("5.1?,", ["5.10/large", "5.10/small"]),
    ],
)
def test_claims_are_chosen_by_id(
    project: Project, ids: str, rows: list[str], mode: tuple[str, ...]
) -> None:
    project.write(CLAIMS)
    ran = project.run("--claims-id", ids, *mode)
    assert sorted(ran.rows) == rows
    if not mode:
        assert ran.counts["deselected"] == 5 - len(rows)


@pytest.mark.parametrize("mode", MODES, ids=["plain", "n2"])
@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ("5.1O", "--claims-id: no claim is called '5.1O'; the nearest are 5.1, 5.10"),
        ("5.1,9.9*", "--claims-id: no claim is called '9.9*'; the nearest are 3.2, 5.1, 5.10"),
        (" ,", "--claims-id names no claim; write ids such as 5.10,3.*"),
    ],
)
def test_an_id_that_no_claim_has(
    project: Project, ids: str, error: str, mode: tuple[str, ...]
) -> None:
    project.write(CLAIMS)
    ran = project.run("--claims-id", ids, *mode)
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in ran.errors.splitlines() if line] == [f"ERROR: {error}"]
    assert ran.rows == {}


def test_an_id_in_a_project_without_claims(project: Project) -> None:
    (project.path / "test_things.py").write_text("def test_fine():\n    pass\n")
    ran = project.run("--claims-id", "5.1")
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "no claim is called '5.1'; no claims were collected" in ran.errors


@pytest.mark.parametrize("mode", MODES, ids=["plain", "n2"])
def test_ids_beside_pytests_own_ways_of_choosing(project: Project, mode: tuple[str, ...]) -> None:
    project.write(CLAIMS)
    assert list(project.run("--claims-id", "5.*", "-k", "small", *mode).rows) == ["5.10/small"]
    project.run()
    last = project.run("--claims-id", "5.10", "--lf", *mode)
    assert last.told() == "1 refuted"
    none = project.run("--claims-id", "3.2", "--lf", *mode)
    assert none.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_file_that_does_not_import_is_told_before_an_id_that_is_not_found(
    project: Project,
) -> None:
    project.write(CLAIMS)
    (project.path / "test_other.py").write_text("import nothing_like_it\n")
    ran = project.run("--claims-id", "9.9")
    assert "nothing_like_it" in ran.text
    assert ran.errors == ""


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_collected_claims_are_listed_with_their_ids(
    project: Project, quiet: tuple[str, ...]
) -> None:
    project.write(CLAIMS)
    ran = project.run("--collect-only", *quiet)
    assert ran.summary[:4] == [
        "5.1   test_one",
        "5.10  test_ten[small]",
        "5.10  test_ten[large]",
        "3.2   test_three",
    ]
    assert sum("::" in line for line in ran.lines) == (5 if quiet else 0)
    assert "test_ten" not in " ".join(project.run("--collect-only", "-qq").lines)
