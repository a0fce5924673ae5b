"""Linear equations of a special form: triangular, banded, and Sylvester's (``scipy.linalg``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import linalg, sp
from autodiff.function import Function, unbroadcast
from autodiff.functions._matrices import each_matrix, t
from autodiff.functions._public import operand
from autodiff.tensor import Tensor

__all__ = ["solve_banded", "solve_sylvester", "solve_triangular"]

_TRANSPOSED = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}


def dominant(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample matrices whose diagonal is far from 0."""
    return rng.standard_normal(shape) / 2 + 2 * np.eye(shape[-2], shape[-1])


class SolveTriangular(Function):
    """The solution x of ``a @ x = b`` for a triangular ``a``, of which one triangle is read.

    With ``trans`` 1 the transposed matrix is meant, with 2 the conjugate transpose.
    """

    domain = {"a": dominant}
    examples = [
        ((2, 2), (2,), {}),
        ((2, 2), (2, 1), {"lower": True}),
        ((3, 3), (3,), {"lower": True, "trans": 1}),
        ((2, 2), (2, 2), {"unit_diagonal": True}),
        ((2, 2), (2,), {"trans": 2}),
    ]

    @staticmethod
    def forward(
        ctx: Any,
        a: Any,
        b: Any,
        *,
        trans: int = 0,
        lower: bool = False,
        unit_diagonal: bool = False,
    ) -> Any:
        options = {"lower": lower, "unit_diagonal": unit_diagonal}
        out = linalg.solve_triangular(a, b, trans=trans, **options)
        ctx.trans, ctx.options, ctx.dtype_b = trans, options, b.dtype
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, out = ctx.saved_tensors
        if ctx.trans == 1:  # its adjoint is the conjugate, which has no number of its own
            right = _triangular(a, grad.conjugate(), 0, ctx.options).conjugate()
        else:
            right = _triangular(a, grad, 2 - ctx.trans, ctx.options)
        columns, solved = (right, out) if out.ndim > 1 else (right[:, None], out[:, None])
        left = -(columns @ t(solved))
        if ctx.trans:
            left = t(left) if ctx.trans == 2 else np.swapaxes(left, -1, -2)
        inner = int(ctx.options["unit_diagonal"])
        left = np.tril(left, -inner) if ctx.options["lower"] else np.triu(left, inner)
        return unbroadcast(left, a.shape, a.dtype), unbroadcast(right, right.shape, ctx.dtype_b)

    @staticmethod
    def formula(
        a: Any, b: Any, *, trans: int = 0, lower: bool = False, unit_diagonal: bool = False
    ) -> Any:
        def rule(m: Any, right: Any) -> Any:
            kept = m.lower_triangular() if lower else m.upper_triangular()
            if unit_diagonal:
                for i in range(kept.shape[0]):
                    kept[i, i] = 1
            return (kept.T if trans else kept).inv(method="ADJ") * right

        b = np.asarray(b, dtype=object)
        out = each_matrix(rule, a, b[:, None] if b.ndim == 1 else b)
        return out[:, 0] if b.ndim == 1 else out


def _triangular(a: Any, b: Any, trans: int, options: dict[str, Any]) -> Any:
    """Solve on arrays, or on tensors where the solution is differentiated again."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return SolveTriangular.apply(a, b, trans=trans, **options)
    return linalg.solve_triangular(a, b, trans=trans, **options)


class SolveSylvester(Function):
    """The solution x of ``a @ x + x @ b = q``."""

    domain = {"a": dominant, "b": dominant}
    examples = [((2, 2), (1, 1), (2, 1)), ((1, 1), (2, 2), (1, 2)), ((2, 2), (2, 2), (2, 2))]

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, q: Any) -> Any:
        out = linalg.solve_sylvester(a, b, q)
        ctx.dtypes = a.dtype, b.dtype, q.dtype
        ctx.save_for_backward(a, b, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, out = ctx.saved_tensors
        of_q = sylvester(t(a), t(b), grad)
        grads = -(of_q @ t(out)), -(t(out) @ of_q), of_q
        return tuple(
            [unbroadcast(g, g.shape, dtype) for g, dtype in zip(grads, ctx.dtypes, strict=True)]
        )

    @staticmethod
    def formula(a: Any, b: Any, q: Any) -> Any:
        a, b, q = [np.asarray(array, dtype=object) for array in (a, b, q)]
        # The columns of x below each other are one vector; then both products are matrices of it.
        rows, columns = q.shape
        left = sp.kronecker_product(sp.eye(columns), sp.Matrix(a))
        right = sp.kronecker_product(sp.Matrix(b).T, sp.eye(rows))
        solved = (left + right).inv(method="ADJ") * sp.Matrix(list(q.T.flat))
        return np.array(list(solved), dtype=object).reshape(columns, rows).T


def sylvester(a: Any, b: Any, q: Any) -> Any:
    """Solve Sylvester's equation on arrays, or on tensors where it is differentiated again."""
    if any(isinstance(array, Tensor) for array in (a, b, q)):
        return SolveSylvester.apply(a, b, q)
    return linalg.solve_sylvester(a, b, q)


