"""The cells of a subject as a table: where, what the derivative is there, and what is known of it.

May import: :mod:`symbolic`, :mod:`verify.cells`, :mod:`verify.verdict`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from symbolic.graph import Node, topological
from symbolic.values import Condition
from verify.cells import Cell, signs_of, words
from verify.verdict import Region

__all__ = ["regions"]

# What the code would have found, for each set of signs that a difference may have.
_DECISIONS = {
    frozenset({-1}): ("<", True),
    frozenset({0}): ("==", True),
    frozenset({1}): ("<=", False),
    frozenset({-1, 0}): ("<=", True),
    frozenset({0, 1}): ("<", False),
    frozenset({-1, 1}): ("==", False),
}
_MOST = 12  # rows that a person reads
_CONDITIONS = 6
_SECONDS = 0.5


def regions(
    cells: Sequence[Cell],
    derivative: Callable[[Cell], str | None],
    name: str,
    here: Cell | None = None,
    seconds: float = _SECONDS,
) -> list[Region]:
    """Rows for the first cells, those with an interior first.

    Parameters
    ----------
    cells : sequence of Cell
    derivative : callable
        The right derivative on a cell, as text.
    name : str
        The entry that it is taken by: of the conditions, those on it are shown.
    here : Cell, optional
        The counterexample's, which is always shown.
    seconds : float
        Processor time; cells that it does not suffice for are left out.
    """
    end = time.process_time() + seconds
    rank = {id(cell): (cell is not here, cell.thin, cell.outside) for cell in cells}
    rows: dict[tuple[object, ...], Region] = {}
    for cell in sorted(cells, key=lambda cell: rank[id(cell)]):
        if time.process_time() > end or len(rows) == _MOST:
            break
        known = together(cell.conditions)
        about = [c for c in known if name in variables(c.gap)] or known
        conditions = [words(c) for c in about[:_CONDITIONS]]
        if len(about) > len(conditions):
            conditions.append(f"and {len(about) - len(conditions)} more")
        formula = None if cell.thin or cell.outside else derivative(cell)
        row = Region(conditions, formula, _status(cell, here), cell is here)
        # Cells that differ in what does not matter to this entry are one row.
        key = (tuple(conditions), formula, row.status)
        rows[key] = replace(rows[key], count=rows[key].count + 1) if key in rows else row
    return list(rows.values())


def together(conditions: list[Condition]) -> list[Condition]:
    """One condition in the place of several on the same difference: ``<`` for ``<=`` and ``!=``."""
    found = []
    for gap, signs in signs_of(conditions).items():
        decision = _DECISIONS.get(signs)
        if decision is not None:
            found.append(Condition(gap, *decision))
    return found


def variables(node: Node) -> set[str]:
    """The names of the variables in an expression."""
    return {n.args[0] for n in topological([node]) if n.op == "var"}


def _status(cell: Cell, here: Cell | None) -> str:
    if cell is here:
        return "wrong"
    if cell.outside:
        return "not finite"
    if cell.status == "proved":
        return "proved"
    if cell.thin:
        return "boundary"
    return "not proved" if cell.status != "open" else "not decided"
