"""Logarithms of probabilities, entropies and transformations of variables."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.dispatch import UFUNCS
from autodiff.function import Elementwise
from autodiff.functions._examples import SMALL_EXAMPLES
from autodiff.functions._public import constant, operand, public, with_constants
from autodiff.tensor import Tensor

__all__ = [
    "boxcox",
    "boxcox1p",
    "cosm1",
    "entr",
    "exprel",
    "huber",
    "inv_boxcox",
    "kl_divergence",
    "logit",
    "pseudo_huber",
    "rel_entr",
    "xlog1py",
    "xlogy",
]


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


class KlDiv(Elementwise):
    """``x log(x / y) - x + y``, the Kullback-Leibler divergence."""

    value = lambda x, y: special.kl_div(x, y)
    partials = (lambda x, y: np.log(x / y), lambda x, y: (y - x) / y)
    formula = lambda x, y: x * sp.log(x / y) - x + y
    domain = {"x": (0, inf), "y": (0, inf)}


class Huber(Elementwise):
    """``r**2 / 2`` up to ``delta``, and linear beyond it, with a constant ``delta > 0``."""

    value = lambda r, *, delta: special.huber(delta, r).astype(r.dtype)
    partials = (lambda r, *, delta: np.clip(r, -delta, delta),)
    formula = lambda r, *, delta: sp.Piecewise(
        (r**2 / 2, sp.Abs(r) <= sp.nsimplify(delta)),
        (sp.nsimplify(delta) * (sp.Abs(r) - sp.nsimplify(delta) / 2), True),
    )
    examples = [((2,), {"delta": 1.0}), ((), {"delta": 0.5})]


class Cosm1(Elementwise):
    """``cos(x) - 1``, accurate near 0."""

    value = lambda x: special.cosm1(x)
    partials = (lambda x: -np.sin(x),)
    formula = lambda x: sp.cos(x) - 1


def _exprel_slope(x: Any, out: Any) -> Any:
    """``(exp(x) - exprel(x)) / x``, in the form of a series where the two cancel."""
    near = np.abs(x) <= 1
    series = special.hyp1f1(2.0, 3.0, np.where(near, x, 0.0)) / 2
    return np.where(near, series, (np.exp(x) - out) / np.where(near, 1.0, x))


class Exprel(Elementwise):
    """``(exp(x) - 1) / x``, and 1 at 0."""

    value = lambda x: special.exprel(x)
    partials = (_exprel_slope,)
    formula = lambda x: sp.Piecewise((1, sp.Eq(x, 0)), ((sp.exp(x) - 1) / x, True))
    examples = SMALL_EXAMPLES


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


class Boxcox1p(Elementwise):
    """`Boxcox` of ``1 + x``, accurate near 0."""

    value = lambda x, *, lmbda: special.boxcox1p(x, lmbda).astype(x.dtype)
    partials = (lambda x, *, lmbda: (1 + x) ** (lmbda - 1),)
    formula = lambda x, *, lmbda: Boxcox.formula(1 + x, lmbda=lmbda)
    domain = {"x": (-1, inf)}
    examples = [((2,), {"lmbda": 0.5}), ((), {"lmbda": 0}), ((2,), {"lmbda": 2})]


def _inv_boxcox(y: Any, lmbda: Any) -> Any:
    """SciPy's value near 0; far from it a power, as the exponential of a logarithm loses digits."""
    out = special.inv_boxcox(y, lmbda).astype(y.dtype)
    far = lmbda * y > 1
    base = np.where(far, lmbda * y + 1, 1)
    exponent = (1 / np.where(lmbda == 0, 1.0, lmbda)).astype(y.dtype)
    return np.where(far, base**exponent, out)


class InvBoxcox(Elementwise):
    """The inverse of `Boxcox`, of a constant ``lmbda``."""

    value = lambda y, *, lmbda: _inv_boxcox(y, lmbda)
    partials = (lambda y, out, *, lmbda: out / (lmbda * y + 1),)
    formula = lambda y, *, lmbda: (
        (sp.nsimplify(lmbda) * y + 1) ** (1 / sp.nsimplify(lmbda)) if lmbda else sp.exp(y)
    )
    domain = {"y": (0, inf)}
    examples = [((2,), {"lmbda": 0.5}), ((), {"lmbda": 0})]


logit = public(Logit, "logit", "logit")


xlogy = public(Xlogy, "xlogy", "xlogy")


xlog1py = public(Xlog1py, "xlog1py", "xlog1py")


entr = public(Entr, "entr", "entr")


rel_entr = public(RelEntr, "rel_entr", "rel_entr")


pseudo_huber = with_constants("pseudo_huber", PseudoHuber, "delta")


def _transformation(name: str, function: Any) -> Any:
    """A function of a variable and, last, a constant parameter, registered for SciPy's ufunc."""

    def call(x: Any, lmbda: Any) -> Tensor:
        return function.apply(operand(x), lmbda=constant(name, "lmbda", lmbda))  # type: ignore[no-any-return]

    call.__name__ = call.__qualname__ = name
    call.__module__ = __name__
    call.__doc__ = function.__doc__
    UFUNCS[name] = call
    return call


boxcox = _transformation("boxcox", Boxcox)
boxcox1p = _transformation("boxcox1p", Boxcox1p)
inv_boxcox = _transformation("inv_boxcox", InvBoxcox)
kl_divergence = public(KlDiv, "kl_divergence", "kl_div")
huber = with_constants("huber", Huber, "delta")
cosm1 = public(Cosm1, "cosm1", "cosm1")
exprel = public(Exprel, "exprel", "exprel")
