"""Piecewise polynomials of ``scipy.interpolate`` at traced points.

The piece is found by bisection, whose comparisons are recorded: the knots are boundaries of cells.
In the piece the polynomial is a sum of powers of the distance to its left knot.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.linear_maps`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial, perm
from typing import Any, NamedTuple

import numpy as np

from symbolic.array import has_symbols, values, wrap
from symbolic.array_functions import as_traced, revalued
from symbolic.linear_maps import linear, plain
from symbolic.values import TraceError, user_line

__all__ = [
    "SCIPY_INTERPOLATE",
    "Pieces",
    "interp1d_at",
    "of_bspline",
    "of_interp1d",
    "of_ppoly",
    "spline_at",
]

Entry = Any


class Pieces(NamedTuple):
    """Polynomials between ascending knots, the highest power first.

    ``coefficients`` is an array of entries of shape ``(order, number of pieces, ...)``; ``axis`` is
    where the axes of the points stand in the result.
    """

    knots: np.ndarray
    coefficients: np.ndarray
    axis: int = 0


def _piece(x: Entry, knots: Any) -> int:
    """The index of the piece that holds ``x``; the first and the last reach to infinity."""
    low, high = 0, len(knots) - 2
    while low < high:
        middle = (low + high + 1) // 2
        if x >= knots[middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _polynomial(x: Entry, pieces: Pieces, derivative: int) -> Any:
    """The value at one point, of the shape of one coefficient."""
    i = _piece(x, pieces.knots)
    h = x - float(pieces.knots[i])
    order = len(pieces.coefficients)
    total: Any = np.zeros(pieces.coefficients.shape[2:]).astype(object)[()]
    for power, c in zip(range(order - 1, -1, -1), pieces.coefficients[:, i], strict=True):
        if power >= derivative:
            total = total * h + c * perm(power, derivative)
    return total


def _evaluated(x: Any, pieces: Pieces, derivative: int, outside: Callable[[Entry], Any]) -> Any:
    """The pieces at each point; ``outside`` gives what stands beyond the ends, or None."""
    x = as_traced(x)
    tail = pieces.coefficients.shape[2:]
    out = np.empty(x.shape + tail, dtype=object)
    for index in np.ndindex(x.shape):
        beyond = outside(x._entries[index])
        out[index] = (
            _polynomial(x._entries[index], pieces, derivative) if beyond is None else beyond
        )
    return wrap(_placed(out, x.ndim, pieces.axis), np.dtype(float), scalar=x._scalar)


def _placed(out: np.ndarray, ndim: int, axis: int) -> np.ndarray:
    """The axes of the points moved behind the first ``axis`` axes of the data."""
    order = list(range(out.ndim))
    return out.transpose(order[ndim : ndim + axis] + order[:ndim] + order[ndim + axis :])


def _within(x: Entry) -> None:
    return None


def _nan_beyond(knots: np.ndarray) -> Callable[[Entry], Any]:
    low, high = float(knots[0]), float(knots[-1])
    return lambda x: None if low <= x and x <= high else np.nan


def spline_at(pieces: Pieces, x: Any, nu: int, extrapolate: Any, value: Any) -> Any:
    """A ``PPoly`` or ``BSpline`` at the points ``x``, where it has that value."""
    if nu < 0:
        raise TraceError("an antiderivative by a negative order", user_line())
    outside: Callable[[Entry], Any] = _within
    if isinstance(extrapolate, str):  # "periodic"
        low, high = float(pieces.knots[0]), float(pieces.knots[-1])
        x = low + (x - low) % (high - low)
    elif not extrapolate:
        outside = _nan_beyond(pieces.knots)
    return revalued(_evaluated(x, pieces, nu, outside), value)


def of_ppoly(self: Any) -> Pieces:
    from scipy.interpolate import BPoly, PPoly

    if isinstance(self, BPoly):
        return of_ppoly(PPoly.from_bernstein_basis(self))
    knots, c = np.asarray(self.x), np.asarray(self.c, dtype=object)
    if knots[-1] < knots[0]:
        raise TraceError("a piecewise polynomial whose breakpoints descend", user_line())
    return Pieces(knots, c, self.axis)


def of_bspline(self: Any) -> Pieces:
    """Taylor's polynomials at the knots of the base interval."""
    from scipy.interpolate import BSpline

    t, c, k = self.t, self.c, self.k
    knots = np.unique(t[k : len(t) - k])
    spline = BSpline.construct_fast(t, c, k, extrapolate=True, axis=0)
    taylor = [spline(knots[:-1], nu) / factorial(nu) for nu in range(k, -1, -1)]
    return Pieces(knots, np.array(taylor, dtype=object), self.axis)


