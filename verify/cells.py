"""A cell: conditions on which the code is one smooth formula, with that formula and a point.

May import: :mod:`symbolic`, :mod:`verify.instance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from symbolic.graph import Node
from symbolic.values import Condition
from verify.instance import TracedRun

__all__ = [
    "ANY_SIGN",
    "ROUNDING",
    "Cell",
    "Decisions",
    "Key",
    "bound",
    "fraction",
    "key_of",
    "only_rounded",
    "side_of",
    "signs_of",
    "words",
]

Key = tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True)
class Decisions:
    """A cell's conditions in arrays: which gap, for which signs it holds, whether it is rigid."""

    place: np.ndarray
    allowed: np.ndarray
    rigid: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[Decisions]) -> Decisions:
        """Those of several cells, one after the other."""
        empty = cls(np.zeros(0, int), np.zeros((0, 3), bool), np.zeros(0, bool))
        every = [empty, *parts]
        return cls(
            np.concatenate([d.place for d in every]),
            np.concatenate([d.allowed for d in every]),
            np.concatenate([d.rigid for d in every]),
        )

    def inside(self, gaps: np.ndarray) -> np.ndarray:
        """Which of the conditions hold for certain, off the boundary, where the gaps are these."""
        sign = np.sign(gaps)
        known = np.abs(gaps) < np.inf
        held = self.allowed[np.arange(len(gaps)), np.where(known, sign, 0.0).astype(int) + 1]
        return held & known & ((sign != 0) | self.rigid)


@dataclass
class Cell:
    """One cell: its conditions, the formulas that hold on it, and a sample point.

    ``thin`` says that it has no interior: its conditions contain an equality (a tie, a bound hit
    exactly). ``kinked`` says that forward's conditions among them do, so that forward's formula
    there has no derivative of its own. ``outside``: forward gives no finite
    value there, so there is nothing to differentiate.
    """

    key: Key
    run: TracedRun
    thin: bool
    samples: list[np.ndarray] = field(default_factory=list)
    status: str = "open"
    outside: bool = False
    kinked: bool = False

    def renew(self, key: Key) -> None:
        """Take another key, for other conditions."""
        self.key, self._signs = key, None

    @property
    def signs(self) -> dict[Node, frozenset[int]]:
        """The signs that each gap may have on the cell."""
        if self._signs is None:
            self._signs = signs_of(self.conditions)
        return self._signs

    _signs: dict[Node, frozenset[int]] | None = field(default=None, repr=False)

    @property
    def conditions(self) -> list[Condition]:
        return self.run.conditions

    @property
    def point(self) -> np.ndarray:
        return self.run.point


ANY_SIGN = frozenset((-1, 0, 1))


def signs_of(conditions: list[Condition]) -> dict[Node, frozenset[int]]:
    """For each gap the signs that the conditions leave it."""
    found: dict[Node, frozenset[int]] = {}
    for c in conditions:
        allowed = frozenset(s for s in (-1, 0, 1) if c.holds(s))
        found[c.gap] = found.get(c.gap, ANY_SIGN) & allowed
    return found


ROUNDING = frozenset({"floor", "ceil", "rint", "trunc", "sign"})


def only_rounded(node: Node) -> bool:
    """Whether variables stand only inside rounding operations."""
    stack = [node]
    while stack:
        n = stack.pop()
        if n.op in ROUNDING:
            continue
        if n.op == "var":
            return False
        stack.extend(n.children)
    return True


def side_of(value: float) -> int:
    return 0 if value != value else int(np.sign(value))


def key_of(run: TracedRun) -> Key:
    """What tells cells apart: the decisions in order."""
    key = tuple((c.gap.index, c.relation, c.outcome) for c in run.conditions)
    return (*key, (-1, "loose", True)) if run.loose else key


def words(condition: Condition) -> str:
    """A condition as a person writes it: ``x[0] - x[1] > 0`` as ``x[0] > x[1]``."""
    from symbolic.feasible import affine
    from symbolic.sympy_bridge import to_sympy

    found = bound(condition)
    if found is not None:
        left, sign, right = found
        return _short(f"{left} {sign} {fraction(right)}")
    sign = condition.sign
    form = affine(condition.gap)
    variables = [a for a in form if a is not None]
    if len(variables) == 2 and sorted(form[v] for v in variables) == [-1, 1] and None not in form:
        first, second = sorted(variables, key=lambda v: -form[v])
        return _short(f"{to_sympy([first])[0]} {sign} {to_sympy([second])[0]}")
    return _short(f"{to_sympy([condition.gap])[0]} {sign} 0")


def bound(condition: Condition) -> tuple[str, str, Fraction] | None:
    """A condition on one quantity as that quantity, a sign and a number; None for any other."""
    from symbolic.feasible import affine
    from symbolic.sympy_bridge import to_sympy

    form = affine(condition.gap)
    quantities = [a for a in form if a is not None]
    if len(quantities) != 1 or form[quantities[0]] == 0:
        return None
    sign, slope = condition.sign, form[quantities[0]]
    if slope < 0:
        sign = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
    return str(to_sympy([quantities[0]])[0]), sign, Fraction(-form.get(None, 0)) / slope


def fraction(number: Fraction) -> str:
    """A number as short as it can be written: ``1/3``, or a decimal where that is long."""
    return str(number) if number.denominator < 1000 else f"{float(number):.6g}"


def _short(text: str) -> str:
    return text if len(text) <= 90 else text[:87] + "..."
