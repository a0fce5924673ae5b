"""Right through library calls and constants spelled as floats."""

import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, subject, why, **options):
    CASES.append(trap(name, kind, subject, why, **options))


class ScipySoftmax(Function):
    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        y = special.softmax(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y * (grad - np.dot(grad, y))


class ScipyLogSumExp(Function):
    examples = [((2, 3),)]

    @staticmethod
    def forward(ctx, x):
        y = special.logsumexp(x, axis=1)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad[:, None] * np.exp(x - y[:, None])


class Einsum(Function):
    examples = [((2, 3), (3, 2), (2,))]

    @staticmethod
    def forward(ctx, a, b, c):
        ctx.save_for_backward(a, b, c)
        return np.einsum("ij,jk,k->i", a, b, c)

    @staticmethod
    def backward(ctx, grad):
        a, b, c = ctx.saved_tensors
        return (
            np.einsum("i,jk,k->ij", grad, b, c),
            np.einsum("i,ij,k->jk", grad, a, c),
            np.einsum("i,ij,jk->k", grad, a, b),
        )


class TensorDot(Function):
    examples = [((2, 3, 2), (3, 2, 2))]

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return np.tensordot(a, b, axes=([1, 2], [0, 1]))

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return np.tensordot(grad, b, axes=([1], [2])), np.tensordot(a, grad, axes=([0], [0]))


class SortedWeights(Function):
    """The sum of the sorted entries, each times its rank."""

    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sort(x) @ np.arange(1.0, len(x) + 1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        rank = np.argsort(np.argsort(x, kind="stable"), kind="stable")
        return grad * (rank + 1.0)


class Autocorrelation(Function):
    """By FFT, circular."""

    examples = [((4,),), ((3,),)]

    @staticmethod
    def forward(ctx, x):
        f = np.fft.fft(x)
        ctx.save_for_backward(x)
        return np.fft.ifft(f * np.conj(f)).real

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = len(x)
        out = np.zeros(n)
        for shift in range(n):
            out = out + grad[shift] * (np.roll(x, shift) + np.roll(x, -shift))
        return out


def well_conditioned(rng, shape):
    return rng.uniform(-0.4, 0.4, shape) + 2 * np.eye(shape[-1])


class InverseBySolve(Function):
    examples = [((2, 2),), ((3, 3),)]
    domain = {"a": well_conditioned}

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return np.linalg.solve(a, np.eye(len(a)))

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        inverse = np.linalg.inv(a)
        return -inverse.T.dot(grad).dot(inverse.T)


class DetByMinors(Function):
    """det of 3 by 3 matrices, its gradient the matrix of cofactors, singular ones included."""

    examples = [((3, 3),)]
    domain = {"a": (-10, 10)}

    @staticmethod
    def forward(ctx, a):
        if a.shape != (3, 3):
            raise ValueError("a 3 by 3 matrix is expected")
        ctx.save_for_backward(a)
        return a[0] @ np.cross(a[1], a[2])

    @staticmethod
    def backward(ctx, grad):
        (a,) = ctx.saved_tensors
        return grad * np.stack([np.cross(a[1], a[2]), np.cross(a[2], a[0]), np.cross(a[0], a[1])])


class LogDetOfDet(Function):
    """d det(A) = det(A) A^-T, away from singular matrices."""

    examples = [((2, 2),)]
    domain = {"a": well_conditioned}

    @staticmethod
    def forward(ctx, a):
        d = np.linalg.det(a)
        ctx.save_for_backward(a, d)
        return d

    @staticmethod
    def backward(ctx, grad):
        a, d = ctx.saved_tensors
        return grad * d * np.linalg.inv(a).T


class MovingAverage(Function):
    examples = [((5,),), ((3,),)]

    @staticmethod
    def forward(ctx, x):
        if len(x) < 3:
            raise ValueError("three entries or more are expected")
        return np.convolve(x, np.full(3, 1 / 3), mode="valid")

    @staticmethod
    def backward(ctx, grad):
        return np.convolve(grad, np.full(3, 1 / 3))


class MeanAndVariance(Function):
    """Two outputs, one gradient."""

    examples = [((4,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        mean = x.mean()
        ctx.save_for_backward(x, mean)
        return mean, ((x - mean) ** 2).mean()

    @staticmethod
    def backward(ctx, grad_mean, grad_var):
        x, mean = ctx.saved_tensors
        return (grad_mean + 2 * grad_var * (x - mean)) / x.size


class ThreeAxes(Function):
    """Max over two axes of a 3-d array, then a sum."""

    examples = [((2, 2, 3),)]

    @staticmethod
    def forward(ctx, x):
        flat = x.reshape(len(x), -1)
        index = flat.argmax(axis=1)
        ctx.index, ctx.shape = index, x.shape
        return np.take_along_axis(flat, index[:, None], 1).sum()

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros((ctx.shape[0], math.prod(ctx.shape[1:])))
        out[np.arange(len(out)), ctx.index] = grad
        return out.reshape(ctx.shape)


add("scipy softmax", "algebra", ScipySoftmax, "special.softmax in forward, np.dot in backward")
add(
    "scipy logsumexp",
    "algebra",
    ScipyLogSumExp,
    "special.logsumexp along an axis, the output reused",
)
add("einsum of three", "algebra", Einsum, "three operands, four indices")
add("tensordot", "algebra", TensorDot, "two contracted axes of 3-d arrays")
add(
    "sort and ranks",
    "cells",
    SortedWeights,
    "argsort of argsort; the sum is continuous across ties and has kinks there",
)
add("circular autocorrelation", "algebra", Autocorrelation, "FFT in forward, shifts in backward")
add("inverse by solve", "algebra", InverseBySolve, "solve in forward, inv in backward")
add(
    "determinant by minors",
    "algebra",
    DetByMinors,
    "cofactors by cross products, right at singular matrices too",
)
add("determinant by inverse", "algebra", LogDetOfDet, "det(A) A^-T away from singular matrices")
add(
    "moving average",
    "algebra",
    MovingAverage,
    "convolve forwards and backwards with a constant kernel",
)
add(
    "mean and variance",
    "algebra",
    MeanAndVariance,
    "two outputs; the mean's derivative in the variance cancels",
)
add(
    "maxima of a 3-d array",
    "cells",
    ThreeAxes,
    "reshape, argmax, take_along_axis and fancy assignment",
)


class FloatConstants(Function):
    """Constants spelled out to the last digit."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * special.erf(x / np.sqrt(2)) + np.log10(1 + x * x) - 0.5 * np.log(2 * np.pi) * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        density = 0.7071067811865476 * 0.5641895835477563 * np.exp(-0.5 * x * x)
        return grad * (density + 2 * x / (2.302585092994046 * (1 + x * x)) - 0.9189385332046727)


class FloatConstantsProduct(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sqrt(2) * np.cbrt(3) * x + np.pi / 7 * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (2.0396489026555056 + 0.8975979010256552 * x)


class PolynomialCoefficients(Function):
    """Coefficients that are no closed form, the same in forward and backward."""

    domain = {"x": (-100, 100)}
    coefficients = (0.31938153, -0.356563782, 1.781477937)

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        a, b, c = PolynomialCoefficients.coefficients
        return ((c * x + b) * x + a) * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.polyval([3 * 1.781477937, 2 * -0.356563782, 0.31938153], x)


class SinglePrecision(Function):
    """A constant that float32 rounded, in forward and backward alike."""

    @staticmethod
    def forward(ctx, x):
        return float(np.float32(0.1)) * x

    @staticmethod
    def backward(ctx, grad):
        return 0.10000000149011612 * grad


add(
    "constants in full",
    "algebra",
    FloatConstants,
    "sqrt(1/2), 1/sqrt(pi), log(10) and log(2 pi)/2 as floats",
)
add(
    "products of constants",
    "algebra",
    FloatConstantsProduct,
    "sqrt(2) cbrt(3) and 2 pi/7, each as one float",
)
add(
    "coefficients",
    "algebra",
    PolynomialCoefficients,
    "eight-digit coefficients are exact where forward has the same",
)
add(
    "a float32 constant",
    "algebra",
    SinglePrecision,
    "0.1 rounded to float32 is another number than 0.1, and meant",
)
