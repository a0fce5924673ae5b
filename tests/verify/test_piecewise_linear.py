"""Sums of bends of affine functions with coefficients in tenths: ties, near ties, absorbed terms.

The gradient adds up in another order than forward, so that rounding decides otherwise where it can.
"""

import numpy as np
import pytest

from verify.check import check

SEEDS = [pytest.param(s, marks=[] if s < 5 else [pytest.mark.slow]) for s in range(60)]


def affine(a, b, x):
    return sum(a[:, j] * x[j] for j in reversed(range(a.shape[1]))) + b


def moduli(a, b, x):
    return np.abs(a @ x + b).sum(), np.sign(affine(a, b, x)) @ a


def hinges(a, b, x):
    return np.maximum(a @ x + b, 0).sum(), (affine(a, b, x) > 0) @ a


def largest(a, b, x):
    return (a @ x + b).max(), a[affine(a, b, x).argmax()]


def squared(a, b, x):
    s = affine(a, b, x)
    i = s.argmax()
    return np.maximum((a @ x + b).max() - 0.3, 0) ** 2, 2 * max(s[i] - 0.3, 0) * a[i]


def clipped(a, b, x):
    s = affine(a, b, x)
    return np.clip(a @ x + b, 0.1, None).sum(), (s >= 0.1) @ a


FORMS = [moduli, hinges, largest, squared, clipped]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_gradient_passes_and_a_wrong_one_does_not(seed):
    rng = np.random.default_rng(seed)
    form = FORMS[seed % len(FORMS)]
    unknowns, count = rng.integers(1, 3), rng.integers(2, 4)
    a = np.round(0.1 * rng.integers(-9, 10, (count, unknowns)), 1)
    b = np.round(0.1 * rng.integers(-5, 6, count), 1)
    options = {"examples": [((int(unknowns),),)]}
    report = check(lambda x: form(a, b, x)[0], grad=lambda x: form(a, b, x)[1], **options)
    assert report.ok, str(report)
    if np.any(a):
        a_off = a * (1 + 1e-7)
        report = check(lambda x: form(a, b, x)[0], grad=lambda x: form(a_off, b, x)[1], **options)
        assert not report.ok, str(report)
