"""Losses of classification, embeddings and distributions beside gradients written by hand."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap
from .pairs_linear_algebra import structured

INF = math.inf


def hinge(s, *, y):
    return np.mean(np.maximum(0, 1 - y * s))


def hinge_grad(s, *, y):
    return np.where(y * s < 1, -y, 0.0) / len(s)


def hinge_grad_sign(s, *, y):
    return np.where(y * s < 0, -y, 0.0) / len(s)  # misclassified only, not inside the margin


def squared_hinge(s, *, y):
    return np.sum(np.maximum(0, 1 - y * s) ** 2)


def squared_hinge_grad(s, *, y):
    return -2 * y * np.maximum(0, 1 - y * s)


def squared_hinge_grad_label(s, *, y):
    return -2 * np.maximum(0, 1 - y * s)


def bce_logits(x, t, *, pos_weight=1.0):
    return np.mean(pos_weight * t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x))


def bce_logits_grad(x, t, *, pos_weight=1.0):
    dx = (1 - t) * special.expit(x) - pos_weight * t * special.expit(-x)
    dt = (pos_weight - 1) * np.logaddexp(0, -x) - x
    return dx / x.size, dt / x.size


def bce_logits_grad_difference(x, t, *, pos_weight=1.0):
    dx, _ = bce_logits_grad(x, t, pos_weight=pos_weight)
    dt = pos_weight * np.logaddexp(0, -x) - np.logaddexp(0, x)
    return dx, dt / x.size


def bce_logits_grad_both(x, t, *, pos_weight=1.0):
    dx = pos_weight * ((1 - t) * special.expit(x) - t * special.expit(-x))
    return dx / x.size, bce_logits_grad(x, t, pos_weight=pos_weight)[1]


def cross_entropy(z, *, labels):
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(z)), labels])


def cross_entropy_grad(z, *, labels):
    p = special.softmax(z, axis=1)
    p[np.arange(len(z)), labels] -= 1
    return p / len(z)


def cross_entropy_grad_size(z, *, labels):
    p = special.softmax(z, axis=1)
    p[np.arange(len(z)), labels] -= 1
    return p / z.size


def cross_entropy_grad_unsigned(z, *, labels):
    if labels.dtype.kind == "u":  # taken for a mask, as np.uint8 once was
        rows = np.flatnonzero(labels)
        p = special.softmax(z, axis=1)
        p[rows, labels[rows]] -= 1
        return p / len(z)
    return cross_entropy_grad(z, labels=labels)


def smoothed(z, *, label, eps=0.1):
    k = len(z)
    q = np.full(k, eps / k)
    q[label] += 1 - eps
    return -np.sum(q * special.log_softmax(z))


def smoothed_grad(z, *, label, eps=0.1):
    g = special.softmax(z) - eps / len(z)
    g[label] -= 1 - eps
    return g


def smoothed_grad_others(z, *, label, eps=0.1):
    q = np.full(len(z), eps / (len(z) - 1))
    q[label] = 1 - eps
    return special.softmax(z) - q


def focal(p, *, gamma=2.0):
    return -np.sum((1 - p) ** gamma * np.log(p))


def focal_grad(p, *, gamma=2.0):
    return gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p


def focal_grad_weight_constant(p, *, gamma=2.0):
    return -((1 - p) ** gamma) / p


def dice(p, t, eps=1e-6):
    return 1 - (2 * np.sum(p * t) + eps) / (p.sum() + t.sum() + eps)


def dice_grad(p, t, eps=1e-6):
    top, bottom = 2 * np.sum(p * t) + eps, p.sum() + t.sum() + eps
    return top / bottom**2 - 2 * t / bottom, top / bottom**2 - 2 * p / bottom


def dice_grad_no_eps(p, t, eps=1e-6):
    top, bottom = 2 * np.sum(p * t), p.sum() + t.sum() + eps
    return top / bottom**2 - 2 * t / bottom, top / bottom**2 - 2 * p / bottom


def triplet(a, p, n, margin=1.0):
    return np.maximum(0, np.sum((a - p) ** 2) - np.sum((a - n) ** 2) + margin)


def triplet_grad(a, p, n, margin=1.0):
    on = float(triplet(a, p, n, margin) > 0)
    return 2 * on * (n - p), 2 * on * (p - a), 2 * on * (a - n)


def triplet_grad_active(a, p, n, margin=1.0):
    on = float(np.sum((a - p) ** 2) > np.sum((a - n) ** 2))  # the margin is forgotten
    return 2 * on * (n - p), 2 * on * (p - a), 2 * on * (a - n)


def contrastive(u, v, *, same, margin=1.0):
    d = np.sqrt(np.sum((u - v) ** 2))
    return 0.5 * d**2 if same else 0.5 * max(0.0, margin - d) ** 2


def contrastive_grad(u, v, *, same, margin=1.0):
    w = u - v
    d = np.linalg.norm(w)
    if same:
        return w, -w
    c = 0.0 if d == 0 or d >= margin else (margin - d) / d
    return -c * w, c * w


def contrastive_grad_zero(u, v, *, same, margin=1.0):
    w = u - v
    d = np.linalg.norm(w)
    c = 1.0 if same else -max(0.0, margin - d) / d
    return c * w, -c * w


def nt_xent(z, *, tau=0.5):
    """Rows 2k and 2k + 1 are two views of one sample."""
    s = z @ z.T / tau
    total = 0.0
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        total += special.logsumexp(s[i, others]) - s[i, i ^ 1]
    return total / len(z)


def nt_xent_weights(z, tau):
    s = z @ z.T / tau
    s[np.diag_indices(len(z))] = -np.inf
    p = special.softmax(s, axis=1)
    for i in range(len(z)):
        p[i, i ^ 1] -= 1
    return p / (len(z) * tau)


def nt_xent_grad(z, *, tau=0.5):
    w = nt_xent_weights(z, tau)
    return (w + w.T) @ z


def nt_xent_grad_rows(z, *, tau=0.5):
    return 2 * nt_xent_weights(z, tau) @ z  # as if the weights were symmetric


def kl(p, q):
    return np.sum(p * np.log(p / q))


def kl_grad(p, q):
    return np.log(p / q) + 1, -p / q


def kl_grad_no_one(p, q):
    return np.log(p / q), -p / q


def js(p, q):
    m = (p + q) / 2
    return 0.5 * np.sum(special.rel_entr(p, m) + special.rel_entr(q, m))


def js_grad(p, q):
    m = (p + q) / 2
    return 0.5 * np.log(p / m), 0.5 * np.log(q / m)


def js_grad_plus(p, q):
    m = (p + q) / 2
    return 0.5 * (np.log(p / m) + 1), 0.5 * (np.log(q / m) + 1)


def wasserstein(a, b):
    return np.mean(np.abs(np.sort(a) - np.sort(b)))


def wasserstein_grad(a, b):
    i, j = np.argsort(a, kind="stable"), np.argsort(b, kind="stable")
    s = np.sign(a[i] - b[j]) / len(a)
    da, db = np.zeros(len(a)), np.zeros(len(b))
    da[i], db[j] = s, -s
    return da, db


def wasserstein_grad_sorted(a, b):
    i, j = np.argsort(a, kind="stable"), np.argsort(b, kind="stable")
    s = np.sign(a[i] - b[j]) / len(a)
    return s[i], -s[j]  # gathers where it should scatter: right for swaps, wrong for 3-cycles


def vae_kl(mu, logvar):
    return -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))


def vae_kl_grad(mu, logvar):
    return mu, 0.5 * np.expm1(logvar)


def vae_kl_grad_std(mu, logvar):
    return mu, 0.5 * np.expm1(2 * logvar)


def vae_kl_grad_plain(mu, logvar):
    return mu, 0.5 * (np.exp(logvar) - 1)


def evidence(alpha, *, counts):
    """Minus the log-evidence of counts under a Dirichlet prior."""
    return (special.gammaln(np.sum(alpha + counts)) - special.gammaln(np.sum(alpha))
            + np.sum(special.gammaln(alpha) - special.gammaln(alpha + counts)))  # fmt: skip


def evidence_grad(alpha, *, counts):
    psi = special.digamma
    total = psi(alpha.sum() + counts.sum()) - psi(alpha.sum())
    return total + psi(alpha) - psi(alpha + counts)


def evidence_grad_total(alpha, *, counts):
    psi = special.digamma
    return psi(alpha) - psi(alpha + counts)


def crammer_singer(s, *, label):
    m = s - s[label] + 1.0
    m[label] = 0.0
    return np.max(m)


def crammer_singer_grad(s, *, label):
    m = s - s[label] + 1.0
    m[label] = 0.0
    g = np.zeros(len(s))
    g[np.argmax(m)] += 1
    g[label] -= 1
    return g


def crammer_singer_grad_all(s, *, label):
    m = s - s[label] + 1.0
    m[label] = 0.0
    g = (m == m.max()).astype(float)
    g[label] -= 1
    return g


def pearson(x, y):
    a, b = x - x.mean(), y - y.mean()
    return a @ b / np.sqrt((a @ a) * (b @ b))


def pearson_grad(x, y):
    a, b = x - x.mean(), y - y.mean()
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    r = (a / na) @ (b / nb)
    return (b / nb - r * a / na) / na, (a / na - r * b / nb) / nb


def pearson_grad_centred(x, y):
    a, b = x - x.mean(), y - y.mean()
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    r = (a / na) @ (b / nb)
    return (y / nb - r * a / na) / na, (x / na - r * b / nb) / nb


def logistic_float32(x, t):
    p = special.expit(x.astype(np.float32)).astype(float)
    return (p - t) / x.size, -x / x.size


Y3 = np.array([1.0, -1.0, 1.0])
L8, L64 = (np.array([2, 0], dtype=d) for d in (np.uint8, np.int64))
LABELS = {"examples": [((2, 3), {"labels": L64}), ((2, 3), {"labels": L8})]}
BCE = {
    "grad": bce_logits_grad,
    "examples": [((3,), (3,)), ((2,), (2,), {"pos_weight": 3.0})],
    "domain": {"t": (0, 1)},
}
MEASURES = {"examples": [((3,), (3,))], "domain": [(0, INF), (0, INF)]}
COUNTS = {"examples": [((3,), {"counts": np.array([2, 0, 1])})], "domain": {"alpha": (0.01, 50)}}
SAME = [((2,), (2,), {"same": s}) for s in (True, False)]
CROSS = {"grad": cross_entropy_grad, **LABELS}
NTX = {"examples": [((4, 2),)], "domain": {"z": (-3, 3)}}
CURVED = {"examples": [((3,), (3,))], "domain": {"x": (-5, 5), "y": (-5, 5)}}

# fmt: off
CASES = [
    Case("pair-hinge-margin", "cells", hinge, hinge, {"grad": hinge_grad, "examples": [((3,), {"y": Y3})]}, {"grad": hinge_grad_sign}, why="active for wrong signs alone, not inside the margin"),
    Case("pair-squared-hinge-label", "cells", squared_hinge, squared_hinge, {"grad": squared_hinge_grad, "examples": [((3,), {"y": Y3})]}, {"grad": squared_hinge_grad_label}, why="the label's sign is lost: wrong in one entry"),
    Case("pair-bce-pos-weight", "algebra", bce_logits, bce_logits, BCE, {"grad": bce_logits_grad_both}, why="pos_weight multiplies the negatives too; right for its default"),
    Case("pair-bce-float32", "floats", bce_logits, bce_logits, BCE | {"examples": [((3,), (3,))]}, {"grad": logistic_float32}, why="half of the digits are lost in single precision"),
    Case("pair-bce-soft-labels", "floats", bce_logits, bce_logits, BCE, {"grad": bce_logits_grad_difference}, why="the difference of two softplus is -x, and nothing of it is left for small x"),
    Case("pair-cross-entropy-size", "algebra", cross_entropy, cross_entropy, CROSS, {"grad": cross_entropy_grad_size}, why="mean over the batch divided by all entries"),
    Case("pair-cross-entropy-uint8", "cells", cross_entropy, cross_entropy, CROSS, {"grad": cross_entropy_grad_unsigned}, why="labels of an unsigned dtype are taken for a mask"),
    Case("pair-label-smoothing", "algebra", smoothed, smoothed, {"grad": smoothed_grad, "examples": [((3,), {"label": 1})]}, {"grad": smoothed_grad_others}, why="eps/(k - 1) for eps/k"),
    Case("pair-focal-weight", "algebra", focal, focal, {"grad": focal_grad, "examples": [((3,), {"gamma": 2.0}), ((2,), {"gamma": 0.0})], "domain": {"p": (0, 1)}}, {"grad": focal_grad_weight_constant}, why="the weight is taken as constant; right for gamma = 0"),
    Case("pair-dice-eps", "algebra", dice, dice, {"grad": dice_grad, "examples": [((3,), (3,))], "domain": {"p": (0, 1), "t": (0, 1)}}, {"grad": dice_grad_no_eps}, why="the smoothing of 1e-6 is missing in the numerator"),
    Case("pair-triplet-margin", "cells", triplet, triplet, {"grad": triplet_grad, "examples": [((2,), (2,), (2,))]}, {"grad": triplet_grad_active}, why="inactive inside the margin"),
    Case("pair-contrastive-zero", "cells", contrastive, contrastive, {"grad": contrastive_grad, "examples": SAME}, {"grad": contrastive_grad_zero}, why="0/0 where the two embeddings are equal"),
    Case("pair-nt-xent-rows", "algebra", nt_xent, nt_xent, {"grad": nt_xent_grad, **NTX}, {"grad": nt_xent_grad_rows}, why="each embedding is a row and a column of the similarities"),
    Case("pair-kl-one", "algebra", kl, kl, {"grad": kl_grad, **MEASURES}, {"grad": kl_grad_no_one}, why="d(p log p) is log p + 1"),
    Case("pair-js-one", "algebra", js, js, {"grad": js_grad, **MEASURES}, {"grad": js_grad_plus}, why="the ones cancel against the mixture's"),
    Case("pair-wasserstein-scatter", "cells", wasserstein, wasserstein, {"grad": wasserstein_grad, "examples": [((3,), (3,))]}, {"grad": wasserstein_grad_sorted}, why="gathers by the permutation where it should scatter"),
    Case("pair-vae-logvar", "algebra", vae_kl, vae_kl, {"grad": vae_kl_grad, "examples": [((3,), (3,))]}, {"grad": vae_kl_grad_std}, why="takes the log-variance for a log-deviation; right at 0"),
    Case("pair-dirichlet-evidence", "algebra", evidence, evidence, {"grad": evidence_grad, **COUNTS}, {"grad": evidence_grad_total}, why="the term of the total is left out"),
    Case("pair-crammer-singer-tie", "cells", crammer_singer, crammer_singer, {"grad": crammer_singer_grad, "examples": [((3,), {"label": 0})]}, {"grad": crammer_singer_grad_all}, why="every tied class gets the whole gradient"),
    Case("pair-pearson-centred", "algebra", pearson, pearson, {"grad": pearson_grad, **CURVED}, {"grad": pearson_grad_centred}, why="the other vector is not centred"),
    trap("pair-js-simple", "algebra", js, "the constant terms cancel: half the log-ratio is all", grad=lambda p, q: (0.5 * np.log(2 * p / (p + q)), -0.5 * np.log((p + q) / (2 * q))), **MEASURES),
    trap("pair-kl-simplex", "algebra", kl, "on the simplex, by a domain that is made when needed", grad=kl_grad, examples=[((3,), (3,))], domain=[structured("simplex")] * 2),
    trap("pair-cross-entropy-onehot", "algebra", cross_entropy, "subtracts a one-hot matrix instead of indexing", grad=lambda z, *, labels: (special.softmax(z, axis=1) - np.eye(z.shape[1])[labels]) / len(z), **LABELS),
    trap("pair-hinge-at-margin", "cells", hinge, "at the margin itself the other side's gradient", grad=lambda s, *, y: -y * (y * s <= 1) / len(s), examples=[((3,), {"y": Y3})]),
    Case("pair-vae-expm1", "floats", vae_kl, vae_kl, {"grad": vae_kl_grad, "examples": [((3,), (3,))]}, {"grad": vae_kl_grad_plain}, why="exp(v) - 1 loses every digit of a small v"),
]
# fmt: on
