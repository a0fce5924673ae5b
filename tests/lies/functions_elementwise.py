"""Algebra of one entry: signs, factors, chain factors, upstream gradients."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []
inf = float("inf")


class Sine(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(x)


class SineSign(Sine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * np.cos(x)


CASES.append(
    Case(
        "sine: sign",
        "algebra",
        SineSign,
        Sine,
        why="the sign of the cosine rule on the sine, everywhere",
    )
)


class Cosh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.cosh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.sinh(x)


class CoshLikeCos(Cosh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad * np.sinh(x)


CASES.append(
    Case(
        "cosh: minus sinh",
        "algebra",
        CoshLikeCos,
        Cosh,
        why="cosh differentiates to +sinh, not to -sinh as cos would suggest",
    )
)


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad


class SquareHalf(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return x * grad


class SquareOfUpstream(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad * grad


CASES += [
    Case(
        "square: factor two",
        "algebra",
        SquareHalf,
        Square,
        why="the factor 2 is missing, everywhere but at 0",
    ),
    Case(
        "square: upstream squared",
        "algebra",
        SquareOfUpstream,
        Square,
        why="right for an upstream gradient of 0 and 1 only",
    ),
]


class SineOfTriple(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(3 * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * np.cos(3 * x)


class SineOfTripleNoChain(SineOfTriple):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(3 * x)


CASES.append(
    Case(
        "sin 3x: chain factor",
        "algebra",
        SineOfTripleNoChain,
        SineOfTriple,
        why="the inner derivative 3 is missing",
    )
)


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


class ExpUpstreamDropped(Exp):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y.copy()


class ExpUpstreamOnes(Exp):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return np.ones_like(grad) * y


class ExpUpstreamFirstEntry(Exp):
    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return np.ravel(grad)[:1].sum() * y


CASES += [
    Case(
        "exp: upstream dropped",
        "algebra",
        ExpUpstreamDropped,
        Exp,
        why="the upstream gradient is not used at all",
    ),
    Case(
        "exp: upstream of ones",
        "algebra",
        ExpUpstreamOnes,
        Exp,
        why="ones_like(grad) where grad was meant",
    ),
    Case(
        "exp: upstream's first entry",
        "algebra",
        ExpUpstreamFirstEntry,
        Exp,
        why="every entry is multiplied by the first upstream entry: right for one entry, "
        "or equal ones",
    ),
]


class Arcsine(Function):
    domain = {"x": (-1, 1)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.arcsin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / np.sqrt((1 - x) * (1 + x))


class ArcsineNoRoot(Arcsine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / ((1 - x) * (1 + x))


CASES.append(
    Case(
        "arcsin: root forgotten",
        "algebra",
        ArcsineNoRoot,
        Arcsine,
        why="1/(1-x^2) instead of its square root; right at 0",
    )
)


class Arccosine(Function):
    domain = {"x": (-1, 1)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.arccos(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -grad / np.sqrt((1 - x) * (1 + x))


class ArccosineSign(Arccosine):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / np.sqrt((1 - x) * (1 + x))


CASES.append(
    Case(
        "arccos: sign",
        "algebra",
        ArccosineSign,
        Arccosine,
        why="copied from arcsin, the minus sign left out",
    )
)


class Arctanh(Function):
    domain = {"x": (-1, 1)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.arctanh(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / ((1 - x) * (1 + x))


class ArctanhLikeArctan(Arctanh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (1 + x * x)


CASES.append(
    Case(
        "arctanh: like arctan",
        "algebra",
        ArctanhLikeArctan,
        Arctanh,
        why="1/(1+x^2), which belongs to arctan; right at 0",
    )
)


class Erf(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.erf(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 / np.sqrt(np.pi) * np.exp(-x * x)


class ErfFactor(Erf):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.sqrt(2 / np.pi) * np.exp(-x * x)


class ErfHalfExponent(Erf):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 / np.sqrt(np.pi) * np.exp(-x * x / 2)


CASES += [
    Case(
        "erf: factor inside the root",
        "algebra",
        ErfFactor,
        Erf,
        why="sqrt(2/pi) instead of 2/sqrt(pi)",
    ),
    Case(
        "erf: normal density",
        "algebra",
        ErfHalfExponent,
        Erf,
        why="exp(-x^2/2) of the normal density instead of exp(-x^2); right at 0",
    ),
]


class GammaLn(Function):
    domain = {"x": (0.5, 100)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.gammaln(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.digamma(x)


class GammaLnTrigamma(GammaLn):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.polygamma(1, x)


class GammaLnShifted(GammaLn):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.digamma(x + 1)


CASES += [
    Case(
        "gammaln: trigamma",
        "algebra",
        GammaLnTrigamma,
        GammaLn,
        why="the second derivative polygamma(1, x) instead of digamma",
    ),
    Case(
        "gammaln: shifted",
        "algebra",
        GammaLnShifted,
        GammaLn,
        why="digamma(x + 1): Gamma(x + 1) and Gamma(x) confused",
    ),
]


class ReciprocalRoot(Function):
    domain = {"x": (0, inf)}

    @staticmethod
    def forward(ctx, x):
        y = 1 / np.sqrt(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return -0.5 * grad * y / x


class ReciprocalRootExponent(ReciprocalRoot):
    @staticmethod
    def backward(ctx, grad):
        _x, y = ctx.saved_tensors
        return -0.5 * grad * y


CASES.append(
    Case(
        "rsqrt: exponent",
        "algebra",
        ReciprocalRootExponent,
        ReciprocalRoot,
        why="-x^(-1/2)/2 instead of -x^(-3/2)/2; right at 1",
    )
)


class Logit(Function):
    domain = {"p": (0, 1)}

    @staticmethod
    def forward(ctx, p):
        ctx.save_for_backward(p)
        return np.log(p) - np.log1p(-p)

    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        return grad / (p * (1 - p))


class LogitSign(Logit):
    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        return grad / p - grad / (1 - p)


CASES.append(
    Case(
        "logit: inner sign",
        "algebra",
        LogitSign,
        Logit,
        why="1/p - 1/(1-p): the inner derivative -1 of log(1-p) is missing",
    )
)


class Softsign(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + np.abs(x))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (1 + np.abs(x)) ** 2


class SoftsignNotSquared(Softsign):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (1 + np.abs(x))


CASES.append(
    Case(
        "softsign: not squared",
        "algebra",
        SoftsignNotSquared,
        Softsign,
        why="1/(1+|x|) instead of its square; right at 0",
    )
)


class Horner(Function):
    """x^3 - 2 x^2 + 5 x - 7, by Horner's rule."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return ((x - 2) * x + 5) * x - 7

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((3 * x - 4) * x + 5)


class HornerCoefficient(Horner):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((3 * x - 2) * x + 5)


CASES.append(
    Case(
        "Horner: coefficient",
        "algebra",
        HornerCoefficient,
        Horner,
        why="the coefficient of x is -2 instead of -4; right at 0",
    )
)


class Gaussian(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.exp(-(x**2))
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return -2 * grad * x * y


class GaussianNoInner(Gaussian):
    @staticmethod
    def backward(ctx, grad):
        _x, y = ctx.saved_tensors
        return -2 * grad * y


CASES.append(
    Case(
        "Gaussian: x forgotten",
        "algebra",
        GaussianNoInner,
        Gaussian,
        why="the inner derivative -2x has lost its x; right at 1",
    )
)


class Radians(Function):
    @staticmethod
    def forward(ctx, x):
        return np.deg2rad(x)

    @staticmethod
    def backward(ctx, grad):
        return grad * (np.pi / 180)


class RadiansInverted(Radians):
    @staticmethod
    def backward(ctx, grad):
        return grad * (180 / np.pi)


CASES.append(
    Case(
        "deg2rad: inverted",
        "algebra",
        RadiansInverted,
        Radians,
        why="the factor 180/pi of the inverse function",
    )
)
