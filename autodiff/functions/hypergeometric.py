"""Hypergeometric functions, of constant parameters."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from typing import Any

from autodiff._lazy import sp, special
from autodiff.function import Elementwise
from autodiff.functions._public import with_constants

__all__ = ["hyp1f1", "hyp2f1"]


def _exact(*parameters: float) -> list[Any]:
    return [sp.nsimplify(p) for p in parameters]


class Hyp1f1(Elementwise):
    """Kummer's function ``1F1(a; b; x)``, of constant parameters (DLMF 13.3.15)."""

    value = lambda x, *, a, b: special.hyp1f1(a, b, x).astype(x.dtype)
    partials = (lambda x, *, a, b: special.hyp1f1(a + 1, b + 1, x) * (a / b),)
    formula = lambda x, *, a, b: sp.hyperexpand(sp.hyper(_exact(a), _exact(b), x))
    domain = {"x": (-20, 20)}
    examples = [((2,), {"a": 2.0, "b": 3.0}), ((), {"a": 1.5, "b": 2.0})]


class Hyp2f1(Elementwise):
    """Gauss's function ``2F1(a, b; c; x)``, of constant parameters (DLMF 15.5.1).

    SciPy loses digits far below -1.
    """

    value = lambda x, *, a, b, c: special.hyp2f1(a, b, c, x).astype(x.dtype)
    partials = (
        lambda x, *, a, b, c: special.hyp2f1(a + 1, b + 1, c + 1, x).astype(x.dtype) * (a * b / c),
    )
    formula = lambda x, *, a, b, c: sp.hyperexpand(sp.hyper(_exact(a, b), _exact(c), x))
    domain = {"x": (-1, 1)}
    examples = [((2,), {"a": 1.0, "b": 2.0, "c": 3.0}), ((), {"a": 1.0, "b": 1.0, "c": 2.0})]


hyp1f1 = with_constants("hyp1f1", Hyp1f1, "a", "b")
hyp2f1 = with_constants("hyp2f1", Hyp2f1, "a", "b", "c")
