"""What `from cvclaims import ...` gives."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cvclaims

CLAIMS = Path(cvclaims.__file__).parents[1] / "claims"
# What only the page needs, once it is written.
SECTIONS = {"section.py", "sweeps.py", "sweeps_figure.py"}
# The engine and the plan that report 2's grid asks.
DEEPER: set[str] = set()


def fresh(program: str) -> str:
    """What a process of its own prints."""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


@pytest.mark.parametrize("word", cvclaims.__all__)
def test_every_word_is_there(word: str) -> None:
    assert getattr(cvclaims, word).__name__.rpartition(".")[2] == word
    assert word in dir(cvclaims)


def test_an_unknown_word_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'clam'"):
        _ = cvclaims.clam


@pytest.mark.parametrize("before", ["", "import cvclaims.claim; ", "import cvclaims.recipe; "])
def test_claim_is_the_decorator_whatever_was_imported_before(before: str) -> None:
    told = fresh(before + "from cvclaims import claim; import cvclaims.claim; print(claim)")
    assert told.startswith("<function claim")
    told = fresh(before + "import cvclaims.claim; import cvclaims; print(cvclaims.claim)")
    assert told.startswith("<function claim")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    told = fresh("import sys, cvclaims; print([m for m in sys.modules if 'cvclaims.' in m])")
    assert told == "[]"
    heavy = "('torch', 'numpy', 'scipy', 'pytest')"
    words = "Recipe, Report, claim, measure"
    told = fresh(
        f"import sys; from cvclaims import {words}; print([m for m in {heavy} if m in sys.modules])"
    )
    assert told == "[]"


@pytest.mark.parametrize(
    "file",
    [file for file in sorted(CLAIMS.rglob("*.py")) if file.name not in SECTIONS],
    ids=lambda file: str(file.name),
)
def test_claims_need_nothing_deeper_to_be_collected(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    deep = {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module}
    assert {module for module in deep if module.startswith("cvclaims.")} <= DEEPER
