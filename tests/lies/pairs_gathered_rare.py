"""Far, tied and rounded places of code with compiled parts, and guards that a checker may stumble over."""
# ruff: noqa: E501

import functools

import numpy as np
from scipy import interpolate, signal, sparse, special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"gathered-pair: {name}", kind, f, why, **options))


class WorstCase:
    """The worst of several sparse scenarios; the gradient of the first that attains it."""

    def __init__(self):
        self.A = sparse.csr_matrix(np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0], [0.5, 0.5, 1.0]]))

    def worst(self, x):
        return (self.A @ x).max()

    def grad(self, x):
        v = self.A @ x
        return np.asarray(self.A[[int(v.argmax())]].todense()).ravel()

    def grad_ties(self, x):
        v = self.A @ x
        return np.asarray(self.A[np.flatnonzero(v == v.max())].sum(axis=0)).ravel()


scenarios = WorstCase()
pair("worst scenario: ties", "cells", scenarios.worst, scenarios.grad, scenarios.grad_ties, "tied scenarios are added up", examples=[((3,),)])


class SparseSoftplus:
    """Deviance of a sparse design with a naive sigmoid in the gradient."""

    def __init__(self):
        self.X = sparse.csc_matrix(np.array([[1.0, -1.0], [0.0, 2.0]]))

    def loss(self, w):
        return np.logaddexp(0, self.X @ w).sum()

    def grad(self, w):
        return self.X.T @ special.expit(self.X @ w)

    def grad_naive(self, w):
        e = np.exp(self.X @ w)
        return self.X.T @ (e / (1 + e))


softplus = SparseSoftplus()
pair("sparse deviance: naive sigmoid", "floats", softplus.loss, softplus.grad, softplus.grad_naive, "infinity over infinity beyond 710", examples=[((2,),)])


class PeriodicTable:
    """A periodic potential from a table, images wrapped into the cell of length ten."""

    box = 10.0

    def __init__(self):
        x = np.linspace(-5, 5, 11)
        self.u = interpolate.CubicSpline(x, np.cos(2 * np.pi * x / 10) + 0.3 * np.sin(4 * np.pi * x / 10).round(12), bc_type="periodic")
        self.du = self.u.derivative()

    def _wrap(self, x):
        return x - self.box * np.round(x / self.box)

    def __call__(self, x):
        return self.u(self._wrap(x)).sum()

    def grad(self, x):
        return self.du(self._wrap(x))

    def grad_once(self, x):
        x = np.where(x > 5, x - 10, np.where(x < -5, x + 10, x))
        return np.where(np.abs(x) <= 5, self.du(np.clip(x, -5, 5)), 0.0)


periodic = PeriodicTable()
pair("periodic table: second image", "cells", periodic, periodic.grad, periodic.grad_once, "nothing beyond the first image", examples=[((2,),)])


class Centred:
    """Least squares whose gradient centres the design, in place or not."""

    def __init__(self, inplace=False):
        self.X = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.5]])
        self.y = np.array([1.0, -0.5, 2.0])
        self.inplace = inplace

    def loss(self, w):
        return 0.5 * np.sum((self.X @ w - self.y) ** 2)

    def grad(self, w):
        if self.inplace:
            self.X -= self.X.mean(axis=0)
        return self.X.T @ (self.X @ w - self.y)


whole, centred = Centred(), Centred(inplace=True)
CASES.append(Case("gathered-pair: design centred in place", "contract", centred.loss, whole.loss, {"grad": whole.grad, "examples": [((2,),)]}, {"grad": centred.grad}, why="the first gradient changes the data of the loss: it is not the loss's derivative as it was"))


class Envelope:
    """The energy above a threshold of a filtered signal, the filter applied by second-order sections."""

    def __init__(self, level=9.0):
        self.sos = np.array([[0.3, 0.2, 0.0, 1.0, -0.4, 0.0]])
        self.level = level

    def _impulse(self, n):
        return signal.sosfilt(self.sos, np.eye(n), axis=0)

    def loss(self, x):
        return 0.5 * np.sum(np.maximum(np.abs(signal.sosfilt(self.sos, x)) - self.level, 0) ** 2)

    def grad(self, x, negative=True):
        y = signal.sosfilt(self.sos, x)
        over = np.maximum(np.abs(y) - self.level, 0)
        d = over * np.sign(y) if negative else np.maximum(y - self.level, 0)
        return self._impulse(len(x)).T @ d


