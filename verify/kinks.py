"""Points where the formula changes: kinks, jumps, and smooth functions written with a tie.

At such a point the derivative is known by its limits from the neighbouring cells: each neighbour's
own formula, evaluated in balls at a distance of 2^-600, in many directions. Where all limits agree
there is one right answer, whatever the code at the point itself says; where they do not, a row of
the Jacobian is accepted when it lies in their convex hull, the generalised gradient of Clarke.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.reference`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.balls import Ball, enclose
from symbolic.values import Condition, TraceError
from verify.cells import Cell
from verify.explore import Explorer
from verify.reference import Reference

__all__ = [
    "Limits",
    "Touching",
    "beside",
    "is_generalised",
    "limits_at",
    "reference_of",
    "separating",
]

# How far from the point its neighbours' formulas are evaluated, and once more, to see that they
# converge: a logarithm does not, nor does a pole.
_DISTANCE = Fraction(1, 2**600)
_CLOSER = Fraction(1, 2**900)
# A corner found in the separating direction has to close this much of the gap, or it is no news.
_PROGRESS = 0.9

# How far aside of a direction a point is left, so that ties do not go along.
_ASIDE = 1e-3
_BITS = 2000  # enough for the square of the distance beside a number of 53 bits


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
    values : list of float
        The limits of the outputs themselves, from one of the sides.
    ranges : list of (float, float)
        The least and the greatest of the outputs' limits.
    one_sided : bool
        Whether the domain ends at the point.
    directions : list of array
        The directions from which there is a limit.
    leave : callable
        Leaves the point in one direction more, and adds the limit from there.
    nearby, entered : list
        A few exact points beside it, and the cell that each lies in.
    """

    rows: list[list[np.ndarray]]
    jumps: list[bool]
    infinite: list[np.ndarray]
    values: list[float]
    ranges: list[tuple[float, float]]
    one_sided: bool = False
    cells: list[Cell] = field(default_factory=list)
    directions: list[np.ndarray] = field(default_factory=list)
    nearby: list[dict[str, Fraction]] = field(default_factory=list)
    entered: list[Cell] = field(default_factory=list)
    leave: Callable[[np.ndarray], None] = field(default=lambda move: None)

    def torn(self, k: int) -> bool:
        """Whether output ``k`` has different limits, and not merely another value in floats."""
        low, high = self.ranges[k]
        return high - low > 1e-6 * max(abs(low), abs(high))

    def smooth(self, k: int) -> bool:
        """Whether all limits of output ``k`` agree, to about 1e-9 of their size."""
        rows = self.rows[k]
        return bool(rows) and all(_close(rows[0], r) for r in rows[1:])


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.all(np.abs(a - b) <= 1e-9 * (np.abs(a) + np.abs(b)) + 1e-55))


def limits_at(
    explorer: Explorer,
    cell: Cell,
    point: np.ndarray,
    values: np.ndarray,
    references: dict[int, Reference],
    directions: int = 10,
    width: float = 0.0,
    reach: float = 0.0,
) -> Limits | None:
    """The limits of values and Jacobian rows at a point, from all sides that could be reached.

    Parameters
    ----------
    explorer : Explorer
    cell : Cell
        The one that the code takes at the point itself.
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
    reach : float
        With a width, the least distance: what the rounding of a condition's own terms amounts to,
        in the entries it is made of.

    Returns
    -------
    Limits or None
        None where no neighbouring cell could be found.
    """
    instance = explorer.instance
    n = instance.inputs
    m = len(instance.names) - n
    found = Limits(
        [[] for _ in range(m)],
        [False] * m,
        [np.zeros(n, bool) for _ in range(m)],
        [np.nan] * m,
        [(np.inf, -np.inf)] * m,
    )
    touching = Touching(explorer, point)
    names = instance.names[:n]

    def leave(move: np.ndarray) -> None:
        # Code that branches on the upstream gradient alone has no kink: keep it where it is.
        direction = np.concatenate([move, np.zeros(m)])
        exact = _exact(explorer, point, direction, width, reach=reach)
        neighbour = touching.neighbour(direction, exact)
        if neighbour is None:
            found.one_sided = True
            return
        if all(neighbour is not c for c in found.cells):
            found.cells.append(neighbour)
        reference = reference_of(explorer, neighbour, references)
        closer = exact if width else _exact(explorer, point, direction, 0.0, _CLOSER)
        shift = np.abs(
            [
                float(exact[name] - Fraction(float(v)))
                for name, v in zip(names, point[:n], strict=True)
            ]
        )
        if _add_limit(reference, exact, closer, values, found, shift):
            found.directions.append(move)
        if exact not in found.nearby and len(found.nearby) < 4:
            found.nearby.append(exact)
            found.entered.append(neighbour)

    found.leave = leave
    for move in _moves(_active(explorer, cell, point, width), n, directions):
        leave(move)
    return found if any(found.rows) or any(i.any() for i in found.infinite) else None


