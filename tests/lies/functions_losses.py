"""Losses: mean factors, directions, margins, terms taken as constants."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case
from .functions_arguments import unbroadcast

CASES: list[Case] = []
PAIR = [((4,), (4,)), ((2, 3), (2, 3))]


def add(name, kind, lie, twin, why):
    CASES.append(Case(name, kind, lie, twin, why=why))


class MeanSquaredError(Function):
    examples = PAIR

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("prediction and target differ in shape")
        ctx.save_for_backward(x, y)
        return ((x - y) ** 2).mean()

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        g = 2 * grad * (x - y) / x.size
        return g, -g


class MeanSquaredErrorSum(MeanSquaredError):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        g = 2 * grad * (x - y)
        return g, -g


class MeanSquaredErrorRows(MeanSquaredError):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        g = 2 * grad * (x - y) / len(x)
        return g, -g


class MeanSquaredErrorTarget(MeanSquaredError):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        g = 2 * grad * (x - y) / x.size
        return g, g


add(
    "mse: not averaged",
    "algebra",
    MeanSquaredErrorSum,
    MeanSquaredError,
    "the mean's 1/n is missing; right for one entry",
)
add(
    "mse: averaged over rows",
    "algebra",
    MeanSquaredErrorRows,
    MeanSquaredError,
    "divided by the number of rows; right for vectors",
)
add(
    "mse: target's sign",
    "algebra",
    MeanSquaredErrorTarget,
    MeanSquaredError,
    "the target gets the prediction's gradient",
)


class Huber(Function):
    examples = [((4,), {"delta": 1.5}), ((4,), {"delta": 1.0})]

    @staticmethod
    def forward(ctx, r, *, delta=1.0):
        ctx.save_for_backward(r)
        ctx.delta = delta
        a = np.abs(r)
        return np.where(a <= delta, 0.5 * r * r, delta * (a - 0.5 * delta))

    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.clip(r, -ctx.delta, ctx.delta)


class HuberUnitSlope(Huber):
    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.where(np.abs(r) <= ctx.delta, r, np.sign(r))


class HuberUnitBound(Huber):
    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.where(np.abs(r) <= 1, r, ctx.delta * np.sign(r))


add(
    "huber: slope of the tails",
    "cells",
    HuberUnitSlope,
    Huber,
    "slope 1 instead of delta in the tails; right at delta == 1",
)
add(
    "huber: bound",
    "cells",
    HuberUnitBound,
    Huber,
    "the tails begin at 1 instead of at delta; right at delta == 1",
)


class SmoothL1(Function):
    examples = [((4,), {"beta": 0.5}), ((4,), {"beta": 1.0})]

    @staticmethod
    def forward(ctx, r, *, beta=1.0):
        ctx.save_for_backward(r)
        ctx.beta = beta
        a = np.abs(r)
        return np.where(a < beta, 0.5 * r * r / beta, a - 0.5 * beta)

    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.clip(r / ctx.beta, -1, 1)


class SmoothL1NoBeta(SmoothL1):
    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.where(np.abs(r) < ctx.beta, r, np.sign(r))


add(
    "smooth L1: beta",
    "cells",
    SmoothL1NoBeta,
    SmoothL1,
    "r instead of r/beta in the middle; right at beta == 1",
)


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class CrossEntropy(Function):
    """Mean over the rows, with label smoothing."""

    examples = [((3, 4), {"target": [0, 2, 2], "smoothing": 0.1}), ((2, 2), {"target": [1, 0]})]

    @staticmethod
    def forward(ctx, x, *, target, smoothing=0.0):
        rows, classes = x.shape
        if rows != len(target) or max(target) >= classes:
            raise ValueError("one class in range for each row")
        wanted = np.full((rows, classes), smoothing / classes)
        wanted[np.arange(rows), target] += 1 - smoothing
        logp = log_softmax(x)
        ctx.save_for_backward(logp)
        ctx.wanted, ctx.target, ctx.smoothing = wanted, target, smoothing
        return -(wanted * logp).sum() / rows

    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        return grad * (np.exp(logp) - ctx.wanted) / len(logp)


class CrossEntropyNotAveraged(CrossEntropy):
    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        return grad * (np.exp(logp) - ctx.wanted)


class CrossEntropyHardLabels(CrossEntropy):
    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        g = np.exp(logp)
        g[np.arange(len(g)), ctx.target] -= 1
        return grad * g / len(logp)


class CrossEntropySmoothingLeft(CrossEntropy):
    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        g = np.exp(logp)
        g[np.arange(len(g)), ctx.target] -= 1 - ctx.smoothing
        return grad * g / len(logp)


add(
    "cross entropy: not averaged",
    "algebra",
    CrossEntropyNotAveraged,
    CrossEntropy,
    "the mean over the rows is missing",
)
add(
    "cross entropy: hard labels",
    "algebra",
    CrossEntropyHardLabels,
    CrossEntropy,
    "label smoothing is ignored in backward; right without smoothing",
)
add(
    "cross entropy: smoothing left out",
    "algebra",
    CrossEntropySmoothingLeft,
    CrossEntropy,
    "the smoothed mass of the other classes is left out",
)


class TemperatureCrossEntropy(Function):
    """Cross entropy of one row with the class 0, at a temperature."""

    examples = [((4,), {"temperature": 2.0}), ((3,), {"temperature": 0.5})]

    @staticmethod
    def forward(ctx, x, *, temperature):
        logp = log_softmax(x / temperature)
        ctx.save_for_backward(logp)
        ctx.temperature = temperature
        return -logp[0]

    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        g = np.exp(logp)
        g[0] -= 1
        return grad * g / ctx.temperature


class TemperatureForgotten(TemperatureCrossEntropy):
    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        g = np.exp(logp)
        g[0] -= 1
        return grad * g


class TemperatureTwice(TemperatureCrossEntropy):
    @staticmethod
    def backward(ctx, grad):
        (logp,) = ctx.saved_tensors
        g = np.exp(logp)
        g[0] -= 1
        return grad * g / ctx.temperature**2


add(
    "temperature: forgotten",
    "algebra",
    TemperatureForgotten,
    TemperatureCrossEntropy,
    "the chain factor 1/T is missing; right at T == 1",
)
add(
    "temperature: squared",
    "algebra",
    TemperatureTwice,
    TemperatureCrossEntropy,
    "1/T^2 where 1/T is due; right at T == 1",
)


class BinaryCrossEntropy(Function):
    """With logits."""

    examples = PAIR

    @staticmethod
    def forward(ctx, x, target):
        ctx.save_for_backward(x, target)
        return np.logaddexp(0, x) - target * x

    @staticmethod
    def backward(ctx, grad):
        x, target = ctx.saved_tensors
        return unbroadcast(grad * (special.expit(x) - target), x.shape), unbroadcast(
            -grad * x, target.shape
        )


class BinaryCrossEntropySlope(BinaryCrossEntropy):
    @staticmethod
    def backward(ctx, grad):
        x, target = ctx.saved_tensors
        s = special.expit(x)
        return unbroadcast(grad * (s - target) * s * special.expit(-x), x.shape), unbroadcast(
            -grad * x, target.shape
        )


add(
    "bce with logits: sigmoid twice",
    "algebra",
    BinaryCrossEntropySlope,
    BinaryCrossEntropy,
    "the slope of the sigmoid is multiplied in though it has cancelled",
)


class Focal(Function):
    """-(1 - p)^gamma log p, for p in (0, 1)."""

    domain = {"p": (0.01, 0.99)}
    examples = [((4,), {"gamma": 2.0})]

    @staticmethod
    def forward(ctx, p, *, gamma=2.0):
        ctx.save_for_backward(p)
        ctx.gamma = gamma
        return -((1 - p) ** gamma) * np.log(p)

    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        q = 1 - p
        return grad * q ** (ctx.gamma - 1) * (ctx.gamma * np.log(p) - q / p)


class FocalWeightConstant(Focal):
    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        return -grad * (1 - p) ** ctx.gamma / p


class FocalInnerSign(Focal):
    @staticmethod
    def backward(ctx, grad):
        (p,) = ctx.saved_tensors
        q = 1 - p
        return grad * q ** (ctx.gamma - 1) * (-ctx.gamma * np.log(p) - q / p)


add(
    "focal loss: weight taken as constant",
    "algebra",
    FocalWeightConstant,
    Focal,
    "the modulating factor is not differentiated",
)
add(
    "focal loss: inner sign",
    "algebra",
    FocalInnerSign,
    Focal,
    "the inner derivative -1 of 1 - p is missing",
)


class Quantile(Function):
    """The pinball loss."""

    examples = [((4,), {"tau": 0.9})]

    @staticmethod
    def forward(ctx, r, *, tau):
        ctx.save_for_backward(r)
        ctx.tau = tau
        return np.maximum(tau * r, (tau - 1) * r)

    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.where(r > 0, ctx.tau, ctx.tau - 1)


class QuantileExchanged(Quantile):
    @staticmethod
    def backward(ctx, grad):
        (r,) = ctx.saved_tensors
        return grad * np.where(r > 0, 1 - ctx.tau, -ctx.tau)


add(
    "pinball: quantile exchanged",
    "cells",
    QuantileExchanged,
    Quantile,
    "1 - tau where tau is meant; right at tau == 1/2",
)


class KullbackLeibler(Function):
    """KL(softmax(x) || softmax(y))."""

    examples = [((3,), (3,))]

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two distributions over the same classes are expected")
        logp, logq = log_softmax(x), log_softmax(y)
        value = (np.exp(logp) * (logp - logq)).sum()
        ctx.save_for_backward(logp, logq, value)
        return value

    @staticmethod
    def backward(ctx, grad):
        logp, logq, value = ctx.saved_tensors
        p = np.exp(logp)
        return grad * p * (logp - logq - value), grad * (np.exp(logq) - p)


class KullbackLeiblerReversed(KullbackLeibler):
    @staticmethod
    def backward(ctx, grad):
        logp, logq, _value = ctx.saved_tensors
        p, q = np.exp(logp), np.exp(logq)
        return grad * (p - q), grad * q * (logq - logp - (q * (logq - logp)).sum())


class KullbackLeiblerNoValue(KullbackLeibler):
    @staticmethod
    def backward(ctx, grad):
        logp, logq, _value = ctx.saved_tensors
        p = np.exp(logp)
        return grad * p * (logp - logq), grad * (np.exp(logq) - p)


add(
    "KL: direction",
    "algebra",
    KullbackLeiblerReversed,
    KullbackLeibler,
    "the gradients of KL(q || p); right where p == q",
)
add(
    "KL: not centred",
    "algebra",
    KullbackLeiblerNoValue,
    KullbackLeibler,
    "the softmax's normalisation is not differentiated in the first argument",
)


class Hinge(Function):
    examples = PAIR

    @staticmethod
    def forward(ctx, score, label):
        ctx.save_for_backward(score, label)
        return np.maximum(0, 1 - label * score)

    @staticmethod
    def backward(ctx, grad):
        score, label = ctx.saved_tensors
        g = np.where(label * score < 1, -grad, 0.0)
        return unbroadcast(g * label, score.shape), unbroadcast(g * score, label.shape)


class HingePerceptron(Hinge):
    @staticmethod
    def backward(ctx, grad):
        score, label = ctx.saved_tensors
        g = np.where(label * score < 0, -grad, 0.0)
        return unbroadcast(g * label, score.shape), unbroadcast(g * score, label.shape)


add(
    "hinge: margin forgotten",
    "cells",
    HingePerceptron,
    Hinge,
    "the perceptron's mask: right answers within the margin get no gradient",
)


class Triplet(Function):
    """max(0, |a - p|^2 - |a - n|^2 + margin)."""

    examples = [((2,), (2,), (2,))]

    @staticmethod
    def forward(ctx, a, p, n):
        if not a.shape == p.shape == n.shape:
            raise ValueError("three vectors of one length are expected")
        ctx.save_for_backward(a, p, n)
        return np.maximum(((a - p) ** 2).sum() - ((a - n) ** 2).sum() + 0.5, 0)

    @staticmethod
    def backward(ctx, grad):
        a, p, n = ctx.saved_tensors
        active = ((a - p) ** 2).sum() - ((a - n) ** 2).sum() + 0.5 > 0
        g = 2 * grad * active
        return g * (n - p), g * (p - a), g * (a - n)


class TripletAnchor(Triplet):
    @staticmethod
    def backward(ctx, grad):
        a, p, n = ctx.saved_tensors
        active = ((a - p) ** 2).sum() - ((a - n) ** 2).sum() + 0.5 > 0
        g = 2 * grad * active
        return g * (a - p), g * (p - a), g * (a - n)


class TripletNoMargin(Triplet):
    @staticmethod
    def backward(ctx, grad):
        a, p, n = ctx.saved_tensors
        active = ((a - p) ** 2).sum() - ((a - n) ** 2).sum() > 0
        g = 2 * grad * active
        return g * (n - p), g * (p - a), g * (a - n)


add(
    "triplet: anchor",
    "algebra",
    TripletAnchor,
    Triplet,
    "the anchor's second path, through the negative, is missing",
)
add("triplet: margin", "cells", TripletNoMargin, Triplet, "the mask leaves out the margin")


class Dice(Function):
    """1 - 2 (x . y) / (sum x + sum y)."""

    examples = [((3,), (3,))]
    domain = {"x": (0.05, 1), "y": (0.05, 1)}

    @staticmethod
    def forward(ctx, x, y):
        if x.shape != y.shape:
            raise ValueError("two masks of one shape are expected")
        ctx.save_for_backward(x, y)
        return 1 - 2 * (x * y).sum() / (x.sum() + y.sum())

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        both, total = (x * y).sum(), x.sum() + y.sum()
        return 2 * grad * (both / total - y) / total, 2 * grad * (both / total - x) / total


class DiceDenominator(Dice):
    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        total = x.sum() + y.sum()
        return -2 * grad * y / total, -2 * grad * x / total


add("dice: denominator", "algebra", DiceDenominator, Dice, "the denominator is taken as a constant")


class GaussianNll(Function):
    """Half of log(v) + r^2 / v."""

    domain = {"v": (0.1, 100), "r": (-100, 100)}

    @staticmethod
    def forward(ctx, r, v):
        ctx.save_for_backward(r, v)
        return 0.5 * (np.log(v) + r * r / v)

    @staticmethod
    def backward(ctx, grad):
        r, v = ctx.saved_tensors
        return unbroadcast(grad * r / v, r.shape), unbroadcast(
            0.5 * grad * (1 - r * r / v) / v, v.shape
        )


class GaussianNllHalf(GaussianNll):
    @staticmethod
    def backward(ctx, grad):
        r, v = ctx.saved_tensors
        return unbroadcast(grad * r / v, r.shape), unbroadcast(
            grad * (0.5 - r * r / v) / v, v.shape
        )


add(
    "gaussian nll: half",
    "algebra",
    GaussianNllHalf,
    GaussianNll,
    "the 1/2 of the quadratic term is lost in the variance's gradient",
)
