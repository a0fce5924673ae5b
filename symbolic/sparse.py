"""Sparse matrices of floats applied to traced arrays: what their dense counterparts give.

``A @ x``, ``x @ A`` and sums with arrays are dense in SciPy too. A product entry by entry, or with
a traced number, is sparse there: here it is a :class:`TracedSparse`, which holds a traced matrix.
Factors (``splu``, ``factorized``) are replaced by :class:`TracedFactors`, whose solutions are
linear in the right side.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.linear_maps`,
:mod:`symbolic.wrappers`.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import is_traced, values
from symbolic.array_functions import as_traced, revalued
from symbolic.linear_maps import affine, linear, plain
from symbolic.values import TraceError, user_line
from symbolic.wrappers import is_active

__all__ = ["SCIPY_SPARSE", "SCIPY_SPARSE_LINALG", "SCIPY_SPARSE_MAKERS", "traced_factors"]


class TracedSparse:
    """A sparse array of traced entries, where SciPy's would hold floats."""

    __array_ufunc__ = None  # so that arrays leave their operators to it

    def __init__(self, dense: Any, of_matrices: bool):
        self._dense = dense
        self._of_matrices = of_matrices  # whose sums are matrices, and whose `*` is a product

    def __getattr__(self, name: str) -> Any:
        raise TraceError(f"{name} of a sparse array of traced entries", user_line())

    @property
    def shape(self) -> tuple[int, ...]:
        return self._dense.shape

    @property
    def T(self) -> TracedSparse:
        return self.transpose()

    def transpose(self) -> TracedSparse:
        return TracedSparse(self._dense.T, self._of_matrices)

    def toarray(self) -> Any:
        return self._dense.copy()

    def tocsr(self, copy: bool = False) -> TracedSparse:
        return self

    tocsc = tocoo = tocsr

    def sum(self, axis: Any = None) -> Any:
        keep = self._of_matrices and axis is not None
        return np.sum(self._dense, axis=axis, keepdims=keep)

    def multiply(self, other: Any) -> TracedSparse:
        return TracedSparse(self._dense * _dense(other), self._of_matrices)

    def __matmul__(self, other: Any) -> Any:
        return self._dense @ _dense(other)

    dot = __matmul__

    def __rmatmul__(self, other: Any) -> Any:
        return _dense(other) @ self._dense

    def __mul__(self, other: Any) -> Any:
        return self @ other if self._of_matrices and np.ndim(other) else self.multiply(other)

    def __rmul__(self, other: Any) -> Any:
        return other @ self if self._of_matrices and np.ndim(other) else self.multiply(other)

    def __neg__(self) -> TracedSparse:
        return TracedSparse(-self._dense, self._of_matrices)

    def __truediv__(self, other: Any) -> TracedSparse:
        return TracedSparse(self._dense / _dense(other), self._of_matrices)

    def __add__(self, other: Any) -> Any:
        total = self._dense + _dense(other)
        return total if isinstance(other, np.ndarray) else TracedSparse(total, self._of_matrices)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other


def _dense(a: Any) -> Any:
    """A sparse or dense array as a dense one; its numbers as the trace takes constants."""
    if isinstance(a, TracedSparse):
        return a._dense
    return as_traced(a.toarray() if hasattr(a, "toarray") else a)


def _of_matrices(a: Any) -> bool:
    from scipy.sparse import isspmatrix

    return isspmatrix(a)


def _checked(operator: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The dense result of ``operator``, with the values that the sparse matrix gives."""

    @functools.wraps(operator)
    def call(a: Any, x: Any) -> Any:
        if not np.ndim(x):
            raise ValueError("Scalar operands are not allowed, use '*' instead")
        x = as_traced(x)
        numbers = operator(a, values(x).astype(x.dtype))
        return revalued(operator(_dense(a), x), np.asarray(numbers))

    return call


_matmul = _checked(lambda a, x: a @ x)
_rmatmul = _checked(lambda a, x: x @ a)


def _multiply(a: Any, other: Any) -> TracedSparse:
    return TracedSparse(_dense(a) * _dense(other), _of_matrices(a))


def _mul(a: Any, other: Any) -> Any:
    return _matmul(a, other) if _of_matrices(a) and np.ndim(other) else _multiply(a, other)


def _rmul(a: Any, other: Any) -> Any:
    return _rmatmul(a, other) if _of_matrices(a) and np.ndim(other) else _multiply(a, other)


def _dot(a: Any, other: Any) -> Any:
    return _matmul(a, other) if np.ndim(other) else _multiply(a, other)


def _add(a: Any, other: Any) -> Any:
    if not np.ndim(other):
        # SciPy's own refusal, in its words: the sum would not be sparse.
        raise NotImplementedError("adding a nonzero scalar to a sparse array is not supported")
    return _dense(a) + other


def _methods(name: str) -> dict[str, Callable[..., Any]]:
    return {
        f"{name}.__matmul__": _matmul,
        f"{name}.__rmatmul__": _rmatmul,
        f"{name}.__mul__": _mul,
        f"{name}.__rmul__": _rmul,
        f"{name}.multiply": _multiply,
        f"{name}.dot": _dot,
        f"{name}.__add__": _add,
        f"{name}.__radd__": _add,
        f"{name}.__sub__": lambda a, x: _add(a, -x),
        f"{name}.__rsub__": lambda a, x: _add(-a, x),
        f"{name}.__truediv__": lambda a, x: TracedSparse(_dense(a) / x, _of_matrices(a)),
    }


# Factors


class TracedFactors:
    """SuperLU's factors of a matrix of floats: the solution is linear in the right side."""

    def __init__(self, factors: Any):
        self._factors = factors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factors, name)

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        return _solution(functools.partial(self._factors.solve, trans=trans), rhs)


def _solution(solve: Callable[..., Any], rhs: Any) -> Any:
    if is_traced(rhs):
        return affine(lambda b: solve(np.asarray(b, dtype=float)), rhs)
    return solve(plain(rhs, "rhs"))


def traced_factors(value: Any) -> Any:
    """What stands for SuperLU's factors, or for their bare method, during a trace; or None."""
    if type(value).__name__ == "SuperLU":
        return TracedFactors(value)
    if type(value) is types.BuiltinMethodType and type(value.__self__).__name__ == "SuperLU":
        return functools.partial(_solution, value)
    return None


def _maker(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(*args, **kwargs)
        return traced_factors(original(*(plain(a, "A") for a in args), **kwargs))

    return make


_CLASSES = [f"{form}_{kind}" for form in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
            for kind in ("array", "matrix")]  # fmt: skip

SCIPY_SPARSE: dict[str, Callable[..., Any]] = {
    path: ours for name in _CLASSES for path, ours in _methods(name).items()
}
SCIPY_SPARSE_LINALG = {"spsolve": linear("scipy.sparse.linalg", "spsolve", "b")}
SCIPY_SPARSE_MAKERS = dict.fromkeys(("splu", "spilu", "factorized"), _maker)
