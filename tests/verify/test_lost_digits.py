"""Inaccurate backwards: where the digits are lost, by what, and that right ones are left alone."""

import re

import numpy as np
import pytest

import verify
from verify import Verdict, check
from verify.report import svg


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)]


def inaccurate(f, vjp, **options):
    report = verify.check(f, vjp=vjp, **options)
    assert report.verdict == "inaccurate", str(report)
    assert report.region in str(report).replace("\n             ", " ")
    return report


def test_cancellation_far_out():
    report = inaccurate(np.tanh, lambda x, g: g * (1 - np.tanh(x) ** 2))
    assert "cancellation" in report.diagnosis
    start, _, all_lost, _ = numbers(report.region.replace("x < ", "x<"))[:4]
    assert abs(start) == pytest.approx(9.3, rel=0.2)
    assert abs(all_lost) == pytest.approx(18.9, rel=0.05)


def test_an_intermediate_that_overflows():
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    report = inaccurate(sigmoid, lambda x, g: g * np.exp(-x) / (1 + np.exp(-x)) ** 2)
    assert "overflows" in report.diagnosis
    assert report.region.startswith("all digits are lost for x < -354.")


def test_both_sides_of_a_removable_singularity():
    def sinc(x):
        safe = np.where(x == 0, 1, x)
        return np.where(x == 0, 1, np.sin(safe) / safe)

    def slope(x, g):
        safe = np.where(x == 0, 1, x)
        return g * np.where(x == 0, 0, np.cos(safe) / safe - np.sin(safe) / safe**2)

    report = inaccurate(sinc, slope)
    low, high, *_ = numbers(report.region)
    assert low == pytest.approx(-high, rel=0.1)
    assert report.diagnosis.startswith("cancellation: cos(x)/x - sin(x)/x**2")


def test_the_worst_point_is_followed_uphill():
    # Digits go at x = 1 + 1e-6 alone, between the points of the sweep.
    def f(x):
        return np.sin(x)

    def vjp(x, g):
        bump = 1e-12 / (1 + ((x - 1.3) / 0.05) ** 2)
        return g * ((np.cos(x) + 1e3 * bump * 1e9) - 1e3 * bump * 1e9)

    report = verify.check(f, vjp=vjp)
    there = verify.check(f, vjp=vjp, domain=(1.29, 1.31))
    assert report.max_ulp > 0.3 * there.max_ulp


@pytest.mark.parametrize(
    ("f", "vjp"),
    [
        (np.tanh, lambda x, g: g / np.cosh(x) ** 2),
        (np.expm1, lambda x, g: g * np.exp(x)),
        (np.arcsinh, lambda x, g: g / np.hypot(1, x)),
    ],
)
def test_the_careful_forms_pass(f, vjp):
    report = verify.check(f, vjp=vjp)
    assert report.ok, str(report)
    assert report.region is None


def test_where_all_floats_are_integers_a_phase_is_uncertain():
    # sin(pi x) is exactly zero at every float beyond 2^53, and its slopes are those of no number
    # nearby; a factor is a factor there too.
    def sinc(x):
        return np.sinc(x)

    def vjp(factor):
        def slope(x, g):
            safe = np.where(x == 0, 1, x)
            exact = np.cos(np.pi * safe) / safe - np.sin(np.pi * safe) / (np.pi * safe**2)
            small = -(np.pi**2) * x / 3 + np.pi**4 * x**3 / 30 - np.pi**6 * x**5 / 840
            return factor * g * np.where(np.abs(x) < 1e-3, small, exact)

        return slope

    assert verify.check(sinc, vjp=vjp(1)).ok
    assert verify.check(sinc, vjp=vjp(1 + 1e-9)).verdict == "refuted"


def test_what_is_lost_over_the_magnitude_beside_what_the_input_explains():
    report = check(np.sin, vjp=lambda x, grad_output: grad_output * np.cos(x), examples=[((),)])
    ratios = [limit / x for x, _, limit in report.samples if limit is not None and 1e3 < x < 1e12]
    assert 0.1 < np.median(ratios) < 10  # the condition of cos at x is x tan(x)
    picture = svg.lost_digits(report.samples)
    assert '<polyline class="limit"' in picture

    def naive(x, grad_output):
        e = np.exp(x)
        return grad_output * e / (1 + e) ** 2

    report = check(lambda x: 1 / (1 + np.exp(-x)), vjp=naive, examples=[((),)])
    assert report.verdict is Verdict.INACCURATE
    assert max(lost for _, lost, _ in report.samples) > 1e15
    assert min(lost for _, lost, _ in report.samples) < 8
    assert "what the rounding of the input explains" in report._repr_html_()