def beside(
    explorer: Explorer, cell: Cell, references: dict[int, Reference]
) -> list[tuple[dict[str, Any], Reference]]:
    """Exact points next to that of a cell without interior, each with the formula that holds there.

    One or two for each entry that can change the cell, and none where a side cannot be reached.
    """
    point = cell.point
    n = explorer.instance.inputs
    touching = Touching(explorer, point)
    found = []
    for move in _moves(_active(explorer, cell, point, 0.0), n, 2):
        direction = np.concatenate([move, np.zeros(len(point) - n)])
        exact = _exact(explorer, point, direction, 0.0)
        neighbour = touching.neighbour(direction, exact)
        if neighbour is None:
            return []
        found.append((exact, reference_of(explorer, neighbour, references)))
    return found


def _active(explorer: Explorer, cell: Cell, point: np.ndarray, width: float) -> list[int]:
    """The entries that can change the cell: those of the conditions met with equality."""
    n = explorer.instance.inputs
    conditions = cell.run.forward_conditions
    near = _near(explorer.gaps_at(conditions, point), point, width)
    found: set[int] = set()
    for condition, close in zip(conditions, near, strict=True):
        if close and not explorer.rigid(condition):
            found.update(i for i in explorer.depends(condition.gap) if i < n)
    for argument in explorer.at_jump(cell, point):
        found.update(i for i in explorer.depends(argument) if i < n)
    return sorted(found) or list(range(n))


def _near(gaps: np.ndarray, point: np.ndarray, width: float, closeness: float = 1e-8) -> np.ndarray:
    """Which gaps are too close to zero for their sign in floats to be the sign nearby."""
    size = 1.0 + float(np.max(np.abs(point), initial=0.0))
    return ~(np.abs(gaps) > max(closeness, 1e3 * width) * size)


def _moves(active: list[int], n: int, directions: int) -> list[np.ndarray]:
    """Directions to leave the point in: along each active axis, both ways, and across.

    None is exactly along an axis: where several entries tie, the others would go on to. Of few
    entries the axes are followed closely too: the corner of a round hull lies there.
    """
    rng = np.random.default_rng(7)
    moves = []
    for aside in (_ASIDE, 1e-8) if 1 < len(active) <= 4 else (_ASIDE,):
        for i in active[:12]:
            for sign in (1.0, -1.0):
                move = np.zeros(n)
                if len(active) > 1:
                    move[active] = aside * rng.normal(size=len(active))
                move[i] = sign
                moves.append(move)
    if len(active) > 1:
        for sign in (1.0, -1.0):
            move = np.zeros(n)
            move[active] = sign + _ASIDE * rng.normal(size=len(active))
            moves.append(move)
        for _ in range(directions + min(len(active), 6)):
            move = np.zeros(n)
            move[active] = rng.normal(size=len(active))
            moves.append(move)
    return moves


def reference_of(explorer: Explorer, cell: Cell, references: dict[int, Reference]) -> Reference:
    """The reference of a cell, made once; from the declared formula where there is one."""
    reference = references.get(id(cell.run))
    if reference is None:
        instance = explorer.instance
        n = instance.inputs
        outputs = cell.run.formula or cell.run.outputs
        interacting = {
            p.label(i)
            for p in instance.pieces
            if p.name in explorer.interacting
            for i in range(p.size)
        }
        reference = Reference(
            instance.graph, outputs, instance.names[:n], instance.names[n:], interacting
        )
        references[id(cell.run)] = reference
    return reference


