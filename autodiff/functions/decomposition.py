"""Inverses, determinants, decompositions and functions of matrices (``numpy.linalg``).

Matrices may be stacked along leading axes. Functions of symmetric matrices (`Cholesky`, `Eigh`)
take the symmetric part of their argument, so that their gradients are symmetric.
"""

from __future__ import annotations

import builtins
import itertools
from typing import Any, NamedTuple

import numpy as np

from autodiff._lazy import linalg, sp
from autodiff.dispatch import implements
from autodiff.function import Function, unbroadcast
from autodiff.functions._public import operand
from autodiff.functions.linalg import matmul, norm
from autodiff.functions.reduction import max, min, sum
from autodiff.functions.shape import matrix_transpose, moveaxis
from autodiff.tensor import Tensor


def _t(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _symmetric(x: Any) -> Any:
    return (x + _t(x)) / 2


def regular(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample matrices far from singular ones."""
    return rng.standard_normal(shape) + 3 * np.eye(shape[-2], shape[-1])


def positive_definite(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample symmetric positive definite matrices."""
    x = rng.standard_normal(shape)
    return x @ _t(x) + np.eye(shape[-1])


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample symmetric matrices with eigenvalues apart."""
    return _symmetric(rng.standard_normal(shape)) + np.diag(3.0 * np.arange(shape[-1]))


def tall(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample matrices with singular values apart."""
    x = rng.standard_normal(shape)
    x[..., np.arange(np.min(shape[-2:])), np.arange(np.min(shape[-2:]))] += 3.0 * (
        1 + np.arange(np.min(shape[-2:]))
    )
    return x


def _each_matrix(rule: Any, *arrays: Any) -> Any:
    """Apply a rule on SymPy matrices to each of a stack (for formulas)."""
    arrays = tuple([np.asarray(array, dtype=object) for array in arrays])
    stack = np.broadcast_shapes(*[array.shape[:-2] for array in arrays])
    wide = [np.broadcast_to(array, stack + array.shape[-2:]) for array in arrays]
    results = [
        rule(*[sp.Matrix(*array.shape[-2:], list(array[place].ravel())) for array in wide])
        for place in np.ndindex(stack)
    ]
    tail = results[0].shape if isinstance(results[0], sp.MatrixBase) else ()
    out = np.empty(stack + tail, dtype=object)
    for place, result in zip(np.ndindex(stack), results, strict=True):
        if not isinstance(result, sp.MatrixBase):
            out[place] = result
            continue
        for inner in np.ndindex(tail):
            out[place + inner] = result[inner]
    return out if out.shape else out[()]


class Inv(Function):
    """The inverse of a matrix."""

    domain = {"x": regular}
    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),), ((0, 0),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = np.linalg.inv(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return -(_t(out) @ grad @ _t(out))

    @staticmethod
    def formula(x: Any) -> Any:
        return _each_matrix(lambda m: m.inv(method="ADJ") if m.shape[0] else m, x)


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
    return (u * weights[..., None, :]) @ vh


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

    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),), ((0, 0),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return np.linalg.det(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return _spread(grad) * _cofactors(x)

    @staticmethod
    def formula(x: Any) -> Any:
        return _each_matrix(_leibniz, x)


def _leibniz(m: Any) -> Any:
    """The determinant as the sum over all permutations."""
    n = m.shape[0]
    terms = []
    for order in itertools.permutations(range(n)):
        inversions = builtins.sum(order[i] > order[j] for j in range(n) for i in range(j))
        terms.append((-1) ** inversions * sp.Mul(*[m[i, order[i]] for i in range(n)]))
    return sp.Add(*terms)


def _spread(grad: Any) -> Any:
    """Give the gradient of one number for each matrix two axes of length 1."""
    return np.reshape(grad, (*grad.shape, 1, 1))


class Slogdet(Function):
    """The sign and the logarithm of the absolute value of the determinant."""

    examples = [((2, 2),), ((1, 1),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        sign, log = np.linalg.slogdet(x)
        ctx.save_for_backward(x)
        ctx.mark_non_differentiable(sign)
        return sign, log

    @staticmethod
    def backward(ctx: Any, grad_sign: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return _spread(grad) * _t(np.linalg.inv(x))

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
    ]

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        out = np.linalg.solve(a, b)
        ctx.save_for_backward(a, out)
        ctx.shapes = a.shape, b.shape
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, out = ctx.saved_tensors
        of_a, of_b = ctx.shapes
        if len(of_b) == 1:
            right = np.linalg.solve(_t(a), grad[..., None])
            left = -(right @ _t(out[..., None]))
            return unbroadcast(left, of_a), unbroadcast(right[..., 0], of_b)
        right = np.linalg.solve(_t(a), grad)
        return unbroadcast(-(right @ _t(out)), of_a), unbroadcast(right, of_b)

    @staticmethod
    def formula(a: Any, b: Any) -> Any:
        b = np.asarray(b, dtype=object)
        columns = b[:, None] if b.ndim == 1 else b
        out = _each_matrix(lambda m, r: m.inv(method="ADJ") * r, a, columns)
        return out[..., 0] if b.ndim == 1 else out


class Cholesky(Function):
    """The lower triangular matrix ``L`` with ``L @ L.T`` the symmetric part of ``x``."""

    domain = {"x": positive_definite}
    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = np.linalg.cholesky(_symmetric(x))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        inner = np.tril(_t(out) @ grad)
        inner = inner - inner * (np.eye(out.shape[-1], dtype=inner.dtype) / 2)
        half = np.linalg.solve(_t(out), inner)
        return _symmetric(_t(np.linalg.solve(_t(out), _t(half))))

    @staticmethod
    def formula(x: Any) -> Any:
        return _each_matrix(lambda m: _cholesky((m + m.T) / 2), x)


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

    domain = {"x": distinct}
    examples = [((2, 2),), ((1, 1),), ((3, 3),), ((2, 2, 2),)]

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        values, vectors = np.linalg.eigh(_symmetric(x))
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_vectors: Any) -> Any:
        values, vectors = ctx.saved_tensors
        inner = _apart(values) * (_t(vectors) @ grad_vectors)
        inner = inner + grad_values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
        return _symmetric(vectors @ inner @ _t(vectors))


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
        v, grad_v = _t(vh), _t(grad_vh)
        m, n, k = u.shape[-2], v.shape[-2], s.shape[-1]
        # 1 / (s_j^2 - s_i^2), without squares that round together.
        apart = _apart(s)
        total = s[..., None, :] + s[..., :, None]
        apart = apart / np.where(total == 0, 1.0, total)
        of_u, of_v = _t(u) @ grad_u, _t(v) @ grad_v
        rows, columns = s[..., None, :], s[..., :, None]
        inner = (apart * (of_u - _t(of_u))) * rows + columns * (apart * (of_v - _t(of_v)))
        inner = inner + grad_s[..., None] * np.eye(k, dtype=s.dtype)
        out = u @ inner @ vh
        inverse = (1 / np.where(s == 0, 1.0, s)) * (s != 0)
        if m > k:
            rest = grad_u - u @ of_u
            out = out + (rest * inverse[..., None, :]) @ vh
        if n > k:
            rest = grad_v - v @ of_v
            out = out + (u * inverse[..., None, :]) @ _t(rest)
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
        of_r, of_q = r @ _t(grad_r), _t(q) @ grad_q
        inner = np.tril(of_r) + _t(np.tril(of_r, -1)) + np.tril(of_q - _t(of_q), -1)
        full = q @ inner
        if q.shape[-2] > q.shape[-1]:
            rest = grad_q - q @ of_q
            full = full + (rest - q @ (_t(q) @ rest))  # twice: the first leaves rounding in q
        return _t(np.linalg.solve(r, _t(full)))


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
        p, g = _t(out), _t(grad)
        result = -(p @ grad @ p)
        # The projections on what x does not reach; nothing of it where x is square.
        if x.shape[-2] > x.shape[-1]:
            result = result + (g @ out @ p - x @ (out @ (g @ out @ p)))
        if x.shape[-2] < x.shape[-1]:
            inner = p @ out @ g
            result = result + (inner - (inner @ out) @ x)
        return result

    @staticmethod
    def formula(x: Any) -> Any:
        def rule(m: Any) -> Any:
            if m.shape[0] >= m.shape[1]:
                return (m.T * m).inv(method="ADJ") * m.T
            return m.T * (m * m.T).inv(method="ADJ")

        return _each_matrix(rule, x)


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
        xt = _t(x)
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


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Any
    logabsdet: Any


class EighResult(NamedTuple):
    """What `eigh` returns."""

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


@implements(np.linalg.cholesky)
def cholesky(x: Any, *, upper: bool = False) -> Tensor:
    """Return the triangular factor of the symmetric part of a positive definite matrix."""
    out: Tensor = Cholesky.apply(operand(x))
    return matrix_transpose(out) if upper else out


@implements(np.linalg.eigh)
def eigh(x: Any, UPLO: str = "L") -> EighResult:
    """Return eigenvalues, rising, and eigenvectors of the symmetric part of a matrix."""
    return EighResult(*Eigh.apply(operand(x)))


@implements(np.linalg.eigvalsh)
def eigvalsh(x: Any, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues, rising, of the symmetric part of a matrix."""
    return eigh(x)[0]  # type: ignore[no-any-return]


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
        raise NotImplementedError(f"qr of tensors knows the modes 'reduced' and 'r', not {mode!r}")
    result = QRResult(*Qr.apply(operand(x)))
    return result if mode == "reduced" else result.R


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


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Tensor:
    """Return the matrix product of several matrices, multiplied from the left."""
    out = operand(arrays[0])
    for array in arrays[1:]:
        out = matmul(out, array)
    return out  # type: ignore[no-any-return]


@implements(np.linalg.norm)
def matrix_or_vector_norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return a norm of vectors or of matrices, as ``numpy.linalg.norm`` does."""
    x = operand(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    matrix = isinstance(axes, tuple) and len(axes) == 2 and (axis is not None or x.ndim == 2)
    if not matrix or ord in (None, "fro"):
        return norm(x, ord, axis, keepdims)
    moved = moveaxis(x, axes, (-2, -1))
    if ord in (1, -1, np.inf, -np.inf):
        sums = sum(abs(moved), axis=-2 if ord in (1, -1) else -1)
        out = max(sums, -1) if ord > 0 else min(sums, -1)
    elif ord == "nuc":
        out = sum(svdvals(moved), axis=-1)
    elif ord in (2, -2):
        out = svdvals(moved)[..., 0 if ord == 2 else -1]
    else:
        raise ValueError(f"invalid norm order {ord!r} for matrices")
    return np.expand_dims(out, axes) if keepdims else out  # type: ignore[call-overload]
