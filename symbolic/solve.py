"""Points at which an expression changes its sign: where a condition of a cell can be negated.

With all entries but one held fixed a condition is an equation in one unknown. It is inverted
operation by operation where the unknown stands once in it; else its sign changes are found on a
grid over all magnitudes and bisected down to neighbouring floats.

May import: :mod:`symbolic.graph`, :mod:`symbolic.primitives`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from symbolic.graph import Node, Program, topological
from symbolic.primitives import FLOAT

__all__ = ["Line", "dependencies", "neighbours", "roots_on_line"]

# How far from a root its two sides are probed, relative to the root (or to 1).
_STEPS = (2e-16, 1e-12, 1e-9, 1e-6, 1e-3, 0.03, 0.3, 2.0)


def dependencies(node: Node) -> set[str]:
    """The names of the variables that an expression contains."""
    return {n.args[0] for n in topological([node]) if n.op == "var"}


class Line:
    """A one-dimensional family of points through ``point``.

    ``kind`` is ``"entry"`` (coordinate ``index`` takes the value t), ``"scale"`` (all ``moved``
    entries times t) or ``"shift"`` (all ``moved`` entries plus t).
    """

    def __init__(self, point: np.ndarray, kind: str, moved: Sequence[int]):
        self.point = point
        self.kind = kind
        self.moved = list(moved)

    def at(self, t: float) -> np.ndarray:
        """The point for the parameter ``t``."""
        moved = self.point.copy()
        if self.kind == "entry":
            moved[self.moved] = t
        elif self.kind == "scale":
            moved[self.moved] *= t
        else:
            moved[self.moved] += t
        return moved

    def values(
        self, names: Sequence[str], t: np.ndarray | np.float64
    ) -> dict[str, np.ndarray | float]:
        """The variables along the line, vectorised over ``t``."""
        found: dict[str, np.ndarray | float] = {
            name: np.float64(v) for name, v in zip(names, self.point, strict=True)
        }
        for i in self.moved:
            if self.kind == "entry":
                found[names[i]] = t
            elif self.kind == "scale":
                found[names[i]] = self.point[i] * t
            else:
                found[names[i]] = self.point[i] + t
        return found

    @property
    def here(self) -> float:
        if self.kind == "entry":
            return float(self.point[self.moved[0]])
        return 1.0 if self.kind == "scale" else 0.0


@lru_cache(maxsize=1)
def _grid() -> np.ndarray:
    """Both signs, every magnitude from 1e-30 to 1e30, finer where code has its thresholds."""
    coarse = 10.0 ** np.arange(-30, 30.5, 0.5)
    fine = 10.0 ** np.arange(-6, 6, 0.05)
    small = np.arange(1, 129) / 8.0
    positive = np.unique(np.concatenate([coarse, fine, small]))
    return np.concatenate([-positive[::-1], [0.0], positive])


def roots_on_line(
    gap: Node, names: Sequence[str], line: Line, low: float = -np.inf, high: float = np.inf
) -> list[float]:
    """Parameters at which ``gap`` is zero, or the last float before it changes its sign.

    Parameters
    ----------
    gap : Node
    names : sequence of str
        Names of the coordinates of a point.
    line : Line
    low, high : float
        Open bounds of the parameter.
    """
    with np.errstate(all="ignore"):
        program = Program([gap])

        def value(t: np.ndarray) -> np.ndarray:
            found = program.run(FLOAT, line.values(names, t))[0]
            return np.broadcast_to(np.asarray(found, dtype=float), t.shape)

        roots: list[float] = []
        if line.kind == "entry":
            roots += _inverted(gap, names[line.moved[0]], line.values(names, np.float64(line.here)))
        grid = _grid()
        around = line.here + np.concatenate([-(2.0 ** np.arange(-20, 4)), 2.0 ** np.arange(-20, 4)])
        grid = np.unique(np.concatenate([grid, around, [line.here]]))
        grid = grid[(grid > low) & (grid < high)]
        if grid.size:
            roots += _bracketed(value, grid)
        roots = [float(r) for r in roots if np.isfinite(r) and low < r < high]
        return list(dict.fromkeys(roots))[:12]


def _bracketed(value, grid: np.ndarray) -> list[float]:
    h = value(grid)
    sign = np.sign(h)
    found = [float(t) for t in grid[sign == 0][:6]]
    finite = np.isfinite(h)
    change = np.nonzero(finite[:-1] & finite[1:] & (sign[:-1] * sign[1:] < 0))[0]
    if len(change) > 12:  # a wildly oscillating condition: some crossings near the origin do
        change = change[np.argsort(np.abs(grid[change]))[:12]]
    if len(change):
        a, b = grid[change].copy(), grid[change + 1].copy()
        left = sign[change]
        for _ in range(80):
            middle = a + (b - a) / 2
            s = np.sign(value(middle))
            same = s == left
            a = np.where(same, middle, a)
            b = np.where(same, b, middle)
            if np.all((b - a) <= np.spacing(np.maximum(np.abs(a), np.abs(b)))):
                break
        found += [float(t) for pair in zip(b, a, strict=True) for t in pair]
    # A double root touches zero without crossing it: follow the smallest |h| downhill.
    if not found:
        size = np.where(finite, np.abs(h), np.inf)
        inner = np.nonzero((size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]))[0] + 1
        for i in inner[np.argsort(size[inner])][:3]:
            t, reached = _golden(value, grid[i - 1], grid[i + 1])
            if reached <= 1e-12 * (1 + np.median(size[np.isfinite(size)])):
                found.append(t)
    return found


def _golden(value, a: float, b: float) -> tuple[float, float]:
    for _ in range(70):
        c, d = a + 0.381966 * (b - a), a + 0.618034 * (b - a)
        hc, hd = np.abs(value(np.array([c, d])))
        if hc <= hd:
            b = d
        else:
            a = c
    t = (a + b) / 2
    return float(t), float(np.abs(value(np.array([t])))[0])


def _inverted(gap: Node, name: str, values: dict) -> list[float]:
    """Solve ``gap == 0`` for one variable by undoing operations, where it stands only once."""
    order = topological([gap])
    containing: set[Node] = set()
    for node in order:
        if (node.op == "var" and node.args[0] == name) or any(
            c in containing for c in node.children
        ):
            containing.add(node)
    if gap not in containing:
        return []
    done = dict(zip(order, Program(order).run(FLOAT, values), strict=True))
    targets = [0.0]
    node = gap
    while node.op != "var":
        inside = [i for i, c in enumerate(node.children) if c in containing]
        if len(inside) != 1:
            return []
        i = inside[0]
        other = float(done[node.children[1 - i]]) if len(node.children) == 2 else 0.0
        targets = [s for t in targets for s in _undo(node.op, i, t, other) if np.isfinite(s)]
        if not targets:
            return []
        node = node.children[i]
    return targets


_INVERSES = {
    "exp": lambda t: [np.log(t)],
    "log": lambda t: [np.exp(t)],
    "tan": lambda t: [np.arctan(t)],
    "sin": lambda t: [np.arcsin(t), np.pi - np.arcsin(t)],
    "cos": lambda t: [np.arccos(t), -np.arccos(t)],
    "arcsin": lambda t: [np.sin(t)],
    "arccos": lambda t: [np.cos(t)],
    "arctan": lambda t: [np.tan(t)],
    "sinh": lambda t: [np.arcsinh(t)],
    "cosh": lambda t: [np.arccosh(t), -np.arccosh(t)],
    "tanh": lambda t: [np.arctanh(t)],
    "arcsinh": lambda t: [np.sinh(t)],
    "arccosh": lambda t: [np.cosh(t)],
    "arctanh": lambda t: [np.tanh(t)],
    "floor": lambda t: [t, t + 0.5],
    "ceil": lambda t: [t, t - 0.5],
    "rint": lambda t: [t, t + 0.25],
    "trunc": lambda t: [t, t + 0.5, t - 0.5],
    "sign": lambda t: [t],
}


def _undo(op: str, i: int, target: float, other: float) -> list[float]:
    """Arguments at which the operation takes the value ``target``."""
    if op == "add":
        return [target - other]
    if op == "mul":
        return [target / other] if other != 0 else []
    if op == "div":
        if i == 0:
            return [target * other]
        return [other / target] if target != 0 else []
    if op == "pow":
        if i == 1:
            return [np.log(target) / np.log(other)]
        if other == 0:
            return []
        root = np.sign(target) * np.abs(target) ** (1 / other)
        return [root, -root]
    inverse = _INVERSES.get(op)
    return [float(t) for t in inverse(target)] if inverse else []


def neighbours(root: float) -> Iterator[float]:
    """The root, the floats next to it, and points at growing distances on both sides."""
    yield root
    yield float(np.nextafter(root, -np.inf))
    yield float(np.nextafter(root, np.inf))
    scale = abs(root) if root else 1.0
    for step in _STEPS[1:]:
        yield root - step * scale
        yield root + step * scale
