"""Linear algebra on traced matrices: explicit formulas in the entries, for small matrices.

Determinants, inverses and solutions are rational functions: by minors without division while the
matrix is small (so that they are exact at singular matrices too), by elimination above. What
LAPACK decides (a pivot, the sign of a column) is taken from its own result on the values: the
pivot does not change the formula, and a sign is locally constant.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce as fold
from functools import wraps
from itertools import combinations
from typing import Any

import numpy as np

from symbolic.array import boxed, values, wrap
from symbolic.array_functions import as_traced, implements, revalued
from symbolic.complex import is_complex, magnitude
from symbolic.eigen import lower
from symbolic.lowering import divide, primitive, sqrt
from symbolic.values import TraceError, user_line

__all__ = [
    "cholesky_lower",
    "determinant",
    "eigh",
    "eigvalsh",
    "elimination",
    "inv",
    "lstsq",
    "norm",
    "one_matrix",
    "order_of",
    "pinv",
    "qr",
    "solve",
    "svd",
    "svdvals",
    "triangular",
]

# Up to this size by minors; above by elimination.
_MINORS = 4
_LARGEST = 12


def order_of(a: Any) -> int:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if a.shape[-1] > _LARGEST:
        raise TraceError(f"linear algebra on a {a.shape[-1]}-row traced matrix", user_line())
    return a.shape[-1]


def _batched(function: Callable[..., Any], a: Any, *others: Any) -> Any:
    """``function`` on each matrix of the stacks, its results stacked."""
    batch = a.shape[:-2]
    results = [function(a._entries[i], *(o._entries[i] for o in others)) for i in np.ndindex(batch)]
    if not results:
        raise TraceError("an empty stack of traced matrices", user_line())
    out = np.empty((len(results), *np.shape(results[0])), dtype=object)
    for i, r in enumerate(results):
        out[i] = r
    return wrap(out.reshape(batch + out.shape[1:]), a._dtype, scalar=out.ndim == 1 and not batch)


def _each_matrix(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one traced matrix, for stacks of them too: its results are stacked."""

    @wraps(function)
    def call(a: Any, *args: Any, **kwargs: Any) -> Any:
        a = as_traced(a)
        if a.ndim <= 2:
            return function(a, *args, **kwargs)
        batch = a.shape[:-2]
        found = [function(a[i], *args, **kwargs) for i in np.ndindex(batch)]
        if not found:
            raise TraceError("an empty stack of traced matrices", user_line())
        if not isinstance(found[0], tuple):
            return np.stack(found).reshape(batch + found[0].shape)
        parts = [np.stack(p).reshape(batch + p[0].shape) for p in zip(*found, strict=True)]
        return type(found[0])(*parts)

    return call


# Determinant, inverse, solution


def _minors(m: np.ndarray) -> dict[tuple[int, ...], Any]:
    """The determinants of the first k rows and any k columns, for every k, by Laplace."""
    n = len(m)
    found: dict[tuple[int, ...], Any] = {(): 1.0}
    for k in range(n):
        for columns in combinations(range(n), k + 1):
            total: Any = 0.0
            for place, j in enumerate(columns):
                rest = columns[:place] + columns[place + 1 :]
                term = m[k, j] * found[rest]
                total = total + term if (k + place) % 2 == 0 else total - term
            found[columns] = total
    return found


def determinant(m: np.ndarray) -> Any:
    n = len(m)
    if n <= _MINORS + 1:
        return _minors(m)[tuple(range(n))]
    _, upper, _, sign = elimination(m)
    return fold(lambda a, b: a * b, [upper[i, i] for i in range(n)], float(sign))


def _adjugate(m: np.ndarray) -> np.ndarray:
    n = len(m)
    out = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(m, i, 0), j, 1)
            entry = determinant(minor)
            out[j, i] = entry if (i + j) % 2 == 0 else -entry
    return out


