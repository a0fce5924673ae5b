"""torch.nn.functional: activations, losses and normalisations, as rows of the table.

May import: :mod:`symbolic`, :mod:`verify.adapters.torch_functions`.
"""

from __future__ import annotations

from typing import Any

import numpy
from scipy import special

from symbolic.namespace import NUMPY
from symbolic.values import TraceError, user_line
from verify.adapters.torch_functions import norm, row

np: Any = NUMPY


# Neural networks: torch.nn.functional


@row
def relu(x: Any, inplace: bool = False) -> Any:
    return np.maximum(x, 0)


@row
def relu6(x: Any, inplace: bool = False) -> Any:
    return np.clip(x, 0, 6)


@row
def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    return np.clip(x, min_val, max_val)


@row
def hardsigmoid(x: Any, inplace: bool = False) -> Any:
    return np.clip(x + 3, 0, 6) / 6


@row
def hardswish(x: Any, inplace: bool = False) -> Any:
    return x * np.clip(x + 3, 0, 6) / 6


@row
def leaky_relu(x: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return np.where(x > 0, x, negative_slope * x)


@row
def prelu(x: Any, weight: Any) -> Any:
    shape = (1, -1, *(1,) * (x.ndim - 2)) if weight.size > 1 else (1,) * x.ndim
    return np.where(x > 0, x, weight.reshape(shape) * x)


@row
def elu(x: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@row
def celu(x: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


@row
def selu(x: Any, inplace: bool = False) -> Any:
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return scale * elu(x, alpha)


@row
def silu(x: Any, inplace: bool = False) -> Any:
    return x * special.expit(x)


@row
def mish(x: Any, inplace: bool = False) -> Any:
    return x * np.tanh(np.logaddexp(0, x))


@row
def gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


@row
def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    # Linear above the threshold: an approximation of torch's that stays below the rounding.
    return np.where(beta * x > threshold, x, np.logaddexp(0, beta * x) / beta)


@row
def logsigmoid(x: Any) -> Any:
    return -np.logaddexp(0, -x)


@row
def softsign(x: Any) -> Any:
    return x / (1 + np.abs(x))


@row
def tanhshrink(x: Any) -> Any:
    return x - np.tanh(x)


@row
def hardshrink(x: Any, lambd: float = 0.5) -> Any:
    return np.where((x > lambd) | (x < -lambd), x, 0 * x)


@row
def softshrink(x: Any, lambd: float = 0.5) -> Any:
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0 * x))


@row
def threshold(x: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    return np.where(x > threshold, x, value)


@row
def dropout(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    if training and p:
        raise TraceError("dropout is random", user_line())
    return x


def _reduced(loss: Any, reduction: str) -> Any:
    return {"mean": np.mean, "sum": np.sum, "none": lambda v: v}[reduction](loss)


@row
def mse_loss(
    x: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    *,
    weight: Any = None,
) -> Any:
    return _reduced((x - target) ** 2, reduction)


@row
def l1_loss(
    x: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    *,
    weight: Any = None,
) -> Any:
    return _reduced(np.abs(x - target), reduction)


@row
def huber_loss(
    x: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    gap = np.abs(x - target)
    return _reduced(np.where(gap <= delta, gap**2 / 2, delta * (gap - delta / 2)), reduction)


@row
def smooth_l1_loss(
    x: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    gap = np.abs(x - target)
    return _reduced(np.where(gap < beta, gap**2 / (2 * beta), gap - beta / 2), reduction)


@row
def binary_cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    loss = -(special.xlogy(target, x) + special.xlog1py(1 - target, -x))
    return _reduced(loss if weight is None else weight * loss, reduction)


@row
def binary_cross_entropy_with_logits(
    x: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    positive = 1 if pos_weight is None else pos_weight
    loss = target * positive * np.logaddexp(0, -x) + (1 - target) * np.logaddexp(0, x)
    return _reduced(loss if weight is None else weight * loss, reduction)


@row
def nll_loss(
    x: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    if weight is not None or x.ndim > 2:
        raise TraceError("nll_loss with weights, or of more than two axes", user_line())
    target = numpy.asarray(target)
    keep = target != ignore_index
    picked = np.take_along_axis(x, np.where(keep, target, 0)[..., None].astype(int), axis=-1)[
        ..., 0
    ]
    loss = np.where(keep, -picked, 0.0)
    return np.sum(loss) / int(keep.sum()) if reduction == "mean" else _reduced(loss, reduction)


@row
def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    if label_smoothing or target.dtype.kind == "f":
        raise TraceError("cross_entropy of probabilities or smoothed labels", user_line())
    scores = special.log_softmax(x, axis=-1)
    return nll_loss(scores, target, weight, None, ignore_index, None, reduction)


@row
def kl_div(
    x: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    if log_target:
        loss = np.exp(target) * (target - x)
    else:
        loss = special.xlogy(target, target) - target * x
    return np.sum(loss) / x.shape[0] if reduction == "batchmean" else _reduced(loss, reduction)


@row
def layer_norm(
    x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    axes = tuple(range(-len(normalized_shape), 0))
    centred = x - np.mean(x, axis=axes, keepdims=True)
    found = centred / np.sqrt(np.mean(centred**2, axis=axes, keepdims=True) + eps)
    found = found if weight is None else found * weight
    return found if bias is None else found + bias


@row
def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    return x / np.maximum(norm(x, p, dim, True), eps)


@row
def cosine_similarity(x: Any, y: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    sizes = np.maximum(norm(x, 2, dim), eps) * np.maximum(norm(y, 2, dim), eps)
    return np.sum(x * y, axis=dim) / sizes
