"""Is the gradient of the gradient right? The first derivative differentiated by the engine.

As in torch, only inputs and outputs that went through ``save_for_backward`` are differentiated
again; anything else that backward uses counts as a constant. So backward is run by the engine with
``create_graph=True`` on symbols, its result differentiated once more, and compared with the second
derivative of the formula.

May import: :mod:`autodiff`, :mod:`symbolic`, :mod:`verify.examples`, :mod:`verify.instance`,
:mod:`verify.explore`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodiff import Tensor
from autodiff import grad as tensor_grad
from autodiff.function import DifferentiableOnceError
from symbolic.balls import enclose, to_arb
from symbolic.decide import all_equal
from symbolic.graph import Node, Program
from symbolic.primitives import FLOAT
from symbolic.tracing import nodes, symbol_array, traced_namespace
from symbolic.values import Condition, Trace
from verify.cells import Cell
from verify.examples import Example, Slot
from verify.explore import Explorer
from verify.instance import Instance, Piece
from verify.reference import EPS, Reference
from verify.subject import FunctionSubject, TensorSubject

__all__ = ["SecondOrder", "check_limit", "check_order", "of_gradient", "raised"]


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
    - 1`` times; the reference is treated in the same way. Of a cell without interior (``x == 0``)
    only its point is looked at.
    """
    found = _derivatives(explorer, cell, order)
    if isinstance(found, SecondOrder):
        return found
    actual, conditions = found
    expected = _expected(explorer.instance, reference, order)
    if cell.thin:
        return _at_point(explorer, cell.point, expected, actual, order) or SecondOrder(True)
    return _compare(explorer, cell, expected, actual, conditions, order, seconds)


def raised(instance: Instance, point: np.ndarray) -> BaseException | None:
    """What the gradient of the gradient raises on floats, unless the Function says it has none."""
    gradient = of_gradient(instance)
    run = gradient.prepare()
    if run.forward_error is None:
        run = gradient.run(np.concatenate([point, np.ones(len(gradient.names) - len(point))]))
    error = run.forward_error or run.backward_error
    return None if isinstance(error, DifferentiableOnceError) else error


def of_gradient(instance: Instance) -> Instance:
    """The gradient as a subject of its own, a callable on Tensors.

    Its arguments are those of the subject and the upstream gradients, its outputs the gradients
    that the engine gives, and its own gradient is the engine's second pass.
    """
    subject, keywords = instance.subject, instance.example.keywords
    function = getattr(subject.function, "apply", subject.function)
    count = len(instance.example.slots)

    def gradient(*args: Any) -> tuple[Tensor, ...]:
        result = function(*args[:count], **keywords)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        outputs = [results[p.position] for p in instance.upstream]
        leaves = [args[p.position] for p in instance.pieces]
        found = tensor_grad(outputs, leaves, args[count:], create_graph=True, allow_unused=True)
        return tuple(
            Tensor(np.zeros(p.shape, p.dtype)) if g is None else g
            for p, g in zip(instance.pieces, found, strict=True)
        )

    slots = [replace(s, scalar=False) for s in instance.example.slots]
    slots += [Slot(p.name, p.shape, dtype=p.dtype) for p in instance.upstream]
    derived = TensorSubject(gradient)
    derived.name = f"the gradient of {subject.name}"
    return Instance(derived, Example(tuple(slots)), instance.rng)


def check_limit(
    explorer: Explorer, cell: Cell, around: list[tuple[dict[str, Any], Reference]], order: int
) -> SecondOrder:
    """Compare at a point that is a cell of its own with the limits from the cells around it.

    ``around`` gives exact points next to it, each with the formula that holds there. Where their
    limits differ (of ``max(x, 0)**2`` at zero) what lies between them is right, entry by entry.
    """
    found = _derivatives(explorer, cell, order)
    if isinstance(found, SecondOrder):
        return found
    actual, _ = found
    if _bends(explorer, around):  # there the gradient jumps, and has no derivative
        return SecondOrder(True)
    limits = []
    for exact, reference in around:
        values = {**exact, **_random_directions(explorer.instance, order)}
        program = Program(_expected(explorer.instance, reference, order))
        balls = enclose(program, values, digits=18, scale=1e-290, min_precision=2000)
        limits.append([float(b) if b.finite else np.nan for b in balls])
    if not limits:
        return SecondOrder(True)
    rows = np.array(limits)
    low, high = rows.min(axis=0), rows.max(axis=0)
    slack = 1e-9 * np.max(np.abs(rows), axis=0) + 1e-50
    point = dict(zip(explorer.instance.names, map(float, cell.point), strict=True))
    values = {**point, **_random_directions(explorer.instance, order)}
    balls = enclose(Program(actual), values, digits=18, scale=1e-290, max_precision=1200)
    given = np.array([float(b) if b.finite else np.nan for b in balls])
    between = (high - low > slack) & (low - slack <= given) & (given <= high + slack)
    nearest = np.clip(given, low, high)
    wanted = np.where(between, np.nan, np.where(np.isnan(given), low, nearest))
    return _at_point(explorer, cell.point, wanted, actual, order) or SecondOrder(True)


