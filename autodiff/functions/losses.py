"""Losses and layers of neural networks, by torch's names: compositions of Functions."""

# ruff: noqa: E731  (value, formula: lambdas in a class, one line each)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff._lazy import sp, special
from autodiff.function import Elementwise, Function, unbroadcast
from autodiff.functions._axes import reduced
from autodiff.functions._public import operand
from autodiff.functions.activation import log_softmax
from autodiff.functions.comparison import abs, clip, maximum, where
from autodiff.functions.exponential import exp, log
from autodiff.functions.indexing import getitem, plain_index
from autodiff.functions.norms import norm
from autodiff.functions.products import matmul
from autodiff.functions.reduction import mean, sum
from autodiff.functions.shape import moveaxis, swapaxes
from autodiff.tensor import Tensor

__all__ = [
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_similarity",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "linear",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pairwise_distance",
    "poisson_nll_loss",
    "rms_norm",
    "scaled_dot_product_attention",
    "smooth_l1_loss",
]


def _reduce(values: Any, reduction: str) -> Tensor:
    if reduction == "mean":
        return mean(values)
    if reduction == "sum":
        return sum(values)
    if reduction == "none":
        return values  # type: ignore[no-any-return]
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")


class MseLoss(Function):
    """The mean of squared differences, in one step."""

    examples = [
        ((), ()),
        ((3,), (3,)),
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2, 1), (2,)),
        ((2,), ()),
    ]

    @staticmethod
    def forward(ctx: Any, input: Any, target: Any) -> Any:
        ctx.shapes = input.shape, target.shape
        ctx.save_for_backward(input, target)
        difference = input - target
        return (difference * difference).sum() / math.prod(difference.shape)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        input, target = ctx.saved_tensors
        difference = input - target
        slope = grad * (2 / math.prod(difference.shape)) * difference
        first, second = ctx.needs_input_grad
        return (
            unbroadcast(slope, ctx.shapes[0]) if first else None,
            unbroadcast(-slope, ctx.shapes[1]) if second else None,
        )

    @staticmethod
    def formula(input: Any, target: Any) -> Any:
        squares = (np.asarray(input, dtype=object) - np.asarray(target, dtype=object)) ** 2
        return reduced(lambda entries: sp.Add(*entries) / len(entries), squares, None)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return the mean of squared differences.

    Parameters
    ----------
    input, target : Tensor
    reduction : {'mean', 'sum', 'none'}
    """
    input, target = operand(input), operand(target)
    real = input.dtype.kind == "f" and target.dtype.kind == "f"
    if reduction == "mean" and real and math.prod(input.shape) and math.prod(target.shape):
        return MseLoss.apply(input, target)  # type: ignore[no-any-return]
    return _reduce((input - target) ** 2, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return the mean of absolute differences (derivative 0 where they are 0)."""
    return _reduce(abs(operand(input) - target), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Return the mean of half squares up to `delta`, and of lines beyond."""
    difference = abs(operand(input) - target)
    inner = clip(difference, max=delta)
    return _reduce(inner * (difference - 0.5 * inner), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Return the Huber loss divided by `beta`."""
    if beta == 0:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, beta) / beta


