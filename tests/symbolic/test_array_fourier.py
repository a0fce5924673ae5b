"""Fourier, cosine and sine transforms, convolutions: every normalisation, against SciPy."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic.tracing import trace
from tests.symbolic.traces import agrees, parts

NORMS = [None, "backward", "ortho", "forward"]
RNG = np.random.default_rng(6)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 9),
    fit=st.sampled_from([None, -1, 2]),
    norm=st.sampled_from(NORMS),
    seed=st.integers(0, 99),
)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, n, fit, norm, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    count = None if fit is None else max(1, n + fit)
    if name in ("irfft", "hfft") and n == 1 and count is None:
        count = 2
    for module in (np.fft, scipy.fft):
        function = getattr(module, name)
        if name in ("rfft", "ihfft"):
            agrees(lambda x: parts(function(x, count, norm=norm)), x)
        else:
            agrees(lambda x, y: parts(function(x + 1j * y, count, norm=norm)), x, y)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn".split())
def test_two_dimensions(name, norm):
    x, y = RNG.normal(size=(2, 3, 4))
    function = getattr(np.fft, name)
    if name.startswith("rfft"):
        agrees(lambda x: parts(function(x, norm=norm)), x)
    else:
        agrees(lambda x, y: parts(function(x + 1j * y, norm=norm)), x, y)
        agrees(lambda x, y: parts(function(x + 1j * y, s=(3, 5), axes=(0, 1), norm=norm)), x, y)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
def test_cosine_and_sine(name, kind, norm):
    for n in (2, 3, 5, 8):
        agrees(lambda x: getattr(scipy.fft, name)(x, kind, norm=norm), RNG.normal(size=n))


def test_shifts_and_spectra():
    x = RNG.normal(size=(3, 4))
    agrees(np.fft.fftshift, x)
    agrees(np.fft.ifftshift, x)
    agrees(lambda x: np.abs(np.fft.fft(x)) ** 2, x)
    agrees(lambda x: np.angle(np.fft.fft(x)), x)
    agrees(lambda x: np.fft.ifft(np.fft.fft(x) * np.fft.fftfreq(4)).imag, x)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 8, 12, 16])
def test_roots_of_unity_are_exact(n):
    t = trace(lambda x: parts(np.fft.fft(x)), [RNG.normal(size=n)])
    for node in (n for output in t.outputs for n in output.flat):
        assert "float" not in {leaf.op for leaf in _leaves(node)}


def _leaves(node):
    stack, seen = [node], set()
    while stack:
        n = stack.pop()
        if n not in seen:
            seen.add(n)
            stack.extend(n.children)
    return seen


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [(5, 3), (3, 5), (4, 4), (1, 3)])
def test_convolutions(mode, sizes):
    a, b = (RNG.normal(size=n) for n in sizes)
    for function in (
        np.convolve,
        np.correlate,
        scipy.signal.convolve,
        scipy.signal.correlate,
        scipy.signal.fftconvolve,
    ):
        agrees(lambda a, b: function(a, b, mode=mode), a, b)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 2)])
def test_convolutions_of_images(mode, kernel):
    image, k = RNG.normal(size=(4, 5)), RNG.normal(size=kernel)
    agrees(lambda a, b: scipy.signal.convolve2d(a, b, mode=mode), image, k)
    agrees(lambda a, b: scipy.signal.correlate2d(a, b, mode=mode), image, k)


def test_filters():
    b, a, x = RNG.normal(size=3), np.array([1.5, 0.5]), RNG.normal(size=(2, 5))
    agrees(lambda b, a, x: scipy.signal.lfilter(b, a, x), b, a, x)
    agrees(scipy.signal.detrend, x)
    agrees(lambda x: scipy.signal.detrend(x, type="constant"), x)
