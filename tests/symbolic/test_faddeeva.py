"""Faddeeva's function: SciPy's values, certified values, derivatives, and the proof's relations."""

import numpy as np
import pytest
from scipy import special

from symbolic.balls import enclose
from symbolic.decide import equal
from symbolic.graph import Graph
from tests.symbolic.traces import agrees, parts

RNG = np.random.default_rng(13)
X, Y = RNG.normal(size=3), np.abs(RNG.normal(size=3))
POINT = {"x": 0.75, "y": 0.5}


def _part(g, op, x, y):
    return g.apply(op, x, y)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: parts(special.wofz(x + 1j * y)),
        lambda x, y: parts(special.wofz(x)),
        lambda x, y: parts(special.wofz(1j * y)),
        lambda x, y: special.voigt_profile(x, y, 0.5),
        lambda x, y: special.voigt_profile(x, 0.0, y),
        lambda x, y: special.voigt_profile(x, y, 0.0),
        lambda x, y: special.voigt_profile(0.3, 0.7, y),
    ],
)
def test_traced(function):
    agrees(function, X, Y)


def test_certified_values():
    g = Graph()
    x, y = g.variable("x"), g.variable("y")
    re, im = enclose([_part(g, op, x, y) for op in ("wofz_re", "wofz_im")], POINT)
    want = special.wofz(0.75 + 0.5j)
    assert float(re) == pytest.approx(want.real, rel=1e-14)
    assert float(im) == pytest.approx(want.imag, rel=1e-14)


@pytest.mark.parametrize("op", ["wofz_re", "wofz_im"])
def test_derivatives(op):
    g = Graph()
    x, y = g.variable("x"), g.variable("y")
    slopes = g.vjp([_part(g, op, x, y)], [g.one], [x, y])
    h = 1e-6
    for slope, name in zip(slopes, "xy", strict=True):
        ends = [{**POINT, name: POINT[name] + s * h} for s in (1, -1)]
        high, low = (float(enclose([_part(g, op, x, y)], p)[0]) for p in ends)
        assert float(enclose([slope], POINT)[0]) == pytest.approx((high - low) / (2 * h), rel=1e-8)


def test_the_proof_knows_the_mirror_image():
    g = Graph()
    x, y = g.variable("x"), g.variable("y")
    minus = g.neg(x)
    assert equal(g, _part(g, "wofz_re", x, y), _part(g, "wofz_re", minus, y)).status == "proved"
    assert equal(g, _part(g, "wofz_im", x, y), _part(g, "wofz_im", minus, y)).status == "refuted"
