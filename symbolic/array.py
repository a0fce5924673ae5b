"""Traced arrays: what NumPy code is given instead of arrays of floats.

A :class:`TracedArray` holds an object array of entries, each a :class:`~symbolic.values.Symbol`, a
:class:`~symbolic.complex.ComplexSymbol` or a plain number. NumPy hands it every ufunc and function
(``__array_ufunc__``, ``__array_function__``); views share their entries as NumPy's share memory.

May import: :mod:`symbolic.values`, :mod:`symbolic.complex`, :mod:`symbolic.array_operators`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symbolic.array_operators import ArrayOperators
from symbolic.complex import ComplexSymbol, imag_part, is_complex, real_part
from symbolic.graph import Graph, Node
from symbolic.mask import decided
from symbolic.values import Symbol, Trace, TraceError, user_line

__all__ = [
    "TracedArray",
    "complex_array",
    "entries",
    "gather",
    "has_symbols",
    "is_traced",
    "nodes",
    "symbol_array",
    "values",
    "wrap",
]

_FLOAT64 = np.dtype(np.float64)
_COMPLEX = np.dtype(np.complex128)
_SYMBOLS = (Symbol, ComplexSymbol)


def is_traced(x: Any) -> bool:
    """Whether ``x`` is a traced array or a symbol (its class pretends to be NumPy's)."""
    return type(x) is TracedArray or type(x) in _SYMBOLS


def has_symbols(array: np.ndarray) -> bool:
    """Whether an object array has an entry that is no plain number."""
    return any(type(e) in _SYMBOLS for e in array.flat)


def wrap(result: Any, dtype: Any = None, scalar: bool = False) -> Any:
    """A result of object arithmetic as NumPy would give it.

    Parameters
    ----------
    result : ndarray of objects, or an entry
    dtype : dtype, optional
        The dtype that NumPy's result would have.
    scalar : bool
        Whether a 0-d result is a NumPy scalar (immutable) rather than an array.
    """
    if type(result) is TracedArray:
        return result
    if type(result) is np.ndarray:
        if result.dtype != object:
            if result.dtype.kind in "fc":
                return TracedArray(result.astype(object), result.dtype, scalar)
            return result
        entries = result
    elif isinstance(result, (bool, np.bool_, int, np.integer, str, np.generic)) and not isinstance(
        result, (float, complex, np.inexact)
    ):
        return result
    else:
        entries = boxed(result)
        scalar = True
    if entries.size and all(type(e) in (bool, np.bool_) for e in entries.flat):
        return entries.astype(bool)[()] if scalar else decided(entries.astype(bool))
    dtype = _FLOAT64 if dtype is None else np.dtype(dtype)
    if dtype.kind not in "fc":
        dtype = _FLOAT64
    if dtype.kind == "f" and any(is_complex(e) for e in entries.flat):
        dtype = np.result_type(dtype, np.complex64)
    return TracedArray(entries, dtype, scalar and entries.ndim == 0)


def unwrap(x: Any) -> Any:
    """The object array of a traced array; a symbol, a number or a real array as an object array."""
    if type(x) is TracedArray:
        return x._entries
    if type(x) in _SYMBOLS:
        return boxed(x)
    if type(x) in (float, int, complex, bool):
        return x
    if isinstance(x, np.ndarray):
        return x if x.dtype == object else x.astype(object)
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, (list, tuple)):
        return gather(x)[0]
    return x


def boxed(entry: Any) -> np.ndarray:
    """One entry as a 0-d object array: NumPy's functions would hand a bare symbol back to us."""
    out = np.empty((), dtype=object)
    out[()] = entry
    return out


def gather(value: Any) -> tuple[np.ndarray, np.dtype]:
    """Anything that ``np.array`` takes, as an object array and the dtype NumPy would give it."""
    kind = type(value)
    if kind is TracedArray:
        return value._entries, value._dtype
    if kind in _SYMBOLS:
        return boxed(value), _COMPLEX if kind is ComplexSymbol else _FLOAT64
    if isinstance(value, (list, tuple)) and contains_traced(value):
        parts = [gather(v) for v in value]
        shape = parts[0][0].shape
        if any(p.shape != shape for p, _ in parts):
            raise ValueError(
                "setting an array element with a sequence. The requested array has an "
                "inhomogeneous shape"
            )
        out = np.empty((len(parts), *shape), dtype=object)
        for i, (part, _) in enumerate(parts):
            out[i] = part if shape else part[()]
        return out, np.result_type(*(d for _, d in parts))
    array = value if kind is np.ndarray else np.asarray(value)
    return (array if array.dtype == object else array.astype(object)), array.dtype


