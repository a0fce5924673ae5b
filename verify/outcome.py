"""What judging a gradient at a point came to.

May import: nothing of :mod:`verify`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["AT_POLE", "Outcome", "Wrong"]

AT_POLE = "a pole lies within the rounding of the inputs"


@dataclass
class Wrong:
    """One wrong entry of a gradient.

    ``formula`` says whether backward is wrong in exact arithmetic too (then it is refuted), or only
    in floats (then it is inaccurate). None: it could not be told.
    """

    point: np.ndarray
    entry: int
    expected: float
    actual: float
    ulps: float
    formula: bool | None
    kind: str
    exact: float | None = None
    table: list[tuple[int, float, float, float]] = field(default_factory=list)


@dataclass
class Outcome:
    """What was found at one point.

    ``judged`` is False where the rules forbid a judgement; ``note`` says which. ``ulps`` are those
    of the allowance; ``lost`` are those of the derivative itself at the worst entry, and
    ``conditioning`` how many of these the rounding of the inputs explains.
    """

    judged: bool
    wrong: Wrong | None = None
    ulps: float = 0.0
    note: str = ""
    exact_ulps: float = 0.0
    series: bool = False
    unfaithful: bool = False
    kink: bool = False
    lost: float | None = None
    conditioning: float | None = None
    point: np.ndarray = field(default_factory=lambda: np.zeros(0))
