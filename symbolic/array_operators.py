"""The operators of a traced array, and its methods that are a function of NumPy of the same name.

May import: nothing of gradproof.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["ArrayOperators"]


class ArrayOperators:
    """What :class:`~symbolic.array.TracedArray` inherits; NumPy hands each back to it."""

    __slots__ = ()


# Methods that are the function of the same name with the array as first argument.

# fmt: off
_FUNCTIONS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "clip", "cumprod", "cumsum",
    "diagonal", "dot", "max", "mean", "min", "nonzero", "prod", "round", "searchsorted", "std",
    "sum", "take", "trace", "var",
)
# fmt: on


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = name
    return method


for _name in _FUNCTIONS:
    setattr(ArrayOperators, _name, _method(_name))


def _defers(other: Any) -> bool:
    """Whether NumPy leaves an operator to that operand: a Tensor, say, or a sparse matrix."""
    own = getattr(other, "__array_ufunc__", _MISSING)
    if own is not _MISSING:
        return own is None
    return getattr(other, "__array_priority__", 0.0) > 0


_MISSING = object()


def _operator(ufunc: Any, swapped: bool = False) -> Callable[..., Any]:
    def binary(self: Any, other: Any) -> Any:
        if _defers(other):
            return NotImplemented
        return ufunc(other, self) if swapped else ufunc(self, other)

    return binary


def _inplace(ufunc: Any) -> Callable[..., Any]:
    def update(self: Any, other: Any) -> Any:
        if self._scalar:
            return ufunc(self, other)
        return ufunc(self, other, out=(self,))

    return update


def _unary(ufunc: Any) -> Callable[..., Any]:
    return lambda self: ufunc(self)


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "divmod": np.divmod,
}.items():
    setattr(ArrayOperators, f"__{_name}__", _operator(_ufunc))
    setattr(ArrayOperators, f"__r{_name}__", _operator(_ufunc, swapped=True))
    if _name != "divmod":
        setattr(ArrayOperators, f"__i{_name}__", _inplace(_ufunc))
for _name, _ufunc in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    setattr(ArrayOperators, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(ArrayOperators, f"__{_name}__", _unary(_ufunc))
