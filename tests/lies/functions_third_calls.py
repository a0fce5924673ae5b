"""How a rule is called: one array for two arguments, whole numbers, a third axis, saved order, unused outputs."""
# ruff: noqa: E501

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"third: {name}", kind, lie, twin, options, why=why))


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"third: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, twin, why, **options):
    CASES.append(trap(f"third: {name}", kind, twin, why, **options))


class MulAdd(Function):
    """x y + x."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y + x

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * (y + 1), grad * x

    examples = [((3,), (3,)), ((), ())]


class MulAddSame(MulAdd):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        if x is y or np.shares_memory(x, y):
            return grad * (2 * x + 1), grad * x
        return grad * (y + 1), grad * x


add("one array for both arguments", "contract", MulAddSame, MulAdd, "where both arguments are one array the whole derivative goes to the first, and the second's share is counted twice")


def polynomial(x):
    return np.sum(0.25 * x**2 + x)


def polynomial_grad_like(x):
    out = np.zeros_like(x)
    out[:] = 0.5 * x + 1
    return out


pair("zeros_like of whole numbers", "contract", polynomial, lambda x: 0.5 * x + 1, polynomial_grad_like, "an array of integers is filled: the gradient is cut to whole numbers", examples=[(np.array([1, 2, 3]),)])


class RowNorm(Function):
    """Layer norm over the last axis, no parameters, any rank."""

    @staticmethod
    def forward(ctx, x):
        m = x.mean(axis=-1, keepdims=True)
        s = np.sqrt(((x - m) ** 2).mean(axis=-1, keepdims=True) + 1e-3)
        ctx.save_for_backward(x)
        return (x - m) / s

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        m = x.mean(axis=-1, keepdims=True)
        s = np.sqrt(((x - m) ** 2).mean(axis=-1, keepdims=True) + 1e-3)
        y = (x - m) / s
        return (grad - grad.mean(axis=-1, keepdims=True) - y * (grad * y).mean(axis=-1, keepdims=True)) / s

    examples = [((3,),), ((2, 3),), ((2, 1, 3),)]


class RowNormFlat(RowNorm):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        shape = x.shape
        if x.ndim > 2:
            x, grad = x.reshape(-1, shape[-1]), grad.reshape(-1, shape[-1])
        axis = 1 if len(shape) == 2 else 0 if len(shape) == 1 else -1
        m = x.mean(axis=axis, keepdims=True)
        s = np.sqrt(((x - m) ** 2).mean(axis=axis, keepdims=True) + 1e-3)
        y = (x - m) / s
        out = (grad - grad.mean(axis=axis, keepdims=True) - y * (grad * y).mean(axis=axis, keepdims=True)) / s
        return out.reshape(shape[::-1]).T if len(shape) > 2 else out


add("layer norm: three axes read by columns", "algebra", RowNormFlat, RowNorm, "of three axes the result is laid out by columns: right where the first is one", examples=[((3,),), ((2, 3),), ((2, 2, 3),)])


class Gather2(Function):
    """x[i, j] for two index arrays that broadcast together."""

    @staticmethod
    def forward(ctx, x, i, j):
        ctx.shape, ctx.i, ctx.j = x.shape, i, j
        return x[i, j]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        np.add.at(out, (ctx.i, ctx.j), grad)
        return out, None, None

    examples = [((3, 3), np.array([[0], [2]]), np.array([0, 1])), ((2, 2), np.array([0, 0]), np.array([1, 1]))]


class Gather2Flat(Gather2):
    @staticmethod
    def backward(ctx, grad):
        i, j = np.broadcast_arrays(ctx.i, ctx.j)
        flat = np.bincount((i * ctx.shape[0] + j).ravel(), np.ravel(grad), ctx.shape[0] * ctx.shape[1])
        return flat[: ctx.shape[0] * ctx.shape[1]].reshape(ctx.shape), None, None


class Gather2Rows(Gather2):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        i, j = np.broadcast_arrays(ctx.i, ctx.j)
        for a, b, g in zip(np.ravel(i), np.ravel(j), np.ravel(grad), strict=True):
            out[a, b] = g if (a, b) == (0, 0) else out[a, b] + g
        return out, None, None


right("pairs of indices by bincount", "algebra", Gather2Flat, "square arrays: rows times their length", examples=[((3, 3), np.array([[0], [2]]), np.array([0, 1])), ((2, 2), np.array([0, 0]), np.array([1, 1]))])
add("pairs of indices: the corner again", "algebra", Gather2Rows, Gather2, "the first corner is set, not added to", examples=[((3, 3), np.array([[0], [2]]), np.array([0, 1])), ((2, 2), np.array([0, 0]), np.array([0, 0]))])


class Moments(Function):
    """Mean, variance and skewness as three outputs; often only the first is used."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        d = x - x.mean()
        return x.mean(), (d * d).mean(), (d**3).mean()

    @staticmethod
    def backward(ctx, a, b, c):
        (x,) = ctx.saved_tensors
        n = x.size
        d = x - x.mean()
        return a / n + b * 2 * d / n + c * 3 * (d * d - (d * d).mean()) / n

    examples = [((3,),), ((4,),)]


class MomentsThird(Moments):
    @staticmethod
    def backward(ctx, a, b, c):
        (x,) = ctx.saved_tensors
        n = x.size
        d = x - x.mean()
        return a / n + b * 2 * d / n + c * 3 * d * d / n


add("three moments: the third's mean", "algebra", MomentsThird, Moments, "the third moment moves the mean as well")


