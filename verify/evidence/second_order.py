"""Is the gradient of the gradient right? The first derivative differentiated by the engine.

As in torch, only inputs and outputs that went through ``save_for_backward`` are differentiated
again; anything else that backward uses counts as a constant. So backward is run by the engine with
``create_graph=True`` on symbols, its result differentiated once more, and compared with the second
derivative of the formula.

May import: :mod:`autodiff`, :mod:`symbolic`, :mod:`verify.instance`, :mod:`verify.explore`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodiff import Tensor
from autodiff import grad as tensor_grad
from symbolic.balls import enclose
from symbolic.decide import all_equal
from symbolic.graph import Node, Program
from symbolic.primitives import FLOAT
from symbolic.tracing import nodes, symbol_array, traced_namespace
from symbolic.values import Condition, Trace
from verify.cells import Cell
from verify.explore import Explorer
from verify.instance import Piece
from verify.reference import EPS, Reference
from verify.subject import FunctionSubject

__all__ = ["SecondOrder", "check_order"]


@dataclass
class SecondOrder:
    """What came out at one cell: proved, wrong at a point, or why nothing can be said."""

    proved: bool
    point: np.ndarray | None = None
    wrt: str = ""
    of: str = ""
    expected: float = np.nan
    actual: float = np.nan
    skipped: str = ""


def check_order(
    explorer: Explorer, cell: Cell, reference: Reference, order: int, seconds: float
) -> SecondOrder:
    """Compare derivatives of the given order (2 and above) on one cell.

    The engine's gradient is contracted with a symbolic direction and differentiated again, ``order
    - 1`` times; the reference is treated in the same way.
    """
    instance = explorer.instance
    subject = instance.subject
    trace = Trace(instance.graph)
    args: list = [s.fixed for s in instance.example.slots]
    leaves = []
    keywords = instance.example.keywords
    with instance._quiet(), traced_namespace(*subject.code):
        for piece in instance.pieces:
            values = cell.point[piece.start : piece.stop].reshape(piece.shape)
            tensor = Tensor(symbol_array(trace, piece.name, values), requires_grad=True)
            args[piece.position] = tensor
            leaves.append(tensor)
        upstream = []
        for p in instance.upstream:
            values = cell.point[p.start : p.stop].reshape(p.shape)
            upstream.append(Tensor(symbol_array(trace, p.name, values), requires_grad=True))
        if isinstance(subject, FunctionSubject):
            result = subject.function.apply(*args, **keywords)
        else:
            result = subject.function(*args, **keywords)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        outputs = [results[p.position] for p in instance.upstream]
        try:
            current = tensor_grad(outputs, leaves, upstream, create_graph=True, allow_unused=True)
        except RuntimeError as error:
            return SecondOrder(False, skipped=str(error))
        wrt = [*leaves, *upstream]
        pieces = [*instance.pieces, *instance.upstream]
        expected = list(reference.expected)
        graph = instance.graph
        for level in range(order - 1):
            directions: list[Node] = []
            total = []
            chosen = []
            for piece, g in zip(instance.pieces if level == 0 else pieces, current, strict=True):
                name = f"direction{level}_{piece.name}"
                values = np.random.default_rng(level).normal(size=piece.shape)
                d = symbol_array(trace, name, values)
                directions += list(nodes(d, graph).ravel())
                if g is not None and g.requires_grad:
                    total.append(g)
                    chosen.append(Tensor(d))
            variables = [
                graph.variable(piece.label(i)) for piece in pieces for i in range(piece.size)
            ]
            expected = graph.vjp(expected, directions, variables)
            if total:
                try:
                    current = tensor_grad(total, wrt, chosen, create_graph=True, allow_unused=True)
                except RuntimeError as error:
                    return SecondOrder(False, skipped=str(error))
            else:
                current = (None,) * len(wrt)
        actual: list[Node] = []
        for piece, g in zip(pieces, current, strict=True):
            if g is None:
                actual += [graph.zero] * piece.size
            else:
                actual += list(nodes(g._data, graph).ravel())
    return _compare(explorer, cell, expected, actual, pieces, trace.conditions, seconds)


def _compare(
    explorer: Explorer,
    cell: Cell,
    expected: list[Node],
    actual: list[Node],
    pieces: list[Piece],
    conditions: list[Condition],
    seconds: float,
) -> SecondOrder:
    """Compare in balls, then decide.

    ``conditions`` are those under which the actual derivatives were traced: where they are more
    than the cell's, on branches of the second pass, the rest of the cell was not looked at.
    """
    instance = explorer.instance
    names = [*instance.names]
    extra = sorted(
        {n.args[0] for n in _variables([*expected, *actual]) if n.args[0].startswith("direction")}
    )
    rng = np.random.default_rng(2)
    program = Program([*expected, *actual])
    m = len(expected)
    for point in [cell.point, *cell.samples[:2]]:
        values = dict(zip(names, map(float, point), strict=True))
        values.update({name: float(rng.normal()) for name in extra})
        if point is not cell.point and not _hold(conditions, values):
            continue
        balls = enclose(program, values, digits=18, scale=1e-290, max_precision=1200)
        size = max((abs(float(b)) for b in balls[:m] if b.finite), default=0.0)
        for i in range(m):
            a, b = balls[m + i], balls[i]
            if not (a.finite and b.finite):
                continue
            gap = float(abs(a.value - b.value).lower())  # certainly at least this much
            if gap > 256 * EPS * max(abs(float(b)), 1e-2 * size):
                k = 0
                for piece in pieces:
                    if i < k + piece.size:
                        return SecondOrder(
                            False, point, piece.label(i - k), "the gradient", float(b), float(a)
                        )
                    k += piece.size
    decisions = all_equal(
        instance.graph,
        list(zip(expected, actual, strict=True)),
        [*cell.conditions, *conditions],
        seconds=seconds,
    )
    whole = set(conditions) <= set(cell.conditions)
    return SecondOrder(whole and all(d.status == "proved" for d in decisions))


def _hold(conditions: list[Condition], values: dict[str, float]) -> bool:
    with np.errstate(all="ignore"):
        floats = {name: np.float64(v) for name, v in values.items()}
        gaps = Program([c.gap for c in conditions]).run(FLOAT, floats)
    return all(c.holds(float(gap)) for c, gap in zip(conditions, gaps, strict=True))


def _variables(roots: list[Node]) -> list[Node]:
    from symbolic.graph import topological

    return [n for n in topological(roots) if n.op == "var"]
