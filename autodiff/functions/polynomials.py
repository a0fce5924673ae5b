"""Orthogonal polynomials of a constant degree, by the names of ``scipy.special``.

The derivative of each is a multiple of one of a lower degree and a shifted parameter (DLMF 18.9),
which has no pole at the ends of the interval as the formulas with ``1 - x**2`` have.
"""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each; examples: constants)

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise
from autodiff.functions._public import with_constants

__all__ = [
    "eval_chebyt",
    "eval_chebyu",
    "eval_gegenbauer",
    "eval_genlaguerre",
    "eval_hermite",
    "eval_hermitenorm",
    "eval_jacobi",
    "eval_laguerre",
    "eval_legendre",
]

_DEGREES = [((2,), {"n": 3}), ((), {"n": 1}), ((2,), {"n": 0})]


def _lower(polynomial: str, n: Any, *rest: Any) -> Any:
    """A polynomial of degree ``n - 1``, which is 0 where `n` is 0."""
    *parameters, x = rest
    if np.max(n) < 1:
        return np.zeros_like(x)
    return getattr(special, f"eval_{polynomial}")(n - 1, *parameters, x)


def _gegenbauer(n: Any, alpha: float, x: Any) -> Any:
    """The Gegenbauer polynomial, of a whole degree by its recurrence.

    SciPy's value of that loses digits near 0: 17 units in the last place for n = 3 at 0.01.
    """
    if np.ndim(n) or n != int(n):
        return special.eval_gegenbauer(n, alpha, x)
    before, now = np.zeros_like(x), np.ones_like(x)
    for k in range(int(n)):
        before, now = now, (2 * (k + alpha) * x * now - (k + 2 * alpha - 1) * before) / (k + 1)
    return now


class Legendre(Elementwise):
    """The Legendre polynomial of degree ``n``: the Gegenbauer polynomial of parameter 1/2."""

    value = lambda x, *, n: _gegenbauer(n, 0.5, x)
    partials = (lambda x, *, n: _gegenbauer(n - 1, 1.5, x) if n else np.zeros_like(x),)
    formula = lambda x, *, n: sp.legendre(n, x)
    examples = _DEGREES


class ChebyshevT(Elementwise):
    """The Chebyshev polynomial of the first kind, of degree ``n``."""

    value = lambda x, *, n: special.eval_chebyt(n, x).astype(x.dtype)
    partials = (lambda x, *, n: (n * _lower("chebyu", n, x)).astype(x.dtype),)
    formula = lambda x, *, n: sp.chebyshevt(n, x)
    examples = _DEGREES


class ChebyshevU(Elementwise):
    """The Chebyshev polynomial of the second kind, of degree ``n``."""

    value = lambda x, *, n: special.eval_chebyu(n, x).astype(x.dtype)
    partials = (lambda x, *, n: 2 * _gegenbauer(n - 1, 2.0, x) if n else np.zeros_like(x),)
    formula = lambda x, *, n: sp.chebyshevu(n, x)
    examples = _DEGREES


class Hermite(Elementwise):
    """The Hermite polynomial of degree ``n``, as physicists scale it."""

    value = lambda x, *, n: special.eval_hermite(n, x).astype(x.dtype)
    partials = (lambda x, *, n: (2 * n * _lower("hermite", n, x)).astype(x.dtype),)
    formula = lambda x, *, n: sp.hermite(n, x)
    examples = _DEGREES


class HermiteNorm(Elementwise):
    """The Hermite polynomial of degree ``n``, as probabilists scale it."""

    value = lambda x, *, n: special.eval_hermitenorm(n, x).astype(x.dtype)
    partials = (lambda x, *, n: (n * _lower("hermitenorm", n, x)).astype(x.dtype),)
    formula = lambda x, *, n: sp.hermite_prob(n, x)
    examples = _DEGREES


class Laguerre(Elementwise):
    """The Laguerre polynomial of degree ``n``."""

    value = lambda x, *, n: special.eval_laguerre(n, x).astype(x.dtype)
    partials = (lambda x, *, n: -_lower("genlaguerre", n, 1.0, x).astype(x.dtype),)
    formula = lambda x, *, n: sp.laguerre(n, x)
    examples = _DEGREES


class Genlaguerre(Elementwise):
    """The generalised Laguerre polynomial of degree ``n`` and a constant parameter ``alpha``."""

    value = lambda x, *, n, alpha: special.eval_genlaguerre(n, alpha, x).astype(x.dtype)
    partials = (lambda x, *, n, alpha: -_lower("genlaguerre", n, alpha + 1, x).astype(x.dtype),)
    formula = lambda x, *, n, alpha: sp.assoc_laguerre(n, sp.nsimplify(alpha), x)
    examples = [((2,), {"n": 3, "alpha": 0.5}), ((), {"n": 0, "alpha": 0.5})]


class Gegenbauer(Elementwise):
    """The Gegenbauer polynomial of degree ``n`` and a constant parameter ``alpha``."""

    value = lambda x, *, n, alpha: _gegenbauer(n, alpha, x)
    partials = (
        lambda x, *, n, alpha: (
            2 * alpha * _gegenbauer(n - 1, alpha + 1, x) if n else np.zeros_like(x)
        ),
    )
    formula = lambda x, *, n, alpha: sp.gegenbauer(n, sp.nsimplify(alpha), x)
    examples = [((2,), {"n": 3, "alpha": 0.5}), ((), {"n": 0, "alpha": 0.5})]


class Jacobi(Elementwise):
    """The Jacobi polynomial of degree ``n`` and constant parameters ``alpha`` and ``beta``."""

    value = lambda x, *, n, alpha, beta: special.eval_jacobi(n, alpha, beta, x).astype(x.dtype)
    partials = (
        lambda x, *, n, alpha, beta: (
            (n + alpha + beta + 1) / 2 * _lower("jacobi", n, alpha + 1, beta + 1, x)
        ).astype(x.dtype),
    )
    formula = lambda x, *, n, alpha, beta: sp.jacobi(n, sp.nsimplify(alpha), sp.nsimplify(beta), x)
    examples = [
        ((2,), {"n": 2, "alpha": 0.5, "beta": 1.0}),
        ((), {"n": 0, "alpha": 0.5, "beta": 1.0}),
    ]


eval_legendre = with_constants("eval_legendre", Legendre, "n")
eval_chebyt = with_constants("eval_chebyt", ChebyshevT, "n")
eval_chebyu = with_constants("eval_chebyu", ChebyshevU, "n")
eval_hermite = with_constants("eval_hermite", Hermite, "n")
eval_hermitenorm = with_constants("eval_hermitenorm", HermiteNorm, "n")
eval_laguerre = with_constants("eval_laguerre", Laguerre, "n")
eval_genlaguerre = with_constants("eval_genlaguerre", Genlaguerre, "n", "alpha")
eval_gegenbauer = with_constants("eval_gegenbauer", Gegenbauer, "n", "alpha")
eval_jacobi = with_constants("eval_jacobi", Jacobi, "n", "alpha", "beta")
