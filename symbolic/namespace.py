"""The constructors of NumPy and the functions of ``math``, made to trace while a trace runs.

NumPy hands traced arrays to this package by itself. What it does not hand over is code that makes
*new* arrays (``np.zeros``, ``np.array([...])``), the functions of ``math``, and SciPy's functions
written in Python. While a trace runs, these are replaced in their modules by wrappers, which do
what the original does in every other thread, and for callers inside NumPy and SciPy.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.functions`.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from symbolic.array_functions import tabled
from symbolic.values import Symbol, TraceError, user_line

__all__ = ["installed", "is_active", "original_of", "wrapper_of"]

# A list, not a number: the wrappers read it at each call.
_STATE = threading.local()
_LOCK = threading.RLock()
_INNER = frozenset(
    {"numpy", "scipy", "symbolic", "verify", "sympy", "flint", "mpmath", "importlib", "functools"}
)


def is_active() -> bool:
    """Whether a trace runs in this thread."""
    return getattr(_STATE, "depth", 0) > 0


def _caller() -> str:
    """The top package of the code that called the wrapper."""
    return sys._getframe(2).f_globals.get("__name__", "").partition(".")[0]


Wrapped = Callable[..., Any]


def _constructor(original: Wrapped) -> Wrapped:
    """``np.zeros`` and its kind: the same array, of traced entries if its dtype is a float."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        if not is_active() or _caller() in _INNER:
            return original(*args, **kwargs)
        return wrap(original(*args, **kwargs))

    return make


def _maker_of_like(original: Wrapped) -> Wrapped:
    """``np.zeros_like`` and its kind: of a real array as well."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if not is_active() or type(result) is TracedArray or _caller() in _INNER:
            return result
        return wrap(result)

    return make


def _converter(original: Wrapped, copies: bool) -> Wrapped:
    """``np.array``, ``np.asarray``: lists with traced entries become traced arrays."""

    @functools.wraps(original)
    def convert(obj: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not is_active() or (caller := _caller()) == "symbolic":
            return original(obj, dtype, *args, **kwargs)
        if is_traced(obj) or contains_traced(obj):
            return _to_array(obj, dtype, copies and kwargs.get("copy", True) is not False, kwargs)
        result = original(obj, dtype, *args, **kwargs)
        if caller in _INNER or result is obj or result.dtype.kind not in "fc":
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


def _on_traced(original: Wrapped, ours: Wrapped) -> Wrapped:
    """A function of the library: ours where an argument is traced."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(*args, **kwargs)
        for a in args:
            if is_traced(a) or (type(a) in (list, tuple) and contains_traced(a)):
                return ours(*args, **kwargs)
        for a in kwargs.values():
            if is_traced(a):
                return ours(*args, **kwargs)
        return original(*args, **kwargs)

    return call


def _of_lists(original: Wrapped) -> Wrapped:
    """A function that NumPy dispatches by its arguments' types: a list of traced entries as well."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not is_active():
            return original(*args, **kwargs)
        for a in args:
            if type(a) in (list, tuple) and contains_traced(a):
                break
        else:
            return original(*args, **kwargs)
        return original(*[_listed(a) for a in args], **kwargs)

    return call


def _listed(a: Any) -> Any:
    return wrap(*gather(a)) if type(a) in (list, tuple) and contains_traced(a) else a


def _fromiter(original: Wrapped) -> Wrapped:
    @functools.wraps(original)
    def fromiter(iter: Any, dtype: Any, count: int = -1, **kwargs: Any) -> Any:
        if not is_active():
            return original(iter, dtype, count, **kwargs)
        items = list(iter) if count < 0 else [v for v, _ in zip(iter, range(count), strict=False)]
        if contains_traced(items):
            return _to_array(items, dtype, True, {})
        return original(items, dtype, **kwargs)

    return fromiter


def _joined(original: Wrapped) -> Wrapped:
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


def _isscalar(original: Wrapped) -> Wrapped:
    @functools.wraps(original)
    def isscalar(element: Any) -> bool:
        return type(element) is Symbol or original(element)

    return isscalar


def _arange(*args: Any, **kwargs: Any) -> Any:
    start, stop, step = {
        1: lambda a: (0, a, 1),
        2: lambda a, b: (a, b, 1),
        3: lambda a, b, c: (a, b, c),
    }[len(args)](*args)
    count = int(np.ceil((stop - start) / step))
    return start + np.arange(max(count, 0)) * step


def _full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    entries, found = gather(fill_value)
    return TracedArray(np.array(np.broadcast_to(entries, shape)), np.dtype(dtype or found))


# Functions of `math`: the NumPy or SciPy function that traces; the value is math's own.

_MATH_UFUNCS = {
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


def _math(name: str) -> Wrapped | None:
    own = getattr(math, name)
    if name in _MATH_UFUNCS or name in _MATH_SPECIAL:

        def call(*args: Any) -> Any:
            own(*(_number(a) for a in args))  # raises what math raises: log(-1), exp(1000)
            if name in _MATH_UFUNCS:
                function = getattr(np, _MATH_UFUNCS[name])
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


def _vectorize_call(original: Wrapped) -> Wrapped:
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


class _FloatType(type):
    """So that ``isinstance(x, float)`` and ``issubclass`` mean the builtin."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, builtins.float)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, builtins.float)

    def __eq__(cls, other: Any) -> bool:
        return other is builtins.float or other is cls

    def __hash__(cls) -> int:
        return hash(builtins.float)


