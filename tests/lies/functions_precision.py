"""Digits lost by shortcuts: eps, floors, thresholds, float32, finite differences, series."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast
from .functions_elementwise import Sine

CASES: list[Case] = []
inf = float("inf")


def add(name, lie, twin, why):
    CASES.append(Case(name, "floats", lie, twin, why=why))


class Sinc(Function):
    """sin(x)/x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        safe = np.where(x == 0, 1.0, x)
        return np.where(x == 0, 1.0, np.sin(safe) / safe)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.05
        safe = np.where(near, 1.0, x)
        t = np.where(near, x, 0.0)
        series = -t / 3 * (1 - t * t / 10 * (1 - t * t / 28 * (1 - t * t / 54)))
        return grad * np.where(near, series, (np.cos(safe) - np.sin(safe) / safe) / safe)


class SincCancels(Sinc):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        safe = np.where(x == 0, 1.0, x)
        return grad * np.where(x == 0, 0.0, (np.cos(safe) - np.sin(safe) / safe) / safe)


class SincNan(Sinc):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(invalid="ignore", divide="ignore"):
            return grad * (x * np.cos(x) - np.sin(x)) / (x * x)


class SincSeriesShort(Sinc):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.05
        safe = np.where(near, 1.0, x)
        return grad * np.where(near, -x / 3, (np.cos(safe) - np.sin(safe) / safe) / safe)


class SincSeriesCoefficient(Sinc):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.05
        safe = np.where(near, 1.0, x)
        t = np.where(near, x, 0.0)
        series = -t / 3 * (1 - t * t / 10 * (1 - t * t / 20))
        return grad * np.where(near, series, (np.cos(safe) - np.sin(safe) / safe) / safe)


add(
    "sinc: cancels near zero",
    SincCancels,
    Sinc,
    "two terms near 1/x cancel: few digits are left at 1e-5",
)
add("sinc: NaN at zero", SincNan, Sinc, "0/0 at 0, where the derivative is 0")
add(
    "sinc: series too short",
    SincSeriesShort,
    Sinc,
    "-x/3 up to 0.05: wrong by 2.5e-4, relative, at its end",
)
add(
    "sinc: a coefficient of the series",
    SincSeriesCoefficient,
    Sinc,
    "1/20 for 1/28 in the third term: wrong by 1e-8, relative, at 0.05",
)


class Rational(Function):
    """x^2 / (1 + x^2)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x / (1 + x * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x / (1 + x * x) ** 2


class RationalQuotientRule(Rational):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        d = 1 + x * x
        return grad * (2 * x * d - x * x * 2 * x) / (d * d)


add(
    "rational: quotient rule",
    RationalQuotientRule,
    Rational,
    "the two products of the quotient rule cancel for large x",
)


class PowerPositive(Function):
    """x^y for x >= 0 and y > 1, elementwise."""

    domain = {"x": (-1, 100), "y": (1, 5)}

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


class PowerOverBase(PowerPositive):
    @staticmethod
    def backward(ctx, grad):
        x, y, z = ctx.saved_tensors
        log = np.log(np.where(x > 0, x, 1.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            return unbroadcast(grad * y * z / x, x.shape), unbroadcast(grad * z * log, y.shape)


add("power: y z / x", PowerOverBase, PowerPositive, "0/0 at x == 0, where the gradient of x is 0")


class BernoulliFunction(Function):
    """x / (exp(x) - 1)."""

    domain = {"x": (-500, 500)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        safe = np.where(x == 0, 1.0, x)
        return np.where(x == 0, 1.0, safe / np.expm1(safe))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.05
        t = np.where(near, x, 0.0)
        q = t * t
        series = -0.5 + t / 6 * (1 - q / 30 * (1 - q / 28 * (1 - q / 30)))
        safe = np.where(near, 1.0, x)
        e = np.expm1(safe)
        return grad * np.where(near, series, (1 - safe / -np.expm1(-safe)) / e)


class BernoulliFunctionNan(BernoulliFunction):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(invalid="ignore", divide="ignore"):
            e = np.exp(x)
            return grad * (e - 1 - x * e) / (e - 1) ** 2


add(
    "x/(exp(x) - 1): NaN at zero",
    BernoulliFunctionNan,
    BernoulliFunction,
    "0/0 at 0, where the derivative is -1/2, and cancellation near it",
)


class SineSingle(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(x.astype(np.float32)).astype(np.float64)


class SineSinglePrecisionUpstream(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad.astype(np.float32).astype(np.float64) * np.cos(x)


class SineDifference(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        h = 1e-4
        return grad * (np.sin(x + h) - np.sin(x - h)) / (2 * h)


add("sine: input through float32", SineSingle, Sine, "the input is rounded to float32 on the way")
add(
    "sine: upstream through float32",
    SineSinglePrecisionUpstream,
    Sine,
    "the upstream gradient is rounded to float32",
)
add(
    "sine: finite difference",
    SineDifference,
    Sine,
    "a central difference with step 1e-4: wrong by 1.7e-9, relative",
)


class Log(Function):
    domain = {"x": (0, inf)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / x


class LogEps(Log):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (x + 1e-12)


class LogFloor(Log):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / np.maximum(x, 1e-7)


add("log: eps added", LogEps, Log, "1/(x + 1e-12): wrong for small x")
add("log: floor", LogFloor, Log, "1/max(x, 1e-7): wrong for x < 1e-7")


class Norm(Function):
    examples = [((3,),)]

    @staticmethod
    def forward(ctx, x):
        r = np.sqrt((x * x).sum())
        ctx.save_for_backward(x, r)
        return r

    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        return grad * x / np.where(r > 0, r, 1.0)


class NormEps(Norm):
    @staticmethod
    def backward(ctx, grad):
        x, r = ctx.saved_tensors
        return grad * x / (r + 1e-8)


add(
    "norm: eps added",
    NormEps,
    Norm,
    "x/(r + 1e-8) instead of a guard at 0: wrong for small vectors",
)


class RootOfSquare(Function):
    """sqrt(x^2 + 1e-8)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sqrt(x * x + 1e-8)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / np.sqrt(x * x + 1e-8)


class RootOfSquareOutside(RootOfSquare):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x / (np.abs(x) + 1e-4)


add(
    "sqrt(x^2 + eps): eps outside",
    RootOfSquareOutside,
    RootOfSquare,
    "|x| + sqrt(eps) is not sqrt(x^2 + eps)",
)


class CumSum(Function):
    examples = [((4,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return np.cumsum(x)

    @staticmethod
    def backward(ctx, grad):
        return np.cumsum(grad[::-1])[::-1].reshape(ctx.shape)


class CumSumByDifference(CumSum):
    @staticmethod
    def backward(ctx, grad):
        return (grad.sum() - np.cumsum(grad) + grad).reshape(ctx.shape)


add(
    "cumsum: total minus the sum so far",
    CumSumByDifference,
    CumSum,
    "for upstream gradients of mixed magnitude, as (1e20, 1), the small ones are lost in the large",
)
