"""Inverses, determinants and the solution of linear equations.

Matrices may be stacked along leading axes.
"""

from __future__ import annotations

import builtins
import itertools
from typing import Any, NamedTuple

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._examples import COMPLEX, COMPLEX_MATRIX
from autodiff.functions._matrices import (
    each_matrix,
    regular,
    spread,
    t,
    tall,
)
from autodiff.functions._public import operand
from autodiff.functions.decomposition import svdvals
from autodiff.functions.products import matmul
from autodiff.functions.reduction import sum
from autodiff.tensor import Tensor

__all__ = ["det", "inv", "logdet", "lstsq", "multi_dot", "pinv", "slogdet", "solve"]


class Inv(Function):
    """The inverse of a matrix."""

    domain = {"x": regular}
    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),), ((0, 0),), (COMPLEX_MATRIX,)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = np.linalg.inv(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return -(t(out) @ grad @ t(out))

    @staticmethod
    def formula(x: Any) -> Any:
        return each_matrix(lambda m: m.inv(method="ADJ") if m.shape[0] else m, x)


def _cofactors(x: Any) -> Any:
    """The derivative of the determinant: the transposed adjugate, of singular matrices too."""
    n = x.shape[-1]
    if n == 0:
        return np.zeros_like(x)
    if n <= 4:
        others = np.array([[j for j in range(n) if j != i] for i in range(n)], int)
        others = others.reshape(n, n - 1)
        minors = x[..., others[:, None, :, None], others[None, :, None, :]]
        signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
        return (_small_det(minors) * signs).astype(x.dtype)
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    from autodiff.functions.reduction import _others

    weights = _others(s) * (np.linalg.det(u) * np.linalg.det(vh))[..., None]
    return (u.conjugate() * weights[..., None, :]) @ vh.conjugate()


def _small_det(x: Any) -> Any:
    """The determinant by cofactors; NumPy's is the exponential of a logarithm, off by its size."""
    n = x.shape[-1]
    if n == 0:
        return np.ones(x.shape[:-2], dtype=x.dtype)
    if n == 1:
        return x[..., 0, 0]
    if n == 2:
        return x[..., 0, 0] * x[..., 1, 1] - x[..., 0, 1] * x[..., 1, 0]
    total = 0
    for j in range(n):
        rest = [k for k in range(n) if k != j]
        total = total + (-1) ** j * x[..., 0, j] * _small_det(x[..., 1:, rest])
    return total


class Det(Function):
    """The determinant. Its derivative is the adjugate, which singular matrices have too."""

    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),), ((0, 0),), (COMPLEX_MATRIX,)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return np.linalg.det(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return spread(grad) * _cofactors(x).conjugate()

    @staticmethod
    def formula(x: Any) -> Any:
        return each_matrix(_leibniz, x)


def _leibniz(m: Any) -> Any:
    """The determinant as the sum over all permutations."""
    n = m.shape[0]
    terms = []
    for order in itertools.permutations(range(n)):
        inversions = builtins.sum(order[i] > order[j] for j in range(n) for i in range(j))
        terms.append((-1) ** inversions * sp.Mul(*[m[i, order[i]] for i in range(n)]))
    return sp.Add(*terms)


class Slogdet(Function):
    """The sign and the logarithm of the absolute value of the determinant."""

    examples = [((2, 2),), ((1, 1),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        sign, log = np.linalg.slogdet(x)
        ctx.save_for_backward(x, sign)
        if sign.dtype.kind != "c":
            ctx.mark_non_differentiable(sign)
        return sign, log

    @staticmethod
    def backward(ctx: Any, grad_sign: Any, grad: Any) -> Any:
        x, sign = ctx.saved_tensors
        if sign.dtype.kind == "c":
            # With t the trace of inv(x) dx: d log = Re t, and d sign = i sign Im t.
            grad = grad - 1j * np.imag(sign * grad_sign.conjugate())
        return spread(grad) * t(np.linalg.inv(x))

    @staticmethod
    def formula(x: Any) -> Any:
        determinant = Det.formula(x)
        sign = np.frompyfunc(sp.sign, 1, 1)(determinant)
        return sign, np.frompyfunc(lambda d: sp.log(sp.Abs(d)), 1, 1)(determinant)


class Solve(Function):
    """The solution of ``a @ x = b``."""

    domain = {"a": regular}
    examples = [
        ((2, 2), (2,)),
        ((2, 2), (2, 1)),
        ((1, 1), (1, 2)),
        ((2, 2, 2), (2, 1)),
        ((2, 2), (2, 2, 1)),
        (COMPLEX_MATRIX, (2,)),
        ((2, 2), COMPLEX),
    ]

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        out = np.linalg.solve(a, b)
        ctx.save_for_backward(a, out)
        ctx.shapes, ctx.dtype_b = (a.shape, b.shape), b.dtype
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, out = ctx.saved_tensors
        of_a, of_b = ctx.shapes
        if len(of_b) == 1:
            right = np.linalg.solve(t(a), grad[..., None])
            left = -(right @ t(out[..., None]))
            return unbroadcast(left, of_a, a.dtype), unbroadcast(right[..., 0], of_b, ctx.dtype_b)
        right = np.linalg.solve(t(a), grad)
        left = -(right @ t(out))
        return unbroadcast(left, of_a, a.dtype), unbroadcast(right, of_b, ctx.dtype_b)

    @staticmethod
    def formula(a: Any, b: Any) -> Any:
        b = np.asarray(b, dtype=object)
        columns = b[:, None] if b.ndim == 1 else b
        out = each_matrix(lambda m, r: m.inv(method="ADJ") * r, a, columns)
        return out[..., 0] if b.ndim == 1 else out


class Pinv(Function):
    """The pseudo-inverse, of a matrix whose rank does not change."""

    domain = {"x": tall}
    examples = [((2, 2),), ((3, 2),), ((2, 3),), ((2, 2, 1),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = np.linalg.pinv(x)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        p, g = t(out), t(grad)
        result = -(p @ grad @ p)
        rows, columns = x.shape[-2:]
        # The projections on what x does not reach: nothing, where it is square and regular.
        singular = rows == columns and bool(np.any(np.linalg.matrix_rank(x) < rows))
        if rows > columns or singular:
            result = result + (g @ out @ p - x @ (out @ (g @ out @ p)))
        if rows < columns or singular:
            inner = p @ out @ g
            result = result + (inner - (inner @ out) @ x)
        return result

    @staticmethod
    def formula(x: Any) -> Any:
        def rule(m: Any) -> Any:
            if m.shape[0] >= m.shape[1]:
                return (m.H * m).inv(method="ADJ") * m.H
            return m.H * (m * m.H).inv(method="ADJ")

        return each_matrix(rule, x)


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Any
    logabsdet: Any


@implements(np.linalg.inv)
def inv(x: Any) -> Tensor:
    """Return the inverse of a matrix.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.linalg.inv(2 * ad.eye(2))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    """
    return Inv.apply(operand(x))  # type: ignore[no-any-return]


@implements(np.linalg.det)
def det(x: Any) -> Tensor:
    """Return the determinant of a matrix. Its gradient at a singular matrix is the adjugate's."""
    return Det.apply(operand(x))  # type: ignore[no-any-return]


@implements(np.linalg.slogdet)
def slogdet(x: Any) -> SlogdetResult:
    """Return the sign of the determinant, and the logarithm of its absolute value."""
    return SlogdetResult(*Slogdet.apply(operand(x)))


def logdet(x: Any) -> Tensor:
    """Return the logarithm of the determinant; NaN where that is negative."""
    sign, log = slogdet(x)
    return np.where(sign < 0, np.nan, log)  # type: ignore[return-value]


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Tensor:
    """Return the solution x of ``a @ x = b``."""
    return Solve.apply(operand(a), operand(b))  # type: ignore[no-any-return]


@implements(np.linalg.pinv)
def pinv(x: Any) -> Tensor:
    """Return the pseudo-inverse."""
    return Pinv.apply(operand(x))  # type: ignore[no-any-return]


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Tensor, Tensor, int, Tensor]:
    """Return the solution of least squares, residuals, rank and singular values."""
    a, b = operand(a), operand(b)
    x = matmul(pinv(a), b)
    values = svdvals(a)
    rank = int(np.linalg.matrix_rank(np.asarray(getattr(a, "_data", a))))
    residuals = sum((matmul(a, x) - b) ** 2, axis=0)
    return x, residuals, rank, values


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Tensor:
    """Return the matrix product of several matrices, multiplied from the left."""
    out = operand(arrays[0])
    for array in arrays[1:]:
        out = matmul(out, array)
    return out  # type: ignore[no-any-return]
