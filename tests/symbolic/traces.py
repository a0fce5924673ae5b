"""What a trace must satisfy: its formulas and its values are what NumPy computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.graph import Program
from symbolic.primitives import FLOAT
from symbolic.tracing import Traced, trace


def evaluated(traced: Traced, arrays: list[Any]) -> list[np.ndarray]:
    """The outputs' formulas in floats at the arguments' values."""
    point = {
        node.args[0]: float(value)
        for variables, array in zip(traced.inputs.values(), arrays, strict=True)
        for node, value in zip(variables.flat, np.ravel(array), strict=True)
    }
    found = []
    for output in traced.outputs:
        with np.errstate(all="ignore"):
            flat = [float(v) for v in Program(list(output.flat)).run(FLOAT, point)]
        found.append(np.array(flat).reshape(output.shape))
    return found


def agrees(
    function: Callable[..., Any], *arrays: Any, rtol: float = 1e-10, atol: float = 1e-10
) -> Traced:
    """Trace ``function`` at float arrays and hold it against the function itself.

    The values must be NumPy's own up to the order of a sum; the formulas may round otherwise.
    """
    kept = [np.array(a) for a in arrays]
    with np.errstate(all="ignore"):
        plain = function(*arrays)
    traced = trace(function, arrays, names=[f"a{i}" for i in range(len(arrays))])
    wanted = list(plain) if isinstance(plain, (tuple, list)) else [plain]
    assert len(wanted) == len(traced.outputs)
    for want, value, formula in zip(
        wanted, traced.values, evaluated(traced, list(arrays)), strict=True
    ):
        want = np.asarray(want, dtype=float)
        assert value.shape == want.shape
        np.testing.assert_allclose(value, want, rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(formula, want, rtol=rtol, atol=atol)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)
    return traced


def parts(z: Any) -> tuple[Any, Any]:
    """Real and imaginary part, so that a complex result can be compared."""
    return np.real(z), np.imag(z)


def signs(traced: Traced) -> list[tuple[str, str]]:
    """The recorded conditions as text and sign, in order."""
    return [(repr(c.gap), c.sign) for c in traced.conditions]