def elimination(m: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int], int]:
    """Elimination; each pivot is the largest by value, as in LAPACK."""
    n = len(m)
    upper, lower = m.copy(), np.eye(n).astype(object)
    order, sign = list(range(n)), 1
    for k in range(n):
        p = k + int(np.argmax(np.abs(values(upper[k:, k]))))
        if p != k:
            upper[[k, p]] = upper[[p, k]]
            lower[[k, p], :k] = lower[[p, k], :k]
            order[k], order[p] = order[p], order[k]
            sign = -sign
        for i in range(k + 1, n):
            factor = divide(upper[i, k], upper[k, k])
            lower[i, k] = factor
            upper[i, k] = 0.0
            for j in range(k + 1, n):
                upper[i, j] = upper[i, j] - factor * upper[k, j]
    return lower, upper, order, sign


def triangular(m: np.ndarray, b: np.ndarray, lower: bool, unit: bool = False) -> np.ndarray:
    """The solution of a triangular system, by substitution; ``b`` has columns."""
    n = len(m)
    x = np.empty(b.shape, dtype=object)
    for i in range(n) if lower else range(n - 1, -1, -1):
        known = range(i) if lower else range(i + 1, n)
        rest = b[i]
        for j in known:
            rest = rest - m[i, j] * x[j]
        x[i] = rest if unit else [divide(r, m[i, i]) for r in rest]
    return x


def _solve(m: np.ndarray, b: np.ndarray) -> np.ndarray:
    n = len(m)
    if n <= _MINORS:
        top = _adjugate(m) @ b
        return np.frompyfunc(divide, 2, 1)(top, boxed(determinant(m)))
    lower, upper, order, _ = elimination(m)
    return triangular(upper, triangular(lower, b[order], lower=True, unit=True), lower=False)


@implements(np.linalg.det)
def det(a: Any) -> Any:
    a = as_traced(a)
    order_of(a)
    return revalued(_batched(determinant, a), np.linalg.det(values(a)))


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    found = det(a)
    result = np.sign(found), np.log(np.abs(found))
    _, logabs = np.linalg.slogdet(values(as_traced(a)))
    kind = type(np.linalg.slogdet(np.eye(1)))
    return kind(result[0], revalued(result[1], logabs))


@implements(np.linalg.inv)
def inv(a: Any) -> Any:
    a = as_traced(a)
    n = order_of(a)
    value = np.linalg.inv(values(a))  # raises LinAlgError where NumPy does
    return revalued(_batched(lambda m: _solve(m, np.eye(n).astype(object)), a), value)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    a, b = as_traced(a), as_traced(b)
    order_of(a)
    value = np.linalg.solve(values(a), values(b))
    vector = b.ndim == 1
    right = b.reshape(b.shape + (1,)) if vector else b
    batch = np.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    a = np.broadcast_to(a, batch + a.shape[-2:])
    right = np.broadcast_to(right, batch + right.shape[-2:])
    result = _batched(_solve, a, right)
    return revalued(result[..., 0] if vector else result, value)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    a = as_traced(a)
    size = order_of(a)
    if n == 0:
        return np.broadcast_to(np.zeros_like(a) + np.eye(size), a.shape)
    base = np.linalg.inv(a) if n < 0 else a
    return fold(np.matmul, [base] * abs(n))


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    result = fold(np.dot, arrays)
    if out is not None:
        out[...] = result
        return out
    return result


@implements(np.linalg.matrix_rank)
def matrix_rank(a: Any, *args: Any, **kwargs: Any) -> Any:
    return np.linalg.matrix_rank(values(as_traced(a)), *args, **kwargs)


# Factorisations


def cholesky_lower(m: np.ndarray) -> np.ndarray:
    """The lower Cholesky factor of the matrix whose lower triangle ``m`` holds."""
    n = len(m)
    out = np.zeros((n, n)).astype(object)
    for j in range(n):
        rest = m[j, j]
        for k in range(j):
            rest = rest - out[j, k] ** 2
        out[j, j] = sqrt(rest)
        for i in range(j + 1, n):
            rest = m[i, j]
            for k in range(j):
                rest = rest - out[i, k] * out[j, k]
            out[i, j] = divide(rest, out[j, j])
    return out


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    a = as_traced(a)
    order_of(a)
    value = np.linalg.cholesky(values(a), upper=upper)
    lower = _batched(cholesky_lower, a.mT if upper else a)
    return revalued(lower.mT if upper else lower, value)


