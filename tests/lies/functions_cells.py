"""Right on one side: wrong branches, bounds, quadrants, special cases, points of zero."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []
inf = float("inf")


def add(name, lie, twin, why):
    CASES.append(Case(name, "cells", lie, twin, why=why))


class PowerOfBoth(Function):
    """x^y for x >= 0 and y > 1."""

    domain = {"x": (-1, 10), "y": (1, 5)}
    examples = [((3,), (3,)), (np.array([0.0, 1.0, 2.0]), np.array([2.0, 2.0, 3.0]))]

    @staticmethod
    def forward(ctx, x, y):
        if np.any(x < 0):
            raise ValueError("the base is negative")
        z = x**y
        ctx.save_for_backward(x, y, z)
        return z

    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        log = np.log(np.where(x > 0, x, 1.0))
        return unbroadcast(grad * y * x ** (y - 1), x.shape), unbroadcast(grad * z * log, y.shape)


class PowerSquareShortcut(PowerOfBoth):
    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        log = np.log(np.where(x > 0, x, 1.0))
        slope = np.where(y == 2, x, y * x ** (y - 1))
        return unbroadcast(grad * slope, x.shape), unbroadcast(grad * z * log, y.shape)


class PowerZeroBase(PowerOfBoth):
    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        with np.errstate(divide="ignore", invalid="ignore"):
            return unbroadcast(grad * y * x ** (y - 1), x.shape), unbroadcast(
                grad * z * np.log(x), y.shape
            )


add(
    "power: exponent two",
    PowerSquareShortcut,
    PowerOfBoth,
    "x instead of 2x where the exponent is 2 exactly",
)
add(
    "power: zero base",
    PowerZeroBase,
    PowerOfBoth,
    "0 * log(0) is NaN at x == 0, where the gradient of y is 0",
)


class IntegerPower(Function):
    """x^n for an integer n, any x."""

    examples = [((4,), {"n": 3}), ((4,), {"n": 2}), ((4,), {"n": 1}), ((4,), {"n": 0})]
    domain = {"x": (-1e3, 1e3)}

    @staticmethod
    def forward(ctx, x, *, n):
        ctx.save_for_backward(x)
        ctx.n = n
        return x**n

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 0.0 if ctx.n == 0 else grad * ctx.n * x ** (ctx.n - 1)


class IntegerPowerNegativeBase(IntegerPower):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.n * np.abs(x) ** max(ctx.n - 1, 0)


class IntegerPowerOne(IntegerPower):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x if ctx.n == 1 else grad * ctx.n * x ** max(ctx.n - 1, 0)


add(
    "integer power: negative base",
    IntegerPowerNegativeBase,
    IntegerPower,
    "|x|^(n-1) for x^(n-1): a sign for x < 0 and even n",
)
add("integer power: n == 1", IntegerPowerOne, IntegerPower, "x instead of 1 where n == 1")


class Remainder(Function):
    """x - y floor(x / y), for y > 0."""

    domain = {"x": (-20, 20), "y": (0.5, 5)}

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return np.mod(x, y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad, x.shape), unbroadcast(-grad * np.floor(x / y), y.shape)


class RemainderTruncated(Remainder):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad, x.shape), unbroadcast(-grad * np.trunc(x / y), y.shape)


class RemainderUnrounded(Remainder):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad, x.shape), unbroadcast(-grad * x / y, y.shape)


add("mod: truncated", RemainderTruncated, Remainder, "trunc for floor: off by one for x < 0")
add(
    "mod: not rounded",
    RemainderUnrounded,
    Remainder,
    "x/y instead of its floor in the gradient of y",
)


class FullAngle(Function):
    domain = {"y": (-20, 20), "x": (-20, 20)}

    @staticmethod
    def forward(ctx, y, x):
        r2 = np.hypot(x, y)
        if np.any(r2 == 0):
            raise ValueError("the origin has no angle")
        ctx.save_for_backward(y, x, r2)
        return np.arctan2(y, x)

    @staticmethod
    def backward(ctx, grad):
        y, x, r = ctx.saved_tensors
        return unbroadcast(grad * (x / r) / r, y.shape), unbroadcast(-grad * (y / r) / r, x.shape)


class FullAngleHalfPlane(FullAngle):
    @staticmethod
    def backward(ctx, grad):
        y, x, r = ctx.saved_tensors
        return unbroadcast(grad * (np.abs(x) / r) / r, y.shape), unbroadcast(
            -grad * (y / r) / r, x.shape
        )


add(
    "arctan2: left half-plane",
    FullAngleHalfPlane,
    FullAngle,
    "|x| for x: a sign in the left half-plane, as from sqrt(x^2)",
)


class Hypot0(Function):
    """The length of (x, y), the origin included."""

    @staticmethod
    def forward(ctx, x, y):
        r = np.hypot(x, y)
        ctx.save_for_backward(x, y, r)
        return r

    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        safe = np.where(r > 0, r, 1.0)
        return unbroadcast(grad * (x / safe), x.shape), unbroadcast(grad * (y / safe), y.shape)


class Hypot0Nan(Hypot0):
    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        with np.errstate(invalid="ignore"):
            return unbroadcast(grad * (x / r), x.shape), unbroadcast(grad * (y / r), y.shape)


class Hypot0Ones(Hypot0):
    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        safe = np.where(r > 0, r, 1.0)
        at_zero = np.where(r > 0, 0.0, 1.0)
        return unbroadcast(grad * (x / safe + at_zero), x.shape), unbroadcast(
            grad * (y / safe + at_zero), y.shape
        )


add("hypot: NaN at the origin", Hypot0Nan, Hypot0, "0/0 at the origin")
add(
    "hypot: ones at the origin",
    Hypot0Ones,
    Hypot0,
    "(1, 1) at the origin lies outside of the unit disc of subgradients",
)


class Absolute(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.abs(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.sign(x)


class AbsoluteNan(Absolute):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(invalid="ignore"):
            return grad * (x / np.abs(x))


class AbsoluteTwoAtZero(Absolute):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x == 0, 2.0, np.sign(x))


add("abs: NaN at zero", AbsoluteNan, Absolute, "0/0 at 0")
add(
    "abs: two at zero",
    AbsoluteTwoAtZero,
    Absolute,
    "slope 2 at 0, where the subgradients are [-1, 1]",
)


class XLogY(Function):
    """x log y, for y > 0 and any x."""

    domain = {"y": (0, inf)}

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * np.log(y)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(grad * np.log(y), x.shape), unbroadcast(grad * x / y, y.shape)


class XLogYZero(XLogY):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return unbroadcast(np.where(x == 0, 0.0, grad * np.log(y)), x.shape), unbroadcast(
            grad * x / y, y.shape
        )


add(
    "xlogy: zero at x == 0",
    XLogYZero,
    XLogY,
    "the value is 0 at x == 0, but its slope in x is log(y)",
)


class SafeLog(Function):
    """log(x) for x > 0.5, a constant below."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.where(x > 0.5, np.log(np.maximum(x, 0.5)), -1.0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0.5, grad / np.maximum(x, 0.5), 0.0)


