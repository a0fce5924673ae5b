"""The names that code sees while it runs on arrays of any size.

NumPy hands these arrays over by itself. What makes *new* arrays (``np.zeros``), takes a size for a
number (``len``, ``int``, ``np.prod``, ``math.sqrt``) or is written in Python (SciPy's ``softmax``)
is bound to a counterpart, in the code's own modules, until the run ends.

May import: :mod:`symbolic.any_shape_array`, :mod:`symbolic.any_shape_functions`,
:mod:`symbolic.any_shape_operands`, :mod:`symbolic.reach`, :mod:`symbolic.wrappers`.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import math
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from symbolic import any_shape_functions as functions
from symbolic.any_shape_array import AnyShapeArray, Size
from symbolic.any_shape_operands import operand
from symbolic.reach import Counterparts, rebound
from symbolic.wrappers import MATH_UFUNCS

__all__ = ["any_shape_namespace"]

Wrapped = Callable[..., Any]


def _symbolic(value: Any) -> Any:
    """The size or array of any size that an argument is or holds, or None."""
    if type(value) in (AnyShapeArray, Size):
        return value
    if isinstance(value, (tuple, list)):
        return next((found for v in value if (found := _symbolic(v)) is not None), None)
    return None


def _where_symbolic(original: Wrapped, ours: Wrapped) -> Wrapped:
    """``ours`` where an argument is of any size, the original elsewhere."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _symbolic([*args, *kwargs.values()]) is None:
            return original(*args, **kwargs)
        return ours(*args, **kwargs)

    return call


def _filled(value: Any) -> Wrapped:
    def make(shape: Any, *args: Any, **kwargs: Any) -> Any:
        filled = args[0] if value is None else value
        return functions.spread(_symbolic(shape).run, shape, filled)

    return make


def _eye(n: Any, m: Any = None, k: Any = 0, **kwargs: Any) -> Any:
    run = _symbolic((n, m)).run
    if type(k) is Size or k:
        raise run.stop("an identity matrix with the ones beside the diagonal")
    return functions.identity(run, n, m)


def _product(a: Any, *args: Any, **kwargs: Any) -> Any:
    if type(a) is AnyShapeArray or args or kwargs.keys() - {"dtype"}:
        raise _symbolic(a).run.stop("a product of entries")
    return math.prod(a) if isinstance(a, (tuple, list)) else a


def _array(value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    """``np.array``, ``np.asarray`` and conversions of scalars."""
    found = _symbolic(value)
    if isinstance(value, (tuple, list)):
        raise found.run.stop("an array made of entries")
    array = operand(found.run, found)
    return array if dtype is None else functions.astype(array, dtype)


def _copied(*args: Any, **kwargs: Any) -> Any:
    return functions.copy(_array(*args, **kwargs))


def _length(value: Any) -> Any:
    if type(value) is AnyShapeArray and value.axes:
        return value.length(value.axes[0])
    return builtins.len(value)


class _ScalarType(type):
    """So that ``isinstance(x, int)``, ``issubclass`` and ``==`` mean the type itself."""

    of: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.of) or (cls.of is builtins.int and type(instance) is Size)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.of)

    def __eq__(cls, other: object) -> bool:
        return other is cls.of or other is cls

    def __hash__(cls) -> int:
        return hash(cls.of)


def _scalar_type(of: Any) -> Any:
    """``int`` and ``float``: a size stays a size, or becomes a 0-d array."""

    def new(cls: type, *args: Any) -> Any:
        if args and type(args[0]) is Size:
            return args[0] if of is builtins.int else args[0].array
        if of is not builtins.int and args and type(args[0]) is AnyShapeArray and not args[0].axes:
            return args[0]
        return of(*args)

    body = {"of": of, "dtype": np.dtype(of), "__new__": new, "__doc__": of.__doc__}
    return _ScalarType(of.__name__, (of,), body)


class _Module(types.ModuleType):
    """A module with some names of its own; all others are the original's."""

    def __init__(self, original: types.ModuleType, own: dict[str, Any]):
        super().__init__(original.__name__, original.__doc__)
        self.__dict__.update(own)
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_original"], name)


_INT, _FLOAT, _FLOAT64 = (_scalar_type(t) for t in (builtins.int, builtins.float, np.float64))


@functools.lru_cache(maxsize=1)
def _numpy() -> dict[str, Any]:
    ours: dict[str, Wrapped] = {
        "zeros": _filled(0), "empty": _filled(0), "ones": _filled(1), "full": _filled(None),
        "eye": _eye, "identity": _eye, "prod": _product, "array": _copied, "asarray": _array,
        "asanyarray": _array, "ascontiguousarray": _array, "broadcast_to": functions.broadcast_to,
        "isscalar": lambda x: type(x) is Size,
    }  # fmt: skip
    found: dict[str, Any] = {k: _where_symbolic(getattr(np, k), f) for k, f in ours.items()}
    return {**found, "float64": _FLOAT64, "double": _FLOAT64}


@functools.lru_cache(maxsize=1)
def _math() -> dict[str, Any]:
    return {
        name: _where_symbolic(getattr(math, name), getattr(np, ufunc))
        for name, ufunc in {**MATH_UFUNCS, "log": "log"}.items()
    }


_SPECIAL = ("softmax", "log_softmax", "logsumexp")


def _of_special() -> dict[str, Any]:
    special = importlib.import_module("scipy.special")
    return {
        name: _where_symbolic(getattr(special, name), getattr(functions, name)) for name in _SPECIAL
    }


_PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "numpy": _numpy,
    "math": _math,
    "scipy.special": _of_special,
}


@functools.lru_cache(maxsize=8)
def _counterparts_of(name: str) -> tuple[types.ModuleType, dict[int, Any]]:
    """A module's own counterpart, and those of its functions by identity."""
    original = sys.modules[name]
    if name == "scipy":
        own: dict[str, Any] = {"special": _counterparts_of("scipy.special")[0]}
        return _Module(original, own), {}
    own = _PARTS[name]()
    return _Module(original, own), {id(getattr(original, k)): v for k, v in own.items()}


def _counterpart(value: Any) -> Any:
    if isinstance(value, types.ModuleType):
        name = value.__name__
        known = name in _PARTS or (name == "scipy" and "scipy.special" in sys.modules)
        if known and sys.modules.get(name) is value:
            return _counterparts_of(name)[0]
        return None
    if not callable(value):
        return None
    for name in _PARTS:
        if name in sys.modules:
            found = _counterparts_of(name)[1].get(id(value))
            if found is not None:
                return found
    return None


_BUILTINS = {"len": _length, "int": _INT, "float": _FLOAT}
_COUNTERPARTS = Counterparts(_counterpart, _BUILTINS, of_scipy=False)


@contextmanager
def any_shape_namespace(code: Sequence[Any]) -> Iterator[None]:
    """Bind the names that ``code`` can reach to their counterparts until the block ends."""
    with rebound(code, _COUNTERPARTS), np.errstate(all="ignore"):
        yield
