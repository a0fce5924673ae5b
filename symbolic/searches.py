"""Compiled searches for a root, which call the user's function: not with a traced one.

A search in C goes on after a result that is no float, and fails later in a way that tells nothing.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.wrappers`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from symbolic.array import contains_traced, has_symbols, values
from symbolic.array_functions import as_traced
from symbolic.values import TraceError, user_line
from symbolic.wrappers import is_active

__all__ = ["SCIPY_SEARCHES"]

_BRACKETING = ("bisect", "brenth", "brentq", "ridder", "toms748")


def _checked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if not contains_traced(result):
            return result
        if has_symbols(as_traced(result)._entries):
            raise TraceError(f"{name} searches for a root of a traced function", user_line())
        return values(result)[()]

    return call


def _search(original: Callable[..., Any]) -> Callable[..., Any]:
    name = original.__name__

    @functools.wraps(original)
    def search(f: Any, *args: Any, **kwargs: Any) -> Any:
        compiled = name != "root_scalar" or kwargs.get("method") in (*_BRACKETING, None)
        if not is_active() or not callable(f) or not compiled:
            return original(f, *args, **kwargs)
        return original(_checked(f, name), *args, **kwargs)

    return search


SCIPY_SEARCHES = dict.fromkeys((*_BRACKETING, "root_scalar", "fsolve", "root", "leastsq"), _search)