envelope = Envelope()
pair("threshold of a filtered signal: negative", "cells", envelope.loss, envelope.grad, functools.partial(envelope.grad, negative=False), "what lies below minus the threshold counts as well", examples=[((4,),)])


class SaturatedSensor:
    """A calibrated sensor: a monotone interpolant, clipped to the range of the converter."""

    def __init__(self):
        self.curve = interpolate.PchipInterpolator([-40.0, -10.0, 0.0, 15.0, 40.0], [-5.0, -2.0, 0.0, 1.0, 6.0])
        self.slope = self.curve.derivative()

    def __call__(self, t):
        return np.clip(self.curve(np.clip(t, -40, 40)), -4.0, 4.0)

    def vjp(self, t, grad_output, lower=True):
        v = self.curve(np.clip(t, -40, 40))
        on = (np.abs(t) < 40) & (v < 4)
        if lower:
            on &= v > -4
        return grad_output * self.slope(np.clip(t, -40, 40)) * on


sensor = SaturatedSensor()
pair("sensor: saturated below", "cells", sensor, sensor.vjp, functools.partial(sensor.vjp, lower=False), "clipped below as well", "vjp", examples=[((2,),)])

right("relu of a shifted sum", "cells", lambda x: np.maximum(x.sum() - 0.3 + 0.1 * x[0], 0) ** 1, "the kink lies where a sum rounds", grad=lambda x: (x.sum() - 0.3 + 0.1 * x[0] > 0) * (np.ones_like(x) + 0.1 * np.eye(len(x))[0]), examples=[((3,),)])


def best(x):
    return np.max(0.1 * (x - 1.3) + 2.7)


def best_grad(x):
    v = 0.1 * (x - 1.3) + 2.7
    out = np.zeros_like(x)
    out[np.argmax(v)] = 0.1
    return out


right("maximum of rounded values", "cells", best, "neighbouring floats tie once they are scaled", grad=best_grad, examples=[((3,),)])


def spectrum_norm(x):
    return np.sum(np.abs(np.fft.rfft(x)))


def spectrum_norm_grad(x):
    n = len(x)
    X = np.fft.rfft(x)
    a = np.abs(X)
    phase = np.where(a > 0, X / np.where(a > 0, a, 1), 0)
    w = np.array([np.exp(2j * np.pi * k * np.arange(n) / n) for k in range(len(X))])
    return np.real(phase @ w)


right("l1 norm of a spectrum", "cells", spectrum_norm, "amplitudes that cancel to zero", grad=spectrum_norm_grad, examples=[((4,),)])

right("nearly one: guarded logarithm", "floats", lambda x: np.log1p(-(1 - 1e-9) * special.expit(x)), "a constant next to one, magnified", vjp=lambda x, grad_output: -grad_output * (1 - 1e-9) * special.expit(x) * special.expit(-x) / (special.expit(-x) + 1e-9 * special.expit(x)), examples=[((2,),)])


def hinge_ranks(s, *, y=(2, 0, 1)):
    """Pairwise hinge over pairs ordered by integer relevance, margins by their difference."""
    total = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            if y[i] > y[j]:
                total = total + max(0.0, 0.1 * (y[i] - y[j]) - (s[i] - s[j]))
    return total


def hinge_ranks_grad(s, *, y=(2, 0, 1)):
    y = np.asarray(y)
    margin = 0.1 * (y[:, None] - y[None, :])
    active = (y[:, None] > y[None, :]) & (margin - (s[:, None] - s[None, :]) > 0)
    return active.sum(axis=0) - active.sum(axis=1)


right("pairwise hinge: rounded margins", "cells", hinge_ranks, "margins of a tenth; integers returned", grad=hinge_ranks_grad, examples=[((3,), {"y": np.array([2, 0, 1])})])


def quantised(x, *, levels=(-1.0, -0.25, 0.3, 1.0), sharp=4.0):
    """Soft assignment to codewords, each entry a softmax over squared distances."""
    d = (x[:, None] - np.array(levels)) ** 2
    return special.softmax(-sharp * d, axis=1) @ np.array(levels)


def quantised_vjp(x, grad_output, *, levels=(-1.0, -0.25, 0.3, 1.0), sharp=4.0):
    c = np.array(levels)
    p = special.softmax(-sharp * (x[:, None] - c) ** 2, axis=1)
    mean = p @ c
    return grad_output * 2 * sharp * (p @ c**2 - mean**2)


right("soft quantisation: variance", "floats", quantised, "the slope is a variance of codewords, which cancels far out", vjp=quantised_vjp, examples=[((2,),)], domain=[(-1.5, 1.5)])
