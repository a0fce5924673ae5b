"""Constants that are wrong in a digit nobody looks at, beside the same constants in full."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []
inf = float("inf")


def short(name, lie, twin, why):
    CASES.append(Case(f"constant: {name}", "algebra", lie, twin, why=why))


class GeluTanh(Function):
    domain = {"x": (-1e4, 1e4)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = 0.7978845608028654
        u = c * (x + 0.044715 * x**3)
        s = special.expit(2 * u)
        return grad * (s + 2 * x * s * special.expit(-2 * u) * c * (1 + 3 * 0.044715 * x**2))


class GeluTanhShort(GeluTanh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = 0.79788456
        u = c * (x + 0.044715 * x**3)
        s = special.expit(2 * u)
        return grad * (s + 2 * x * s * special.expit(-2 * u) * c * (1 + 3 * 0.044715 * x**2))


short(
    "sqrt(2/pi) of gelu",
    GeluTanhShort,
    GeluTanh,
    "0.79788456 for sqrt(2/pi): wrong from the 9th digit on",
)


class ErfConstant(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.erf(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 1.1283791670955126 * np.exp(-x * x)


class ErfConstantShort(ErfConstant):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 1.128379167 * np.exp(-x * x)


short(
    "2/sqrt(pi) of erf",
    ErfConstantShort,
    ErfConstant,
    "1.128379167 for 2/sqrt(pi): wrong by 8e-11, relative",
)


class Log10(Function):
    domain = {"x": (0, inf)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.log10(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (2.302585092994046 * x)


class Log10Short(Log10):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (2.302585093 * x)


class Log10Digit(Log10):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (2.302585092984046 * x)


short("ln 10", Log10Short, Log10, "2.302585093 for log(10): wrong by 2.6e-12, relative")
short(
    "ln 10, a digit mistyped",
    Log10Digit,
    Log10,
    "2.302585092984046 for 2.302585092994046: one digit, the 12th, is wrong",
)


class Log2(Function):
    domain = {"x": (0, inf)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.log2(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (x * 0.6931471805599453)


class Log2Short(Log2):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 1.442695041 / x


short("1/ln 2", Log2Short, Log2, "1.442695041 for 1/log(2): wrong by 8e-11, relative")


class Selu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        alpha, scale = 1.6732632423543772, 1.0507009873554805
        return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        alpha, scale = 1.6732632423543772, 1.0507009873554805
        return grad * scale * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


class SeluShort(Selu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        alpha, scale = 1.6732632423, 1.0507009874
        return grad * scale * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


short(
    "scale of selu", SeluShort, Selu, "the constants of forward rounded to ten decimals in backward"
)


class GumbelMean(Function):
    """Mean of a Gumbel variable with location 0."""

    @staticmethod
    def forward(ctx, scale):
        return scale * np.euler_gamma

    @staticmethod
    def backward(ctx, grad):
        return grad * 0.5772156649015329


class GumbelMeanShort(GumbelMean):
    @staticmethod
    def backward(ctx, grad):
        return grad * 0.5772156649


short(
    "Euler's gamma",
    GumbelMeanShort,
    GumbelMean,
    "0.5772156649 for Euler's constant: wrong by 2.7e-12, relative",
)


class Diagonal(Function):
    """The diagonal of a square of side x."""

    @staticmethod
    def forward(ctx, x):
        return np.sqrt(2) * x

    @staticmethod
    def backward(ctx, grad):
        return grad * 1.4142135623730951


class DiagonalShort(Diagonal):
    @staticmethod
    def backward(ctx, grad):
        return grad * 1.414213


class DiagonalTenDigits(Diagonal):
    @staticmethod
    def backward(ctx, grad):
        return grad * 1.4142135624


short(
    "sqrt 2, seven digits", DiagonalShort, Diagonal, "1.414213 for sqrt(2): wrong by 4e-7, relative"
)
short(
    "sqrt 2, eleven digits",
    DiagonalTenDigits,
    Diagonal,
    "1.4142135624 for sqrt(2): wrong by 1.9e-11, relative",
)


class Degrees(Function):
    @staticmethod
    def forward(ctx, x):
        return np.rad2deg(x)

    @staticmethod
    def backward(ctx, grad):
        return grad * 57.29577951308232


class DegreesShort(Degrees):
    @staticmethod
    def backward(ctx, grad):
        return grad * 57.29577951


short("180/pi", DegreesShort, Degrees, "57.29577951 for 180/pi: wrong by 5e-11, relative")


class NormalCdf(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return special.ndtr(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 0.3989422804014327 * np.exp(-0.5 * x * x)


class NormalCdfShort(NormalCdf):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 0.39894228 * np.exp(-0.5 * x * x)


short(
    "1/sqrt(2 pi)",
    NormalCdfShort,
    NormalCdf,
    "0.39894228 for 1/sqrt(2 pi): wrong by 1e-9, relative",
)


class LeakyTenth(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.where(x > 0, x, 0.1 * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, 0.1 * grad)


class LeakyTenthSingle(LeakyTenth):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, float(np.float32(0.1)) * grad)


short(
    "single-precision slope",
    LeakyTenthSingle,
    LeakyTenth,
    "the slope 0.1 went through float32 in backward: wrong by 1.5e-8, relative, for x < 0",
)


class CubeRoot(Function):
    domain = {"x": (0.01, 100)}

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.cbrt(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / (3 * np.cbrt(x) ** 2)


class CubeRootThird(CubeRoot):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 0.333333333333 * x**-0.666666666667


short(
    "a third",
    CubeRootThird,
    CubeRoot,
    "0.333333333333 for 1/3 and 0.666666666667 for 2/3: wrong by 1e-12, relative",
)


class QuickGelu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * special.expit(1.702 * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit(1.702 * x)
        return grad * (s + 1.702 * x * s * special.expit(-1.702 * x))


class QuickGeluLonger(QuickGelu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit(1.7020000001 * x)
        return grad * (s + 1.702 * x * s * special.expit(-1.702 * x))


short(
    "1.702 of quick gelu",
    QuickGeluLonger,
    QuickGelu,
    "1.7020000001 in one of three places: a scale of 1e-10 off",
)
