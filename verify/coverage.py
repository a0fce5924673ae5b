"""Do the cells cover the domain? And a visit to what they leave over.

A solver (:mod:`symbolic.regions`) finds a point that no known cell contains, or proves that there
is none. Groups of entries that no condition connects are covered one by one where they decide
independently of each other, since their combinations are too many to visit.

May import: :mod:`symbolic`, :mod:`verify.cells`.
"""

from __future__ import annotations

import time
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from symbolic.graph import Node
from symbolic.regions import Regions, Unknown
from symbolic.values import Condition, TraceError
from verify.cells import Cell, Key

if TYPE_CHECKING:
    from verify.explore import Explorer

__all__ = ["Coverage"]

# How many points that lead to no new cell the search for uncovered regions may try.
_FRUITLESS = 8

_MOST_TERMS = 2000


class Coverage:
    """Whether an explorer's cells cover the domain at its example.

    Parameters
    ----------
    explorer : Explorer
    """

    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        self._terms: dict[Key, list[Counter]] = {}

    def groups(self) -> list[set[int]]:
        """Entries connected by conditions, over all cells: what decides together."""
        groups: list[set[int]] = []
        for cell in self.explorer.cells.values():
            for c in cell.conditions:
                entries = set(self.explorer.depends(c.gap))
                if not entries or any(entries <= g for g in groups):
                    continue
                joined = [g for g in groups if g & entries]
                groups = [g for g in groups if not g & entries]
                groups.append(entries.union(*joined))
        return groups

    def independent(self) -> bool:
        """Whether groups of connected entries decide independently of each other.

        What backward gives minus what is right is then a sum with a part for each group, which the
        decisions of that group alone select: where it is zero on the cells that differ from one of
        them in a single group, it is zero on all their combinations. Whether it is such a sum is
        seen on the cells visited, term by term.
        """
        groups = self.groups()
        base = self._base()
        if base is None:
            return False
        cells = [
            c
            for c in self.explorer.cells.values()
            if not (c.thin or c.outside or c.run.loose or c.run.backward_error is not None)
        ]
        home = self._decided(base, groups)
        start = self._errors(base)
        changes: dict[tuple[int, frozenset], list[Counter]] = {}
        later = []
        for cell in cells:
            decided = self._decided(cell, groups)
            moved = [(i, d) for i, (d, h) in enumerate(zip(decided, home, strict=True)) if d != h]
            errors = self._errors(cell)
            if len(moved) == 1:
                change = [_minus(e, s) for e, s in zip(errors, start, strict=True)]
                if changes.setdefault(moved[0], change) != change:
                    return False
            else:
                later.append((moved, errors))
        for moved, errors in later:
            if all(m in changes for m in moved):
                for k, error in enumerate(errors):
                    total = start[k].copy()
                    for m in moved:
                        total.update(changes[m][k])
                    if _minus(error, total):
                        return False
        return True

    def _base(self) -> Cell | None:
        """The cell that others are compared with."""
        for c in self.explorer.cells.values():
            if not (c.thin or c.outside or c.run.loose or c.run.backward_error is not None):
                return c
        return None

    def _decided(self, cell: Cell, groups: list[set[int]]) -> list[frozenset]:
        """A cell's decisions, group by group."""
        return [frozenset(self._steps(cell, g, inside=True)) for g in groups]

    def _errors(self, cell: Cell) -> list[Counter]:
        """For each entry of the gradient, given minus right as a formal sum of terms."""
        found = self._terms.get(cell.key)
        if found is None:
            found = self._terms[cell.key] = []
            for right, given in zip(self.explorer.expected(cell), cell.run.grads, strict=True):
                total: Counter = Counter()
                if right is not given:
                    total.update({t: -n for t, n in _addends(right).items()})
                    if given is not None:
                        total.update(_addends(given))
                found.append(_minus(total, Counter()))
        return found

    def fill(self) -> bool:
        """Visit what the cells leave over, and say whether nothing is left in the end.

        Decisions are no tree to walk along (those of a sort, of a maximum), and the way to a region
        need not be a line; a solver finds a point of it, group by group where groups of entries
        decide independently. More than the cells' number is allowed for, since each is cheap.
        """
        known = -1
        while (
            len(self.explorer.definedness.rests_on) > known
        ):  # more conditions: then nothing is known yet
            known = len(self.explorer.definedness.rests_on)
            groups = self.groups()
            several = len(groups) > 1 and self.independent()
            if not several:
                groups = [set().union(*groups)]
            covered = [self._fill_group(g, several) for g in groups]
        # New cells may show that the groups are not independent after all.
        return all(covered) and (not several or self.independent())

    def _fill_group(self, group: set[int], several: bool) -> bool:
        """Visit what the cells leave over of one group of entries.

        With ``several`` groups those cells count in which the others decide as in the base cell.
        """
        regions = Regions(self.explorer.bounds)
        known: set[frozenset] = set()
        base = self._base()
        if base is None:
            return False
        others = self._steps(base, group, inside=False).keys()
        fruitless = looked = 0
        while (
            time.process_time() < self.explorer.deadline
            and len(self.explorer.cells) < self.explorer.most
        ):
            for cell in list(self.explorer.cells.values())[looked:]:
                elsewhere = self._steps(cell, group, inside=False).keys()
                if cell.run.loose or (several and elsewhere != others):
                    continue
                mine = self._steps(cell, group, inside=True)
                if frozenset(mine) not in known:
                    known.add(frozenset(mine))
                    regions.exclude(list(mine.values()))
            looked = len(self.explorer.cells)
            try:
                values = regions.point()
            except Unknown:
                return False
            if values is None:
                return not fruitless
            if not self.explorer.instance.free or fruitless >= _FRUITLESS:
                return False
            point = base.point.copy()
            for name, value in values.items():
                point[self.explorer.place[name]] = value
            before = len(self.explorer.cells)
            beyond = False
            if self.explorer.instance.in_domain(point):
                try:
                    self.explorer.visit(point)
                except TraceError as error:
                    self.explorer.error = error
                    beyond = self.explorer.undefined(point)
            if len(self.explorer.cells) == before:
                # There is no such point, or none where floats can go: nothing is claimed then. But
                # where forward has no value there is nothing to cover.
                fruitless += not beyond
                regions.forget()
        return False

    def _steps(self, cell: Cell, group: set[int], inside: bool) -> dict[tuple, Condition]:
        """A cell's decisions on entries of a group, or on all others."""
        return {
            step: c
            for step, c in zip(cell.key, cell.conditions, strict=False)
            if bool(group.intersection(self.explorer.depends(c.gap))) == inside
        }


