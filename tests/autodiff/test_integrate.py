"""Gradients of the solutions of ordinary differential equations, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad

OPTIONS = {"rtol": 1e-10, "atol": 1e-12}


def test_a_linear_equation():
    y0, k = ad.tensor([1.5], requires_grad=True), ad.tensor(-0.75, requires_grad=True)
    t = ad.tensor([0.5, 1.0, 2.0], requires_grad=True)
    y = ad.integrate.odeint(lambda y, t, k: k * y, y0, t, k, **OPTIONS)
    s = t.detach().numpy() - 0.5
    exact = 1.5 * np.exp(-0.75 * s)
    np.testing.assert_allclose(y.detach().numpy()[:, 0], exact, rtol=1e-8)
    w = np.array([1.0, 2.0, -3.0])
    of_y0, of_k, of_t = ad.grad((y[:, 0] * w).sum(), [y0, k, t])
    assert of_y0.item() == pytest.approx(np.sum(w * exact / 1.5), rel=1e-8)
    assert of_k.item() == pytest.approx(np.sum(w * s * exact), rel=1e-8)
    rates = w * -0.75 * exact
    np.testing.assert_allclose(of_t.numpy(), [-np.sum(rates[1:]), *rates[1:]], rtol=1e-8)


def test_a_pendulum_as_by_differences():
    def rate(y, t, g, c):
        return np.stack([y[1], -g * np.sin(y[0]) - c * y[1] + np.cos(t)])

    def end(values):
        y = ad.integrate.odeint(
            rate, values[:2], [0.0, 0.4, 1.5], (values[2], values[3]), **OPTIONS
        )
        return (y[2] ** 2).sum() + y[1, 0]

    values = np.array([0.5, -0.25, 2.0, 0.125])
    (g,) = ad.grad(end(x := ad.tensor(values, requires_grad=True)), x)
    for i, step in enumerate(np.eye(4) * 1e-4):
        expected = (end(ad.tensor(values + step)) - end(ad.tensor(values - step))).item() / 2e-4
        assert g[i].item() == pytest.approx(expected, rel=1e-6)


def test_the_gradient_of_the_gradient_raises():
    y0 = ad.tensor([1.0], requires_grad=True)
    y = ad.integrate.odeint(lambda y, t: -y, y0, [0.0, 1.0])
    (g,) = ad.grad(y.sum(), y0, create_graph=True)
    with pytest.raises(RuntimeError, match="twice"):
        g.sum().backward()
