"""Filters of ``scipy.ndimage`` and ``scipy.signal``: linear maps, against SciPy itself."""

import numpy as np
import pytest
from scipy import ndimage, signal

from symbolic.tracing import TraceError, trace
from tests.symbolic.traces import agrees, parts

RNG = np.random.default_rng(8)
LINE, IMAGE, LONG = RNG.normal(size=7), RNG.normal(size=(4, 5)), RNG.normal(size=24)
KERNEL = np.array([0.25, 0.5, 0.3])
SOS = signal.butter(3, 0.3, output="sos")
B, A = signal.butter(2, 0.3)


@pytest.mark.parametrize("mode", ["reflect", "nearest", "mirror", "wrap", "constant"])
def test_boundaries(mode):
    agrees(lambda x: ndimage.gaussian_filter1d(x, 1.0, axis=0, mode=mode, truncate=2.0), IMAGE)
    agrees(lambda x: ndimage.uniform_filter(x, 3, mode=mode, cval=2.0), IMAGE)
    agrees(lambda x: ndimage.convolve1d(x, KERNEL, mode=mode, cval=1.5), LINE)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ndimage.gaussian_filter(x, (1, 0.5), order=1),
        lambda x: ndimage.gaussian_laplace(x, 0.7),
        lambda x: ndimage.convolve(x, [[1, 2.0], [0, 1]]),
        lambda x: ndimage.correlate(x, [[1, 2.0], [0, 1]]),
        lambda x: ndimage.correlate1d(x, KERNEL, axis=0),
        lambda x: ndimage.uniform_filter1d(x, 3),
        ndimage.laplace,
        lambda x: ndimage.sobel(x, 0),
        ndimage.prewitt,
        lambda x: ndimage.rotate(x, 30, order=1, reshape=False),
        lambda x: ndimage.affine_transform(x, [[0.9, 0.1], [0, 1]], order=1),
        lambda x: ndimage.map_coordinates(x, np.array([[0.5, 1.2], [1.0, 2.0]]), order=1),
        lambda x: ndimage.shift(x, (0.4, 0), order=3),
        lambda x: ndimage.zoom(x, 1.5, order=1),
        lambda x: ndimage.sobel(x, output=np.empty((4, 5))),
    ],
)
def test_images(function):
    agrees(function, IMAGE)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: signal.sosfilt(SOS, x),
        lambda x: signal.sosfiltfilt(SOS, x, padlen=2),
        lambda x: signal.filtfilt(B, A, x, padlen=2),
        lambda x: signal.savgol_filter(x, 5, 2),
        lambda x: signal.savgol_filter(x, 5, 2, deriv=1, mode="nearest"),
        lambda x: signal.resample(x, 5),
        lambda x: signal.resample_poly(x, 2, 1),
        lambda x: signal.decimate(x, 2, n=2, zero_phase=False),
        lambda x: parts(signal.hilbert(x)),
        lambda x: signal.upfirdn([1, 2.0], x, 2),
    ],
)
@pytest.mark.parametrize("line", [LINE, LONG])
def test_signals(function, line):
    agrees(function, line)


def test_the_kernel_is_traced_too():
    agrees(lambda x, w: ndimage.convolve1d(x, w), LINE, KERNEL)
    agrees(lambda x, w: ndimage.correlate1d(x, w, mode="constant", cval=2.0), LINE, KERNEL)
    agrees(lambda h, x: signal.upfirdn(h, x, 2), KERNEL, LINE)


def test_entries_that_are_constants():
    def padded(x):
        y = np.concatenate([np.zeros(2), x, np.ones(2)])
        return ndimage.gaussian_filter1d(y, 1.0, mode="constant", cval=3.0)

    agrees(padded, LINE)
    agrees(lambda x: x * ndimage.gaussian_filter1d(np.ones(7), 1.0, mode="constant"), LINE)


def test_no_term_for_a_coefficient_of_zero():
    t = trace(lambda x: ndimage.correlate1d(x, [1.0, 0.0, 0.0], mode="constant"), [LINE])
    assert [repr(node) for node in t.outputs[0]] == ["0", *(f"x[{i}]" for i in range(6))]


def test_what_is_not_linear():
    with pytest.raises(TraceError, match="'sigma' of a compiled function is traced"):
        trace(lambda s: ndimage.gaussian_filter1d(LINE, s), [1.0])
    with pytest.raises(TraceError, match="'sos' of a compiled function is traced"):
        trace(lambda sos: signal.sosfilt(sos, LINE), [SOS])
    with pytest.raises(TraceError, match="several results"):
        trace(lambda x: signal.sosfilt(SOS, x, zi=np.zeros((2, 2)))[0], [LINE])
    with pytest.raises(TraceError, match="coefficients"):
        trace(lambda x: ndimage.gaussian_filter1d(x, 40.0), [np.zeros(400)])
