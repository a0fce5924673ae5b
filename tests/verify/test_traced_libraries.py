"""Rules that use SciPy's compiled functions: the right one is proved, a wrong one refuted."""

import math

import numpy as np
import pytest
from numpy.polynomial import chebyshev
from scipy import interpolate, linalg, ndimage, optimize, signal, sparse, spatial, special
from scipy.linalg import lapack
from scipy.sparse import linalg as sparse_linalg
from scipy.spatial.transform import Rotation

from symbolic.namespace import _PYTHON_CLASS
from verify import check, domains

SOS = signal.butter(3, 0.3, output="sos")
KERNEL = np.array([0.25, 0.5, 0.3])
SMOOTHING = signal.savgol_filter(np.eye(5), 3, 1, axis=0)
SHIFTED = np.stack([ndimage.shift(e, 0.4, mode="nearest") for e in np.eye(5)], axis=1)


def convolved(x):
    return ndimage.convolve1d(x, KERNEL, mode="constant")


FILTERS = {
    "recursive filter": (
        lambda x: signal.sosfilt(SOS, x),
        lambda x, g: signal.sosfilt(SOS, g[::-1])[::-1],
        lambda x, g: signal.sosfilt(SOS, g),
    ),
    "smoothing": (
        lambda x: signal.savgol_filter(x, 3, 1),
        lambda x, g: SMOOTHING.T @ g,
        lambda x, g: signal.savgol_filter(g, 3, 1),
    ),
    "shift": (
        lambda x: ndimage.shift(x, 0.4, mode="nearest"),
        lambda x, g: SHIFTED.T @ g,
        lambda x, g: ndimage.shift(g, -0.4, mode="nearest"),
    ),
    "convolution, squared": (
        lambda x: convolved(x) ** 2,
        lambda x, g: ndimage.correlate1d(2 * g * convolved(x), KERNEL, mode="constant"),
        lambda x, g: ndimage.convolve1d(2 * g * convolved(x), KERNEL, mode="constant"),
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters(name):
    _check(*FILTERS[name], shape=(5,))


GRAPH = sparse.csr_matrix(np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8], [1.0, 0.0, 0.0]]))
TARGET = np.array([0.1, 0.4, 0.3])
LAPLACIAN = sparse.diags([[-1.0] * 2, [2.5] * 3, [-0.5] * 2], [-1, 0, 1]).tocsc()
FACTORS = sparse_linalg.splu(LAPLACIAN)


def residual(x):
    return FACTORS.solve(x) - TARGET


SPARSE = {
    "capped messages": (
        lambda x: np.clip(GRAPH @ x, 0, 6),
        lambda x, g: GRAPH.T @ (g * ((GRAPH @ x > 0) & (GRAPH @ x < 6))),
        lambda x, g: GRAPH.T @ (g * (GRAPH @ x > 0)),
    ),
    "factors": (
        lambda x: 0.5 * np.dot(residual(x), residual(x)),
        lambda x, g: g * FACTORS.solve(residual(x), trans="T"),
        lambda x, g: g * FACTORS.solve(residual(x)),
    ),
}


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_matrices(name):
    _check(*SPARSE[name], shape=(3,))


KNOTS, DATA = np.array([-2.0, -1, 0.3, 1, 2.5]), np.array([0.1, -0.1, 0.6, 0.1, -0.5])
CUBIC = interpolate.CubicSpline(KNOTS, DATA)
MONOTONE = interpolate.PchipInterpolator(KNOTS, DATA)
LINEAR = interpolate.interp1d(KNOTS, DATA, bounds_error=False, fill_value=(DATA[0], DATA[-1]))
BASIS = np.array([-3.0, -2, -1, 0, 1, 2, 3, 4])


def slope(x):
    steps = np.diff(DATA) / np.diff(KNOTS)
    return steps[np.clip(np.searchsorted(KNOTS, x) - 1, 0, 3)]


def basis(c):
    return interpolate.BSpline(BASIS, c, 3)(np.array([0.25, 0.75]))


SPLINES = {
    "cubic": (
        lambda x: CUBIC(x),
        lambda x, g: g * CUBIC.derivative()(x),
        lambda x, g: g * CUBIC.derivative()(np.clip(x, -2, 2.5)),
    ),
    "monotone": (
        lambda x: MONOTONE(x) ** 2,
        lambda x, g: 2 * g * MONOTONE(x) * MONOTONE(x, 1),
        lambda x, g: 2 * g * MONOTONE(x) * MONOTONE(x, 1) * np.where(x > 1, 1.5, 1),
    ),
    "linear, constant beyond": (
        lambda x: LINEAR(x),
        lambda x, g: g * np.where((x >= -2) & (x <= 2.5), slope(x), 0),
        lambda x, g: g * slope(x),
    ),
}


@pytest.mark.parametrize("name", SPLINES)
def test_splines(name):
    _check(*SPLINES[name], shape=(2,))


def test_a_spline_of_the_coefficients():
    weights = interpolate.BSpline.design_matrix(np.array([0.25, 0.75]), BASIS, 3).toarray()
    _check(basis, lambda c, g: weights.T @ g, lambda c, g: weights.T @ g[::-1], shape=(4,))


