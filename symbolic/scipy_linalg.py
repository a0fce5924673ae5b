"""SciPy's functions of linear algebra on traced matrices.

Most are NumPy's under other names and with other options; the exponential of two rows is written
out.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.linalg`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import TracedArray, values, wrap
from symbolic.array_functions import as_traced, revalued
from symbolic.linalg import (
    determinant,
    eigh,
    eigvalsh,
    elimination,
    lstsq,
    norm,
    one_matrix,
    order_of,
    pinv,
    qr,
    svd,
    svdvals,
    triangular,
)
from symbolic.lowering import sqrt
from symbolic.values import TraceError, user_line

__all__ = ["SCIPY_LAPACK", "SCIPY_LINALG"]


def _scipy_cholesky(a: Any, lower: bool = False, *args: Any, **kwargs: Any) -> Any:
    return np.linalg.cholesky(a) if lower else np.linalg.cholesky(a, upper=True)


def _cho_factor(a: Any, lower: bool = False, *args: Any, **kwargs: Any) -> Any:
    return _scipy_cholesky(a, lower), lower


def _cho_solve(c_and_lower: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    c, lower = c_and_lower
    factor = c if lower else as_traced(c).T
    return _solve_triangular(factor, _solve_triangular(factor, b, lower=True), 1, lower=True)


def _solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **kwargs: Any
) -> Any:
    a, b = as_traced(a), as_traced(b)
    m = a._entries
    if trans in (1, "T", 2, "C"):
        m, lower = m.T, not lower
    right = b._entries if b.ndim > 1 else b._entries[:, None]
    x = triangular(m, right, lower, unit_diagonal)
    return wrap(x if b.ndim > 1 else x[:, 0], a._dtype)


def _lu_factor(a: Any, *args: Any, **kwargs: Any) -> Any:
    a = one_matrix(a, "lu_factor")
    lower, upper, order, _ = elimination(a._entries)
    pivots, rows = [], list(range(len(order)))
    for k, target in enumerate(order):
        p = rows.index(target)
        pivots.append(p)
        rows[k], rows[p] = rows[p], rows[k]
    both = np.tril(lower, -1) + upper
    return wrap(both, a._dtype), np.array(pivots, dtype=np.int32)


def _lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, *args: Any, **kwargs: Any) -> Any:
    if trans:
        raise TraceError("lu_solve with trans", user_line())
    both, pivots = lu_and_piv
    b = as_traced(b).copy()
    for k, p in enumerate(pivots):
        b._entries[[k, p]] = b._entries[[p, k]]
    half = _solve_triangular(both, b, lower=True, unit_diagonal=True)
    return _solve_triangular(both, half)


def _scipy_solve(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    transposed = kwargs.get("transposed", False)
    lower = kwargs.get("lower", False)
    if kwargs.get("assume_a") in ("sym", "pos", "her", "symmetric", "positive definite"):
        a = as_traced(a)  # only one triangle is read
        part = np.tril(a) if lower else np.triu(a)
        a = part + part.T - np.diag(np.diag(a))
    return np.linalg.solve(as_traced(a).T if transposed else a, b)


def _eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    type: int = 1,
    subset_by_index: Any = None,
    **kwargs: Any,
) -> Any:
    """The problem ``a v = w b v`` as ``c y = w y`` with ``c = inv(l) a inv(l)'``, ``b = l l'``."""
    if type != 1 or kwargs.get("subset_by_value") is not None:
        raise TraceError("eigh of another type, or of a range of values", user_line())
    a = one_matrix(a, "eigh")
    order_of(a)
    a = _mirrored(a, lower)
    plain = None if b is None else values(as_traced(b))
    options = {"lower": lower, "subset_by_index": subset_by_index, "driver": kwargs.get("driver")}
    w, v = scipy_eigh(values(a), plain, **options)
    factor = None
    if b is not None:
        factor = np.linalg.cholesky(_mirrored(as_traced(b), lower))
        half = _solve_triangular(factor, a, lower=True)
        a = _mirrored(_solve_triangular(factor, half.T, lower=True), True)
    low, high = (0, len(a) - 1) if subset_by_index is None else subset_by_index
    found = eigvalsh(a)[low : high + 1]
    if eigvals_only:
        return revalued(found, w)
    vectors = eigh(a)[1][:, low : high + 1]
    if factor is not None:
        vectors = _solve_triangular(factor, vectors, "T", lower=True)
    # The sign of a vector is that of SciPy's.
    signs = np.where(np.sum(values(vectors) * v, axis=0) < 0, -1.0, 1.0)
    return revalued(found, w), revalued(vectors * signs, v)


def scipy_eigh(*args: Any, **kwargs: Any) -> Any:
    import scipy.linalg

    return scipy.linalg.eigh(*args, **kwargs)


def _mirrored(a: Any, lower: bool) -> Any:
    """The symmetric matrix of which one triangle is read."""
    part = np.tril(a) if lower else np.triu(a)
    return part + np.tril(part, -1).T + np.triu(part, 1).T


def _polar(a: Any, side: str = "right") -> Any:
    a = one_matrix(a, "polar")
    u, s, vh = svd(a, full_matrices=False)
    around = vh if side == "right" else u.T
    return u @ vh, around.T @ (s[:, None] * around)


# LAPACK's own names: a result, and a number that says whether it went well


def _potrf(a: Any, lower: Any = 0, clean: Any = 1, **kwargs: Any) -> Any:
    if not clean:
        raise TraceError("potrf that keeps the other triangle", user_line())
    try:
        return _scipy_cholesky(a, bool(lower)), 0
    except np.linalg.LinAlgError:
        raise TraceError("potrf of a matrix that is not positive definite", user_line()) from None


def _potrs(c: Any, b: Any, lower: Any = 0, **kwargs: Any) -> Any:
    return _cho_solve((c, lower), b), 0


def _trtrs(a: Any, b: Any, lower: Any = 0, trans: Any = 0, unitdiag: Any = 0, **kwargs: Any) -> Any:
    return _solve_triangular(a, b, trans, bool(lower), bool(unitdiag)), 0


_LAPACK: dict[str, Callable[..., Any]] = {"potrf": _potrf, "potrs": _potrs, "trtrs": _trtrs}
SCIPY_LAPACK: dict[str, Callable[..., Any]] = {f"d{name}": _LAPACK[name] for name in _LAPACK}


def _get_lapack_funcs(names: Any, arrays: Any = (), *args: Any, **kwargs: Any) -> Any:
    wanted = (names,) if isinstance(names, str) else names
    unknown = [name for name in wanted if name not in _LAPACK]
    if unknown:
        raise TraceError(f"LAPACK's {unknown[0]} of traced matrices", user_line())
    found = [_LAPACK[name] for name in wanted]
    return found[0] if isinstance(names, str) else found


def _toeplitz(c: Any, r: Any = None) -> Any:
    c = as_traced(c).ravel()
    r = c if r is None else as_traced(r).ravel()
    line = np.concatenate([c[::-1], r[1:]])
    index = (len(c) - 1 - np.arange(len(c)))[:, None] + np.arange(len(r))
    return line[index]


def _circulant(c: Any) -> Any:
    c = as_traced(c).ravel()
    n = len(c)
    return c[(np.arange(n)[:, None] - np.arange(n)) % n]


def _block_diag(*arrays: Any) -> Any:
    blocks = [np.atleast_2d(as_traced(a)) for a in arrays]
    out = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    result = TracedArray(out.astype(object))
    row = column = 0
    for b in blocks:
        result[row : row + b.shape[0], column : column + b.shape[1]] = b
        row, column = row + b.shape[0], column + b.shape[1]
    return result


def _expm(a: Any) -> Any:
    """The exponential of a matrix of two rows, by Sylvester's formula."""
    import scipy.linalg

    a = one_matrix(a, "expm")
    n = order_of(a)
    value = scipy.linalg.expm(values(a))
    if n == 1:
        return np.exp(a)
    if n > 2:
        raise TraceError(f"the exponential of a {n}-row traced matrix", user_line())
    m = a._entries
    half, rest, _, c, s = _sylvester(m)
    out = np.array([[c, 0.0], [0.0, c]], dtype=object) + rest * s
    return revalued(wrap(out * np.exp(half), a._dtype), value)