class Touching:
    """The cells with an interior that a point touches, each with the conditions left to decide."""

    def __init__(self, explorer: Explorer, point: np.ndarray, closeness: float = 1e-8):
        self.explorer = explorer
        self.point = point
        self.closeness = closeness
        self.every = explorer.every_gap(point)
        self.known = [c for c in explorer.cells.values() if not c.kinked]
        inside = [c for c in self.known if not (c.outside or c.run.loose)]
        self.candidates = [t for c in inside if (t := self._touches(c)) is not None]

    def _touches(self, cell: Cell) -> tuple[Cell, list[Condition]] | None:
        d = self.explorer.decisions(cell, forward=True)
        gaps = self.every[d.place]
        near = _near(gaps, self.point, 0.0, self.closeness)
        if self.explorer.at_jump(cell, self.point):
            near |= d.rigid
        sign = np.where(near, 0, np.nan_to_num(np.sign(gaps), nan=0.0)).astype(int) + 1
        if not np.all(d.allowed[np.arange(len(gaps)), sign] | near):
            return None
        conditions = cell.run.forward_conditions
        return cell, [c for c, close in zip(conditions, near, strict=True) if close]

    def neighbour(self, direction: np.ndarray, exact: dict[str, Fraction]) -> Cell | None:
        """The cell that one enters when leaving the point in that direction."""
        for name, value in exact.items():
            low, high = self.explorer.bounds.get(name, (-np.inf, np.inf))
            if not (low < value < high):
                return None
        for cell, doubtful in self.candidates:
            if self._holds(doubtful, exact):
                return cell
        scale = max(float(np.max(np.abs(self.point))), 1e-3) if self.point.size else 1.0
        for size in (1e-3, 1e-6, 1e-10, 1e-14):
            trial = self.point + size * scale * direction
            if not self.explorer.instance.in_domain(trial):
                continue
            try:
                # A cell that is known and does not touch the point needs no trace to be dismissed.
                found = self.explorer.locate(trial) or self.explorer.visit(trial)
            except (TraceError, ArithmeticError, ValueError):
                continue
            if found.kinked or found.run.loose or any(found is c for c in self.known):
                continue
            self.known.append(found)
            self.every = self.explorer.every_gap(self.point)
            touching = self._touches(found)
            if touching is not None:
                self.candidates.append(touching)
                if self._holds(touching[1], exact):
                    return found
        return None

    def _holds(self, doubtful: list[Condition], exact: dict[str, Fraction]) -> bool:
        """Whether conditions hold at an exact point next to the point, with certainty."""
        if not doubtful:
            return True
        program = self.explorer.program([c.gap for c in doubtful])
        balls = enclose(
            program, exact, digits=3, scale=1e-290, min_precision=_BITS, max_precision=2400
        )
        return all(
            ball.finite and condition.holds(ball.sign or 0)
            for condition, ball in zip(doubtful, balls, strict=True)
        )


def _exact(
    explorer: Explorer,
    point: np.ndarray,
    direction: np.ndarray,
    width: float,
    distance: Fraction = _DISTANCE,
    reach: float = 0.0,
) -> dict[str, Fraction]:
    # Rounding is relative to what moves: beside 1 an entry of 1e-9 would be moved far away.
    moved = np.abs(point)[direction != 0] if width else np.abs(point)
    scale = Fraction(float(np.max(moved, initial=0.0)) or 1.0)
    if width:
        step = max(Fraction(width) * scale, Fraction(reach))
    else:
        step = distance * max(scale, Fraction(1, 2**60))
    return {
        name: Fraction(float(v)) + (step * Fraction(float(d)) if d else 0)
        for name, v, d in zip(explorer.instance.names, point, direction, strict=True)
    }


