"""Orthogonal polynomials of a given small degree, by their recurrences (DLMF 18.9).

May import: :mod:`symbolic.values`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbolic.values import Symbol, TraceError, user_line

__all__ = ["POLYNOMIALS"]


def _polynomial(step: Callable[..., Any], first: Callable[..., Any]) -> Callable[..., Any]:
    def formula(n: Any, *rest: Any) -> Any:
        if type(n) is Symbol or n != int(n) or not 0 <= n <= 64:
            raise TraceError("a polynomial whose degree is no small integer", user_line())
        before, now = 1.0 + 0 * rest[-1], first(*rest)
        if n == 0:
            return before
        for k in range(1, int(n)):
            before, now = now, step(k, before, now, *rest)
        return now

    return formula


POLYNOMIALS: dict[str, Callable[..., Any]] = {
    "eval_legendre": _polynomial(
        lambda k, p, q, x: ((2 * k + 1) * x * q - k * p) / (k + 1), lambda x: x
    ),
    "eval_chebyt": _polynomial(lambda k, p, q, x: 2 * x * q - p, lambda x: x),
    "eval_chebyu": _polynomial(lambda k, p, q, x: 2 * x * q - p, lambda x: 2 * x),
    "eval_hermite": _polynomial(lambda k, p, q, x: 2 * x * q - 2 * k * p, lambda x: 2 * x),
    "eval_hermitenorm": _polynomial(lambda k, p, q, x: x * q - k * p, lambda x: x),
    "eval_laguerre": _polynomial(
        lambda k, p, q, x: ((2 * k + 1 - x) * q - k * p) / (k + 1), lambda x: 1 - x
    ),
    "eval_genlaguerre": _polynomial(
        lambda k, p, q, a, x: ((2 * k + 1 + a - x) * q - (k + a) * p) / (k + 1),
        lambda a, x: 1 + a - x,
    ),
    "eval_gegenbauer": _polynomial(
        lambda k, p, q, a, x: (2 * (k + a) * x * q - (k + 2 * a - 1) * p) / (k + 1),
        lambda a, x: 2 * a * x,
    ),
    "eval_jacobi": _polynomial(
        lambda k, p, q, a, b, x: (
            (
                (2 * k + a + b + 1)
                * ((2 * k + a + b + 2) * (2 * k + a + b) * x + a * a - b * b)
                * q
                - 2 * (k + a) * (k + b) * (2 * k + a + b + 2) * p
            )
            / (2 * (k + 1) * (k + a + b + 1) * (2 * k + a + b))
        ),
        lambda a, b, x: (a + 1) + (a + b + 2) * (x - 1) / 2,
    ),
}
POLYNOMIALS |= {
    "eval_sh_legendre": lambda n, x: POLYNOMIALS["eval_legendre"](n, 2 * x - 1),
    "eval_sh_chebyt": lambda n, x: POLYNOMIALS["eval_chebyt"](n, 2 * x - 1),
    "eval_sh_chebyu": lambda n, x: POLYNOMIALS["eval_chebyu"](n, 2 * x - 1),
    "eval_chebyc": lambda n, x: 2 * POLYNOMIALS["eval_chebyt"](n, x / 2),
    "eval_chebys": lambda n, x: POLYNOMIALS["eval_chebyu"](n, x / 2),
}
