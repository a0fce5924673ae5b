"""Rules of reductions and of elementwise functions, wrong as users reported them, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

INF = math.inf
CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"reported: {name}", kind, lie, twin, options, why=why))


class Std(Function):
    @staticmethod
    def forward(ctx, x, axis=None, ddof=0, keepdims=False):
        ctx.save_for_backward(x)
        ctx.args = axis, ddof, keepdims
        return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        axis, ddof, keepdims = ctx.args
        if axis is not None and not keepdims:
            grad = np.expand_dims(grad, axis)
        n = x.size if axis is None else x.shape[axis]
        centred = x - x.mean(axis=axis, keepdims=True)
        std = np.sqrt(np.sum(centred**2, axis=axis, keepdims=True) / (n - ddof))
        return grad * centred / np.where(std == 0, 1.0, std * (n - ddof))


class StdPopulation(Std):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        axis, ddof, keepdims = ctx.args
        if axis is not None and not keepdims:
            grad = np.expand_dims(grad, axis)
        n = x.size if axis is None else x.shape[axis]
        centred = x - x.mean(axis=axis, keepdims=True)
        std = x.std(axis=axis, keepdims=True)
        return grad * centred / np.where(std == 0, 1.0, std * (n - ddof))


add(
    "std: ddof in one place",
    "algebra",
    StdPopulation,
    Std,
    "the sample's count outside, the population's deviation inside",
    examples=[((4,),), ((2, 3), {"axis": 1}), ((2, 3), {"axis": -1, "ddof": 1, "keepdims": True})],
)


class MaskedMean(Function):
    """The mean of what the mask leaves, along an axis; 0 where it leaves nothing."""

    @staticmethod
    def forward(ctx, x, mask=None, axis=0):
        ctx.mask, ctx.axis = mask, axis
        return np.sum(x * mask, axis=axis) / np.maximum(mask.sum(axis=axis), 1)

    @staticmethod
    def backward(ctx, grad):
        count = np.maximum(ctx.mask.sum(axis=ctx.axis), 1)
        return np.expand_dims(grad / count, ctx.axis) * ctx.mask


class MaskedMeanTotal(MaskedMean):
    @staticmethod
    def backward(ctx, grad):
        count = max(ctx.mask.sum() / grad.size, 1)
        return np.expand_dims(grad / count, ctx.axis) * ctx.mask


add(
    "nanmean: average count",
    "algebra",
    MaskedMeanTotal,
    MaskedMean,
    "one count for all rows: right where each row lost as many",
    examples=[
        ((2, 2), {"mask": np.array([[True, False], [False, True]])}),
        ((3, 2), {"mask": np.array([[True, True], [False, True], [False, True]])}),
    ],
)


class NormOrd(Function):
    """np.linalg.norm of a vector of any order, along an axis."""

    @staticmethod
    def forward(ctx, x, p=2, axis=-1):
        ctx.save_for_backward(x)
        ctx.p, ctx.axis = p, axis
        return np.sum(np.abs(x) ** p, axis=axis) ** (1 / p)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        p = ctx.p
        y = np.sum(np.abs(x) ** p, axis=ctx.axis, keepdims=True) ** (1 / p)
        return np.expand_dims(grad, ctx.axis) * np.sign(x) * np.abs(x) ** (p - 1) * y ** (1 - p)


class NormOrdSign(NormOrd):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        p = ctx.p
        y = np.sum(np.abs(x) ** p, axis=ctx.axis, keepdims=True) ** (1 / p)
        return np.expand_dims(grad, ctx.axis) * x ** (p - 1) * y ** (1 - p)


add(
    "norm: odd orders",
    "cells",
    NormOrdSign,
    NormOrd,
    "x^(p-1) has the sign of x for even p only",
    examples=[((3,), {"p": 2}), ((2, 2), {"p": 4, "axis": 0}), ((2,), {"p": 3})],
    domain={"x": lambda rng, shape: rng.choice([-1, 1], shape) * rng.uniform(0.3, 2, shape)},
)


class Ptp(Function):
    """The peak-to-peak range along the last axis."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.max(-1) - x.min(-1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros_like(x)
        rows = np.indices(grad.shape)
        out[(*rows, x.argmax(-1))] += grad
        out[(*rows, x.argmin(-1))] -= grad
        return out


