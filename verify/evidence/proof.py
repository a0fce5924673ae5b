"""Is backward the derivative for every input of a cell? The identity decided, cell by cell.

May import: :mod:`symbolic`, and of :mod:`verify` the cells and what judges.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbolic.decide import all_equal
from symbolic.graph import Graph, Node, topological
from symbolic.values import Condition
from verify.cells import Cell
from verify.entrywise import is_entrywise
from verify.explore import Explorer
from verify.instance import Instance
from verify.judge import Judge, huge_in

if TYPE_CHECKING:
    from verify.casework import Casework

__all__ = ["count", "prove", "smooth"]


def prove(work: Casework, instance: Instance, explorer: Explorer, judge: Judge, end: float) -> None:
    """Try to prove every cell that is still open."""
    entrywise = is_entrywise(instance, explorer)
    # An entry's formula that changes with the shape (a factor 1/n) says nothing of other shapes.
    work.entrywise = work.entrywise and entrywise and not work.known.differs(instance, explorer)
    work._small_done = work.known.covers(instance, explorer)
    for cell in smooth(explorer):
        if cell.status == "open":
            # What one cell's proof could not do in full time, the next one's will not either.
            most = 3.0 if not work._unproved else 0.3
            left = max(0.05, min(most, 0.35 * (end - time.process_time())))
            cell.status = _prove_cell(work, cell, judge, left)
            work._unproved += cell.status != "proved"


def count(work: Casework, instance: Instance, explorer: Explorer, judge: Judge, end: float) -> None:
    """Prove the cells that the points discovered, and sum up how far the proof goes."""
    prove(work, instance, explorer, judge, end)
    tally = work.tally("proof")
    full = smooth(explorer)
    proved = sum(c.status == "proved" for c in full)
    work.explored += len(explorer.cells)
    if work.shown is None or len(work.shown[1]) < 2:
        work.shown = (instance, list(explorer.cells.values()))
    # A cell without interior has no identity to prove: it was judged where it was reached.
    work.proved += proved + len(explorer.cells) - len(full)
    if proved < len(full) or not full:
        work.all_proved = False
    complete = explorer.complete
    if work._small_done:
        # Each entry is a function of its own entries alone, and that function's cells were all
        # found at a smaller shape: a product of them needs no visit.
        complete = True
    if explorer.complete and proved == len(full):
        work.known.add(instance, explorer)
    if not complete:
        work.uncovered += [
            f"{text} (at {instance.example.describe()})" for text in explorer.uncovered[:4]
        ]
    work._cells += len(full)
    work._cells_proved += proved
    tally.passed += 0 < proved == len(full)
    tally.detail = (
        f"backward equals the derivative on {work._cells_proved} of {work._cells} cells"
        + (f", by {', '.join(sorted(work.methods))}" if work.methods else "")
    )
    work.constants.update(instance.graph.closed_forms)


def _prove_cell(work: Casework, cell: Cell, judge: Judge, seconds: float) -> str:
    run = cell.run
    if run.backward_error is not None:
        work.skip(
            "proof",
            f"backward was not traced: {type(run.backward_error).__name__}: {run.backward_error}",
        )
        return "untraced"
    zero = judge.instance.graph.zero
    expected = judge.reference(cell).expected
    actual = [zero if g is None else g for g in run.grads]
    expected, actual = _without_masked(work, judge.instance.graph, expected, actual)
    # What does not touch an entry's variables cannot matter to it, and the same entry comes
    # back on many cells: decide it once.
    groups: dict[tuple, list[tuple[Node, Node]]] = {}
    facts_of: dict[tuple, list[Condition]] = {}
    for pair in zip(expected, actual, strict=True):
        if pair[0] is pair[1]:
            continue
        facts = judge.explorer.relevant(cell, pair)
        key = tuple(sorted((c.gap.index, c.sign) for c in facts))
        if (pair[0], pair[1], key) not in work._decided:
            groups.setdefault(key, []).append(pair)
            facts_of[key] = facts
    end = time.process_time() + seconds
    for key, pairs in groups.items():
        left = max(0.05, end - time.process_time())
        decisions = all_equal(judge.instance.graph, pairs, facts_of[key], seconds=left)
        for pair, decision in zip(pairs, decisions, strict=True):
            if decision.status != "proved":
                work.skip("proof", f"a cell was not proved: {decision.method}")
                return "unproved"
            work._decided.add((pair[0], pair[1], key))
            work.methods.add(decision.method)
    return "proved"


def _without_masked(
    work: Casework, graph: Graph, expected: Sequence[Node], actual: Sequence[Node]
) -> tuple[list[Node], list[Node]]:
    """Both with zero for ``exp(-1e9)``: such a number is taken for minus infinity."""
    nodes = [*expected, *actual]
    masked = [n for n in topological(nodes) if n.op == "exp" and huge_in(n.args[0]) < 0]
    if not masked:
        return list(expected), list(actual)
    number = min(huge_in(n.args[0]) for n in masked)
    work.notes.append(f"{number:g} among exponents stands for minus infinity in the proof")
    nodes = graph.substitute(nodes, dict.fromkeys(masked, graph.zero))
    return nodes[: len(expected)], nodes[len(expected) :]


def smooth(explorer: Explorer) -> list[Cell]:
    """The cells on which there is an identity to prove."""
    return [c for c in explorer.cells.values() if not c.thin and not c.outside]