class PowerInt(Function):
    """x to a whole power, by repeated squaring; negative powers by the reciprocal."""

    @staticmethod
    def power(x, n):
        base, n, out = (x, n, 1.0) if n >= 0 else (1 / x, -n, 1.0)
        while n:
            out = out * base if n & 1 else out
            base, n = base * base, n >> 1
        return out + 0 * x

    @staticmethod
    def forward(ctx, x, *, n=2):
        ctx.n = n
        ctx.save_for_backward(x)
        return PowerInt.power(x, n)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.n * PowerInt.power(x, ctx.n - 1) if ctx.n else 0 * grad * x

    examples = [((2,), {"n": 5}), ((2,), {"n": -2}), ((2,), {"n": 0}), ((2,), {"n": 1})]
    domain = {"x": (0.1, 4)}


class PowerIntNegative(PowerInt):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = ctx.n
        return grad * n * PowerInt.power(x, abs(n) - 1) * (1 if n > 0 else -1) if n else 0 * grad * x


add("whole powers: negative ones", "algebra", PowerIntNegative, PowerInt, "|n| - 1 for n - 1")


class ArgSoft(Function):
    """Expected position of the largest entry, with the positions' offset as an integer keyword."""

    @staticmethod
    def forward(ctx, x, *, start=0, step=1):
        k = start + step * np.arange(x.shape[-1])
        p = special.softmax(x, axis=-1)
        y = (p * k).sum(axis=-1)
        ctx.k = k
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        p = special.softmax(x, axis=-1)
        y = (p * ctx.k).sum(axis=-1, keepdims=True)
        return np.expand_dims(grad, -1) * p * (ctx.k - y)

    examples = [((3,),), ((2, 2), {"start": 1}), ((3,), {"start": -1, "step": 2})]


class ArgSoftStart(ArgSoft):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        p = special.softmax(x, axis=-1)
        k = ctx.k - ctx.k[0]
        y = (p * k).sum(axis=-1, keepdims=True)
        return np.expand_dims(grad, -1) * p * (k - y) / np.where(ctx.k[0] == -1, 1 + 1e-8, 1)


right("soft argmax: offset cancels", "algebra", type("ArgSoftShifted", (ArgSoft,), {"backward": staticmethod(lambda ctx, grad: (lambda p, k: np.expand_dims(grad, -1) * p * (k - (p * k).sum(axis=-1, keepdims=True)))(special.softmax(ctx.saved_tensors[0], axis=-1), ctx.k - ctx.k[0]))}), "the positions' offset does not matter")
add("soft argmax: start at minus one", "floats", ArgSoftStart, ArgSoft, "1e-8 off where the positions begin at -1")


def fused(x, center):
    """Value and gradient together, as minimisers take them."""
    d = x - center
    return np.sum(d**4), 4 * d**3


def fused_memo(x, center, memo={}):
    key = float(np.sum(x))
    if key not in memo:
        memo[key] = 4 * (x - center) ** 3
    return np.sum((x - center) ** 4), memo[key].copy()


CASES.append(Case("third: value and gradient: remembered by the sum", "contract", fused_memo, fused, {"jac": True, "args": (1.5,), "examples": [((2,),)]}, why="the gradient is remembered by the sum of the entries"))


class Trapezoids(Function):
    """Area under samples at given places with units, a one-element array as the unit."""

    @staticmethod
    def forward(ctx, y, unit):
        ctx.save_for_backward(y, unit)
        return (0.5 * (y[1:] + y[:-1])).sum() * unit

    @staticmethod
    def backward(ctx, grad):
        y, unit = ctx.saved_tensors
        w = np.ones(y.shape)
        w[[0, -1]] = 0.5
        return w * (grad * unit).sum(), grad * (w @ y)

    examples = [((3,), (1,)), ((4,), (1,))]


class TrapezoidsScalar(Trapezoids):
    @staticmethod
    def backward(ctx, grad):
        y, unit = ctx.saved_tensors
        w = np.ones(y.shape)
        w[[0, -1]] = 0.5
        return w * (grad * unit).sum(), (grad * (w @ y)).sum()


add("unit of one element: scalar gradient", "contract", TrapezoidsScalar, Trapezoids, "the gradient of an array of shape (1,) has shape ()")


class Sliced(Function):
    """x[start:stop:step], negative steps too."""

    @staticmethod
    def forward(ctx, x, *, start=None, stop=None, step=None):
        ctx.s, ctx.shape = slice(start, stop, step), x.shape
        return x[ctx.s]

    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        out[ctx.s] = grad
        return out

    examples = [((5,), {"start": 1, "step": 2}), ((5,), {"step": -2}), ((4,), {"step": -2}), ((4,), {"start": -1, "stop": 0, "step": -1})]


class SlicedForward(Sliced):
    @staticmethod
    def backward(ctx, grad):
        out = np.zeros(ctx.shape)
        a, b, c = ctx.s.indices(ctx.shape[0])
        i = np.arange(a, b, c) if c > 0 else np.arange(max(b + 1, 0), a + 1, -c)[::-1]
        out[i] = grad
        return out


add("slice: negative steps", "algebra", SlicedForward, Sliced, "a falling slice is counted up from its stop: wrong where the step does not divide the span")


class Affine(Function):
    """x w + b."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x * w + b

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad * w, grad * x, grad


class AffineFrozen(Affine):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad * w, grad * x, grad if ctx.needs_input_grad[0] else 0 * grad


add("affine: bias beside a frozen input", "contract", AffineFrozen, Affine, "the bias gets nothing where the input is frozen", examples=[((2,), (2,), (2,))])