class PtpTies(Ptp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        top, low = x == x.max(-1, keepdims=True), x == x.min(-1, keepdims=True)
        return grad[..., None] * (top / top.sum(-1, keepdims=True) - low)


add(
    "ptp: several minima",
    "cells",
    PtpTies,
    Ptp,
    "the maximum's gradient is shared among ties, the minimum's is given to each in full",
    examples=[((3,),), ((2, 3),)],
)


class Average(Function):
    """np.average with weights that are differentiated too."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return np.sum(x * w, -1) / np.sum(w, -1)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        total = w.sum(-1)
        g = grad / total
        mean = np.sum(x * w, -1) / total
        gx = g[..., None] * w
        gw = g[..., None] * (x - mean[..., None])
        while gw.ndim > w.ndim:
            gw = gw.sum(0)
        return gx, gw


class AverageLastRow(Average):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        gx, _ = Average.backward(ctx, grad)
        total = w.sum(-1)
        mean = np.sum(x * w, -1) / total
        gw = (grad / total)[..., None] * (x - np.mean(mean))
        return gx, gw if x.ndim == w.ndim else gw.sum(0)


add(
    "average: weights of several rows",
    "algebra",
    AverageLastRow,
    Average,
    "with shared weights each row is centred on the mean of all rows",
    examples=[((3,), (3,)), ((2, 3), (3,))],
    domain={"w": (0.1, 9)},
)


class CumLogSumExpReverse(Function):
    """log of the sums of exponentials from each entry to the end."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.array([special.logsumexp(x[i:]) for i in range(len(x))])

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = np.zeros_like(x)
        for i in range(len(x)):
            out[i:] += grad[i] * special.softmax(x[i:])
        return out


class CumLogSumExpShift(CumLogSumExpReverse):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        e = np.exp(x - x.max())  # one shift for all suffixes
        sums = np.cumsum(e[::-1])[::-1]
        return e * np.cumsum(grad / sums)


add(
    "logcumsumexp: one shift",
    "floats",
    CumLogSumExpShift,
    CumLogSumExpReverse,
    "a suffix far below the maximum underflows: 0/0",
    examples=[((3,),), ((1,),)],
)


class Prod(Function):
    @staticmethod
    def forward(ctx, x, axis=-1):
        ctx.save_for_backward(x)
        ctx.axis = axis
        return np.prod(x, axis=axis)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        moved = np.moveaxis(x, ctx.axis, -1)
        out = np.ones_like(moved)
        n = moved.shape[-1]
        for i in range(n):
            for j in range(n):
                if j != i:
                    out[..., i] = out[..., i] * moved[..., j]
        return np.moveaxis(out * grad[..., None], -1, ctx.axis)


class ProdOneZero(Prod):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        zero = x == 0
        safe = np.where(zero, 1.0, x)
        rest = np.prod(safe, axis=ctx.axis, keepdims=True)
        g = np.expand_dims(grad, ctx.axis)
        if not zero.any():
            return g * rest / x
        return g * np.where(zero, rest, 0.0)  # also where there are two zeros, or none in this row


add(
    "prod: zeros counted over all rows",
    "cells",
    ProdOneZero,
    Prod,
    "a zero in one row changes the other rows; two zeros in a row are taken for one",
    examples=[((3,),), ((2, 2),), ((2, 2), {"axis": 0})],
)


class BoxCox(Function):
    """(x^lam - 1)/lam, and log x at lam = 0."""

    @staticmethod
    def forward(ctx, x, lam):
        ctx.save_for_backward(x, lam)
        return np.log(x) if lam == 0 else np.expm1(lam * np.log(x)) / lam

    @staticmethod
    def backward(ctx, grad):
        x, lam = ctx.saved_tensors
        log = np.log(x)
        t = lam * log
        if np.abs(t) < 1e-3:
            slope = log**2 * (
                1 / 2 + t * (1 / 3 + t * (1 / 8 + t * (1 / 30 + t * (1 / 144 + t / 840))))
            )
        else:
            slope = (np.exp(t) * (t - 1) + 1) / lam**2
        return grad * np.exp((lam - 1) * log), grad * slope


class BoxCoxZero(BoxCox):
    @staticmethod
    def backward(ctx, grad):
        _x, lam = ctx.saved_tensors
        gx, gl = BoxCox.backward(ctx, grad)
        return gx, np.zeros_like(gl) if lam == 0 else gl


add(
    "box-cox: slope at lambda zero",
    "cells",
    BoxCoxZero,
    BoxCox,
    "at lambda = 0 the logarithm does not depend on lambda, so the branch gives 0",
    examples=[(1.5, 0.5), (2.0, 0.0)],
    domain={"x": (0.2, 9), "lam": (-2, 2)},
)


class Snake(Function):
    """x + sin^2(a x)/a, a for each channel."""

    @staticmethod
    def forward(ctx, x, a):
        ctx.save_for_backward(x, a)
        return x + np.sin(a * x) ** 2 / a

    @staticmethod
    def backward(ctx, grad):
        x, a = ctx.saved_tensors
        s2 = np.sin(2 * a * x)
        ga = grad * (x * s2 / a - np.sin(a * x) ** 2 / a**2)
        while ga.ndim > a.ndim:
            ga = ga.sum(0)
        return grad * (1 + s2), ga


class SnakeOneOverA(Snake):
    @staticmethod
    def backward(ctx, grad):
        x, a = ctx.saved_tensors
        s2 = np.sin(2 * a * x)
        ga = grad * (x * s2 / a - np.sin(a * x) ** 2 / a)
        while ga.ndim > a.ndim:
            ga = ga.sum(0)
        return grad * (1 + s2), ga


add(
    "snake: frequency",
    "algebra",
    SnakeOneOverA,
    Snake,
    "1/a is differentiated to 1/a: right at a = 1, where it starts",
    examples=[((2, 3), np.array([1.0, 1.0, 1.0])), ((2,), (2,))],
    domain={"a": (0.1, 9)},
)


class SignedPower(Function):
    @staticmethod
    def forward(ctx, x, p=2.0):
        ctx.save_for_backward(x)
        ctx.p = p
        return np.sign(x) * np.abs(x) ** p

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.p * np.abs(x) ** (ctx.p - 1)


class SignedPowerSign(SignedPower):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.p * np.sign(x) * np.abs(x) ** (ctx.p - 1)


add(
    "signed power: sign kept",
    "cells",
    SignedPowerSign,
    SignedPower,
    "an odd function has an even derivative",
    examples=[((),), ((3,), {"p": 1.5})],
)


class CubeRoot(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.cbrt(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (3 * np.cbrt(x) ** 2)


class CubeRootPower(CubeRoot):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / 3 * np.power(x, -2 / 3)


add(
    "cbrt: negative numbers",
    "floats",
    CubeRootPower,
    CubeRoot,
    "a fractional power of a negative number is NaN",
)


class Polygamma(Function):
    @staticmethod
    def forward(ctx, x, n=1):
        ctx.save_for_backward(x)
        ctx.n = n
        return special.polygamma(n, x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.polygamma(ctx.n + 1, x)


class PolygammaZeta(Polygamma):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        n = ctx.n
        return grad * (-1) ** n * math.factorial(n) * special.zeta(n + 2, x)


add(
    "polygamma: factorial",
    "algebra",
    PolygammaZeta,
    Polygamma,
    "n! for (n + 1)!: right for the digamma function only",
    examples=[((2,), {"n": 0}), ((2,), {"n": 2})],
    domain={"x": (0.1, 30)},
)


class Cubic(Function):
    """Keys' cubic interpolation kernel, a = -3/4."""

    @staticmethod
    def forward(ctx, x, a=-0.75):
        ctx.save_for_backward(x)
        ctx.a = a
        r = np.abs(x)
        near = ((a + 2) * r - (a + 3)) * r * r + 1
        far = ((a * r - 5 * a) * r + 8 * a) * r - 4 * a
        return np.where(r <= 1, near, np.where(r < 2, far, 0.0))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        a, r = ctx.a, np.abs(x)
        near = (3 * (a + 2) * r - 2 * (a + 3)) * r
        far = (3 * a * r - 10 * a) * r + 8 * a
        return grad * np.sign(x) * np.where(r <= 1, near, np.where(r < 2, far, 0.0))


class CubicHalf(Cubic):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        a, r = -0.5, np.abs(x)
        near = (3 * (ctx.a + 2) * r - 2 * (ctx.a + 3)) * r
        far = (3 * a * r - 10 * a) * r + 8 * a
        return grad * np.sign(x) * np.where(r <= 1, near, np.where(r < 2, far, 0.0))


add(
    "bicubic: coefficient of the outer piece",
    "cells",
    CubicHalf,
    Cubic,
    "beyond 1 the other convention's coefficient",
    examples=[((3,), {"a": -0.5}), ((3,), {"a": -0.75})],
)


class MinimumImage(Function):
    """A displacement wrapped into a periodic box whose length is differentiated too."""

    @staticmethod
    def forward(ctx, d, box):
        ctx.save_for_backward(d, box)
        return d - box * np.round(d / box)

    @staticmethod
    def backward(ctx, grad):
        d, box = ctx.saved_tensors
        return grad, -np.sum(grad * np.round(d / box)).reshape(np.shape(box))


class MinimumImageOnce(MinimumImage):
    @staticmethod
    def backward(ctx, grad):
        d, box = ctx.saved_tensors
        image = np.where(d > box / 2, 1.0, np.where(d < -box / 2, -1.0, 0.0))
        return grad, -np.sum(grad * image).reshape(np.shape(box))


add(
    "minimum image: further images",
    "cells",
    MinimumImageOnce,
    MinimumImage,
    "backward wraps once at most, forward as often as it takes",
    examples=[((2,), 1.5), ((), 2.0)],
    domain={"box": (1, 5), "d": (-20, 20)},
)