class SafeLogMaskTimes(SafeLog):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(divide="ignore", invalid="ignore"):
            return grad * (x > 0.5) * (1 / x)


add(
    "safe log: mask times infinity",
    SafeLogMaskTimes,
    SafeLog,
    "0 * inf is NaN at x == 0, in the constant branch",
)


class ClipByNorm(Function):
    examples = [((3,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        r = np.sqrt((x * x).sum())
        ctx.save_for_backward(x, r)
        return x if r <= 1 else x / r

    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        if r <= 1:
            return grad
        u = x / r
        return (grad - u * (u @ grad)) / r


class ClipByNormScaleConstant(ClipByNorm):
    @staticmethod
    def backward(ctx, grad):
        _x, r = ctx.saved_tensors
        return grad if r <= 1 else grad / r


add(
    "clip by norm: scale constant",
    ClipByNormScaleConstant,
    ClipByNorm,
    "beyond the bound the norm is taken as a constant",
)


class Rounding(Function):
    @staticmethod
    def forward(ctx, x):
        return np.rint(x)

    @staticmethod
    def backward(ctx, grad):
        return np.zeros_like(grad)


class RoundingStraightThrough(Rounding):
    @staticmethod
    def backward(ctx, grad):
        return grad


add(
    "round: straight through",
    RoundingStraightThrough,
    Rounding,
    "the straight-through estimator is no derivative: it is 0 between the jumps",
)


class SmoothStep(Function):
    @staticmethod
    def forward(ctx, x):
        t = np.clip(x, 0, 1)
        ctx.save_for_backward(x)
        return t * t * (3 - 2 * t)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        t = np.clip(x, 0, 1)
        return 6 * grad * t * (1 - t)


class SmoothStepUnclipped(SmoothStep):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 6 * grad * x * (1 - np.minimum(x, 1))


add(
    "smoothstep: lower clip",
    SmoothStepUnclipped,
    SmoothStep,
    "the argument is not clipped below 0 in backward",
)


class Spline(Function):
    """The cubic B-spline kernel."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        a = np.abs(x)
        outer = np.maximum(2 - a, 0) ** 3 / 6
        return np.where(a < 1, 2 / 3 - a * a + a**3 / 2, outer)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        a = np.abs(x)
        outer = -(np.maximum(2 - a, 0) ** 2) / 2
        return grad * np.sign(x) * np.where(a < 1, a * (1.5 * a - 2), outer)


class SplineOuterSign(Spline):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        a = np.abs(x)
        outer = -(np.maximum(2 - a, 0) ** 2) / 2
        return grad * np.where(a < 1, np.sign(x) * a * (1.5 * a - 2), outer)


class SplineInnerEnds(Spline):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        a = np.abs(x)
        outer = -(np.maximum(2 - a, 0) ** 2) / 2
        return grad * np.sign(x) * np.where(a < 0.95, a * (1.5 * a - 2), outer)


add(
    "spline: sign of the outer piece",
    SplineOuterSign,
    Spline,
    "the sign of x is missing for -2 < x < -1",
)
add(
    "spline: pieces meet early",
    SplineInnerEnds,
    Spline,
    "the outer piece begins at 0.95 instead of at 1",
)


class Iterate(Function):
    """x halved until it is at most one."""

    domain = {"x": (0.01, 1000)}
    examples = [((),)]

    @staticmethod
    def forward(ctx, x):
        ctx.factor = 1.0
        while x > 1:
            x = x / 2
            ctx.factor /= 2
        return x

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor


class IterateBounded(Iterate):
    @staticmethod
    def backward(ctx, grad):
        return grad * max(ctx.factor, 2.0**-6)


add(
    "loop: at most six rounds",
    IterateBounded,
    Iterate,
    "backward knows six halvings at most: wrong for x > 64",
)


class Legendre(Function):
    """Legendre polynomials by recursion."""

    domain = {"x": (-0.99, 0.99)}
    examples = [((3,), {"n": 1}), ((3,), {"n": 2}), ((3,), {"n": 3}), ((3,), {"n": 4})]

    @staticmethod
    def forward(ctx, x, *, n):
        old, new = np.ones_like(x), x
        for k in range(1, n):
            old, new = new, ((2 * k + 1) * x * new - k * old) / (k + 1)
        ctx.save_for_backward(x, old, new)
        ctx.n = n
        return new

    @staticmethod
    def backward(ctx, grad):
        x, old, new = ctx.saved_tensors
        return grad * ctx.n * (old - x * new) / ((1 - x) * (1 + x))


class LegendreThree(Legendre):
    @staticmethod
    def backward(ctx, grad):
        x, old, new = ctx.saved_tensors
        if ctx.n == 3:
            return grad * (15 * x * x - 3)
        return grad * ctx.n * (old - x * new) / ((1 - x) * (1 + x))


add(
    "Legendre: degree three",
    LegendreThree,
    Legendre,
    "the special case n == 3 lacks its factor 1/2",
)


class Reduced(Function):
    """A loss with a reduction."""

    examples = [
        ((4,), {"reduction": "sum"}),
        ((4,), {"reduction": "mean"}),
        ((4,), {"reduction": "none"}),
    ]

    @staticmethod
    def forward(ctx, x, *, reduction="mean"):
        ctx.save_for_backward(x)
        ctx.reduction = reduction
        loss = x * x / 2
        return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / (x.size if ctx.reduction == "mean" else 1)


class ReducedNone(Reduced):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / (1 if ctx.reduction == "sum" else x.size)


add("reduction: none", ReducedNone, Reduced, "with reduction='none' the gradient is averaged too")


class SafeNormalise(Function):
    """x / max(|x|, 1e-6)."""

    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        r = np.maximum(np.sqrt((x * x).sum()), 1e-6)
        ctx.save_for_backward(x, r)
        return x / r

    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        if r <= 1e-6:
            return grad / r
        u = x / r
        return (grad - u * (u @ grad)) / r


class SafeNormaliseBelow(SafeNormalise):
    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        u = x / r
        return (grad - u * (u @ grad)) / r


add(
    "normalise: below the floor",
    SafeNormaliseBelow,
    SafeNormalise,
    "where the floor 1e-6 replaces the norm, the norm is still differentiated; right at "
    "the zero vector",
)
