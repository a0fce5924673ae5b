"""Activations made of pieces: boundaries, slopes and masks in the wrong place."""

import numpy as np

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []


class LeakyRelu(Function):
    examples = [((4,), {"slope": 0.2}), ((2, 3), {})]

    @staticmethod
    def forward(ctx, x, *, slope=0.01):
        ctx.save_for_backward(x)
        ctx.slope = slope
        return np.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, ctx.slope * grad)


class LeakyReluDefaultSlope(LeakyRelu):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, 0.01 * grad)


class LeakyReluMaskOfUpstream(LeakyRelu):
    @staticmethod
    def backward(ctx, grad):
        return np.where(grad > 0, grad, ctx.slope * grad)


CASES += [
    Case(
        "leaky relu: default slope",
        "cells",
        LeakyReluDefaultSlope,
        LeakyRelu,
        why="backward uses the default slope, whatever forward was given",
    ),
    Case(
        "leaky relu: mask of the upstream",
        "cells",
        LeakyReluMaskOfUpstream,
        LeakyRelu,
        why="the sign of the upstream gradient is tested instead of that of the input",
    ),
]


class PRelu(Function):
    """Leaky relu with a learned slope."""

    examples = [((4,), ()), ((), ())]

    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x, slope)
        return np.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        wide = np.where(x > 0, grad, slope * grad), np.where(x > 0, 0, x * grad)
        return unbroadcast(wide[0], x.shape), unbroadcast(wide[1], slope.shape)


class PReluSlopeEverywhere(PRelu):
    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        wide = np.where(x > 0, grad, slope * grad), x * grad
        return unbroadcast(wide[0], x.shape), unbroadcast(wide[1], slope.shape)


CASES.append(
    Case(
        "prelu: slope's mask forgotten",
        "cells",
        PReluSlopeEverywhere,
        PRelu,
        why="positive inputs contribute to the gradient of the slope as well",
    )
)


class HardTanh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.clip(x, -1, 1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((x > -1) & (x < 1))


class HardTanhOneSided(HardTanh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x < 1)


class HardTanhWide(HardTanh):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((x > -1) & (x < 1.01))


CASES += [
    Case(
        "hardtanh: lower bound forgotten",
        "cells",
        HardTanhOneSided,
        HardTanh,
        why="the gradient is not stopped below -1",
    ),
    Case(
        "hardtanh: bound too wide",
        "cells",
        HardTanhWide,
        HardTanh,
        why="the mask ends at 1.01 instead of 1: wrong for 1 < x < 1.01 only",
    ),
]


class Relu6(Function):
    @staticmethod
    def forward(ctx, x):
        y = np.minimum(np.maximum(x, 0), 6)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where((x > 0) & (x < 6), grad, 0.0)


class Relu6NoUpper(Relu6):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(x > 0, grad, 0.0)


CASES.append(
    Case(
        "relu6: upper bound forgotten",
        "cells",
        Relu6NoUpper,
        Relu6,
        why="the gradient is not stopped above 6, which normal inputs never reach",
    )
)


class HardSwish(Function):
    """x relu6(x + 3) / 6."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x < -3, 0, np.where(x > 3, 1, (2 * x + 3) / 6))


class HardSwishFactor(HardSwish):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x < -3, 0, np.where(x > 3, 1, (x + 3) / 6))


class HardSwishBoundary(HardSwish):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(x < -3, 0, np.where(x > 2.5, 1, (2 * x + 3) / 6))


CASES += [
    Case(
        "hardswish: product rule",
        "cells",
        HardSwishFactor,
        HardSwish,
        why="(x + 3)/6 instead of (2x + 3)/6 between -3 and 3",
    ),
    Case(
        "hardswish: boundary",
        "cells",
        HardSwishBoundary,
        HardSwish,
        why="the upper branch begins at 2.5 instead of 3",
    ),
]


class HardSigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.clip(x / 6 + 0.5, 0, 1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(np.abs(x) < 3, grad / 6, 0.0)


class HardSigmoidOtherSlope(HardSigmoid):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return np.where(np.abs(x) < 2.5, 0.2 * grad, 0.0)


CASES.append(
    Case(
        "hardsigmoid: another library's",
        "cells",
        HardSigmoidOtherSlope,
        HardSigmoid,
        why="slope 0.2 and bound 2.5, another library's definition, against 1/6 and 3",
    )
)


class SoftShrink(Function):
    examples = [((5,), {"width": 0.5})]

    @staticmethod
    def forward(ctx, x, *, width=0.5):
        ctx.save_for_backward(x)
        ctx.width = width
        return np.sign(x) * np.maximum(np.abs(x) - width, 0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (np.abs(x) > ctx.width)


class SoftShrinkOneSided(SoftShrink):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x > ctx.width)


class SoftShrinkHalfWidth(SoftShrink):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (np.abs(x) > ctx.width / 2)


CASES += [
    Case(
        "softshrink: one-sided",
        "cells",
        SoftShrinkOneSided,
        SoftShrink,
        why="the absolute value is missing in the mask: wrong for x < -width",
    ),
    Case(
        "softshrink: half width",
        "cells",
        SoftShrinkHalfWidth,
        SoftShrink,
        why="the mask begins at half the width",
    ),
]


class Threshold(Function):
    """x above the threshold, a constant below."""

    @staticmethod
    def forward(ctx, x):
        y = np.where(x > 0.1, x, 20.0)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, _y = ctx.saved_tensors
        return grad * (x > 0.1)


class ThresholdMaskOfOutput(Threshold):
    @staticmethod
    def backward(ctx, grad):
        _x, y = ctx.saved_tensors
        return grad * (y > 0.1)


CASES.append(
    Case(
        "threshold: mask of the output",
        "cells",
        ThresholdMaskOfOutput,
        Threshold,
        why="the constant below the threshold passes the test meant for the input",
    )
)
