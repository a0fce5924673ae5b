"""Right by other means: series, equal forms, digits honestly lost, forwards that fail."""

import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []
inf = float("inf")


def add(name, kind, subject, why, **options):
    CASES.append(trap(name, kind, subject, why, **options))


class SincSeries(Function):
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
        series = -t / 3 + t**3 / 30 - t**5 / 840 + t**7 / 45360
        return grad * np.where(near, series, (np.cos(safe) - np.sin(safe) / safe) / safe)


class LogOverX(Function):
    """log(1 + x)/x, its derivative by a series near 0."""

    domain = {"x": (-0.9, 100)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        safe = np.where(x == 0, 1.0, x)
        return np.where(x == 0, 1.0, np.log1p(safe) / safe)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        near = np.abs(x) < 0.01
        t = np.where(near, x, 0.0)
        series = 0.0
        for k in range(9, 0, -1):
            series = (-1) ** k * k / (k + 1) + t * series
        safe = np.where(near, 1.0, x)
        return grad * np.where(near, series, (1 / (1 + safe) - np.log1p(safe) / safe) / safe)


class MishSaturated(Function):
    """Beyond 20 the slope of mish is 1 to the last digit."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.tanh(np.logaddexp(0, x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        u = np.logaddexp(0, np.minimum(x, 25))
        slope = np.tanh(u) + x * special.expit(x) / np.cosh(u) ** 2
        return grad * np.where(x > 25, 1.0, slope)


add(
    "sinc: series near zero",
    "floats",
    SincSeries,
    "a Taylor polynomial for |x| < 0.05, right below rounding",
)
add(
    "log1p(x)/x: series by a loop",
    "floats",
    LogOverX,
    "nine terms of a series for |x| < 0.01, right below rounding",
)
add("mish: saturated", "floats", MishSaturated, "slope 1 for x > 25, right below rounding")


class SigmoidStable(Function):
    """By halves, as it is written without scipy."""

    @staticmethod
    def forward(ctx, x):
        e = np.exp(-np.abs(x))
        y = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        e = np.exp(-np.abs(x))
        return grad * e / (1 + e) ** 2


class SigmoidByTanh(Function):
    domain = {"x": (-20, 20)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.expit(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (4 * np.cosh(x / 2) ** 2)


class TanhByExponentials(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.tanh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        e = np.exp(-2 * np.abs(x))
        return grad * 4 * e / (1 + e) ** 2


class SoftplusByParts(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -grad * np.expm1(-y)


class SineByDoubleAngle(Function):
    """sin(x)^2, whose derivative is sin(2x)."""

    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(x) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.sin(2 * x)


class GaussianByExp2(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp2(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 0.6931471805599453 * np.exp(x * np.log(2))


class ArctanhBySquare(Function):
    """1/(1 - x^2): near 1 its digits are as uncertain as x itself."""

    domain = {"x": (-1, 1)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.arctanh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (1 - x * x)


class HonestLoss(Function):
    """Three or four digits are lost, honestly."""

    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x + np.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((1000 + np.cos(x)) - 998)


class TanhModerate(Function):
    """1 - t^2 on a domain where it loses a few digits only."""

    domain = {"x": (-4, 4)}

    @staticmethod
    def forward(ctx, x):
        y = np.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * (1 - y) * (1 + y)


class CubeRootAway(Function):
    """Two branches of one formula."""

    domain = {"x": (-100, 100)}

    @staticmethod
    def forward(ctx, x):
        if np.any(np.abs(x) < 1e-3):
            raise ValueError("too close to zero")
        y = np.where(x > 0, np.abs(x) ** (1 / 3), -(np.abs(x) ** (1 / 3)))
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.abs(x) ** (-2 / 3) / 3


add("sigmoid: by halves", "algebra", SigmoidStable, "exp(-|x|) on both sides, joined by where")
add("sigmoid: by cosh", "algebra", SigmoidByTanh, "1/(4 cosh(x/2)^2) is the same function")
add(
    "tanh: by exponentials",
    "algebra",
    TanhByExponentials,
    "4 e/(1 + e)^2 with e = exp(-2|x|) is the same function",
)
add(
    "softplus: from the output",
    "algebra",
    SoftplusByParts,
    "-expm1(-y) of the output keeps all digits",
)
add("sin^2: double angle", "algebra", SineByDoubleAngle, "sin(2x) for 2 sin(x) cos(x)")
add("exp2: by exp", "algebra", GaussianByExp2, "log(2) once as a float, once as np.log(2)")
add("arctanh: 1 - x^2", "floats", ArctanhBySquare, "digits lost near 1 are the uncertainty of x")
add(
    "a few digits lost",
    "floats",
    HonestLoss,
    "1e-13 of the gradient is lost by adding and subtracting 1000",
)
add(
    "tanh: moderate", "floats", TanhModerate, "1 - y loses three digits at 4, the end of its domain"
)
add(
    "cube root: away from zero",
    "cells",
    CubeRootAway,
    "forward raises near 0; elsewhere two branches of one formula",
)


class ExpOverflows(Function):
    @staticmethod
    def forward(ctx, x):
        with np.errstate(over="ignore"):
            y = np.exp(x * x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return 2 * grad * x * y


class RootRaises(Function):
    @staticmethod
    def forward(ctx, x):
        if np.any(x <= 0):
            raise ValueError("an argument is not positive")
        y = np.sqrt(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad / (2 * y)


class LogNan(Function):
    """No domain is declared: forward is NaN for x < 0."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(divide="ignore"):
            return grad / x


class MathExp(Function):
    """math.exp of a 0-d argument: it raises where it overflows."""

    examples = [((),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return math.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * math.exp(x)


add(
    "exp(x^2): overflows",
    "floats",
    ExpOverflows,
    "forward is infinite for |x| > 26.7: there backward is not judged",
)
add(
    "sqrt: raises outside",
    "cells",
    RootRaises,
    "forward raises for x <= 0 and no domain is declared",
)
add(
    "log: NaN outside",
    "cells",
    LogNan,
    "forward is NaN for x < 0 and -inf at 0, and no domain is declared",
)
add(
    "math.exp",
    "floats",
    MathExp,
    "math.exp of a 0-d argument raises OverflowError where it overflows",
)
