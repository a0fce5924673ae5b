"""Rules of one or two arguments that were wrong in releases of array libraries, each beside its right twin.

In plain NumPy; the twin is the rule as it was, or would be, mended. Some follow a report that can be read,
the others mistakes of the kind that releases had.
"""
# ruff: noqa: E501

import functools
import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"released: {name}", kind, lie, twin, options, why=why))


class BesselI0(Function):
    """As exp|x| times the scaled function, differentiated by the product rule."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(np.abs(x)) * special.i0e(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(np.abs(x)) * special.i1e(x)


class BesselI0One(BesselI0):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        scale = np.exp(np.abs(x))
        side = np.where(x >= 0, 1.0, -1.0)
        inner = special.i1e(x) - np.sign(x) * special.i0e(x)
        return grad * (scale * side * special.i0e(x) + scale * inner)


add(
    "i0: one at zero",
    "cells",
    BesselI0One,
    BesselI0,
    "slope 1 at 0, where the function is even and smooth",
)


class BesselI1(Function):
    @staticmethod
    def forward(ctx, x):
        y = special.i1(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        tiny = np.abs(x) < np.finfo(float).eps
        safe = np.where(tiny, 1.0, x)
        return grad * np.where(tiny, 0.5, special.i0(x) - y / safe)


class BesselI1Naive(BesselI1):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * (special.i0(x) - y / x)


add("i1: NaN at zero", "floats", BesselI1Naive, BesselI1, "0/0 at 0, where the slope is 1/2")


class Logit(Function):
    """torch.logit: the argument is clipped to [eps, 1 - eps]."""

    @staticmethod
    def forward(ctx, x, eps=1e-3):
        z = np.clip(x, eps, 1 - eps)
        ctx.save_for_backward(x)
        ctx.eps = eps
        return np.log(z / (1 - z))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        inside = (x >= ctx.eps) & (x <= 1 - ctx.eps)
        denominator = np.where(inside, x * (1 - x), 1)
        return np.where(inside, grad / denominator, 0)


class LogitUnmasked(Logit):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (x * (1 - x))


add(
    "logit: eps ignored",
    "cells",
    LogitUnmasked,
    Logit,
    "the clip is not differentiated: infinite at 0, not zero",
)


class MultivariateLogGamma(Function):
    domain = {"x": (1.5, math.inf)}

    @staticmethod
    def forward(ctx, x, p=3):
        ctx.save_for_backward(x)
        ctx.p = p
        out = np.full(np.shape(x), p * (p - 1) / 4 * math.log(math.pi))
        for j in range(p):
            out = out + special.gammaln(x - j / 2)
        return out

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.digamma(np.expand_dims(x, -1) - 0.5 * np.arange(ctx.p)).sum(-1)


class MultivariateLogGammaShifted(MultivariateLogGamma):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.digamma(np.expand_dims(x, -1) - 0.5 * np.arange(1, ctx.p)).sum(-1)


add(
    "mvlgamma: first term",
    "algebra",
    MultivariateLogGammaShifted,
    MultivariateLogGamma,
    "the range of the sum starts one late",
)


class Entropy(Function):
    """-x log x with entr(0) = 0."""

    domain = {"x": (0, math.inf)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.entr(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * (np.log(x) + 1)


class EntropyLog1p(Entropy):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * (np.log(x + 1e-8) + 1)


add(
    "entr: eps in the logarithm",
    "floats",
    EntropyLog1p,
    Entropy,
    "1e-8 in the logarithm: wrong for small probabilities",
)


class ErfcxScaled(Function):
    @staticmethod
    def forward(ctx, x):
        y = special.erfcx(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        big = x > 50
        z = np.where(big, x, 50.0)
        r = 1 / (z * z)
        tail = (
            -r / math.sqrt(math.pi) * (1 - 1.5 * r * (1 - 2.5 * r * (1 - 3.5 * r * (1 - 4.5 * r))))
        )
        return grad * np.where(big, tail, 2 * np.where(big, 0, x * y) - 2 / math.sqrt(math.pi))


class ErfcxCancels(ErfcxScaled):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return (2.0 * x * y - 2.0 / math.sqrt(math.pi)) * grad


add(
    "erfcx: cancels",
    "floats",
    ErfcxCancels,
    ErfcxScaled,
    "2 x y tends to 2/sqrt(pi): no digit is left beyond 1e8",
)


class Rsqrt(Function):
    @staticmethod
    def forward(ctx, x):
        if np.any(x <= 0):
            raise ValueError("x must be positive")
        y = 1.0 / np.sqrt(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return -0.5 * grad * y**3


class RsqrtInt(Rsqrt):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return (-1 // 2) * grad * y**3


add("rsqrt: integer half", "algebra", RsqrtInt, Rsqrt, "-1//2 is -1")


class Log2(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.log2(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(2))


class Log2Natural(Log2):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / x * math.log(2)


add(
    "log2: factor on the wrong side",
    "algebra",
    Log2Natural,
    Log2,
    "multiplied by log 2 instead of divided",
)


class Log1mExp(Function):
    """log(1 - exp(x)) for x < 0, as in pytensor."""

    domain = {"x": (-math.inf, 0)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        near = x > -math.log(2)
        return np.where(near, np.log(-np.expm1(np.where(near, x, -1))), np.log1p(-np.exp(x)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / -np.expm1(-x) * 1.0


class Log1mExpNaN(Log1mExp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        e = np.exp(x)
        return -grad * e / (1 - e)


add(
    "log1mexp: cancels",
    "floats",
    Log1mExpNaN,
    Log1mExp,
    "1 - exp(x) cancels near 0 and is 0 below 1e-17",
)


class XDivY(Function):
    """x / y, and 0 where x == 0 whatever y is."""

    @staticmethod
    def forward(ctx, x, y):
        x, y = np.broadcast_arrays(x, y)
        ctx.shapes = None
        ctx.save_for_backward(x, y)
        out = np.zeros(x.shape)
        np.divide(x, y, out=out, where=x != 0)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        nz = y != 0
        safe = np.where(nz, y, 1.0)
        return np.where(nz, grad / safe, 0.0), np.where(nz, -grad * x / safe**2, 0.0)


class XDivYSign(XDivY):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        nz = x != 0
        safe = np.where(nz, y, 1.0)
        return np.where(nz, grad / safe, 0.0), np.where(nz, -grad * x / safe**2, 0.0)


add(
    "xdivy: zero where x is zero",
    "cells",
    XDivYSign,
    XDivY,
    "the value is 0 at x == 0, but its slope in x is 1/y",
    examples=[((3,), (3,)), ((), ())],
)


class CopySign(Function):
    @staticmethod
    def forward(ctx, x, y):
        out = np.copysign(x, y)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, out = ctx.saved_tensors
        ratio = np.divide(out, x, out=np.zeros_like(out), where=x != 0)
        return grad * ratio, np.zeros_like(grad)


class CopySignNaN(CopySign):
    @staticmethod
    def backward(ctx, grad):
        x, out = ctx.saved_tensors
        return grad * (out / x), np.zeros_like(grad)


add(
    "copysign: NaN at zero",
    "floats",
    CopySignNaN,
    CopySign,
    "0/0 at x == 0",
    examples=[((4,), (4,))],
)


class FloatPower(Function):
    """x ** p for a Python number p."""

    @staticmethod
    def forward(ctx, x, p=2.0):
        ctx.save_for_backward(x)
        ctx.p = p
        return np.power(x, p)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if ctx.p == 0:
            return np.zeros_like(grad)
        return grad * ctx.p * np.power(x, ctx.p - 1)


class FloatPowerZero(FloatPower):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.p * np.power(x, ctx.p - 1)


add(
    "pow: exponent zero",
    "floats",
    FloatPowerZero,
    FloatPower,
    "0 * 0^-1 is NaN for p == 0 at x == 0",
    examples=[((3,), {"p": p}) for p in (0.0, 1.0, 2.0, 3.0)],
)


class SmoothL1(Function):
    @staticmethod
    def forward(ctx, x, t, beta=0.0):
        d = x - t
        ctx.save_for_backward(d)
        ctx.beta = beta
        a = np.abs(d)
        if beta == 0:
            return a.mean()
        return np.where(a < beta, 0.5 * d**2 / beta, a - 0.5 * beta).mean()

    @staticmethod
    def backward(ctx, grad):
        (d,) = ctx.saved_tensors
        g = np.sign(d) if ctx.beta == 0 else np.clip(d / ctx.beta, -1, 1)
        g = grad * g / d.size
        return g, -g


class SmoothL1NaN(SmoothL1):
    @staticmethod
    def backward(ctx, grad):
        (d,) = ctx.saved_tensors
        a = np.abs(d)
        g = np.where(a <= ctx.beta, d / np.float64(ctx.beta), np.sign(d))
        g = grad * g / d.size
        return g, -g


add(
    "smooth L1: beta zero",
    "floats",
    SmoothL1NaN,
    SmoothL1,
    "0/0 for beta == 0 where the two agree",
    examples=[((3,), (3,), {"beta": 0.0}), ((3,), (3,), {"beta": 0.5})],
)


class Hardswish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = grad.copy()
        out[x < -3] = 0
        middle = (x >= -3) & (x <= 3)
        out[middle] *= x[middle] / 3 + 0.5
        return out


class HardswishOverwrites(Hardswish):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = grad.copy()
        out[x < -3] = 0
        middle = (x > -3) & (x <= 3)
        out[middle] = x[middle] / 3 + 0.5
        return out


add(
    "hardswish: upstream overwritten",
    "algebra",
    HardswishOverwrites,
    Hardswish,
    "= for *= in the middle: the upstream gradient is lost",
)


def unbroadcast(grad, shape):
    extra = grad.ndim - len(shape)
    grad = grad.sum(axis=tuple(range(extra)))
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


class Hypot(Function):
    @staticmethod
    def forward(ctx, x, y):
        out = np.hypot(x, y)
        ctx.save_for_backward(x, y, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        w = np.divide(grad, r, out=np.zeros_like(r), where=r > 0)
        return unbroadcast(w * x, np.shape(x)), unbroadcast(w * y, np.shape(y))


def unbroadcast_hasty(grad, shape):
    extra = grad.ndim - len(shape)
    if extra:
        return grad.sum(axis=tuple(range(extra)))
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


class HypotHasty(Hypot):
    @staticmethod
    def backward(ctx, grad):
        x, y, r = ctx.saved_tensors
        w = np.divide(grad, r, out=np.zeros_like(r), where=r > 0)
        return unbroadcast_hasty(w * x, np.shape(x)), unbroadcast_hasty(w * y, np.shape(y))


add(
    "unbroadcast: returns early",
    "contract",
    HypotHasty,
    Hypot,
    "leading axes and axes of size 1 are never summed both",
)


class Clamp(Function):
    """With arrays for bounds; where they cross, the upper one wins."""

    @staticmethod
    def forward(ctx, x, lo, hi):
        ctx.save_for_backward(x, lo, hi)
        return np.minimum(np.maximum(x, lo), hi)

    @staticmethod
    def backward(ctx, grad):
        x, lo, hi = ctx.saved_tensors
        zero = np.zeros_like(grad)
        gx = np.where((x >= lo) & (x <= hi), grad, zero)
        glo = np.where((x < lo) & (lo <= hi), grad, zero)
        return gx, glo, grad - gx - glo


class ClampCrossed(Clamp):
    @staticmethod
    def backward(ctx, grad):
        x, lo, hi = ctx.saved_tensors
        zero = np.zeros_like(grad)
        gx = np.where((x >= lo) & (x <= hi), grad, zero)
        return gx, np.where(x < lo, grad, zero), np.where(x > hi, grad, zero)


add(
    "clamp: bounds crossed",
    "cells",
    ClampCrossed,
    Clamp,
    "where lo > hi the upper bound is the value, yet the lower gets the gradient",
    examples=[((3,), (3,), (3,))],
)


class WhereBroadcast(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.mask = a > 0
        ctx.shapes = a.shape, b.shape
        return np.where(ctx.mask, a * 2, b)

    @staticmethod
    def backward(ctx, grad):
        mask = np.broadcast_to(ctx.mask, grad.shape)
        sa, sb = ctx.shapes
        return unbroadcast(grad * 2 * mask, sa), unbroadcast(grad * ~mask, sb)


class WhereBroadcastMean(WhereBroadcast):
    @staticmethod
    def backward(ctx, grad):
        mask = np.broadcast_to(ctx.mask, grad.shape)
        sa, sb = ctx.shapes
        ga, gb = grad * 2 * mask, grad * ~mask
        return (ga if ga.shape == sa else ga.sum(0).reshape(sa)), unbroadcast(gb, sb)


add(
    "where: a row alone",
    "contract",
    WhereBroadcastMean,
    WhereBroadcast,
    "the sum over axis 0 is right for a row that was broadcast, not for a column",
    examples=[((2, 3), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 2))],
)


class AddCDiv(Function):
    """t + value a / b."""

    @staticmethod
    def forward(ctx, t, a, b, value=1.0):
        ctx.save_for_backward(a, b)
        ctx.value = value
        return t + value * a / b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        ga = grad * ctx.value / b
        return grad, ga, -ga * a / b


class AddCDivValue(AddCDiv):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad, grad * ctx.value / b, -grad * a / (b * b)


add(
    "addcdiv: value",
    "algebra",
    AddCDivValue,
    AddCDiv,
    "the factor is missing in the third gradient; right at its default",
    examples=[((3,), (3,), (3,), {"value": 1.0}), ((3,), (3,), (3,), {"value": 0.5})],
)


class LogSubExp(Function):
    """log(exp a - exp b) for a > b."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a + np.log1p(-np.exp(b - a))

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return -grad / np.expm1(b - a), -grad / np.expm1(a - b)