TIMES = np.array([-0.5, 0.2, 0.9])
SERIES = {
    "chebyshev": (
        lambda c: chebyshev.chebval(TIMES, c),
        lambda c, g: chebyshev.chebvander(TIMES, 2).T @ g,
        lambda c, g: np.polynomial.polynomial.polyvander(TIMES, 2).T @ g,
    ),
    "derivative of a series": (
        lambda c: np.sum(chebyshev.chebval(TIMES, chebyshev.chebder(c)) ** 2),
        lambda c, g: g * _slopes().T @ (2 * _slopes() @ c),
        lambda c, g: g * _slopes().T @ (_slopes() @ c),
    ),
    "sum of squares": (
        lambda x: math.fsum(v * v for v in x),
        lambda x, g: 2 * g * x,
        lambda x, g: g * x,
    ),
    "repeated": (
        lambda x: np.concatenate([[v * v] * 2 for v in x]),
        lambda x, g: 2 * x * (g[::2] + g[1::2]),
        lambda x, g: 4 * x * g[::2],
    ),
}


def _slopes():
    return np.stack([chebyshev.chebval(TIMES, chebyshev.chebder(e)) for e in np.eye(3)], axis=1)


@pytest.mark.parametrize("name", SERIES)
def test_series_and_sums(name):
    _check(*SERIES[name], shape=(3,))


def distance(a, b):
    """Between positive definite matrices, squared; its gradient is zero where they are equal."""
    return np.sum(np.log(linalg.eigvalsh(a, b)) ** 2)


def distance_grad(a, b, second=-1):
    w, v = linalg.eigh(a, b)
    d = 2 * np.log(w) / w
    return (v * d) @ v.T, second * (v * (d * w)) @ v.T


def test_eigenvalues_of_two_matrices():
    options = {
        "examples": [((2, 2), (2, 2))],
        "domain": [domains.positive_definite, domains.positive_definite],
    }
    assert check(distance, grad=distance_grad, **options).verdict == "proved"
    wrong = check(distance, grad=lambda a, b: distance_grad(a, b, -1.5), **options)
    assert wrong.verdict == "refuted"


def log_determinant(a):
    c, _ = lapack.dpotrf(a @ a.T + np.eye(len(a)), lower=1)
    return 2 * np.sum(np.log(np.diag(c)))


def log_determinant_vjp(a, g):
    c, _ = lapack.dpotrf(a @ a.T + np.eye(len(a)), lower=1)
    return 2 * g * lapack.dpotrs(c, a, lower=1)[0]


def test_lapack():
    _check(log_determinant, log_determinant_vjp, lambda a, g: log_determinant_vjp(a, g).T, (2, 2))


STABLE = np.array([[-1.0, 0.5], [0.2, -2.0]])


def test_lyapunov_equation():
    _check(
        lambda q: linalg.solve_continuous_lyapunov(STABLE, q),
        lambda q, g: linalg.solve_continuous_lyapunov(STABLE.T, g),
        lambda q, g: linalg.solve_continuous_lyapunov(STABLE, g),
        shape=(2, 2),
    )


LANDMARKS = np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 2.0]])
TREE = spatial.cKDTree(LANDMARKS)


def nearest(x, k=0):
    return x - LANDMARKS[TREE.query(x, k=2)[1][..., k]]


def test_nearest_neighbours():
    _check(
        lambda x: 0.5 * np.sum(TREE.query(x)[0] ** 2),
        lambda x, g: g * nearest(x),
        lambda x, g: g * nearest(x, 1),
        shape=(2,),
    )


def matched(cost):
    rows, columns = optimize.linear_sum_assignment(cost)
    return cost[rows, columns].sum()


def chosen(cost, inverse=False):
    rows, columns = optimize.linear_sum_assignment(cost)
    out = np.zeros_like(cost)
    out[(columns, rows) if inverse else (rows, columns)] = 1.0
    return out


def test_assignments():
    _check(matched, lambda c, g: g * chosen(c), lambda c, g: g * (1 - chosen(c)), shape=(2, 2))
    options = {"vjp": lambda c, g: g * chosen(c, inverse=True), "examples": [((3, 3),)]}
    assert check(matched, **options).verdict == "refuted"


def voigt(x, sigma):
    return special.voigt_profile(x, sigma, 0.5)


def voigt_grad(x, sigma, width=1.0):
    z = (x + 0.5j) / (sigma * np.sqrt(2))
    w, scale = special.wofz(z), sigma * np.sqrt(2 * np.pi)
    slope = -2 * z * w + 2j / np.sqrt(np.pi)
    of_x = slope.real / (sigma * np.sqrt(2)) / scale
    return of_x, -(width * w.real + (slope * z).real) / sigma / scale


def test_voigt_profile():
    # Far out the slope is a small difference of large numbers.
    options = {"examples": [((), ())], "domain": [(-3, 3), (0.3, 3)]}
    assert check(voigt, grad=voigt_grad, **options).verdict == "proved"
    wrong = check(voigt, grad=lambda x, s: voigt_grad(x, s, 0.0), **options)
    assert wrong.verdict == "refuted"


MARKER = np.array([0.3, -0.5, 1.0])


def turned(t):
    return Rotation.from_euler("z", t).apply(MARKER)


@pytest.mark.skipif(
    not Rotation.__flags__ & _PYTHON_CLASS,
    reason="before SciPy 1.17 Rotation is a compiled class, whose methods cannot be replaced",
)
def test_rotations():
    axis = np.array([0.0, 0.0, 1.0])
    _check(
        turned,
        lambda t, g: np.sum(g * np.cross(axis, turned(t))),
        lambda t, g: np.sum(g * np.cross(axis, MARKER)),
        shape=(),
    )


def _check(function, right, wrong, shape):
    assert check(function, vjp=right, examples=[(shape,)]).verdict == "proved"
    assert check(function, vjp=wrong, examples=[(shape,)]).verdict == "refuted"
