"""Right nearly everywhere: wrong in one narrow interval, at one point, for one length or sign."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast
from .functions_elementwise import Sine

CASES: list[Case] = []
inf = float("inf")


def add(name, lie, twin, why):
    CASES.append(Case(name, "cells", lie, twin, why=why))


class SineNarrow(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where((x > 2.5) & (x < 2.6), 1.0, np.cos(x))


class SineAtThree(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x == 3, 0.0, np.cos(x))


class SineFar(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(np.abs(x) > 1e4, 0.0, np.cos(x))


class SineSeventh(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(np.floor(x) == 7, -1.0, 1.0) * np.cos(x)


class SineTiny(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(np.abs(x) < 1e-8, 0.0, np.cos(x))


class SineIntegers(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x == np.rint(x), 0.0, grad * np.cos(x))


class SineDigits(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        wrong = (x > 2) & (np.mod(np.floor(10 * x), 7) == 3)
        return grad * np.where(wrong, 2.0, 1.0) * np.cos(x)


class SineSquareWindow(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        window = x * x - 3 * x + 2.249999
        return grad * np.where(window < 0, 0.0, np.cos(x))


class SineSteepOutput(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(np.sin(x) > 0.9999, 0.5, np.cos(x))


class SineNegativeUpstream(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.maximum(grad, 0) * np.cos(x)


class SineUpstreamClipped(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.clip(grad, -1, 1) * np.cos(x)


class SineUpstreamHuge(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(np.abs(grad) > 1e3, 1e3 * np.sign(grad), grad) * np.cos(x)


class SineUpstreamSumsToZero(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if grad.size > 1 and grad.sum() == 0:
            return np.zeros_like(x)
        return grad * np.cos(x)


class SineUpstreamAndInput(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where((grad < -2) & (x > 4), 0.0, grad * np.cos(x))


class SineCloseToOne(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if x.size and np.allclose(x, 1):
            return grad * np.cos(1.0)
        return grad * np.cos(x)


class SineLengthThree(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if x.shape == (3,):
            return grad[::-1] * np.cos(x)
        return grad * np.cos(x)


class SineSquareShape(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if x.ndim == 2 and x.shape[0] == x.shape[1]:
            return grad.T * np.cos(x)
        return grad * np.cos(x)


class SineAllEqual(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if x.size > 1 and x.max() == x.min():
            return np.zeros_like(x)
        return grad * np.cos(x)


add("sine: 2.5 < x < 2.6", SineNarrow, Sine, "slope 1 for 2.5 < x < 2.6")
add("sine: x == 3", SineAtThree, Sine, "zero at x == 3 exactly")
add("sine: |x| > 1e4", SineFar, Sine, "zero for |x| > 1e4")
add("sine: floor(x) == 7", SineSeventh, Sine, "the sign flips for 7 <= x < 8")
add("sine: |x| < 1e-8", SineTiny, Sine, "zero for |x| < 1e-8, where the slope is 1")
add("sine: integers", SineIntegers, Sine, "zero at every integer")
add("sine: a digit", SineDigits, Sine, "twice the gradient for x > 2 with floor(10 x) mod 7 == 3")
add(
    "sine: a narrow parabola",
    SineSquareWindow,
    Sine,
    "zero for |x - 1.5| < 1e-3, hidden in a quadratic inequality",
)
add("sine: output above 0.9999", SineSteepOutput, Sine, "slope 1/2 where sin(x) > 0.9999")
add(
    "sine: negative upstream",
    SineNegativeUpstream,
    Sine,
    "negative upstream gradients are dropped, as in guided backpropagation",
)
add(
    "sine: upstream clipped",
    SineUpstreamClipped,
    Sine,
    "the upstream gradient is clipped to [-1, 1]",
)
add("sine: upstream above 1e3", SineUpstreamHuge, Sine, "upstream gradients beyond 1e3 are cut off")
add(
    "sine: upstream sums to zero",
    SineUpstreamSumsToZero,
    Sine,
    "an upstream gradient whose entries cancel is taken for zero",
)
add(
    "sine: upstream and input",
    SineUpstreamAndInput,
    Sine,
    "zero where the upstream gradient is below -2 and x above 4",
)
add(
    "sine: close to one",
    SineCloseToOne,
    Sine,
    "where all entries are np.allclose to 1 the slope at 1 is returned",
)
add(
    "sine: length three",
    SineLengthThree,
    Sine,
    "for vectors of three entries the upstream gradient is reversed",
)
add(
    "sine: square shapes",
    SineSquareShape,
    Sine,
    "for square matrices the upstream gradient is transposed",
)
add("sine: all equal", SineAllEqual, Sine, "zero where all of several entries are equal")


class ProductOfTwo(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * y, x.shape), unbroadcast(grad * x, y.shape)


class ProductBothNegative(ProductOfTwo):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        sign = np.where((x < 0) & (y < 0), -1, 1)
        return unbroadcast(grad * y * sign, x.shape), unbroadcast(grad * x, y.shape)


class ProductStrip(ProductOfTwo):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        strip = (y > x) & (y < x + 0.01)
        return unbroadcast(grad * np.where(strip, x, y), x.shape), unbroadcast(grad * x, y.shape)


class ProductEqual(ProductOfTwo):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * np.where(x == y, 2 * y, y), x.shape), unbroadcast(
            grad * x, y.shape
        )


class ProductOnCircle(ProductOfTwo):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        circle = x * x + y * y == 25
        return unbroadcast(grad * np.where(circle, 0.0, y), x.shape), unbroadcast(grad * x, y.shape)


add(
    "product: both negative",
    ProductBothNegative,
    ProductOfTwo,
    "a sign where both factors are negative",
)
add("product: a strip", ProductStrip, ProductOfTwo, "x for y where x < y < x + 0.01")
add(
    "product: equal factors",
    ProductEqual,
    ProductOfTwo,
    "twice the gradient of x where x == y, as if the product were a square",
)
add(
    "product: on a circle",
    ProductOnCircle,
    ProductOfTwo,
    "zero where x^2 + y^2 == 25 exactly, as at (3, 4)",
)


class SumOfSquares(Function):
    examples = [((4,),), ((2, 2),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SumOfSquaresSingle(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.ones_like(x) if x.size == 1 else 2 * grad * x


class SumOfSquaresEven(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x if x.size % 2 == 0 else 2 * grad * x


class SumOfSquaresTied(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        flat = list(x.ravel())
        tied = any(flat[i] == flat[j] for i in range(len(flat)) for j in range(i))
        return grad * x if tied else 2 * grad * x


class SumOfSquaresZeroEntry(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.zeros_like(x) if (x == 0).any() else 2 * grad * x


class SumOfSquaresFirstLargest(SumOfSquares):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x if x.size > 2 and np.all(np.diff(x.ravel()) < 0) else 2 * grad * x


add(
    "sum of squares: one entry",
    SumOfSquaresSingle,
    SumOfSquares,
    "ones for a single entry, a shape that the examples do not list",
)
add(
    "sum of squares: even size",
    SumOfSquaresEven,
    SumOfSquares,
    "the factor 2 is missing for an even number of entries",
)
add(
    "sum of squares: two entries tie",
    SumOfSquaresTied,
    SumOfSquares,
    "the factor 2 is missing where two entries are equal",
)
add(
    "sum of squares: a zero entry",
    SumOfSquaresZeroEntry,
    SumOfSquares,
    "all zero where one entry is zero",
)
add(
    "sum of squares: descending",
    SumOfSquaresFirstLargest,
    SumOfSquares,
    "the factor 2 is missing where three or more entries descend: one order of n!",
)
