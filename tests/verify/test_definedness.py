"""Where forward has a value for some arguments alone: those are what has to be covered."""

import numpy as np
import pytest

from verify import domains
from verify.check import check


def barrier(p):
    return np.sum(np.log(p)) + np.log(1 - np.sum(p))


def barrier_grad(p):
    return 1 / p - 1 / (1 - np.sum(p))


def entropies(x, y):
    rest = 1 - x - y
    return x * np.log(x) + y * np.log(y) + rest * np.log(rest)


def entropies_grad(x, y):
    rest = 1 - x - y
    return np.log(x / rest), np.log(y / rest)


def gap(a, b):
    return np.log(a - b)


def gap_grad(a, b):
    return 1 / (a - b), -1 / (a - b)


def cap(x, y):
    return np.sqrt(1 - x * x - y * y)


def cap_grad(x, y):
    return -x / cap(x, y), -y / cap(x, y)


CASES = [
    (barrier, barrier_grad, lambda p: p[0] > 0.6, {"examples": [((3,),)]}),
    (entropies, entropies_grad, lambda x, y: x > 0.2, {"examples": [((), ())]}),
    (gap, gap_grad, lambda a, b: a - b < 1e-4 * a, {"examples": [((), ())]}),
    (cap, cap_grad, lambda x, y: x > 0.9, {"examples": [((), ())]}),
    (
        lambda p: -np.sum(p * np.log(p)),
        lambda p: -np.log(p) - 1,
        lambda p: p[0] > 0.97,
        {"examples": [((3,),)], "domain": [domains.simplex]},
    ),
]


@pytest.mark.parametrize(("subject", "grad", "region", "options"), CASES)
def test_a_region_in_which_forward_has_values_is_reached(subject, grad, region, options):
    assert check(subject, grad=grad, **options).ok

    def wrong(*args):
        found = grad(*args)
        factor = np.where(region(*args), 1.001, 1.0)
        return tuple(factor * g for g in found) if isinstance(found, tuple) else factor * found

    report = check(subject, grad=wrong, **options)
    assert not report.ok, str(report)


def test_a_region_without_values_needs_no_gradient():
    def grad(x):
        return np.where(x > 0, 1 / x, 5.0)

    report = check(lambda x: np.sum(np.log(x)), grad=grad, examples=[((2,),)])
    assert report.verdict.value == "proved", str(report)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize(
    ("domain", "rare"),
    [
        (lambda rng, shape: rng.normal(size=shape), lambda x: np.any(x > 2.5)),
        (lambda rng, shape: rng.dirichlet(np.ones(shape[0])), lambda x: x[0] > 0.9),
    ],
)
def test_what_a_sampler_seldom_gives(domain, rare, right):
    def grad(x):
        return 3 * x**2 * (1.5 if rare(x) and not right else 1.0)

    report = check(lambda x: np.sum(x**3), grad=grad, examples=[((3,),)], domain=[domain])
    assert report.ok is right, str(report)
