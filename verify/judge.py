"""Is the gradient right at this point? The one place where a number is called wrong.

Each rule that keeps a right gradient from being called wrong (DESIGN: forward fails there, the
magnitude is outside the range, rounding, jumps, kinks, series) is applied here and nowhere else.

May import: :mod:`symbolic`, :mod:`verify.instance`, :mod:`verify.explore`, :mod:`verify.reference`,
:mod:`verify.kinks`, :mod:`verify.nearness`, :mod:`verify.boundary`, :mod:`verify.outcome`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from symbolic.balls import enclose
from symbolic.graph import Node, Program, topological
from symbolic.primitives import FLOAT
from symbolic.values import TraceError
from verify.boundary import judge_boundary
from verify.cells import Cell, Key
from verify.explore import Explorer
from verify.instance import FloatRun, Instance, TracedRun
from verify.kinks import Touching, reference_of
from verify.nearness import (
    BY_ROUNDING,
    by_rounding,
    inside,
    nearest_boundary,
    reach,
    unsteady,
)
from verify.outcome import AT_POLE, Outcome, Wrong
from verify.reference import EPS, Reference
from verify.series import is_series

__all__ = ["UNDEFINED", "Judge", "Outcome", "Wrong", "huge_in"]

_RAISES, _NOT_FINITE = "forward raises an exception", "forward is not finite"
UNDEFINED = (_RAISES, _NOT_FINITE)
"""Notes on points at which forward has no value."""

# Of numbers among exponents: those as large are to be beyond all others.
_INFINITE = 1e6

# A formula evaluated in exact arithmetic has no rounding but that of its constants.
EXACT_ULPS = 64.0

# Losses up to this are reported as the allowance in floats says.
_NOTABLE_ULPS = 8.0

# How far, relative to the entries, both sides of a condition that rounding decides are looked for.
_WIDTH = 1e-11

# What rounding may cost at a gradient's ordinary size, where the entries of an array interact.
_USUAL_ULPS = 64.0


class Judge:
    """Judges gradients of one instance at points.

    Parameters
    ----------
    explorer : Explorer
        After exploration.
    max_ulps : float
        The limit on the float error, in ulps of the allowance.
    span : float
        Magnitudes outside ``1/span .. span`` (zero is inside) are noted, not judged.
    """

    def __init__(self, explorer: Explorer, max_ulps: float = 2.0**20, span: float = 1e60):
        self.explorer = explorer
        self.instance: Instance = explorer.instance
        self.max_ulps = float(max_ulps)
        # float32 inputs are judged in float32: its ulp, its smallest number, its range.
        kinds = [np.finfo(p.dtype) for p in self.instance.pieces] or [np.finfo(np.float64)]
        coarsest = max(kinds, key=lambda kind: float(kind.eps))
        self.eps = float(coarsest.eps)
        self.tiny = float(coarsest.tiny)
        self.span = span if self.eps == EPS else min(span, 1e12)
        if self.eps > EPS:  # the same share of the digits may be lost
            self.max_ulps **= np.log(self.eps) / np.log(EPS)
        self.exact_ulps = EXACT_ULPS * EPS / self.eps
        self.entrywise = False
        self._usual: np.ndarray | None = None
        self.references: dict[int, Reference] = {}
        self._actual: dict[int, Program] = {}
        self._masked: dict[Key, tuple[list[Node], float]] = {}

    def reference(self, cell: Cell) -> Reference:
        found = reference_of(self.explorer, cell, self.references)
        found.ordinary = self.usual
        return found

    # One point

    def judge(self, point: np.ndarray, floats: bool = True) -> Outcome:
        """Run backward at the point, and compare it with the right gradient there."""
        instance = self.instance
        point = instance.rounded(point)
        if not self._in_span(point):
            return Outcome(False, note="magnitude outside the range")
        run = instance.run(point)
        if run.forward_error is not None:
            return Outcome(False, note=_RAISES)
        if not run.finite:
            return Outcome(False, note=_NOT_FINITE)
        if run.backward_error is not None:
            return self._judge_raise(point, run)
        try:
            cell = self.explorer.locate(point) or self.explorer.visit(point)
        except TraceError as error:
            return Outcome(False, note=f"not traced: {error}")
        if self._past_infinity(cell, point):
            return Outcome(False, note="a number that stands for infinity is none there")
        values = self._values(run)
        actual = run.flat_grads(instance.pieces)
        if np.iscomplexobj(actual):
            if np.any(np.abs(actual.imag) > 1e-12 * np.abs(actual)):
                return Outcome(True, Wrong(point, 0, 0.0, np.nan, np.inf, True, "complex"))
            actual = actual.real
        gaps = nearest_boundary(self.explorer, cell, point)
        if cell.kinked or gaps == 0.0:
            touched = self._touched(point) if cell.kinked else [cell]
            beside = self._one_side(touched, cell, point, run, values, actual)
            if beside is not None:
                return beside
            outcome = judge_boundary(self, cell, point, run, values, actual)
            rounded = outcome.wrong is not None and by_rounding(self.explorer, cell, point)
        else:
            outcome = self._judge_smooth(cell, point, run, values, actual)
            rounded = outcome.wrong is not None and (
                gaps < BY_ROUNDING or self._unsteady(cell, outcome.wrong)
            )
        if rounded:
            # A branch on a computed value takes either side within its rounding.
            far = reach(self.explorer, cell, point, self.eps)
            beside = judge_boundary(self, cell, point, run, values, actual, _WIDTH, far)
            if beside.judged and beside.wrong is None:
                return beside
            # A cell may be so narrow that rounding leads across it: 0.1 < 1e16 x - 1e16 y < 0.7,
            # and the code's own may be there in floats alone: sqrt(1 + x^2) <= 1.
            touched = [*self._touched(point), cell]
            return self._one_side(touched, cell, point, run, values, actual) or outcome
        return outcome

    def _values(self, run: FloatRun) -> np.ndarray:
        """The differentiable outputs, flat."""
        return np.concatenate(
            [np.asarray(run.outputs[p.position], float).ravel() for p in self.instance.upstream]
            or [np.zeros(0)]
        )

    def _judge_raise(self, point: np.ndarray, run: FloatRun) -> Outcome:
        """A backward that raises is wrong, unless forward's own value is worthless there."""
        expected = np.nan
        try:
            cell = self.explorer.locate(point) or self.explorer.visit(point)
        except TraceError:
            cell = None
        if cell is not None:
            reference = self.reference(cell)
            exact = dict(zip(self.instance.names, map(float, point), strict=True))
            outputs, slopes = reference.enclose(exact)
            note = self._forward_fails(self._values(run), outputs, reference, point)
            if note:
                return Outcome(False, note=note)
            if (
                slopes
                and slopes[0].finite
                and not cell.kinked
                and inside(self.explorer, cell, point)
            ):
                expected = float(slopes[0])
            n = self.instance.inputs
            for k, ball in enumerate(outputs):
                lost = self.eps * self._value_condition(reference, k, point[:n], point)
                if not lost < 1e-2 * abs(float(ball)) and lost > self.tiny:
                    return Outcome(False, note="forward keeps no digits there")
        return Outcome(True, Wrong(point, 0, expected, np.nan, np.inf, True, "raises"))

    def _touched(self, point: np.ndarray) -> list[Cell]:
        """The known cells that a point touches, to within rounding."""
        return [c for c, _ in Touching(self.explorer, point, 1e-13).candidates]

    def _one_side(
        self,
        touching: list[Cell],
        cell: Cell,
        point: np.ndarray,
        run: FloatRun,
        values: np.ndarray,
        actual: np.ndarray,
    ) -> Outcome | None:
        """Accept a gradient that is the limit from one of the cells that the point touches.

        Such a limit lies in the generalised gradient, and where the function is smooth it is the
        derivative. Anything else is for :func:`verify.boundary.judge_boundary`.
        """
        tried: list[tuple[Node, ...]] = []
        for other in touching:
            outputs = tuple(other.run.outputs)
            if outputs in tried or len(tried) > 6:
                continue
            tried.append(outputs)
            outcome = self._judge_smooth(other, point, run, values, actual, exact=other is cell)
            if outcome.judged and outcome.wrong is None:
                outcome.kink = cell.kinked
                return outcome
        return None

    def _unsteady(self, cell: Cell, wrong: Wrong) -> bool:
        error = abs(wrong.actual - wrong.expected) if wrong.kind == "value" else np.inf
        reference = self.reference(cell)
        at = wrong.point, wrong.entry, wrong.expected
        return unsteady(self.explorer, reference, *at, error, self.eps)

    def _in_span(self, point: np.ndarray) -> bool:
        size = np.abs(point)
        return bool(((size == 0) | ((size >= 1 / self.span) & (size <= self.span))).all())

    def _past_infinity(self, cell: Cell, point: np.ndarray) -> bool:
        """Whether an exponent comes near a number that is to be beyond all of them.

        ``exp(-1e9)`` is a masked score: nobody means what a backward gives for scores as low.
        """
        found = self._masked.get(cell.key)
        if found is None:
            exponents = [n.args[0] for n in topological(cell.run.outputs) if n.op == "exp"]
            infinity = max((abs(huge_in(u)) for u in exponents), default=0.0)
            others = [u for u in exponents if self.explorer.depends(u)]
            found = self._masked[cell.key] = (others if infinity else [], infinity)
        others, infinity = found
        if not others:
            return False
        values = dict(zip(self.instance.names, point, strict=True))
        with np.errstate(all="ignore"):
            sizes = np.abs(np.array(self.explorer.program(others).run(FLOAT, values), float))
        return bool(np.any(sizes > 1e-2 * infinity))

    # Smooth points

    def _judge_smooth(
        self,
        cell: Cell,
        point: np.ndarray,
        run: FloatRun,
        values: np.ndarray,
        actual: np.ndarray,
        exact: bool = True,
    ) -> Outcome:
        """Judge by the formula of one cell; ``exact``: backward's own formula is its too."""
        boundary = not exact or not inside(self.explorer, cell, point)
        instance = self.instance
        reference = self.reference(cell)
        allowed = reference.allowance(point, instance.names)
        exact_point = dict(zip(instance.names, map(float, point), strict=True))
        for certified in (False, True):
            outputs, expected = reference.enclose(exact_point, allowed)
            if not all(b.finite for b in expected):
                if boundary:
                    return Outcome(False, note="no limit at the point itself")
                return judge_boundary(self, cell, point, run, values, actual)
            want = np.array([float(b) for b in expected])
            if not np.all(np.isfinite(want)):
                return Outcome(False, note="the derivative overflows")
            allowed = np.maximum(allowed, np.abs(want))
            error = np.abs(actual - want)
            excused = error > self.max_ulps * self.eps * np.abs(want) + self.tiny
            ulps = self.in_ulps(actual, want, allowed)
            if (ulps > _NOTABLE_ULPS).any():
                constants = self._of_constants(reference, point, want, exact_point)
                allowed = np.maximum(allowed, constants)
                ulps = self.in_ulps(actual, want, allowed)
            if certified or not (excused | (ulps > _NOTABLE_ULPS)).any():
                break
            # Before the allowance excuses an error, or does not, it is certified: it is a sum of
            # second derivatives, whose formulas cancel or overflow in floats, and SciPy's Bessel
            # functions are no guide at 1e17. The derivative was enclosed as sharply as the
            # allowance asked for.
            scale = float(np.max(error[np.isfinite(error)], initial=0.0))
            sizes = reference.allowance_at(
                exact_point, scale=scale / self.max_ulps / self.eps or 1.0
            )
            allowed = np.where(np.isfinite(sizes), sizes, allowed)
        note = self._forward_fails(values, outputs, reference, point)
        if note:
            return Outcome(False, note=note)
        exact_ulps = exact_values = None
        if exact:
            exact_values, exact_ulps = self.exact_error(
                cell, point, exact_point, want, allowed, expected
            )
        worst = int(np.argmax(ulps)) if ulps.size else 0
        top = float(ulps[worst]) if ulps.size else 0.0
        if not top <= self.max_ulps:
            # Beyond 2^53 every float is an integer, and a multiple of pi by chance; two eigenvalues
            # that differ by less than rounding have vectors at 45 degrees: the slopes there are
            # those of no number nearby. The input's uncertainty is a part of an ulp.
            n = instance.inputs
            part = Fraction(self.eps) / 101
            beside = {
                name: Fraction(v) * (1 + (37 + 28 * i) % 101 * part) if i < n else Fraction(v)
                for i, (name, v) in enumerate(exact_point.items())
            }
            sizes = reference.allowance_at(beside, scale=scale / self.max_ulps / self.eps or 1.0)
            allowed = np.where(np.isfinite(allowed), allowed, np.abs(want))
            allowed = np.maximum(allowed, np.nan_to_num(sizes, posinf=0.0))
            ulps = self.in_ulps(actual, want, allowed + self.ordinary(point))
            worst = int(np.argmax(ulps))
            top = float(ulps[worst])
            if self.at_pole(actual[worst], want[worst], allowed[worst]):
                return Outcome(False, note=AT_POLE)
        outcome = Outcome(True, ulps=top)
        if ulps.size and want[worst]:
            unit = self.eps * abs(float(want[worst]))
            off = abs(float(actual[worst]) - float(want[worst]))
            outcome.lost = off / unit if np.isfinite(off) else np.inf
            outcome.conditioning = float(allowed[worst]) * self.eps / unit
        if exact_ulps is not None:
            finite = exact_ulps[np.isfinite(exact_ulps)]
            outcome.exact_ulps = float(finite.max()) if finite.size else 0.0
            bad = (exact_ulps > self.exact_ulps) & np.isfinite(exact_ulps)
            # What is wrong in exact arithmetic is as wrong in floats: if it is not, the trace is no
            # true picture of the code, and the floats alone are judged.
            true = ~((ulps <= _USUAL_ULPS) & (ulps < 1e-2 * exact_ulps))
            outcome.unfaithful = bool(np.any(bad & ~true))
            bad &= true
            if np.any(bad):
                i = int(np.argmax(np.where(bad, exact_ulps, -1.0)))
                if exact_ulps[i] <= self.max_ulps and is_series(self, cell, point, i):
                    outcome.series = True
                else:
                    outcome.wrong = Wrong(
                        point,
                        int(i),
                        float(want[i]),
                        float(actual[i]),
                        float(ulps[i]),
                        True,
                        "value",
                        float(exact_values[i]) if exact_values is not None else None,
                        self.table(actual, want, ulps),
                    )
                    return outcome
        if not top <= self.max_ulps:
            formula: bool | None = None
            if exact_ulps is not None:
                formula = (
                    False if (exact_ulps[worst] <= self.exact_ulps or outcome.series) else None
                )
                if not np.isfinite(exact_ulps[worst]):
                    formula = False  # 0/0 at a removable singularity: right wherever defined
            outcome.wrong = Wrong(
                point,
                worst,
                float(want[worst]),
                float(actual[worst]),
                top,
                formula,
                "value",
                None,
                self.table(actual, want, ulps),
            )
        return outcome

    def _of_constants(
        self,
        reference: Reference,
        point: np.ndarray,
        want: np.ndarray,
        exact: dict[str, float],
    ) -> np.ndarray:
        """What constants may leave by their rounding where they cancel: 0.1 + 0.2 - 0.3.

        Where they add up to no more than a number, which is zero, their terms are not known.
        """
        n = self.instance.inputs
        upstream = float(np.max(np.abs(point[n:]), initial=0.0))
        depends = self.explorer.depends
        constant = [all(i >= n for i in depends(e)) for e in reference.expected]
        size = self.instance.graph.largest_rounded * upstream
        added = np.where(constant & (np.abs(want) <= self.eps * size), size, 0.0)
        return np.maximum(added, reference.of_constants(exact))

    def at_pole(self, given: float, expected: float, allowed: float) -> bool:
        """Whether infinity is as good as the derivative: the inputs' rounding is all of that."""
        return bool(np.isinf(given) and self.eps * allowed >= abs(expected) > 0)

    def in_ulps(self, actual: np.ndarray, want: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            error = np.abs(actual - want)
            error = np.where(error <= self.tiny, 0.0, error)
            unit = self.eps * np.where(np.isfinite(allowed), allowed, np.abs(want))
            ulps = np.where(error == 0, 0.0, error / unit)
        return np.where(np.isnan(ulps) | ~np.isfinite(actual), np.inf, ulps)

    def usual(self) -> np.ndarray:
        """The ordinary size of each entry's slope: its median over ordinary points.

        Zero for functions of single entries, whose gradients keep their digits however small.
        """
        if self._usual is None:
            explorer, instance = self.explorer, self.instance
            found = [np.zeros(instance.inputs)]
            if not self.entrywise:
                rng = np.random.default_rng(4)
                for _ in range(7):
                    point = instance.draw(rng)
                    cell = explorer.locate(point)
                    if cell is not None:
                        values = dict(zip(instance.names, point, strict=True))
                        found.append(self.reference(cell).slopes(values))
            self._usual = np.median(found[1:] or found, axis=0)
        return self._usual

    def ordinary(self, point: np.ndarray) -> np.ndarray:
        """What an entry may err by where entries interact: rounding at its ordinary size.

        A softmax's gradient at the label is p - 1, however small: no digits are lost there.
        """
        upstream = float(np.max(np.abs(point[self.instance.inputs :]), initial=0.0))
        return min(_USUAL_ULPS, self.max_ulps) / self.max_ulps * upstream * self.usual()

    def table(
        self, actual: np.ndarray, want: np.ndarray, ulps: np.ndarray
    ) -> list[tuple[int, float, float, float]]:
        return [(i, float(actual[i]), float(want[i]), float(ulps[i])) for i in range(len(want))]

    def exact_error(
        self,
        cell: Cell,
        point: np.ndarray,
        exact_point: dict[str, float],
        want: np.ndarray,
        allowed: np.ndarray,
        expected: list,
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Backward's formula in balls at the point, and its error in ulps of the allowance."""
        program = self.actual_program(cell.run)
        if program is None:
            return None, None
        floor = [float(s) if np.isfinite(s) and s > 0 else 1e-300 for s in allowed]
        balls = enclose(program, exact_point, digits=20, scale=floor, max_precision=1200)
        found = np.array([float(b) if b.finite else np.nan for b in balls])
        ulps = np.zeros(len(found))
        for i, (a, e) in enumerate(zip(balls, expected, strict=True)):
            if not a.finite:
                ulps[i] = np.inf
                continue
            gap = float(abs(a.value - e.value).lower())  # certainly at least this much
            unit = self.eps * (allowed[i] if np.isfinite(allowed[i]) else abs(want[i]))
            ulps[i] = 0.0 if gap <= 1e-290 else (gap / unit if unit > 0 else np.inf)
            if unit == 0 and gap > 1e-290:
                ulps[i] = 1e300
        return found, ulps

    def actual_program(self, run: TracedRun) -> Program | None:
        """Backward's own formulas on a cell, as a program."""
        if run.backward_error is not None or (not run.grads and self.instance.inputs):
            return None
        found = self._actual.get(id(run))
        if found is None:
            zero = self.instance.graph.zero
            found = Program([zero if g is None else g for g in run.grads])
            self._actual[id(run)] = found
        return found

    def _forward_fails(
        self, values: np.ndarray, outputs: list, reference: Reference, point: np.ndarray
    ) -> str:
        """Why forward cannot be trusted at the point, or nothing."""
        n = self.instance.inputs
        for k, ball in enumerate(outputs):
            if not ball.finite:
                return "the value is not defined there"
            v = float(ball)
            if not np.isfinite(v):
                return "the value overflows"
            error = abs(values[k] - v)
            if error <= 1e-9 * abs(v) or error <= self.tiny:
                continue
            condition = self._value_condition(reference, k, point[:n], point)
            if error > self.max_ulps * self.eps * (abs(v) + condition):
                return "forward itself is inaccurate there"
        return ""

    def _value_condition(
        self, reference: Reference, k: int, x: np.ndarray, point: np.ndarray
    ) -> float:
        """How much the value of output ``k`` moves with the inputs, relative to their size.

        Certified, since in floats the slopes cancel where the value does.
        """
        exact = dict(zip(self.instance.names, map(float, point), strict=True))
        program = self.explorer.program(reference.jacobian[k])
        balls = enclose(program, exact, digits=3, scale=1e-290)
        slopes = np.array([float(b) if b.finite else np.nan for b in balls])
        return float(np.nansum(np.abs(slopes)) * np.max(np.abs(x), initial=0.0))


def huge_in(exponent: Node) -> float:
    """A huge number that an exponent is, which is to stand for infinity; zero for any other.

    A number alone, or less another one: ``t - 2450000`` is a date, and masks nothing.
    """
    if any(n.op == "var" for n in topological([exponent])):
        return 0.0
    value = float(Program([exponent]).run(FLOAT, {})[0])
    return value if _INFINITE <= abs(value) < np.inf else 0.0
