"""Closed forms of floats: found where meant, not found where digits are wrong."""

import math
import random
from fractions import Fraction

import pytest

from symbolic.constants import recognise


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (math.pi, "pi"),
        (math.pi / 2, "1/2*pi"),
        (math.pi / 180, "1/180*pi"),
        (math.e, "E"),
        (math.sqrt(2), "sqrt(2)"),
        (1 / math.sqrt(2), "1/2*sqrt(2)"),
        (math.sqrt(2 / math.pi), "sqrt(2/pi)"),
        (1 / math.sqrt(2 * math.pi), "1/sqrt(2*pi)"),
        (0.9189385332046727, "1/2*log(2*pi)"),
        (math.log(2), "log(2)"),
        (1 / math.log(10), "1/log(10)"),
        (0.5772156649015329, "EulerGamma"),
        (2 / math.sqrt(math.pi), "2*1/sqrt(pi)"),
        (-math.sqrt(3), "-sqrt(3)"),
    ],
)
def test_constants_of_the_trade(number, text):
    assert recognise(number).text == text


@pytest.mark.parametrize(
    ("number", "fraction"),
    [
        (0.1, Fraction(1, 10)),
        (1e-5, Fraction(1, 100000)),
        (0.044715, Fraction(44715, 10**6)),
        (1 / 3, Fraction(1, 3)),
        (-2 / 7, Fraction(-2, 7)),
        (3.0, Fraction(3)),
        (1e20, Fraction(10**20)),
        (0.1 + 0.2, Fraction(3, 10)),
        (0.0, Fraction(0)),
    ],
)
def test_decimals_and_fractions(number, fraction):
    form = recognise(number)
    assert form.factor == fraction
    assert form.base is None


@pytest.mark.parametrize("number", [math.pi, math.sqrt(2), math.log(2), 1 / 3, 2 / 7])
@pytest.mark.parametrize("ulps", [8, -8, 1000])
def test_a_few_ulps_off_is_another_number(number, ulps):
    off = number + ulps * math.ulp(number)
    form = recognise(off)
    assert form is None or (form.base is None and abs(form.factor - Fraction(off)) < 1e-16)


def test_truncated_constants_are_decimals():
    assert recognise(0.707106781).base is None
    assert recognise(3.14159265).factor == Fraction(314159265, 10**8)


def test_accidents_are_rare():
    rng = random.Random(1)
    found = 0
    for _ in range(20_000):
        form = recognise(rng.uniform(0.1, 10))
        found += form is not None and form.base is not None
    assert found == 0
