"""What torch's functions and methods mean in NumPy, on traced arrays.

`TABLE` goes from a name to a function of arrays that takes torch's arguments. A function, the
method of that name and ``torch.linalg``'s or ``torch.special``'s are one row, and the in-place form
(``add_``) is made of it. To add a function, write what it means in NumPy, under `row`; where that
is one ufunc, a line in `_UFUNCS` does.

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

__all__ = ["TABLE", "named", "row"]

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


# Shapes


def _sizes(size: tuple) -> tuple:
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


@row
def view(x: Any, *size: Any) -> Any:
    return x.reshape(tuple(int(n) for n in _sizes(size)))


TABLE["reshape"] = view


@row
def view_as(x: Any, other: Any) -> Any:
    return x.reshape(other.shape)


TABLE["reshape_as"] = view_as


@row
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if not x.ndim:
        return x.reshape(1)
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(x.shape[:first] + (-1,) + x.shape[last + 1 :])


@row
def ravel(x: Any) -> Any:
    return x.reshape(-1)


@row
def permute(x: Any, *dims: Any) -> Any:
    return x.transpose(_sizes(dims))


@row
def transpose(x: Any, dim0: int, dim1: int) -> Any:
    return x.swapaxes(dim0, dim1) if x.ndim else x


@row
def t(x: Any) -> Any:
    return x.T


@row
def movedim(x: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(x, source, destination)


@row
def unsqueeze(x: Any, dim: int) -> Any:
    return np.expand_dims(x, dim)


@row
def squeeze(x: Any, dim: Any = None) -> Any:
    if dim is None:
        return np.squeeze(x)
    axes = dim if isinstance(dim, (tuple, list)) else (dim,)
    return np.squeeze(x, axis=tuple(a for a in axes if x.ndim and x.shape[a] == 1))


@row
def expand(x: Any, *size: Any, **kwargs: Any) -> Any:
    sizes = _sizes(size)
    padded = (1,) * (len(sizes) - x.ndim) + x.shape
    return np.broadcast_to(
        x, tuple(p if n == -1 else n for n, p in zip(sizes, padded, strict=True))
    )


TABLE["broadcast_to"] = expand


@row
def expand_as(x: Any, other: Any) -> Any:
    return np.broadcast_to(x, other.shape)


@row
def broadcast_tensors(*arrays: Any) -> Any:
    return tuple(np.broadcast_arrays(*arrays))


@row
def repeat(x: Any, *size: Any) -> Any:
    return np.tile(x, _sizes(size))


TABLE["tile"] = repeat


@row
def repeat_interleave(x: Any, repeats: Any, dim: Any = None, **kwargs: Any) -> Any:
    return np.repeat(x, repeats, axis=dim)


@row
def stack(arrays: Any, dim: int = 0) -> Any:
    return np.stack(arrays, axis=dim)


@row
def cat(arrays: Any, dim: int = 0) -> Any:
    return np.concatenate(arrays, axis=dim)


@row
def chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    return split(x, -(-x.shape[dim] // chunks), dim)


@row
def split(x: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    size = split_size_or_sections
    if isinstance(size, (tuple, list)):
        places = numpy.cumsum(size)[:-1]
    else:
        places = numpy.arange(size, x.shape[dim], size)
    return tuple(np.split(x, places, axis=dim))


@row
def unbind(x: Any, dim: int = 0) -> Any:
    moved = np.moveaxis(x, dim, 0)
    return tuple(moved[i] for i in range(moved.shape[0]))


@row
def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)]


@row
def select(x: Any, dim: int, index: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (index,)]


@row
def flip(x: Any, *dims: Any) -> Any:
    return np.flip(x, axis=tuple(_sizes(dims)))


@row
def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    return np.roll(x, shifts, axis=dims)


@row
def tril(x: Any, diagonal: int = 0) -> Any:
    return np.tril(x, diagonal)


@row
def triu(x: Any, diagonal: int = 0) -> Any:
    return np.triu(x, diagonal)


@row
def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return np.diagonal(x, offset, dim1, dim2)


@row
def diag(x: Any, diagonal: int = 0) -> Any:
    return np.diag(x, diagonal)


@row
def diag_embed(x: Any) -> Any:
    return x[..., None] * numpy.eye(x.shape[-1])


@row
def sum_to_size(x: Any, *size: Any) -> Any:
    sizes = _sizes(size)
    extra = x.ndim - len(sizes)
    padded = (1,) * extra + tuple(sizes)
    axes = tuple(i for i, n in enumerate(padded) if n != x.shape[i])
    return np.sum(x, axis=axes, keepdims=True).reshape(sizes) if axes or extra else x


@row
def pad(x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    widths = [(0, 0)] * x.ndim
    for i in range(len(pad) // 2):
        widths[-1 - i] = (pad[2 * i], pad[2 * i + 1])
    if min(pad) < 0:
        raise TraceError("pad with negative widths", user_line())
    if mode == "constant":
        return np.pad(x, widths, constant_values=value or 0)
    return np.pad(x, widths, mode={"reflect": "reflect", "replicate": "edge"}[mode])


# Entries by index


@row
def gather(x: Any, dim: int, index: Any, **kwargs: Any) -> Any:
    return np.take_along_axis(x, numpy.asarray(index), axis=dim)


@row
def take_along_dim(x: Any, indices: Any, dim: Any = None) -> Any:
    return np.take_along_axis(x, numpy.asarray(indices), axis=dim)


@row
def index_select(x: Any, dim: int, index: Any) -> Any:
    return np.take(x, numpy.asarray(index), axis=dim)


TABLE["take"] = lambda x, index: np.take(x, numpy.asarray(index))


def _places(index: Any, dim: int) -> tuple:
    grid = list(numpy.indices(index.shape, sparse=True))
    grid[dim] = numpy.asarray(index)
    return tuple(grid)


@row
def scatter(x: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, **kw: Any) -> Any:
    if kw:
        raise TraceError(f"scatter with {', '.join(kw)}", user_line())
    out = x.copy()
    source = value if src is None else src
    if numpy.ndim(source):
        source = source[tuple(slice(n) for n in index.shape)]
    out[_places(index, dim)] = source
    return out


@row
def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    out = x.copy()
    np.add.at(out, _places(index, dim), src[tuple(slice(n) for n in index.shape)])
    return out


@row
def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    out = x.copy()
    key = (slice(None),) * (dim % x.ndim) + (numpy.asarray(index),)
    np.add.at(out, key, alpha * source)
    return out


@row
def one_hot(index: Any, num_classes: int = -1) -> Any:
    index = numpy.asarray(index)
    count = int(index.max()) + 1 if num_classes < 0 else num_classes
    return decided(numpy.eye(count, dtype=int)[index])


# Products and linear algebra


@row
def dot(x: Any, other: Any) -> Any:
    return np.dot(x, other)


TABLE["inner"] = TABLE["vdot"] = dot


@row
def outer(x: Any, other: Any) -> Any:
    return np.outer(x, other)


@row
def einsum(equation: str, *operands: Any) -> Any:
    return np.einsum(equation, *(_sizes(operands) if len(operands) == 1 else operands))


@row
def tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    return np.tensordot(x, y, axes=dims)


@row
def kron(x: Any, y: Any) -> Any:
    return np.kron(x, y)


@row
def cross(x: Any, y: Any, dim: int = -1) -> Any:
    return np.cross(x, y, axis=dim)


@row
def addmm(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    return beta * x + alpha * np.matmul(a, b)


TABLE["addmv"] = TABLE["baddbmm"] = addmm


@row
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    product = np.matmul(x, weight.T)
    return product if bias is None else product + bias


@row
def bilinear(x: Any, y: Any, weight: Any, bias: Any = None) -> Any:
    product = np.einsum("...i,kij,...j->...k", x, weight, y)
    return product if bias is None else product + bias


for _name, _found in {
    "inverse": np.linalg.inv, "det": np.linalg.det, "solve": np.linalg.solve,
    "cholesky": np.linalg.cholesky, "slogdet": np.linalg.slogdet, "eigh": np.linalg.eigh,
    "qr": np.linalg.qr, "trace": np.trace, "matrix_power": np.linalg.matrix_power,
}.items():  # fmt: skip
    TABLE[_name] = _found


@row
def logdet(x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


# Copies, types, and what changes nothing


def _same(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x


for _name in ("contiguous", "detach", "cpu", "requires_grad_", "positive", "resolve_conj", "cuda"):
    TABLE[_name] = _same


@row
def clone(x: Any, **kwargs: Any) -> Any:
    return x.copy()


def _to(dtype: Any) -> Callable[..., Any]:
    def convert(x: Any) -> Any:
        found = x.astype(dtype)
        return decided(found) if type(found) is numpy.ndarray else found

    return convert


for _name, _found in {
    "float": np.dtype("f4"), "double": np.dtype("f8"), "half": np.dtype("f2"),
    "long": np.dtype("i8"), "int": np.dtype("i4"), "bool": np.dtype("?"),
}.items():  # fmt: skip
    TABLE[_name] = _to(_found)


@row
def copy(x: Any, source: Any, *args: Any) -> Any:
    return np.broadcast_to(source, x.shape)


@row
def fill(x: Any, value: Any) -> Any:
    return np.full_like(x, value)


@row
def zero(x: Any) -> Any:
    return np.zeros_like(x)


@row
def zeros_like(x: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.zeros_like(x, dtype=dtype)


@row
def ones_like(x: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.ones_like(x, dtype=dtype)


TABLE["empty_like"] = zeros_like


@row
def full_like(x: Any, fill_value: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.full_like(x, fill_value, dtype=dtype)


@row
def full(size: Any, fill_value: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.full(tuple(size), fill_value, dtype=dtype)


@row
def tensor(data: Any, *, dtype: Any = None, **kwargs: Any) -> Any:
    return np.array(data, dtype=dtype)


TABLE["as_tensor"] = TABLE["scalar_tensor"] = tensor


@row
def meshgrid(*arrays: Any, indexing: str = "ij") -> Any:
    return tuple(np.meshgrid(*_sizes(arrays), indexing=indexing))


@row
def is_nonzero(x: Any) -> bool:
    return bool(x != 0)


@row
def is_tensor(x: Any) -> bool:
    return True


@row
def is_floating_point(x: Any) -> bool:
    return x.dtype.kind == "f"


@row
def numel(x: Any) -> int:
    return x.size


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