def _addends(node: Node) -> Counter:
    """The terms of a sum, products distributed, each with its coefficient.

    A term is known by its factors' places in the graph, divisors below zero.
    """
    terms: Counter = Counter()
    stack: list[tuple[list[Node], Fraction, tuple[int, ...]]] = [([node], Fraction(1), ())]
    for _ in range(_MOST_TERMS):
        if not stack:
            return terms
        left, coefficient, factors = stack.pop()
        while left:
            n = left.pop()
            if n.op == "const":
                coefficient *= n.args[0]
            elif n.op == "mul":
                left += n.children
            elif n.op == "div" and n.children[1].op == "const" and n.children[1].args[0]:
                left.append(n.children[0])
                coefficient /= n.children[1].args[0]
            elif n.op == "div":
                left.append(n.children[0])
                factors = (*factors, -1 - n.children[1].index)
            elif n.op == "add":
                stack += [([*left, child], coefficient, factors) for child in n.children]
                break
            else:
                factors = (*factors, n.index)
        else:
            terms[tuple(sorted(factors))] += coefficient  # type: ignore[assignment]
    # Too many to write out: then the sum itself is the one term.
    return Counter({(node.index,): Fraction(1)})  # type: ignore[dict-item]


def _minus(a: Counter, b: Counter) -> Counter:
    """``a - b``, with negative counts kept and zeros left out."""
    return Counter({t: n for t in {*a, *b} if (n := a[t] - b[t])})
