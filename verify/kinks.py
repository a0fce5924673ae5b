"""Points where the formula changes: kinks, jumps, and smooth functions written with a tie.

At such a point the derivative is known by its limits from the neighbouring cells: each neighbour's
own formula, evaluated in balls at a distance of 2^-200, in many directions. Where all limits agree
there is one right answer, whatever the code at the point itself says; where they do not, a row of the
Jacobian is accepted when it lies in their convex hull, the generalised gradient of Clarke.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.reference`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from symbolic.balls import enclose
from symbolic.graph import Program
from symbolic.values import TraceError
from verify.explore import Cell, Explorer
from verify.reference import Reference

__all__ = ["Limits", "in_hull", "limits_at"]

_DISTANCE = Fraction(1, 2**200)


@dataclass
class Limits:
    """What the derivative tends to at a point.

    Attributes
    ----------
    rows : list of list of array
        For each output, the distinct limits of its row of the Jacobian.
    jumps : list of bool
        For each output, whether its value jumps there.
    infinite : list of bool
        For each output, whether some limit is not finite, or could not be evaluated.
    one_sided : bool
        Whether the domain ends at the point.
    """

    rows: list[list[np.ndarray]]
    jumps: list[bool]
    infinite: list[np.ndarray]
    one_sided: bool = False
    cells: list[Cell] = field(default_factory=list)

    def smooth(self, k: int) -> bool:
        """Whether all limits of output ``k`` agree, to about 1e-9 of their size."""
        rows = self.rows[k]
        return bool(rows) and all(_close(rows[0], r) for r in rows[1:])


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.all(np.abs(a - b) <= 1e-9 * (np.abs(a) + np.abs(b)) + 1e-300))


def limits_at(
    explorer: Explorer,
    point: np.ndarray,
    values: np.ndarray,
    references: dict[int, Reference],
    directions: int = 10,
    width: float = 0.0,
) -> Limits | None:
    """The limits of values and Jacobian rows at a point, from all sides that could be reached.

    Parameters
    ----------
    explorer : Explorer
    point : array
    values : array
        The outputs at the point, flat, as the float code gives them.
    references : dict
        The reference of each cell, by ``id``, filled in where missing.
    directions : int
        Random directions beside those along the axes.
    width : float
        Relative distance within which a neighbouring cell counts as touching: 0 for exactly at the
        point, a few ulps where a condition is decided by rounding.

    Returns
    -------
    Limits or None
        None where no neighbouring cell could be found.
    """
    instance = explorer.instance
    n = instance.inputs
    m = len(instance.names) - n
    rng = np.random.default_rng(7)
    moves = [s * row for row in np.eye(n) for s in (1.0, -1.0)] if n <= 40 else []
    if n > 1:
        moves += [np.ones(n), -np.ones(n)]
        moves += list(rng.normal(size=(directions + 2 * min(n, 8), n)))
    found = Limits([[] for _ in range(m)], [False] * m, [np.zeros(n, bool) for _ in range(m)])
    for move in moves:
        direction = np.concatenate([move, np.zeros(m)])
        # Code that branches on the upstream gradient alone has no kink: keep it where it is.
        cell = _neighbour(explorer, point, direction, width)
        if cell is None:
            found.one_sided = True
            continue
        if all(cell is not c for c in found.cells):
            found.cells.append(cell)
        reference = reference_of(explorer, cell, references)
        _add_limit(explorer, reference, point, direction, values, found, width)
    return found if any(found.rows) or any(i.any() for i in found.infinite) else None


def reference_of(
    explorer: Explorer, cell: Cell, references: dict[int, Reference]
) -> Reference:
    """The reference of a cell, made once; from the declared formula where there is one."""
    reference = references.get(id(cell.run))
    if reference is None:
        instance = explorer.instance
        n = instance.inputs
        outputs = cell.run.formula or cell.run.outputs
        reference = Reference(
            instance.graph, outputs, instance.names[:n], instance.names[n:]
        )
        references[id(cell.run)] = reference
    return reference


def _neighbour(
    explorer: Explorer, point: np.ndarray, direction: np.ndarray, width: float
) -> Cell | None:
    """The cell with an interior that one enters when leaving ``point`` in that direction."""
    exact = _exact(explorer, point, direction, width)
    for cell in explorer.cells.values():
        if not cell.thin and _holds(explorer, cell, exact):
            return cell
    scale = max(float(np.max(np.abs(point))), 1e-3) if point.size else 1.0
    for size in (1e-3, 1e-6, 1e-10, 1e-14):
        trial = point + size * scale * direction
        if not explorer.instance.in_domain(trial):
            continue
        try:
            cell = explorer.visit(trial)
        except (TraceError, ArithmeticError, ValueError):
            continue
        if cell is not None and not cell.thin and _holds(explorer, cell, exact):
            return cell
    return None


def _exact(
    explorer: Explorer, point: np.ndarray, direction: np.ndarray, width: float
) -> dict[str, Fraction]:
    scale = Fraction(float(np.max(np.abs(point), initial=0.0)) or 1.0)
    step = Fraction(width) * scale if width else _DISTANCE * max(scale, Fraction(1, 2**60))
    return {
        name: Fraction(float(v)) + step * Fraction(float(d))
        for name, v, d in zip(explorer.instance.names, point, direction, strict=True)
    }


def _holds(explorer: Explorer, cell: Cell, exact: dict[str, Fraction]) -> bool:
    """Whether the cell's conditions hold at an exact point, with certainty."""
    for name, value in exact.items():
        low, high = explorer.bounds.get(name, (-np.inf, np.inf))
        if not (low < value < high):
            return False
    if not cell.conditions:
        return True
    gaps = enclose(
        [c.gap for c in cell.conditions], exact, digits=3, scale=1e-290, max_precision=1100
    )
    for condition, ball in zip(cell.conditions, gaps, strict=True):
        if not ball.finite:
            return False
        sign = ball.sign
        if sign is None:
            sign = 0
        if condition.holds(sign) is False:
            return False
    return True


