"""Logarithms of probabilities, entropies and transformations of variables."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise
from autodiff.functions._public import operand, public, with_constants
from autodiff.tensor import Tensor

__all__ = ["boxcox", "entr", "logit", "pseudo_huber", "rel_entr", "xlog1py", "xlogy"]


class Logit(Elementwise):
    """``log(x / (1 - x))``."""

    value = lambda x: special.logit(x)
    partials = (lambda x: 1 / (x * (1 - x)),)
    formula = lambda x: sp.log(x / (1 - x))
    domain = {"x": (0, 1)}


class Xlogy(Elementwise):
    """``x * log(y)``, and 0 where ``x`` is 0."""

    value = lambda x, y: special.xlogy(x, y)
    partials = (lambda y: np.log(y), lambda x, y: x / y)
    formula = lambda x, y: x * sp.log(y)
    domain = {"y": (0, inf)}


class Xlog1py(Elementwise):
    """``x * log(1 + y)``, and 0 where ``x`` is 0."""

    value = lambda x, y: special.xlog1py(x, y)
    partials = (lambda y: np.log1p(y), lambda x, y: x / (1 + y))
    formula = lambda x, y: x * sp.log(1 + y)
    domain = {"y": (-1, inf)}


class Entr(Elementwise):
    """``-x log(x)``, the entropy of a probability."""

    value = lambda x: special.entr(x)
    partials = (lambda x: -1 - np.log(x),)
    formula = lambda x: -x * sp.log(x)
    domain = {"x": (0, inf)}


class RelEntr(Elementwise):
    """``x log(x / y)``, the relative entropy."""

    value = lambda x, y: special.rel_entr(x, y)
    partials = (lambda x, y: 1 + np.log(x / y), lambda x, y: -x / y)
    formula = lambda x, y: x * sp.log(x / y)
    domain = {"x": (0, inf), "y": (0, inf)}


class PseudoHuber(Elementwise):
    """``delta^2 (sqrt(1 + (x / delta)^2) - 1)`` of a constant ``delta > 0``."""

    value = lambda x, *, delta: special.pseudo_huber(delta, x).astype(x.dtype)
    partials = (lambda x, *, delta: x / np.hypot(1, x / delta),)
    formula = lambda x, *, delta: (
        sp.nsimplify(delta) ** 2 * (sp.sqrt(1 + (x / sp.nsimplify(delta)) ** 2) - 1)
    )
    examples = [((2,), {"delta": 1.0}), ((), {"delta": 0.5})]


class Boxcox(Elementwise):
    """``(x**lmbda - 1) / lmbda`` of a constant ``lmbda``; the logarithm where that is 0."""

    value = lambda x, *, lmbda: special.boxcox(x, lmbda).astype(x.dtype)
    partials = (lambda x, *, lmbda: x ** (lmbda - 1),)
    formula = lambda x, *, lmbda: (
        (x ** sp.nsimplify(lmbda) - 1) / sp.nsimplify(lmbda) if lmbda else sp.log(x)
    )
    domain = {"x": (0, inf)}
    examples = [((2,), {"lmbda": 0.5}), ((), {"lmbda": 0}), ((2,), {"lmbda": 2})]


logit = public(Logit, "logit", "logit")


xlogy = public(Xlogy, "xlogy", "xlogy")


xlog1py = public(Xlog1py, "xlog1py", "xlog1py")


entr = public(Entr, "entr", "entr")


rel_entr = public(RelEntr, "rel_entr", "rel_entr")


pseudo_huber = with_constants("pseudo_huber", PseudoHuber, "delta")


def boxcox(x: Any, lmbda: float) -> Tensor:
    """Return the transformation of Box and Cox, of a constant `lmbda`."""
    if isinstance(lmbda, Tensor):
        if lmbda._requires_grad:
            raise NotImplementedError("the derivative of boxcox in lmbda is not known: detach it")
        lmbda = lmbda.item()
    return Boxcox.apply(operand(x), lmbda=lmbda)  # type: ignore[no-any-return]


UFUNCS["boxcox"] = boxcox
