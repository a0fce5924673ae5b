"""Decompositions: Cholesky, eigenvalues of symmetric matrices, singular values, QR.

Matrices may be stacked along leading axes. Functions of symmetric matrices (`Cholesky`, `Eigh`)
take the symmetric part of their argument, so that their gradients are symmetric.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autodiff._lazy import sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._matrices import (
    distinct,
    each_matrix,
    positive_definite,
    symmetric,
    t,
    tall,
)
from autodiff.functions._public import operand
from autodiff.functions.shape import matrix_transpose
from autodiff.tensor import Tensor

__all__ = ["cholesky", "eig", "eigh", "eigvals", "eigvalsh", "qr", "svd", "svdvals"]


class Cholesky(Function):
    """The lower triangular matrix ``L`` with ``L @ L.T`` the symmetric part of ``x``."""

    domain = {"x": positive_definite}
    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = np.linalg.cholesky(symmetric(x))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        inner = np.tril(t(out) @ grad)
        inner = inner - inner * (np.eye(out.shape[-1], dtype=inner.dtype) / 2)
        half = np.linalg.solve(t(out), inner)
        return symmetric(t(np.linalg.solve(t(out), t(half))))

    @staticmethod
    def formula(x: Any) -> Any:
        return each_matrix(lambda m: _cholesky((m + m.T) / 2), x)


def _cholesky(m: Any) -> Any:
    n = m.shape[0]
    out = sp.zeros(n, n)
    for i in range(n):
        for j in range(i + 1):
            rest = m[i, j] - sp.Add(*[out[i, k] * out[j, k] for k in range(j)])
            out[i, j] = sp.sqrt(rest) if i == j else rest / out[j, j]
    return out


def _apart(values: Any) -> Any:
    """Return ``1 / (values[j] - values[i])``, and 0 where they are equal."""
    difference = values[..., None, :] - values[..., :, None]
    equal = difference == 0
    return np.where(equal, 0.0, 1 / np.where(equal, 1.0, difference))


class Eigh(Function):
    """Eigenvalues in rising order, and eigenvectors, of the symmetric part of a matrix.

    The gradient of an eigenvector is infinite where eigenvalues coincide; there the part within
    their common space is taken to be 0, which is right for a result that does not depend on the
    choice of vectors in that space. The sign of a vector is NumPy's choice.
    """

    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        values, vectors = np.linalg.eigh(symmetric(x))
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_vectors: Any) -> Any:
        values, vectors = ctx.saved_tensors
        inner = _apart(values) * (t(vectors) @ grad_vectors)
        inner = inner + grad_values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
        return symmetric(vectors @ inner @ t(vectors))


class Eig(Function):
    """Eigenvalues and eigenvectors, of length 1, of a square matrix; complex where they must be.

    The gradient of eigenvectors is infinite where eigenvalues coincide; there the part within their
    common space is taken to be 0. What multiplies a vector by a phase is NumPy's choice: only
    results that do not depend on it have a meaningful gradient.
    """

    domain = {"x": distinct}
    examples = [((2, 2),), ((1, 1),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        values, vectors = np.linalg.eig(x)
        ctx.dtype_in = x.dtype
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_vectors: Any) -> Any:
        values, vectors = ctx.saved_tensors
        dual = t(vectors)
        inner = dual @ grad_vectors
        # The vectors keep their length: what would stretch them does not count.
        along = np.diagonal(inner, axis1=-2, axis2=-1).real
        inner = (inner - dual @ (vectors * along[..., None, :])) * _apart(values).conjugate()
        inner = inner + grad_values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
        out = np.linalg.solve(dual, inner @ dual)
        return unbroadcast(out, out.shape, ctx.dtype_in)


class Svd(Function):
    """The reduced singular value decomposition ``u @ diag(s) @ vh``.

    Where singular values coincide, or one of a square matrix is 0, the gradients of vectors are
    infinite; there the part within their common space is taken to be 0. That is right for results
    that do not depend on the choice of vectors.
    """

    domain = {"x": tall}
    examples = [((2, 2),), ((1, 1),), ((3, 2),), ((2, 3),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        ctx.save_for_backward(u, s, vh)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, grad_u: Any, grad_s: Any, grad_vh: Any) -> Any:
        u, s, vh = ctx.saved_tensors
        v, grad_v = t(vh), t(grad_vh)
        m, n, k = u.shape[-2], v.shape[-2], s.shape[-1]
        # 1 / (s_j^2 - s_i^2), without squares that round together.
        apart = _apart(s)
        total = s[..., None, :] + s[..., :, None]
        apart = apart / np.where(total == 0, 1.0, total)
        of_u, of_v = t(u) @ grad_u, t(v) @ grad_v
        rows, columns = s[..., None, :], s[..., :, None]
        inner = (apart * (of_u - t(of_u))) * rows + columns * (apart * (of_v - t(of_v)))
        inner = inner + grad_s[..., None] * np.eye(k, dtype=s.dtype)
        if u.dtype.kind == "c":
            # Turning a pair of vectors by one phase changes nothing; turning u alone, by s.
            turn = np.diagonal(of_u - t(of_u), axis1=-2, axis2=-1) / (2 * s)
            inner = inner + turn[..., None] * np.eye(k, dtype=s.dtype)
        out = u @ inner @ vh
        inverse = (1 / np.where(s == 0, 1.0, s)) * (s != 0)
        if m > k:
            rest = grad_u - u @ of_u
            out = out + (rest * inverse[..., None, :]) @ vh
        if n > k:
            rest = grad_v - v @ of_v
            out = out + (u * inverse[..., None, :]) @ t(rest)
        return out


class Qr(Function):
    """The reduced QR decomposition of a matrix with at least as many rows as columns."""

    domain = {"x": tall}
    examples = [((2, 2),), ((1, 1),), ((3, 2),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        if x.shape[-2] < x.shape[-1]:
            raise ValueError(
                "qr of tensors needs at least as many rows as columns, "
                f"not a matrix of shape {x.shape[-2:]}"
            )
        q, r = np.linalg.qr(x)
        ctx.save_for_backward(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, grad_q: Any, grad_r: Any) -> Any:
        q, r = ctx.saved_tensors
        # What the gradient of q has within the space of q counts only by its rotation, which is
        # antisymmetric; the rest is 0 where q is square, and would round to something else.
        of_r, of_q = r @ t(grad_r), t(q) @ grad_q
        turned = of_q - t(of_q)
        inner = np.tril(of_r) + t(np.tril(of_r, -1)) + np.tril(turned, -1)
        if q.dtype.kind == "c":
            # The diagonal of r is real: what turns a column of q is all that is imaginary.
            phase = np.diagonal(turned / 2 - 1j * of_r.imag, axis1=-2, axis2=-1)
            inner = inner + phase[..., None] * np.eye(r.shape[-1], dtype=q.dtype)
        full = q @ inner
        if q.shape[-2] > q.shape[-1]:
            rest = grad_q - q @ of_q
            full = full + (rest - q @ (t(q) @ rest))  # twice: the first leaves rounding in q
        return t(np.linalg.solve(r, t(full)))


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Any
    S: Any
    Vh: Any


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Any
    R: Any


@implements(np.linalg.cholesky)
def cholesky(x: Any, *, upper: bool = False) -> Tensor:
    """Return the triangular factor of the symmetric part of a positive definite matrix."""
    out: Tensor = Cholesky.apply(operand(x))
    return matrix_transpose(out.conjugate()) if upper else out


@implements(np.linalg.eigh)
def eigh(x: Any, UPLO: str = "L") -> EighResult:
    """Return eigenvalues, rising, and eigenvectors of the symmetric part of a matrix."""
    return EighResult(*Eigh.apply(operand(x)))


@implements(np.linalg.eigvalsh)
def eigvalsh(x: Any, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues, rising, of the symmetric part of a matrix."""
    return eigh(x)[0]  # type: ignore[no-any-return]