def _add_limit(
    reference: Reference,
    exact: dict[str, Fraction],
    closer: dict[str, Fraction],
    values: np.ndarray,
    found: Limits,
    shift: np.ndarray,
) -> bool:
    """Add the limit from one direction, ``shift`` away from the point; whether there is one."""
    n, m = len(reference.inputs), len(reference.outputs)
    balls = enclose(
        reference.rows_program,
        exact,
        digits=17,
        scale=1e-70,
        min_precision=_BITS,
        max_precision=4000,
    )
    again: list[Ball] | None = None
    defined = False
    # Within a width the neighbours are looked at from afar, and a value moves on the way there.
    moved = (
        1e-12 if closer is not exact else 1e-9 * max(1.0, *(abs(float(v)) for v in exact.values()))
    )
    for k in range(m):
        y = balls[k]
        row = np.array([float(b) for b in balls[m + k * n : m + (k + 1) * n]])
        # A direction within a singular set (both points of a distance moved alike) says nothing.
        if not y.finite or not np.all(np.isfinite(row)):
            continue
        defined = True
        row[np.abs(row) <= 1e-100] = 0.0  # the distance itself, no limit
        v = found.values[k] = float(y)
        found.ranges[k] = (min(found.ranges[k][0], v), max(found.ranges[k][1], v))
        size = max(abs(v), abs(values[k]), 1e-30)
        if abs(v - values[k]) > max(1e-7 * size, moved) + 2 * float(np.abs(row) @ shift):
            found.jumps[k] = True
        if any(_close(row, other) for other in found.rows[k]):
            continue
        if again is None and closer is not exact:
            again = enclose(
                reference.rows_program,
                closer,
                digits=17,
                scale=1e-70,
                min_precision=_BITS,
                max_precision=4000,
            )
        bad = np.zeros(n, dtype=bool)
        if again is not None:
            second = np.array([float(b) for b in again[m + k * n : m + (k + 1) * n]])
            bad = ~(np.abs(row - second) <= 1e-9 * np.abs(row) + 1e-55)
        if np.any(bad):
            found.infinite[k] |= bad
        else:
            found.rows[k].append(row)
    return defined


def is_generalised(
    row: np.ndarray, limits: Limits, k: int, tolerance: float, rounding: float = 0.0
) -> bool:
    """Whether a row of the Jacobian lies in Clarke's generalised gradient of output ``k``.

    ``tolerance`` is relative to the limits' size, ``rounding`` absolute.

    That is the convex hull of all limits, and many more cells may touch the point than were
    entered (each of several maxima of tied entries has its own). So before a row is refused the
    point is left in the direction that separates it from the hull: of a convex function the limit
    from there is the corner that lies furthest in that direction, of a concave one that from the
    opposite side.
    """
    rng = np.random.default_rng(11)
    for _ in range(40):
        corners = limits.rows[k]
        away = separating(row, corners, tolerance, limits.directions, rounding)
        if away is None:
            return True
        if not np.any(away):
            return False
        gap = float(away @ row) - max(float(away @ c) for c in corners)
        scaled = away / np.max(np.abs(away))
        shaken = _ASIDE * rng.normal(size=len(away)) * (away != 0)
        tries = [scaled + shaken, -scaled - shaken]
        tries += [scaled * rng.choice([-1.0, 1.0], size=len(away)) + shaken for _ in range(4)]
        for move in tries:
            limits.leave(move)
            left = float(away @ row) - max(float(away @ c) for c in limits.rows[k])
            if left < _PROGRESS * gap:
                break
        else:
            return False  # no cell reaches further in that direction
    return False


def separating(
    row: np.ndarray,
    limits: list[np.ndarray],
    tolerance: float,
    directions: list[np.ndarray],
    rounding: float = 0.0,
) -> np.ndarray | None:
    """The direction from the hull of ``limits`` to ``row``; None where ``row`` lies in the hull.

    Where every direction has a limit of its own (a norm at zero: the limits fill a sphere) the
    limits found are a sample of the corners; then ``row`` is compared with the hull's width in each
    of the directions. Zeros: ``row`` is outside whatever else is found.
    """
    from scipy.optimize import nnls

    if not np.all(np.isfinite(row)) or not limits:
        return np.zeros(len(row))
    corners = np.array(limits)
    size = max(float(np.max(np.abs(corners))), float(np.max(np.abs(row))), 1e-290)
    slack = max(tolerance * size, rounding)
    nearest = np.clip(row, corners.min(axis=0), corners.max(axis=0))
    if len(row) == 1 or len(limits) == 1:
        return None if np.all(np.abs(row - nearest) <= slack) else row - nearest
    weight = 10.0
    matrix = np.vstack([corners.T / size, np.full(len(limits), weight)])
    target = np.concatenate([row / size, [weight]])
    shares, residual = nnls(matrix, target)
    if residual <= max(1e-7, 10 * tolerance, rounding / size):
        return None
    if directions and len(limits) >= 0.8 * len(directions):
        moves = np.array(directions)
        widths = (moves @ corners.T).max(axis=1)
        # The corner in a direction is known as well as the direction was kept to.
        coarse = max(slack, 10 * _ASIDE**2 * size)
        if np.all(moves @ row <= widths + coarse * np.abs(moves).sum(axis=1)):
            return None
    away: np.ndarray = row - shares @ corners / max(float(shares.sum()), 1e-9)
    return away
