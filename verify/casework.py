"""The evidence on one subject, example by example.

:class:`Casework` runs an example through contract, exploration, formula, proof, oracle, differences
and second order, and stops at the first thing that is certainly wrong.

May import: everything of :mod:`verify` but the command, the reports, and :mod:`verify.check`.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field

import numpy as np

from symbolic.balls import enclose
from symbolic.graph import topological
from symbolic.limits import OutOfTime, time_limit
from symbolic.sympy_bridge import NotDifferentiable
from symbolic.values import TraceError
from verify import points as where
from verify import realified
from verify.cells import Cell
from verify.entrywise import Known, formulas, is_entrywise
from verify.evidence import (
    by_differences,
    composite,
    contract,
    every_size,
    oracle,
    proof,
    second_order,
    shapes,
)
from verify.evidence import formula as formula_evidence
from verify.evidence.formula import Disagreement
from verify.examples import Example
from verify.explore import Explorer
from verify.failure import Failure
from verify.instance import Instance
from verify.judge import Judge, Outcome
from verify.kinks import beside, reference_of
from verify.large import by_directions
from verify.nearness import inside
from verify.reference import EPS, Reference
from verify.series import bounded_entries
from verify.structure import free_derivative, reading
from verify.subject import Subject, TensorSubject
from verify.variations import longer, options, other_indices, reduced, single, variations
from verify.verdict import Finding

__all__ = ["Casework", "Failure"]


@dataclass
class Tally:
    """How one kind of evidence went, over all examples."""

    passed: int = 0
    skipped: list[str] = field(default_factory=list)
    detail: str = ""


class Casework:
    """All evidence on one subject.

    Attributes
    ----------
    explored, proved : int
        Cells found, and cells on which backward was proved.
    judged : int
        Points at which backward was judged.
    all_proved : bool
        Whether every cell of every example was proved.
    uncovered : list of str
    declared : list of Example
        Those of the user, or guessed; among `examples` are smaller ones made of them too.
    derivative : (Instance, Cell) or None
        Whose derivative is shown.
    strict : bool
        Whether an error of the checker's own is raised; for its tests.
    """

    strict = False

    def __init__(self, subject: Subject, order: int, seed: int, max_ulps: float):
        self.subject = subject
        self.order = order
        self.rng = np.random.default_rng(seed)
        self.max_ulps = float(max_ulps)
        self.guessed = False
        self.explored = 0
        self.proved = 0
        self.judged = 0
        self.kinks = 0
        self.all_proved = True
        self.uncovered: list[str] = []
        self.notes: list[str] = []
        self.reason = ""
        self.max_ulp: float | None = None
        self.worst: str | None = None
        self.resolution: float | None = None
        self.samples: list[tuple[float, float, float | None]] = []
        # The first example's with several cells, for a table.
        self.shown: tuple[Instance, list[Cell]] | None = None
        self.printed = ""
        self.tallies: dict[str, Tally] = {}
        self.running = False
        self.doing = "starting"
        self.examples: list[Example] = []
        self.declared: list[Example] = []
        self.entrywise = True
        self.interacting: set[str] = set()
        self.constants: dict[float, str] = {}
        self.methods: set[str] = set()
        self.derivative: tuple[Instance, Cell] | None = None
        self.known = Known()
        self._small_done = False
        self.varied: list[str] = []
        self.instances: list[Instance] = []
        self._first: list[tuple[np.ndarray, Outcome]] = []
        self.contradiction = ""
        self._unproved = 0
        self._decided: set[tuple] = set()
        self._cells = 0
        self._cells_proved = 0

    # Bookkeeping

    def tally(self, evidence: str) -> Tally:
        return self.tallies.setdefault(evidence, Tally())

    def skip(self, evidence: str, message: str) -> None:
        self.tally(evidence).skipped.append(message)

    def findings(self) -> list[Finding]:
        """What each kind of evidence said, as a report lists it."""
        found = []
        for evidence, tally in self.tallies.items():
            if tally.skipped:
                for message in dict.fromkeys(tally.skipped):
                    found.append(Finding(evidence, "skip", message))
            if tally.passed:
                found.append(Finding(evidence, "pass", tally.detail))
        return found

    def scope(self) -> str:
        tried = "; ".join(dict.fromkeys(e.describe() for e in self.examples))
        if self.entrywise and self.all_proved and self.examples:
            return "at every shape"
        if self.all_proved and not self.uncovered and self.order == 1:
            everywhere = every_size.scope(self.subject, self.examples)
            if everywhere is not None:
                return everywhere
        return f"at {tried}" if len(tried) < 200 else f"at {len(self.examples)} examples"

    def small(self, example: Example) -> Example | None:
        """A large example cut down to a few entries, where the code runs on that too."""
        if 10 * example.size <= MOST_ENTRIES:
            return None  # few outputs have so many entries
        whole = Instance(self.subject, example, np.random.default_rng(0))
        if whole.prepare().forward_error is not None or len(whole.names) <= MOST_ENTRIES:
            return None
        small = reduced(example)
        instance = Instance(self.subject, small, np.random.default_rng(0))
        if instance.prepare().forward_error is not None or not instance.inputs:
            return None
        run = instance.run(instance.draw())
        fits = run.backward_error is None and run.finite and not run.shape_errors
        return small if fits else None

    def single(self, example: Example) -> Example | None:
        """An example of a function of single entries with one entry each, if the code runs on it.

        All that there is to explore is found there, and sooner.
        """
        one = single(example)
        if one is None or example.size > 64:
            return None
        whole = Instance(self.subject, example, np.random.default_rng(0))
        if whole.prepare().forward_error is not None or not (whole.inputs and whole.upstream):
            return None
        explorer = Explorer(whole, 0.0)
        try:
            explorer.visit(whole.draw())
        except (TraceError, NotDifferentiable):
            return None
        if not is_entrywise(whole, explorer) or not formulas(explorer):
            return None
        instance = Instance(self.subject, one, np.random.default_rng(0))
        if instance.prepare().forward_error is not None:
            return None
        run = instance.run(instance.draw())
        fits = run.finite and run.backward_error is None and not run.shape_errors
        return one if fits and all(o.size == 1 for o in run.outputs) else None

    def survey(self, examples: list[Example]) -> None:
        """See at the largest example which gradients depend on several entries."""
        small = [e for e in examples if 1 < e.size <= 64]
        if not small:
            return
        instance = Instance(self.subject, max(small, key=lambda e: e.size), self.rng)
        if instance.prepare().forward_error is not None or not (
            instance.inputs and instance.upstream
        ):
            return
        explorer = Explorer(instance, 0.0)
        try:
            cell = explorer.visit(instance.draw())
        except TraceError:
            return
        names = reference_of(explorer, cell, {}).interacting
        self.interacting = {instance.owner(instance.names.index(name))[0].name for name in names}

    # One example

    def examine(self, example: Example, seconds: float) -> Failure | None:
        """Gather all evidence at one example; what is wrong, or None."""
        self.running = True
        self.doing = f"running forward at {example.describe()}"
        self.subject, instance, prepared = realified.prepared(self.subject, example, self.rng)
        if prepared.forward_error is not None:
            error = prepared.forward_error
            self.reason = f"forward raises {type(error).__name__} at {example.describe()}: {error}"
            self.uncovered.append(self.reason)
            self.all_proved = False
            return None
        if not instance.upstream or not instance.inputs:
            if instance.inputs == 0 and any(s.varies for s in example.slots):
                return contract.empty(instance)
            self.reason = f"nothing to differentiate at {example.describe()}"
            self.notes.append(self.reason)
            return None
        self.examples.append(example)
        self._decided.clear()  # nodes belong to the example's own graph
        end = time.process_time() + seconds
        found = contract.gather(self, instance)
        if found is not None:
            return found
        failure = self._judged(reading(instance, self.max_ulps), end)
        self.printed = self.printed or instance.printed
        self.running = False
        return failure

    def _judged(self, instance: Instance, end: float) -> Failure | None:
        """What is wrong with the values of the gradient, or None."""
        if len(instance.names) > MOST_ENTRIES:
            base = instance.base()
            points = [instance.draw() if base is None else base, instance.draw(), instance.draw()]
            return by_directions(self, instance, points, end)
        explorer, stopped = self._explore(instance, end)
        if explorer is None:
            return by_differences.without_trace(self, instance, stopped, end)
        try:
            failure = self._with_trace(instance, explorer, end)
        except Exception as problem:
            # Whatever stops the proof, forward alone still speaks.
            foreseen = isinstance(problem, (NotDifferentiable, RecursionError))
            if not foreseen and self.strict:
                raise
            text = str(problem) if foreseen else f"{type(problem).__name__}: {problem}"
            own = "" if foreseen else " (an error of gradproof's own, please report it)"
            self.skip("proof", f"not proved: {text}{own}")
            self.all_proved = False
            failure = by_differences.compare(self, instance, end, text)
        if failure is None and isinstance(self.subject, TensorSubject):
            failure = self._steps(self.subject, instance)
        return failure

    def _steps(self, subject: TensorSubject, instance: Instance) -> Failure | None:
        """Every step of a composite that is the user's own, at what it received."""
        self.doing = "checking the steps of the graph"
        total = 0
        for point in [instance.draw() for _ in range(2)]:
            guilty, judged = composite.first_guilty(
                subject, instance, point, self.max_ulps, own=False
            )
            if guilty is not None:
                return Failure(
                    guilty.instance or instance,
                    "graph",
                    wrong=guilty.wrong,
                    guilty=guilty,
                    judge=guilty.judge,
                )
            total += judged
        if total:
            tally = self.tally("graph")
            tally.passed += 1
            tally.detail = "every step is right at the upstream gradient that it received"
        return None

    def vary(self, example: Example, end: float) -> Failure | None:
        """Other lengths and axes of an example: certified values at a few points.

        Whether a length that nobody declared is meant to work cannot be known: where backward
        raises or gives another shape there, forward leaves entries unused, or entries play parts of
        their own, nothing is said. A wrong value of the right shape is wrong.
        """
        if not all(s.domain.free for s in example.slots if s.varies):
            return None
        shapes_tried = [s.shape for e in self.examples for s in e.slots if s.varies and s.shape]
        longest = max((n for shape in shapes_tried for n in shape), default=0)
        others = itertools.chain(
            variations(example, longest),
            shapes.of_more_axes(self, example),
            other_indices(example, np.random.default_rng(2)),
        )
        if self.guessed:
            others = itertools.chain(options(self.subject, example), others)
        for other in others:
            if time.process_time() > end:
                return None
            self.doing = f"trying {other.describe()}"
            self.subject, instance, prepared = realified.prepared(self.subject, other, self.rng)
            if prepared.forward_error is not None or not prepared.finite:
                continue
            if not instance.upstream or not instance.inputs:
                continue
            points = [instance.draw() for _ in range(3)]
            run = instance.run(points[0])
            if run.backward_error is not None or run.shape_errors:
                continue
            explorer = Explorer(instance, end)
            explorer.interacting = self.interacting
            try:
                explorer.explore(points, lambda: True)
            except (TraceError, NotDifferentiable):
                used = False
            else:
                used = _all_used(instance, explorer)
            if not used and by_differences.all_used(instance, points[:1]):  # it is not traced
                failure = by_differences.at_points(instance, points)
                if failure is not None and shapes.exchangeable(self, example, other):
                    return failure
                continue
            if not (used or shapes.any_length(self, example, other)):
                continue
            judge = Judge(explorer, self.max_ulps)
            judge.entrywise = is_entrywise(instance, explorer)
            trials = list(points)
            if not self.known.covers(instance, explorer):
                trials += itertools.islice(where.structured(instance, self.rng), 10)
            for point in trials:
                outcome = oracle.judged(judge, point)
                if outcome.wrong is None or instance.run(outcome.wrong.point).shape_errors:
                    continue
                if by_differences.overrule(instance, outcome.wrong):
                    continue
                if not (self.guessed or shapes.exchangeable(self, example, other)):
                    self.notes.append(f"not judged: {other.describe()}, which no example declares")
                    break
                return Failure(instance, "oracle", wrong=outcome.wrong, judge=judge)
            else:
                self.varied.append(other.describe())
        return None

    def lengthen(self, example: Example, end: float) -> Failure | None:
        """Much longer arrays, by slopes of forward alone: a count of bytes, a block of 256."""
        if not all(s.domain.free for s in example.slots if s.varies):
            return None
        for other in longer(example):
            if time.process_time() > end:
                return None
            self.doing = f"trying {other.describe()}"
            try:
                with time_limit(_SECONDS_LONG):
                    failure = self._along(other)
            except OutOfTime:  # work that grows with the cube of the length, say
                return None
            if failure is not None and (self.guessed or shapes.exchangeable(self, example, other)):
                return failure
        return None

    def _along(self, example: Example) -> Failure | None:
        """What is wrong along a direction, by forward alone, where the code runs on such arrays."""
        instance = Instance(self.subject, example, self.rng)
        prepared = instance.prepare()
        if prepared.forward_error is not None or not prepared.finite or not instance.upstream:
            return None
        points = [instance.draw() for _ in range(2)]
        run = instance.run(points[0])
        if run.backward_error is not None or run.shape_errors:
            return None
        failure = by_differences.at_points(instance, points, along=True)
        # What forward makes no use of is no part of a longer array: x[0] + x[1] + x[2].
        if failure is None:
            return None
        mirrored = points[0].copy()
        mirrored[: instance.inputs] *= -1
        return failure if by_differences.all_used(instance, [*points, mirrored]) else None

    # Exploration

    def _explore(self, instance: Instance, end: float) -> tuple[Explorer | None, str]:
        self.doing = f"exploring cells at {instance.example.describe()}"
        left = max(end - time.process_time(), 0.05)
        explorer = Explorer(instance, time.process_time() + 0.45 * left)
        explorer.interacting = self.interacting
        if len(self.examples) > 1:  # the first example is explored in full, the others less
            explorer.most, explorer.products = (96, 8) if len(self.examples) == 2 else (64, 4)
        try:
            with time_limit(0.6 * left + 0.5):
                explorer.explore(
                    where.starts(instance, self.rng),
                    # The cells of a function of single entries were all found at a smaller shape.
                    lambda: self.known.covers(instance, explorer),
                )
        except TraceError as error:
            place = f" ({error.where[0]}:{error.where[1]})" if error.where else ""
            return None, f"{error}{place}"
        except NotDifferentiable as error:
            return None, f"its derivative has no formula: {error}"
        except OutOfTime:
            if not explorer.cells:
                return None, "out of time while tracing"
            explorer.uncovered.append("cells that the time did not suffice to explore")
            explorer.complete = False
        return explorer, ""

    # Everything that rests on a trace

    def _with_trace(self, instance: Instance, explorer: Explorer, end: float) -> Failure | None:
        # A projection rounds too, and is none of backward's.
        judge = Judge(explorer, self.max_ulps * (2.0**12 if instance.projected else 1.0))
        judge.entrywise = is_entrywise(instance, explorer)
        first = next(iter(explorer.cells.values()))
        if self.derivative is None or (
            not judge.entrywise and _says_little(self.derivative[0]) and not _says_little(instance)
        ):
            self.derivative = (instance, first)
            if instance.projected:  # shown is what a user would write
                self.derivative = free_derivative(instance, first.point) or self.derivative
        failure = self._formula(explorer, judge, end)
        if failure is not None:
            return failure
        self.doing = f"proving at {instance.example.describe()}"
        self._first = []
        for cell in list(explorer.cells.values()):
            # Refuting is cheaper than proving.
            if time.process_time() > end:
                break
            outcome = oracle.judged(judge, cell.point)
            self._first.append((cell.point, outcome))
            if outcome.wrong is not None:
                if by_differences.overrule(instance, outcome.wrong):
                    return by_differences.without_trace(self, instance, by_differences.UNTRUE, end)
                return Failure(instance, "oracle", wrong=outcome.wrong, judge=judge, cell=cell)
        proof.prove(self, instance, explorer, judge, end)
        self.doing = f"comparing with certified values at {instance.example.describe()}"
        failure = oracle.compare(self, instance, explorer, judge, end)
        if failure is not None:
            return failure
        proof.count(self, instance, explorer, judge, end)
        by_differences.spot(self, instance, explorer)
        if self.order > 1:
            self.doing = "checking the second order"
            failure = self._second_order(instance, explorer, judge, end)
            if failure is not None:
                return failure
        return None

    def _formula(self, explorer: Explorer, judge: Judge, end: float) -> Failure | None:
        if self.subject.formula is None:
            return None
        self.doing = "comparing forward with its formula"
        tally = self.tally("formula")
        proved, total = 0, 0
        for cell in list(explorer.cells.values()):
            if cell.outside:
                continue
            if cell.run.formula is None:
                self.skip("formula", cell.run.formula_error or "the formula was not evaluated")
                self.all_proved = False
                return None
            total += 1
            most = 1.0 if proved == total - 1 else 0.1
            left = max(0.1, min(most, 0.2 * (end - time.process_time())))
            same, disagreement = formula_evidence.compare(explorer, cell, left)
            proved += same
            if disagreement is not None:
                if cell.thin or self._approximates(judge, cell, disagreement):
                    continue
                blame = self._vote(explorer, judge, disagreement)
                return Failure(
                    explorer.instance,
                    "formula",
                    disagreement=disagreement,
                    judge=judge,
                    cell=cell,
                    blame=blame,
                )
        tally.passed += 1
        tally.detail = f"forward equals its formula on {total} cell{'s' * (total != 1)}" + (
            "" if proved == total else f" ({proved} proved, the rest at the points tried)"
        )
        return None

    def _approximates(self, judge: Judge, cell: Cell, d: Disagreement) -> bool:
        """A series used between two thresholds may differ from the formula below its rounding."""
        gap = abs(d.forward - d.formula)
        return bool(bounded_entries(judge, cell)) and gap <= self.max_ulps * EPS * abs(d.formula)

    def _vote(self, explorer: Explorer, judge: Judge, d: Disagreement) -> str:
        """Which of forward, formula and backward is the odd one out."""
        instance = explorer.instance
        cell = d.cell
        program = judge.actual_program(cell.run)
        if program is None:
            return "forward"
        n = instance.inputs
        votes = {}
        exact = dict(zip(instance.names, map(float, d.point), strict=True))
        actual = [float(b) if b.finite else np.nan for b in enclose(program, exact, scale=1e-290)]
        for name, outputs in (("forward", cell.run.outputs), ("formula", cell.run.formula)):
            assert outputs is not None
            reference = Reference(instance.graph, outputs, instance.names[:n], instance.names[n:])
            _, expected = reference.enclose(exact)
            want = np.array([float(b) if b.finite else np.nan for b in expected])
            votes[name] = np.allclose(actual, want, rtol=1e-12, atol=1e-290)
        if votes["forward"] and not votes["formula"]:
            return "formula"
        # Backward sides with the formula, or with neither: then both values are shown.
        return "forward"

    def _second_order(
        self, instance: Instance, explorer: Explorer, judge: Judge, end: float
    ) -> Failure | None:
        tally = self.tally("second_order")
        if not self.subject.second_order:
            self.skip("second_order", "only Functions and callables on Tensors have a second order")
            return None
        if instance.moved:
            self.skip("second_order", "on structured domains the first order alone is compared")
            return None
        full = proof.smooth(explorer)
        points = [c for c in explorer.cells.values() if c.thin and not c.outside]
        proved = 0
        for cell in [*full[:24], *points[:24]]:
            left = max(0.1, min(3.0, 0.3 * (end - time.process_time())))
            try:
                at = cell.point
                around = None
                if cell.kinked or (cell.thin and not inside(explorer, cell, at)):
                    around = beside(explorer, cell, judge.references)
                # Looking around may find that the same decisions hold off the boundary too.
                if around is not None and cell.point is at:
                    result = second_order.check_limit(explorer, cell, around, self.order)
                else:
                    result = second_order.check_order(
                        explorer, cell, judge.reference(cell), self.order, left
                    )
            except TraceError as error:
                self.skip("second_order", f"not traced: {error}")
                self.all_proved = False
                failure = by_differences.raising_again(instance, cell.point)
                return failure or by_differences.higher(self, instance, end)
            if result.skipped:
                failure = by_differences.raising_again(instance, cell.point)
                if failure is not None:
                    return failure
                self.skip("second_order", result.skipped)
                self.uncovered.append(f"order {self.order}: {result.skipped}")
                self.all_proved = False
                return None
            if result.point is not None:
                return Failure(instance, "second_order", second=result, judge=judge, cell=cell)
            proved += result.proved and not cell.thin
        if proved < len(full):
            self.all_proved = False
        tally.passed += 1
        tally.detail = f"order {self.order} proved on {proved} of {len(full)} cells"
        return None


# For each of the arrays that are much longer than those of the examples.
_SECONDS_LONG = 0.5

# Of arguments and outputs together: more are not traced entry by entry.
MOST_ENTRIES = 200


def _all_used(instance: Instance, explorer: Explorer) -> bool:
    """Whether every entry of the arguments occurs in some output, on some cell."""
    outputs = [n for cell in explorer.cells.values() for n in cell.run.outputs]
    used = {n.args[0] for n in topological(outputs) if n.op == "var"}
    return used.issuperset(instance.names[: instance.inputs])


def _says_little(instance: Instance) -> bool:
    """Whether an axis of one entry hides what a function of arrays does: a softmax of one is 1."""
    return any(n == 1 for piece in instance.pieces for n in piece.shape or (1,))
