"""Choices by values, searches, and the summaries of ``scipy.stats``, on traced arrays."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.spatial import KDTree, cKDTree

from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees, signs

RNG = np.random.default_rng(12)
X, COST = RNG.normal(size=5), RNG.normal(size=(3, 3))
POINTS = np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 2.0]])
TREES = [cKDTree(POINTS), KDTree(POINTS)]
DENSITY = stats.gaussian_kde(np.array([-1.0, 0.3, 0.5, 1.8]), bw_method=0.5)
PLANE = stats.gaussian_kde(RNG.normal(size=(2, 6)))


@pytest.mark.parametrize("method", ["average", "min", "max", "dense", "ordinal"])
def test_ranks(method):
    tied = np.array([1.0, 0.5, 1.0, 2.0])
    for x in (X, tied):
        agrees(lambda x: stats.rankdata(x, method) * x, x)
    t = trace(lambda x: stats.rankdata(x, method) * x, [np.array([2.0, 1.0])])
    assert {sign for _, sign in signs(t)} >= {"!="}  # the order, and that there is no tie


@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (3, 2)])
@pytest.mark.parametrize("maximize", [False, True])
def test_assignments(shape, maximize):
    def total(cost):
        rows, columns = optimize.linear_sum_assignment(cost, maximize=maximize)
        return cost[rows, columns].sum()

    t = agrees(total, COST[: shape[0], : shape[1]])
    assert len(t.conditions) == 5  # the other assignments


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_neighbours(tree, p):
    x = RNG.normal(size=(2, 2))
    agrees(lambda x: tree.query(x, p=p)[0], x)
    agrees(lambda x: tree.query(x[0], p=p)[0], x)
    agrees(lambda x: tree.query(x, k=2, p=p)[0] * x, x)
    agrees(lambda x: x - POINTS[tree.query(x)[1]], x)
    kind = type(tree)
    agrees(lambda x: kind(np.array([[0.0, 0], [1, 1]])).query(x, k=[1])[0], x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: DENSITY(x),
        lambda x: DENSITY.logpdf(x),
        lambda x: PLANE(x[:2]),
        lambda x: PLANE.pdf([x[:3], x[2:]]),
        stats.tmean,
        stats.zscore,
        stats.sem,
        lambda x: stats.gmean(np.abs(x)),
        lambda x: stats.hmean(np.abs(x)),
    ],
)
def test_summaries(function):
    agrees(function, X)


@pytest.mark.parametrize("name", ["bisect", "brenth", "brentq", "ridder", "toms748"])
def test_a_search_of_a_traced_function(name):
    search = getattr(optimize, name)
    with pytest.raises(TraceError, match=f"{name} searches for a root of a traced function"):
        trace(lambda k: search(lambda x: x * np.exp(x) - k, 0.0, 5.0), [np.float64(0.7)])
    agrees(lambda k: k * search(lambda x: x * np.exp(x) - 1, 0.0, 5.0), np.float64(0.7))


def test_other_searches():
    with pytest.raises(TraceError, match="root_scalar searches"):
        trace(lambda k: optimize.root_scalar(lambda x: x - k, bracket=(0, 5)).root, [0.7])
    with pytest.raises(TraceError, match="fsolve searches"):
        trace(lambda k: optimize.fsolve(lambda x: [x[0] - k], [1.0])[0], [0.7])
    agrees(lambda k: optimize.newton(lambda x: x * np.exp(x) - k, 1.0), np.float64(0.7))


def test_what_is_not_supported():
    with pytest.raises(TraceError, match="by a bound"):
        trace(lambda x: TREES[1].query(x, distance_upper_bound=1.0)[0], [POINTS[0]])
    with pytest.raises(TraceError, match="without the nearer ones"):
        trace(lambda x: TREES[0].query(x, k=[1, 3])[0], [POINTS[0]])
    with pytest.raises(TraceError, match="shape"):
        trace(lambda c: optimize.linear_sum_assignment(c)[0] * c[0], [np.eye(6)])
