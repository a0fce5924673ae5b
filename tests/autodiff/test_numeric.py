"""NumPy's functions that are composed of others: the value is NumPy's, the gradient the limit."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
from tests.autodiff.helpers import numeric_gradients

RNG = np.random.default_rng(7)
A, B, V, W = (RNG.uniform(0.3, 2.0, shape) for shape in ((3, 4), (3, 4), (5,), (3,)))
S = A @ A.T + np.eye(3)
NAN = A.copy()
NAN[1, 2] = np.nan

CASES = [
    (np.ptp, A),
    (lambda x: np.average(x, axis=1, weights=[1.0, 2.0, 3.0, 4.0]), A),
    (np.median, A),
    (lambda x: np.median(x, axis=1), A),
    (lambda x: np.median(x, axis=0, keepdims=True), A),
    (lambda x: np.quantile(x, [0.1, 0.77], axis=1), A),
    (lambda x: np.percentile(x, 30), A),
    (lambda x: np.partition(x, 2)[2], V),
    (np.trapezoid, A),
    (lambda x: np.trapezoid(x, np.array([0.0, 1.0, 4.0, 5.0])), A),
    (np.ediff1d, V),
    (lambda x: np.diff(x, n=2), A),
    (lambda x: np.gradient(x, axis=1), A),
    (np.cov, A),
    (lambda x: np.cov(x, rowvar=False), A),
    (np.corrcoef, A),
    (lambda x: np.select([x > 1, x > 0.5], [x**2, 3 * x], 0.0), A),
    (lambda x: np.compress([True, False, True], x, axis=0), A),
    (lambda x: np.extract(np.arange(12).reshape(3, 4) % 2 == 0, x), A),
    (lambda x: np.delete(x, 1, axis=1), A),
    (lambda x: np.resize(x, (2, 9)), A),
    (lambda x: np.meshgrid(x, np.arange(2.0))[0], V),
    (np.vander, V),
    (lambda x: np.polyval(x, 1.5), V),
    (lambda x: np.polyval([1.0, 2.0, 3.0], x), V),
    (np.deg2rad, V),
    (lambda x: np.logaddexp2(x, 1.0), V),
    (lambda x: np.fmax(x, 1.0), V),
    (lambda x: np.copysign(x, [-1.0, 1.0, -1.0, 1.0, 1.0]), V),
    (lambda x: np.interp(x, [0.0, 1.0, 3.0], [0.0, 5.0, 1.0]), V),
    (lambda y: np.interp([0.5, 1.2, 2.0], [0.0, 1.0, 3.0], y), W),
    (lambda x: np.convolve(x, [1.0, -2.0, 0.5], "same"), V),
    (lambda x: np.correlate(x, [1.0, -2.0, 0.5], "full"), V),
    (lambda x: np.correlate(x[:2], [1.0, -2.0, 0.5], "same"), V),
    (lambda x: np.correlate(x[:2], [1.0, -2.0, 0.5], "valid"), V),
    (np.linalg.inv, S),
    (np.linalg.det, S),
    (lambda x: np.linalg.slogdet(x)[1], S),
    (lambda x: np.linalg.matrix_power(x, 3), S),
    (lambda x: np.linalg.matrix_power(x, -2), S),
    (lambda x: np.linalg.eigvalsh((x + x.T) / 2), S),
    (np.linalg.svdvals, A),
    (lambda x: np.linalg.norm(x, "nuc"), A),
    (lambda x: np.linalg.norm(x, 2), A),
    (lambda x: np.linalg.norm(x, 1), A),
    (lambda x: np.linalg.norm(x, np.inf), A),
    (lambda x: np.linalg.norm(x, axis=1), A),
    (lambda x: np.linalg.lstsq(x.T, np.arange(4.0), rcond=None)[0], A),
    (lambda x: np.linalg.multi_dot([x, x.T, x]), A),
    (lambda x: np.abs(np.fft.fft2(x)), A),
    (lambda x: np.fft.irfft(np.fft.rfft(x) * 2), A),
    (lambda x: np.fft.irfft2(np.fft.rfft2(x), s=(3, 4)), A),
    (lambda x: np.fft.hfft(x), V),
    (lambda x: np.real(np.fft.ihfft(x)), V),
    (lambda x: np.fft.fftshift(x), A),
    (lambda x: np.hstack([x, 2 * x]), A),
    (lambda x: np.vstack([x, 2 * x]), A),
    (lambda x: np.dstack([x, 2 * x]), A),
    (lambda x: np.column_stack([x, 2 * x]), V),
    (lambda x: np.rot90(x), A),
    (lambda x: np.rot90(x, 3), A),
    (lambda x: np.array_split(x, 3)[1], V),
    (lambda x: np.pad(x, 2, mode="reflect"), A),
    (lambda x: np.pad(x, ((1, 0), (0, 2)), mode="edge"), A),
    (lambda x: np.take(x, [0, 2, 0], axis=1), A),
    (lambda x: np.inner(x, x[:2]), A),
    (lambda x: np.outer(x, x), V),
    (lambda x: np.cross(x[:, :3], x[:, 1:]), A),
    (lambda x: np.tensordot(x, x, axes=([0], [0])), A),
    (lambda x: np.einsum("...j,...j", x, x), A),
    (lambda x: np.einsum("ij,ik", x, x), A),
    (lambda x: np.multiply.reduce(x, axis=1), A),
    (lambda x: np.nan_to_num(x), A),
    (lambda x: np.append(x, [1.0]), V),
]


@pytest.mark.parametrize(("function", "data"), CASES, ids=range(len(CASES)))
def test_value_and_gradient(function, data):
    x = ad.tensor(data, requires_grad=True)
    out = function(x)
    expected = function(data)
    assert isinstance(out, ad.Tensor)
    assert out.shape == np.shape(expected)
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-12, atol=1e-13)
    w = np.random.default_rng(1).uniform(0.5, 1.5, np.shape(expected))
    (out * w).sum().backward()
    (numeric,) = numeric_gradients(lambda xs: np.sum(function(xs[0]) * w), [data])
    np.testing.assert_allclose(x.grad.numpy(), numeric, rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize(
    "function",
    [np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanvar, np.nanstd, np.nanprod],
)
def test_nan_does_not_spread(function):
    x = ad.tensor(NAN, requires_grad=True)
    out = function(x, axis=1)
    np.testing.assert_allclose(out.detach().numpy(), function(NAN, axis=1), rtol=1e-14)
    out.sum().backward()
    assert x.grad[1, 2].item() == 0.0
    assert np.isfinite(x.grad.numpy()).all()
    (numeric,) = numeric_gradients(lambda xs: np.sum(function(xs[0], axis=1)), [NAN[[0, 2]]])
    np.testing.assert_allclose(x.grad.numpy()[[0, 2]], numeric, rtol=1e-7, atol=1e-9)


def test_topk():
    values, places = ad.topk(ad.tensor([1.0, 5.0, 3.0], requires_grad=True), 2)
    assert values.tolist() == [5.0, 3.0]
    assert places.tolist() == [1, 2]
    assert values.requires_grad


LOGITS = RNG.standard_normal((4, 3))
CLASSES = np.array([0, 2, 1, 2])
TARGET = RNG.uniform(0.1, 0.9, (4, 3))


def _log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


LOSSES = [
    (lambda x: ad.mse_loss(x, TARGET), lambda x: np.mean((x - TARGET) ** 2)),
    (lambda x: ad.l1_loss(x, TARGET, "sum"), lambda x: np.sum(np.abs(x - TARGET))),
    (
        lambda x: ad.huber_loss(x, TARGET, delta=0.5),
        lambda x: np.mean(
            np.where(
                np.abs(x - TARGET) < 0.5,
                0.5 * (x - TARGET) ** 2,
                0.5 * (np.abs(x - TARGET) - 0.25),
            )
        ),
    ),
    (
        lambda x: ad.cross_entropy(x, CLASSES),
        lambda x: -np.mean(_log_softmax(x)[np.arange(4), CLASSES]),
    ),
    (
        lambda x: ad.cross_entropy(x, TARGET),
        lambda x: -np.mean(np.sum(_log_softmax(x) * TARGET, -1)),
    ),
    (
        lambda x: ad.cross_entropy(x, CLASSES, weight=[1.0, 2.0, 3.0]),
        lambda x: (
            -np.sum(_log_softmax(x)[np.arange(4), CLASSES] * np.array([1.0, 2.0, 3.0])[CLASSES])
            / np.array([1.0, 2.0, 3.0])[CLASSES].sum()
        ),
    ),
    (
        lambda x: ad.cross_entropy(x, np.array([0, -100, 1, 2])),
        lambda x: -np.mean(_log_softmax(x)[[0, 2, 3], [0, 1, 2]]),
    ),
    (
        lambda x: ad.binary_cross_entropy_with_logits(x, TARGET),
        lambda x: np.mean(np.log1p(np.exp(x)) - x * TARGET),
    ),
    (
        lambda x: ad.layer_norm(x, 3).sum() * 0 + (ad.layer_norm(x, 3) * TARGET).sum(),
        lambda x: np.sum(
            (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * TARGET
        ),
    ),
    (
        lambda x: (ad.scaled_dot_product_attention(x, TARGET, TARGET) * TARGET).sum(),
        lambda x: np.sum(np.exp(_log_softmax(x @ TARGET.T / np.sqrt(3))) @ TARGET * TARGET),
    ),
    (
        lambda x: ad.kl_div(ad.log_softmax(x, -1), TARGET, "sum"),
        lambda x: np.sum(TARGET * (np.log(TARGET) - _log_softmax(x))),
    ),
]


@pytest.mark.parametrize(("loss", "plain"), LOSSES, ids=range(len(LOSSES)))
def test_losses(loss, plain):
    x = ad.tensor(LOGITS, requires_grad=True)
    out = loss(x)
    assert out.item() == pytest.approx(plain(LOGITS), rel=1e-13)
    out.backward()
    (numeric,) = numeric_gradients(lambda xs: plain(xs[0]), [LOGITS])
    np.testing.assert_allclose(x.grad.numpy(), numeric, rtol=1e-6, atol=1e-9)


def test_images():
    x, w, b = RNG.standard_normal((2, 4, 5, 5)), RNG.standard_normal((6, 2, 3, 2)), np.arange(6.0)
    out = ad.conv2d(x, w, b, stride=2, padding=1, groups=2)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert out.shape == (2, 6, 3, 3)
    for i, j, o in np.ndindex(3, 3, 6):
        window = padded[:, 2 * (o // 3) : 2 * (o // 3) + 2, 2 * i : 2 * i + 3, 2 * j : 2 * j + 2]
        expected = (window * w[o]).sum(axis=(1, 2, 3)) + b[o]
        np.testing.assert_allclose(out.numpy()[:, o, i, j], expected, rtol=1e-12)
    assert ad.conv1d(ad.ones(1, 2, 7), ad.ones(3, 2, 3), padding="same").shape == (1, 3, 7)
    y = ad.arange(16.0).reshape(1, 1, 4, 4)
    assert ad.max_pool2d(y, 2).tolist() == [[[[5.0, 7.0], [13.0, 15.0]]]]
    assert ad.avg_pool2d(y, 2).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    assert ad.max_pool1d(-y, 2, padding=1).shape == (1, 1, 4, 3)


def test_parameters_whose_derivative_nobody_knows_are_errors():
    from scipy import special

    a = ad.tensor(2.0, requires_grad=True)
    with pytest.raises(NotImplementedError, match="derivative of gammainc in its parameter 'a'"):
        special.gammainc(a, 1.0)
    x = ad.tensor(1.5, requires_grad=True)
    special.gammainc(2.0, x).backward()
    assert x.grad.item() == pytest.approx(1.5 * np.exp(-1.5), rel=1e-14)
