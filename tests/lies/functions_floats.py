"""The right formula in floats that lose its digits: cancellation, overflow, 0/0."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case
from .functions_activations import Sigmoid, Silu
from .functions_arguments import LogAddExp, unbroadcast

CASES: list[Case] = []
inf = float("inf")


def add(name, lie, twin, why):
    CASES.append(Case(name, "floats", lie, twin, why=why))


class SigmoidCancels(Sigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y = special.expit(x)
        return grad * y * (1 - y)


class SigmoidSaturates(Sigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(np.abs(x) > 30, 0.0, grad * special.expit(x) * special.expit(-x))


class SigmoidClipped(Sigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        x = np.clip(x, -20, 20)
        return grad * special.expit(x) * special.expit(-x)


class SigmoidOverflows(Sigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(x)
            return grad * e / (1 + e) ** 2


add(
    "sigmoid: y (1 - y)",
    SigmoidCancels,
    Sigmoid,
    "1 - y loses its digits for large x: 0 instead of 4e-18 at 40",
)
add("sigmoid: cut off", SigmoidSaturates, Sigmoid, "zero for |x| > 30, where the slope is 9e-14")
add(
    "sigmoid: argument clipped",
    SigmoidClipped,
    Sigmoid,
    "the argument is clipped to [-20, 20]: the slope stays at 2e-9 beyond",
)
add("sigmoid: overflow", SigmoidOverflows, Sigmoid, "inf/inf is NaN for x > 355")


class Tanh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.tanh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 4 * grad * special.expit(2 * x) * special.expit(-2 * x)


class TanhCancels(Tanh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (1 - np.tanh(x) ** 2)


class TanhOverflows(Tanh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            p, q = np.exp(x), np.exp(-x)
            return grad * (1 - ((p - q) / (p + q)) ** 2)


add("tanh: 1 - t^2", TanhCancels, Tanh, "1 - t^2 loses its digits: 0 instead of 8e-22 at 25")
add(
    "tanh: exponentials",
    TanhOverflows,
    Tanh,
    "inf/inf is NaN for |x| > 710, and digits are lost from 10 on",
)


class Expm1(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.expm1(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        return grad * np.exp(x)


class Expm1OutputPlusOne(Expm1):
    @staticmethod
    def backward(ctx, grad):
        _x, y = ctx.saved_tensors
        return grad * (y + 1)


add(
    "expm1: output plus one",
    Expm1OutputPlusOne,
    Expm1,
    "y + 1 cancels for x < -20: 0 instead of 4e-18 at -40",
)


class CoshMinusOne(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * np.sinh(x / 2) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.sinh(x)


class CoshMinusOneCancels(CoshMinusOne):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (np.exp(x) - np.exp(-x)) / 2


add(
    "sinh: difference of exponentials",
    CoshMinusOneCancels,
    CoshMinusOne,
    "exp(x) - exp(-x) cancels near 0",
)


class ExpIntegral(Function):
    """x + exp(-x) - 1 by its series near 0: the integral of -expm1(-x)."""

    domain = {"x": (-50, 1e6)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        s = np.where(np.abs(x) < 0.03, x, 0.0)
        series = (
            s
            * s
            * (
                1 / 2
                - s
                * (
                    1 / 6
                    - s
                    * (
                        1 / 24
                        - s
                        * (1 / 120 - s * (1 / 720 - s * (1 / 5040 - s * (1 / 40320 - s / 362880))))
                    )
                )
            )
        )
        return np.where(np.abs(x) < 0.03, series, x + np.expm1(-x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * np.expm1(-x)


class ExpIntegralCancels(ExpIntegral):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (1 - np.exp(-x))


add(
    "1 - exp(-x)",
    ExpIntegralCancels,
    ExpIntegral,
    "1 - exp(-x) loses its digits near 0, where -expm1(-x) keeps them",
)


class Softplus(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.logaddexp(0, x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        return grad * special.expit(x)


class SoftplusOverflows(Softplus):
    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            return grad * np.exp(x) / (1 + np.exp(x))


class SoftplusFromOutput(Softplus):
    @staticmethod
    def backward(ctx, grad):
        _x, y = ctx.saved_tensors
        return grad * (1 - np.exp(-y))


class SoftplusThreshold(Softplus):
    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        return grad * np.where(x > 10, 1.0, special.expit(x))


class SoftplusEps(Softplus):
    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        return grad / (1 + np.exp(-np.maximum(x, -700)) + 1e-8)


add("softplus: overflow", SoftplusOverflows, Softplus, "inf/inf is NaN for x > 710")
add(
    "softplus: from the output",
    SoftplusFromOutput,
    Softplus,
    "1 - exp(-y) cancels for x < -20: 0 at -40 instead of 4e-18",
)
add(
    "softplus: threshold of ten",
    SoftplusThreshold,
    Softplus,
    "slope 1 from 10 on, where it is 1 - 4.5e-5",
)
add(
    "softplus: eps in the denominator",
    SoftplusEps,
    Softplus,
    "1e-8 added to a denominator that is never zero",
)


class LogSigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        y = -np.logaddexp(0, -x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        return grad * special.expit(-x)


class LogSigmoidFromOutput(LogSigmoid):
    @staticmethod
    def backward(ctx, grad):
        _x, y = ctx.saved_tensors
        return grad * (1 - np.exp(y))


class LogSigmoidOverflows(LogSigmoid):
    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            return grad * np.exp(-x) / (1 + np.exp(-x))


add(
    "logsigmoid: from the output",
    LogSigmoidFromOutput,
    LogSigmoid,
    "1 - exp(y) cancels for x > 20: 0 at 40 instead of 4e-18",
)
add("logsigmoid: overflow", LogSigmoidOverflows, LogSigmoid, "inf/inf is NaN for x < -710")


class SiluOverflows(Silu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(-x)
            return grad * (1 + e + x * e) / (1 + e) ** 2


add("silu: overflow", SiluOverflows, Silu, "inf - inf over inf is NaN for x < -710")


class LogCosh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.logaddexp(x, -x) - np.log(2)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.tanh(x)


class LogCoshOverflows(LogCosh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            return grad * np.sinh(x) / np.cosh(x)


add("logcosh: sinh over cosh", LogCoshOverflows, LogCosh, "inf/inf is NaN for |x| > 710")


class LogAddExpOverflows(LogAddExp):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            p, q = np.exp(x), np.exp(y)
            return unbroadcast(grad * p / (p + q), x.shape), unbroadcast(
                grad * q / (p + q), y.shape
            )


add(
    "logaddexp: unshifted",
    LogAddExpOverflows,
    LogAddExp,
    "inf/inf is NaN for arguments above 710, 0/0 for both below -745",
)


class LogSumExp(Function):
    examples = [((3,),), ((1,),)]

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.logsumexp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.softmax(x)


class LogSumExpUnshifted(LogSumExp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            e = np.exp(x)
            return grad * e / e.sum()


add(
    "logsumexp: unshifted softmax",
    LogSumExpUnshifted,
    LogSumExp,
    "exp overflows for entries above 710",
)


class LogNormalCdf(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.log_ndtr(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        left = np.sqrt(2 / np.pi) / special.erfcx(-np.minimum(x, 0) / np.sqrt(2))
        right = (
            np.exp(-0.5 * np.maximum(x, 0) ** 2)
            / np.sqrt(2 * np.pi)
            / special.ndtr(np.maximum(x, 0))
        )
        return grad * np.where(x < 0, left, right)


class LogNormalCdfRatio(LogNormalCdf):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(invalid="ignore", divide="ignore"):
            return grad * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi) / special.ndtr(x)


add(
    "log of the normal cdf: ratio",
    LogNormalCdfRatio,
    LogNormalCdf,
    "0/0 for x < -39, where the derivative is about -x",
)


class GeluStable(Function):
    """gelu's tanh form, written with the logistic function."""

    domain = {"x": (-1e4, 1e4)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * special.expit(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = 2 * np.sqrt(2 / np.pi)
        u = c * (x + 0.044715 * x**3)
        return grad * special.expit(u) * (1 + x * special.expit(-u) * c * (1 + 0.134145 * x * x))


class GeluStableTanh(GeluStable):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = np.sqrt(2 / np.pi)
        t = np.tanh(c * (x + 0.044715 * x**3))
        return grad * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 0.134145 * x * x))