def contains_traced(value: Any) -> bool:
    """Whether a nested list has a traced entry."""
    if isinstance(value, (list, tuple)):
        return any(contains_traced(v) for v in value)
    return is_traced(value)


class TracedArray(ArrayOperators):
    """An array of entries that carry a formula and a value; behaves as an ``ndarray`` of floats.

    Parameters
    ----------
    entries : ndarray of objects
        Shared, not copied: views are made of views.
    dtype : dtype
        The label: what NumPy's array would have.
    scalar : bool
        Whether it stands for a NumPy scalar (``x[0]``, ``x.sum()``): immutable, an instance of
        ``np.float64`` and not of ``np.ndarray``.
    """

    __slots__ = ("_dtype", "_entries", "_scalar")
    __array_priority__ = 1000.0

    def __init__(self, entries: Any, dtype: Any = _FLOAT64, scalar: bool = False):
        self._entries: Any = entries
        self._dtype = dtype
        self._scalar = scalar

    # Code that asks gets the answer it would get for floats; C code looks at the real type.
    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # type: ignore[override,misc]
        return self._dtype.type if self._scalar else np.ndarray

    # Attributes

    @property
    def dtype(self) -> np.dtype:
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._entries.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self._entries = self._entries.reshape(shape)

    @property
    def ndim(self) -> int:
        return self._entries.ndim

    @property
    def size(self) -> int:
        return self._entries.size

    @property
    def itemsize(self) -> int:
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(s // 8 * self.itemsize for s in self._entries.strides)

    @property
    def flags(self) -> Any:
        return self._entries.flags

    @property
    def base(self) -> Any:
        return None if self._entries.base is None else self

    @property
    def T(self) -> TracedArray:
        return self._view(self._entries.T)

    @property
    def mT(self) -> TracedArray:
        return self._view(self._entries.swapaxes(-1, -2))

    @property
    def flat(self) -> _Flat:
        return _Flat(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        self._entries.flat = gather(value)[0]

    @property
    def real(self) -> TracedArray:
        if self._dtype.kind != "c":
            return self
        return wrap(_each(real_part, self._entries), np.empty(0, self._dtype).real.dtype)

    @real.setter
    def real(self, value: Any) -> None:
        new = np.broadcast_to(gather(value)[0], self.shape)
        self._entries[...] = _each2(_compose, new, _each(imag_part, self._entries))

    @property
    def imag(self) -> TracedArray:
        return wrap(_each(imag_part, self._entries), np.empty(0, self._dtype).real.dtype)

    @imag.setter
    def imag(self, value: Any) -> None:
        new = np.broadcast_to(gather(value)[0], self.shape)
        self._entries[...] = _each2(_compose, _each(real_part, self._entries), new)

    def _view(self, entries: np.ndarray) -> TracedArray:
        return TracedArray(entries, self._dtype, False)

    # Indexing

    def __getitem__(self, key: Any) -> Any:
        result = self._entries[_index(key)]
        if type(result) is np.ndarray:
            return TracedArray(result, self._dtype, False)
        return wrap(result, self._dtype, scalar=True)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._scalar:
            raise TypeError("'numpy.float64' object does not support item assignment")
        key = _index(key)
        if type(value) is TracedArray:
            value = value._entries
        elif isinstance(value, (np.ndarray, list, tuple, np.generic)):
            value = gather(value)[0]
        elif isinstance(value, (int, bool)):
            value = float(value)
        if type(value) is np.ndarray and value.ndim == 0:
            value = value[()]
        if self._dtype.kind == "f":
            if type(value) is ComplexSymbol or isinstance(value, complex):
                raise TypeError("float() argument must be a string or a real number, not 'complex'")
            if type(value) is np.ndarray and any(is_complex(e) for e in value.flat):
                value = _each(real_part, value)
        self._entries[key] = value

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        for i in range(len(self._entries)):
            yield self[i]

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    # Conversions

    def _only(self) -> Any:
        if self.size != 1:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return self._entries.reshape(-1)[0]

    def __bool__(self) -> bool:
        if self.size != 1:
            if self.size == 0:
                return False
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. "
                "Use a.any() or a.all()"
            )
        return bool(self._only())

    def __float__(self) -> float:
        return float(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def __index__(self) -> int:
        entry = self._only()
        if type(entry) is Symbol and entry.node.op in ("floor", "ceil", "rint", "trunc", "const"):
            return entry.integer()
        raise TypeError("only integer scalar arrays can be converted to a scalar index")

    def __floor__(self) -> Any:
        return wrap(_rounded(self._only(), "floor"))

    def __ceil__(self) -> Any:
        return wrap(_rounded(self._only(), "ceil"))

    def __trunc__(self) -> Any:
        return wrap(_rounded(self._only(), "trunc"))

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None:
            return int(np.rint(self))  # Python's round gives an int
        return np.round(self, digits)

    def is_integer(self) -> bool:
        return bool(self == np.floor(self))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if not has_symbols(self._entries):
            return self._entries.astype(self._dtype if dtype is None else dtype)
        raise TraceError(
            "a traced array is handed to compiled code, or stored in an array of plain floats",
            user_line(),
        )

    def item(self, *index: Any) -> Any:
        if index:
            return self._entries[
                index if len(index) > 1 else np.unravel_index(index[0], self.shape)
            ]
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self._only()

    def tolist(self) -> Any:
        return self._entries.tolist()

    def __repr__(self) -> str:
        return f"traced({self._entries.tolist()!r})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        if self.size == 1:
            return format(float(values(self).reshape(-1)[0]), spec)
        return repr(self)

    def __hash__(self) -> int:
        raise TypeError("unhashable type: 'numpy.ndarray'")

    def __reduce__(self) -> Any:
        raise TraceError("a traced array is pickled", user_line())

    def __copy__(self) -> TracedArray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> TracedArray:
        return self.copy()

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from symbolic.ufuncs import dispatch

        return dispatch(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from symbolic.array_functions import dispatch

        return dispatch(function, args, kwargs)

    # Methods that keep or copy entries

    def copy(self, order: Any = "C") -> TracedArray:
        return TracedArray(self._entries.copy(order), self._dtype, self._scalar)

    def astype(self, dtype: Any, *args: Any, copy: bool = True, **kwargs: Any) -> Any:
        dtype = np.dtype(dtype)
        if dtype.kind in "fc":
            entries = self._entries
            if dtype.kind == "f" and self._dtype.kind == "c":
                entries = _each(real_part, entries)
            return TracedArray(entries.copy() if copy else entries, dtype, self._scalar)
        if dtype.kind == "O":
            return TracedArray(self._entries.copy(), self._dtype, self._scalar)
        if dtype.kind not in "biu":
            raise TraceError(f"astype({dtype}) of a traced array", user_line())
        decide = bool if dtype.kind == "b" else int
        found = np.empty(self.shape, dtype=dtype)
        flat = found.reshape(-1)
        for i, entry in enumerate(self._entries.flat):
            flat[i] = decide(entry)
        return found[()] if self._scalar else decided(found)

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> TracedArray:
        if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)):
            shape = tuple(shape[0])
        return self._view(self._entries.reshape(shape, order=order))

    def transpose(self, *axes: Any) -> TracedArray:
        return self._view(self._entries.transpose(*axes))

    def ravel(self, order: Any = "C") -> TracedArray:
        return self._view(self._entries.ravel(order))

    def flatten(self, order: Any = "C") -> TracedArray:
        return self._view(self._entries.flatten(order))

    def swapaxes(self, a: int, b: int) -> TracedArray:
        return self._view(self._entries.swapaxes(a, b))

    def squeeze(self, axis: Any = None) -> TracedArray:
        return self._view(self._entries.squeeze(axis))

    def fill(self, value: Any) -> None:
        self[...] = value

    def view(self, *args: Any, **kwargs: Any) -> TracedArray:
        if (not args and not kwargs) or (args and args[0] in (np.ndarray, self._dtype)):
            return self._view(self._entries[...])
        raise TraceError("view() of a traced array as another type", user_line())

    def setflags(self, **kwargs: Any) -> None:
        self._entries.setflags(**kwargs)

    def tobytes(self, *args: Any) -> bytes:
        """The bytes of the sample values: good as the key of a memo, which is what they are for."""
        return values(self).astype(self._dtype).tobytes(*args)

    @property
    def data(self) -> Any:
        raise TraceError("the buffer of a traced array", user_line())

    def resize(self, *shape: Any, refcheck: bool = True) -> None:
        self._entries = np.resize(self._entries, shape)

    def byteswap(self, *args: Any) -> Any:
        raise TraceError("byteswap() of a traced array", user_line())

    def put(self, indices: Any, new: Any, mode: Any = "raise") -> None:
        self._entries.put(indices, gather(new)[0], mode=mode)

    def repeat(self, repeats: Any, axis: Any = None) -> TracedArray:
        return self._view(self._entries.repeat(repeats, axis))

    def compress(self, condition: Any, axis: Any = None) -> TracedArray:
        return self._view(self._entries.compress(condition, axis))

    def conjugate(self) -> Any:
        return np.conjugate(self)

    conj = conjugate

    def sort(self, axis: int = -1, kind: Any = None, **kwargs: Any) -> None:
        self._entries[...] = unwrap(np.sort(self, axis=axis))

    def partition(self, kth: Any, axis: int = -1, **kwargs: Any) -> None:
        self._entries[...] = unwrap(np.sort(self, axis=axis))

    def __dlpack__(self, **kwargs: Any) -> Any:
        raise TraceError("a traced array is handed to another array library", user_line())


class _Flat:
    """``x.flat``: iteration and indexing over the entries in C order."""

    def __init__(self, array: TracedArray):
        self._array = array

    def __iter__(self) -> Iterator[Any]:
        for entry in self._array._entries.flat:
            yield wrap(entry, self._array._dtype, scalar=True)

    def __len__(self) -> int:
        return self._array.size

    def __getitem__(self, key: Any) -> Any:
        result = self._array._entries.flat[_index(key)]
        return wrap(result, self._array._dtype, scalar=type(result) is not np.ndarray)

    def __setitem__(self, key: Any, value: Any) -> None:
        new = unwrap(value)
        if type(new) is np.ndarray and new.ndim == 0:
            new = new[()]
        self._array._entries.flat[_index(key)] = new

    def copy(self) -> TracedArray:
        return self._array.flatten()


def _rounded(entry: Any, op: str) -> Any:
    return getattr(entry, op)() if type(entry) is Symbol else getattr(np, op)(entry)


def _compose(re: Any, im: Any) -> Any:
    if type(re) is Symbol or type(im) is Symbol:
        return ComplexSymbol(re, im)
    return complex(re, im)


def _each(function: Callable[[Any], Any], entries: np.ndarray) -> np.ndarray:
    out = np.empty(entries.shape, dtype=object)
    flat = out.reshape(-1)
    for i, entry in enumerate(entries.flat):
        flat[i] = function(entry)
    return out


def _each2(function: Callable[..., Any], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty(a.shape, dtype=object)
    flat = out.reshape(-1)
    for i, (x, y) in enumerate(zip(a.flat, b.flat, strict=True)):
        flat[i] = function(x, y)
    return out


def _index(key: Any) -> Any:
    """An index with traced integers decided."""
    if type(key) is tuple:
        return tuple(_index(k) for k in key)
    if type(key) is TracedArray:
        if key.size == 1 or not has_symbols(key._entries):
            try:
                return key.__index__()
            except TypeError:
                pass
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    if isinstance(key, list) and contains_traced(key):
        return [k.__index__() for k in key]
    return key


def values(array: Any) -> np.ndarray:
    """The sample values of an array of entries, as plain floats (or complex numbers)."""
    if not isinstance(array, np.ndarray) or type(array) is TracedArray:
        array = gather(array)[0]
    if array.dtype != object:
        return array
    flat = [e.value if type(e) in _SYMBOLS else e for e in array.flat]
    kind = complex if any(isinstance(v, complex) for v in flat) else float
    return np.array(flat, dtype=kind).reshape(array.shape)


def symbol_array(trace: Trace, name: str, value: Any) -> TracedArray:
    """An array of fresh symbols ``name`` (0-d), ``name[0]``, ``name[1,2]``, with those values."""
    value = np.asarray(value, dtype=None if getattr(value, "dtype", None) is not None else float)
    dtype = value.dtype if value.dtype.kind == "f" else _FLOAT64
    out = np.empty(value.shape, dtype=object)
    for index in np.ndindex(value.shape):
        label = f"{name}[{','.join(map(str, index))}]" if index else name
        out[index] = trace.symbol(label, value[index])
    return TracedArray(out, dtype)


def complex_array(re: Any, im: Any) -> TracedArray:
    """``re + i im``, entry by entry, with no arithmetic."""
    (a, kind), (b, _) = gather(re), gather(im)
    return TracedArray(_each2(_compose, a, b), np.result_type(kind, np.complex64))


def nodes(array: Any, graph: Graph) -> np.ndarray:
    """The expressions of an array (or number), as an object array of nodes of ``graph``."""
    source = gather(array)[0]
    out = np.empty(source.shape, dtype=object)
    flat = out.reshape(-1)
    for i, entry in enumerate(source.flat):
        if type(entry) is Symbol:
            flat[i] = entry.node
        elif is_complex(entry):
            raise TraceError("a complex result", user_line())
        else:
            flat[i] = graph.number(int(entry) if isinstance(entry, (bool, np.bool_)) else entry)
    return flat.reshape(source.shape)


def entries(array: np.ndarray) -> list[Node]:
    """The nodes of an object array in C order."""
    return list(array.flat)