def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Return the mean negative log-likelihood of classes.

    Parameters
    ----------
    input : Tensor
        Log-probabilities, of shape (C,) or (N, C, ...).
    target : Tensor of int
        Classes, of shape () or (N, ...).
    weight : Tensor, optional
        A weight for each class; the mean is then weighted.
    ignore_index : int, optional
        A class that does not count.
    reduction : {'mean', 'sum', 'none'}
    """
    return _of_classes(operand(input), target, weight, ignore_index, reduction, 0.0)


def _of_classes(
    scores: Tensor, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """The loss of classes, a part ``smoothing`` of it spread evenly over all of them."""
    classes = np.asarray(plain_index(target))
    if scores.ndim > 2:
        scores = moveaxis(scores, 1, -1)
    counted = classes != ignore_index
    chosen = np.where(counted, classes, 0)
    places = [
        np.expand_dims(np.arange(n), list(range(1, chosen.ndim - i)))
        for i, n in enumerate(chosen.shape)
    ]
    picked = -getitem(scores, (*places, chosen))
    counts: Any = counted.astype(scores.dtype)
    weights = counts if weight is None else operand(weight)[chosen] * counts
    losses = picked if weight is None and counted.all() else picked * weights
    if smoothing:
        spread = scores if weight is None else scores * operand(weight)
        every = -sum(spread, axis=-1) * counts / scores.shape[-1]
        losses = losses * (1 - smoothing) + every * smoothing
    if reduction == "mean" and not (weight is None and counted.all()):
        return sum(losses) / weights.sum()
    return _reduce(losses, reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the mean cross-entropy between logits and classes, or probabilities.

    Parameters
    ----------
    input : Tensor
        Logits, of shape (C,) or (N, C, ...).
    target : Tensor
        Classes (integers, of shape () or (N, ...)), or probabilities in the shape of `input`.
    weight : Tensor, optional
        A weight for each class.
    ignore_index : int, optional
        A class that does not count.
    reduction : {'mean', 'sum', 'none'}
    label_smoothing : float, optional
        How much of the probability is spread evenly over all classes.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.cross_entropy(ad.tensor([[0.0, 0.0]]), ad.tensor([1]))
    tensor(0.6931)
    """
    logits, wanted = operand(input), operand(target)
    axis = 0 if logits.ndim == 1 else 1
    scores = log_softmax(logits, axis)
    if wanted.dtype.kind not in "fc":
        return _of_classes(scores, wanted, weight, ignore_index, reduction, label_smoothing)
    if label_smoothing:
        wanted = wanted * (1 - label_smoothing) + label_smoothing / logits.shape[axis]
    if weight is not None:
        shape = [-1 if i == axis else 1 for i in range(logits.ndim)]
        scores = scores * operand(weight).reshape(*shape)
    losses = -sum(scores * wanted, axis=axis)
    return _reduce(losses, reduction)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Return the mean cross-entropy between probabilities; logarithms end at -100, as in torch."""
    p, t = operand(input), operand(target)
    losses = -(t * clip(log(p), min=-100) + (1 - t) * clip(log(1 - p), min=-100))
    return _reduce(losses if weight is None else losses * weight, reduction)


class LogitsCrossEntropy(Elementwise):
    """The cross-entropy between logits and probabilities, the positive part weighted."""

    value = lambda input, target, pos_weight: (
        pos_weight * target * np.logaddexp(0, -input) + (1 - target) * np.logaddexp(0, input)
    )
    partials = (
        lambda input, target, pos_weight: (
            (1 - target) * special.expit(input) - pos_weight * target * special.expit(-input)
        ),
        # The two logarithms differ by the logit, which their difference would round.
        lambda input, pos_weight: (pos_weight - 1) * np.logaddexp(0, -input) - input,
        lambda input, target: target * np.logaddexp(0, -input),
    )
    formula = lambda input, target, pos_weight: (
        pos_weight * target * sp.log(1 + sp.exp(-input)) + (1 - target) * sp.log(1 + sp.exp(input))
    )
    examples = [((), (), ()), ((3,), (3,), ()), ((2, 3), (3,), (3,))]


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """Return the mean cross-entropy between logits and probabilities, without overflow."""
    positive = 1 if pos_weight is None else operand(pos_weight)
    losses = LogitsCrossEntropy.apply(operand(input), operand(target), positive)
    return _reduce(losses if weight is None else losses * weight, reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Return the Kullback-Leibler divergence of log-probabilities from `target`.

    ``batchmean`` divides the sum by the length of the first axis.
    """
    scores, t = operand(input), operand(target)
    if log_target:
        losses = exp(t) * (t - scores)
    else:
        from autodiff.functions.special import xlogy

        losses = xlogy(t, t) - t * scores
    if reduction == "batchmean":
        return sum(losses) / scores.shape[0]
    return _reduce(losses, reduction)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """Return the mean of ``x`` where the target is 1, of ``max(0, margin - x)`` where it is -1."""
    x, t = operand(input), plain_index(target)
    return _reduce(where(t == 1, x, maximum(margin - x, 0.0)), reduction)


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean negative log-likelihood of normal distributions, without constants."""
    variance = clip(operand(var), min=eps)
    losses = 0.5 * (log(variance) + (operand(input) - target) ** 2 / variance)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return _reduce(losses, reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """Return the mean negative log-likelihood of Poisson distributions, without constants."""
    x, t = operand(input), operand(target)
    losses = exp(x) - t * x if log_input else x - t * log(x + eps)
    return _reduce(losses, reduction)


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """Return ``input @ weight.T + bias``."""
    out = matmul(input, swapaxes(weight, -1, -2) if operand(weight).ndim > 1 else weight)
    return out if bias is None else out + bias


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Return the input with mean 0 and variance 1 over its last axes, scaled and shifted.

    Parameters
    ----------
    input : Tensor
    normalized_shape : int or sequence of int
        The shape of the last axes.
    weight, bias : Tensor, optional
        Of that shape.
    eps : float, optional
        Added to the variance.
    """
    x = operand(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if x.shape[x.ndim - len(shape) :] != shape:
        raise RuntimeError(f"normalized_shape {shape} does not end the input's shape {x.shape}")
    return _normalized(x, tuple(range(x.ndim - len(shape), x.ndim)), weight, bias, eps)


def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Tensor:
    """Return the input divided by the root mean square over its last axes, scaled."""
    x = operand(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    out = x / (mean(x * x, axes, keepdims=True) + eps) ** 0.5
    return out if weight is None else out * weight


def batch_norm(input: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Return the input with mean 0 and variance 1 over all axes but the second, as in training."""
    x = operand(input)
    shape = [-1 if i == 1 else 1 for i in range(x.ndim)]
    axes = tuple([i for i in range(x.ndim) if i != 1])
    factor = None if weight is None else operand(weight).reshape(*shape)
    shift = None if bias is None else operand(bias).reshape(*shape)
    return _normalized(x, axes, factor, shift, eps)


def _normalized(x: Any, axes: tuple[int, ...], weight: Any, bias: Any, eps: float) -> Tensor:
    centred = x - mean(x, axes, keepdims=True)
    variance = mean(centred * centred, axes, keepdims=True)
    out = centred / (variance + eps) ** 0.5
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias  # type: ignore[no-any-return]


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return the input divided by its p-norms along an axis, or by `eps` where they are smaller."""
    x = operand(input)
    return x / maximum(norm(x, p, axis=dim, keepdims=True), eps)  # type: ignore[no-any-return]


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosines of the angles between vectors along an axis."""
    x, y = operand(x1), operand(x2)
    lengths = maximum(norm(x, axis=dim), eps) * maximum(norm(y, axis=dim), eps)
    return sum(x * y, axis=dim) / lengths


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6) -> Tensor:
    """Return the p-norms of differences along the last axis, to which `eps` is added."""
    return norm(operand(x1) - x2 + eps, p, axis=-1)


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, scale: float | None = None
) -> Tensor:
    """Return ``softmax(query @ key.T * scale) @ value``; the scale is 1 / sqrt(width) at first."""
    from autodiff.functions.activation import softmax

    q = operand(query)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    return matmul(softmax(matmul(q, swapaxes(key, -1, -2)) * scale, -1), value)


def one_hot(classes: Any, num_classes: int = -1) -> Tensor:
    """Return rows of an identity matrix, by class."""
    places = np.asarray(plain_index(classes))
    number = int(places.max()) + 1 if num_classes == -1 else num_classes
    return Tensor._make(np.eye(number, dtype=np.int64)[places], None)
