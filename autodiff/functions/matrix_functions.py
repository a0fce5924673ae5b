"""Functions of matrices: powers, the exponential and the square root."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import linalg, sp
from autodiff.dispatch import implements
from autodiff.function import Function
from autodiff.functions._matrices import each_matrix, positive_definite, t
from autodiff.functions._public import operand
from autodiff.functions.equations import sylvester
from autodiff.functions.inverse import inv
from autodiff.functions.products import matmul
from autodiff.tensor import Tensor

__all__ = ["expm", "matrix_exp", "matrix_power", "sqrtm"]


class Expm(Function):
    """The matrix exponential."""

    examples = [((2, 2),), ((1, 1),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return linalg.expm(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        n = x.shape[-1]
        xt = t(x)
        if not isinstance(x, Tensor) and not isinstance(grad, Tensor):
            return _expm_slope(xt, grad)
        # The derivative of exp at x in the direction g stands above the diagonal of
        # exp([[x, g], [0, x]]); that of the adjoint belongs to the transposed matrix.
        block = np.concatenate(
            [
                np.concatenate([xt, grad], axis=-1),
                np.concatenate([np.zeros_like(xt), xt], axis=-1),
            ],
            axis=-2,
        )
        return expm(block)[..., :n, n:]


def _expm_slope(x: Any, direction: Any) -> Any:
    """The derivative of the exponential of each of a stack of matrices, in a direction."""
    if x.ndim == 2:
        return linalg.expm_frechet(x, direction, compute_expm=False).astype(x.dtype)
    if not x.size:
        return np.zeros_like(x)
    return np.stack([_expm_slope(m, d) for m, d in zip(x, direction, strict=True)])


class Sqrtm(Function):
    """The principal square root of a matrix: that whose eigenvalues have positive real parts."""

    domain = {"x": positive_definite}
    examples = [((2, 2),), ((1, 1),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = linalg.sqrtm(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return sylvester(t(out), t(out), grad)

    @staticmethod
    def formula(x: Any) -> Any:
        def rule(m: Any) -> Any:
            if m.shape[0] == 1:
                return m.applyfunc(sp.sqrt)
            if m.shape[0] > 2:
                # It would need the eigenvalues, roots of a polynomial without a closed form.
                raise NotImplementedError("no formula for the root of more than two rows")
            root = sp.sqrt(m.det())  # by the theorem of Cayley and Hamilton
            return (m + root * sp.eye(2)) / sp.sqrt(m.trace() + 2 * root)

        return each_matrix(rule, x)


@implements(np.linalg.matrix_power)
def matrix_power(x: Any, n: int) -> Tensor:
    """Return a matrix multiplied by itself `n` times (its inverse, where `n` is negative)."""
    x = operand(x)
    if n == 0:
        return Tensor._make(np.zeros(x.shape, x.dtype) + np.eye(x.shape[-1], dtype=x.dtype), None)
    if n < 0:
        return matrix_power(inv(x), -n)
    out: Any = None
    while n:
        if n & 1:
            out = x if out is None else matmul(out, x)
        n >>= 1
        if n:
            x = matmul(x, x)
    return out  # type: ignore[no-any-return]


def matrix_exp(x: Any) -> Tensor:
    """Return the matrix exponential."""
    return Expm.apply(operand(x))  # type: ignore[no-any-return]


expm = matrix_exp


def sqrtm(x: Any) -> Tensor:
    """Return the principal square root of a matrix without negative eigenvalues."""
    return Sqrtm.apply(operand(x))  # type: ignore[no-any-return]
