"""What constructors, ``math`` and conversions become while a trace runs: the wrappers.

A wrapper does what the original does unless a trace runs in this thread. Where the names are bound
to wrappers is the business of :mod:`symbolic.namespace`.

May import: :mod:`symbolic.array`.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import math
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import (
    TracedArray,
    contains_traced,
    gather,
    is_traced,
    unwrap,
    values,
    wrap,
)
from symbolic.values import Symbol, TraceError, user_line

__all__ = [
    "STATE",
    "TracedFloat",
    "UfuncOfLists",
    "constructor",
    "converter",
    "is_active",
    "math_function",
    "on_traced",
]

STATE = threading.local()


def is_active() -> bool:
    """Whether a trace runs in this thread."""
    return getattr(STATE, "depth", 0) > 0


Wrapped = Callable[..., Any]


def constructor(original: Wrapped) -> Wrapped:
    """``np.zeros`` and its kind: the same array, of traced entries if its dtype is a float."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(*args, **kwargs)
        return wrap(original(*args, **kwargs))

    return make


def maker_of_like(original: Wrapped) -> Wrapped:
    """``np.zeros_like`` and its kind: of a real array as well."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        # `where` of a condition alone gives a tuple of indices.
        return wrap(result) if is_active() and isinstance(result, np.ndarray) else result

    return make


def converter(original: Wrapped, copies: bool) -> Wrapped:
    """``np.array``, ``np.asarray``: lists with traced entries become traced arrays."""

    @functools.wraps(original)
    def convert(obj: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(obj, dtype, *args, **kwargs)
        if is_traced(obj) or contains_traced(obj):
            return _to_array(obj, dtype, copies and kwargs.get("copy", True) is not False, kwargs)
        result = original(obj, dtype, *args, **kwargs)
        if result is obj or result.dtype.kind not in "fc":
            return result
        if isinstance(obj, np.ndarray) and not copies:
            return result  # a view of the caller's array
        return wrap(result)

    return convert


def _to_array(obj: Any, dtype: Any, copy: bool, kwargs: dict[str, Any]) -> Any:
    if type(obj) is TracedArray:
        result = TracedArray(obj._entries.copy() if copy else obj._entries, obj._dtype)
    else:
        entries, found = gather(obj)
        fresh = isinstance(obj, (list, tuple))
        result = TracedArray(entries if fresh else entries.copy(), found)
    if result._dtype.kind not in "fc":
        result = wrap(result._entries)
    if dtype is not None and np.dtype(dtype) != object:
        result = result.astype(dtype, copy=False)
    ndmin = kwargs.get("ndmin", 0)
    while result.ndim < ndmin:
        result = result[None]
    return (
        result
        if copy or type(obj) is not TracedArray or result._dtype != obj._dtype
        else (obj if not obj._scalar else result)
    )


_ITERATORS = frozenset({types.GeneratorType, map, zip, filter, reversed})


def on_traced(original: Wrapped, ours: Wrapped) -> Wrapped:
    """A function of the library: ours where an argument is traced."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(*args, **kwargs)
        args = tuple([list(a) if type(a) in _ITERATORS else a for a in args])
        for a in args:
            if is_traced(a) or (type(a) in (list, tuple) and contains_traced(a)):
                return ours(*args, **kwargs)
        for a in kwargs.values():
            if is_traced(a):
                return ours(*args, **kwargs)
        return original(*args, **kwargs)

    return call


def of_lists(original: Wrapped, joins: bool = False) -> Wrapped:
    """A function that NumPy dispatches by its arguments' types: by those in a list as well.

    ``joins`` says whether its first argument is a sequence of arrays, not an array.
    """

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(*args, **kwargs)
        for a in args:
            if type(a) in (list, tuple) and contains_traced(a):
                break
        else:
            return original(*args, **kwargs)
        if joins:
            return original([_listed(a) for a in args[0]], *args[1:], **kwargs)
        return original(*[_listed(a) for a in args], **kwargs)

    return call


def _listed(a: Any) -> Any:
    return wrap(*gather(a)) if type(a) in (list, tuple) and contains_traced(a) else a


