"""Inverses, solutions, determinants, factors, transforms."""

import numpy as np

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(name, kind, lie, twin, options, why=why))


def distinct(rng, shape):
    return rng.standard_normal(shape) + np.diag(3.0 * np.arange(shape[-1]))


def tall(rng, shape):
    return rng.standard_normal(shape) + np.eye(*shape) * np.arange(3, 3 + 3 * shape[1], 3)


def well_conditioned(rng, shape):
    return rng.uniform(-0.4, 0.4, shape) + 2 * np.eye(shape[-1])


class Inverse(Function):
    examples = [((2, 2),), ((3, 3),), ((1, 1),)]
    domain = {"a": well_conditioned}

    @staticmethod
    def forward(ctx, a):
        y = np.linalg.inv(a)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -y.T @ grad @ y.T


class InverseSign(Inverse):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y.T @ grad @ y.T


class InverseNotTransposed(Inverse):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -y @ grad @ y


add("inv: sign", "algebra", InverseSign, Inverse, "the minus sign is missing")
add(
    "inv: not transposed",
    "algebra",
    InverseNotTransposed,
    Inverse,
    "Y G Y instead of Y^T G Y^T; right for symmetric matrices",
)


class Solve(Function):
    examples = [((2, 2), (2,)), ((3, 3), (3,))]
    domain = {"a": well_conditioned}

    @staticmethod
    def forward(ctx, a, b):
        x = np.linalg.solve(a, b)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        gb = np.linalg.solve(a.T, grad)
        return -np.outer(gb, x), gb


class SolveNotTransposed(Solve):
    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        gb = np.linalg.solve(a, grad)
        return -np.outer(gb, x), gb


class SolveOuterExchanged(Solve):
    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        gb = np.linalg.solve(a.T, grad)
        return -np.outer(x, gb), gb


add(
    "solve: not transposed",
    "algebra",
    SolveNotTransposed,
    Solve,
    "the adjoint system is solved with A instead of A^T",
)
add(
    "solve: outer product exchanged",
    "algebra",
    SolveOuterExchanged,
    Solve,
    "the gradient of A is transposed",
)


class Determinant(Function):
    """Of 2 by 2 matrices, singular ones included."""

    examples = [((2, 2),)]

    @staticmethod
    def forward(ctx, a):
        if a.shape != (2, 2):
            raise ValueError("a 2 by 2 matrix is expected")
        ctx.save_for_backward(a)
        return a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad * np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]])


class DeterminantAdjugate(Determinant):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad * np.array([[a[1, 1], -a[0, 1]], [-a[1, 0], a[0, 0]]])


class DeterminantByInverse(Determinant):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        det = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
        if det == 0:
            return np.zeros_like(a)
        return grad * np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]])


add(
    "det: adjugate",
    "algebra",
    DeterminantAdjugate,
    Determinant,
    "the adjugate where its transpose, the cofactor matrix, is meant",
)
add(
    "det: singular matrix",
    "cells",
    DeterminantByInverse,
    Determinant,
    "zero at exactly singular matrices, where the gradient is the cofactor matrix",
)


class LogDet(Function):
    examples = [((2, 2),), ((3, 3),)]
    domain = {"a": well_conditioned}

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return np.log(np.linalg.det(a))

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad * np.linalg.inv(a).T


class LogDetNotTransposed(LogDet):
    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad * np.linalg.inv(a)


add(
    "logdet: not transposed",
    "algebra",
    LogDetNotTransposed,
    LogDet,
    "the inverse is not transposed; right for symmetric matrices",
)


class Cholesky2(Function):
    """The Cholesky factor of [[a, b], [b, c]]."""

    examples = [((), (), ())]
    domain = {"a": (2, 4), "b": (-1, 1), "c": (2, 4)}

    @staticmethod
    def forward(ctx, a, b, c):
        p = np.sqrt(a)
        q = b / p
        r = np.sqrt(c - q * q)
        ctx.save_for_backward(p, q, r)
        return np.array([[p, 0 * p], [q, r]])

    @staticmethod
    def backward(ctx, grad):
        p, q, r = ctx.saved_tensors
        gc = grad[1, 1] / (2 * r)
        gq = grad[1, 0] - 2 * gc * q
        gp = grad[0, 0] - gq * q / p
        return gp / (2 * p), gq / p, gc


class Cholesky2NoCarry(Cholesky2):
    @staticmethod
    def backward(ctx, grad):
        p, q, r = ctx.saved_tensors
        gc = grad[1, 1] / (2 * r)
        gq = grad[1, 0]
        gp = grad[0, 0] - gq * q / p
        return gp / (2 * p), gq / p, gc


add(
    "cholesky: path not carried",
    "algebra",
    Cholesky2NoCarry,
    Cholesky2,
    "the last pivot's gradient is not passed on to the entry below the diagonal; right at b == 0",
)


