"""Faddeeva's function ``w(z) = exp(-z^2) erfc(-i z)`` as two real operations.

``wofz_re(x, y)`` and ``wofz_im(x, y)`` are the parts of ``w(x + i y)``. Their derivatives follow
from ``w' = -2 z w + 2 i / sqrt(pi)`` (DLMF 7.10.2) and the equations of Cauchy and Riemann; ``w``
of ``-x + i y`` is the conjugate of ``w(x + i y)``.

May import: :mod:`symbolic.graph`, :mod:`symbolic.tower`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flint import arb

    from symbolic.graph import Graph, Node
    from symbolic.normal_form import NormalForms
    from symbolic.tower import Element

__all__ = ["BALL", "FLOAT", "OPERATIONS", "RULES", "partial"]

OPERATIONS = ("wofz_re", "wofz_im")


def _float(part: str) -> Callable[[Any, Any], Any]:
    def call(x: Any, y: Any) -> Any:
        import scipy.special

        return getattr(scipy.special.wofz(x + 1j * y), part)

    return call


def _ball(part: str) -> Callable[[arb, arb], arb]:
    def call(x: arb, y: arb) -> arb:
        from flint import acb

        z = acb(x, y)
        w = (-z * z).exp() * (acb(0, -1) * z).erfc()
        return getattr(w, part)

    return call


FLOAT = {"wofz_re": _float("real"), "wofz_im": _float("imag")}
BALL = {"wofz_re": _ball("real"), "wofz_im": _ball("imag")}


def partial(graph: Graph, node: Node, i: int) -> Node:
    """The derivative of one part in ``x`` (0) or ``y`` (1)."""
    x, y = node.args
    u, v = (graph.apply(op, x, y) for op in OPERATIONS)
    two = graph.constant(2)
    at_zero = graph.div(two, graph.apply("sqrt", graph.make("pi")))
    # w' = -2 (x + i y) (u + i v) + 2 i / sqrt(pi)
    re = graph.mul(two, graph.sub(graph.mul(y, v), graph.mul(x, u)))
    im = graph.sub(at_zero, graph.mul(two, graph.add(graph.mul(x, v), graph.mul(y, u))))
    if node.op == "wofz_re":
        return re if i == 0 else graph.neg(im)
    return im if i == 0 else re


def _part(op: str) -> Callable[[NormalForms, Element, Element], Element]:
    def rule(nf: NormalForms, x: Element, y: Element) -> Element:
        if x.num.is_zero() and op == "wofz_im":
            return nf.tower.zero
        if x.num.is_zero() or x.num.leading_coefficient() > 0:
            return nf.opaque(op, [x, y])
        mirrored = nf.opaque(op, [nf.tower.neg(x), y])
        return mirrored if op == "wofz_re" else nf.tower.neg(mirrored)

    return rule


RULES = {op: _part(op) for op in OPERATIONS}