@implements(np.linalg.eig)
def eig(x: Any) -> EigResult:
    """Return eigenvalues and eigenvectors of a square matrix, complex where they must be."""
    return EigResult(*Eig.apply(operand(x)))


@implements(np.linalg.eigvals)
def eigvals(x: Any) -> Tensor:
    """Return the eigenvalues of a square matrix, complex where they must be."""
    return eig(x).eigenvalues  # type: ignore[no-any-return]


@implements(np.linalg.svd)
def svd(x: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """Return the reduced singular value decomposition, or the singular values alone."""
    if full_matrices and compute_uv and operand(x).shape[-1] != operand(x).shape[-2]:
        raise NotImplementedError(
            "the full singular value decomposition has no gradient: its further vectors are not "
            "determined. Use full_matrices=False"
        )
    result = SVDResult(*Svd.apply(operand(x)))
    return result if compute_uv else result.S


@implements(np.linalg.svdvals)
def svdvals(x: Any) -> Tensor:
    """Return the singular values, falling."""
    return svd(x)[1]  # type: ignore[no-any-return]


@implements(np.linalg.qr)
def qr(x: Any, mode: str = "reduced") -> Any:
    """Return the reduced QR decomposition (or R alone, with ``mode='r'``)."""
    if mode not in ("reduced", "r"):
        # The further columns of 'complete' are not determined, and 'raw' is LAPACK's own form.
        raise ValueError(f"mode: expected 'reduced' or 'r', which have a gradient, got {mode!r}")
    result = QRResult(*Qr.apply(operand(x)))
    return result if mode == "reduced" else result.R
