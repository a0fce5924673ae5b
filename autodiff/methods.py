"""The operators and methods of `Tensor`: each names the Function that it applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autodiff.tensor import Tensor

F: Any = None  # the package `functions`: set by `tensor`, since functions need Tensor first

__all__ = ["Methods"]


class Methods:
    """Operators and methods, apart from the storage and the graph."""

    __slots__ = ()

    def __add__(self, other: Any) -> Tensor:
        return F.Add.apply(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return F.Add.apply(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return F.Sub.apply(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return F.Sub.apply(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return F.Mul.apply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return F.Mul.apply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return F.Div.apply(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return F.Div.apply(other, self)

    def __neg__(self) -> Tensor:
        return F.Neg.apply(self)

    def __pow__(self, other: Any) -> Tensor:
        if isinstance(other, (int, float)):
            return F.Pow.apply(self, exponent=other)
        return F.Power.apply(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return F.Power.apply(other, self)


