"""What a row says of a counterexample."""

from cvclaims.plugins.outcome import _counterexample


def test_a_counterexample_is_told_without_the_paths_of_this_machine() -> None:
    error = AssertionError("assert 1 < 0")
    error.add_note(
        "Failing test case: test_it(\n    a=1,\n)\nExplanation:\n"
        "    These lines were always and only run by failing test cases:\n"
        "        /home/someone/site-packages/torch/autograd.py:86"
    )
    assert _counterexample(error) == "Failing test case: test_it( a=1, )"


def test_without_a_note_the_assertion_stands() -> None:
    assert _counterexample(AssertionError("assert 1 < 0\nmore")) == "assert 1 < 0"