class LogSubExpNaive(LogSubExp):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        d = np.exp(a) - np.exp(b)
        return grad * np.exp(a) / d, -grad * np.exp(b) / d


add(
    "logsubexp: overflow",
    "floats",
    LogSubExpNaive,
    LogSubExp,
    "inf/inf for large arguments",
    examples=[((3,), (3,)), ((), ())],
)


class Threshold(Function):
    """Soft thresholding by sign and max, as in proximal solvers."""

    @staticmethod
    def forward(ctx, x, lam=0.5):
        ctx.save_for_backward(x)
        ctx.lam = lam
        return np.sign(x) * np.maximum(np.abs(x) - lam, 0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return [g if abs(v) > ctx.lam else 0.0 for v, g in zip(x, grad, strict=True)]


class ThresholdSign(Threshold):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return [g * np.sign(v) if abs(v) > ctx.lam else 0.0 for v, g in zip(x, grad, strict=True)]


add(
    "soft threshold: sign",
    "algebra",
    ThresholdSign,
    Threshold,
    "the sign's factor cancels against that of the absolute value",
    examples=[((4,),)],
)


def elementwise(slope):
    """A decorator's worth of Function from a value and a slope."""

    def make(value):
        class Rule(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return value(x)

            @staticmethod
            def backward(ctx, grad):
                (x,) = ctx.saved_tensors
                return np.multiply(grad, slope(x))

        Rule.__name__ = value.__name__
        return Rule

    return make


def bump(x):
    inside = np.abs(x) < 1
    safe = np.where(inside, x, 0)
    return np.where(inside, np.exp(-1 / (1 - safe * safe)), 0)


def bump_slope(x):
    inside = np.abs(x) < 1
    safe = np.where(inside, x, 0)
    u = 1 - safe * safe
    return np.where(inside, np.exp(-1 / u) * -2 * safe / u**2, 0)


def bump_slope_outside(x):
    u = 1 - x * x
    return np.exp(-1 / u) * -2 * x / u**2


add(
    "bump: outside",
    "cells",
    elementwise(bump_slope_outside)(bump),
    elementwise(bump_slope)(bump),
    "the mask is missing: wrong for |x| > 1, 0/0 at 1",
)


def squareplus(x, b=4.0):
    return 0.5 * (x + np.sqrt(x * x + b))


def squareplus_slope(x, b=4.0):
    r = np.sqrt(x * x + b)
    return np.where(x >= 0, 0.5 * (1 + x / r), 0.5 * b / (r * (r + np.abs(x))))


def squareplus_slope_cancels(x, b=4.0):
    return 0.5 * (1 + x / np.sqrt(x * x + b))


add(
    "squareplus: cancels",
    "floats",
    elementwise(squareplus_slope_cancels)(squareplus),
    elementwise(squareplus_slope)(squareplus),
    "1 + x/r cancels for large negative x",
)


def sqrt1pm1(x):
    return x / (np.sqrt(1 + x) + 1)


def rational_slope(x):
    r = np.sqrt(1 + x)
    return 0.5 / r


def rational_slope_quotient(x):
    r = np.sqrt(1 + x)
    return (r + 1 - x / r) / (r + 1) ** 2


add(
    "sqrt1pm1: quotient rule",
    "algebra",
    elementwise(rational_slope_quotient)(sqrt1pm1),
    elementwise(rational_slope)(sqrt1pm1),
    "the root's derivative has lost its half",
)


def expit_power(x, k=3):
    return special.expit(x) ** k


add(
    "power of a sigmoid: once",
    "algebra",
    elementwise(lambda x: 3 * special.expit(x) ** 2 * special.expit(-x))(expit_power),
    elementwise(lambda x: 3 * special.expit(x) ** 3 * special.expit(-x))(expit_power),
    "one factor of the sigmoid is missing",
)


def wrap_angle(x):
    return (x + np.pi) % (2 * np.pi) - np.pi


add(
    "wrapped angle: zero",
    "cells",
    elementwise(lambda x: np.where(np.abs(x) < np.pi, 1.0, 0.0))(wrap_angle),
    elementwise(np.ones_like)(wrap_angle),
    "no slope outside of (-pi, pi)",
)


def softplus_beta(x, beta=2.0, threshold=20.0):
    z = beta * x
    return np.where(z > threshold, x, np.log1p(np.exp(np.minimum(z, threshold))) / beta)


def softplus_beta_slope(x, beta=2.0, threshold=20.0):
    z = beta * x
    e = np.exp(np.minimum(z, threshold))
    return np.where(z > threshold, 1.0, e / (e + 1.0))


def softplus_beta_slope_unscaled(x, beta=2.0, threshold=20.0):
    e = np.exp(np.minimum(beta * x, threshold))
    return np.where(x > threshold, 1.0, e / (e + 1.0))


add(
    "softplus: threshold of the scaled input",
    "cells",
    elementwise(
        lambda x: np.where(
            2 * x > 20, 1.0, np.exp(np.minimum(x * 2, 20)) / (np.exp(np.minimum(x, 20)) + 1.0)
        )
    )(softplus_beta),
    elementwise(softplus_beta_slope)(softplus_beta),
    "beta is missing in the denominator",
)

add(
    "softplus: threshold of the input",
    "cells",
    elementwise(softplus_beta_slope_unscaled)(softplus_beta),
    elementwise(softplus_beta_slope)(softplus_beta),
    "between 10 and 20 forward is the line and the slope 1 - 2e-9",
)


class Sinusoid(Function):
    """Argument reduction in degrees."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(np.deg2rad(x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(np.deg2rad(x)) * (np.pi / 180)


class SinusoidRadians(Sinusoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(np.deg2rad(x))


add("sin in degrees: chain factor", "algebra", SinusoidRadians, Sinusoid, "pi/180 is missing")


class Scaled(Function):
    """A rule made by functools.partial, with the scale as a class attribute."""

    scale = 1.6732632423543772

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return Scaled.scale * np.where(x > 0, x, np.expm1(np.minimum(x, 0)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        slope = functools.partial(np.where, x > 0)
        return grad * Scaled.scale * slope(1.0, np.exp(np.minimum(x, 0)))


class ScaledOutput(Scaled):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x > 0, Scaled.scale, np.exp(x))


add(
    "scaled elu: scale for x < 0", "cells", ScaledOutput, Scaled, "the scale is missing on the left"
)


class GammaIncUpper(Function):
    """The regularised upper function; the first argument is a constant."""

    domain = {"x": (0, math.inf)}

    @staticmethod
    def forward(ctx, x, a=2.5):
        ctx.save_for_backward(x)
        ctx.a = a
        return special.gammaincc(a, x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * np.exp((ctx.a - 1) * np.log(x) - x - special.gammaln(ctx.a))


class GammaIncUpperSign(GammaIncUpper):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * np.exp(ctx.a * np.log(x) - x - special.gammaln(ctx.a))


add(
    "gammaincc: power",
    "algebra",
    GammaIncUpperSign,
    GammaIncUpper,
    "x^a for x^(a-1); right at x == 1",
)
