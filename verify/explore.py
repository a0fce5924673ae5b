"""Exploring the cells of a subject at one example.

A *cell* is a set of conditions on which the code is one smooth formula. Each trace gives the cell
of
its sample point; each condition of it is negated, a point for the negation is looked for, and the
code is traced again there, until nothing new turns up or the budget ends. What could neither be
reached nor shown to be empty is listed.

May import: :mod:`symbolic`, :mod:`verify.instance`.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic.feasible import infeasible
from symbolic.graph import Node, Program, topological
from symbolic.intervals import Bounds
from symbolic.primitives import FLOAT
from symbolic.solve import Line, dependencies, neighbours, roots_on_line
from symbolic.values import Condition, TraceError
from symbolic.vanishing import vanishing
from verify.cells import (
    ANY_SIGN,
    ROUNDING,
    Cell,
    Decisions,
    Key,
    key_of,
    only_rounded,
    side_of,
    signs_of,
    words,
)
from verify.coverage import Coverage
from verify.definedness import Definedness
from verify.instance import Instance, TracedRun
from verify.interior import interior

__all__ = ["Explorer"]

# Draws from a domain that only its sampler knows.
_MOST_SAMPLED = 1500
_SECONDS_OF_SAMPLING = 0.4


@dataclass
class _Trials:
    """Points to try for the negation of a condition.

    ``values`` has a row for each condition up to it, ``kept`` counts the earlier decisions that a
    point keeps.
    """

    points: np.ndarray
    values: np.ndarray
    kept: np.ndarray


class Explorer:
    """All cells of an instance that could be found within a budget.

    Parameters
    ----------
    instance : Instance
        Prepared.
    deadline : float
        ``time.process_time()`` at which to stop: processor time, so that a busy machine changes no
        verdict.
    most : int
        How many cells at the most.

    Attributes
    ----------
    cells : dict
        By key, in the order found.
    special : list of ndarray
        Points on boundaries, where conditions hold with equality.
    uncovered : list of str
        What was neither reached nor shown to be empty.
    definedness : Definedness
        What forward's value was seen to rest on.
    complete : bool
        Whether the cells found cover the domain at this example.
    """

    def __init__(self, instance: Instance, deadline: float, most: int = 160):
        self.instance = instance
        self.deadline = deadline
        self.most = most
        self.cells: dict[Key, Cell] = {}
        self._queue: deque[Cell] = deque()
        self.special: list[np.ndarray] = []
        self.uncovered: list[str] = []
        self.complete = False
        self.error: TraceError | None = None
        self.bounds: Bounds = {}
        self.products = 30
        self.interacting: set[str] = set()  # arguments, see `Reference.interacting`
        self._gap_place: dict[Node, int] = {}
        self._every: Program | None = None
        self._laid_out = 0
        self.definedness = Definedness(self)
        self._decided: dict[Node, bool] = {}  # whether a gap is zero everywhere
        self._rounded: dict[Key, list[tuple[Node, float]]] = {}
        self._expected: dict[Key, list[Node]] = {}
        self.coverage = Coverage(self)
        self._decisions: dict[tuple[Key, bool], Decisions] = {}
        self._open: tuple[list[Cell], np.ndarray, Decisions] | None = None
        self.projected = False
        self._beyond: set[tuple[int, int]] = set()
        self._reached: set[tuple[int, int]] = set()
        self._deps: dict[Node, list[int]] = {}
        self._programs: dict[tuple[int, ...], Program] = {}
        self.place = {name: i for i, name in enumerate(instance.names)}
        for piece in instance.pieces:
            domain = instance.example.slots[piece.position].domain
            for i in range(piece.size):
                self.bounds[piece.label(i)] = (domain.low, domain.high)

    # Visiting points

    def visit(self, point: np.ndarray) -> Cell:
        """The cell that a point lies in, traced."""
        run = self._trace(point)
        outside = not np.all(np.isfinite(run.values))
        key = self.key(run, outside)
        known = self.cells.get(key)
        if known is not None:
            if len(known.samples) < 6:
                known.samples.append(point)
            if known.thin and not self._on_boundary(run):  # the same decisions inside it
                known.run, known.thin, known.kinked = run, False, False
                self._open = None
            return known
        cell = Cell(key, run, thin=False, samples=[point])
        cell.outside = outside
        if self._on_boundary(run):
            self.special.append(point)
            inside = interior(self, run.conditions, run.point)
            if inside is None:
                cell.thin = True
            else:
                try:
                    moved = self._trace(inside)
                except TraceError:
                    moved = run
                # Off the boundary the code may record other decisions: then it is another cell.
                if moved is not run and self.key(moved, outside) == key:
                    cell.run, cell.samples = moved, [inside]
                else:
                    cell.thin = True
            cell.kinked = cell.thin and self._is_kinked(cell.run)
        self.cells[key] = cell
        self._open = None
        self._queue.append(cell)
        return cell

    def _trace(self, point: np.ndarray) -> TracedRun:
        """A trace without the decisions that rounding alone makes, on what is always zero.

        And with those that forward's value rests on, see :mod:`verify.definedness`.
        """
        run = self.instance.trace(point)
        fresh = {c.gap: None for c in run.conditions if c.gap not in self._decided}
        if fresh:
            void = vanishing(list(fresh))
            self._decided |= {gap: gap in void for gap in fresh}
        if any(self._decided[c.gap] for c in run.conditions):
            run.keep([not self._decided[c.gap] for c in run.conditions])
        self.definedness.attach(run)
        return run

    def renew(self, cells: list[Cell]) -> None:
        """Take these cells, with the keys that they have now, in the place of all."""
        self.cells = {}
        for cell in cells:
            self.cells.setdefault(cell.key, cell)
        self._laid_out, self._open = 0, None
        self._decisions.clear()

    @staticmethod
    def key(run: TracedRun, outside: bool) -> Key:
        """What tells a run's cell apart; ``outside``: forward has no value."""
        # An overflow far out does not stand for the cell that it happens in.
        return (*key_of(run), (-1, "outside", True)) if outside else key_of(run)

    def gaps(self, conditions: list[Condition], points: np.ndarray) -> np.ndarray:
        """Values of the conditions' gaps in floats, one row for each condition."""
        if not conditions:
            return np.zeros((0, len(points)))
        program = self.program([c.gap for c in conditions])
        with np.errstate(all="ignore"):
            values = {name: points[:, i] for i, name in enumerate(self.instance.names)}
            found = program.run(FLOAT, values)
        return np.array([np.broadcast_to(np.asarray(v, float), len(points)) for v in found])

    def gaps_at(self, conditions: list[Condition], point: np.ndarray) -> np.ndarray:
        """Values of the conditions' gaps in floats at one point."""
        if not conditions:
            return np.zeros(0)
        values = dict(zip(self.instance.names, point, strict=True))
        return np.array(self.program([c.gap for c in conditions]).run(FLOAT, values), dtype=float)

    def program(self, nodes: list[Node]) -> Program:
        """These expressions as a program, made once."""
        ids = tuple(n.index for n in nodes)
        found = self._programs.get(ids)
        if found is None:
            found = self._programs[ids] = Program(nodes)
        return found

    def every_gap(self, point: np.ndarray) -> np.ndarray:
        """The gaps of all conditions of all cells at one point, in floats, each once."""
        for cell in itertools.islice(self.cells.values(), self._laid_out, None):
            for c in cell.conditions:
                if c.gap not in self._gap_place:
                    self._gap_place[c.gap] = len(self._gap_place)
                    self._every = None
        self._laid_out = len(self.cells)
        if self._every is None:
            self._every = Program(list(self._gap_place))
        values = dict(zip(self.instance.names, point, strict=True))
        return np.array(self._every.run(FLOAT, values), dtype=float)

    def decisions(self, cell: Cell, forward: bool = False) -> Decisions:
        """A cell's conditions (or forward's alone) as arrays over :meth:`every_gap`."""
        found = self._decisions.get((cell.key, forward))
        if found is None:
            conditions = cell.run.forward_conditions if forward else cell.conditions
            found = self._decisions[cell.key, forward] = Decisions(
                np.array([self._gap_place[c.gap] for c in conditions], dtype=int),
                np.array(
                    [[c.holds(s) for s in (-1, 0, 1)] for c in conditions], dtype=bool
                ).reshape(-1, 3),
                np.array([self.rigid(c) for c in conditions], dtype=bool),
            )
        return found

    def locate(self, point: np.ndarray) -> Cell | None:
        """The known cell with an interior that a point certainly lies in, without a new trace."""
        every = self.every_gap(point)
        if self._open is None:
            cells = [
                cell
                for cell in self.cells.values()
                if not (
                    cell.thin
                    or cell.outside
                    or cell.run.loose
                    or cell.run.backward_error is not None
                )
            ]
            parts = [self.decisions(cell) for cell in cells]
            owner = np.repeat(np.arange(len(cells)), [len(d.place) for d in parts])
            self._open = cells, owner, Decisions.joined(parts)
        cells, owner, decisions = self._open
        broken = np.bincount(owner[~decisions.inside(every[decisions.place])], minlength=len(cells))
        hits = np.flatnonzero(broken == 0)
        return cells[hits[0]] if hits.size else None

    def _on_boundary(self, run: TracedRun) -> bool:
        """Whether some condition that can move holds with equality at the sample point."""
        if not run.conditions:
            return False
        values = self.gaps_at(run.conditions, run.point)
        # A formula that rounding takes below a root's domain says nothing: then the code's word.
        return any(
            (v == 0 or (v != v and c.sign == "==")) and not self.rigid(c)
            for v, c in zip(values, run.conditions, strict=True)
        )

    def _is_kinked(self, run: TracedRun) -> bool:
        """Whether forward's own conditions leave no interior around the sample point."""
        forward = run.forward_conditions
        values = self.gaps_at(forward, run.point)
        if not any(v == 0 and not self.rigid(c) for v, c in zip(values, forward, strict=True)):
            return False
        return interior(self, forward, run.point) is None

    def rigid(self, condition: Condition) -> bool:
        """Whether the gap is locally constant (``floor(x) == 3``): then equality is no boundary."""
        return condition.gap.op in ROUNDING or only_rounded(condition.gap)

    def rounded(self, cell: Cell) -> list[tuple[Node, float]]:
        """Arguments of forward's rounding operations, and the offset at which each jumps.

        ``floor`` jumps where its argument is an integer, ``rint`` half-way between.
        """
        found = self._rounded.get(cell.key)
        if found is None:
            roots = [*cell.run.outputs, *(c.gap for c in cell.run.forward_conditions)]
            found = self._rounded[cell.key] = [
                (n.args[0], 0.5 if n.op == "rint" else 0.0)
                for n in topological(roots)
                if n.op in ROUNDING
            ]
        return found

    def at_jump(self, cell: Cell, point: np.ndarray) -> list[Node]:
        """The arguments of rounding operations that sit on a jump at the point."""
        rounded = self.rounded(cell)
        if not rounded:
            return []
        values = dict(zip(self.instance.names, point, strict=True))
        found = self.program([n for n, _ in rounded]).run(FLOAT, values)
        at = []
        for (node, offset), value in zip(rounded, found, strict=True):
            shifted = float(value) - offset
            if abs(shifted) < 1e15 and abs(shifted - round(shifted)) <= 1e-13 * max(
                abs(shifted), 1
            ):
                at.append(node)
        return at

    # Exploring

    def explore(self, starts: list[np.ndarray], enough: Callable[[], bool] = lambda: False) -> None:
        """Visit the starting points, then negate conditions until nothing new turns up.

        Parameters
        ----------
        starts : list of ndarray
        enough : callable
            Asked after the starting points: True ends the exploration there.

        Raises
        ------
        TraceError
            Where the code cannot be traced at any starting point.
        """
        failures = 0
        for point in starts:
            try:
                self.visit(point)
            except TraceError as error:
                self.error = error
                failures += 1
                if failures == 3 and not self.cells:
                    break
        if not self.cells:
            raise self.error or TraceError("no starting point")
        missed: list[tuple[Cell, int]] = []
        if self.coverage.independent():
            self.products = min(self.products, 4)
        if enough():
            self.uncovered = ["cells beyond those of the starting points"]
            return
        covered = self.coverage.fill()
        missed += self._drain()
        if not self.instance.free:
            self._sample()
            missed += self._drain()
        if not covered and (self._queue or missed):
            covered = self.coverage.fill()
        self._conclude(missed, exhausted=not self._queue, covered=covered)

    def _sample(self) -> None:
        """Visit what a sampler seldom gives: where one is all that is known of a domain.

        No line leads through such a set, so many of its points are drawn, and those visited that no
        known cell has.
        """
        rng = np.random.default_rng(29)
        end = min(self.deadline, time.process_time() + _SECONDS_OF_SAMPLING)
        for _ in range(_MOST_SAMPLED):
            if time.process_time() > end or len(self.cells) >= self.most:
                return
            point = self.instance.draw(rng)
            if self.locate(point) is None:
                with contextlib.suppress(TraceError):
                    self.visit(point)

    def _drain(self) -> list[tuple[Cell, int]]:
        """Expand the cells that wait; what could not be reached from them."""
        missed: list[tuple[Cell, int]] = []
        while self._queue and time.process_time() < self.deadline and len(self.cells) < self.most:
            known = len(self.definedness.rests_on)
            missed += self._expand(self._queue.popleft())
            if len(self.definedness.rests_on) > known:  # all over again, with other conditions
                missed = []
                self._queue = deque(self.cells.values())
                self._reached.clear()
        return missed

    def _expand(self, cell: Cell) -> list[tuple[Cell, int]]:
        missed = []
        known = len(self.definedness.rests_on)
        # Beyond what forward's value rests on there is none; from there the way is back.
        first = 0 if cell.outside else cell.run.defined
        for i, condition in list(enumerate(cell.conditions))[first:]:
            if time.process_time() > self.deadline or len(self.cells) >= self.most:
                missed.append((cell, i))
                continue
            current = side_of(self._gap_at(condition, cell.point))
            trials: _Trials | None = None
            for side in (-1, 1, 0):
                if side == current:
                    continue
                if side not in self._missing(cell, i) and (
                    (condition.gap.index, side) in self._reached
                ):
                    continue
                trials = trials or self._trials(cell, i)
                self._reach(cell, i, side, trials)
                if len(self.definedness.rests_on) > known:
                    return []
            if self._missing(cell, i):
                missed.append((cell, i))
        return missed

    def _gap_at(self, condition: Condition, point: np.ndarray) -> float:
        return float(self.gaps_at([condition], point)[0])

    def _missing(self, cell: Cell, i: int) -> set[int]:
        """Signs of the gap of condition ``i``, with the decisions before it, that no cell has.

        With many cells, decisions on entries that have nothing to do with this one's are let go: a
        product of independent branches is not enumerated.
        """
        condition = cell.conditions[i]
        gap = condition.gap
        before = list(range(i))
        if len(self.cells) >= self.products:
            before = self._related(cell, i)
            self.projected = self.projected or len(before) < i
        prefix = signs_of([cell.conditions[j] for j in before])
        wanted = {s for s in (-1, 0, 1) if not condition.holds(s)} & prefix.get(gap, ANY_SIGN)
        wanted -= {s for s in (-1, 0, 1) if (gap.index, s) in self._beyond}
        for other in self.cells.values():
            if not wanted:
                break
            if gap in other.signs and all(
                g is gap or other.signs.get(g, ANY_SIGN) <= allowed for g, allowed in prefix.items()
            ):
                wanted -= other.signs[gap]
        return wanted

    def _related(self, cell: Cell, i: int) -> list[int]:
        """The decisions before ``i`` on entries connected with those of decision ``i``."""
        known = set(self.depends(cell.conditions[i].gap))
        chosen: set[int] = set()
        grew = True
        while grew:
            grew = False
            for j in range(i):
                entries = self.depends(cell.conditions[j].gap)
                if j not in chosen and known.intersection(entries):
                    chosen.add(j)
                    known.update(entries)
                    grew = True
        return sorted(chosen)

    def relevant(self, cell: Cell, nodes: Sequence[Node]) -> list[Condition]:
        """The cell's conditions on entries connected with those of some expressions."""
        known: set[int] = set()
        for node in nodes:
            known.update(self.depends(node))
        left = list(cell.conditions)
        chosen: list[Condition] = []
        grew = True
        while grew:
            grew = False
            for c in list(left):
                entries = self.depends(c.gap)
                if known.intersection(entries):
                    chosen.append(c)
                    left.remove(c)
                    known.update(entries)
                    grew = True
        return chosen

    def _trials(self, cell: Cell, i: int) -> _Trials:
        """Points around the zeros of a condition's gap, with all gaps up to it."""
        points = np.array(list(self._candidates(cell.conditions[i], cell.point)))
        if not len(points):
            return _Trials(points, np.zeros((i + 1, 0)), np.zeros(0))
        values = self.gaps(cell.conditions[: i + 1], points)
        kept = np.zeros(len(points))
        for c, row in zip(cell.conditions[:i], values[:i], strict=True):
            decided = {"<": row < 0, "<=": row <= 0, "==": row == 0}[c.relation]
            kept += decided == c.outcome
        return _Trials(points, values, kept)

    def _reach(self, cell: Cell, i: int, side: int, trials: _Trials) -> None:
        """Visit a point where the gap of condition ``i`` has that sign, others kept if possible."""
        condition = cell.conditions[i]
        if not len(trials.points):
            return
        order = np.nonzero(np.sign(trials.values[i]) == side)[0]
        if not len(order):
            return
        order = order[np.argsort(-trials.kept[order], kind="stable")]
        for j in order[:3]:
            if time.process_time() > self.deadline:
                break
            self._reached.add((condition.gap.index, side))
            try:
                self.visit(trials.points[j])
            except TraceError as error:
                self.error = error
                if self.undefined(trials.points[j]):
                    self._beyond.add((condition.gap.index, side))
                continue
            if side not in self._missing(cell, i):
                break

    def undefined(self, point: np.ndarray) -> bool:
        """Whether forward raises there, in floats too: the edge of its domain."""
        run = self.instance.forward_only(point)
        return run.forward_error is not None or not run.finite

    def _candidates(self, condition: Condition, point: np.ndarray) -> Iterator[np.ndarray]:
        """Points around the zeros of a gap, on lines through ``point``, inside the domain."""
        if not self.instance.free:
            return
        moved = self.depends(condition.gap)
        lines = [Line(point, "entry", [k]) for k in moved[:5]]
        if len(moved) > 1:
            lines += [Line(point, "shift", moved), Line(point, "scale", moved)]
        for line in lines:
            low, high = -np.inf, np.inf
            if line.kind == "entry":
                low, high = self.bounds.get(self.instance.names[line.moved[0]], (-np.inf, np.inf))
            roots = roots_on_line(condition.gap, self.instance.names, line, low, high)
            for root in roots:
                for t in neighbours(root):
                    if low < t < high:
                        candidate = line.at(t)
                        if line.kind == "entry" or self.instance.in_domain(candidate):
                            yield candidate
            if not roots and line.kind == "entry":
                # No zero on this line; a sign may still be reached by a jump (rounding).
                for t in (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 10.0, -10.0):
                    if low < t < high:
                        yield line.at(t)
        if any(n.op == "eigenvalue" for n in topological([condition.gap])):
            # Hardly any line meets a matrix of which two eigenvalues are equal.
            yield from self.instance.diagonal(point)

    def depends(self, node: Node) -> list[int]:
        found = self._deps.get(node)
        if found is None:
            names = dependencies(node)
            found = self._deps[node] = sorted(self.place[n] for n in names if n in self.place)
        return found

    # What was covered

    def expected(self, cell: Cell) -> list[Node]:
        """The derivative of what forward computes on a cell, contracted with the upstream."""
        found = self._expected.get(cell.key)
        if found is None:
            names = self.instance.names
            n = self.instance.inputs
            graph = self.instance.graph
            found = self._expected[cell.key] = graph.vjp(
                cell.run.outputs,
                [graph.variable(name) for name in names[n:]],
                [graph.variable(name) for name in names[:n]],
            )
        return found

    def _conclude(self, missed: list[tuple[Cell, int]], exhausted: bool, covered: bool) -> None:
        self.uncovered = []
        if covered:
            self.complete, self.projected = True, False
            return
        seen = set()
        for cell, i in missed:
            gap = cell.conditions[i].gap
            for side in self._missing(cell, i):
                relation, outcome = {-1: ("<", True), 0: ("==", True), 1: ("<=", False)}[side]
                negation = Condition(gap, relation, outcome)
                if infeasible(cell.conditions[:i], negation, self.bounds):
                    continue
                text = words(negation)
                if text not in seen:
                    seen.add(text)
                    self.uncovered.append(text)
        if not exhausted:
            self.uncovered.append(f"cells beyond the first {len(self.cells)}")
        if self.projected and not self.coverage.independent():
            self.uncovered.append("some combinations of branches on independent entries")
        self.complete = not self.uncovered