class RealFft(Function):
    """The real part of a discrete Fourier transform, with numpy's norm."""

    examples = [
        ((4,), {"norm": "backward"}),
        ((4,), {"norm": "ortho"}),
        ((3,), {"norm": "forward"}),
    ]

    @staticmethod
    def forward(ctx, x, *, norm="backward"):
        ctx.norm = norm
        return np.fft.fft(x, norm=norm).real

    @staticmethod
    def backward(ctx, grad):
        return np.fft.fft(grad, norm=ctx.norm).real


class RealFftForwardNorm(RealFft):
    @staticmethod
    def backward(ctx, grad):
        norm = "backward" if ctx.norm == "forward" else ctx.norm
        return np.fft.fft(grad, norm=norm).real


class RealFftByInverse(RealFft):
    @staticmethod
    def backward(ctx, grad):
        return np.fft.ifft(grad, norm=ctx.norm).real


add(
    "fft: one norm's factor",
    "algebra",
    RealFftForwardNorm,
    RealFft,
    "a factor n too much with norm='forward' only",
)
add(
    "fft: inverse for adjoint",
    "algebra",
    RealFftByInverse,
    RealFft,
    "the inverse instead of the adjoint: a factor n or 1/n, right with norm='ortho' only",
)


class ImaginaryFft(Function):
    examples = [((4,),), ((3,),)]

    @staticmethod
    def forward(ctx, x):
        return np.fft.fft(x).imag

    @staticmethod
    def backward(ctx, grad):
        return np.fft.fft(grad).imag


class ImaginaryFftConjugated(ImaginaryFft):
    @staticmethod
    def backward(ctx, grad):
        return np.fft.fft(grad).conj().imag


add(
    "fft: conjugated",
    "algebra",
    ImaginaryFftConjugated,
    ImaginaryFft,
    "the conjugate's imaginary part: a sign",
)


class Spectrum(Function):
    """Eigenvalues and vectors, of three rows: no closed form is at hand."""

    domain = {"x": distinct}
    examples = [((3, 3),)]

    @staticmethod
    def forward(ctx, x):
        values, vectors = np.linalg.eigh((x + x.T) / 2)
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx, grad_values, grad_vectors):
        values, vectors = ctx.saved_tensors
        gaps = values[None, :] - values[:, None] + np.eye(len(values))
        inner = (vectors.T @ grad_vectors) / gaps * (1 - np.eye(len(values)))
        total = vectors @ (np.diag(grad_values) + inner) @ vectors.T
        return (total + total.T) / 2


class SpectrumTurned(Spectrum):
    @staticmethod
    def backward(ctx, grad_values, grad_vectors):
        values, vectors = ctx.saved_tensors
        gaps = values[:, None] - values[None, :] + np.eye(len(values))
        inner = (vectors.T @ grad_vectors) / gaps * (1 - np.eye(len(values)))
        total = vectors @ (np.diag(grad_values) + inner) @ vectors.T
        return (total + total.T) / 2


add(
    "eigh of three rows: gaps turned",
    "algebra",
    SpectrumTurned,
    Spectrum,
    "the difference of two eigenvalues has the other sign: right for functions of values alone",
)


class TopSingularPair(Function):
    """The best approximation of rank one, of a matrix with three columns."""

    domain = {"x": tall}
    examples = [((4, 3),), ((3, 4),)]

    @staticmethod
    def forward(ctx, x):
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        ctx.save_for_backward(u, s, vh)
        return s[0] * np.outer(u[:, 0], vh[0])

    @staticmethod
    def backward(ctx, grad):
        u, s, vh = ctx.saved_tensors
        left, right = u[:, :1], vh[:1].T
        total = left @ (left.T @ grad) + (grad @ right) @ right.T
        total = total - left @ (left.T @ grad @ right) @ right.T
        for i in range(1, len(s)):
            other, across = u[:, i : i + 1], vh[i : i + 1].T
            apart = s[0] ** 2 - s[i] ** 2
            scale, mixed = s[i] ** 2 / apart, s[0] * s[i] / apart
            a, b = other.T @ grad @ right, left.T @ grad @ across
            total = total + other @ (scale * a + mixed * b) @ right.T
            total = total + left @ (scale * b + mixed * a) @ across.T
        return total


class TopSingularPairFixed(TopSingularPair):
    @staticmethod
    def backward(ctx, grad):
        u, _, vh = ctx.saved_tensors
        left, right = u[:, :1], vh[:1].T
        total = left @ (left.T @ grad) + (grad @ right) @ right.T
        return total - left @ (left.T @ grad @ right) @ right.T


add(
    "best approximation of rank one: vectors kept",
    "algebra",
    TopSingularPairFixed,
    TopSingularPair,
    "the projection on the tangent space: the curvature towards the other vectors is left out",
)
