"""Splines through traced data: their polynomials are linear in the data.

Such an object is SciPy's own, made of the data's values, whose class becomes one that is called
with traced coefficients.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.linear_maps`,
:mod:`symbolic.piecewise`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import has_symbols, values
from symbolic.array_functions import as_traced
from symbolic.linear_maps import affine, plain
from symbolic.piecewise import (
    Pieces,
    interp1d_at,
    of_bspline,
    of_interp1d,
    of_ppoly,
    spline_at,
)
from symbolic.values import TraceError, user_line

__all__ = ["SCIPY_SPLINES"]


def _called(self: Any, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    value = super(type(self), self).__call__(values(x), nu, extrapolate)
    return spline_at(self._pieces, x, nu, extrapolate, value)


def _interp1d_called(self: Any, x: Any) -> Any:
    return interp1d_at(self, self._pieces, x, super(type(self), self).__call__(values(x)))


def _unknown(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise TraceError("a spline through traced data that is not just called", user_line())


_OTHERS = ("derivative", "antiderivative", "integrate", "roots", "solve")


@functools.cache
def _class_of(kind: Any, call: Callable[..., Any]) -> Any:
    """A class of the same layout, whose instances have traced polynomials ``_pieces``."""
    return type(kind.__name__, (kind,), dict.fromkeys(_OTHERS, _unknown) | {"__call__": call})


def _take(
    spline: Any, make: Callable[..., Any], of: Callable[[Any], Pieces], data: Any,
    call: Callable[..., Any] = _called,
) -> Any:  # fmt: skip
    """Give ``spline``, which ``make`` makes of the data's values, the polynomials of the data."""
    pieces = of(spline)
    c = affine(lambda y: of(make(y)).coefficients.astype(float), data)
    kind: Any = type(spline)
    spline.__class__ = _class_of(kind, call)
    spline._pieces = pieces._replace(coefficients=c._entries)
    return spline


def _arguments(own: Callable[..., Any], data: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The call's arguments, all but the data plain, and the data."""
    bound = inspect.signature(own).bind(*args, **kwargs)
    given = bound.arguments
    traced = as_traced(given[data])
    for name, value in given.items():
        if name not in ("self", data):
            given[name] = plain(value, name)
    given[data] = values(traced).astype(traced.dtype)
    return bound, traced


def _made(
    kind: str, data: str, of: Callable[[Any], Pieces], call: Callable[..., Any] = _called
) -> Callable[..., None]:
    """``__init__`` of a spline's class for traced data."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        from scipy import interpolate

        cls = getattr(interpolate, kind)
        bound, traced = _arguments(cls.__init__, data, (self, *args), kwargs)
        cls.__init__(*bound.args, **bound.kwargs)
        if not has_symbols(traced._entries):
            return

        def make(y: np.ndarray) -> Any:
            other = cls.__new__(cls)
            bound.arguments |= {"self": other, data: y}
            cls.__init__(*bound.args, **bound.kwargs)
            return other

        _take(self, make, of, traced, call)

    return init


def _make_interp_spline(*args: Any, **kwargs: Any) -> Any:
    from scipy.interpolate import make_interp_spline

    bound, traced = _arguments(make_interp_spline, "y", args, kwargs)

    def make(y: np.ndarray) -> Any:
        bound.arguments["y"] = y
        return make_interp_spline(*bound.args, **bound.kwargs)

    spline = make_interp_spline(*bound.args, **bound.kwargs)
    return _take(spline, make, of_bspline, traced) if has_symbols(traced._entries) else spline


SCIPY_SPLINES: dict[str, Callable[..., Any]] = {
    "PPoly.__init__": _made("PPoly", "c", of_ppoly),
    "CubicSpline.__init__": _made("CubicSpline", "y", of_ppoly),
    "BSpline.__init__": _made("BSpline", "c", of_bspline),
    "interp1d.__init__": _made("interp1d", "y", of_interp1d, _interp1d_called),
    "make_interp_spline": _make_interp_spline,
}
