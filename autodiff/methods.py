"""The methods of `Tensor`: each names the Function that it applies.

Methods take torch's ``dim`` and ``keepdim`` as well as NumPy's ``axis`` and ``keepdims``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff._lazy import LazyModule
from autodiff.operators import Operators

if TYPE_CHECKING:
    from autodiff.tensor import Tensor

__all__ = ["Methods"]

_np: Any = np  # whose types do not tell that its functions take tensors
F: Any = LazyModule("autodiff.functions")  # loaded by the first operation


def _axis(dim: Any, axis: Any) -> Any:
    axis = dim if axis is None else axis
    return tuple(axis) if isinstance(axis, list) else axis


def _sizes(sizes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Take axes or lengths as several arguments or as one tuple."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        return tuple(sizes[0])
    return sizes


class Methods(Operators):
    """Methods and operators, apart from the storage and the graph."""

    __slots__ = ()

    _data: Any
    _node: Any
    _requires_grad: bool

    # Complex numbers.

    def conjugate(self) -> Tensor:
        """Return the complex conjugate (a real tensor as it is)."""
        return F.conj(self)  # type: ignore[no-any-return]

    conj = conjugate

    @property
    def real(self) -> Tensor:
        """The real part."""
        return F.real(self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        """The imaginary part."""
        return F.imag(self)  # type: ignore[no-any-return]

    def angle(self) -> Tensor:
        """Return the angles of complex numbers."""
        return F.angle(self)  # type: ignore[no-any-return]

    # Elementwise functions.

    def exp(self) -> Tensor:
        """Return the exponential."""
        return F.exp(self)  # type: ignore[no-any-return]

    def expm1(self) -> Tensor:
        """Return ``exp(x) - 1``."""
        return F.expm1(self)  # type: ignore[no-any-return]

    def log(self) -> Tensor:
        """Return the natural logarithm."""
        return F.log(self)  # type: ignore[no-any-return]

    def log1p(self) -> Tensor:
        """Return ``log(1 + x)``."""
        return F.log1p(self)  # type: ignore[no-any-return]

    def log2(self) -> Tensor:
        """Return the logarithm to base 2."""
        return F.log2(self)  # type: ignore[no-any-return]

    def log10(self) -> Tensor:
        """Return the logarithm to base 10."""
        return F.log10(self)  # type: ignore[no-any-return]

    def sqrt(self) -> Tensor:
        """Return the square root."""
        return F.sqrt(self)  # type: ignore[no-any-return]

    def rsqrt(self) -> Tensor:
        """Return the reciprocal of the square root."""
        return F.reciprocal(F.sqrt(self))  # type: ignore[no-any-return]

    def square(self) -> Tensor:
        """Return the square."""
        return F.square(self)  # type: ignore[no-any-return]

    def reciprocal(self) -> Tensor:
        """Return the reciprocal."""
        return F.reciprocal(self)  # type: ignore[no-any-return]

    def sin(self) -> Tensor:
        """Return the sine."""
        return F.sin(self)  # type: ignore[no-any-return]

    def cos(self) -> Tensor:
        """Return the cosine."""
        return F.cos(self)  # type: ignore[no-any-return]

    def tan(self) -> Tensor:
        """Return the tangent."""
        return F.tan(self)  # type: ignore[no-any-return]

    def asin(self) -> Tensor:
        """Return the inverse sine."""
        return F.arcsin(self)  # type: ignore[no-any-return]

    def acos(self) -> Tensor:
        """Return the inverse cosine."""
        return F.arccos(self)  # type: ignore[no-any-return]

    def atan(self) -> Tensor:
        """Return the inverse tangent."""
        return F.arctan(self)  # type: ignore[no-any-return]

    arcsin, arccos, arctan = asin, acos, atan

    def sinh(self) -> Tensor:
        """Return the hyperbolic sine."""
        return F.sinh(self)  # type: ignore[no-any-return]

    def cosh(self) -> Tensor:
        """Return the hyperbolic cosine."""
        return F.cosh(self)  # type: ignore[no-any-return]

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        return F.tanh(self)  # type: ignore[no-any-return]

    def sigmoid(self) -> Tensor:
        """Return ``1 / (1 + exp(-x))``."""
        return F.sigmoid(self)  # type: ignore[no-any-return]

    def relu(self) -> Tensor:
        """Return ``max(x, 0)``."""
        return F.relu(self)  # type: ignore[no-any-return]

    def erf(self) -> Tensor:
        """Return the error function."""
        return F.erf(self)  # type: ignore[no-any-return]

    def abs(self) -> Tensor:
        """Return the absolute value."""
        return F.Abs.apply(self)  # type: ignore[no-any-return]

    def sign(self) -> Tensor:
        """Return the sign."""
        return F.sign(self)  # type: ignore[no-any-return]

    def neg(self) -> Tensor:
        """Return the negative."""
        return F.neg(self)  # type: ignore[no-any-return]

    def floor(self) -> Tensor:
        """Return the largest integers below (no gradient)."""
        return _np.floor(self)  # type: ignore[no-any-return]

    def ceil(self) -> Tensor:
        """Return the smallest integers above (no gradient)."""
        return _np.ceil(self)  # type: ignore[no-any-return]

    def round(self) -> Tensor:
        """Return the nearest integers (no gradient)."""
        return _np.rint(self)  # type: ignore[no-any-return]

    def add(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Return ``x + alpha * other``."""
        return self + (other if alpha == 1 else other * alpha)

    def sub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Return ``x - alpha * other``."""
        return self - (other if alpha == 1 else other * alpha)

    def mul(self, other: Any) -> Tensor:
        """Return ``x * other``."""
        return self * other

    def div(self, other: Any) -> Tensor:
        """Return ``x / other``."""
        return self / other

    def pow(self, exponent: Any) -> Tensor:
        """Return ``x ** exponent``."""
        return self**exponent

    def maximum(self, other: Any) -> Tensor:
        """Return the larger of two, entry by entry."""
        return F.maximum(self, other)  # type: ignore[no-any-return]

    def minimum(self, other: Any) -> Tensor:
        """Return the smaller of two, entry by entry."""
        return F.minimum(self, other)  # type: ignore[no-any-return]

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit the entries to ``[min, max]``."""
        return F.clip(self, min=min, max=max)  # type: ignore[no-any-return]

    clamp = clip

    def where(self, condition: Any, other: Any) -> Tensor:
        """Return the entries where `condition` holds, elsewhere those of `other`."""
        return F.where(condition, self, other)  # type: ignore[no-any-return]

    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """Return `value` where `mask` holds, elsewhere the entries."""
        return F.where(mask, value, self)  # type: ignore[no-any-return]

    def softmax(self, dim: int = -1) -> Tensor:
        """Return ``exp(x) / sum(exp(x))`` along an axis."""
        return F.softmax(self, dim)  # type: ignore[no-any-return]

    def log_softmax(self, dim: int = -1) -> Tensor:
        """Return ``log(softmax(x))`` along an axis."""
        return F.log_softmax(self, dim)  # type: ignore[no-any-return]

    # Reductions.

    def sum(
        self,
        dim: Any = None,
        keepdim: bool = False,
        *,
        axis: Any = None,
        keepdims: bool = False,
        dtype: Any = None,
        out: Any = None,
    ) -> Tensor:
        """Return the sum along axes (all, without any)."""
        x: Any = self if dtype is None else self.astype(dtype)
        if dim is None and axis is None and not (keepdim or keepdims):
            return F.Sum.apply(x)  # type: ignore[no-any-return]
        return F.Sum.apply(x, axis=_axis(dim, axis), keepdims=keepdim or keepdims)  # type: ignore[no-any-return]

    def mean(
        self,
        dim: Any = None,
        keepdim: bool = False,
        *,
        axis: Any = None,
        keepdims: bool = False,
        dtype: Any = None,
        out: Any = None,
    ) -> Tensor:
        """Return the mean along axes (all, without any)."""
        x: Any = self if dtype is None else self.astype(dtype)
        if dim is None and axis is None and not (keepdim or keepdims):
            return F.Mean.apply(x)  # type: ignore[no-any-return]
        return F.Mean.apply(x, axis=_axis(dim, axis), keepdims=keepdim or keepdims)  # type: ignore[no-any-return]

    def prod(
        self, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False
    ) -> Tensor:
        """Return the product along axes (all, without any)."""
        return F.Prod.apply(self, axis=_axis(dim, axis), keepdims=keepdim or keepdims)  # type: ignore[no-any-return]

    def max(
        self, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False
    ) -> Any:
        """Return the largest entry; with torch's `dim`, the pair of values and their places."""
        return self._extreme("max", dim, axis, keepdim or keepdims)

    def min(
        self, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False
    ) -> Any:
        """Return the smallest entry; with torch's `dim`, the pair of values and their places."""
        return self._extreme("min", dim, axis, keepdim or keepdims)

    def _extreme(self, kind: str, dim: Any, axis: Any, keepdims: bool) -> Any:
        if dim is None:
            function = F.Max if kind == "max" else F.Min
            return function.apply(self, axis=_axis(None, axis), keepdims=keepdims)
        if not isinstance(dim, int):
            return getattr(F, kind)(self, dim)
        places = getattr(np, f"arg{kind}")(self._data, axis=dim, keepdims=True)
        values = F.take_along_axis(self, places, dim)
        if not keepdims:
            values, places = F.squeeze(values, dim), np.squeeze(places, dim)
        from autodiff.tensor import Tensor

        return ValuesIndices(values, Tensor._make(places, None))

    def amax(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Return the largest entry along axes; ties share the gradient."""
        return F.max(self, dim, keepdims=keepdim)  # type: ignore[no-any-return]

    def amin(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Return the smallest entry along axes; ties share the gradient."""
        return F.min(self, dim, keepdims=keepdim)  # type: ignore[no-any-return]

    def var(
        self,
        dim: Any = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        axis: Any = None,
        correction: float | None = None,
        ddof: float | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """Return the variance along axes, as in torch over ``n - 1`` where nothing is said."""
        return F.Var.apply(  # type: ignore[no-any-return]
            self,
            axis=_axis(dim, axis),
            ddof=_ddof(unbiased, correction, ddof),
            keepdims=keepdim or keepdims,
        )

    def std(
        self,
        dim: Any = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        axis: Any = None,
        correction: float | None = None,
        ddof: float | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """Return the standard deviation along axes, as in torch over ``n - 1``."""
        return F.Std.apply(  # type: ignore[no-any-return]
            self,
            axis=_axis(dim, axis),
            ddof=_ddof(unbiased, correction, ddof),
            keepdims=keepdim or keepdims,
        )

    def norm(
        self, p: Any = 2, dim: Any = None, keepdim: bool = False, *, axis: Any = None
    ) -> Tensor:
        """Return the p-norm of the entries along axes (all, without any)."""
        p = 2 if p in (None, "fro") else p
        return F.Norm.apply(self, ord=p, axis=_axis(dim, axis), keepdims=keepdim)  # type: ignore[no-any-return]

    def logsumexp(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Return ``log(sum(exp(x)))`` along axes."""
        return F.logsumexp(self, dim, keepdims=keepdim)  # type: ignore[no-any-return]

    def cumsum(self, dim: int | None = None, *, axis: int | None = None) -> Tensor:
        """Return the sums of the entries up to each."""
        return F.cumsum(self, _axis(dim, axis))  # type: ignore[no-any-return]

    def cumprod(self, dim: int | None = None, *, axis: int | None = None) -> Tensor:
        """Return the products of the entries up to each."""
        return F.cumprod(self, _axis(dim, axis))  # type: ignore[no-any-return]

    def argmax(self, dim: int | None = None, keepdim: bool = False, *, axis: Any = None) -> Any:
        """Return the place of the largest entry."""
        return _np.argmax(self, axis=_axis(dim, axis), keepdims=keepdim)  # type: ignore[no-any-return]

    def argmin(self, dim: int | None = None, keepdim: bool = False, *, axis: Any = None) -> Any:
        """Return the place of the smallest entry."""
        return _np.argmin(self, axis=_axis(dim, axis), keepdims=keepdim)  # type: ignore[no-any-return]

    def argsort(self, dim: int = -1) -> Any:
        """Return the places of the entries in rising order."""
        return _np.argsort(self, axis=dim)  # type: ignore[no-any-return]

    def all(self, dim: Any = None) -> Any:
        """Return whether all entries are true."""
        return _np.all(self, axis=dim)  # type: ignore[no-any-return]

    def any(self, dim: Any = None) -> Any:
        """Return whether some entry is true."""
        return _np.any(self, axis=dim)  # type: ignore[no-any-return]

    # Shapes.

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same entries in another shape."""
        return F.Reshape.apply(self, shape=_sizes(shape))  # type: ignore[no-any-return]

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Return the axes from `start_dim` to `end_dim` joined into one."""
        shape = self._data.shape
        if not shape:
            return self.reshape(1)
        start, end = start_dim % len(shape), end_dim % len(shape)
        return self.reshape(*shape[:start], -1, *shape[end + 1 :])

    def ravel(self) -> Tensor:
        """Return the entries in one axis."""
        return self.reshape(-1)

    def transpose(self, *axes: Any) -> Tensor:
        """Exchange two axes (two arguments, as in torch), or put all into an order (NumPy)."""
        order = _sizes(axes)
        if len(axes) == 2 and len(order) == 2:
            return F.swapaxes(self, *order)  # type: ignore[no-any-return]
        return F.Transpose.apply(self, axes=order or None)  # type: ignore[no-any-return]

    def permute(self, *dims: Any) -> Tensor:
        """Return the axes in another order."""
        return F.Transpose.apply(self, axes=_sizes(dims))  # type: ignore[no-any-return]

    def t(self) -> Tensor:
        """Return a matrix transposed."""
        return F.Transpose.apply(self, axes=None)  # type: ignore[no-any-return]

    @property
    def T(self) -> Tensor:
        """The axes in reversed order."""
        return F.Transpose.apply(self, axes=None)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return F.swapaxes(self, -1, -2)  # type: ignore[no-any-return]

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Exchange two axes."""
        return F.swapaxes(self, axis1, axis2)  # type: ignore[no-any-return]

    def squeeze(self, dim: Any = None, *, axis: Any = None) -> Tensor:
        """Leave out axes of length 1 (as in torch, one that is longer stays)."""
        which = _axis(dim, axis)
        if isinstance(which, int) and axis is None and self._data.shape[which] != 1:
            return self.reshape(self._data.shape)
        return F.squeeze(self, which)  # type: ignore[no-any-return]

    def unsqueeze(self, dim: int) -> Tensor:
        """Insert an axis of length 1."""
        return F.expand_dims(self, dim)  # type: ignore[no-any-return]

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat entries to fill a larger shape; -1 leaves a length as it is."""
        target = _sizes(sizes)
        own = (1,) * (len(target) - self._data.ndim) + self._data.shape
        return F.broadcast_to(self, [n if m == -1 else m for n, m in zip(own, target, strict=True)])  # type: ignore[no-any-return]

    def repeat(self, *sizes: Any) -> Tensor:
        """Repeat the whole tensor along its axes (torch's meaning: NumPy's is ``np.repeat``)."""
        return F.tile(self, _sizes(sizes))  # type: ignore[no-any-return]

    def flip(self, *dims: Any) -> Tensor:
        """Reverse the order of the entries along axes."""
        return F.flip(self, _sizes(dims) or None)  # type: ignore[no-any-return]

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """Return a diagonal."""
        return F.diagonal(self, offset, dim1, dim2)  # type: ignore[no-any-return]

    def trace(self) -> Tensor:
        """Return the sum of the diagonal."""
        return F.trace(self)  # type: ignore[no-any-return]

    def tril(self, diagonal: int = 0) -> Tensor:
        """Return the entries on and below a diagonal."""
        return F.tril(self, diagonal)  # type: ignore[no-any-return]

    def triu(self, diagonal: int = 0) -> Tensor:
        """Return the entries on and above a diagonal."""
        return F.triu(self, diagonal)  # type: ignore[no-any-return]

    # Products.

    def matmul(self, other: Any) -> Tensor:
        """Return the matrix product."""
        return F.matmul(self, other)  # type: ignore[no-any-return]

    mm = mv = bmm = matmul

    def dot(self, other: Any) -> Tensor:
        """Return the dot product."""
        return F.dot(self, other)  # type: ignore[no-any-return]

    def outer(self, other: Any) -> Tensor:
        """Return the products of all pairs of entries."""
        return F.outer(self, other)  # type: ignore[no-any-return]

    # Copies and types.

    def clone(self) -> Tensor:
        """Return a copy through which gradients flow."""
        return F.Clone.apply(self)  # type: ignore[no-any-return]

    copy = clone

    def contiguous(self) -> Tensor:
        """Return this tensor, or a copy whose memory lies in order."""
        return self if self._data.flags.c_contiguous else self.clone()  # type: ignore[return-value]

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """Return the entries in another type; the gradient comes back in the type of this one."""
        dtype = np.dtype(dtype)
        if dtype.kind in "biu":
            from autodiff.tensor import Tensor

            return Tensor._make(self._data.astype(dtype), None)
        return F.Astype.apply(self, dtype=dtype)  # type: ignore[no-any-return]

    def to(self, dtype: Any) -> Tensor:
        """Return the entries in another type."""
        dtype = np.dtype(dtype._data.dtype if isinstance(dtype, Methods) else dtype)
        return self if dtype == self._data.dtype else self.astype(dtype)  # type: ignore[return-value]

    type = to

    def double(self) -> Tensor:
        """Return the entries as float64."""
        return self.to(np.float64)

    def float(self) -> Tensor:
        """Return the entries as float32, as in torch."""
        return self.to(np.float32)

    def long(self) -> Tensor:
        """Return the entries as int64."""
        return self.to(np.int64)

    def int(self) -> Tensor:
        """Return the entries as int32, as in torch."""
        return self.to(np.int32)

    def bool(self) -> Tensor:
        """Return whether the entries differ from 0."""
        return self.to(np.bool_)


class ValuesIndices(tuple[Any, Any]):
    """The pair that ``max`` and ``min`` return along an axis: values, and their places."""

    __slots__ = ()

    def __new__(cls, values: Any, indices: Any) -> ValuesIndices:
        return super().__new__(cls, (values, indices))

    @property
    def values(self) -> Any:
        return self[0]

    @property
    def indices(self) -> Any:
        return self[1]

    def __repr__(self) -> str:
        return f"values_indices(\nvalues={self[0]!r},\nindices={self[1]!r})"


def _ddof(unbiased: bool, correction: Any, ddof: Any) -> Any:
    for given in (correction, ddof):
        if given is not None:
            return given
    return 1 if unbiased else 0
