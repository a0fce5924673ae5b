"""SymPy and SciPy, imported when first used, so that ``import autodiff`` loads NumPy alone."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["LazyModule", "linalg", "signal", "sp", "special"]


class LazyModule:
    """Stand in for a module that is imported on the first access to one of its attributes.

    Examples
    --------
    >>> from autodiff._lazy import LazyModule
    >>> fractions = LazyModule("fractions")
    >>> fractions.Fraction(1, 2)
    Fraction(1, 2)
    """

    def __init__(self, name: str) -> None:
        self.__dict__["__name__"] = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), attribute)
        # Kept on the proxy, so that later accesses cost what those to a module do.
        self.__dict__[attribute] = value
        return value

    def __repr__(self) -> str:
        return f"<lazy module {self.__name__!r}>"


sp: Any = LazyModule("sympy")
special: Any = LazyModule("scipy.special")
linalg: Any = LazyModule("scipy.linalg")
signal: Any = LazyModule("scipy.signal")
