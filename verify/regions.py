"""The cells of a subject as a table: where, what the derivative is there, and what is known of it.

May import: :mod:`symbolic`, :mod:`verify.cells`, :mod:`verify.verdict`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from symbolic.graph import Node, topological
from symbolic.values import Condition
from verify.cells import Cell, bound, fraction, signs_of, words
from verify.verdict import Region

__all__ = ["described", "regions"]

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
        conditions = described(about, _CONDITIONS)
        formula = None if cell.thin or cell.outside else derivative(cell)
        row = Region(conditions, formula, _status(cell, here), cell is here)
        # Cells that differ in what does not matter to this entry are one row.
        key = (tuple(conditions), formula, row.status)
        rows[key] = replace(rows[key], count=rows[key].count + 1) if key in rows else row
    return list(rows.values())


def described(conditions: Sequence[Condition], most: int = 8) -> list[str]:
    """All conditions of a cell in words: bounds on the same quantity as one, ties as a chain.

    What another condition implies is left out: ``x < -1`` is said, and not ``x < 0`` beside it.
    """
    bounds: dict[str, list[tuple[str, Fraction]]] = {}
    ties: list[list[str]] = []
    others: list[str] = []
    for condition in together(list(conditions)):
        found = bound(condition)
        text = words(condition)
        left, equal, right = text.partition(" == ")
        if found is not None:
            bounds.setdefault(found[0], []).append(found[1:])
        elif equal and right != "0":
            _tie(ties, left, right)
        else:
            others.append(text)
    said = [part for name, limits in bounds.items() for part in _between(name, limits)]
    said += [" == ".join(chain) for chain in ties] + others
    return said[:most] + ([f"and {len(said) - most} more"] if len(said) > most else [])


def _tie(chains: list[list[str]], left: str, right: str) -> None:
    """Add what is equal to the chains of what is."""
    touched = [chain for chain in chains if left in chain or right in chain]
    joined = list(dict.fromkeys([*(x for chain in touched for x in chain), left, right]))
    chains[:] = [chain for chain in chains if chain not in touched] + [joined]


def _between(name: str, limits: list[tuple[str, Fraction]]) -> list[str]:
    """The tightest bounds alone: ``-1 <= x < 0``."""
    if equal := [value for sign, value in limits if sign == "=="]:
        return [f"{name} == {fraction(equal[0])}"]
    # Of the same number the strict one is the tighter.
    above = max(((v, s) for s, v in limits if s in (">", ">=")), key=_above, default=None)
    below = min(((v, s) for s, v in limits if s in ("<", "<=")), key=_below, default=None)
    apart = [
        f"{name} != {fraction(v)}" for s, v in limits if s == "!=" and _inside(v, above, below)
    ]
    if above and below:
        sign = {">": "<", ">=": "<="}[above[1]]
        return [f"{fraction(above[0])} {sign} {name} {below[1]} {fraction(below[0])}", *apart]
    one = above or below
    return ([f"{name} {one[1]} {fraction(one[0])}"] if one else []) + apart


def _above(limit: tuple[Fraction, str]) -> tuple[Fraction, bool]:
    return limit[0], limit[1] == ">"


def _below(limit: tuple[Fraction, str]) -> tuple[Fraction, bool]:
    return limit[0], limit[1] != "<"


def _inside(
    value: Fraction, above: tuple[Fraction, str] | None, below: tuple[Fraction, str] | None
) -> bool:
    return (above is None or value > above[0]) and (below is None or value < below[0])


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