class UfuncOfLists:
    """A ufunc of NumPy that takes lists of traced entries as well; all else is the ufunc's."""

    __slots__ = ("_ufunc",)

    def __init__(self, ufunc: np.ufunc):
        self._ufunc = ufunc

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # type: ignore[override]
        return np.ufunc

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ufunc(*[_listed(a) if type(a) in (list, tuple) else a for a in args], **kwargs)

    def reduce(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        return self._ufunc.reduce(_listed(array), *args, **kwargs)

    def accumulate(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        return self._ufunc.accumulate(_listed(array), *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ufunc, name)

    def __eq__(self, other: Any) -> bool:
        return other is self._ufunc or (type(other) is UfuncOfLists and other._ufunc is self._ufunc)

    def __hash__(self) -> int:
        return hash(self._ufunc)

    def __repr__(self) -> str:
        return repr(self._ufunc)


def traced_fromiter(original: Wrapped) -> Wrapped:
    @functools.wraps(original)
    def fromiter(iter: Any, dtype: Any, count: int = -1, **kwargs: Any) -> Any:
        if not is_active():
            return original(iter, dtype, count, **kwargs)
        items = list(iter) if count < 0 else [v for v, _ in zip(iter, range(count), strict=False)]
        if contains_traced(items):
            return _to_array(items, dtype, True, {})
        return original(items, dtype, **kwargs)

    return fromiter


def joined(original: Wrapped) -> Wrapped:
    """``np.r_[...]`` and ``np.c_[...]``."""

    @functools.wraps(original)
    def getitem(self: Any, key: Any) -> Any:
        keys = key if type(key) is tuple else (key,)
        if not is_active() or not any(is_traced(k) or contains_traced(k) for k in keys):
            return original(self, key)
        if any(isinstance(k, str) for k in keys):
            raise TraceError("np.r_ with directions", user_line())
        parts = [original(self, k) if isinstance(k, slice) else _listed(k) for k in keys]
        if self is np.c_:
            columns = [np.atleast_1d(p) for p in parts]
            return np.concatenate([c[:, None] if c.ndim == 1 else c for c in columns], axis=-1)
        return np.concatenate([np.atleast_1d(p) for p in parts])

    return getitem


def traced_isscalar(original: Wrapped) -> Wrapped:
    @functools.wraps(original)
    def isscalar(element: Any) -> bool:
        return type(element) is Symbol or original(element)

    return isscalar


def traced_arange(*args: Any, **kwargs: Any) -> Any:
    start, stop, step = (0, *args, 1) if len(args) == 1 else (*args, 1)[:3]
    count = int(np.ceil((stop - start) / step))
    return start + np.arange(max(count, 0)) * step


def traced_full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    entries, found = gather(fill_value)
    return TracedArray(np.array(np.broadcast_to(entries, shape)), np.dtype(dtype or found))


# Functions of `math`: the NumPy or SciPy function that traces; the value is math's own.

MATH_UFUNCS = {
    "exp": "exp", "expm1": "expm1", "exp2": "exp2", "log1p": "log1p", "log2": "log2",
    "log10": "log10", "sqrt": "sqrt", "cbrt": "cbrt", "pow": "power", "sin": "sin", "cos": "cos",
    "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "degrees": "degrees", "radians": "radians", "fabs": "absolute",
    "copysign": "copysign", "fmod": "fmod", "isnan": "isnan", "isinf": "isinf",
    "isfinite": "isfinite", "modf": "modf", "ldexp": "ldexp",
}  # fmt: skip
_MATH_SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}


def _number(x: Any) -> Any:
    return values(x).item() if is_traced(x) else x


def math_function(name: str) -> Any:
    own = getattr(math, name)
    if name in MATH_UFUNCS or name in _MATH_SPECIAL:

        def call(*args: Any) -> Any:
            own(*(_number(a) for a in args))  # raises what math raises: log(-1), exp(1000)
            if name in MATH_UFUNCS:
                function = getattr(np, MATH_UFUNCS[name])
            else:
                function = getattr(importlib.import_module("scipy.special"), _MATH_SPECIAL[name])
            result = function(*args)
            return wrap(result) if type(result) is Symbol else result

        return call
    return _MATH_OWN.get(name)


def _log(x: Any, base: Any = None) -> Any:
    math.log(_number(x)) if base is None else math.log(_number(x), _number(base))
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _total(terms: Any, start: Any = 0.0) -> Any:
    result = start
    for term in terms:
        result = result + term
    return result


def _product(terms: Any, *, start: Any = 1) -> Any:
    result = start
    for term in terms:
        result = result * term
    return result


def _dist(p: Any, q: Any) -> Any:
    return np.sqrt(_total([(a - b) ** 2 for a, b in zip(p, q, strict=True)]))


def _math_isclose(a: Any, b: Any, *, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> bool:
    if bool(a == b):
        return True
    size = np.maximum(np.abs(a), np.abs(b))
    return bool(np.abs(a - b) <= np.maximum(rel_tol * size, abs_tol))


def _to_int(round_: str) -> Wrapped:
    def call(x: Any) -> int:
        getattr(math, round_)(_number(x))
        return int(getattr(np, round_)(x))

    return call


_MATH_OWN: dict[str, Wrapped] = {
    "log": _log,
    "floor": _to_int("floor"),
    "ceil": _to_int("ceil"),
    "trunc": _to_int("trunc"),
    "fsum": _total,
    "prod": _product,
    "sumprod": lambda p, q: _total(a * b for a, b in zip(p, q, strict=True)),
    "dist": _dist,
    "hypot": lambda *x: np.sqrt(_total([v * v for v in x])),
    "isclose": _math_isclose,
    "remainder": lambda x, y: x - y * np.rint(x / y),
}


def vectorize_call(original: Wrapped) -> Wrapped:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_active() or not any(is_traced(a) for a in [*args, *kwargs.values()]):
            return original(self, *args, **kwargs)
        if self.signature is not None:
            raise TraceError("np.vectorize with a signature", user_line())
        return vectorized(self.pyfunc, args, kwargs, self.excluded)

    return call


def vectorized(function: Wrapped, args: Any, kwargs: Any, excluded: Any = ()) -> Any:
    """A Python function of numbers on every entry, broadcast."""
    varying = [i for i in range(len(args)) if i not in excluded]
    arrays = np.broadcast_arrays(*(np.asarray(unwrap(args[i]), dtype=object) for i in varying))
    call = list(args)
    shape = arrays[0].shape
    results = []
    for index in np.ndindex(shape):
        for i, array in zip(varying, arrays, strict=True):
            call[i] = wrap(array[index], scalar=True)
        results.append(function(*call, **kwargs))
    if results and isinstance(results[0], tuple):
        return tuple(_packed(column, shape) for column in zip(*results, strict=True))
    return _packed(results, shape)


def _packed(results: Any, shape: tuple[int, ...]) -> Any:
    if not contains_traced(list(results)):
        return wrap(np.array(results).reshape(shape), scalar=not shape)
    entries, dtype = gather(list(results))
    return wrap(entries.reshape(shape), dtype, scalar=not shape)


class _ScalarType(type):
    """So that ``isinstance(x, float)``, ``issubclass`` and ``==`` mean the type itself."""

    of: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.of)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.of)

    def __eq__(cls, other: Any) -> bool:
        return other is cls.of or other is cls

    def __hash__(cls) -> int:
        return hash(cls.of)


def _scalar_type(of: Any, dtype: Any) -> Any:
    """What the name of a float type means in traced code: a symbol passes, all else is the type's.

    The attribute ``dtype`` is what NumPy asks a class for, so that ``dtype=float`` keeps its sense.
    """

    def new(cls: type, x: Any = 0.0) -> Any:
        if is_active() and is_traced(x):
            array = wrap(x)
            if array._dtype.kind == "f" and (array.size == 1 or of is not builtins.float):
                return array.astype(dtype) if array.ndim else wrap(array.item(), dtype, scalar=True)
        return of(x)

    body = {"of": of, "dtype": np.dtype(dtype), "__new__": new, "__doc__": of.__doc__}
    return _ScalarType(of.__name__, (of,), body)


TracedFloat = _scalar_type(builtins.float, np.float64)
SCALAR_TYPES = {t: _scalar_type(t, t) for t in (np.float64, np.float32, np.float16)}
