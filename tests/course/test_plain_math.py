"""Formulas in a terminal: no LaTeX command and no dollar sign reaches it, and the letters are the right ones."""

import re

import pytest
from click.testing import CliRunner

from common.course.__main__ import main
from common.course.base import paths
from common.course.learner.plain_math import plain
from common.course.source import lab_source


@pytest.mark.parametrize(
    "formula, typed",
    [
        (r"at $t_k$: how many?", "at t_k: how many?"),
        (r"$x_t = \sqrt{\bar\alpha}\, \hat x_0 + \epsilon$", "x_t = √ᾱ x̂_0 + ε"),
        (r"$c_{\text{out}}^2 \le \sigma_\text{data}^2$", "c_out^2 ≤ σ_data^2"),
        (r"$\frac{a + 1}{\sqrt b}$ or $\frac12$", "(a + 1) / √b or 1 / 2"),
        (r"$\frac{1}{1 + e^{-x_{t+1}}}$", "1 / (1 + e^(-x_(t+1)))"),
        (r"$\left\lVert \mathbf{v} \right\rVert_2 \in \mathbb R$", "‖ v ‖_2 ∈ R"),
        (r"$\overline{ab} \cdot \max\{0, 1\}$", "(ab)̄ · max{0, 1}"),
        ("$$\n\\sum_{i=0}^{N} x_i\n$$", "Σ_(i=0)^N x_i"),
        ("`$HOME` and `a_$b$`, at 3 $ or 4 $", "`$HOME` and `a_$b$`, at 3 $ or 4 $"),
    ],
)
def test_a_formula_as_one_would_type_it(formula, typed):
    assert plain(formula) == typed


@pytest.mark.parametrize("lab", paths.all_labs(), ids=lambda lab: lab.id)
def test_no_hint_shows_latex(lab):
    """every hint of every lab; what is in a code span is Python and may hold anything"""
    for name, hints in lab_source.hints(lab).items():
        for text in hints:
            prose = re.sub(r"```.*?```|`[^`]*`", "", plain(text), flags=re.DOTALL)
            assert not re.search(r"[\\${}]", prose), f"{name}: {prose}"


def test_the_terminal_gets_it_so(monkeypatch):
    monkeypatch.setattr("common.course.learner.progress.note", lambda change: None)  # no hint was really asked for
    said = CliRunner().invoke(main, ["hint", "06.2", "logit_normal", "--all"]).output
    assert "1 / (1 + e^(-x))" in said and "$" not in said
