"""Is an expression zero wherever it is defined, though it is not written as 0?

``p/t + q/t - 1`` with ``t = p + q`` is. In floats it has a sign, by rounding: a decision that rests
on it decides nothing.

May import: :mod:`symbolic.balls`, :mod:`symbolic.graph`, :mod:`symbolic.primitives`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symbolic.balls import Ball, enclose
from symbolic.graph import Node, Program, topological
from symbolic.primitives import FLOAT, LOCALLY_CONSTANT

__all__ = ["vanishing"]

# Zero in floats, relative to nothing: of expressions of numbers of the size of one.
_ROUGHLY = 1e-9
_DIGITS = 50


def vanishing(nodes: Sequence[Node]) -> set[Node]:
    """Those of the expressions that are zero at every point at which they are defined.

    Sums whose terms cancel to 50 digits at a few random points, which is all there is to an
    analytic expression. One that holds a step or a sign is none, and is never among them.

    Examples
    --------
    >>> from symbolic.graph import Graph
    >>> g = Graph()
    >>> x, y = g.variable("x"), g.variable("y")
    >>> t = g.add(x, y)
    >>> whole = g.add(g.div(x, t), g.div(y, t))
    >>> len(vanishing([g.sub(whole, g.one), g.sub(whole, x)]))
    1
    """
    order = topological(nodes)
    variables = [n.args[0] for n in order if n.op == "var"]
    if not variables:
        return set()
    stepped: set[Node] = set()
    for n in order:
        if n.op in LOCALLY_CONSTANT or any(c in stepped for c in n.children):
            stepped.add(n)
    left = [n for n in nodes if n.op == "add" and n not in stepped]
    rng = np.random.default_rng(3)
    sizes = rng.uniform(0.5, 2.0, (4, len(variables)))
    signs = np.vstack([np.ones(len(variables)), rng.choice([-1.0, 1.0], (3, len(variables)))])
    points = sizes * signs
    with np.errstate(all="ignore"):
        found = Program(left).run(FLOAT, dict(zip(variables, points.T, strict=True)))
    left = [n for n, v in zip(left, found, strict=True) if not np.any(np.abs(v) > _ROUGHLY)]
    defined: set[Node] = set()
    for point in points if left else []:
        values = dict(zip(variables, point.tolist(), strict=True))
        terms = [_added(n) for n in left]
        # What is merely small, a difference of two densities far out, is not zero.
        largest = [_size(enclose(part, values, digits=3)) for part in terms]
        scales = [(size or 1.0) * 10.0 ** -(_DIGITS + 10) for size in largest]
        balls = enclose(left, values, digits=3, scale=scales)
        known = [
            (n, b.finite and size > 0, abs(float(b)) <= 10.0**-_DIGITS * size)
            for n, b, size in zip(left, balls, largest, strict=True)
        ]
        defined |= {n for n, finite, zero in known if finite and zero}
        left = [n for n, finite, zero in known if zero or not finite]
    return {n for n in left if n in defined}


def _added(node: Node) -> list[Node]:
    return [t for child in node.args for t in _added(child)] if node.op == "add" else [node]


def _size(balls: Sequence[Ball]) -> float:
    return max((abs(float(b)) for b in balls if b.finite), default=0.0)