def _called(of: Callable[[Any], Pieces]) -> Callable[..., Any]:
    def call(self: Any, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        return spline_at(of(self), x, nu, extrapolate, self(values(x), nu, extrapolate))

    return call


def _integrate(self: Any, a: Any, b: Any, extrapolate: Any = None) -> Any:
    extrapolate = self.extrapolate if extrapolate is None else extrapolate
    value = self.integrate(*(values(v).item() for v in (a, b)), extrapolate)
    if extrapolate is not True:
        raise TraceError("the integral of a spline without extrapolation", user_line())
    whole = self.antiderivative()
    return revalued(as_traced(whole(b) - whole(a)), value)


def _splev(x: Any, tck: Any, der: Any = 0, ext: Any = 0) -> Any:
    from scipy.interpolate import BSpline, splev

    if isinstance(tck, BSpline):
        return tck(x, der, extrapolate=True)
    tck = tuple(plain(part, "tck") for part in tck)
    t, c, k = tck
    if np.ndim(c) > 1:
        raise TraceError("splev of several splines", user_line())
    numbers: Any = values(x)
    value = splev(numbers, tck, der, ext)
    pieces = of_bspline(BSpline(t, c[: len(t) - k - 1], k))
    low, high = float(pieces.knots[0]), float(pieces.knots[-1])
    outside: Callable[[Entry], Any] = _within
    if ext == 1:
        outside = lambda x: None if low <= x and x <= high else 0.0  # noqa: E731
    elif ext == 2:
        outside = _nan_beyond(pieces.knots)  # `splev` has raised where it is outside
    elif ext == 3:
        if der and np.any((numbers < low) | (numbers > high)):
            raise TraceError("the derivative of a spline with constant ends", user_line())
        x = np.clip(x, low, high)
    return revalued(_evaluated(x, pieces, der, outside), value)


_MODES = {"extrapolate": 0, "zeros": 1, "raise": 2, "const": 3}


def _univariate(self: Any, x: Any, nu: int = 0, ext: Any = None) -> Any:
    ext = self.ext if ext is None else ext
    return _splev(x, self._eval_args, nu, _MODES.get(ext, ext))


def of_interp1d(self: Any) -> Pieces:
    y = np.moveaxis(np.asarray(self.y), self.axis, 0)
    if self._kind == "linear":
        steps = np.diff(self.x).reshape(-1, *[1] * (y.ndim - 1))
        c = np.array([np.diff(y, axis=0) / steps, y[:-1]], dtype=object)
        return Pieces(self.x, c, self._y_axis)
    if not hasattr(self, "_spline"):
        raise TraceError(f"interp1d of kind {self._kind!r} at traced points", user_line())
    found = of_bspline(self._spline)
    c = found.coefficients
    return Pieces(found.knots, c.reshape(c.shape[:2] + y.shape[1:]), self._y_axis)


def interp1d_at(self: Any, pieces: Pieces, x: Any, value: Any) -> Any:
    """An ``interp1d`` at the points ``x``, where it has that value."""
    outside: Callable[[Entry], Any] = _within
    if not self._extrapolate:
        shape = pieces.coefficients.shape[2:]
        below, above = (
            np.broadcast_to(fill, (np.zeros(shape).size,)).reshape(shape).astype(object)[()]
            for fill in (self._fill_value_below, self._fill_value_above)
        )
        low, high = float(self.x[0]), float(self.x[-1])
        outside = lambda x: below if x < low else above if x > high else None  # noqa: E731
    return revalued(_evaluated(x, pieces, 0, outside), value)


def _interp1d(self: Any, x: Any) -> Any:
    from scipy.interpolate import interp1d

    if not isinstance(self, interp1d):
        raise TraceError(f"{type(self).__name__} at traced points", user_line())
    return interp1d_at(self, of_interp1d(self), x, self(values(x)))


# Grids


def _cell(x: Entry, grid: np.ndarray) -> tuple[int, Entry]:
    """The interval of the grid that holds ``x``, and how far along it ``x`` is."""
    i = _piece(x, grid)
    return i, (x - float(grid[i])) / float(grid[i + 1] - grid[i])


def _multilinear(point: np.ndarray, grids: Sequence[np.ndarray], data: np.ndarray) -> Any:
    if not len(point):
        return data
    i, w = _cell(point[0], grids[0])
    low, high = (_multilinear(point[1:], grids[1:], data[j]) for j in (i, i + 1))
    return low * (1 - w) + high * w


def _grid(self: Any, xi: Any, method: Any = None, **kwargs: Any) -> Any:
    method = self.method if method is None else method
    if method != "linear" or kwargs:
        raise TraceError(f"interpolation by {method!r} on a grid at traced points", user_line())
    if isinstance(xi, tuple):
        value = self(tuple(values(x) for x in xi))
        xi = np.stack(np.broadcast_arrays(*(as_traced(x) for x in xi)), axis=-1)
    else:
        xi = as_traced(xi)
        value = self(values(xi))
    grids, data = [np.asarray(g) for g in self.grid], np.asarray(self.values)
    if any(g[0] > g[-1] for g in grids):
        raise TraceError("a grid that descends", user_line())
    points = xi._entries
    if len(grids) == 1 and (points.ndim < 2 or points.shape[-1] != 1):
        points = points[..., None]
    elif points.ndim == 1:
        points = points[None]
    out = np.empty(points.shape[:-1] + data.shape[len(grids) :], dtype=object)
    for index in np.ndindex(points.shape[:-1]):
        point = points[index]
        inside = all(g[0] <= x and x <= g[-1] for x, g in zip(point, grids, strict=True))
        fill = None if inside or self.bounds_error else self.fill_value
        found = _multilinear(point, grids, data.astype(object)) if fill is None else fill
        out[index] = found
    return revalued(wrap(out.reshape(np.shape(value)), np.dtype(float)), value)


_data_of_interpn = linear("scipy.interpolate", "interpn", "values")


def _interpn(
    points: Any, values: Any, xi: Any, method: Any = "linear", bounds_error: bool = True,
    fill_value: Any = np.nan,
) -> Any:  # fmt: skip
    from scipy.interpolate import RegularGridInterpolator

    if method == "linear" and has_symbols(as_traced(xi)._entries):
        points = tuple(plain(p, "points") for p in points)
        data = plain(values, "values")
        return RegularGridInterpolator(points, data, method, bounds_error, fill_value)(xi)
    return _data_of_interpn(points, values, xi, method, bounds_error, fill_value)


SCIPY_INTERPOLATE: dict[str, Callable[..., Any]] = {
    "PPoly.__call__": _called(of_ppoly),
    "PPoly.integrate": _integrate,
    "BSpline.__call__": _called(of_bspline),
    "BSpline.integrate": _integrate,
    "UnivariateSpline.__call__": _univariate,
    "splev": _splev,
    "interp1d.__call__": _interp1d,
    "RegularGridInterpolator.__call__": _grid,
    "interpn": _interpn,
}
