"""Nested lists, ``math``, ``statistics`` and NumPy's polynomials on traced entries."""

import functools
import itertools
import math
import operator
import statistics

import numpy as np
import pytest
from numpy.polynomial import (
    Chebyshev,
    Polynomial,
    chebyshev,
    hermite,
    hermite_e,
    laguerre,
    legendre,
    polynomial,
)

from tests.symbolic.traces import agrees

X = np.random.default_rng(11).normal(size=4)
WEIGHTS = [0.5, 1.0, 2.0, 3.0]
TIMES = np.linspace(-1, 1, 6)

LISTS = {
    "concatenate": lambda x: np.concatenate([[x[0], 2 * x[1]], [x[2]]]),
    "concatenate repeated": lambda x: np.concatenate([[s * 2] * 2 for s in x]),
    "concatenate mixed": lambda x: np.concatenate(([0.0], x[1:], [x[0] * x[1]])),
    "concatenate axis": lambda x: np.concatenate([[[x[0]], [1.0]], [[x[1]], [x[2]]]], axis=1),
    "stack": lambda x: np.stack([[x[0], 1.0], [x[1], x[2]]]),
    "hstack": lambda x: np.hstack([[x[0]], [x[1], 2.0]]),
    "vstack": lambda x: np.vstack([[x[0], 1.0], [x[1], 2.0]]),
    "column_stack": lambda x: np.column_stack([[x[0], x[1]], [1.0, 2.0]]),
    "block": lambda x: np.block([[x[0], x[1]], [1.0, 2.0]]),
    "append": lambda x: np.append([x[0]], [x[1], x[2]]),
    "tile": lambda x: np.tile([x[0], x[1]], 2),
    "roll": lambda x: np.roll([x[0], x[1], 1.0], 1),
    "array": lambda x: np.array([[x[0], 1.0], [x[1], x[2]]]),
    "accumulate": lambda x: np.array(list(itertools.accumulate(x))),
}
NUMBERS = {
    "fsum": lambda x: math.fsum(v * v for v in x),
    "fsum of a map": lambda x: math.fsum(map(operator.mul, x, WEIGHTS)),
    "prod": lambda x: math.prod((v + 1 for v in x), start=2.0),
    "hypot": lambda x: math.hypot(*x),
    "dist": lambda x: math.dist([x[0], x[1]], (x[2], 1.0)),
    "reduce": lambda x: functools.reduce(operator.mul, x),
    "mean": lambda x: statistics.mean(list(x)),
    "fmean": lambda x: statistics.fmean(v * v for v in x),
    "fmean with weights": lambda x: statistics.fmean(x, WEIGHTS),
    "geometric mean": lambda x: statistics.geometric_mean([abs(v) + 0.1 for v in x]),
    "harmonic mean": lambda x: statistics.harmonic_mean([abs(v) + 0.1 for v in x]),
    "variance": lambda x: statistics.variance(list(x)) + statistics.pvariance(x),
    "deviation": lambda x: statistics.stdev(list(x)) + statistics.pstdev(x),
    "correlation": lambda x: statistics.correlation(list(x), WEIGHTS),
    "covariance": lambda x: statistics.covariance(WEIGHTS, list(x)),
    "median": lambda x: statistics.median(list(x)),
}
SERIES = {
    "polyval": lambda x: polynomial.polyval(0.3, x) + polynomial.polyval(x, [1.0, 2, 3]),
    "chebval": lambda x: chebyshev.chebval(TIMES, x),
    "chebval at traced points": lambda x: chebyshev.chebval(x, [1.0, 2, 3, 0.5]),
    "legval": lambda x: legendre.legval(x, x),
    "hermval": lambda x: hermite.hermval(x, x),
    "hermeval": lambda x: hermite_e.hermeval(x, x),
    "lagval": lambda x: laguerre.lagval(x, x),
    "chebval2d": lambda x: chebyshev.chebval2d(x, x, [[1.0, 2], [3, 4.0]]),
    "derivatives": lambda x: np.concatenate([chebyshev.chebder(x), legendre.legder(x)]),
    "more derivatives": lambda x: np.concatenate([hermite.hermder(x), laguerre.lagder(x, 2)]),
    "integrals": lambda x: np.concatenate([polynomial.polyint(x), chebyshev.chebint(x)]),
    "matrices": lambda x: np.hstack([chebyshev.chebvander(x, 3), legendre.legvander(x, 2)]),
    "product": lambda x: (Polynomial(x) * Polynomial([1.0, 2])).coef,
    "polynomial": lambda x: Polynomial([1.0, 2, 3], domain=[0, 2.0]).deriv()(x),
    "coefficients": lambda x: Chebyshev(x).integ()(0.3) + Polynomial(x).deriv()(0.5),
    "conversion": lambda x: Polynomial(x).convert(kind=Chebyshev).coef,
    "poly1d": lambda x: np.poly1d([1.0, 2, 3]).deriv()(x) + np.poly1d(x)(0.5),
    "fit": lambda x: chebyshev.chebfit(TIMES, np.concatenate([x, [1.0, 2.0]]), 2),
}


@pytest.mark.parametrize("name", LISTS)
def test_nested_lists(name):
    agrees(LISTS[name], X)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    agrees(NUMBERS[name], X)


@pytest.mark.parametrize("name", SERIES)
def test_polynomials(name):
    agrees(SERIES[name], X)
    assert chebyshev.np is np
