"""`make check` runs the tests that touch what changed."""

from tests.touched import imported, module_of, touched


def test_a_test_is_touched_by_itself_and_by_what_it_imports() -> None:
    assert "tests/test_scales.py" in touched({"cvclaims/scales.py"})
    assert touched({"tests/plugins/test_ids.py"}) == ["tests/plugins/test_ids.py"]
    assert touched({"docs/calibrate.py"}) == []


def test_what_takes_minutes_is_left_to_the_whole_suite() -> None:
    assert not [file for file in touched({"cvclaims/recipe.py"}) if "/plugins/" in file]


def test_names_of_modules() -> None:
    assert module_of("cvclaims/records/__init__.py") == "cvclaims.records"
    assert module_of("cvclaims/recipe.py") == "cvclaims.recipe"


def test_imports_of_a_package_and_of_what_is_in_it() -> None:
    from tests.touched import ROOT

    names = set(imported(ROOT / "tests" / "test_touched.py"))
    assert {"tests.touched", "tests.touched.imported"} <= names