add(
    "gelu: 1 + tanh",
    GeluStableTanh,
    GeluStable,
    "1 + t cancels on the left: 0 instead of -1e-14 and the like beyond -6",
)


class Logistic(Function):
    """log(1 + exp(-m)), of a margin."""

    @staticmethod
    def forward(ctx, m):
        ctx.save_for_backward(m)
        return np.logaddexp(0, -m)

    @staticmethod
    def backward(ctx, grad):
        (m,) = ctx.saved_tensors
        return -grad * special.expit(-m)


class LogisticMinusOne(Logistic):
    @staticmethod
    def backward(ctx, grad):
        (m,) = ctx.saved_tensors
        return grad * (special.expit(m) - 1)


class LogisticProbabilityClipped(Logistic):
    @staticmethod
    def backward(ctx, grad):
        (m,) = ctx.saved_tensors
        return -grad * np.clip(special.expit(-m), 1e-15, 1 - 1e-15)


add("logistic loss: p - 1", LogisticMinusOne, Logistic, "expit(m) - 1 cancels for large margins")
add(
    "logistic loss: probability clipped",
    LogisticProbabilityClipped,
    Logistic,
    "probabilities are clipped to 1e-15: wrong for margins beyond 34.5",
)


class Log1mExp(Function):
    """log(1 - exp(-x)) for x > 0."""

    domain = {"x": (0, inf)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.where(x < 0.69, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(-x) / -np.expm1(-x)


class Log1mExpCancels(Log1mExp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(divide="ignore"):
            return grad * np.exp(-x) / (1 - np.exp(-x))


class Log1mExpOverflows(Log1mExp):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(x)
            return grad * (e / (e - 1) - 1)


add(
    "log(1 - exp(-x)): cancels",
    Log1mExpCancels,
    Log1mExp,
    "1 - exp(-x) loses its digits near 0 and divides by 0 below 1e-17",
)
add(
    "log(1 - exp(-x)): overflow",
    Log1mExpOverflows,
    Log1mExp,
    "inf/inf is NaN for x > 710, and a difference near 1 - 1 before",
)