class TracedFloat(builtins.float, metaclass=_FloatType):
    """What the name ``float`` means in traced code: a symbol passes, all else is the builtin."""

    dtype = np.dtype(np.float64)  # so that `dtype=float` still means float64

    def __new__(cls, x: Any = 0.0) -> Any:
        if is_active() and is_traced(x):
            array = wrap(x) if type(x) is not TracedArray else x
            if array.size == 1 and array._dtype.kind == "f":
                return wrap(array.item(), scalar=True)
        return builtins.float(x)


_SPACES = ("logspace", "geomspace")


# The table of replacements: what each attribute of each module becomes.


def _replacements() -> Iterator[tuple[Any, str, Any]]:
    for name in ["zeros", "ones", "empty", "eye", "identity", "tri"]:
        yield np, name, _constructor(getattr(np, name))
    for name, ours in (("full", _full), ("arange", _arange)):
        yield np, name, _on_traced(_constructor(getattr(np, name)), ours)
    yield np, "fromiter", _fromiter(np.fromiter)
    yield type(np.r_).__base__, "__getitem__", _joined(type(np.r_).__base__.__getitem__)
    for name in ("linspace", *_SPACES):
        yield np, name, _constructor(getattr(np, name))
    for name in ["zeros_like", "ones_like", "empty_like", "full_like", "where", "select", "diag"]:
        yield np, name, _maker_of_like(getattr(np, name))
    for name in ["array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "require"]:
        if hasattr(np, name):
            yield np, name, _converter(getattr(np, name), copies=name == "array")
    taken = {"where", "select", "zeros_like", "ones_like", "empty_like", "full_like", "diag"}
    for function in tabled():
        name = getattr(function, "__name__", "")
        if getattr(np, name, None) is function and name not in taken | {"linspace", *_SPACES}:
            yield np, name, _of_lists(function)
    yield np, "isscalar", _isscalar(np.isscalar)
    yield np.vectorize, "__call__", _vectorize_call(np.vectorize.__call__)
    for name in dir(math):
        own = getattr(math, name)
        if callable(own) and not name.startswith("_"):
            ours = _math(name)
            if ours is not None:
                yield math, name, _on_traced(own, ours)
    from symbolic.functions import LIBRARY

    for module_name, functions in LIBRARY.items():
        module = importlib.import_module(module_name)
        for name, ours in functions.items():
            if hasattr(module, name):
                yield module, name, _on_traced(getattr(module, name), ours)


@functools.lru_cache(maxsize=1)
def _table() -> list[tuple[Any, str, Any, Any]]:
    return [(module, name, getattr(module, name), new) for module, name, new in _replacements()]


@functools.lru_cache(maxsize=1)
def _wrappers() -> dict[int, Any]:
    found = {id(old): new for _, _, old, new in _table()}
    found[id(builtins.float)] = TracedFloat
    return found


def wrapper_of(value: Any) -> Any:
    """What a name bound to ``value`` is bound to while a trace runs, or None."""
    return _wrappers().get(id(value))


def original_of(value: Any) -> Any:
    """The function that a wrapper of this module stands for, or the value itself."""
    return getattr(value, "__wrapped__", value)


@contextmanager
def installed() -> Iterator[None]:
    """Replace the table's attributes for the time of a trace; nested traces install once."""
    with _LOCK:
        depth = getattr(_STATE, "depth", 0)
        table = _table()
        if depth == 0:
            for module, name, _, new in table:
                setattr(module, name, new)
        _STATE.depth = depth + 1
        try:
            yield
        finally:
            _STATE.depth = depth
            if depth == 0:
                for module, name, old, _ in table:
                    setattr(module, name, old)
