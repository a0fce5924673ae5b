"""Losses of regression beside gradients written by hand."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

INF = math.inf


def mse(y, t):
    return np.mean((y - t) ** 2)


def mse_grad(y, t):
    d = 2 * (y - t) / y.size
    return d, -d


def mse_grad_sum(y, t):
    d = 2 * (y - t)
    return d, -d


def mse_grad_rows(y, t):
    d = 2 * (y - t) / len(y)  # right for vectors, and for matrices with one column
    return d, -d


def mae(y, t):
    return np.abs(y - t).mean()


def mae_grad(y, t):
    s = np.sign(y - t) / y.size
    return s, -s


def mae_grad_divides(y, t):
    s = (y - t) / np.abs(y - t) / y.size
    return s, -s


def huber(r, delta=1.0):
    a = np.abs(r)
    return np.sum(np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta)))


def huber_grad(r, delta=1.0):
    return np.clip(r, -delta, delta)


def huber_grad_one_sided(r, delta=1.0):
    return np.where(r <= delta, r, delta)


def huber_grad_branches(r, delta=1.0):
    return np.where(np.abs(r) < delta, r, delta * np.sign(r))


def pseudo_huber(r, delta=1.0):
    return np.sum(delta**2 * (np.hypot(1.0, r / delta) - 1))


def pseudo_huber_grad(r, delta=1.0):
    return r / np.hypot(1.0, r / delta)


def pseudo_huber_grad_unit(r, delta=1.0):
    return r / np.hypot(1.0, r)


def log_cosh(r):
    a = np.abs(r)
    return np.sum(a + np.log1p(np.exp(-2 * a)) - math.log(2))


def log_cosh_grad(r):
    return np.tanh(r)


def log_cosh_grad_overflows(r):
    return np.sinh(r) / np.cosh(r)


def log_cosh_grad_exp(r):
    e = np.exp(-2 * np.abs(r))
    return np.sign(r) * -np.expm1(-2 * np.abs(r)) / (1 + e)


def pinball(q, t, tau=0.5):
    d = t - q
    return np.sum(np.maximum(tau * d, (tau - 1) * d))


def pinball_grad(q, t, tau=0.5):
    g = np.where(t >= q, -tau, 1 - tau)
    return g, -g


def pinball_grad_symmetric(q, t, tau=0.5):
    g = np.where(t >= q, -tau, tau)
    return g, -g


def msle(y, t):
    return np.mean((np.log1p(y) - np.log1p(t)) ** 2)


def msle_grad(y, t):
    d = 2 * (np.log1p(y) - np.log1p(t)) / y.size
    return d / (1 + y), -d / (1 + t)


def msle_grad_log(y, t):
    d = 2 * (np.log1p(y) - np.log1p(t)) / y.size
    return d / (1 + y), -d / t


def mape(y, t):
    return np.mean(np.abs((t - y) / t))


def mape_grad(y, t):
    return np.sign(y - t) / np.abs(t) / y.size, np.sign((t - y) / t) * y / t**2 / y.size


def mape_grad_signed(y, t):
    return np.sign(y - t) / t / y.size, np.sign((t - y) / t) * y / t**2 / y.size


def tukey(r, c=4.685):
    u = np.clip((r / c) ** 2, 0, 1)
    return c**2 / 6 * np.sum(1 - (1 - u) ** 3)


def tukey_grad(r, c=4.685):
    return np.where(np.abs(r) < c, r * (1 - (np.clip(r, -c, c) / c) ** 2) ** 2, 0.0)


def tukey_grad_right_tail(r, c=4.685):
    return np.where(r < c, r * (1 - (r / c) ** 2) ** 2, 0.0)


def cauchy(r, c=2.0):
    return c**2 / 2 * np.log1p((r / c) ** 2).sum()


def cauchy_grad(r, c=2.0):
    return r / (1 + (r / c) ** 2)


def cauchy_grad_digits(r, c=2.0):
    return r / (1 + 0.25000001 * r**2)


def poisson_nll(eta, t):
    """Log-rate `eta`, counts `t`, Stirling's term for counts above one."""
    stirling = t * np.log(t) - t + 0.5 * np.log(2 * np.pi * t)
    return np.mean(np.exp(eta) - t * eta + np.where(t > 1, stirling, 0.0))


def poisson_nll_grad(eta, t):
    return (
        (np.exp(eta) - t) / eta.size,
        (-eta + np.where(t > 1, np.log(t) + 0.5 / t, 0.0)) / eta.size,
    )


def poisson_nll_grad_no_stirling(eta, t):
    return (np.exp(eta) - t) / eta.size, -eta / eta.size


