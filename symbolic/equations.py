"""Linear equations of a special form, and the matrix root, on traced matrices.

Each is a system of linear equations in the entries of the result (of a root: of two rows, by the
theorem of Cayley and Hamilton).

May import: :mod:`symbolic.array_functions`, :mod:`symbolic.linalg`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array_functions import as_traced
from symbolic.values import TraceError, user_line

__all__ = ["EQUATIONS"]


def _solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    lower, upper = l_and_u
    ab, b = as_traced(ab), as_traced(b)
    n = ab.shape[-1]
    full = as_traced(np.zeros((n, n)))
    for d in range(-lower, upper + 1):
        for j in range(max(d, 0), n + min(d, 0)):
            full[j - d, j] = ab[upper - d, j]
    return np.linalg.solve(full, b)


def _solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    a, b, q = as_traced(a), as_traced(b), as_traced(q)
    rows, columns = q.shape
    system = np.kron(np.eye(columns), a) + np.kron(b.T, np.eye(rows))
    return np.linalg.solve(system, q.T.reshape(-1)).reshape(columns, rows).T


def _continuous_lyapunov(a: Any, q: Any) -> Any:
    a = as_traced(a)
    return _solve_sylvester(a, np.conjugate(a.T), q)


def _discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    a, q = as_traced(a), as_traced(q)
    system = np.eye(q.size) - np.kron(a, np.conjugate(a))
    return np.linalg.solve(system, q.reshape(-1)).reshape(q.shape)


def _solveh_banded(
    ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, lower: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    ab = as_traced(ab)
    if np.iscomplexobj(ab):
        raise TraceError("solveh_banded of a complex traced matrix", user_line())
    width, n = ab.shape
    full = as_traced(np.zeros((n, n)))
    for d in range(width):
        line = ab[d, : n - d] if lower else ab[width - 1 - d, d:]
        for i in range(n - d):
            full[i, i + d] = full[i + d, i] = line[i]
    return np.linalg.solve(full, as_traced(b))


def _solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    from scipy.linalg import toeplitz

    parts = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr,)
    return np.linalg.solve(as_traced(toeplitz(*parts)), as_traced(b))


def _sqrtm(a: Any, *args: Any, **kwargs: Any) -> Any:
    a = as_traced(a)
    if a.shape == (1, 1):
        return np.sqrt(a)
    if a.shape != (2, 2):
        raise TraceError(f"the root of a traced matrix of shape {a.shape}", user_line())
    root = np.sqrt(a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0])
    return (a + root * np.eye(2)) / np.sqrt(a[0, 0] + a[1, 1] + 2 * root)


EQUATIONS: dict[str, Callable[..., Any]] = {
    "solve_banded": _solve_banded,
    "solve_sylvester": _solve_sylvester,
    "solve_continuous_lyapunov": _continuous_lyapunov,
    "solve_lyapunov": _continuous_lyapunov,
    "solve_discrete_lyapunov": _discrete_lyapunov,
    "solve_toeplitz": _solve_toeplitz,
    "solveh_banded": _solveh_banded,
    "sqrtm": _sqrtm,
}