@implements(np.linalg.qr)
@_each_matrix
def qr(a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "r"):
        raise TraceError(f"np.linalg.qr of a traced matrix in mode {mode!r}", user_line())
    numbers = np.linalg.qr(values(a))
    signs = np.where(np.diag(numbers.R) < 0, -1.0, 1.0)
    m, (rows, columns) = a._entries, a.shape
    count = min(rows, columns)
    q, r = np.empty((rows, count), dtype=object), np.zeros((count, columns)).astype(object)
    for j in range(columns):
        column = m[:, j]
        for i in range(min(j, count)):
            r[i, j] = q[:, i] @ m[:, j]
            column = column - q[:, i] * r[i, j]
        if j < count:
            r[j, j] = sqrt(column @ column) * signs[j]
            q[:, j] = [divide(c, r[j, j]) for c in column]
    upper = revalued(wrap(r, a._dtype), numbers.R)
    return upper if mode == "r" else type(numbers)(revalued(wrap(q, a._dtype), numbers.Q), upper)


# Eigenvalues and singular values


def _eigenvalues(m: np.ndarray) -> np.ndarray:
    """Those of a symmetric matrix, of which the lower triangle is read, in ascending order."""
    if len(m) == 1:
        return m[0]
    entries = lower(m)
    if any(is_complex(entry) for entry in entries):
        raise TraceError("eigenvalues of a complex traced matrix", user_line())
    return np.array([primitive("eigenvalue", k, *entries) for k in range(len(m))], dtype=object)


def _eigenvectors(m: np.ndarray) -> np.ndarray:
    """In columns, with the signs that LAPACK gives them."""
    n = len(m)
    vectors = np.ones((n, n)).astype(object)
    for i, k in np.ndindex(n, n) if n > 1 else ():
        vectors[i, k] = primitive("eigenvector", k, i, *lower(m))
    return vectors


