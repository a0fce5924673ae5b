"""What torch's functions and methods mean in NumPy, on traced arrays: the table.

`TABLE` goes from a name to a function of arrays that takes torch's arguments. A function, the
method of that name and ``torch.linalg``'s or ``torch.special``'s are one row, and the in-place form
(``add_``) is made of it. To add a function, write what it means in NumPy, under `row`; where that
is one ufunc, a line in `_UFUNCS` does. Here are arithmetic, choice and reductions; the rest is in
:mod:`verify.adapters.torch_shapes`, `torch_linalg` and `torch_nn`, after torch's own parts.

May import: :mod:`symbolic`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy
from scipy import special

from symbolic.mask import decided
from symbolic.namespace import NUMPY
from symbolic.values import TraceError, user_line

__all__ = ["TABLE", "named", "norm", "row", "sizes"]

np: Any = NUMPY  # whose constructors make arrays that symbols can be assigned to
TABLE: dict[str, Callable[..., Any]] = {}
Extreme = namedtuple("Extreme", ["values", "indices"])


def named(name: str) -> str:
    """The row that a function's ``__name__`` stands for."""
    for prefix in ("linalg_", "special_"):
        name = name.removeprefix(prefix)
    return _ALIASES.get(name, name)


def row(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put a function into the table, under its own name without a trailing underscore."""
    TABLE[function.__name__.rstrip("_")] = function
    return function


_ALIASES = {
    "__add__": "add", "__radd__": "add", "__sub__": "sub", "__mul__": "mul", "__rmul__": "mul",
    "__truediv__": "div", "__pow__": "pow", "__matmul__": "matmul", "__neg__": "neg",
    "__and__": "bitwise_and", "__or__": "bitwise_or", "__xor__": "bitwise_xor",
    "__invert__": "bitwise_not", "__mod__": "remainder", "__floordiv__": "floor_divide",
    "__rsub__": "rsub", "__rpow__": "rpow", "__rdiv__": "rdiv", "__rtruediv__": "rdiv",
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "__gt__": "gt", "__lt__": "lt", "__ge__": "ge", "__le__": "le", "__eq__": "eq", "__ne__": "ne",
    "greater": "gt", "less": "lt", "greater_equal": "ge", "less_equal": "le", "not_equal": "ne",
    "negative": "neg", "absolute": "abs", "clip": "clamp", "permute_dims": "permute",
    "concat": "cat", "concatenate": "cat", "swapaxes": "transpose", "swapdims": "transpose",
    "moveaxis": "movedim", "inv": "inverse", "ger": "outer", "arccos": "acos", "arcsin": "asin",
    "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "psi": "digamma", "gammaln": "lgamma", "expit": "sigmoid",
    "log_sigmoid": "logsigmoid", "fix": "trunc", "unsafe_chunk": "chunk",
}  # fmt: skip

_UFUNCS: dict[str, Any] = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2,
    "log10": np.log10, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "sqrt": np.sqrt, "square": np.square, "reciprocal": np.reciprocal, "neg": np.negative,
    "positive": np.positive, "abs": np.abs, "sign": np.sign, "sgn": np.sign, "floor": np.floor,
    "ceil": np.ceil, "trunc": np.trunc, "deg2rad": np.deg2rad, "rad2deg": np.rad2deg,
    "sigmoid": special.expit, "logit": special.logit, "erf": special.erf, "erfc": special.erfc,
    "erfinv": special.erfinv, "erfcx": special.erfcx, "lgamma": special.gammaln,
    "digamma": special.digamma, "ndtr": special.ndtr, "log_ndtr": special.log_ndtr,
    "ndtri": special.ndtri, "i0": special.i0, "i0e": special.i0e, "i1": special.i1,
    "i1e": special.i1e, "bessel_j0": special.j0, "bessel_j1": special.j1, "entr": special.entr,
    "bessel_y0": special.y0, "bessel_y1": special.y1, "xlogy": special.xlogy,
    "xlog1py": special.xlog1py, "zeta": special.zeta, "gammainc": special.gammainc,
    "gammaincc": special.gammaincc, "mul": np.multiply, "atan2": np.arctan2,
    "maximum": np.maximum, "minimum": np.minimum, "fmax": np.fmax, "fmin": np.fmin,
    "hypot": np.hypot, "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2,
    "remainder": np.remainder, "fmod": np.fmod, "floor_divide": np.floor_divide,
    "gt": np.greater, "lt": np.less, "ge": np.greater_equal, "le": np.less_equal,
    "eq": np.equal, "ne": np.not_equal, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_not": np.logical_not, "logical_xor": np.logical_xor, "copysign": np.copysign,
    "matmul": np.matmul, "mm": np.matmul, "bmm": np.matmul, "mv": np.matmul, "signbit": np.signbit,
    "conj": np.conjugate, "sinc": np.sinc, "float_power": np.power, "heaviside": np.heaviside,
}  # fmt: skip


def _ufunc(ufunc: Any) -> Callable[..., Any]:
    def apply(*args: Any, **keywords: Any) -> Any:
        return ufunc(*args, *(keywords.values()))  # torch's `other=` is NumPy's second argument

    return apply


for _name, _found in _UFUNCS.items():
    TABLE[_name] = _ufunc(_found)


# Arithmetic


@row
def add(x: Any, other: Any, *, alpha: Any = 1) -> Any:
    return np.add(x, other if alpha == 1 else alpha * other)


@row
def sub(x: Any, other: Any, *, alpha: Any = 1) -> Any:
    return np.subtract(x, other if alpha == 1 else alpha * other)


@row
def rsub(x: Any, other: Any) -> Any:
    return np.subtract(other, x)


@row
def pow_(x: Any, exponent: Any) -> Any:
    return np.power(x, exponent)


@row
def rpow(x: Any, base: Any) -> Any:
    return np.power(base, x)


@row
def rdiv(x: Any, other: Any) -> Any:
    return np.true_divide(other, x)


@row
def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    found = np.true_divide(x, other)
    rounded = {None: np.positive, "floor": np.floor, "trunc": np.trunc}
    return found if rounding_mode is None else rounded[rounding_mode](found)


@row
def rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(x)


@row
def frac(x: Any) -> Any:
    return x - np.trunc(x)


@row
def round_(x: Any, *, decimals: int = 0) -> Any:
    return np.round(x, decimals)


@row
def addcmul(x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    return x + value * a * b


@row
def addcdiv(x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    return x + value * a / b


@row
def lerp(x: Any, end: Any, weight: Any) -> Any:
    return x + weight * (end - x)


@row
def polygamma(n: Any, x: Any) -> Any:
    return special.polygamma(n, x)


@row
def mvlgamma(x: Any, p: int) -> Any:
    return special.multigammaln(x, p)


@row
def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return np.clip(x, min, max)


@row
def clamp_min(x: Any, min: Any) -> Any:
    return np.maximum(x, min)


@row
def clamp_max(x: Any, max: Any) -> Any:
    return np.minimum(x, max)


@row
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@row
def bitwise_and(x: Any, other: Any) -> Any:
    return np.bitwise_and(x, other)


@row
def bitwise_or(x: Any, other: Any) -> Any:
    return np.bitwise_or(x, other)


@row
def bitwise_xor(x: Any, other: Any) -> Any:
    return np.bitwise_xor(x, other)


@row
def bitwise_not(x: Any) -> Any:
    return np.invert(x)


# Choice


@row
def where(condition: Any, *choices: Any) -> Any:
    return np.where(condition, *choices)


@row
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    return np.where(mask, value, x)


@row
def masked_select(x: Any, mask: Any) -> Any:
    x, mask = np.broadcast_arrays(x, mask)
    return x[mask]


@row
def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    found = np.nonzero(x != 0)
    return found if as_tuple else np.stack(found, axis=-1)


@row
def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return np.isclose(x, y, rtol, atol)


@row
def allclose(x: Any, y: Any, *args: Any, **kwargs: Any) -> bool:
    return bool(np.all(isclose(x, y, *args, **kwargs)))


@row
def equal(x: Any, y: Any) -> bool:
    return bool(np.array_equal(x, y))


# Reductions: dim for axis, keepdim for keepdims


def _axes(dim: Any) -> Any:
    return (
        tuple(dim)
        if isinstance(dim, (list, tuple)) and len(dim)
        else (None if dim == () or isinstance(dim, list) else dim)
    )


def _cast(x: Any, dtype: Any) -> Any:
    if dtype is None:
        return x.astype(np.int64) if x.dtype.kind in "b" else x
    return x.astype(dtype)


@row
def sum_(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    return np.sum(_cast(x, dtype), axis=_axes(dim), keepdims=keepdim)


@row
def mean(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    return np.mean(_cast(x, dtype), axis=_axes(dim), keepdims=keepdim)


@row
def prod(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    return np.prod(_cast(x, dtype), axis=dim, keepdims=keepdim)


def _correction(dim: Any, unbiased: Any, correction: Any) -> tuple[Any, int]:
    if isinstance(dim, bool):  # `var(x, False)`
        dim, unbiased = None, dim
    return _axes(dim), int(correction if correction is not None else unbiased is not False)


@row
def var(
    x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    axes, ddof = _correction(dim, unbiased, correction)
    return np.var(x, axis=axes, ddof=ddof, keepdims=keepdim)


@row
def std(
    x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    return np.sqrt(var(x, dim, unbiased, keepdim, correction=correction))


@row
def norm(
    x: Any,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    *,
    ord: Any = None,
    **kwargs: Any,
) -> Any:
    axes = _axes(dim)
    order = p if ord is None else ord
    if order in ("fro", None, 2):
        return np.sqrt(np.sum(x * x, axis=axes, keepdims=keepdim))
    if order == numpy.inf:
        return np.max(np.abs(x), axis=axes, keepdims=keepdim)
    return np.sum(np.abs(x) ** order, axis=axes, keepdims=keepdim) ** (1 / order)


@row
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
    return norm(x, ord, dim, keepdim)


def _extreme(best: Any, index: Any, pairwise: Any) -> Callable[..., Any]:
    def extreme(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return best(x)
        if not isinstance(dim, (int, numpy.integer)):
            return pairwise(x, dim)  # `torch.max(x, y)`
        indices = numpy.asarray(index(x, axis=dim))
        picked = np.take_along_axis(x, np.expand_dims(indices, dim), axis=dim)
        if keepdim:
            return Extreme(picked, decided(np.expand_dims(indices, dim)))
        return Extreme(np.squeeze(picked, axis=dim), decided(indices))

    return extreme


TABLE["max"] = _extreme(np.max, np.argmax, np.maximum)
TABLE["min"] = _extreme(np.min, np.argmin, np.minimum)


@row
def amax(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.max(x, axis=_axes(dim), keepdims=keepdim)


@row
def amin(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.min(x, axis=_axes(dim), keepdims=keepdim)


@row
def argmax(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.argmax(x, axis=dim, keepdims=keepdim)


@row
def argmin(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.argmin(x, axis=dim, keepdims=keepdim)


@row
def any_(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.any(x, axis=_axes(dim), keepdims=keepdim)


@row
def all_(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.all(x, axis=_axes(dim), keepdims=keepdim)


@row
def cumsum(x: Any, dim: int, *, dtype: Any = None) -> Any:
    return np.cumsum(_cast(x, dtype), axis=dim)


@row
def cumprod(x: Any, dim: int, *, dtype: Any = None) -> Any:
    return np.cumprod(_cast(x, dtype), axis=dim)


@row
def logsumexp(x: Any, dim: Any, keepdim: bool = False) -> Any:
    return special.logsumexp(x, axis=_axes(dim), keepdims=keepdim)


@row
def softmax(x: Any, dim: Any = None, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
    return special.softmax(_cast(x, dtype), axis=_last(dim))


@row
def log_softmax(x: Any, dim: Any = None, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
    return special.log_softmax(_cast(x, dtype), axis=_last(dim))


def _last(dim: Any) -> int:
    if dim is None:
        raise TraceError("softmax without dim, whose meaning torch has deprecated", user_line())
    return dim


@row
def sort(x: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    order = np.argsort(-x if descending else x, axis=dim, kind="stable")
    return Extreme(np.take_along_axis(x, numpy.asarray(order), axis=dim), decided(order))


@row
def argsort(x: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    return sort(x, dim, descending).indices


@row
def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    found = sort(x, dim, largest)
    return Extreme(*(np.take(part, numpy.arange(k), axis=dim) for part in found))


@row
def diff(x: Any, n: int = 1, dim: int = -1) -> Any:
    return np.diff(x, n, axis=dim)


@row
def count_nonzero(x: Any, dim: Any = None) -> Any:
    return np.sum(x != 0, axis=_axes(dim))


def sizes(size: tuple) -> tuple:
    """``*size``, which may also be given as one tuple."""
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
