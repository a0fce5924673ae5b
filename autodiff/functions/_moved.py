"""Formulas of Functions that move entries, and do nothing else to them.

May import NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def moved(rule: Callable[..., Any], *arrays: Any) -> Any:
    """Move symbols as `rule` moves the flat places of the entries (for formulas)."""
    entries: list[Any] = []
    places = []
    for array in arrays:
        array = np.asarray(array, dtype=object)
        places.append(np.arange(len(entries), len(entries) + array.size).reshape(array.shape))
        entries += list(array.flat)

    def fill(result: Any) -> Any:
        out = np.empty(np.shape(result), dtype=object)
        for index, place in np.ndenumerate(result):
            out[index] = entries[place]
        return out if out.shape else out[()]

    result = rule(*places)
    return tuple(map(fill, result)) if isinstance(result, (list, tuple)) else fill(result)
