"""Examples that many Functions share: which shapes, axes and complex numbers to check with.

May import NumPy alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

AXIS_EXAMPLES: list[Any] = [
    ((3,), {}),
    ((2, 3), {}),
    ((2, 3), {"axis": 0}),
    ((2, 3), {"axis": -1, "keepdims": True}),
    ((2, 1, 2), {"axis": (0, 2)}),
    ((1, 2), {"axis": (-1, 0), "keepdims": True}),
    ((), {}),
]
# Where each order of the entries is a cell of its own: as many ways to reduce, fewer entries.
ORDER_EXAMPLES: list[Any] = [
    ((3,), {}),
    ((2, 2), {"axis": 0}),
    ((2, 2), {"axis": -1, "keepdims": True}),
    ((2, 1, 1), {"axis": (0, 2)}),
    ((1, 2), {"axis": (-1, 0), "keepdims": True}),
    ((), {}),
]
EMPTY_EXAMPLES: list[Any] = [((0,), {}), ((2, 0), {"axis": 1}), ((0, 2), {"axis": -1})]

COMPLEX = np.array([1.5 + 0.5j, -0.25 - 2.0j])
COMPLEX_MATRIX = np.array([[2.0 + 0.5j, -0.25 + 1.0j], [0.5 - 1.5j, 3.0 + 0.25j]])
# For a Function of one argument that acts entry by entry, and whose complex derivatives are not
# proved: roots of complex numbers have no normal form. Tests compare them with differences.
REAL_EXAMPLES: list[Any] = [((),), ((3,),), ((2, 3),), ((2, 1),)]
# For one whose derivative falls into cases, each of them a series or a fraction of many steps: with
# every further entry the cells multiply.
SMALL_EXAMPLES: list[Any] = [((),), ((2,),)]
