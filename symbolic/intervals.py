"""Bounds of an expression over a box: enough to tell a sign.

A square is not negative, an exponential is positive, a cosine lies between -1 and 1.

May import: :mod:`symbolic.graph`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np

from symbolic.graph import Node, topological

__all__ = ["Bounds", "interval_of"]

Bounds = dict[str, tuple[float, float]]


# Intervals: (low, high), closed, with a flag that zero itself is excluded.


def interval_of(
    node: Node, bounds: Bounds, signs: Mapping[Node, tuple[float, float, bool]] | None = None
) -> tuple[float, float, bool]:
    """Bounds of an expression's values, and whether zero is certainly not among them.

    ``signs`` gives what is known already of some subexpressions. Outward rounding is replaced by
    using the result for its signs only: every rule keeps the sign of a bound exactly.
    """
    done: dict[Node, tuple[float, float, bool]] = {}
    for n in topological([node]):
        found = _interval_step(n, done, bounds)
        if signs and n in signs:
            low, high, away = signs[n]
            found = max(found[0], low), min(found[1], high), found[2] or away
        done[n] = found
    return done[node]


def _interval_step(
    n: Node, done: dict[Node, tuple[float, float, bool]], bounds: Bounds
) -> tuple[float, float, bool]:
    everything = (-inf, inf, False)
    op = n.op
    if op == "var":
        low, high = bounds.get(n.args[0], (-inf, inf))
        return low, high, low >= 0 or high <= 0  # a domain is open: its bounds are not in it
    if op in ("const", "float"):
        v = float(n.args[0])
        return (v, v, v != 0) if v == v else everything
    if op in ("pi", "euler"):
        return 0.5, 3.2, True
    args = [done[c] for c in n.children]
    if op == "add":
        (a, b, p), (c, d, q) = args
        low, high = _sum(a, c, -inf), _sum(b, d, inf)
        away = (a >= 0 and c >= 0 and (p or q)) or (b <= 0 and d <= 0 and (p or q))
        return low, high, away or low > 0 or high < 0
    if op == "mul":
        (a, b, p), (c, d, q) = args
        if n.args[0] is n.args[1]:
            top = max(_product(a, a), _product(b, b))
            return 0.0, top, p
        products = [_product(x, y) for x in (a, b) for y in (c, d)]
        return min(products), max(products), p and q
    if op == "div":
        (a, b, p), (c, d, q) = args
        if c >= 0 or d <= 0:
            sign = 1 if c >= 0 else -1
            if a >= 0:
                return (0.0, inf, p) if sign > 0 else (-inf, 0.0, p)
            if b <= 0:
                return (-inf, 0.0, p) if sign > 0 else (0.0, inf, p)
        return -inf, inf, p
    if op == "pow":
        (a, b, p), _ = args
        if n.args[1].op == "const":
            k = n.args[1].args[0]
            if k.denominator == 1 and k % 2 == 0:
                return 0.0, inf, p or k < 0
            if a >= 0 or k.denominator % 2 == 0:
                return 0.0, inf, p or k < 0
            return (-inf, 0.0, p) if b <= 0 and k.denominator == 1 else (-inf, inf, p)
        return (0.0, inf, p) if a >= 0 else everything
    if op == "exp":
        a, b, _ = args[0]
        low = 1.0 if a >= 0 else 0.0
        return low, (1.0 if b <= 0 else inf), True
    if op == "cosh":
        return 1.0, inf, True
    if op in ("gamma",) and args[0][0] >= 0:
        return 0.0, inf, True
    if op == "erfc":
        return 0.0, 2.0, True
    if op in ("sin", "cos"):
        return -1.0, 1.0, False
    if op in ("tanh", "erf"):
        a, b, p = args[0]
        return (0.0 if a >= 0 else -1.0), (0.0 if b <= 0 else 1.0), p
    if op in ("arctan", "sinh", "arcsinh", "arctanh", "arcsin", "sign", "erfinv"):
        a, b, p = args[0]
        return (0.0 if a >= 0 else -inf), (0.0 if b <= 0 else inf), p
    if op == "log":
        a, b, _ = args[0]
        return (0.0 if a >= 1 else -inf), (0.0 if b <= 1 else inf), a > 1 or b < 1
    if op == "floor":
        a, b, _ = args[0]
        return (np.floor(a) if a > -inf else a), b, a >= 1 or b < 0
    if op == "arccosh":
        return 0.0, inf, False
    if op in ("besseli", "besselk") and args[1][0] >= 0:
        return 0.0, inf, op == "besselk"
    return everything


def _sum(a: float, b: float, otherwise: float) -> float:
    total = a + b
    return otherwise if total != total else total


def _product(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b