def _sylvester(m: np.ndarray) -> tuple[Any, np.ndarray, Any, Any, Any]:
    """h, R, q, c, s with m = h I + R, R @ R = q I and exp(m) = exp(h) (c I + s R)."""
    half = (m[0, 0] + m[1, 1]) / 2
    rest = m - np.array([[half, 0.0], [0.0, half]], dtype=object)
    square = -determinant(rest)
    if square == 0:
        c, s = 1.0, 1.0
    elif square > 0:
        d = sqrt(square)
        c, s = np.cosh(d), np.sinh(d) / d
    else:
        d = sqrt(-square)
        c, s = np.cos(d), np.sin(d) / d
    return half, rest, square, c, s


def _expm_frechet(
    a: Any, e: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """The derivative of the exponential of two rows: of Sylvester's formula, term by term."""
    import scipy.linalg

    a, e = one_matrix(a, "expm_frechet"), one_matrix(e, "expm_frechet")
    n = order_of(a)
    value = scipy.linalg.expm_frechet(values(a), values(e), compute_expm=False)
    if n == 1:
        slope = np.exp(a) * e
    elif n == 2:
        g = e._entries
        half, rest, square, c, s = _sylvester(a._entries)
        half_slope = (g[0, 0] + g[1, 1]) / 2
        rest_slope = g - np.array([[half_slope, 0.0], [0.0, half_slope]], dtype=object)
        # q = -det R = R00 R00 + R01 R10; dc/dq = s / 2 and ds/dq = (c - s) / (2 q)
        square_slope = (
            2 * rest[0, 0] * rest_slope[0, 0]
            + rest[0, 1] * rest_slope[1, 0]
            + rest[1, 0] * rest_slope[0, 1]
        )
        c_slope = s / 2 * square_slope
        s_slope = square_slope / 6 if square == 0 else (c - s) / (2 * square) * square_slope
        both = c * half_slope + c_slope
        out = np.array([[both, 0.0], [0.0, both]], dtype=object)
        out = out + rest * (s * half_slope + s_slope) + rest_slope * s
        slope = wrap(out * np.exp(half), a._dtype)
    else:
        raise TraceError(f"the exponential of a {n}-row traced matrix", user_line())
    slope = revalued(slope, value)
    return (_expm(a), slope) if compute_expm else slope


SCIPY_LINALG: dict[str, Callable[..., Any]] = {
    "inv": lambda a, *args, **kwargs: np.linalg.inv(a),
    "solve": _scipy_solve,
    "det": lambda a, *args, **kwargs: np.linalg.det(a),
    "norm": lambda a, ord=None, axis=None, keepdims=False, **kwargs: norm(a, ord, axis, keepdims),
    "cholesky": _scipy_cholesky,
    "cho_factor": _cho_factor,
    "cho_solve": _cho_solve,
    "solve_triangular": _solve_triangular,
    "lu_factor": _lu_factor,
    "lu_solve": _lu_solve,
    "eigh": _eigh,
    "eigvalsh": lambda a, b=None, **kwargs: _eigh(a, b, eigvals_only=True, **kwargs),
    "svd": lambda a, full_matrices=True, compute_uv=True, **kw: svd(a, full_matrices, compute_uv),
    "svdvals": lambda a, **kwargs: svdvals(a),
    "qr": lambda a, mode="full", **kw: qr(
        a, "reduced" if np.shape(a)[0] == np.shape(a)[1] else mode
    ),
    "polar": _polar,
    "get_lapack_funcs": _get_lapack_funcs,
    "pinv": lambda a, **kwargs: pinv(a),
    "lstsq": lambda a, b, **kwargs: lstsq(a, b),
    "toeplitz": _toeplitz,
    "circulant": _circulant,
    "block_diag": _block_diag,
    "expm": _expm,
    "expm_frechet": _expm_frechet,
}