def _add_limit(
    explorer: Explorer,
    reference: Reference,
    point: np.ndarray,
    direction: np.ndarray,
    values: np.ndarray,
    found: Limits,
    width: float,
) -> None:
    exact = _exact(explorer, point, direction, width)
    n, m = len(reference.inputs), len(reference.outputs)
    program = getattr(reference, "limit_program", None)
    if program is None:
        flat = [j for row in reference.jacobian for j in row]
        program = reference.limit_program = Program([*reference.outputs, *flat])  # type: ignore[attr-defined]
    balls = enclose(program, exact, digits=17, scale=1e-40, max_precision=2400)
    for k in range(m):
        y = balls[k]
        if y.finite:
            v = float(y)
            size = max(abs(v), abs(values[k]), 1e-30)
            if abs(v - values[k]) > 1e-7 * size + 1e-55 and abs(v - values[k]) > 1e-12:
                found.jumps[k] = True
        else:
            found.infinite[k][:] = True
            continue
        row = np.array([float(b) for b in balls[m + k * n : m + (k + 1) * n]])
        # 2^200 is what a pole looks like at this distance; sqrt's is 2^100.
        bad = ~np.isfinite(row) | (np.abs(row) > 1e25 * (1 + abs(float(y))))
        if np.any(bad):
            found.infinite[k] |= bad
            continue
        if not any(_close(row, other) for other in found.rows[k]):
            found.rows[k].append(row)


def in_hull(row: np.ndarray, limits: list[np.ndarray], tolerance: float) -> bool:
    """Whether ``row`` lies in the convex hull of ``limits``, up to a relative tolerance."""
    from scipy.optimize import nnls

    if not np.all(np.isfinite(row)):
        return False
    if not limits:
        return False
    corners = np.array(limits)
    size = max(float(np.max(np.abs(corners))), float(np.max(np.abs(row))), 1e-290)
    lowest, highest = corners.min(axis=0), corners.max(axis=0)
    slack = tolerance * size
    if np.any(row < lowest - slack) or np.any(row > highest + slack):
        return False
    if len(row) == 1 or len(limits) == 1:
        return True
    weight = 10.0
    matrix = np.vstack([corners.T / size, np.full(len(limits), weight)])
    target = np.concatenate([row / size, [weight]])
    _, residual = nnls(matrix, target)
    return bool(residual <= max(1e-7, 10 * tolerance))