def _diagonals(lower: int, upper: int, n: int) -> list[tuple[int, slice, slice]]:
    """For each diagonal its number, the columns of its entries, and their rows."""
    found = []
    for d in range(-lower, upper + 1):
        columns = slice(max(d, 0), n + min(d, 0))
        found.append((d, columns, slice(columns.start - d, columns.stop - d)))
    return found


class SolveBanded(Function):
    """The solution x of ``a @ x = b`` for a matrix of few diagonals.

    Row ``upper + i - j`` of ``ab`` holds the entry (i, j) in column j. The rows are exchanged as
    the elimination goes, so that where all diagonals lie on one side, entries of the gradient that
    are 0 are so within the rounding of the others.
    """

    domain = {"ab": lambda rng, shape: rng.standard_normal(shape) / 4 + 2 * (np.ones(shape))}
    examples = [
        ((3, 2), (2,), {"l_and_u": (1, 1)}),
        ((3, 2), (2, 1), {"l_and_u": (1, 1)}),
        ((3, 3), (3,), {"l_and_u": (1, 1)}),
    ]

    @staticmethod
    def forward(ctx: Any, ab: Any, b: Any, *, l_and_u: tuple[int, int]) -> Any:
        out = linalg.solve_banded(l_and_u, ab, b)
        ctx.l_and_u, ctx.dtype_b = l_and_u, b.dtype
        ctx.save_for_backward(ab, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        ab, out = ctx.saved_tensors
        lower, upper = ctx.l_and_u
        n = ab.shape[-1]
        adjoint, left = np.zeros_like(ab), np.zeros_like(ab)
        for d, columns, rows in _diagonals(lower, upper, n):
            adjoint[lower + d, rows] = ab[upper - d, columns].conjugate()
        right = _banded((upper, lower), adjoint, grad)
        wide = (right, out) if out.ndim > 1 else (right[:, None], out[:, None])
        for d, columns, rows in _diagonals(lower, upper, n):
            product = wide[0][rows] * wide[1][columns].conjugate()
            left[upper - d, columns] = -np.sum(product, axis=-1)
        return unbroadcast(left, ab.shape, ab.dtype), unbroadcast(right, right.shape, ctx.dtype_b)

    @staticmethod
    def formula(ab: Any, b: Any, *, l_and_u: tuple[int, int]) -> Any:
        ab, b = np.asarray(ab, dtype=object), np.asarray(b, dtype=object)
        lower, upper = l_and_u
        n = ab.shape[-1]
        full = sp.zeros(n, n)
        for d in range(-lower, upper + 1):
            for j in range(max(d, 0), n + min(d, 0)):
                full[j - d, j] = ab[upper - d, j]
        out = each_matrix(
            lambda right: full.inv(method="ADJ") * right, b[:, None] if b.ndim == 1 else b
        )
        return out[:, 0] if b.ndim == 1 else out


def _banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    if isinstance(ab, Tensor) or isinstance(b, Tensor):
        return SolveBanded.apply(ab, b, l_and_u=l_and_u)
    return linalg.solve_banded(l_and_u, ab, b)


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False
) -> Tensor:
    """Return the solution x of ``a @ x = b`` for a triangular matrix, as SciPy's function does.

    Parameters
    ----------
    a : Tensor
        A square matrix, of which the upper triangle (or the lower) is read.
    b : Tensor
        A vector, or a matrix of columns.
    trans : {0, 1, 2, 'N', 'T', 'C'}
        Whether the matrix is meant, its transpose, or its conjugate transpose.
    lower, unit_diagonal : bool, optional
        Which triangle is read; whether its diagonal is taken to be 1.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.linalg.solve_triangular(ad.tensor([[2.0, 1.0], [0.0, 4.0]]), ad.tensor([4.0, 8.0]))
    tensor([1., 2.])
    """
    return SolveTriangular.apply(  # type: ignore[no-any-return]
        operand(a), operand(b), trans=_TRANSPOSED[trans], lower=lower, unit_diagonal=unit_diagonal
    )


def solve_sylvester(a: Any, b: Any, q: Any) -> Tensor:
    """Return the solution x of ``a @ x + x @ b = q``."""
    return SolveSylvester.apply(operand(a), operand(b), operand(q))  # type: ignore[no-any-return]


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Tensor:
    """Return the solution x of ``a @ x = b`` for a matrix of few diagonals, as SciPy's does.

    Parameters
    ----------
    l_and_u : pair of int
        How many diagonals lie below and above the main one.
    ab : Tensor
        The diagonals as rows, the uppermost first: row ``u + i - j``, column j holds entry (i, j).
    b : Tensor
        A vector, or a matrix of columns.
    """
    return SolveBanded.apply(operand(ab), operand(b), l_and_u=tuple(l_and_u))  # type: ignore[no-any-return]