def _singular_vectors(m: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Those of the shorter side, in columns, with the signs that LAPACK gives them."""
    n = min(m.shape)
    vectors = numbers.astype(object)  # of length one: a sign
    for i, k in np.ndindex(n, n) if n > 1 else ():
        vectors[i, k] = primitive("singularvector", k, i, len(m), *m.flat)
    return vectors


def one_matrix(a: Any, name: str) -> Any:
    a = as_traced(a)
    if a.ndim != 2:
        raise TraceError(f"{name} of a stack of traced matrices", user_line())
    return a


@implements(np.linalg.eigh)
@_each_matrix
def eigh(a: Any, UPLO: Any = "L") -> Any:
    order_of(a)
    numbers = np.linalg.eigh(values(a), UPLO)
    m = a._entries if UPLO.upper() == "L" else a._entries.T
    return type(numbers)(
        revalued(wrap(_eigenvalues(m), a._dtype), numbers.eigenvalues),
        revalued(wrap(_eigenvectors(m), a._dtype), numbers.eigenvectors),
    )


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    a = as_traced(a)
    order_of(a)
    triangle = a if UPLO.upper() == "L" else a.mT
    return revalued(_batched(_eigenvalues, triangle), np.linalg.eigvalsh(values(a), UPLO))


@implements(np.linalg.svd)
@_each_matrix
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    rows, columns = a.shape
    numbers = np.linalg.svd(values(a), full_matrices=False)
    tall = rows >= columns
    m = a._entries
    gram = m.T @ m if tall else m @ m.T
    singular = np.array([sqrt(v) for v in _eigenvalues(gram)[::-1]], dtype=object)
    s = revalued(wrap(singular, a._dtype), numbers.S)
    if not compute_uv:
        return s
    if full_matrices and rows != columns:
        raise TraceError("svd with full_matrices=True of a matrix that is not square", user_line())
    short = _singular_vectors(m, numbers.Vh.T if tall else numbers.U)
    long = (m if tall else m.T) @ short
    for k in range(long.shape[1]):
        long[:, k] = [divide(entry, singular[k]) for entry in long[:, k]]
    u, vh = (long, short.T) if tall else (short, long.T)
    return type(numbers)(
        revalued(wrap(u, a._dtype), numbers.U), s, revalued(wrap(vh, a._dtype), numbers.Vh)
    )


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    return np.linalg.svd(x, compute_uv=False)


@implements(np.linalg.pinv)
def pinv(a: Any, *args: Any, **kwargs: Any) -> Any:
    a = as_traced(a)
    value = np.linalg.pinv(values(a), *args, **kwargs)
    rows, columns = a.shape[-2:]
    if np.any(np.linalg.matrix_rank(values(a)) < min(rows, columns)):
        raise TraceError("the pseudo-inverse of a traced matrix without full rank", user_line())
    if rows >= columns:
        return revalued(np.linalg.solve(a.mT @ a, a.mT), value)
    return revalued(np.linalg.solve(a @ a.mT, a).mT, value)


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = one_matrix(a, "lstsq"), as_traced(b)
    x, residuals, rank, s = np.linalg.lstsq(values(a), values(b), rcond)
    solution = revalued(np.linalg.pinv(a) @ b, x)
    if residuals.size:
        left = b - a @ solution
        residuals = revalued(np.sum(np.atleast_2d((left * left).T), axis=-1), residuals)
    singular = np.linalg.svd(a, compute_uv=False) if min(a.shape) <= 2 else s
    return solution, residuals, rank, singular


# Norms


def _absolute(x: Any) -> Any:
    if x.dtype.kind == "c":
        return wrap(np.frompyfunc(magnitude, 1, 1)(x._entries), np.dtype(float))
    return np.abs(x)


def _vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    extra = {"axis": axis, "keepdims": True} if keepdims else {"axis": axis}
    if ord is None or ord == 2:
        squares = (x.real**2 + x.imag**2) if x.dtype.kind == "c" else x * x
        return np.sqrt(np.sum(squares, **extra))
    size = _absolute(x)
    if ord == np.inf:
        return np.max(size, **extra)
    if ord == -np.inf:
        return np.min(size, **extra)
    if ord == 0:
        return np.sum(np.asarray(x != 0), **extra).astype(float)
    if ord == 1:
        return np.sum(size, **extra)
    return np.sum(size**ord, **extra) ** (1 / ord)


def _matrix_norm(x: Any, ord: Any, axis: tuple[int, int], keepdims: bool) -> Any:
    row, column = (a % x.ndim for a in axis)
    if ord in (None, "fro", "f"):
        return _vector_norm(x, 2, (row, column), keepdims)
    size = _absolute(x)
    if ord in (1, -1, np.inf, -np.inf):
        summed = row if abs(ord) == 1 else column
        pick = np.max if ord > 0 else np.min
        return pick(np.sum(size, axis=summed, keepdims=True), axis=(row, column), keepdims=keepdims)
    if ord not in (2, -2, "nuc"):
        raise ValueError("Invalid norm order for matrices.")
    s = np.linalg.svd(np.moveaxis(x, (row, column), (-2, -1)), compute_uv=False)
    result = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0] if ord == 2 else s[..., -1]
    return np.expand_dims(result, (row, column)) if keepdims else result


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_traced(x)
    if axis is None:
        if ord is None:
            result = _vector_norm(x.ravel(), None, None, False)
            return result.reshape((1,) * x.ndim) if keepdims else result
        axis = tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"Invalid norm order '{ord}' for vectors")
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    return _matrix_norm(x, ord, axes, keepdims)


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = as_traced(x)
    return _vector_norm(x, ord, axis, keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return _matrix_norm(as_traced(x), ord, (-2, -1), keepdims)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    x = as_traced(x)
    if p is None or p in (2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        return s[-1] / s[0] if p == -2 else s[0] / s[-1]
    return np.linalg.norm(x, p) * np.linalg.norm(np.linalg.inv(x), p)
