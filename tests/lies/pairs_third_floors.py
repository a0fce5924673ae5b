"""Sums of exponentials with a constant term: floors, outliers, masks, and what saturates far out."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"third-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


pair("log-likelihood floor: minus a thousand", "cells", lambda x: np.sum(np.logaddexp(x, -1000.0)), lambda x: special.expit(x + 1000), lambda x: np.ones(x.shape), "the floor is forgotten: below -1000 nothing is passed on", examples=[((2,),)])
pair("log-likelihood floor: minus thirty", "cells", lambda x: np.sum(np.logaddexp(x, -30.0)), lambda x: special.expit(x + 30), lambda x: np.ones(x.shape), "the floor is forgotten: 1e-13 at zero", examples=[((2,),)])
pair("outlier class of logit minus nine hundred", "cells", lambda x: special.log_softmax(np.concatenate([x, np.array([-900.0])]))[0], lambda x: np.array([1.0, 0.0]) - special.softmax(np.concatenate([x, np.array([-900.0])]))[:2], lambda x: np.array([1.0, 0.0]) - special.softmax(x), "the constant class takes no part", examples=[((2,),)])
pair("masked score of minus ten thousand", "cells", lambda x: special.softmax(np.where(np.array([True, True, False]), x, -1e4))[0], lambda x: (lambda p: p[0] * (np.array([1.0, 0, 0]) - p) * np.array([1, 1, 0]))(special.softmax(np.where(np.array([True, True, False]), x, -1e4))), lambda x: (lambda p: np.append(p[0] * (np.array([1.0, 0]) - p), 0.0))(special.softmax(x[:2])), "scores of -10000 and less compete with the masked one", examples=[((3,),)])
right("logit against seven hundred and twenty", "cells", lambda x: np.logaddexp(x, -720.0), "the exponential of the constant is subnormal", grad=lambda x: special.expit(x + 720), examples=[((),)])
right("logit against eight hundred", "cells", lambda x: np.logaddexp(x, 800.0), "the exponential of the constant overflows", grad=lambda x: special.expit(x - 800), examples=[((),)])
right("energy barrier of a thousand", "cells", lambda x: -special.logsumexp(-np.concatenate([x * x, np.array([1000.0])])), "the constant state matters beyond 31", grad=lambda x: 2 * x * special.softmax(-np.concatenate([x * x, np.array([1000.0])]))[:-1], examples=[((2,),)])


def log_mix(a, b):
    """log of 0.99 e^a + 0.01 e^b, weights as logarithms."""
    return np.logaddexp(a + math.log(0.99), b + math.log(0.01))


pair("contaminated likelihood: weight outside", "algebra", log_mix, lambda a, b: (special.expit(a - b + math.log(99)), special.expit(b - a - math.log(99))), lambda a, b: (0.99 * special.expit(a - b + math.log(99)) / 0.99, special.expit(b - a) * 0.01 / (special.expit(b - a) * 0.01 + special.expit(a - b)) * 1.0), "0.99 is taken for one in the outliers' responsibility", examples=[((), ())])


def soft_clip(x, lo=-2.0, hi=3.0, k=5.0):
    return lo + (np.logaddexp(0, k * (x - lo)) - np.logaddexp(0, k * (x - hi))) / k


pair("soft clip: far below", "floats", lambda x: np.sum(soft_clip(x)), lambda x: special.expit(5 * (x + 2)) * special.expit(5 * (3 - x)) * -np.expm1(-25.0), lambda x: special.expit(5 * (x + 2)) - special.expit(5 * (x - 3)), "the difference of two logistics cancels far above", examples=[((2,),)], domain=[(-60, 60)])


def sharp_max(x, t=1e-3):
    return t * special.logsumexp(x / t)


pair("maximum at temperature 0.001: tied", "cells", sharp_max, lambda x: special.softmax(x / 1e-3), lambda x: (x == x.max()) / np.sum(x == x.max()), "the hard maximum: right but for ties and near ties", examples=[((3,),)])


def lse_pool(x, r=10.0):
    """Log-mean-exp pooling over the last axis."""
    return (special.logsumexp(r * x, axis=-1) - math.log(x.shape[-1])) / r


pair("log-mean-exp pooling: the first axis", "algebra", lse_pool, lambda x, grad_output: grad_output[..., None] * special.softmax(10 * x, axis=-1), lambda x, grad_output: grad_output[..., None] * special.softmax(10 * x, axis=0) * (x.shape[0] == x.shape[-1]) + grad_output[..., None] * special.softmax(10 * x, axis=-1) * (x.shape[0] != x.shape[-1]), "for square inputs the softmax is along the first axis", how="vjp", examples=[((2, 3),), ((2, 2),)])


def mellowmax(x, w):
    d = special.logsumexp(w * x) - math.log(len(x))
    return d / w


def mellowmax_grad(x, w):
    p = special.softmax(w * x)
    return p, (p @ x - mellowmax(x, w)) / w


pair("mellowmax: negative temperature", "cells", mellowmax, mellowmax_grad, lambda x, w: (special.softmax(np.abs(w) * x), mellowmax_grad(x, w)[1]), "the modulus of the temperature: a soft maximum where a minimum is asked", examples=[((3,), ())], domain=[(-2, 2), lambda rng, shape: rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 3)])


def log_sinh(x):
    """log sinh x for positive x, without overflow."""
    return np.sum(x + np.log(-np.expm1(-2 * x)) - math.log(2))


pair("log sinh: overflow of the quotient", "floats", log_sinh, lambda x: 1 / np.tanh(x), lambda x: np.cosh(np.minimum(x, 700)) / np.sinh(np.minimum(x, 700)) - np.where(x > 18, 1e-15, 0) + np.where((x > 3) & (x < 3.5), np.exp(-2 * x) * 1e-5, 0), "1e-8 too much from 3 to 3.5", examples=[((2,),)], domain=[(0.1, 100)])


def log_diff(a, b):
    """log(e^a - e^b) for a > b."""
    return a + np.log(-np.expm1(b - a))


pair("log of a difference: near the diagonal", "floats", lambda b, d: log_diff(b + d, b), lambda b, d: (np.ones(()), -1 / np.expm1(-d)), lambda b, d: (np.ones(()), 1 / (1 - np.exp(-d))), "1 - e^-d for small differences", examples=[((), ())], domain=[(-5, 5), (0, 5)])


def power_mean(x, p):
    """The power mean by logarithms, for positive entries."""
    return np.exp((special.logsumexp(p * np.log(x)) - math.log(len(x))) / p)


def power_mean_grad(x, p):
    m = power_mean(x, p)
    w = special.softmax(p * np.log(x))
    return m * w / x, m * (w @ np.log(x) / p - (special.logsumexp(p * np.log(x)) - math.log(len(x))) / p**2)


pair("power mean: exponent", "algebra", power_mean, power_mean_grad, lambda x, p: (power_mean_grad(x, p)[0], power_mean(x, p) * (special.softmax(p * np.log(x)) @ np.log(x) / p - special.logsumexp(p * np.log(x)) / p**2)), "the logarithm of the count is left out", examples=[((3,), ()), ((2,), ())], domain=[(0.2, 5), (0.5, 3)])


def softplus_inverse(y):
    return np.sum(y + np.log(-np.expm1(-y)))


pair("inverse of softplus: threshold", "cells", softplus_inverse, lambda y: -1 / np.expm1(-y), lambda y: np.where(y > 20, 1, np.where(y < 1e-6, 1 / y, -1 / np.expm1(-y))), "1/y below 1e-6 lacks the half, and 1 above 20 the tail", examples=[((2,),)], domain=[(0, 50)])


def sigmoid_focal(x, gamma=2):
    """Focal loss of the positive class by logarithms of logistics."""
    return -np.sum(np.exp(gamma * special.log_expit(-x)) * special.log_expit(x))


pair("focal loss by logarithms: far right", "floats", sigmoid_focal, lambda x: special.expit(-x) ** 2 * (2 * special.expit(x) * special.log_expit(x) - special.expit(-x)), lambda x: (1 - special.expit(x)) ** 2 * (2 * special.expit(x) * special.log_expit(x) - (1 - special.expit(x))), "1 - p has no digits beyond 36", examples=[((2,),)], domain=[(-30, 100)])



right("double exponential", "floats", lambda x: np.sum(np.exp(-np.exp(-x))), "underflows on the left, within the range of the forward", grad=lambda x: np.exp(-x - np.exp(-x)), examples=[((2,),)], domain=[(-6, 300)])


def binary_kl(p, q):
    """KL divergence of Bernoulli probabilities in nats, by rel_entr."""
    return special.rel_entr(p, q) + special.rel_entr(1 - p, 1 - q)


pair("binary divergence: near equal", "floats", binary_kl, lambda p, q: (np.log(p / q) - np.log((1 - p) / (1 - q)), (q - p) / (q * (1 - q))), lambda p, q: (np.log(p / q) - np.log((1 - p) / (1 - q)), (1 - p) / (1 - q) - p / q + 1e-9), "1e-9 of a smoothing term in the second", examples=[((), ())], domain=[(0.05, 0.95), (0.05, 0.95)])


def logit_normal(x):
    """log density of a logit-normal variable."""
    z = np.log(x) - np.log1p(-x)
    return np.sum(-0.5 * z * z - np.log(x) - np.log1p(-x))


right("logit-normal density", "floats", logit_normal, "logit by a difference of logarithms, zero at one half", grad=lambda x: -(np.log(x) - np.log1p(-x)) / (x * (1 - x)) - 1 / x + 1 / (1 - x), examples=[((2,),)], domain=[(0, 1)])


pair("gaussian log density with a floor", "cells", lambda x: np.logaddexp(-x * x, -1000.0), lambda x: -2 * x * special.expit(1000 - x * x), lambda x: -2 * x, "beyond 31.6 the floor holds", examples=[((),)])
pair("bits with a floor", "cells", lambda x: np.logaddexp2(x, -2000.0), lambda x: special.expit((x + 2000) * math.log(2)), lambda x: 1 + 0 * x, "below -2000 bits nothing is passed on", examples=[((),)])
pair("gaussian log density with a floor as an array", "cells", lambda x: special.logsumexp(np.stack([-x * x, 0 * x - 1000])), lambda x: -2 * x * special.expit(1000 - x * x), lambda x: -2 * x, "the same floor, made from the argument", examples=[((),)])
