"""How near a point is to where the formula changes: exactly there, within rounding, or clear of it.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.reference`.
"""

from __future__ import annotations

import operator

import numpy as np

from symbolic.balls import enclose
from symbolic.graph import Node
from symbolic.primitives import FLOAT
from verify.cells import Cell
from verify.explore import Explorer
from verify.reference import Reference

__all__ = [
    "BY_ROUNDING",
    "by_rounding",
    "inside",
    "nearest_boundary",
    "reach",
    "unsteady",
]

# A condition met this nearly, relative to its terms, may be decided by their rounding.
BY_ROUNDING = 1e-12


def _exactly_on_boundary(explorer: Explorer, cell: Cell, point: np.ndarray) -> bool:
    """Whether all gaps that are zero in floats are zero in exact arithmetic too."""
    conditions = cell.run.forward_conditions
    gaps = explorer.gaps_at(conditions, point)
    zero = [
        c.gap for c, v in zip(conditions, gaps, strict=True) if v == 0 and not explorer.rigid(c)
    ]
    if not zero:
        return True
    exact = dict(zip(explorer.instance.names, map(float, point), strict=True))
    balls = enclose(explorer.program(zero), exact, digits=3, scale=1e-290)
    return not any(b.nonzero for b in balls)


def by_rounding(explorer: Explorer, cell: Cell, point: np.ndarray) -> bool:
    """Whether the rounding of its terms decides some condition: nearly met, or not exactly."""
    movable = [c for c in cell.run.forward_conditions if not explorer.rigid(c)]
    gaps = np.abs(explorer.gaps_at(movable, point))
    return not _exactly_on_boundary(explorer, cell, point) or any(
        0 < value < BY_ROUNDING * _size(explorer, c.gap, point)
        for c, value in zip(movable, gaps, strict=True)
    )


def inside(explorer: Explorer, cell: Cell, point: np.ndarray) -> bool:
    """Whether no condition of the cell is met with equality at the point."""
    if explorer.at_jump(cell, point):
        return False
    conditions = cell.run.forward_conditions
    gaps = explorer.gaps_at(conditions, point)
    return not any(v == 0 and not explorer.rigid(c) for c, v in zip(conditions, gaps, strict=True))


def nearest_boundary(explorer: Explorer, cell: Cell, point: np.ndarray) -> float:
    """The smallest gap of the cell's conditions, relative to the terms it is made of."""
    if explorer.at_jump(cell, point):
        return 0.0
    movable = [c for c in cell.run.forward_conditions if not explorer.rigid(c)]
    if not movable:
        return np.inf
    values = np.abs(explorer.gaps_at(movable, point))
    smallest = np.inf
    for condition, value in zip(movable, values, strict=True):
        if value == 0:
            return 0.0
        if value == value:
            smallest = min(smallest, value / _size(explorer, condition.gap, point))
    return float(smallest)


def _size(explorer: Explorer, gap: Node, point: np.ndarray) -> float:
    """The magnitude of the terms whose sum a gap is, sums inside it included."""
    if gap.op == "var":
        return 5e-324  # an input compared with zero is compared exactly
    if gap.op != "add":
        return 1.0
    terms = _terms(gap)
    program = explorer.program(list(terms))
    values = {n: np.float64(v) for n, v in zip(explorer.instance.names, point, strict=True)}
    with np.errstate(all="ignore"):
        sizes = [abs(float(v)) for v in program.run(FLOAT, values)]
    return max(map(operator.mul, terms.values(), sizes)) or 1.0


def _terms(gap: Node) -> dict[Node, float]:
    """What is added up, through sums of sums and multiples of them, with its factor."""
    found: dict[Node, float] = {}
    stack = [(gap, 1.0)]
    while stack:
        node, factor = stack.pop()
        if node.op == "add":
            stack += [(child, factor) for child in node.args]
        elif node.op == "mul" and node.args[0].op == "const":
            stack.append((node.args[1], factor * abs(float(node.args[0].args[0]))))
        else:
            found[node] = max(found.get(node, 0.0), factor)
    return found


def reach(explorer: Explorer, cell: Cell, point: np.ndarray, eps: float) -> float:
    """How far entries must move to outweigh the rounding of conditions nearly met."""
    instance = explorer.instance
    graph = instance.graph
    entries = [graph.variable(name) for name in instance.names[: instance.inputs]]
    values = dict(zip(instance.names, point, strict=True))
    movable = [c.gap for c in cell.run.forward_conditions if not explorer.rigid(c)]
    gaps = np.abs(explorer.gaps_at(cell.run.forward_conditions, point))
    of = dict(zip((c.gap for c in cell.run.forward_conditions), gaps, strict=True))
    found = 0.0
    for gap in movable:
        size = _size(explorer, gap, point)
        if not of[gap] < BY_ROUNDING * size:
            continue
        slopes = explorer.program(graph.vjp([gap], [graph.one], entries)).run(FLOAT, values)
        steepest = float(np.max(np.abs(np.array(slopes, dtype=float)), initial=0.0))
        if np.isfinite(steepest) and steepest > 0:
            far = 16 * eps * size / steepest
            found = max(found, min(far, _by_bending(explorer, gap, point, 16 * eps * size)))
    return found


def _by_bending(explorer: Explorer, gap: Node, point: np.ndarray, enough: float) -> float:
    """How far from a point a gap that is flat there comes to be that large, by its curvature."""
    instance = explorer.instance
    moved = sorted(i for i in explorer.depends(gap) if i < instance.inputs)
    scale = max(float(np.max(np.abs(point[moved]), initial=0.0)), 1.0)
    steps = scale * 10.0 ** np.arange(-16.0, 0.5, 0.5)
    directions = np.random.default_rng(23).choice([-1.0, 1.0], (4, len(moved)))
    found = np.inf
    for direction in directions * np.linspace(1.0, 0.5, len(moved)):
        points = np.repeat(point[None, :], len(steps), axis=0)
        points[:, moved] += steps[:, None] * direction
        values = {name: points[:, i] for i, name in enumerate(instance.names)}
        with np.errstate(all="ignore"):
            [gaps] = explorer.program([gap]).run(FLOAT, values)
        large = np.flatnonzero(np.abs(np.broadcast_to(gaps, steps.shape)) >= enough)
        if large.size:
            found = min(found, float(steps[large[0]]))
    return found


def unsteady(
    explorer: Explorer,
    reference: Reference,
    point: np.ndarray,
    entry: int,
    expected: float,
    error: float,
    eps: float,
) -> bool:
    """Whether the derivative changes by about an error within the rounding of the inputs.

    Then the point is next to a singular one of the formula (an amplitude that is 0 in floats and
    1e-17 in exact arithmetic), where the code may see either side.
    """
    if not np.isfinite(error):
        return False
    n = explorer.instance.inputs
    rng = np.random.default_rng(17)
    for _ in range(4):
        moved = point.copy()
        moved[:n] *= 1 + 8 * eps * rng.choice([-1.0, 1.0], size=n)
        exact = dict(zip(explorer.instance.names, map(float, moved), strict=True))
        ball = reference.enclose(exact)[1][entry]
        if ball.finite and abs(float(ball) - expected) > 0.5 * error:
            return True
    return False
