"""Functions of single entries: what was examined in full at a few entries holds at every shape.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.instance`.
"""

from __future__ import annotations

import numpy as np

from symbolic.graph import Node, topological
from verify.explore import Explorer
from verify.instance import Instance

__all__ = ["Known", "formulas", "is_entrywise"]


def is_entrywise(instance: Instance, explorer: Explorer) -> bool:
    """Whether every output depends on one entry of each argument, at its own place."""
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
    return True


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
    return True


class Known:
    """What was examined in full of a function of single entries, for each setting of the rest.

    Elsewhere the same decisions and the same formulas, entry by entry, need no second exploration.
    Code that does something else at another shape (for four entries, say) has others.
    """

    def __init__(self) -> None:
        self._places: dict[tuple, int] = {}
        self._found: dict[str, set[int]] = {}
        self._points: dict[str, list[np.ndarray]] = {}

    def add(self, instance: Instance, explorer: Explorer) -> None:
        """Note what was explored and proved at an example."""
        if is_entrywise(instance, explorer):
            found = self._found.setdefault(instance.example.settings, set())
            found.update(self._patterns(explorer))
            if all(piece.size == 1 for piece in [*instance.pieces, *instance.upstream]):
                inside = [c.point for c in explorer.cells.values() if not c.outside]
                self._points.setdefault(instance.example.settings, []).extend(inside)

    def points(self, settings: str) -> list[np.ndarray]:
        """A point of each cell of single entries that was examined at these settings."""
        return self._points.get(settings, [])

    def differs(self, instance: Instance, explorer: Explorer) -> bool:
        """Whether an example has other formulas than a known one that differs in shapes alone."""
        known = instance.example.settings in self._found
        return known and not self.covers(instance, explorer)

    def covers(self, instance: Instance, explorer: Explorer) -> bool:
        """Whether nothing at an example is new."""
        known = self._found.get(instance.example.settings)
        return (
            known is not None
            and not any(cell.run.loose for cell in explorer.cells.values())
            and is_entrywise(instance, explorer)
            and known.issuperset(self._patterns(explorer))
        )

    def _patterns(self, explorer: Explorer) -> set[int]:
        """The cells' decisions and formulas, each entry called by its argument's name alone."""
        roots = formulas(explorer)
        places: dict[Node, int] = {}
        for node in topological(roots):
            if node.op == "var":
                key: tuple = ("var", node.args[0].partition("[")[0])
            elif node.children:
                parts = [places[child] for child in node.children]
                # Graphs put summands and factors in the order in which they met them.
                key = (node.op, *(sorted(parts) if node.op in ("add", "mul") else parts))
            else:
                key = (node.op, *node.args)
            places[node] = self._places.setdefault(key, len(self._places))
        return {places[root] for root in roots}


def formulas(explorer: Explorer) -> list[Node]:
    """What is computed or decided on the cells; entries that are only passed on are left out."""
    return [
        n
        for cell in explorer.cells.values()
        for n in (*cell.run.outputs, *(c.gap for c in cell.conditions))
        if n.children
    ]
