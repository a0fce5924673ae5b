"""The built-in Functions, one family a file, and the plain functions that apply them."""

from __future__ import annotations

from autodiff.function import Elementwise, Function
from autodiff.functions import arithmetic, exponential

_FAMILIES = (arithmetic, exponential)

__all__ = ["all_functions"]


def all_functions() -> list[type[Function]]:
    """Return every built-in Function, in the order in which the files define them.

    Examples
    --------
    >>> from autodiff.functions import all_functions
    >>> all_functions()[0].__name__
    'Add'
    """
    return [
        entry
        for family in _FAMILIES
        for name, entry in vars(family).items()
        if isinstance(entry, type)
        and issubclass(entry, Function)
        and entry not in (Function, Elementwise)
        and entry.__module__ == family.__name__
        and not name.startswith("_")
    ]


for _function in all_functions():
    globals()[_function.__name__] = _function
del _function
