"""Points where several branches meet within rounding: any side is right, nothing else is."""

import numpy as np

from verify import check
from verify.verdict import Verdict


def simplex(v):
    """The projection onto the simplex; its support and its entries branch on the same boundary."""
    u = np.sort(v)[::-1]
    excess = np.cumsum(u) - 1
    count = np.sum(u - excess / np.arange(1, len(v) + 1) > 0)
    return np.maximum(v - excess[count - 1] / count, 0)


def right(v, g):
    support = simplex(v) > 0
    inside = g * support
    return inside - support * inside.sum() / max(support.sum(), 1)


def wrong(v, g):
    """The size of the support is one too large where it is not everything."""
    support = simplex(v) > 0
    inside = g * support
    return inside - support * inside.sum() / min(support.sum() + 1, len(v))


def test_either_side_of_a_boundary_within_rounding_is_right():
    # The seed is one at which the two branches disagree by a rounding.
    for seed in (0, 2):
        report = check(simplex, vjp=right, examples=[((3,),)], seed=seed)
        assert report.ok, str(report)


def test_a_wrong_gradient_is_refuted_there_all_the_same():
    assert check(simplex, vjp=wrong, examples=[((3,),)], seed=2).verdict is Verdict.REFUTED
