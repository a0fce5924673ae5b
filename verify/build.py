"""A report from what is wrong: the counterexample shrunk, the blame, the diagnosis, the snippet.

May import: everything of :mod:`verify` but the command, the reports, and :mod:`verify.check`.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import numpy as np

from symbolic.limits import OutOfTime, time_limit
from symbolic.sympy_bridge import to_sympy
from symbolic.values import TraceError
from verify.casework import Casework, Failure
from verify.cells import Cell
from verify.cut import cut
from verify.diagnosis import diagnose
from verify.evidence.composite import first_guilty
from verify.evidence.violation import Violation
from verify.instance import Instance
from verify.judge import Judge, Wrong
from verify.lost_digits import cause, region, samples
from verify.regions import described, regions
from verify.snippet import folded, snippet
from verify.subject import TensorSubject, raised
from verify.verdict import Counterexample, Entry, Finding, Region, Report, Verdict

__all__ = ["derivative_text", "failure", "formula_text", "show", "undecided"]


SHORT = 120  # characters of a formula that is read as it is
LONGEST = 300


def undecided(work: Casework, reason: str) -> Report:
    """Nothing could be said, and why."""
    report = Report(
        "",
        Verdict.UNDECIDED,
        findings=work.findings(),
        cells={"explored": work.explored, "proved": work.proved},
        not_covered=list(dict.fromkeys(work.uncovered)),
    )
    report.reason = reason
    report.notes = list(dict.fromkeys(work.notes))
    report.printed = work.printed or None
    return report


def failure(work: Casework, found: Failure) -> Report:
    """The report on something that is wrong."""
    report = Report(
        "",
        Verdict.REFUTED,
        blame=found.blame,
        findings=work.findings(),
        cells={"explored": max(work.explored, _explored(found)), "proved": work.proved},
        not_covered=list(dict.fromkeys(work.uncovered)),
        max_ulp=work.max_ulp,
    )
    report.notes = list(dict.fromkeys(work.notes))
    report.scope = f"at {found.instance.example.describe()}"
    report.printed = found.instance.printed or None
    if found.wrong is not None:
        _value(work, report, found, found.wrong)
    elif found.violation is not None:
        _violation(report, found, found.violation)
    elif found.disagreement is not None:
        _disagreement(report, found)
    elif found.second is not None:
        _second(report, found)
    if isinstance(work.subject, TensorSubject):
        _name_step(work.subject, work, report, found)
    if report.counterexample is not None and report.snippet is None:
        said = found.violation.message if found.violation is not None else None
        report.snippet = snippet(found.instance, report.counterexample, report.argument, said)
    # Code that spells out the data of an argument held fixed would be of no use.
    data = any(
        isinstance(slot.fixed, np.ndarray) and slot.fixed.dtype.kind == "f"
        for slot in found.instance.example.slots
    )
    if (found.wrong or found.violation) is not None and found.blame == "backward" and not data:
        from verify.repair import repair  # it runs the checker again

        code = repair(
            found.instance,
            found.cell,
            report.argument,
            work.subject,
            examples=work.examples,
            max_ulps=work.max_ulps,
        )
        report.repair = None if code is None else folded(code)
    return report


def _explored(found: Failure) -> int:
    """How many cells there were to look at when the mistake was found."""
    return 0 if found.judge is None else len(found.judge.explorer.cells)


def _value(work: Casework, report: Report, found: Failure, wrong: Wrong) -> None:
    """A wrong entry: shrink it, then explain it."""
    instance, judge = found.instance, found.judge
    diagnosis = None
    if judge is not None:
        wrong = found.wrong = _shrink(judge, wrong)
        try:
            with time_limit(2.0):
                diagnosis = diagnose(judge, wrong)
        except (OutOfTime, TraceError, ArithmeticError, ValueError):
            diagnosis = None
    if wrong.kind == "raises":
        run = instance.run(wrong.point)
        assert run.backward_error is not None
        report.verdict = Verdict.REFUTED
        diagnosis = None
        said = raised(run.backward_error)
    elif wrong.formula is False or (judge is not None and _loses_digits(judge, wrong)):
        report.verdict = Verdict.INACCURATE
    piece, local = instance.owner(wrong.entry) if instance.inputs else (None, 0)
    if piece is not None:
        report.argument = piece.name
    report.counterexample = Counterexample(
        _inputs(instance, wrong.point),
        _upstream(instance, wrong.point),
        piece.entry(local) if piece is not None else (),
        wrong.expected,
        wrong.actual,
    )
    if judge is not None and report.verdict is Verdict.INACCURATE:
        try:
            with time_limit(4.0):
                diagnosis = cause(judge, wrong) or diagnosis
                report.region = region(judge, wrong)
                report.samples = samples(judge, wrong)
        except OutOfTime:
            pass
    report.diagnosis = diagnosis
    for i, given, expected, _ in wrong.table:
        owner, k = instance.owner(i)
        report.entries.append(Entry.compare(owner.name, owner.entry(k), given, expected))
    cell = None if judge is None else _cell_at(judge, wrong.point)
    if cell is not None:
        report.conditions = described(cell.conditions)
        report.derivative = derivative_text(instance, cell, wrong.entry)
        report.formula = formula_text(instance, cell)
    if piece is not None:
        _surroundings(report, instance, judge, wrong, cell)
    if report.verdict is Verdict.INACCURATE:
        report.max_ulp = wrong.ulps
    if wrong.kind != "raises":
        kink = wrong.kind == "kink"
        what = (
            "outside the generalised gradient at a kink" if kink else "differs from the derivative"
        )
        said = (
            f"{what} at {_entry_label(instance, wrong)}: expected {wrong.expected!r}, "
            f"got {wrong.actual!r}"
        )
    report.findings.append(Finding(found.evidence, "fail", said))


def _surroundings(
    report: Report, instance: Instance, judge: Judge | None, wrong: Wrong, here: Cell | None
) -> None:
    """For the page: the cells, and a cut through the counterexample."""
    found = [] if judge is None else list(judge.explorer.cells.values())
    with contextlib.suppress(OutOfTime, Exception), time_limit(3.0):  # a picture costs no verdict
        report.cut = cut(instance, wrong.point, wrong.entry, traced=judge is not None)
        report.regions = regions(
            found,
            lambda cell: derivative_text(instance, cell, wrong.entry),
            instance.names[wrong.entry],
            here,
        )


def show(work: Casework, report: Report) -> None:
    """Of a subject that passed: what it computes, the derivative of that, and where."""
    report.derivative = report.formula = None
    if work.derivative is not None:
        instance, cell = work.derivative
        report.derivative = derivative_text(instance, cell, 0)
        report.formula = formula_text(instance, cell)
    report.regions = _cells(work)


def _cells(work: Casework) -> list[Region]:
    """The cells, where there are several."""
    if work.shown is None or len(work.shown[1]) < 2:
        return []
    instance, found = work.shown
    try:
        with time_limit(2.0):
            return regions(
                found,
                lambda cell: derivative_text(instance, cell, 0),
                instance.names[0],
                seconds=0.3,
            )
    except (OutOfTime, Exception):  # a table must not cost a verdict
        return []


def _name_step(subject: TensorSubject, work: Casework, report: Report, found: Failure) -> None:
    """In a composite: which step is to blame, with the diagnosis that fits it."""
    guilty = found.guilty
    if guilty is None:
        points = [f.point for f in (found.wrong, found.violation) if f is not None]
        if not points or points[0] is None:
            return
        guilty, judged = first_guilty(subject, found.instance, points[0], work.max_ulps)
        if guilty is None and judged and found.wrong is not None and found.wrong.kind == "value":
            # Right in exact arithmetic: nothing is missing.
            report.diagnosis = (
                "every recorded step is right at what it received: the digits are lost where what "
                "they give back is added up, or were before it came to them"
                if found.wrong.formula is False
                else "every recorded step is right: part of the computation is not in the graph "
                "(.detach(), no_grad, or a value taken out of a Tensor)"
            )
    if guilty is None:
        return
    step = guilty.step
    report.step = (step.name, *(step.place or (None, None)))
    report.findings.append(Finding("graph", "fail", f"{step.describe()}: {guilty.message}"))
    diagnosis = None
    if guilty.judge is not None and guilty.wrong is not None:
        try:
            with time_limit(2.0):
                diagnosis = diagnose(guilty.judge, guilty.wrong)
        except (OutOfTime, TraceError, ArithmeticError, ValueError):
            pass
    report.diagnosis = f"{step.describe()}: {diagnosis or guilty.message}"


def _loses_digits(judge: Judge, wrong: Wrong) -> bool:
    """Whether a backward that could not be traced is right at ordinary points, and here nearly so.

    Then its formula is right and its floats are not: it gives NaN, or an error that is small
    beside the gradient's ordinary size. A formula that is wrong somewhere is off by more.
    """
    if wrong.formula is not None or wrong.kind == "raises":
        return False
    instance = judge.instance
    points = [instance.draw() for _ in range(8)]
    found = [(p, o) for p in points if (o := judge.judge(p)).judged and not o.kink]
    if len(found) < 4 or any(outcome.ulps > 2.0**12 for _, outcome in found):
        return False
    if not np.isfinite(wrong.actual):
        return True
    # Judged right there, so backward's own values tell the size.
    sizes = [abs(instance.run(p).flat_grads(instance.pieces)[wrong.entry]) for p, _ in found]
    size = max(float(np.median(sizes)), abs(wrong.expected))
    return bool(abs(wrong.actual - wrong.expected) <= 1e-6 * size)


def _entry_label(instance: Instance, wrong: Wrong) -> str:
    piece, k = instance.owner(wrong.entry)
    return piece.label(k)


def _cell_at(judge: Judge, point: np.ndarray) -> Cell | None:
    try:
        return judge.explorer.visit(point)
    except Exception:  # a report must come out whatever the user's code does here
        return None


def _inputs(instance: Instance, point: np.ndarray) -> dict[str, Any]:
    args = instance.arguments(point)
    found = {s.name: a for s, a in zip(instance.example.slots, args, strict=True)}
    found.update(instance.example.keywords)
    return found


def _upstream(instance: Instance, point: np.ndarray) -> Any:
    arrays = instance.upstream_arrays(point)
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def _shrink(judge: Judge, wrong: Wrong) -> Wrong:
    """The simplest point near the counterexample at which the same kind of error is seen."""
    instance = judge.instance

    def still(point: np.ndarray) -> Wrong | None:
        if not instance.in_domain(point):
            return None
        try:
            outcome = judge.judge(point)
        except Exception:  # shrinking must never cost the verdict
            return None
        new = outcome.wrong
        if new is None or new.formula != wrong.formula or new.kind != wrong.kind:
            return None
        if np.isnan(new.actual) != np.isnan(wrong.actual):
            return None
        return new

    best = wrong
    n = instance.inputs
    m = len(instance.names) - n
    # The plainest upstream gradient first.
    for upstream in (np.ones(m), 2 * np.ones(m), np.eye(m)[0] if m else np.ones(0)):
        point = best.point.copy()
        point[n:] = upstream
        found = still(point)
        if found is not None:
            best = found
            break
    if instance.free:
        for value in (1.0, 2.0, 0.0, 0.5, -1.0, 3.0):
            point = best.point.copy()
            point[:n] = value
            found = still(point)
            if found is not None:
                best = found
                break
        else:
            best = _shrink_entries(instance, best, still)
    return best


def _shrink_entries(instance: Instance, best: Wrong, still: Any) -> Wrong:
    tried = 0
    for i in range(instance.inputs):
        value = best.point[i]
        for simpler in (
            0.0,
            1.0,
            -1.0,
            2.0,
            0.5,
            -2.0,
            3.0,
            np.round(value),
            np.round(value, 1),
            np.round(value, 2),
            float(f"{value:.2g}"),
        ):
            if simpler == value:
                break
            if tried > 120:
                return best
            tried += 1
            point = best.point.copy()
            point[i] = simpler
            found = still(point)
            if found is not None:
                best = found
                break
    return best


def _violation(report: Report, found: Failure, violation: Violation) -> None:
    instance = found.instance
    report.argument = violation.argument
    report.findings = [f for f in report.findings if f.evidence != "contract"]
    report.findings.append(Finding("contract", "fail", violation.message))
    report.diagnosis = violation.message
    if violation.point is not None:
        index: tuple[int, ...] = ()
        if violation.entry is not None:
            piece, k = instance.owner(violation.entry)
            index = piece.entry(k)
            report.argument = piece.name
        expected = np.nan if violation.expected is None else violation.expected
        actual = np.nan if violation.actual is None else violation.actual
        report.counterexample = Counterexample(
            _inputs(instance, violation.point),
            _upstream(instance, violation.point),
            index,
            expected,
            actual,
        )


def _disagreement(report: Report, found: Failure) -> None:
    d = found.disagreement
    assert d is not None
    instance = found.instance
    k, piece, local = d.output, None, 0
    for p in instance.upstream:
        if k < p.size:
            piece, local = p, k
            break
        k -= p.size
    index = piece.entry(local) if piece is not None else ()
    report.counterexample = Counterexample(
        _inputs(instance, d.point), _upstream(instance, d.point), index, d.formula, d.forward
    )
    where = f"[{', '.join(map(str, index))}]" if index else ""
    report.findings.append(
        Finding(
            "formula",
            "fail",
            f"forward and formula differ: output{where} is {d.forward!r} by forward and "
            f"{d.formula!r} by the formula",
        )
    )
    report.conditions = described(d.cell.conditions)
    if report.blame == "formula":
        report.diagnosis = (
            "the formula is the odd one out: backward is the derivative of what forward computes"
        )
    else:
        report.diagnosis = (
            "forward and formula disagree: forward computes "
            f"{_text(to_sympy([d.cell.run.outputs[d.output]])[0])}, the formula says "
            f"{_text(to_sympy([d.cell.run.formula[d.output]])[0])}"  # type: ignore[index]
        )


def _second(report: Report, found: Failure) -> None:
    s = found.second
    assert s is not None
    assert s.point is not None
    instance = found.instance
    report.counterexample = Counterexample(
        _inputs(instance, s.point), _upstream(instance, s.point), (), s.expected, s.actual
    )
    report.argument = s.wrt.split("[")[0]
    report.findings.append(
        Finding(
            "second_order",
            "fail",
            f"the derivative of the gradient in {s.wrt} is {s.actual!r}, expected {s.expected!r}",
        )
    )
    report.diagnosis = (
        "right in first order, wrong in second: backward uses something that depends on the inputs "
        "and did not go through save_for_backward as an input or an output, so it counts as a "
        "constant"
    )


def derivative_text(instance: Instance, cell: Cell, entry: int) -> str | None:
    """The right derivative of one entry on a cell, as SymPy prints it."""
    graph = instance.graph
    n = instance.inputs
    outputs = cell.run.formula or cell.run.outputs
    seeds = [graph.variable(name) for name in instance.names[n:]]
    if len(seeds) == 1:
        seeds = [graph.one]
    try:
        with time_limit(1.0):
            [node] = graph.vjp(outputs, seeds, [graph.variable(instance.names[entry])])
            expression = to_sympy([node])[0]
            try:
                with time_limit(0.4):
                    import sympy as sp

                    if expression.count_ops() < 120:
                        expression = sp.simplify(expression)
            except (OutOfTime, Exception):
                pass
            return _text(expression)
    except (OutOfTime, Exception):
        return None


def formula_text(instance: Instance, cell: Cell) -> str | None:
    """What forward computes on a cell: the first entry of the first output."""
    outputs = cell.run.formula or cell.run.outputs
    try:
        with time_limit(0.5):
            text = _text(to_sympy([outputs[0]])[0])
    except (OutOfTime, Exception):
        return None
    piece = instance.upstream[0]
    index = ",".join(map(str, piece.entry(0)))
    return f"output[{index}] = {text}" if index else text


def _text(expression: Any) -> str:
    """SymPy's text; of a long expression with names for the parts that it repeats."""
    import sympy as sp

    text = str(expression)
    if len(text) <= SHORT:
        return text
    names = (sp.Symbol(f"_{i}") for i in itertools.count(1))
    parts, (short,) = sp.cse(expression, names)
    named = f"{short} where " + ", ".join(f"{name} = {part}" for name, part in parts)
    text = min(text, named, key=len) if len(named) <= LONGEST else text
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