def gamma_deviance(y, mu):
    return 2 * np.sum((y - mu) / mu - np.log(y / mu))


def gamma_deviance_grad(y, mu):
    return 2 * (1 / mu - 1 / y), 2 * (mu - y) / mu**2


def gamma_deviance_grad_poisson(y, mu):
    return 2 * (1 / mu - 1 / y), 2 * (mu - y) / mu


def tweedie(y, mu, *, power):
    if power == 0:
        dev = (y - mu) ** 2
    elif power == 1:
        dev = 2 * (special.xlogy(y, y / mu) - y + mu)
    elif power == 2:
        dev = 2 * (np.log(mu / y) + y / mu - 1)
    else:
        dev = 2 * (
            y ** (2 - power) / ((1 - power) * (2 - power))
            - y * mu ** (1 - power) / (1 - power)
            + mu ** (2 - power) / (2 - power)
        )
    return np.mean(dev)


def tweedie_vjp(y, mu, grad_output, *, power):
    scale = 2 * grad_output / y.size
    if power == 1:
        dy = np.log(y / mu)
    else:
        dy = (y ** (1 - power) - mu ** (1 - power)) / (1 - power)
    return scale * dy, scale * (mu - y) * mu ** (-float(power))


def tweedie_vjp_two_as_one(y, mu, grad_output, *, power):
    scale = 2 * grad_output / y.size
    if power in (1, 2):
        return scale * np.log(y / mu), scale * (mu - y) / mu
    dy = (y ** (1 - power) - mu ** (1 - power)) / (1 - power)
    return scale * dy, scale * (mu - y) * mu ** (-float(power))


def tweedie_vjp_no_limit(y, mu, grad_output, *, power):
    scale = 2 * grad_output / y.size
    with np.errstate(all="ignore"):
        dy = (y ** (1 - power) - mu ** (1 - power)) / np.float64(1 - power)
    return scale * dy, scale * (mu - y) * mu ** (-float(power))


def r_squared(y, *, t):
    return 1 - np.sum((t - y) ** 2) / np.sum((t - np.mean(t)) ** 2)


def r_squared_grad(y, *, t):
    return 2 * (t - y) / (t.size * np.var(t))


def r_squared_grad_ddof(y, *, t):
    return 2 * (t - y) / (t.size * np.var(t, ddof=1))


def weighted_mse(y, t, w):
    return np.sum(w * (y - t) ** 2) / np.sum(w)


def weighted_mse_grad(y, t, w):
    s = w.sum()
    d = 2 * w * (y - t) / s
    return d, -d, ((y - t) ** 2 - weighted_mse(y, t, w)) / s


def weighted_mse_grad_weights(y, t, w):
    s = w.sum()
    d = 2 * w * (y - t) / s
    return d, -d, (y - t) ** 2 / s


def pairwise_ranking(s):
    total = 0.0
    for i in range(len(s)):
        for j in range(i + 1, len(s)):
            total += np.logaddexp(0, s[j] - s[i])
    return total


def pairwise_ranking_grad(s):
    p = np.triu(special.expit(s[None, :] - s[:, None]), 1)
    return p.sum(axis=0) - p.sum(axis=1)


def pairwise_ranking_grad_last(s):
    p = np.triu(special.expit(s[None, :] - s[:, None]), 1)
    g = p.sum(axis=0) - p.sum(axis=1)
    g[-1] = p[:-2, -1].sum()
    return g


T3 = np.array([0.5, -1.0, 2.0])
PAIR = [((3,), (3,)), ((2, 2), (2, 2))]
POSITIVE = [(0, INF), (0, INF)]
POWERS = [((3,), (3,), {"power": p}) for p in (0, 1, 1.5, 2, 3)]
BOUNDED = {"y": (0.1, 10), "mu": (0.1, 10)}

