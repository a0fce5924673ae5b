"""Smooth activations: terms of the product rule, parameters, chain factors."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []


class Sigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.expit(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(x) * special.expit(-x)


class SigmoidOfOutput(Sigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y = special.expit(special.expit(x))
        return grad * y * (1 - y)


CASES.append(
    Case(
        "sigmoid: applied twice",
        "algebra",
        SigmoidOfOutput,
        Sigmoid,
        why="backward takes the saved output for the input and applies sigmoid again",
    )
)


class Silu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * special.expit(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit(x)
        return grad * (s + x * s * special.expit(-x))


class SiluGateConstant(Silu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(x)


CASES.append(
    Case(
        "silu: gate taken as constant",
        "algebra",
        SiluGateConstant,
        Silu,
        why="the term x s (1 - s) is missing; right at 0",
    )
)


class Swish(Function):
    """x sigmoid(beta x), with a learned beta."""

    domain = {"x": (-1e3, 1e3), "beta": (-1e3, 1e3)}

    @staticmethod
    def forward(ctx, x, beta):
        ctx.save_for_backward(x, beta)
        return x * special.expit(beta * x)

    @staticmethod
    def backward(ctx, grad):
        x, beta = ctx.saved_tensors
        s = special.expit(beta * x)
        slope = s * special.expit(-beta * x)
        return unbroadcast(grad * (s + beta * x * slope), x.shape), unbroadcast(
            grad * x * x * slope, beta.shape
        )


class SwishBeta(Swish):
    @staticmethod
    def backward(ctx, grad):
        x, beta = ctx.saved_tensors
        s = special.expit(beta * x)
        slope = s * special.expit(-beta * x)
        return unbroadcast(grad * (s + beta * x * slope), x.shape), unbroadcast(
            grad * x * slope, beta.shape
        )


class SwishNoBeta(Swish):
    @staticmethod
    def backward(ctx, grad):
        x, beta = ctx.saved_tensors
        s = special.expit(beta * x)
        slope = s * special.expit(-beta * x)
        return unbroadcast(grad * (s + x * slope), x.shape), unbroadcast(
            grad * x * x * slope, beta.shape
        )


CASES += [
    Case(
        "swish: gradient of beta",
        "algebra",
        SwishBeta,
        Swish,
        why="x instead of x^2 in the gradient of beta",
    ),
    Case(
        "swish: beta forgotten",
        "algebra",
        SwishNoBeta,
        Swish,
        why="the inner derivative beta is missing; right at beta == 1",
    ),
]


class Gelu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * special.ndtr(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (special.ndtr(x) + x * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi))


class GeluNoDensity(Gelu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.ndtr(x)


class GeluQuick(Gelu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit(1.702 * x)
        return grad * (s + 1.702 * x * s * special.expit(-1.702 * x))


class GeluTanhBackward(Gelu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        x = np.clip(x, -50, 50)
        c = np.sqrt(2 / np.pi)
        t = np.tanh(c * (x + 0.044715 * x**3))
        return grad * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 0.134145 * x * x))


CASES += [
    Case(
        "gelu: density forgotten",
        "algebra",
        GeluNoDensity,
        Gelu,
        why="the term x phi(x) of the product rule is missing",
    ),
    Case(
        "gelu: sigmoid form in backward",
        "algebra",
        GeluQuick,
        Gelu,
        why="forward is exact, backward that of x sigmoid(1.702 x): off by up to 2e-2",
    ),
    Case(
        "gelu: tanh form in backward",
        "algebra",
        GeluTanhBackward,
        Gelu,
        why="forward is exact, backward that of the tanh approximation: off by up to 1e-3",
    ),
]


class GeluTanhForm(Function):
    domain = {"x": (-1e4, 1e4)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = np.sqrt(2 / np.pi)
        u = c * (x + 0.044715 * x**3)
        s = special.expit(2 * u)
        return grad * (s + 2 * x * s * special.expit(-2 * u) * c * (1 + 0.134145 * x**2))


class GeluTanhFormNoThree(GeluTanhForm):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = np.sqrt(2 / np.pi)
        u = c * (x + 0.044715 * x**3)
        s = special.expit(2 * u)
        return grad * (s + 2 * x * s * special.expit(-2 * u) * c * (1 + 0.044715 * x**2))


CASES.append(
    Case(
        "gelu, tanh form: three forgotten",
        "algebra",
        GeluTanhFormNoThree,
        GeluTanhForm,
        why="0.044715 x^2 instead of three times it in the inner derivative",
    )
)


class Mish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.tanh(np.logaddexp(0, x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        u = np.logaddexp(0, x)
        return grad * (np.tanh(u) + x * special.expit(x) / np.cosh(u) ** 2)


class MishNoSigmoid(Mish):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        u = np.logaddexp(0, x)
        return grad * (np.tanh(u) + x / np.cosh(u) ** 2)


CASES.append(
    Case(
        "mish: softplus not differentiated",
        "algebra",
        MishNoSigmoid,
        Mish,
        why="the inner derivative of softplus is missing; right at 0 and far to the right",
    )
)


class ScaledSoftplus(Function):
    """log(1 + exp(beta x)) / beta."""

    examples = [((4,), {"beta": 2.0}), ((4,), {"beta": 0.5})]

    @staticmethod
    def forward(ctx, x, *, beta=1.0):
        ctx.save_for_backward(x)
        ctx.beta = beta
        return np.logaddexp(0, beta * x) / beta

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(ctx.beta * x)


class ScaledSoftplusExtraBeta(ScaledSoftplus):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.beta * special.expit(ctx.beta * x)


class ScaledSoftplusNoBeta(ScaledSoftplus):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(x)


CASES += [
    Case(
        "softplus: beta not cancelled",
        "algebra",
        ScaledSoftplusExtraBeta,
        ScaledSoftplus,
        why="the chain factor beta does not cancel the 1/beta in front; right at beta == 1",
    ),
    Case(
        "softplus: beta ignored",
        "algebra",
        ScaledSoftplusNoBeta,
        ScaledSoftplus,
        why="backward ignores beta; right at beta == 1",
    ),
]


class LogSigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return -np.logaddexp(0, -x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(-x)


class LogSigmoidArgument(LogSigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(x)


CASES.append(
    Case(
        "logsigmoid: argument's sign",
        "algebra",
        LogSigmoidArgument,
        LogSigmoid,
        why="sigmoid(x) instead of sigmoid(-x); right at 0",
    )
)


class TanhShrink(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x - np.tanh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.tanh(x) ** 2


class TanhShrinkOne(TanhShrink):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (1 - np.tanh(x) ** 2)


CASES.append(
    Case(
        "tanhshrink: tanh's derivative",
        "algebra",
        TanhShrinkOne,
        TanhShrink,
        why="1 - tanh^2 is subtracted from nothing",
    )
)


class LogCosh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        a = np.abs(x)
        return a + np.log1p(np.exp(-2 * a)) - np.log(2)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.tanh(x)


class LogCoshSign(LogCosh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.tanh(np.abs(x))


CASES.append(
    Case(
        "logcosh: sign lost",
        "cells",
        LogCoshSign,
        LogCosh,
        why="tanh|x| instead of tanh(x): wrong for x < 0 only",
    )
)


class Elu(Function):
    examples = [((4,), {"alpha": 1.5}), ((), {})]

    @staticmethod
    def forward(ctx, x, *, alpha=1.0):
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x > 0, 1, ctx.alpha * np.exp(np.minimum(x, 0)))


class EluNoAlpha(Elu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x > 0, 1, np.exp(np.minimum(x, 0)))


class EluOutputPlusOne(Elu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        y = ctx.alpha * np.expm1(np.minimum(x, 0))
        return grad * np.where(x > 0, 1, y + 1)


CASES += [
    Case(
        "elu: alpha forgotten",
        "cells",
        EluNoAlpha,
        Elu,
        why="alpha is missing for x < 0; right at alpha == 1",
    ),
    Case(
        "elu: output plus one",
        "cells",
        EluOutputPlusOne,
        Elu,
        why="y + 1 instead of y + alpha for x < 0; right at alpha == 1, and far digits are lost",
    ),
]


class Celu(Function):
    examples = [((4,), {"alpha": 2.0})]

    @staticmethod
    def forward(ctx, x, *, alpha=1.0):
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(np.minimum(x, 0) / ctx.alpha)


class CeluLikeElu(Celu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x > 0, 1, ctx.alpha * np.exp(np.minimum(x, 0)))


CASES.append(
    Case(
        "celu: like elu",
        "cells",
        CeluLikeElu,
        Celu,
        why="alpha exp(x), elu's rule, instead of exp(x/alpha) for x < 0",
    )
)


class Glu(Function):
    examples = [((4,),), ((3, 6),)]

    @staticmethod
    def forward(ctx, x):
        a, b = np.split(x, 2, axis=-1)
        ctx.save_for_backward(a, b)
        return a * special.expit(b)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        s = special.expit(b)
        return np.concatenate([grad * s, grad * a * s * special.expit(-b)], axis=-1)


class GluHalvesExchanged(Glu):
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        s = special.expit(b)
        return np.concatenate([grad * a * s * special.expit(-b), grad * s], axis=-1)


CASES.append(
    Case(
        "glu: halves exchanged",
        "algebra",
        GluHalvesExchanged,
        Glu,
        why="the gradients of value and gate are concatenated in the wrong order",
    )
)
