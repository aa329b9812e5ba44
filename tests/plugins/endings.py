"""Claims that end in every way there is, and what each has to become."""

CLAIMS = """
@about("1", recipes=BOTH, reported={"good": 0.9})
def test_supported(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("2", recipes=BOTH)
def test_refuted(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)

@about("3", recipes={"a": GOOD, "b": GOOD.but(weight_decay=1e-6)})
def test_inconclusive(runs, verdict):
    verdict.greater(runs.a.test_accuracy, runs.b.test_accuracy)

@about("4", recipes=BOTH, disputed="its table says so")
def test_disputed_and_refuted(runs, verdict):
    verdict.greater(runs.bad.test_accuracy, runs.good.test_accuracy)

@about("5", recipes=BOTH, disputed="its table says so")
def test_disputed_and_supported(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("6", recipes={"net": Recipe(data="fashion_mnist", lr=0.1, epochs=9)})
def test_ran(runs, verdict):
    verdict.above(runs.net.test_accuracy, 0.5)

@about("7", recipes=BOTH)
@pytest.mark.gpu
def test_gpu(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)

@about("8")
@pytest.mark.gpu
def test_gpu_without_recipes(verdict):
    verdict.exact(1, 1)

@about("9")
@steady
@given(st.integers())
def test_property_holds(n):
    assert n + n == 2 * n

@about("10")
@steady
@given(st.integers())
def test_property_refuted(n):
    assert n < 7

@about("11")
@steady
@given(st.integers())
def test_property_crashes(n):
    raise ZeroDivisionError("in the property")

@about("12", disputed="it is wrong")
@steady
@given(st.integers())
def test_disputed_property(n):
    assert n < 7

calls = []

@about("13")
@steady
@given(st.integers())
def test_property_is_flaky(n):
    calls.append(n)
    assert len(calls) > 1

@about("14", recipes=BOTH)
def test_crashes(runs, verdict):
    assert False, "in the test"

@about("15")
def test_asks_for_nothing():
    pass

@about("16")
def test_two_verdicts(verdict):
    verdict.exact(1, 1)
    verdict.exact(1, 1)

@about("17", recipes=BOTH)
def test_unknown_arm(runs, verdict):
    verdict.greater(runs.nope.test_accuracy, runs.good.test_accuracy)

@about("18")
def test_first_of_two(verdict):
    verdict.exact(1, 1)

@about("18")
def test_second_of_two(verdict):
    verdict.exact(1, 2)

@about("19", reported=lambda nope: {"a": nope})
@pytest.mark.parametrize("size", [1])
def test_unknown_parameter(verdict, size):
    verdict.exact(1, 1)

@about("20")
@pytest.mark.skip(reason="no time for it")
def test_skipped(verdict):
    verdict.exact(1, 1)

@about("21")
@pytest.mark.skipif("True", reason="true today")
def test_skipped_if(verdict):
    verdict.exact(1, 1)

@pytest.fixture
def broken():
    raise OSError("in the fixture")

@about("22")
def test_broken_fixture(broken, verdict):
    verdict.exact(1, 1)

@pytest.fixture
def breaks():
    yield
    raise OSError("in the teardown")

@about("23")
def test_broken_teardown(breaks, verdict):
    verdict.exact(1, 1)

@about("24", reported=lambda size: {"counted": size})
@pytest.mark.parametrize("size", [1, 2])
def test_parametrised(verdict, size):
    verdict.exact(1, size)

@about("25")
def test_missing_data(data, verdict):
    data("fashion_mnist")

@about("26")
@pytest.mark.xfail(reason="not the way")
def test_marked_xfail(verdict):
    verdict.exact(1, 2)

@pytest.mark.claim("27")
def test_marked_by_hand():
    pass

@about("28")
def test_skips_itself(verdict):
    pytest.skip("seen enough")

@about("29")
def test_fails_itself(verdict):
    pytest.fail("seen enough")

def test_no_claim():
    pass

def test_no_claim_wants_a_verdict(verdict):
    pass
"""

# The verdict, and a part of the reason.
EXPECTED = {
    "1": ("supported", "difference"),
    "2": ("refuted", "difference"),
    "3": ("inconclusive", "(n = 20, 20)"),
    "4": ("refuted", "difference"),
    "5": ("supported", "difference"),
    "6": ("not evaluated", "it takes more than seconds on a CPU"),
    "7": ("not evaluated", "it wants a GPU"),
    "8": ("not evaluated", "it wants a GPU"),
    "9": ("supported", "Hypothesis found no counterexample"),
    "10": ("refuted", "n=7"),
    "11": ("error", "ZeroDivisionError: in the property"),
    "12": ("refuted", "n=7"),
    "13": ("error", "Flaky"),
    "14": ("error", "AssertionError: in the test"),
    "15": ("error", "the test ended without asking for a verdict"),
    "16": ("error", "one test gives one verdict"),
    "17": ("error", "has no recipe 'nope'; its recipes: good, bad"),
    "18": ("supported", "1"),
    "20": ("not evaluated", "no time for it"),
    "21": ("not evaluated", "true today"),
    "22": ("error", "OSError: in the fixture"),
    "23": ("error", "OSError: in the teardown"),
    "24/1": ("supported", "1"),
    "24/2": ("refuted", "2"),
    "25": ("not evaluated", "get it by `python -m cvclaims.data fashion_mnist`"),
    "28": ("not evaluated", "seen enough"),
    "29": ("error", "seen enough"),
}
# Tests without a row of their own: what the error says.
MISTAKES = (
    "claim 18 is judged by test_paper.py::test_first_of_two too; give one of the two its own",
    "claim 19: `reported` asks for nope, which is no parameter of its test (it has: size)",
    'a claim is expected to fail by its `disputed="why"`, not by xfail',
    "mark it with `cvclaims.claim.claim(...)`, which makes this marker",
    "`verdict` needs a claim: mark the test with @claim(...)",
)
COUNTS = {
    "passed": 6,  # 1, 9, 18, 24/1, 23 until its teardown, and the test that is no claim
    "failed": 1,  # 5
    "refuted": 3,  # 2, 10, 24/2
    "disputed": 2,  # 4, 12
    "inconclusive": 1,
    "not evaluated": 7,  # 6, 7, 8, 20, 21, 25, 28
    "errors": 14,
}
TOLD = (
    "5 supported, 3 refuted, 2 disputed (refuted, as expected), 1 inconclusive, "
    "7 not evaluated, 9 error"
)
