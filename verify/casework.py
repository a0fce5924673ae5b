"""The evidence on one subject, example by example.

:class:`Casework` runs an example through contract, exploration, formula, proof, oracle, differences
and second order, and stops at the first thing that is certainly wrong.

May import: everything of :mod:`verify` but the command, the reports, and :mod:`verify.check`.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbolic.balls import enclose
from symbolic.decide import all_equal
from symbolic.graph import Node, topological
from symbolic.limits import OutOfTime, time_limit
from symbolic.sympy_bridge import NotDifferentiable, UnknownOperation
from symbolic.values import Condition, TraceError
from verify import points as where
from verify import realified
from verify.cells import Cell
from verify.evidence import composite, contract, differences, every_size, second_order
from verify.evidence import formula as formula_evidence
from verify.evidence.formula import Disagreement
from verify.examples import Example, reduced, variations
from verify.explore import Explorer
from verify.failure import Failure
from verify.instance import Instance
from verify.judge import EXACT_ULPS, Judge, Outcome, Wrong
from verify.kinks import reference_of
from verify.large import by_directions
from verify.reference import EPS, Reference
from verify.subject import Subject, TensorSubject
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
        self.printed = ""
        self.tallies: dict[str, Tally] = {}
        self.running = False
        self.doing = "starting"
        self.examples: list[Example] = []
        self.entrywise = True
        self.interacting: set[str] = set()
        self.constants: dict[float, str] = {}
        self.methods: set[str] = set()
        self._derivative: tuple[Instance, Cell] | None = None
        self._entrywise_done = False
        self._small_done = False
        self.varied: list[str] = []
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
        shapes = "; ".join(dict.fromkeys(e.describe() for e in self.examples))
        if self.entrywise and self.all_proved and self.examples:
            return "at every shape"
        if self.all_proved and not self.uncovered and self.order == 1:
            everywhere = every_size.scope(self.subject, self.examples)
            if everywhere is not None:
                return everywhere
        return f"at {shapes}" if len(shapes) < 200 else f"at {len(self.examples)} examples"

    def derivative_text(self) -> str | None:
        from verify.build import derivative_text

        if self._derivative is None:
            return None
        instance, cell = self._derivative
        return derivative_text(instance, cell, 0)

    def small(self, example: Example) -> Example | None:
        """A large example cut down to a few entries, where the code runs on that too."""
        if example.size <= MOST_ENTRIES:
            return None
        small = reduced(example)
        instance = Instance(self.subject, small, np.random.default_rng(0))
        if instance.prepare().forward_error is not None or not instance.inputs:
            return None
        run = instance.run(instance.draw())
        fits = run.backward_error is None and run.finite and not run.shape_errors
        return small if fits else None

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
            explorer.explore([instance.draw()], lambda: True)
        except TraceError:
            return
        cell = next(iter(explorer.cells.values()))
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
                return self._empty(instance)
            self.reason = f"nothing to differentiate at {example.describe()}"
            self.notes.append(self.reason)
            return None
        self.examples.append(example)
        self._decided.clear()  # nodes belong to the example's own graph
        end = time.process_time() + seconds
        found = self._contract(instance)
        if found is not None:
            return found
        if len(instance.names) > MOST_ENTRIES:
            base = instance.base()
            points = [instance.draw() if base is None else base, instance.draw(), instance.draw()]
            failure = by_directions(self, instance, points, end)
            self.running = False
            return failure
        explorer, stopped = self._explore(instance, end)
        if explorer is None:
            return self._without_trace(instance, stopped, end)
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
            failure = self._by_differences(instance, end, text)
        if failure is None and isinstance(self.subject, TensorSubject):
            failure = self._steps(self.subject, instance)
        self.printed = self.printed or instance.printed
        self.running = False
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

    def _empty(self, instance: Instance) -> Failure | None:
        violation = contract.empty_violation(instance)
        if violation is not None:
            return Failure(instance, "contract", violation=violation)
        return None

    def vary(self, example: Example, end: float) -> Failure | None:
        """Other lengths and axes of an example: certified values at a few points.

        Whether a length that nobody declared is meant to work cannot be known: where backward
        raises or gives another shape there, or forward leaves entries unused, nothing is said. A
        wrong value of the right shape is wrong.
        """
        if not all(s.domain.free for s in example.slots if s.varies):
            return None
        for other in variations(example):
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
            except TraceError:
                continue
            if not _all_used(instance, explorer):
                continue
            judge = Judge(explorer, self.max_ulps)
            judge.entrywise = self._is_entrywise(instance, explorer)
            trials = [*points, *itertools.islice(where.structured(instance, self.rng), 10)]
            for point in trials:
                outcome = self._judge(judge, point)
                if outcome.wrong is None or instance.run(outcome.wrong.point).shape_errors:
                    continue
                if not self._untrue(instance, outcome.wrong):
                    return Failure(instance, "oracle", wrong=outcome.wrong, judge=judge)
            self.varied.append(other.describe())
        return None

    # Contract

    def _contract(self, instance: Instance) -> Failure | None:
        self.doing = "checking the contract"
        draws = [instance.draw() for _ in range(6)]
        base = instance.base()
        trials = ([base] if base is not None else []) + draws
        found, notes = contract.violations(instance, trials)
        self.notes += notes
        tally = self.tally("contract")
        if found:
            plain = np.ones(len(instance.names))
            if instance.in_domain(plain):
                again, _ = contract.violations(instance, [plain])
                if again and again[0].rule == found[0].rule:
                    found = again
            tally.detail = found[0].message
            return Failure(instance, "contract", violation=found[0])
        tally.passed += 1
        tally.detail = (
            "linear in the upstream gradient, shapes and layouts, nothing written to, no state"
        )
        if self.subject.elementwise or (self.guessed and len(instance.pieces) == 1):
            empty = contract.empty_example(instance.example)
            if empty is not None:
                small = Instance(self.subject, empty, self.rng)
                if small.prepare().forward_error is None:
                    return self._empty(small)
        return None

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
                    lambda: self._entrywise_done and self._is_entrywise(instance, explorer),
                )
        except TraceError as error:
            place = f" ({error.where[0]}:{error.where[1]})" if error.where else ""
            return None, f"{error}{place}"
        except (NotDifferentiable, UnknownOperation) as error:
            return None, f"its derivative has no formula: {error}"
        except OutOfTime:
            if not explorer.cells:
                return None, "out of time while tracing"
            explorer.uncovered.append("cells that the time did not suffice to explore")
            explorer.complete = False
        return explorer, ""

    # Everything that rests on a trace

    def _with_trace(self, instance: Instance, explorer: Explorer, end: float) -> Failure | None:
        judge = Judge(explorer, self.max_ulps)
        judge.entrywise = self._is_entrywise(instance, explorer)
        first = next(iter(explorer.cells.values()))
        if self._derivative is None:
            self._derivative = (instance, first)
        failure = self._formula(explorer, judge, end)
        if failure is not None:
            return failure
        self.doing = f"proving at {instance.example.describe()}"
        self._first = []
        for cell in list(explorer.cells.values()):
            # Refuting is cheaper than proving.
            if time.process_time() > end:
                break
            outcome = self._judge(judge, cell.point)
            self._first.append((cell.point, outcome))
            if outcome.wrong is not None:
                if self._untrue(instance, outcome.wrong):
                    return self._without_trace(instance, _UNTRUE, end)
                return Failure(instance, "oracle", wrong=outcome.wrong, judge=judge, cell=cell)
        self._prove(instance, explorer, judge, end)
        self.doing = f"comparing with certified values at {instance.example.describe()}"
        failure = self._oracle(instance, explorer, judge, end)
        if failure is not None:
            return failure
        self._count(instance, explorer, judge, end)
        self._spot_differences(instance, explorer)
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
        return bool(judge._bounded_entries(cell)) and gap <= self.max_ulps * EPS * abs(d.formula)

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

    def _prove(self, instance: Instance, explorer: Explorer, judge: Judge, end: float) -> None:
        """Try to prove every cell that is still open."""
        entrywise = self._is_entrywise(instance, explorer)
        self.entrywise = self.entrywise and entrywise
        self._small_done = entrywise and self._entrywise_done
        for cell in _smooth(explorer):
            if cell.status == "open":
                # What one cell's proof could not do in full time, the next one's will not either.
                most = 3.0 if not self._unproved else 0.3
                left = max(0.05, min(most, 0.35 * (end - time.process_time())))
                cell.status = self._prove_cell(cell, judge, left)
                self._unproved += cell.status != "proved"

    def _count(self, instance: Instance, explorer: Explorer, judge: Judge, end: float) -> None:
        """Prove the cells that the points discovered, and sum up how far the proof goes."""
        self._prove(instance, explorer, judge, end)
        tally = self.tally("proof")
        full = _smooth(explorer)
        proved = sum(c.status == "proved" for c in full)
        self.explored += len(explorer.cells)
        # A cell without interior has no identity to prove: it was judged where it was reached.
        self.proved += proved + len(explorer.cells) - len(full)
        if proved < len(full):
            self.all_proved = False
        complete = explorer.complete
        if self._small_done:
            # Each entry is a function of its own entries alone, and that function's cells were all
            # found at a smaller shape: a product of them needs no visit.
            complete = True
        if self.entrywise and explorer.complete and proved == len(full):
            self._entrywise_done = True
        if not complete:
            self.uncovered += [
                f"{text} (at {instance.example.describe()})" for text in explorer.uncovered[:4]
            ]
        self._cells += len(full)
        self._cells_proved += proved
        tally.passed += proved == len(full)
        tally.detail = (
            f"backward equals the derivative on {self._cells_proved} of {self._cells} cells"
            + (f", by {', '.join(sorted(self.methods))}" if self.methods else "")
        )
        self.constants.update(instance.graph.closed_forms)

    def _prove_cell(self, cell: Cell, judge: Judge, seconds: float) -> str:
        run = cell.run
        if run.backward_error is not None:
            self.skip(
                "proof",
                f"backward was not traced: {type(run.backward_error).__name__}: "
                f"{run.backward_error}",
            )
            return "untraced"
        zero = judge.instance.graph.zero
        expected = judge.reference(cell).expected
        actual = [zero if g is None else g for g in run.grads]
        # What does not touch an entry's variables cannot matter to it, and the same entry comes
        # back on many cells: decide it once.
        groups: dict[tuple, list[tuple[Node, Node]]] = {}
        facts_of: dict[tuple, list[Condition]] = {}
        for pair in zip(expected, actual, strict=True):
            if pair[0] is pair[1]:
                continue
            facts = judge.explorer.relevant(cell, pair)
            key = tuple(sorted((c.gap.index, c.sign) for c in facts))
            if (pair[0], pair[1], key) not in self._decided:
                groups.setdefault(key, []).append(pair)
                facts_of[key] = facts
        end = time.process_time() + seconds
        for key, pairs in groups.items():
            left = max(0.05, end - time.process_time())
            decisions = all_equal(judge.instance.graph, pairs, facts_of[key], seconds=left)
            for pair, decision in zip(pairs, decisions, strict=True):
                if decision.status != "proved":
                    self.skip("proof", f"a cell was not proved: {decision.method}")
                    return "unproved"
                self._decided.add((pair[0], pair[1], key))
                self.methods.add(decision.method)
        return "proved"

    def _is_entrywise(self, instance: Instance, explorer: Explorer) -> bool:
        """Whether every output depends on one entry of each argument, at its own place."""
        names = instance.names
        owner = {}
        for piece in [*instance.pieces, *instance.upstream]:
            for i in range(piece.size):
                owner[piece.label(i)] = (piece, i)
        for cell in explorer.cells.values():
            k = 0
            for piece in instance.upstream:
                for i in range(piece.size):
                    if not _local(cell.run.outputs[k], owner, piece.shape, i):
                        return False
                    k += 1
        del names
        return True

    # The oracle

    def _oracle(
        self, instance: Instance, explorer: Explorer, judge: Judge, end: float
    ) -> Failure | None:
        tally = self.tally("oracle")
        judged = kinks = 0
        refused: dict[str, int] = {}
        exact = True
        worst, worst_point = 0.0, None
        points = ((point, None) for point in self._points(instance, explorer, end))
        for point, known in itertools.chain(self._first, points):
            if time.process_time() > end and known is None:
                self.notes.append(
                    f"the points at {instance.example.describe()} were cut short by the time limit"
                )
                break
            outcome = known or self._judge(judge, point)
            if not outcome.judged:
                refused[outcome.note] = refused.get(outcome.note, 0) + 1
                continue
            judged += 1
            kinks += outcome.kink
            if outcome.wrong is not None:
                if self._untrue(instance, outcome.wrong):
                    return self._without_trace(instance, _UNTRUE, end)
                cell = explorer.cells.get(_key_at(explorer, point))
                return Failure(instance, "oracle", wrong=outcome.wrong, judge=judge, cell=cell)
            if outcome.series or outcome.unfaithful:
                self.all_proved = False
            if outcome.unfaithful:
                self.notes.append(
                    "on symbols backward gave another result than on floats (a memo, say): the "
                    "floats were judged"
                )
            if instance.inputs:
                size = float(np.max(np.abs(point[: instance.inputs])))
                if size and instance.inputs == 1:
                    self.samples.append((size, outcome.ulps, None))
            if outcome.ulps > worst:
                worst, worst_point = outcome.ulps, point
                if self.max_ulp is None or worst > self.max_ulp:
                    self.worst = _at(instance, point)
        if worst_point is not None and worst > _NOTABLE and len(self.examples) <= 2:
            climbed = self._climb(judge, worst_point, worst, end)
            if climbed.wrong is not None:
                cell = explorer.cells.get(_key_at(explorer, climbed.wrong.point))
                return Failure(instance, "oracle", wrong=climbed.wrong, judge=judge, cell=cell)
            if climbed.ulps > max(worst, self.max_ulp or 0.0):
                self.worst = _at(instance, climbed.point)
            worst = max(worst, climbed.ulps)
        self.max_ulp = max(self.max_ulp or 0.0, worst)
        self.judged += judged
        self.kinks += kinks
        if judged == 0:
            why = max(refused, key=lambda k: refused[k]) if refused else "no point was tried"
            self.skip("oracle", f"no point could be judged: {why}")
            return self._by_differences(instance, end, why)
        exact = all(c.run.backward_error is None for c in explorer.cells.values())
        resolution = EXACT_ULPS * EPS if exact else self.max_ulps * judge.eps
        self.resolution = max(self.resolution or 0.0, resolution)
        tally.passed += 1
        tally.detail = f"within certified enclosures at {self.judged} points" + (
            f", {self.kinks} of them at kinks" if self.kinks else ""
        )
        return None

    def _climb(self, judge: Judge, point: np.ndarray, ulps: float, end: float) -> Outcome:
        """Follow the worst point uphill: where do the most digits go?"""
        best = Outcome(True, ulps=ulps, point=point)
        entries = np.argsort(-np.abs(point[: judge.instance.inputs]))[:4]
        for factor in (4.0, 2.0, 1.25, 1.03):
            for _ in range(4):
                before = best.ulps
                for i in entries:
                    for times in (factor, 1 / factor):
                        trial = best.point.copy()
                        trial[i] *= times
                        if time.process_time() > end or not judge.instance.in_domain(trial):
                            continue
                        outcome = self._judge(judge, trial)
                        if outcome.wrong is not None and not self._untrue(
                            judge.instance, outcome.wrong
                        ):
                            return outcome
                        if outcome.judged and best.ulps < outcome.ulps < np.inf:
                            best = outcome
                            best.point = trial
                if best.ulps == before:
                    break
        return best

    def _judge(self, judge: Judge, point: np.ndarray) -> Outcome:
        try:
            return judge.judge(point)
        except NotDifferentiable:
            raise
        except (TraceError, OverflowError, ZeroDivisionError) as error:
            return Outcome(False, note=f"{type(error).__name__}: {error}")

    def _points(self, instance: Instance, explorer: Explorer, end: float):
        """Points in the order in which they are worth trying."""
        rng = self.rng
        if self._small_done:
            # One entry at a time was done in full at a smaller shape: here only how they combine.
            yield from where.ordinary(instance, rng, 4)
            yield from itertools.islice(where.structured(instance, rng), 4)
            yield from where.upstreams(instance, rng)
            return
        # The first two examples are swept in full; a long list of further ones repeats the code
        # paths with other axes and keywords, which fewer points show.
        thorough = len(self.examples) <= 2
        for cell in list(explorer.cells.values())[: 40 if thorough else 12]:
            if cell.thin:
                yield from cell.samples[1:3]
        yield from where.ordinary(instance, rng, 6)
        yield from itertools.islice(where.structured(instance, rng), None if thorough else 24)
        yield from explorer.special[: 20 if thorough else 6]
        small = instance.inputs <= 2
        most = (200 if small else 80) if thorough else 20
        yield from itertools.islice(where.singularities(explorer, rng, 40 if small else 12), most)
        fine = instance.inputs == 1 and thorough
        yield from itertools.islice(
            where.magnitudes(instance, rng, fine), 0, None, 1 if thorough else 4
        )
        yield from where.upstreams(instance, rng)
        yield from where.ordinary(instance, rng, 4)
        # Cells that these points discovered, which exploration had not.
        for cell in list(explorer.cells.values()):
            if cell.status == "open" and not cell.thin:
                yield cell.point

    # Without a trace

    def _without_trace(self, instance: Instance, error: str, end: float) -> Failure | None:
        self.skip("proof", f"not traced: {error}")
        self.all_proved = False
        self.entrywise = False
        return self._by_differences(instance, end, error)

    @staticmethod
    def _untrue(instance: Instance, wrong: Wrong) -> bool:
        """Whether forward alone speaks for backward and against the trace.

        Code that leaves the world of symbols unseen (through bytes, say) traces as a constant. A
        gradient is not refuted by such a trace: sharp finite differences of forward have the last
        word.
        """
        if wrong.kind != "value" or not np.isfinite(wrong.actual):
            return False
        [e] = differences.gradient(instance, wrong.point, [wrong.entry])
        if not e.usable or e.kink or not e.error <= 1e-5 * max(abs(e.value), abs(wrong.actual)):
            return False
        bar = 1e2 * e.error + 1e-5 * abs(e.value)
        return abs(wrong.expected - e.value) > 1e2 * bar and abs(wrong.actual - e.value) <= bar

    def _spot_differences(self, instance: Instance, explorer: Explorer) -> None:
        """Forward alone, by finite differences, at one point: independent of all tracing.

        Differences refute nothing here (their bars are wide, and kinks are near), but a sharp one
        that contradicts the certified derivative is an error of the checker, and ends in no pass.
        """
        if len(self.examples) > 1:
            return
        cell = next((c for c in _smooth(explorer)), None)
        if cell is None:
            return
        run = instance.run(cell.point)
        if run.forward_error is not None or run.backward_error is not None or not run.finite:
            return
        actual = run.flat_grads(instance.pieces).real
        entries = list(range(min(instance.inputs, 4)))
        agreed = 0
        for i, e in zip(entries, differences.gradient(instance, cell.point, entries), strict=True):
            if not e.usable or e.kink or not e.error <= 1e-7 * abs(e.value):
                continue
            gap = abs(actual[i] - e.value)
            if gap > 1e3 * e.error and gap > 1e-4 * abs(e.value):
                self.contradiction = (
                    f"finite differences give {e.value!r} +/- {e.error:.1g} for "
                    f"{instance.names[i]}, where the certified derivative agrees with backward's "
                    f"{float(actual[i])!r}: an error of gradproof's own, please report it"
                )
                return
            agreed += 1
        tally = self.tally("differences")
        if agreed:
            tally.passed += 1
            tally.detail = f"agrees with finite differences of forward at {agreed} entries"
        else:
            self.skip("differences", "no finite difference was sharp enough to say anything")

    def _by_differences(self, instance: Instance, end: float, why: str) -> Failure | None:
        self.doing = "comparing with finite differences"
        self.all_proved = False
        tally = self.tally("differences")
        rng = np.random.default_rng(1)
        bars: list[float] = []
        tried = usable = 0
        points = [
            *where.starts(instance, rng)[:4],
            *where.ordinary(instance, rng, 6),
            *where.structured(instance, rng),
        ]
        for point in points:
            if time.process_time() > end and usable:
                break
            run = instance.run(point)
            if run.forward_error is not None or not run.finite:
                continue
            if run.backward_error is not None:
                return Failure(
                    instance,
                    "differences",
                    wrong=Wrong(point, 0, np.nan, np.nan, np.inf, True, "raises"),
                )
            actual = run.flat_grads(instance.pieces).real
            entries = list(range(instance.inputs))
            if len(entries) > 24:
                entries = list(rng.choice(len(entries), 24, replace=False))
            tried += 1
            estimates = differences.gradient(instance, point, entries)
            scale = max((abs(e.value) for e in estimates if e.usable), default=0.0)
            for i, estimate in zip(entries, estimates, strict=True):
                if not estimate.usable:
                    continue
                usable += 1
                wrong = self._against(estimate, float(actual[i]), scale)
                if wrong is not None:
                    return Failure(
                        instance,
                        "differences",
                        wrong=Wrong(point, int(i), wrong, float(actual[i]), np.inf, None, "value"),
                        by_differences=True,
                    )
                if not estimate.kink and estimate.value:
                    bars.append(estimate.error / abs(estimate.value))
        if not usable:
            self.skip("differences", "no finite difference was sharp enough to say anything")
            self.reason = self.reason or f"{why}; and finite differences say nothing"
            return None
        self.judged += usable
        resolution = float(np.median(bars)) * 10 if bars else 1e-6
        self.resolution = max(self.resolution or 0.0, max(resolution, 1e-10))
        tally.passed += 1
        tally.detail = f"agrees with finite differences at {usable} entries of {tried} points"
        self.uncovered.append("cells: the code could not be traced")
        return None

    @staticmethod
    def _against(estimate: differences.Estimate, actual: float, scale: float) -> float | None:
        """The expected value where ``actual`` is certainly not it, else None."""
        if estimate.kink:
            slack = 1e-4 * (abs(estimate.low) + abs(estimate.high)) + 100 * estimate.error
            inside = estimate.low - slack <= actual <= estimate.high + slack
            return None if inside else estimate.value
        bar = 20 * estimate.error + 1e-9 * scale
        if estimate.error > 1e-4 * max(scale, abs(estimate.value)):
            return None  # too wide to say anything
        if not abs(actual - estimate.value) <= bar:
            return estimate.value
        return None

    # Second order

    def _second_order(
        self, instance: Instance, explorer: Explorer, judge: Judge, end: float
    ) -> Failure | None:
        tally = self.tally("second_order")
        if not self.subject.second_order:
            self.skip("second_order", "only Functions and callables on Tensors have a second order")
            return None
        full = _smooth(explorer)
        proved = 0
        for cell in full[:24]:
            left = max(0.1, min(3.0, 0.3 * (end - time.process_time())))
            try:
                result = second_order.check_order(
                    explorer, cell, judge.reference(cell), self.order, left
                )
            except TraceError as error:
                self.skip("second_order", f"not traced: {error}")
                self.all_proved = False
                return None
            if result.skipped:
                self.skip("second_order", result.skipped)
                self.all_proved = False
                return None
            if result.point is not None:
                return Failure(instance, "second_order", second=result, judge=judge, cell=cell)
            proved += result.proved
        if proved < len(full):
            self.all_proved = False
        tally.passed += 1
        tally.detail = f"order {self.order} proved on {proved} of {len(full)} cells"
        return None


# Ulps from which on the worst point is followed uphill.
_NOTABLE = 16.0

# Of arguments and outputs together: more are not traced entry by entry.
MOST_ENTRIES = 600

_UNTRUE = "what the trace computes is not what the code computes; it leaves symbols unseen"


def _all_used(instance: Instance, explorer: Explorer) -> bool:
    """Whether every entry of the arguments occurs in some output, on some cell."""
    outputs = [n for cell in explorer.cells.values() for n in cell.run.outputs]
    used = {n.args[0] for n in topological(outputs) if n.op == "var"}
    return used.issuperset(instance.names[: instance.inputs])


def _smooth(explorer: Explorer) -> list[Cell]:
    """The cells on which there is an identity to prove."""
    return [c for c in explorer.cells.values() if not c.thin and not c.outside]


def _local(node: Node, owner: dict, shape: tuple[int, ...], i: int) -> bool:
    """Whether an output entry depends only on argument entries that broadcast to its place."""
    place = np.unravel_index(i, shape) if shape else ()
    for n in topological([node]):
        if n.op != "var" or n.args[0] not in owner:
            continue
        piece, j = owner[n.args[0]]
        index = piece.entry(j)
        if len(index) > len(place):
            return False
        for k, axis in zip(index[::-1], range(1, len(index) + 1), strict=True):
            if piece.shape[-axis] != 1 and k != place[-axis]:
                return False
            if piece.shape[-axis] == 1 and shape[-axis] != 1 and False:
                return False
    return True


def _key_at(explorer: Explorer, point: np.ndarray) -> Any:
    try:
        from verify.cells import key_of

        return key_of(explorer.instance.trace(point, backward=True))
    except TraceError:
        return None


def _at(instance: Instance, point: np.ndarray) -> str:
    """A point in a few words, for `max_ulp`: ``x = 36.7``."""
    parts = []
    for piece in instance.pieces:
        array = point[piece.start : piece.stop].reshape(piece.shape)
        parts.append(f"{piece.name} = {np.array2string(array, precision=4, threshold=6)}")
    text = ", ".join(" ".join(p.split()) for p in parts)
    return text if len(text) < 120 else text[:117] + "..."
