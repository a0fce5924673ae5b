"""The operators of `Tensor`: each names the Function that it applies.

May import: :mod:`autodiff._lazy`; the families of Functions when the first operator is used.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff._lazy import LazyModule

if TYPE_CHECKING:
    from autodiff.tensor import Tensor

__all__ = ["Operators"]

F: Any = LazyModule("autodiff.functions")  # loaded by the first operation


def _other(value: Any) -> Any:
    """Take lists as arrays; numbers, arrays and tensors as they are."""
    return np.asarray(value) if isinstance(value, (list, tuple)) else value


def _without_gradient(operation: Any, x: Any, y: Any) -> Any:
    """Apply an operator to the values, and do not record it."""
    if y is None:
        return NotImplemented
    return F.wrap(operation(x._data, getattr(y, "_data", y)), None)


class Operators:
    """Arithmetic, comparison and indexing."""

    __slots__ = ()

    _data: Any

    # Arithmetic.

    def __add__(self, other: Any) -> Tensor:
        return F.Add.apply(self, other)  # type: ignore[no-any-return]

    def __radd__(self, other: Any) -> Tensor:
        return F.Add.apply(other, self)  # type: ignore[no-any-return]

    def __sub__(self, other: Any) -> Tensor:
        return F.Sub.apply(self, other)  # type: ignore[no-any-return]

    def __rsub__(self, other: Any) -> Tensor:
        return F.Sub.apply(other, self)  # type: ignore[no-any-return]

    def __mul__(self, other: Any) -> Tensor:
        return F.Mul.apply(self, other)  # type: ignore[no-any-return]

    def __rmul__(self, other: Any) -> Tensor:
        return F.Mul.apply(other, self)  # type: ignore[no-any-return]

    def __truediv__(self, other: Any) -> Tensor:
        return F.Div.apply(self, other)  # type: ignore[no-any-return]

    def __rtruediv__(self, other: Any) -> Tensor:
        return F.Div.apply(other, self)  # type: ignore[no-any-return]

    def __neg__(self) -> Tensor:
        return F.Neg.apply(self)  # type: ignore[no-any-return]

    def __pos__(self) -> Tensor:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Tensor:
        return F.Abs.apply(self)  # type: ignore[no-any-return]

    def __pow__(self, other: Any) -> Tensor:
        if isinstance(other, (int, float)):
            return F.Pow.apply(self, exponent=other)  # type: ignore[no-any-return]
        return F.power(self, _other(other))  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Tensor:
        return F.power(_other(other), self)  # type: ignore[no-any-return]

    def __matmul__(self, other: Any) -> Tensor:
        return F.matmul(self, other)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Tensor:
        return F.matmul(other, self)  # type: ignore[no-any-return]

    def __floordiv__(self, other: Any) -> Any:
        return _without_gradient(operator.floordiv, self, other)

    def __mod__(self, other: Any) -> Any:
        return F.remainder(self, _other(other))

    def __rmod__(self, other: Any) -> Any:
        return F.remainder(_other(other), self)

    # Comparison and logic: tensors of booleans, without a gradient.

    def __eq__(self, other: Any) -> Any:
        return _without_gradient(operator.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return _without_gradient(operator.ne, self, other)

    def __lt__(self, other: Any) -> Any:
        return _without_gradient(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return _without_gradient(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return _without_gradient(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return _without_gradient(operator.ge, self, other)

    def __and__(self, other: Any) -> Any:
        return _without_gradient(operator.and_, self, other)

    def __or__(self, other: Any) -> Any:
        return _without_gradient(operator.or_, self, other)

    def __xor__(self, other: Any) -> Any:
        return _without_gradient(operator.xor, self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Any:
        return F.wrap(~self._data, None)

    __hash__ = object.__hash__

    # Entries.

    def __getitem__(self, index: Any) -> Tensor:
        return F.getitem(self, index)  # type: ignore[no-any-return]
