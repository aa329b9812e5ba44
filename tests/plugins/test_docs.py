"""The example of docs/writing-claims.md runs as it stands."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "writing-claims.md"


def test_the_example_runs(
    warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CVCLAIMS_DATA", raising=False)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    pytester.makepyfile(test_my_paper=example)
    ran = pytester.runpytest_inprocess("--claims-scale", "smoke", "-p", "no:cacheprovider")
    ran.stdout.fnmatch_lines(["report  *  ran", "no page was written: smoke judged nothing"])
    assert ran.ret == 0