CASES = [
    Case("pair-mse-sum-for-mean", "algebra", mse, mse, {"grad": mse_grad, "examples": PAIR},
         {"grad": mse_grad_sum}, why="the mean's 1/n is missing"),
    Case("pair-mse-rows", "algebra", mse, mse, {"grad": mse_grad, "examples": PAIR},
         {"grad": mse_grad_rows}, why="divides by the rows, not by all entries"),
    Case("pair-mae-tie", "cells", mae, mae, {"grad": mae_grad, "examples": PAIR},
         {"grad": mae_grad_divides}, why="d/|d| is NaN where the two are equal"),
    Case("pair-huber-one-sided", "cells", huber, huber,
         {"grad": huber_grad, "examples": [((3,),)]},
         {"grad": huber_grad_one_sided}, why="the mask forgets |.|: wrong below -delta"),
    Case("pair-pseudo-huber-delta", "algebra", pseudo_huber, pseudo_huber,
         {"grad": pseudo_huber_grad, "examples": [((3,), {"delta": 1.0}), ((2,), {"delta": 2.5})]},
         {"grad": pseudo_huber_grad_unit}, why="right for the default delta alone"),
    Case("pair-log-cosh-overflow", "floats", log_cosh, log_cosh,
         {"grad": log_cosh_grad, "examples": [((3,),)]},
         {"grad": log_cosh_grad_overflows}, why="inf/inf for |r| > 710"),
    Case("pair-pinball-half", "algebra", pinball, pinball,
         {"grad": pinball_grad, "examples": [((3,), (3,), {"tau": 0.5}), ((2,), (2,), {"tau": 0.9})]},
         {"grad": pinball_grad_symmetric}, why="tau for 1 - tau: right for the median alone"),
    Case("pair-msle-log", "algebra", msle, msle,
         {"grad": msle_grad, "examples": PAIR, "domain": POSITIVE},
         {"grad": msle_grad_log}, why="1/t for 1/(1 + t), in the second argument"),
    Case("pair-mape-negative-target", "cells", mape, mape, {"grad": mape_grad, "examples": [((3,), (3,))]},
         {"grad": mape_grad_signed}, why="t for |t|: wrong for negative targets alone"),
    Case("pair-tukey-left-tail", "cells", tukey, tukey, {"grad": tukey_grad, "examples": [((3,),)]},
         {"grad": tukey_grad_right_tail}, why="only the right tail is cut off"),
    Case("pair-cauchy-digits", "algebra", cauchy, cauchy, {"grad": cauchy_grad, "examples": [((3,),)]},
         {"grad": cauchy_grad_digits}, why="a constant wrong in the eighth digit"),
    Case("pair-poisson-stirling", "cells", poisson_nll, poisson_nll,
         {"grad": poisson_nll_grad, "examples": PAIR, "domain": {"t": (0, INF)}},
         {"grad": poisson_nll_grad_no_stirling}, why="the term for counts above one is left out"),
    Case("pair-gamma-deviance", "algebra", gamma_deviance, gamma_deviance,
         {"grad": gamma_deviance_grad, "examples": PAIR, "domain": POSITIVE},
         {"grad": gamma_deviance_grad_poisson}, why="the variance function of another family"),
    Case("pair-tweedie-two-as-one", "algebra", tweedie, tweedie,
         {"vjp": tweedie_vjp, "examples": POWERS, "domain": BOUNDED},
         {"vjp": tweedie_vjp_two_as_one}, why="power 2 is treated as power 1"),
    Case("pair-tweedie-limit", "floats", tweedie, tweedie,
         {"vjp": tweedie_vjp, "examples": POWERS, "domain": BOUNDED},
         {"vjp": tweedie_vjp_no_limit}, why="0/0 at power 1"),
    Case("pair-r-squared-ddof", "algebra", r_squared, r_squared,
         {"grad": r_squared_grad, "examples": [((3,), {"t": T3})]},
         {"grad": r_squared_grad_ddof}, why="the sample variance for the population's"),
    Case("pair-weighted-mse-weights", "algebra", weighted_mse, weighted_mse,
         {"grad": weighted_mse_grad, "examples": [((3,), (3,), (3,))], "domain": {"w": (0.1, 10)}},
         {"grad": weighted_mse_grad_weights}, why="the weights in the denominator are taken as constant"),
    Case("pair-ranking-last", "algebra", pairwise_ranking, pairwise_ranking,
         {"grad": pairwise_ranking_grad, "examples": [((2,),), ((4,),)]},
         {"grad": pairwise_ranking_grad_last}, why="the last score loses its last pair"),
    trap("pair-huber-branches", "cells", huber, "the bound belongs to the other branch, where both agree",
         grad=huber_grad_branches, examples=[((3,),), ((2, 2), {"delta": 0.25})]),
    trap("pair-log-cosh-exp", "floats", log_cosh, "tanh written with expm1 of -2|r|",
         grad=log_cosh_grad_exp, examples=[((3,),)]),
    trap("pair-pinball-tie", "cells", pinball, "at a tie the gradient of either side is right",
         grad=pinball_grad, examples=[((3,), (3,), {"tau": 0.9})]),
    trap("pair-mae-list", "contract", mae, "a tuple of lists for a tuple of arrays",
         grad=lambda y, t: ([float(s) / len(y) for s in np.sign(y - t)],
                            [float(s) / len(y) for s in np.sign(t - y)]),
         examples=[((3,), (3,))]),
]  # fmt: skip
