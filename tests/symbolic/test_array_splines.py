"""Piecewise polynomials of ``scipy.interpolate`` at traced points and through traced data."""

import numpy as np
import pytest
from scipy import interpolate

from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees, signs

RNG = np.random.default_rng(10)
KNOTS = np.array([-2.0, -1, 0.3, 1, 2.5])
DATA, SEVERAL = RNG.normal(size=5), RNG.normal(size=(2, 5, 3))
PERIODIC = np.append(DATA[:-1], DATA[0])
BEYOND, INSIDE = np.array([-3.0, -2, 0, 2.5, 4.0]), np.array([[-1.7, -0.2], [0.3, 2.1]])
POINTS = [BEYOND, INSIDE, np.float64(0.7)]
UNIFORM = np.arange(9.0) - 4


def _bspline(extrapolate=True):
    return interpolate.BSpline(UNIFORM, DATA, 3, extrapolate)


def _univariate(ext):
    return interpolate.UnivariateSpline(KNOTS, DATA, s=0, ext=ext)


SPLINES = {
    "cubic": interpolate.CubicSpline(KNOTS, DATA),
    "cubic, along an axis": interpolate.CubicSpline(KNOTS, SEVERAL, axis=1),
    "cubic, not beyond": interpolate.CubicSpline(KNOTS, DATA, extrapolate=False),
    "cubic, periodic": interpolate.CubicSpline(KNOTS, PERIODIC, bc_type="periodic"),
    "derivative": interpolate.CubicSpline(KNOTS, DATA).derivative(),
    "monotone": interpolate.PchipInterpolator(KNOTS, DATA),
    "antiderivative": interpolate.PchipInterpolator(KNOTS, DATA).antiderivative(),
    "akima": interpolate.Akima1DInterpolator(KNOTS, SEVERAL, axis=1),
    "bernstein": interpolate.BPoly.from_derivatives(KNOTS, DATA[:, None]),
    "interpolating": interpolate.make_interp_spline(KNOTS, DATA),
    "quadratic": interpolate.make_interp_spline(KNOTS, SEVERAL, k=2, axis=1),
    "basis": _bspline(),
    "basis, not beyond": _bspline(False),
    "basis, periodic": _bspline("periodic"),
    "derivative of a basis": _bspline().derivative(),
    "fitted": interpolate.UnivariateSpline(KNOTS, DATA, s=0.1),
    "through the points": interpolate.InterpolatedUnivariateSpline(KNOTS, DATA).derivative(),
    "zeros": _univariate("zeros"),
}
INTERPOLATIONS = {
    (kind, how): interpolate.interp1d(KNOTS, y, kind, axis=axis, bounds_error=False, fill_value=f)
    for kind in ("linear", "quadratic", "cubic")
    for how, y, axis, f in [
        ("beyond", DATA, 0, "extrapolate"),
        ("axis", SEVERAL, 1, 0.0),
        ("ends", DATA, 0, (1.0, 2.0)),
    ]
}


@pytest.mark.parametrize("name", SPLINES)
def test_splines(name):
    spline = SPLINES[name]
    for points in POINTS:
        agrees(lambda x: spline(x), points)
        agrees(lambda x: spline(x, 1), points)


@pytest.mark.parametrize("name", INTERPOLATIONS)
def test_interpolations(name):
    interpolation = INTERPOLATIONS[name]
    for points in POINTS:
        agrees(lambda x: interpolation(x), points)


def test_integrals_and_fitpack():
    for spline in (SPLINES["cubic"], SPLINES["basis"]):
        agrees(lambda x: spline.integrate(x, 1.5) + spline.integrate(0.1, x), np.float64(0.7))
    tck = interpolate.splrep(KNOTS, DATA)
    agrees(lambda x: interpolate.splev(x, tck, der=1), INSIDE)
    constant_ends = _univariate("const")
    agrees(lambda x: constant_ends(x), BEYOND)


def test_grids():
    grids, data = (np.array([0, 1.0, 2.5]), np.array([0.0, 2, 3])), RNG.normal(size=(3, 3))
    points = RNG.uniform(0, 2.5, size=(4, 2))
    make = interpolate.RegularGridInterpolator
    inside, filled = make(grids, data), make(grids, data, bounds_error=False, fill_value=0.0)
    continued = make(grids, data, bounds_error=False, fill_value=None)
    line = make(grids[:1], data)
    agrees(lambda p: inside(p), points)
    agrees(lambda p: inside(p[0]), points)
    agrees(lambda p: inside((p[:, 0], p[:, 1])), points)
    agrees(lambda p: inside((p[0, 0], p[0, 1])), points)
    agrees(lambda p: continued(p), 3 * points - 2)
    agrees(lambda p: filled(p), 3 * points - 2)
    agrees(lambda p: line(p), points[:, 0])
    agrees(lambda p: interpolate.interpn(grids, data, p), points)
    agrees(lambda v: interpolate.interpn(grids, v, points), data)


@pytest.mark.parametrize("points", POINTS)
def test_traced_data(points):
    agrees(lambda y, x: interpolate.CubicSpline(KNOTS, y)(x), DATA, points)
    agrees(lambda y, x: interpolate.CubicSpline(KNOTS, y, axis=1)(x, 1), SEVERAL, points)
    agrees(lambda y: interpolate.CubicSpline(KNOTS, y, bc_type="natural")(points), DATA)
    agrees(lambda y, x: interpolate.make_interp_spline(KNOTS, y)(x), DATA, points)
    agrees(lambda c, x: interpolate.BSpline(UNIFORM, c, 3)(x), DATA, points)
    agrees(lambda c, x: interpolate.PPoly(c, KNOTS)(x), RNG.normal(size=(3, 4)), points)

    def cubic(y, x):
        return interpolate.interp1d(KNOTS, y, "cubic", axis=1, fill_value="extrapolate")(x)

    def linear(y, x):
        return interpolate.interp1d(KNOTS, y, bounds_error=False, fill_value=1.0)(x)

    agrees(cubic, SEVERAL, points)
    agrees(linear, DATA, points)


def test_made_of_constants_in_the_code():
    def scaled(kind):
        return lambda x: x * kind(np.arange(4.0), np.array([1.0, 2, 0, 1]))(x)

    agrees(scaled(interpolate.CubicSpline), INSIDE)
    agrees(scaled(interpolate.PchipInterpolator), INSIDE)


def test_the_knots_are_the_boundaries():
    spline = SPLINES["cubic"]
    t = trace(lambda x: spline(x), [0.5])
    assert signs(t) == [("add(x, -3/10)", ">="), ("add(-1, x)", "<")]


def test_what_is_not_supported():
    nearest = interpolate.interp1d(KNOTS, DATA, "nearest")
    with pytest.raises(TraceError, match="of kind 'nearest'"):
        trace(lambda x: nearest(x), [INSIDE])
    with pytest.raises(TraceError, match="not just called"):
        trace(lambda y: interpolate.CubicSpline(KNOTS, y).derivative()(0.5), [DATA])
    with pytest.raises(TraceError, match="constant ends"):
        trace(lambda x: _univariate("const")(x, 1), [BEYOND])
    with pytest.raises(TraceError):
        trace(lambda y: interpolate.PchipInterpolator(KNOTS, y)(0.5), [DATA])
