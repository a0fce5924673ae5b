"""Where are the digits lost, and by which operation? For a backward that is right but for floats.

:func:`region` follows the wrong entry's own input up and down from the counterexample, and bisects
to where the loss begins and ends; :func:`cause` runs the backward's operations in floats beside
their certified values and names the first that spoils the result.

May import: :mod:`symbolic`, :mod:`verify.judge`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symbolic.balls import Ball, enclose
from symbolic.graph import Node, topological
from symbolic.limits import OutOfTime, time_limit
from symbolic.primitives import FLOAT
from symbolic.sympy_bridge import to_sympy
from symbolic.values import TraceError
from verify.judge import Judge, Wrong
from verify.reference import EPS

__all__ = ["cause", "region", "samples"]

_SOME, _ALL = 1, 2  # digits lost beyond the limit; at least half of the value is wrong
_SECONDS = 1.5
_GOOD = 6  # values without loss, one after the other, that end a region


# Where


@dataclass(frozen=True)
class _Range:
    """An interval of one variable; None at an end that was not reached."""

    low: float | None
    high: float | None

    def describe(self, name: str) -> str:
        if self.low is None and self.high is None:
            return f"for every {name} tried"
        if self.high is None:
            return f"for {name} > {self.low:.4g}"
        if self.low is None:
            return f"for {name} < {self.high:.4g}"
        middle = (self.low + self.high) / 2
        if self.high - self.low <= 1e-9 * abs(middle):
            return f"at {name} = {middle:.6g} and next to it"
        return f"for {self.low:.4g} < {name} < {self.high:.4g}"


class _Walk:
    """The loss as a function of one entry, the others held."""

    def __init__(self, judge: Judge, wrong: Wrong):
        self.judge = judge
        self.point = wrong.point
        self.entry = wrong.entry
        self.end = time.process_time() + _SECONDS
        self.known: dict[float, int | None] = {}

    def loss(self, value: float) -> int | None:
        """0, ``_SOME`` or ``_ALL``; None where nothing is judged."""
        if value not in self.known:
            self.known[value] = self._loss(value)
        return self.known[value]

    def _loss(self, value: float) -> int | None:
        point = self.point.copy()
        point[self.entry] = value
        if time.process_time() > self.end or not self.judge.instance.in_domain(point):
            return None
        try:
            outcome = self.judge.judge(point)
        except (TraceError, ArithmeticError, ValueError):
            return None
        if not outcome.judged:
            return None
        wrong = outcome.wrong
        if wrong is None:
            return 0
        if not np.isfinite(wrong.actual):
            return _ALL
        return _ALL if abs(wrong.actual - wrong.expected) >= 0.5 * abs(wrong.expected) else _SOME

    def range(self, start: float, level: int) -> _Range:
        """How far the loss of ``level`` or more reaches around ``start``."""
        return _Range(self._end(start, level, -1), self._end(start, level, 1))

    def _end(self, start: float, level: int, sign: int) -> float | None:
        """Where the loss ends. It flickers where it begins: a few good values end nothing."""
        inside, outside, good = start, start, 0
        for value in _onward(start, sign):
            loss = self.loss(value)
            if loss is None:
                break
            if loss >= level:
                inside, good = value, 0
                continue
            good += 1
            if good == 1:
                outside = value
            if good == _GOOD:
                break
        else:
            loss = None
        return None if loss is None and not good else self._bisect(inside, outside, level)

    def _bisect(self, inside: float, outside: float, level: int) -> float:
        for _ in range(60):
            middle = _between(inside, outside)
            if middle in (inside, outside) or abs(outside - inside) <= 1e-5 * abs(outside):
                break
            loss = self.loss(middle)
            if loss is None:
                break
            if loss < level:
                outside = middle
            else:
                inside = middle
        return inside


def _onward(start: float, sign: int) -> Iterator[float]:
    """Values further and further on: first close by, then by powers of ten, through zero."""
    size = abs(start) or 1e-30
    for step in (1e-12, 1e-6, 1e-3):
        yield start + sign * step * size
    grid = np.logspace(-20, 20, 161)
    values = np.concatenate([-grid[::-1], [0.0], grid])
    beyond = values[values * sign > start * sign + 1e-3 * size]
    yield from (float(v) for v in beyond[::sign])


def _between(a: float, b: float) -> float:
    if a * b > 0 and max(abs(a), abs(b)) > 4 * min(abs(a), abs(b)):
        return float(np.sign(a) * np.sqrt(abs(a)) * np.sqrt(abs(b)))
    return (a + b) / 2


def region(judge: Judge, wrong: Wrong) -> str | None:
    """From where on digits are lost, and from where on all of them, in a sentence.

    Parameters
    ----------
    judge : Judge
    wrong : Wrong
        What was found: the entry's own input is varied, the others are held.

    Returns
    -------
    str or None
        None where the loss does not depend on that input alone.
    """
    piece, local = judge.instance.owner(wrong.entry)
    name = piece.label(local)
    walk = _Walk(judge, wrong)
    start = float(wrong.point[wrong.entry])
    here = walk.loss(start)
    if not here:
        return None
    some = walk.range(start, _SOME)
    total = [v for v, loss in walk.known.items() if loss == _ALL and _within(v, some)]
    others = judge.instance.inputs > 1
    held = ", the other entries as they are" if others else ""
    if not total:
        return f"digits are lost {some.describe(name)}{held}"
    all_of_them = walk.range(min(total, key=lambda v: abs(v - start)), _ALL)
    if all_of_them == some:
        return f"all digits are lost {some.describe(name)}{held}"
    return f"digits are lost {some.describe(name)}, all of them {all_of_them.describe(name)}{held}"


def samples(judge: Judge, wrong: Wrong) -> list[tuple[float, float, float | None]]:
    """What is lost over the magnitude of the wrong entry's input, for a plot.

    Returns
    -------
    list of (magnitude, ulps, conditioning)
        The ulps lost, and those that the rounding of the input explains, if known.
    """
    start = float(wrong.point[wrong.entry])
    size = max(abs(start), 1.0)
    end = time.process_time() + _SECONDS
    found = []
    for magnitude in sorted({abs(start) or 1.0, *(size * np.logspace(-8, 2, 81)).tolist()}):
        point = wrong.point.copy()
        point[wrong.entry] = np.copysign(magnitude, start)
        if time.process_time() > end or not judge.instance.in_domain(point):
            continue
        try:
            outcome = judge.judge(point)
        except (TraceError, ArithmeticError, ValueError):
            continue
        if outcome.judged and outcome.lost is not None:
            found.append((magnitude, outcome.lost, outcome.conditioning))
    return found


def _within(value: float, some: _Range) -> bool:
    return (some.low is None or value >= some.low) and (some.high is None or value <= some.high)


# Why


def cause(judge: Judge, wrong: Wrong) -> str | None:
    """The operation of backward that spoils the result, in a sentence; None if none stands out.

    Parameters
    ----------
    judge : Judge
    wrong : Wrong
        Of a backward that is right in exact arithmetic.
    """
    try:
        cell = judge.explorer.visit(wrong.point)
    except (TraceError, ArithmeticError, ValueError):
        return None
    if cell is None or cell.run.backward_error is not None:
        return None
    root = cell.run.grads[wrong.entry]
    if root is None:
        return None
    order = topological([root])
    if len(order) > 3000:
        return None
    program = judge.explorer.program(order)
    names = judge.instance.names
    with np.errstate(all="ignore"):
        values = dict(zip(names, map(np.float64, wrong.point), strict=True))
        floats = [float(v) for v in program.run(FLOAT, values)]
    exact = dict(zip(names, map(float, wrong.point), strict=True))
    try:
        with time_limit(1.0):
            balls = enclose(program, exact, digits=12, scale=1e-290, max_precision=1200)
    except OutOfTime:
        return None
    found = dict(zip(order, zip(floats, balls, strict=True), strict=True))
    if _lost(*found[root]) <= 0.5 * min(1.0, wrong.ulps * EPS):
        return None  # these operations, in this order, lose nothing: the code does it otherwise
    for node in order:
        sentence = _spoils(node, found)
        if sentence:
            return sentence
    return None


def _spoils(node: Node, found: dict[Node, tuple[float, Ball]]) -> str | None:
    """What goes wrong at a node whose arguments are all right."""
    value, ball = found[node]
    children = [found[c] for c in node.children]
    if any(_lost(*child) > 1e-6 for child in children) or not children:
        return None
    if not np.isfinite(value):
        if not ball.finite:
            return _undefined(node, found)
        return f"{_name(node)} overflows"
    exact = float(ball) if ball.finite else np.nan
    if value == 0 and exact != 0 and abs(exact) < 1e-300:
        return f"{_name(node)} underflows to zero"
    if not ball.finite or _lost(value, ball) <= 1e-6:
        return None
    if node.op == "add":
        terms = [child[0] for child in children]
        return (
            f"cancellation: {_name(node)} is a difference of {terms[0]:.6g} and {-terms[1]:.6g}, "
            f"which agree to {_digits(value, exact, terms)} digits"
        )
    return f"{_name(node)} loses its digits there"


def _undefined(node: Node, found: dict[Node, tuple[float, Ball]]) -> str | None:
    """0/0 and its like: no value at the point itself, in exact arithmetic either."""
    children = [found[c][0] for c in node.children]
    if node.op == "mul" and any(c == 0 for c in children):
        return f"0*inf in {_name(node)}, at a point where the derivative has a limit"
    if node.op == "div" and len(children) == 2 and children[1] == 0:
        kind = "0/0" if children[0] == 0 else "division by zero"
        return f"{kind} in {_name(node)}, at a point where the derivative has a limit"
    if node.op == "add":
        return f"inf - inf in {_name(node)}"
    return f"{_name(node)} is not defined there, though the derivative has a limit"


def _lost(value: float, ball: Ball) -> float:
    """The relative error of a float against its enclosure."""
    if not ball.finite:
        return 0.0 if not np.isfinite(value) else np.inf
    if not np.isfinite(value):
        return np.inf
    exact = float(ball)
    if not np.isfinite(exact):
        return np.inf
    return abs(value - exact) / max(abs(exact), 1e-300)


def _digits(value: float, exact: float, terms: list[float]) -> int:
    size = max(abs(t) for t in terms) or 1.0
    gap = max(abs(exact), abs(value), size * EPS)
    return int(max(0.0, np.floor(np.log10(size / gap))))


def _name(node: Node) -> str:
    text = str(to_sympy([node])[0])
    return text if len(text) <= 60 else text[:57] + "..."