def _bends(explorer: Explorer, around: list[tuple[dict[str, Any], Reference]]) -> bool:
    """Whether the first derivatives around a point have different limits there."""
    rows = []
    for exact, reference in around:
        balls = enclose(reference.expected, exact, digits=18, scale=1e-290, min_precision=2000)
        rows.append([float(b) if b.finite else np.nan for b in balls])
    found = np.array(rows).reshape(len(rows), -1)
    size = 1e-9 * np.max(np.abs(found), axis=0, initial=0.0) + 1e-50
    return bool(np.any(np.ptp(found, axis=0) > size)) if found.size else False


def _derivatives(
    explorer: Explorer, cell: Cell, order: int
) -> tuple[list[Node], list[Condition]] | SecondOrder:
    """The engine's derivatives on a cell, and the conditions met on the way to them."""
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
        graph = instance.graph
        for level in range(order - 1):
            total = []
            chosen = []
            for piece, g in zip(_differentiated(instance, level), current, strict=True):
                values = np.random.default_rng(level).normal(size=piece.shape)
                d = symbol_array(trace, _direction(level, piece), values)
                if g is not None and g.requires_grad:
                    total.append(g)
                    chosen.append(Tensor(d))
            if total:
                try:
                    current = tensor_grad(total, wrt, chosen, create_graph=True, allow_unused=True)
                except RuntimeError as error:
                    return SecondOrder(False, skipped=str(error))
            else:
                current = (None,) * len(wrt)
        actual: list[Node] = []
        for piece, g in zip([*instance.pieces, *instance.upstream], current, strict=True):
            if g is None:
                actual += [graph.zero] * piece.size
            else:
                actual += list(nodes(g._data, graph).ravel())
    return actual, trace.conditions


def _expected(instance: Instance, reference: Reference, order: int) -> list[Node]:
    """The formula's derivatives, contracted with the same directions."""
    graph = instance.graph
    pieces = [*instance.pieces, *instance.upstream]
    variables = [graph.variable(piece.label(i)) for piece in pieces for i in range(piece.size)]
    found = list(reference.expected)
    for level in range(order - 1):
        directions = [graph.variable(name) for name in _direction_names(instance, level)]
        found = graph.vjp(found, directions, variables)
    return found


def _differentiated(instance: Instance, level: int) -> list[Piece]:
    """What the derivative of that level is taken in: inputs first, then upstream gradients too."""
    return [*instance.pieces, *([] if level == 0 else instance.upstream)]


def _direction(level: int, piece: Piece) -> str:
    return f"direction{level}_{piece.name}"


def _direction_names(instance: Instance, level: int) -> list[str]:
    return [
        replace(piece, name=_direction(level, piece)).label(i)
        for piece in _differentiated(instance, level)
        for i in range(piece.size)
    ]


def _random_directions(instance: Instance, order: int) -> dict[str, float]:
    rng = np.random.default_rng(2)
    names = [n for level in range(order - 1) for n in _direction_names(instance, level)]
    return {name: float(rng.normal()) for name in names}


def _at_point(
    explorer: Explorer,
    point: np.ndarray,
    expected: list[Node] | np.ndarray,
    actual: list[Node],
    order: int,
) -> SecondOrder | None:
    """What is wrong at a point, in balls; ``expected`` as formulas or as numbers, NaN for none."""
    instance = explorer.instance
    values = {
        **dict(zip(instance.names, map(float, point), strict=True)),
        **_random_directions(instance, order),
    }
    balls = enclose(Program(actual), values, digits=18, scale=1e-290, max_precision=1200)
    right: list[Any] = list(expected)
    if not isinstance(expected, np.ndarray):
        right = enclose(Program(expected), values, digits=18, scale=1e-290, max_precision=1200)
    known = [abs(float(b)) for b in right if np.isfinite(float(b))]
    size = max(known, default=0.0)
    for i, (a, b) in enumerate(zip(balls, right, strict=True)):
        if not (a.finite and np.isfinite(float(b))):
            continue
        gap = float(abs(a.value - to_arb(getattr(b, "value", b))).lower())  # at least this much
        if gap > 256 * EPS * max(abs(float(b)), 1e-2 * size):
            piece, k = instance.owner(i)
            return SecondOrder(False, point, piece.label(k), "the gradient", float(b), float(a))
    return None


def _compare(
    explorer: Explorer,
    cell: Cell,
    expected: list[Node],
    actual: list[Node],
    conditions: list[Condition],
    order: int,
    seconds: float,
) -> SecondOrder:
    """Compare in balls, then decide.

    ``conditions`` are those under which the actual derivatives were traced: where they are more
    than the cell's, on branches of the second pass, the rest of the cell was not looked at.
    """
    instance = explorer.instance
    for point in [cell.point, *cell.samples[:2]]:
        values = dict(zip(instance.names, map(float, point), strict=True))
        values.update(_random_directions(instance, order))
        if point is cell.point or _hold(conditions, values):
            wrong = _at_point(explorer, point, expected, actual, order)
            if wrong is not None:
                return wrong
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
