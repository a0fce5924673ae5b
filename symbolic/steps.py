"""Derivations as they are read: steps, as text and in LaTeX.

May import: nothing of gradproof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

__all__ = ["Derivation", "Step", "escaped", "remark"]


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes
    ----------
    rule : str
        What justifies it: a rule of calculus, or the operation that it defines.
    text : str
        The line, in plain text.
    latex : str
        The line in LaTeX, with ``&=`` before its right side.
    """

    rule: str
    text: str
    latex: str


class Derivation:
    """How a gradient comes about, step by step; ``str`` of it is the text.

    Attributes
    ----------
    steps : list of Step
    result : sympy.Expr or None
        The derivative, in index notation.
    values : ndarray or None
        Its values, computed from `result`: of the shape of the output, then that of the argument.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        result: sp.Expr | None = None,
        values: np.ndarray | None = None,
    ):
        self.steps = list(steps)
        self.result = result
        self.values = values

    def __str__(self) -> str:
        lines = [step.text for step in self.steps]
        width = max((len(line) for line in lines if len(line) <= 52), default=0)
        out = []
        for step in self.steps:
            out.append(f"{step.text:<{width}}    [{step.rule}]" if step.rule else step.text)
        return "\n".join(out)

    def __repr__(self) -> str:
        return f"<Derivation of {len(self.steps)} steps>\n{self}"

    def latex(self) -> str:
        """The derivation as an ``align*`` environment (package amsmath)."""
        rows = []
        for step in self.steps:
            note = rf" && \text{{{escaped(step.rule)}}}" if step.rule else ""
            rows.append(f"  {step.latex}{note}")
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def _repr_latex_(self) -> str:
        return self.latex()


def escaped(words: str) -> str:
    r"""Words as LaTeX's text mode takes them.

    Examples
    --------
    >>> print(escaped("x_i^2 & 50%"))
    x\_i\^{}2 \& 50\%
    """
    return words.translate(_ESCAPES)


_ESCAPES = str.maketrans(
    {c: "\\" + c for c in "_&%#${}"}
    | {"^": r"\^{}", "~": r"\~{}", "\\": r"\textbackslash{}", "`": "'"}
)


def remark(words: str) -> Step:
    """A line of words."""
    return Step("", words, rf"& \text{{{escaped(words)}}}")
