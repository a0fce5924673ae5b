"""Why is it wrong? The pattern of the difference, in words.

The gradient that backward gave is compared with what common mistakes would have given: another
sign,
a factor, the upstream gradient dropped, another argument's gradient, a transposed one, another
axis, a sum over repeated entries that kept only one of them, another branch's formula.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.judge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import sympy as sp

from symbolic.balls import enclose
from symbolic.constants import recognise
from symbolic.graph import Program
from symbolic.limits import OutOfTime, time_limit
from symbolic.sympy_bridge import to_sympy
from verify.cells import Cell, words
from verify.instance import Piece
from verify.judge import Judge, Wrong
from verify.reference import EPS

__all__ = ["Sample", "diagnose", "samples"]

_CLOSE = 1e-7
_MOST_ROWS = 32  # of a Jacobian that is computed row by row


class Sample:
    """Given and expected gradient at one point, with what the mistakes would have given."""

    def __init__(self, judge: Judge, cell: Cell, point: np.ndarray):
        instance = judge.instance
        self.point = point
        self.cell = cell
        self.given = instance.run(point).flat_grads(instance.pieces).real
        self.expected = _expected(judge, cell, point)
        ones = point.copy()
        ones[instance.inputs :] = 1.0
        self.without_upstream = _expected(judge, cell, ones)
        squared = point.copy()
        squared[instance.inputs :] **= 2
        self.upstream_squared = _expected(judge, cell, squared)
        absolute = point.copy()
        absolute[instance.inputs :] = np.abs(absolute[instance.inputs :])
        self.upstream_absolute = _expected(judge, cell, absolute)

    @property
    def usable(self) -> bool:
        return bool(np.all(np.isfinite(self.given)) and np.all(np.isfinite(self.expected)))


def _expected(judge: Judge, cell: Cell, point: np.ndarray) -> np.ndarray:
    exact = dict(zip(judge.instance.names, map(float, point), strict=True))
    _, found = judge.reference(cell).enclose(exact)
    return np.array([float(b) if b.finite else np.nan for b in found])


def samples(judge: Judge, wrong: Wrong) -> list[Sample]:
    """The counterexample and ordinary points, each with its cell."""
    explorer = judge.explorer
    found = []
    rng = np.random.default_rng(3)
    points = [wrong.point, *(judge.instance.draw(rng) for _ in range(3))]
    for point in points:
        try:
            cell = explorer.visit(point)
            if cell is not None and not cell.kinked:
                sample = Sample(judge, cell, point)
                if sample.usable:
                    found.append(sample)
        except Exception:  # a diagnosis must never cost the verdict
            continue
    return found


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or not a.size:
        return False
    return bool(
        np.all(
            np.abs(a - b) <= _CLOSE * (np.abs(a) + np.abs(b)) + 1e-12 * np.max(np.abs(b), initial=0)
        )
    )


def diagnose(judge: Judge, wrong: Wrong) -> str | None:
    """One sentence on the likely mistake, or None where no pattern fits."""
    piece, _ = judge.instance.owner(wrong.entry)
    if not np.isfinite(wrong.actual):
        return _not_finite(wrong)
    if wrong.formula is False:
        return _lost_in_floats(wrong)
    found = samples(judge, wrong)
    if not found:
        return None
    for sentence in _patterns(judge, piece, found):
        if sentence:
            return sentence
    return _symbolic_ratio(judge, found[0], wrong.entry)


def _symbolic_ratio(judge: Judge, sample: Sample, entry: int) -> str | None:
    """What backward is, as a multiple of the derivative, where that is short."""
    run = sample.cell.run
    actual = None if run.backward_error is not None else run.grads[entry]
    if actual is None:
        return None
    expected = judge.reference(sample.cell).expected[entry]
    given, want = to_sympy([actual, expected])
    try:
        with time_limit(0.8):
            if given.count_ops() + want.count_ops() > 150 or want == 0:
                return None
            ratio = sp.simplify(given / want)
            difference = sp.simplify(given - want)
    except (OutOfTime, ArithmeticError, ValueError, TypeError, AttributeError):
        return None
    if difference == 0:
        return (
            "right on both sides: what backward gives at the tie itself, or at the single value "
            "that it treats apart, is not the limit from there"
        )
    if ratio.count_ops() <= 6:
        return f"a factor: backward is {ratio} times the derivative"
    if difference.count_ops() <= 8:
        return f"a term: backward minus the derivative is {difference}"
    return None


def _lost_in_floats(wrong: Wrong) -> str:
    if wrong.actual == 0:
        return (
            "right in exact arithmetic: in floats nothing is left of it, by a difference of equal "
            "numbers (cancellation) or an intermediate that underflows"
        )
    error = abs(wrong.actual - wrong.expected)
    return (
        "right in exact arithmetic: in floats the digits are lost, by a difference of nearly equal "
        f"numbers (cancellation): the error of {error:.2g} is what rounding costs numbers of about "
        f"{10.0 ** np.round(np.log10(error / EPS)):.3g}"
    )


def _not_finite(wrong: Wrong) -> str:
    if np.isnan(wrong.actual):
        return "NaN: 0/0, 0*inf or inf-inf in backward where the derivative itself is finite"
    return "infinite: a division by zero or an overflow in backward where the derivative is finite"


def _patterns(judge: Judge, piece: Piece, found: Sequence[Sample]) -> Iterator[str | None]:
    part = slice(piece.start, piece.stop)
    first = found[0]
    if _same(first.given[part], first.expected[part]) and len(found) > 1:
        found = [s for s in found if not _same(s.given[part], s.expected[part])] or found

    def all_same(transform) -> bool:
        pairs = [(s.given[part], transform(s)) for s in found]
        return all(b is not None and _same(a, b) for a, b in pairs) and any(
            np.any(a != 0) for a, _ in pairs
        )

    name = piece.name
    if all(np.all(s.given[part] == 0) for s in found):
        yield f"the gradient of {name} is missing: backward gives zero where one is due"
    yield _ratio(piece, found)
    if all_same(lambda s: s.without_upstream[part]):
        yield (
            "the upstream gradient is dropped: this is the derivative itself, not multiplied by "
            "grad_output (right only where grad_output is 1)"
        )
    if all_same(lambda s: s.upstream_squared[part]):
        yield "the upstream gradient enters twice (squared); a backward is linear in it"
    if all_same(lambda s: s.upstream_absolute[part]):
        yield "the sign of the upstream gradient is lost"
    for other in judge.instance.pieces:
        if other is piece or other.size != piece.size:
            continue
        mine = slice(other.start, other.stop)
        if all_same(lambda s, m=mine: s.expected[m]):
            yield f"swapped arguments: this is the gradient of {other.name}, returned for {name}"
        if all_same(lambda s, m=mine: -s.expected[m]):
            yield f"this is minus the gradient of {other.name}, returned for {name}"
    square = len(piece.shape) >= 2 and piece.shape[-1] == piece.shape[-2]
    if square and all_same(
        lambda s: np.swapaxes(s.expected[part].reshape(piece.shape), -1, -2).ravel()
    ):
        yield f"a transposed operand: this is the transpose of the gradient of {name}"
    for axis in range(len(piece.shape)):
        if piece.shape[axis] > 1:
            if all_same(
                lambda s, a=axis: np.flip(s.expected[part].reshape(piece.shape), a).ravel()
            ):
                yield f"the gradient of {name} is reversed along axis {axis}"
            for shift in (1, -1):
                if all_same(
                    lambda s, a=axis, k=shift: np.roll(
                        s.expected[part].reshape(piece.shape), k, a
                    ).ravel()
                ):
                    yield f"the gradient of {name} is shifted by one along axis {axis}"
    if all_same(lambda s: _untransposed(judge, piece, s)):
        yield (
            "the Jacobian is not transposed: backward does with the upstream gradient what forward "
            f"does with a change of {name}"
        )
    yield _another_branch(judge, piece, found)
    yield _one_term(judge, piece, found)
    yield _per_entry(piece, found)


def _untransposed(judge: Judge, piece: Piece, sample: Sample) -> np.ndarray | None:
    """The Jacobian times the upstream gradient, where the Jacobian is square and small."""
    n = judge.instance.inputs
    upstream = sample.point[n:]
    if not 1 < len(upstream) == piece.size <= _MOST_ROWS:
        return None
    rows = []
    for unit in np.eye(piece.size):
        point = np.concatenate([sample.point[:n], unit])
        rows.append(_expected(judge, sample.cell, point)[piece.start : piece.stop])
    return np.array(rows) @ upstream


def _ratio(piece: Piece, found: Sequence[Sample]) -> str | None:
    """A constant ratio: a sign, a factor."""
    ratios = []
    for s in found:
        given, want = s.given[piece.start : piece.stop], s.expected[piece.start : piece.stop]
        keep = np.abs(want) > 1e-12 * np.max(np.abs(want), initial=0.0)
        if np.any(~keep & (np.abs(given) > 1e-9 * np.max(np.abs(given), initial=0.0))):
            return None
        ratios += list(given[keep] / want[keep])
    if len(ratios) < 2 or not np.allclose(ratios, ratios[0], rtol=1e-7, atol=0):
        if len(ratios) >= 2 and np.allclose(np.abs(ratios), 1.0, rtol=1e-9):
            return "the sign is wrong for some entries or inputs: the magnitude is right everywhere"
        return None
    ratio = float(np.median(ratios))
    if abs(ratio + 1) < 1e-9:
        return "the sign is wrong: backward gives minus the derivative"
    if abs(ratio - 1) < 1e-14:
        return None
    if abs(ratio - 1) < 1e-4:
        return f"a constant is inexact: backward is {ratio - 1:+.3g} off, relative, everywhere"
    return f"a constant factor: backward is {_number(ratio)} times the derivative"


def _number(ratio: float) -> str:
    simple = Fraction(ratio).limit_denominator(64)
    if simple and abs(float(simple) - ratio) < 1e-9 * abs(ratio):
        return str(simple)
    form = recognise(float(f"{ratio:.15g}"))
    return form.text if form is not None and form.text else f"{ratio:.9g}"


def _another_branch(judge: Judge, piece: Piece, found: Sequence[Sample]) -> str | None:
    """Is it the derivative that holds on another cell?"""
    part = slice(piece.start, piece.stop)
    for s in found:
        if _same(s.given[part], s.expected[part]):
            continue
        for other in list(judge.explorer.cells.values())[:12]:
            if other is s.cell or other.kinked:
                continue
            try:
                there = _expected(judge, other, s.point)
            except Exception:
                continue
            if np.all(np.isfinite(there[part])) and _same(s.given[part], there[part]):
                here = {(c.gap, c.relation): c for c in s.cell.conditions}
                changed = [
                    words(c)
                    for c in other.conditions
                    if (c.gap, c.relation) in here and here[c.gap, c.relation].outcome != c.outcome
                ]
                where = f" ({', '.join(changed[:2])})" if changed else ""
                return (
                    f"another branch's derivative: backward gives what holds on another branch"
                    f"{where}; the mask or the condition in backward is not forward's"
                )
    return None


def _one_term(judge: Judge, piece: Piece, found: Sequence[Sample]) -> str | None:
    """Is each wrong entry one of the terms g_k dy_k/dx_i of a sum of several?"""
    part = range(piece.start, piece.stop)
    s = found[0]
    instance = judge.instance
    reference = judge.reference(s.cell)
    exact = dict(zip(instance.names, map(float, s.point), strict=True))
    hits, several = 0, False
    for i in part:
        column = [row[i] for row in reference.jacobian]
        balls = enclose(Program(column), exact, digits=15, scale=1e-290)
        terms = [
            float(b) * s.point[instance.inputs + k]
            for k, b in enumerate(balls)
            if b.finite and float(b) != 0
        ]
        if abs(s.given[i] - s.expected[i]) <= _CLOSE * abs(s.expected[i]):
            continue
        if len(terms) > 1 and any(abs(s.given[i] - t) <= _CLOSE * abs(t) for t in terms):
            hits += 1
            several = True
        else:
            return None
    if hits and several:
        return (
            f"only one of several contributions arrives: `=` where `+=` was meant (an index that "
            f"repeats), or a missing sum over the outputs that {piece.name} reaches"
        )
    return None


def _per_entry(piece: Piece, found: Sequence[Sample]) -> str | None:
    """Which entries are wrong, where not all are."""
    if piece.size < 2:
        return None
    wrong = np.zeros(piece.size, dtype=bool)
    for s in found:
        given, want = s.given[piece.start : piece.stop], s.expected[piece.start : piece.stop]
        wrong |= ~(np.abs(given - want) <= _CLOSE * np.abs(want) + 1e-12 * np.max(np.abs(want)))
    if 0 < wrong.sum() < piece.size:
        labels = ", ".join(piece.label(int(i)) for i in np.nonzero(wrong)[0][:4])
        return f"only some entries are wrong: {labels}"
    return None
