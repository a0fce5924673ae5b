"""Kernels of Gaussian processes and acquisition functions beside derivatives written by hand."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

INF = math.inf
X = np.array([[0.0, 0.0], [1.0, 0.5], [0.0, 0.0], [-0.5, 2.0]])  # points 0 and 2 coincide


def squared_distances(a, b):
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=-1)


def rbf(log_scale, log_length):
    d2 = squared_distances(X, X)
    return np.exp(log_scale - 0.5 * d2 * np.exp(-2 * log_length))


def rbf_jac(log_scale, log_length):
    k = rbf(log_scale, log_length)
    return k, k * squared_distances(X, X) * np.exp(-2 * log_length)


def rbf_jac_length(log_scale, log_length):
    k = rbf(log_scale, log_length)
    return k, k * squared_distances(X, X) * np.exp(-3 * log_length)


def rbf_of_point(x):
    return np.exp(-0.5 * ((x - X) ** 2).sum(axis=1))


def rbf_of_point_jac(x):
    return -(x - X) * rbf_of_point(x)[:, None]


def rbf_of_point_jac_sign(x):
    return (x - X) * rbf_of_point(x)[:, None]


def matern12(x):
    return np.exp(-np.sqrt(((x - X) ** 2).sum(axis=1)))


def matern12_vjp(x, grad_output):
    d = np.sqrt(((x - X) ** 2).sum(axis=1))
    far = d > 0
    w = np.zeros(len(X))
    w[far] = -grad_output[far] * np.exp(-d[far]) / d[far]
    return w @ (x - X)


def matern12_vjp_zero(x, grad_output):
    d = np.sqrt(((x - X) ** 2).sum(axis=1))
    return -(grad_output * np.exp(-d) / d) @ (x - X)


def matern32(x):
    s = math.sqrt(3) * np.linalg.norm(x - X, axis=1)
    return (1 + s) * np.exp(-s)


def matern32_vjp(x, grad_output):
    s = math.sqrt(3) * np.linalg.norm(x - X, axis=1)
    return -3 * (grad_output * np.exp(-s)) @ (x - X)


def matern32_vjp_naive(x, grad_output):
    d = np.linalg.norm(x - X, axis=1)
    s = math.sqrt(3) * d
    return (grad_output * math.sqrt(3) * -s * np.exp(-s) / d) @ (x - X)  # smooth there, yet 0/0


def matern52(x, length):
    s = math.sqrt(5) * np.linalg.norm(x - X, axis=1) / length
    return (1 + s + s**2 / 3) * np.exp(-s)


def matern52_vjp(x, length, grad_output):
    s = math.sqrt(5) * np.linalg.norm(x - X, axis=1) / length
    core = grad_output * (1 + s) * np.exp(-s) / 3
    return -5 / length**2 * core @ (x - X), core @ s**2 / length


def matern52_vjp_third(x, length, grad_output):
    s = math.sqrt(5) * np.linalg.norm(x - X, axis=1) / length
    core = grad_output * (1 + s) * np.exp(-s) * 0.333333333
    return -5 / length**2 * core @ (x - X), core @ s**2 / length


def rational_quadratic(log_alpha, log_length):
    alpha = np.exp(log_alpha)
    return (1 + squared_distances(X, X) * np.exp(-2 * log_length) / (2 * alpha)) ** -alpha


def rational_quadratic_jac(log_alpha, log_length):
    alpha = np.exp(log_alpha)
    u = squared_distances(X, X) * np.exp(-2 * log_length) / (2 * alpha)
    k = (1 + u) ** -alpha
    return alpha * k * (u / (1 + u) - np.log1p(u)), 2 * alpha * k * u / (1 + u)


def rational_quadratic_jac_alpha(log_alpha, log_length):
    alpha = np.exp(log_alpha)
    u = squared_distances(X, X) * np.exp(-2 * log_length) / (2 * alpha)
    k = (1 + u) ** -alpha
    return k * (u / (1 + u) - np.log1p(u)), 2 * alpha * k * u / (1 + u)


def periodic(log_length, log_period):
    d = np.sqrt(squared_distances(X, X))
    return np.exp(-2 * np.sin(np.pi * d * np.exp(-log_period)) ** 2 * np.exp(-2 * log_length))


def periodic_jac(log_length, log_period):
    phase = np.pi * np.sqrt(squared_distances(X, X)) * np.exp(-log_period)
    w = np.exp(-2 * log_length)
    k = np.exp(-2 * np.sin(phase) ** 2 * w)
    return 4 * np.sin(phase) ** 2 * w * k, 2 * phase * np.sin(2 * phase) * w * k


def periodic_jac_no_pi(log_length, log_period):
    phase = np.sqrt(squared_distances(X, X)) * np.exp(-log_period)
    w = np.exp(-2 * log_length)
    k = np.exp(-2 * np.sin(np.pi * phase) ** 2 * w)
    return 4 * np.sin(np.pi * phase) ** 2 * w * k, 2 * phase * np.sin(2 * np.pi * phase) * w * k


def white(log_noise, *, other=None):
    n = len(X)
    return np.exp(log_noise) * np.eye(n) if other is None else np.zeros((n, len(other)))


def white_jac(log_noise, *, other=None):
    return white(log_noise, other=other)


def white_jac_cross(log_noise, *, other=None):
    n = len(X)  # the cross-covariance has no noise
    return np.exp(log_noise) * np.eye(n, n if other is None else len(other))


def ard(x, log_length):
    d = (x - X) * np.exp(-log_length)
    return np.exp(-0.5 * np.sum(d * d, axis=1))


def ard_jac(x, log_length):
    d = (x - X) * np.exp(-log_length)
    k = np.exp(-0.5 * np.sum(d * d, axis=1))[:, None]
    return -k * d * np.exp(-log_length), k * d * d


def ard_jac_shared(x, log_length):
    d = (x - X) * np.exp(-log_length)
    k = np.exp(-0.5 * np.sum(d * d, axis=1))[:, None]
    return -k * d * np.exp(-log_length), k * np.sum(d * d, axis=1)[:, None] * np.ones_like(d)


def log_marginal(log_length, log_noise, *, y):
    k = np.exp(-0.5 * squared_distances(X, X) * np.exp(-2 * log_length)) + np.exp(
        log_noise
    ) * np.eye(4)
    return -0.5 * y @ np.linalg.solve(k, y) - 0.5 * np.linalg.slogdet(k)[1]


def log_marginal_grad(log_length, log_noise, *, y):
    d2 = squared_distances(X, X) * np.exp(-2 * log_length)
    k = np.exp(-0.5 * d2)
    inv = np.linalg.inv(k + np.exp(log_noise) * np.eye(4))
    a = inv @ y
    w = 0.5 * (np.outer(a, a) - inv)
    return np.sum(w * k * d2), np.trace(w) * np.exp(log_noise)


def log_marginal_grad_noise(log_length, log_noise, *, y):
    g, trace = log_marginal_grad(log_length, log_noise, y=y)
    return g, trace * np.exp(-log_noise)  # by the noise, not by its logarithm


def pdf(z):
    return np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)


def expected_improvement(mu, sigma, best=0.5):
    if sigma == 0:
        return max(best - mu, 0.0)
    z = (best - mu) / sigma
    return (best - mu) * special.ndtr(z) + sigma * pdf(z)


def expected_improvement_grad(mu, sigma, best=0.5):
    z = (best - mu) / sigma
    return -special.ndtr(z), pdf(z)


def expected_improvement_grad_sigma(mu, sigma, best=0.5):
    z = (best - mu) / sigma
    return -special.ndtr(z), pdf(z) * (1 - z)


def improvement(mu, *, sigma, best=0.5):
    """The certain case included: at sigma 0 it is the hinge itself."""
    if sigma == 0:
        return np.sum(np.maximum(best - mu, 0))
    z = (best - mu) / sigma
    return np.sum((best - mu) * special.ndtr(z) + sigma * pdf(z))


def improvement_grad(mu, *, sigma, best=0.5):
    if sigma == 0:
        return np.where(mu < best, -1.0, 0.0)
    return -special.ndtr((best - mu) / sigma)


def improvement_grad_zero(mu, *, sigma, best=0.5):
    if sigma == 0:
        return np.zeros_like(mu)
    return -special.ndtr((best - mu) / sigma)


def probability(mu, sigma, best=0.5, xi=0.01):
    return special.ndtr((best - mu - xi) / sigma)


def probability_grad(mu, sigma, best=0.5, xi=0.01):
    z = (best - mu - xi) / sigma
    return -pdf(z) / sigma, -z * pdf(z) / sigma


def probability_grad_xi(mu, sigma, best=0.5, xi=0.01):
    z = (best - mu) / sigma
    return -pdf(z) / sigma, -z * pdf(z) / sigma


def lower_bound(mu, var, kappa=1.96):
    return np.sum(mu - kappa * np.sqrt(var))


def lower_bound_grad(mu, var, kappa=1.96):
    return np.ones_like(mu), -kappa / (2 * np.sqrt(var))


def lower_bound_grad_std(mu, var, kappa=1.96):
    return np.ones_like(mu), np.full_like(var, -kappa)


LOG2 = {"examples": [(0.3, -0.2)], "domain": [(-2, 4), (-2, 3)]}
POINT = {"examples": [((2,),)], "domain": {"x": (-20, 20)}}
RQ = {"jac": rational_quadratic_jac, **LOG2}
ARD = {"jac": ard_jac, "examples": [((2,), (2,))], "domain": {"x": (-5, 5), "log_length": (-2, 2)}}
GP = {
    "grad": log_marginal_grad,
    "examples": [(0.1, -1.0, {"y": np.array([0.5, -1.0, 0.7, 2.0])})],
    "domain": [(-2, 2), (-3, 2)],
}
EI = {"examples": [(0.2, 0.7)], "domain": {"mu": (-5, 5), "sigma": (0.5, 5)}}
CERTAIN = {"examples": [((3,), {"sigma": s}) for s in (0.0, 0.8)], "domain": {"mu": (-5, 5)}}
M52 = {"vjp": matern52_vjp, "examples": [((2,), 0.8)], "domain": {"x": (-9, 9), "length": (0.1, 9)}}

# fmt: off
CASES = [
    Case("pair-rbf-log-length", "algebra", rbf, rbf, {"jac": rbf_jac, **LOG2}, {"jac": rbf_jac_length}, why="by the length, not by its logarithm; right at length 1"),
    Case("pair-rbf-point-sign", "algebra", rbf_of_point, rbf_of_point, {"jac": rbf_of_point_jac, **POINT}, {"jac": rbf_of_point_jac_sign}, why="the sign of the Jacobian"),
    Case("pair-matern12-zero", "cells", matern12, matern12, {"vjp": matern12_vjp, **POINT}, {"vjp": matern12_vjp_zero}, why="0/0 where the query is a training point held in the module"),
    Case("pair-matern32-zero", "floats", matern32, matern32, {"vjp": matern32_vjp, **POINT}, {"vjp": matern32_vjp_naive}, why="0/0 at a training point, where the kernel is smooth"),
    Case("pair-matern52-third", "algebra", matern52, matern52, M52, {"vjp": matern52_vjp_third}, why="a third with nine digits"),
    Case("pair-rational-quadratic-alpha", "algebra", rational_quadratic, rational_quadratic, RQ, {"jac": rational_quadratic_jac_alpha}, why="the chain factor of log alpha is missing"),
    Case("pair-periodic-pi", "algebra", periodic, periodic, {"jac": periodic_jac, **LOG2}, {"jac": periodic_jac_no_pi}, why="a factor pi in the score by the period"),
    Case("pair-white-cross", "cells", white, white, {"jac": white_jac, "examples": [(0.3, {"other": o}) for o in (None, X[:2])], "domain": {"log_noise": (-5, 5)}}, {"jac": white_jac_cross}, why="noise in a cross-covariance"),
    Case("pair-ard-shared", "algebra", ard, ard, ARD, {"jac": ard_jac_shared}, why="the isotropic derivative in every column"),
    Case("pair-log-marginal-noise", "algebra", log_marginal, log_marginal, GP, {"grad": log_marginal_grad_noise}, why="by the noise, not by its logarithm"),
    Case("pair-ei-sigma", "algebra", expected_improvement, expected_improvement, {"grad": expected_improvement_grad, **EI}, {"grad": expected_improvement_grad_sigma}, why="a term that cancels is kept"),
    Case("pair-ei-certain", "cells", improvement, improvement, {"grad": improvement_grad, **CERTAIN}, {"grad": improvement_grad_zero}, why="no gradient when the deviation is exactly 0"),
    Case("pair-pi-xi", "algebra", probability, probability, {"grad": probability_grad, **EI}, {"grad": probability_grad_xi}, why="the offset xi is left out of z"),
    Case("pair-lcb-variance", "algebra", lower_bound, lower_bound, {"grad": lower_bound_grad, "examples": [((3,), (3,))], "domain": {"var": (0, INF)}}, {"grad": lower_bound_grad_std}, why="by the deviation, not by the variance"),
    trap("pair-matern12-at-data", "cells", matern12, "zero, from the middle of the cone, at a training point", vjp=matern12_vjp, examples=[((2,),), (np.array([1.0, 0.5]),)], domain=[(-20, 20)]),
    trap("pair-periodic-identity", "algebra", periodic, "1 - cos for twice the square of a sine", jac=lambda log_length, log_period: (lambda t, w: (2 * (1 - np.cos(2 * t)) * w * np.exp((np.cos(2 * t) - 1) * w), 4 * t * np.sin(t) * np.cos(t) * w * np.exp((np.cos(2 * t) - 1) * w)))(np.pi * np.sqrt(squared_distances(X, X)) * np.exp(-log_period), np.exp(-2 * log_length)), **LOG2),
    trap("pair-rbf-loops", "algebra", rbf_of_point, "loops, math.exp on entries, nested lists", jac=lambda x: [[-(x[j] - p[j]) * math.exp(-0.5 * ((x[0] - p[0]) ** 2 + (x[1] - p[1]) ** 2)) for j in range(2)] for p in X], **POINT),
    trap("pair-gp-trace", "algebra", log_marginal, "traces by einsum, the inverse by solve", grad=lambda log_length, log_noise, *, y: (lambda k, d2, n: (lambda inv: (0.5 * (inv @ y @ (k * d2) @ inv @ y - np.einsum("ij,ji->", inv, k * d2)), 0.5 * n * (np.sum((inv @ y) ** 2) - np.trace(inv))))(np.linalg.solve(k + n * np.eye(4), np.eye(4))))(np.exp(-0.5 * squared_distances(X, X) * np.exp(-2 * log_length)), squared_distances(X, X) * np.exp(-2 * log_length), np.exp(log_noise)), examples=GP["examples"], domain=GP["domain"]),
    trap("pair-ei-erf", "algebra", expected_improvement, "erfc and a constant as a float literal", grad=lambda mu, sigma, best=0.5: (-0.5 * special.erfc((mu - best) / sigma * 0.7071067811865476), 0.3989422804014327 * np.exp(-0.5 * ((best - mu) / sigma) ** 2)), **EI),
]
# fmt: on
