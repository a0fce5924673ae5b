"""Densities and distribution functions of scipy.stats on symbols."""

import numpy as np
import pytest
from scipy import stats

from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees

Z = np.array([0.2, 0.9, 0.45])
# fmt: off
SHAPES = {
    "norm": (), "expon": (), "uniform": (), "laplace": (), "logistic": (), "cauchy": (),
    "gumbel_r": (), "halfnorm": (), "rayleigh": (), "gamma": (2.5,), "chi2": (3.5,),
    "beta": (1.5, 2.5), "t": (4.5,), "lognorm": (0.75,), "weibull_min": (1.5,), "invgamma": (2.0,),
}
COUNTS = {
    "poisson": (2.5,), "bernoulli": (0.3,), "binom": (4, 0.3), "geom": (0.3,), "nbinom": (3, 0.4),
}
# fmt: on


@pytest.mark.parametrize("method", ["pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"])
@pytest.mark.parametrize("name", SHAPES)
def test_continuous(name, method):
    distribution, shapes = getattr(stats, name), SHAPES[name]
    function = getattr(distribution, method)
    agrees(lambda x: getattr(distribution, method)(x, *shapes), Z)
    agrees(lambda x, m, s: function(x, *shapes, loc=m, scale=s), Z, np.array(0.1), np.array(1.3))
    agrees(lambda x: getattr(distribution(*shapes, loc=0.1), method)(x), Z)


@pytest.mark.parametrize("name", ["gamma", "chi2", "beta", "t", "lognorm"])
def test_densities_in_their_shapes(name):
    agrees(lambda *p: getattr(stats, name).logpdf(Z, *p), *map(np.array, SHAPES[name]))


@pytest.mark.parametrize("name", ["norm", "expon", "uniform", "logistic", "cauchy"])
def test_quantiles(name):
    agrees(lambda q: getattr(stats, name).ppf(q, loc=0.5, scale=2.0), Z)


@pytest.mark.parametrize("method", ["pdf", "cdf", "sf"])
@pytest.mark.parametrize("name", ["expon", "uniform", "gamma", "beta", "rayleigh"])
def test_outside_the_support(name, method):
    agrees(lambda x: getattr(getattr(stats, name), method)(x, *SHAPES[name]), Z - 3)


@pytest.mark.parametrize("method", ["pmf", "logpmf"])
@pytest.mark.parametrize("name", COUNTS)
def test_discrete(name, method):
    *fixed, p = COUNTS[name]
    counts = np.array([1, 1, int(name == "geom")])
    agrees(lambda p: getattr(getattr(stats, name), method)(counts, *fixed, p), np.array(p))


def test_what_has_no_row_says_so():
    with pytest.raises(TraceError, match="levy"):
        trace(lambda x: stats.levy.pdf(x), [Z])


def test_classes_are_as_before():
    before = dict(vars(stats.rv_continuous)), dict(vars(stats.norm))
    trace(lambda x: stats.norm.pdf(x), [Z])
    assert before == (dict(vars(stats.rv_continuous)), dict(vars(stats.norm)))
