"""Maximum, sorting and searching on entries, with as few recorded comparisons as decide the result.

The order is found by value; then exactly the comparisons that characterise the cell are recorded:
the winner against each other entry for a maximum, neighbours for a sort. A strict order is recorded
as ``<`` and a tie as ``==``, so that a tie is seen to be one.

May import: :mod:`symbolic.array`, :mod:`symbolic.values`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from symbolic.values import Symbol, Trace

__all__ = ["argextreme", "argsort", "extreme", "record_order"]


def _value(entry: Any) -> float:
    return float(entry.value) if type(entry) is Symbol else entry


def _trace(entries: Any) -> Trace | None:
    for e in entries:
        if type(e) is Symbol:
            return e.trace
    return None


def record_order(trace: Trace | None, low: Any, high: Any) -> None:
    """Record that ``low < high``, or that they are equal if their values are."""
    if trace is None or low is high:
        return
    if _value(low) == _value(high):
        trace.decide("==", low, high)
    else:
        trace.decide("<", low, high)


def argextreme(entries: np.ndarray, sign: int) -> int:
    """The index of the first maximum (``sign`` 1) or minimum (-1); a NaN wins, as in NumPy."""
    numbers = np.array([_value(e) for e in entries], dtype=float)
    if not numbers.size:
        raise ValueError("attempt to get argmax of an empty sequence")
    index = int(np.argmax(numbers)) if sign > 0 else int(np.argmin(numbers))
    winner, trace = entries[index], _trace(entries)
    for i, entry in enumerate(entries):
        if i != index:
            if sign > 0:
                record_order(trace, entry, winner)
            else:
                record_order(trace, winner, entry)
    return index


def extreme(name: str, array: np.ndarray, axis: Any, keepdims: bool, initial: Any) -> np.ndarray:
    """``maximum.reduce`` and its kin: one of the entries."""
    from symbolic.ufuncs import apply_along

    sign = 1 if name in ("maximum", "fmax") else -1
    skip_nan = name in ("fmax", "fmin")

    def pick(entries: np.ndarray) -> Any:
        if initial is not None:
            entries = np.concatenate([entries, np.array([initial], dtype=object)])
        if not len(entries):
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
        if skip_nan:
            kept = [e for e in entries if _value(e) == _value(e)]
            if not kept:
                return entries[0]
            entries = np.array([*kept, None], dtype=object)[:-1]
        return entries[argextreme(entries, sign)]

    return apply_along(pick, array, axis, keepdims)


def argsort(entries: np.ndarray, descending: bool = False) -> np.ndarray:
    """The stable order of the entries, neighbours recorded."""
    numbers = np.array([_value(e) for e in entries], dtype=float)
    order = np.argsort(numbers, kind="stable")
    trace = _trace(entries)
    if trace is not None:
        for a, b in pairwise(order):
            record_order(trace, entries[a], entries[b])
    return order
