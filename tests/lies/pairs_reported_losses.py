"""Losses whose hand-written gradients were reported wrong, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case

INF = math.inf
CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"reported-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


# The tutorial of an optimiser: three inequality constraints and their Jacobian.


def constraints(x):
    return np.array([1 - x[0] - 2 * x[1], 1 - x[0] ** 2 - x[1], 1 - x[0] ** 2 + x[1]])


def constraints_jac(x):
    return np.array([[-1.0, -2.0], [-2 * x[0], -1.0], [-2 * x[0], 1.0]])


def constraints_jac_sign(x):
    return np.array([[1.0, 2.0], [-2 * x[0], -1.0], [-2 * x[0], 1.0]])


pair("tutorial constraints: sign", "algebra", constraints, constraints_jac, constraints_jac_sign, "the first, linear constraint is that of the opposite inequality", "jac", examples=[((2,),)])


# A regressor with several outputs

XS = np.array([[1.0, 0.0], [0.5, -1.0], [2.0, 1.0]])
YS = np.array([[1.0, 0.5], [0.0, 2.0], [-1.0, 1.0]])


class Regressor:
    """loss and gradient of a linear layer, weights flattened for an optimiser."""

    def __init__(self, outputs, alpha=0.1, per_output=True):
        self.y = YS[:, :outputs]
        self.alpha = alpha
        self.per_output = per_output

    def unpack(self, packed):
        k = self.y.shape[1]
        return packed[: 2 * k].reshape(2, k), packed[2 * k :]

    def loss(self, packed):
        w, b = self.unpack(packed)
        residual = XS @ w + b - self.y
        return 0.5 * np.mean(np.mean(residual**2, axis=0)) + 0.5 * self.alpha * np.sum(w**2)

    def grad(self, packed):
        w, b = self.unpack(packed)
        count = self.y.size if self.per_output else len(self.y)
        delta = (XS @ w + b - self.y) / count
        return np.concatenate([(XS.T @ delta + self.alpha * w).ravel(), delta.sum(0)])


pair("regressor: mean over outputs", "algebra", Regressor(2).loss, Regressor(2).grad, Regressor(2, per_output=False).grad, "the loss is a mean over outputs, the gradient a sum: right for one output", examples=[((6,),)])


def exponential_loss(raw, y):
    return np.exp(-(2 * y - 1) * raw).sum()


def exponential_loss_grad(raw, y):
    u = -(2 * y - 1)
    return u * np.exp(u * raw)


def exponential_loss_grad_zero(raw, y):
    u = -(2.0 * y - 1.0)
    return np.exp(u * raw) * np.where(y == 0, -u, u)


pair("exponential loss: the other class", "algebra", exponential_loss, exponential_loss_grad, exponential_loss_grad_zero, "the sign is wrong for labels 0", examples=[((3,), np.array([1.0, 0.0, 1.0]))], domain={"raw": (-30, 30), "y": lambda rng, shape: rng.integers(0, 2, shape).astype(float)})


def modified_huber(w):
    """Quadratic below the margin, linear far below it."""
    z = (XS @ w) * np.array([1.0, -1.0, 1.0])
    return np.sum(np.where(z >= 1, 0, np.where(z >= -1, (1 - z) ** 2, -4 * z)))


def modified_huber_grad(w):
    y = np.array([1.0, -1.0, 1.0])
    z = (XS @ w) * y
    return XS.T @ (y * np.where(z >= 1, 0, np.where(z >= -1, -2 * (1 - z), -4)))


def modified_huber_grad_two(w):
    y = np.array([1.0, -1.0, 1.0])
    g = np.zeros_like(w)
    for x, t in zip(XS, y, strict=True):
        d = t * (x @ w)
        if d < -1:
            g -= 4 * t * x
        elif d < 1:
            g -= (t - d * t) * x
    return g


pair("modified huber: factor of the middle piece", "cells", modified_huber, modified_huber_grad, modified_huber_grad_two, "the quadratic piece lacks its 2", examples=[((2,),)])


def poisson_nll(rate, target, *, eps, full):
    loss = rate - target * np.log(rate + eps)
    if full:
        loss = loss + np.where(target > 1, target * np.log(np.maximum(target, 1)) - target + 0.5 * np.log(2 * np.pi * np.maximum(target, 1)), 0)
    return loss.mean()


def poisson_nll_grad(rate, target, *, eps, full):
    return (1 - target / (rate + eps)) / rate.size


def poisson_nll_grad_eps(rate, target, *, eps, full):
    return (1 - target / (rate + (eps if full else 0.0))) / rate.size


pair("poisson nll: eps", "algebra", poisson_nll, poisson_nll_grad, poisson_nll_grad_eps, "one option's branch drops eps", examples=[((3,), np.array([0.0, 1.0, 4.0]), {"eps": 1e-8, "full": True}), ((3,), np.array([0.0, 1.0, 4.0]), {"eps": 1e-8, "full": False})], domain={"rate": (0, 50)})


def swap_triplet(a, p, n, *, margin=1.0):
    """Triplet loss of squared distances; the harder of both negatives counts."""
    near = np.sum((a - p) ** 2)
    far = min(np.sum((a - n) ** 2), np.sum((p - n) ** 2))
    return max(near - far + margin, 0.0)


def swap_triplet_grad(a, p, n, *, margin=1.0):
    an, pn = np.sum((a - n) ** 2), np.sum((p - n) ** 2)
    on = np.sum((a - p) ** 2) - min(an, pn) + margin > 0
    ga, gp, gn = 2 * (a - p), 2 * (p - a), np.zeros_like(n)
    if an <= pn:
        ga, gn = ga - 2 * (a - n), gn + 2 * (a - n)
    else:
        gp, gn = gp - 2 * (p - n), gn + 2 * (p - n)
    return ga * on, gp * on, gn * on


def swap_triplet_grad_half(a, p, n, *, margin=1.0):
    an, pn = np.sum((a - n) ** 2), np.sum((p - n) ** 2)
    ga, gp, gn = swap_triplet_grad(a, p, n, margin=margin)
    if an > pn:
        on = np.sum((a - p) ** 2) - an + margin > 0  # of the distance that was not used
        ga, gp, gn = ga * on, gp * on, gn * on
    return ga, gp, gn


pair("triplet with swap: active or not", "cells", swap_triplet, swap_triplet_grad, swap_triplet_grad_half, "whether it is active is decided by the distance that was swapped out", examples=[((2,), (2,), (2,))])


def cosine_embedding(x, y, label, *, margin=0.5):
    c = x @ y / np.sqrt((x @ x) * (y @ y))
    return 1 - c if label > 0 else np.maximum(c - margin, 0.0)


def cosine_embedding_grad(x, y, label, *, margin=0.5):
    xx, yy, xy = x @ x, y @ y, x @ y
    d = np.sqrt(xx * yy)
    s = -1.0 if label > 0 else float(xy / d > margin)
    return s * (y - xy / xx * x) / d, s * (x - xy / yy * y) / d


def cosine_embedding_grad_margin(x, y, label, *, margin=0.5):
    xx, yy, xy = x @ x, y @ y, x @ y
    d = np.sqrt(xx * yy)
    s = -1.0 if label > 0 else float(xy > 0)
    return s * (y - xy / xx * x) / d, s * (x - xy / yy * y) / d


pair("cosine embedding: margin", "cells", cosine_embedding, cosine_embedding_grad, cosine_embedding_grad_margin, "a pair within the margin is still pushed apart", examples=[((2,), (2,), 1), ((2,), (2,), -1)])


def gaussian_nll_clamped(mean, var, *, target, eps=1e-3):
    v = np.maximum(var, eps)
    return 0.5 * np.sum(np.log(v) + (target - mean) ** 2 / v)


def gaussian_nll_clamped_grad(mean, var, *, target, eps=1e-3):
    v = np.maximum(var, eps)
    r = target - mean
    return -r / v, np.where(var > eps, 0.5 / v - 0.5 * r**2 / v**2, 0.0)


def gaussian_nll_clamped_grad_through(mean, var, *, target, eps=1e-3):
    v = np.maximum(var, eps)
    r = target - mean
    return -r / v, 0.5 / v - 0.5 * r**2 / v**2


pair("gaussian nll: clamped variance", "cells", gaussian_nll_clamped, gaussian_nll_clamped_grad, gaussian_nll_clamped_grad_through, "the gradient passes the clamp", examples=[((2,), (2,), {"target": np.array([0.5, -1.0])})], domain={"var": (0, 4)})


def barron(x, *, alpha, c=0.5):
    """A robust loss of adjustable shape, with its limits as special cases."""
    z = (x / c) ** 2
    if alpha == 2:
        return np.sum(0.5 * z)
    if alpha == 0:
        return np.sum(np.log1p(0.5 * z))
    b = abs(alpha - 2)
    return np.sum(b / alpha * ((z / b + 1) ** (alpha / 2) - 1))


def barron_grad(x, *, alpha, c=0.5):
    if alpha == 2:
        return x / c**2
    if alpha == 0:
        return 2 * x / (x**2 + 2 * c**2)
    b = abs(alpha - 2)
    return x / c**2 * ((x / c) ** 2 / b + 1) ** (alpha / 2 - 1)


def barron_grad_cauchy(x, *, alpha, c=0.5):
    if alpha == 0:
        return 2 * x / (x**2 + c**2)
    return barron_grad(x, alpha=alpha, c=c)


pair("adaptive robust loss: alpha zero", "algebra", barron, barron_grad, barron_grad_cauchy, "the limit at alpha = 0 has the scale of Cauchy's loss in its other convention", examples=[((2,), {"alpha": a}) for a in (2, 1, -2, 0)])

W, EPS = 10.0, 2.0
SHIFT = W - W * math.log(1 + W / EPS)


def wing(x):
    r = abs(x)
    return np.where(r < W, W * np.log(1 + r / EPS), r - SHIFT).mean()


def wing_grad(x):
    r = abs(x)
    return np.sign(x) * np.where(r < W, W / (EPS + r), 1.0) / x.size


def wing_grad_inner(x):
    r = abs(x)
    return np.sign(x) * np.where(r < W, W / (1 + r / EPS), 1.0) / x.size


pair("wing loss: inner derivative", "algebra", wing, wing_grad, wing_grad_inner, "the 1/eps of log(1 + r/eps) is missing", examples=[((3,),)])

TAUS = np.array([0.25, 0.75])


def quantile_huber(theta, target):
    """Mean over targets, sum over quantiles, kappa 1."""
    u = target[None, :] - theta[:, None]
    h = np.where(np.abs(u) <= 1, 0.5 * u**2, np.abs(u) - 0.5)
    return np.sum(np.mean(np.abs(TAUS[:, None] - (u < 0)) * h, axis=1))


def quantile_huber_grad(theta, target):
    u = target[None, :] - theta[:, None]
    weight = np.abs(TAUS[:, None] - (u < 0))
    g = weight * np.clip(u, -1, 1) / u.shape[1]
    return -g.sum(1), g.sum(0)


def quantile_huber_grad_mean(theta, target):
    u = target[None, :] - theta[:, None]
    weight = np.abs(TAUS[:, None] - (u < 0))
    g = weight * np.clip(u, -1, 1) / u.shape[0]  # the mean is over the other axis
    return -g.sum(1), g.sum(0)


pair("quantile huber: axis of the mean", "algebra", quantile_huber, quantile_huber_grad, quantile_huber_grad_mean, "divided by the number of quantiles, not of targets: the same when there are as many", examples=[((2,), (2,)), ((2,), (3,))])


def focal_tversky(p, t, *, alpha=0.7, gamma=0.75):
    tp, fn, fp = np.sum(p * t), np.sum((1 - p) * t), np.sum(p * (1 - t))
    return (1 - (tp + 1) / (tp + alpha * fn + (1 - alpha) * fp + 1)) ** gamma


def focal_tversky_grad(p, t, *, alpha=0.7, gamma=0.75):
    tp, fn, fp = np.sum(p * t), np.sum((1 - p) * t), np.sum(p * (1 - t))
    d = tp + alpha * fn + (1 - alpha) * fp + 1
    dd = t - alpha * t + (1 - alpha) * (1 - t)
    index_grad = (t * d - (tp + 1) * dd) / d**2
    return -gamma * (1 - (tp + 1) / d) ** (gamma - 1) * index_grad


def focal_tversky_grad_swapped(p, t, *, alpha=0.7, gamma=0.75):
    tp, fn, fp = np.sum(p * t), np.sum((1 - p) * t), np.sum(p * (1 - t))
    d = tp + alpha * fn + (1 - alpha) * fp + 1
    dd = t - (1 - alpha) * t + alpha * (1 - t)
    index_grad = (t * d - (tp + 1) * dd) / d**2
    return -gamma * (1 - (tp + 1) / d) ** (gamma - 1) * index_grad


pair("tversky: weights of misses and alarms", "algebra", focal_tversky, focal_tversky_grad, focal_tversky_grad_swapped, "alpha and 1 - alpha exchanged; the same at alpha = 1/2", examples=[((3,), np.array([1.0, 0.0, 1.0]), {"alpha": 0.5, "gamma": 1.0}), ((3,), np.array([1.0, 0.0, 1.0]))], domain={"p": (0, 1), "t": lambda rng, shape: rng.integers(0, 2, shape).astype(float)})


def variance_hinge(z):
    """A term against collapse: columns whose deviation is below 1 are pushed apart."""
    std = np.sqrt(z.var(0, ddof=1) + 1e-4)
    return np.mean(np.maximum(1 - std, 0))


def variance_hinge_grad(z):
    c = z - z.mean(0)
    std = np.sqrt((c**2).sum(0) / (len(z) - 1) + 1e-4)
    return -1.0 * (std < 1) * c / std / (len(z) - 1) / z.shape[1]


def variance_hinge_grad_all(z):
    c = z - z.mean(0)
    std = np.sqrt((c**2).sum(0) / (len(z) - 1) + 1e-4)
    return -1.0 * (std < 1) * c / std / (len(z) - 1) / max(np.sum(std < 1), 1)


pair("variance hinge: mean over active columns", "cells", variance_hinge, variance_hinge_grad, variance_hinge_grad_all, "divided by the number of columns that are active; right when all are", examples=[((3, 2),)])


def smoothed_ignoring(logits, *, target, smooth=0.1):
    """Cross entropy with smoothed labels; a target of -1 is ignored."""
    lp = special.log_softmax(logits, axis=1)
    keep = target >= 0
    nll = -lp[np.arange(len(target)), target]
    return np.sum(((1 - smooth) * nll - smooth * lp.mean(1))[keep]) / keep.sum()


def smoothed_ignoring_grad(logits, *, target, smooth=0.1):
    p = special.softmax(logits, axis=1)
    q = np.full(logits.shape, smooth / logits.shape[1])
    q[np.arange(len(target)), target] += 1 - smooth
    keep = target >= 0
    return (p - q) * keep[:, None] / keep.sum()


def smoothed_ignoring_grad_rows(logits, *, target, smooth=0.1):
    p = special.softmax(logits, axis=1)
    q = np.full(logits.shape, smooth / logits.shape[1])
    q[np.arange(len(target)), target] += 1 - smooth
    keep = target >= 0
    g = (1 - smooth) * (p - np.eye(logits.shape[1])[target]) * keep[:, None]
    return (g + smooth * (p - 1 / logits.shape[1])) / keep.sum()  # the smoothing forgets to ignore


pair("label smoothing: ignored rows", "algebra", smoothed_ignoring, smoothed_ignoring_grad, smoothed_ignoring_grad_rows, "rows to be ignored get the uniform part of the gradient", examples=[((2, 3), {"target": np.array([0, 2])}), ((3, 2), {"target": np.array([1, -1, 0])})])


def crps(mu, sigma, y):
    z = (y - mu) / sigma
    pdf = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.mean(sigma * (z * (2 * special.ndtr(z) - 1) + 2 * pdf - 1 / math.sqrt(math.pi)))


def crps_grad(mu, sigma, y):
    z = (y - mu) / sigma
    pdf = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return (1 - 2 * special.ndtr(z)) / mu.size, (2 * pdf - 1 / math.sqrt(math.pi)) / mu.size


def crps_grad_digits(mu, sigma, y):
    z = (y - mu) / sigma
    pdf = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return (1 - 2 * special.ndtr(z)) / mu.size, (2 * pdf - 0.56418958) / mu.size


pair("crps: 1/sqrt(pi)", "algebra", crps, crps_grad, crps_grad_digits, "a constant of eight digits", examples=[((2,), (2,), (2,))], domain={"mu": (-5, 5), "sigma": (0.2, 5), "y": (-5, 5)})


def wasserstein(a, b):
    return np.mean(np.abs(np.sort(a) - np.sort(b)))


def wasserstein_grad(a, b):
    ga, gb = np.empty(len(a)), np.empty(len(b))
    i, j = np.argsort(a), np.argsort(b)
    s = np.sign(a[i] - b[j]) / len(a)
    ga[i], gb[j] = s, -s
    return ga, gb


def wasserstein_grad_ranks(a, b):
    i, j = np.argsort(a), np.argsort(b)
    s = np.sign(a[i] - b[j]) / len(a)
    return s[i], -s[j]  # gathered where it should be scattered


pair("wasserstein distance: ranks", "cells", wasserstein, wasserstein_grad, wasserstein_grad_ranks, "the permutation for its inverse: they agree on two entries, and on most orders of three", examples=[((2,), (2,)), ((3,), (3,))])


def enet(w, *, alpha=0.5, l1_ratio=0.25):
    r = XS @ w - YS[:, 0]
    return 0.5 * np.mean(r**2) + alpha * l1_ratio * np.sum(np.abs(w)) + 0.5 * alpha * (1 - l1_ratio) * np.sum(w**2)


def enet_grad(w, *, alpha=0.5, l1_ratio=0.25):
    r = XS @ w - YS[:, 0]
    return XS.T @ r / len(r) + alpha * l1_ratio * np.sign(w) + alpha * (1 - l1_ratio) * w


def enet_grad_soft(w, *, alpha=0.5, l1_ratio=0.25):
    r = XS @ w - YS[:, 0]
    return XS.T @ r / len(r) + alpha * l1_ratio * np.where(w >= 0, 1.0, -1.0) + alpha * (1 - l1_ratio) * w * (w > 0)


pair("elastic net: negative weights", "cells", enet, enet_grad, enet_grad_soft, "the quadratic penalty of positive weights only", examples=[((2,),)])


def listnet(scores, *, relevance):
    """Cross entropy between top-one probabilities."""
    return -np.sum(special.softmax(relevance) * special.log_softmax(scores))


def listnet_grad(scores, *, relevance):
    return special.softmax(scores) - special.softmax(relevance)


def listnet_grad_own(scores, *, relevance):
    p = special.softmax(scores)
    return p * np.sum(special.softmax(relevance)) - np.exp(relevance) / np.exp(relevance).sum().round(6)


pair("listnet: rounded normaliser", "algebra", listnet, listnet_grad, listnet_grad_own, "the labels' normaliser was rounded to six digits", examples=[((3,), {"relevance": np.array([2.0, 0.5, 1.0])})])


def fm(v, *, x):
    """Second-order term of a factorisation machine."""
    return 0.5 * np.sum((x @ v) ** 2 - (x**2) @ v**2)


def fm_grad(v, *, x):
    return np.outer(x, x @ v) - (x**2)[:, None] * v


def fm_grad_binary(v, *, x):
    return np.outer(x, x @ v) - x[:, None] * v


pair("factorisation machine: features squared", "algebra", fm, fm_grad, fm_grad_binary, "x for x^2: right for features of 0 and 1", examples=[((3, 2), {"x": np.array([1.0, 0.0, 1.0])}), ((2, 2), {"x": np.array([1.0, 0.5])})])
