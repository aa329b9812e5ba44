"""A rerun that was killed goes on as itself, and no other does."""

import json
import re
from pathlib import Path

import pytest

from cvclaims.records import Rerun, StoreError, new_session

ABOUT = {"command": "claims --claims-rerun", "machine": "here"}
FIRST, SECOND = "20261126-010203-0123abcd", "20261126-020304-89abcdef"


def begun(root: Path, session: str = FIRST, about: dict[str, str] = ABOUT) -> Rerun:
    rerun = Rerun(root, about)
    rerun.begin(session)
    return rerun


def test_ids_differ_and_say_when() -> None:
    ids = {new_session() for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{8}", id) for id in ids)


def test_one_that_was_killed_goes_on(tmp_path: Path) -> None:
    begun(tmp_path).close()  # as the system lets go of a dead process's lock
    again = Rerun(tmp_path, ABOUT)
    assert (again.begin(SECOND), again.goes_on) == (FIRST, True)


def test_one_that_ended_does_not(tmp_path: Path) -> None:
    done = begun(tmp_path)
    done.end()
    done.close()
    again = Rerun(tmp_path, ABOUT)
    assert (again.begin(SECOND), again.goes_on) == (SECOND, False)


def test_another_command_or_machine_does_not_go_on_with_it(tmp_path: Path) -> None:
    begun(tmp_path).close()
    for about in ({**ABOUT, "machine": "there"}, {**ABOUT, "command": "claims -k one"}, {}):
        other = Rerun(tmp_path, about)
        assert other.begin(SECOND) == SECOND
        other.close()


def test_two_at_once_are_two_and_one_does_not_end_the_other(tmp_path: Path) -> None:
    first = begun(tmp_path)
    second = Rerun(tmp_path, ABOUT)
    assert second.begin(SECOND) == SECOND
    second.end()
    second.close()
    first.close()
    assert Rerun(tmp_path, ABOUT).begin(SECOND) == FIRST


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '"a"', '{"session": 3}', "\xff", "[" * 100_000]
    + [json.dumps({"session": id, **ABOUT}) for id in ("../x", f"{FIRST}\n", "", FIRST.upper())],
)
def test_an_odd_file_is_none(tmp_path: Path, text: str) -> None:
    begun(tmp_path).close()
    (tmp_path / ".locks" / "rerun").write_text(text, encoding="latin-1")
    assert Rerun(tmp_path, ABOUT).begin(SECOND) == SECOND


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".locks" / "rerun").mkdir(parents=True)
    with pytest.raises(StoreError, match="rerun cannot be written"):
        begun(tmp_path)
