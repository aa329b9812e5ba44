"""Claims as LaTeX."""

import re

from cvclaims.results.latex import escaped, latex_table
from tests.results.synthetic import CE, MSE, judged, row


def test_a_tabular_for_each_report_with_a_line_for_each_quantity() -> None:
    text = latex_table([row("1.01", report="nets"), judged("5.04", {"ce": CE, "mse": MSE})])
    assert text.count(r"\begin{tabular}{lllll}") == text.count(r"\end{tabular}") == 2
    lines = [re.sub(r" +", " ", line) for line in text.splitlines()]
    assert r" 5.04 & ce & 0.9833 & 0.9813 \(\pm\) 0.0032 (3 seeds) & supported \\" in lines
    assert r" & mse & 0.9694 & 0.9707 \(\pm\) 0.0031 (3 seeds) & \\" in lines


def test_a_claim_without_numbers_and_a_disputed_one() -> None:
    text = latex_table(
        [
            row(measured={}, reported={}, verdict="not evaluated", case="a & b"),
            row("5.05", verdict="refuted", disputed="a tie"),
        ]
    )
    assert r"5.04 (a \& b)" in text
    assert "refuted (disputed, as expected)" in text


def test_no_text_is_read_as_anything_else() -> None:
    nasty = r"50 % of $x_1$ & #2 {a}~b^c \input{x} <y> | ± × ≤"
    assert escaped(nasty) == (
        r"50 \% of \$x\_1\$ \& \#2 \{a\}\textasciitilde{}b\textasciicircum{}c "
        r"\textbackslash{}input\{x\} \textless{}y\textgreater{} \textbar{} "
        r"\(\pm\) \(\times\) \(\leq\)"
    )
    text = latex_table([row(case=nasty, report_title="A title\n\\input{x}")])
    assert text.startswith("% A title \\input{x}\n\\begin{tabular}")
    assert escaped(nasty) in text
