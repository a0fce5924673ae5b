"""Losses of machine learning and robust statistics with a parameter that has a special value, and their traps."""
# ruff: noqa: E501

import dataclasses
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


def poly1(x, eps=1.0):
    """Poly-1 cross entropy of class 0."""
    p = special.softmax(x)
    return -special.log_softmax(x)[0] + eps * (1 - p[0])


def poly1_grad(x, eps=1.0):
    p = special.softmax(x)
    e = np.zeros(len(x))
    e[0] = 1
    return (p - e) * (1 + eps * p[0])


pair("poly-1 loss: the probability's slope", "algebra", poly1, poly1_grad, lambda x: (special.softmax(x) - np.eye(len(x))[0]) * (1 + special.softmax(x)[0] * special.softmax(x)[1:].sum()), "p (1 - p) for p: the rest is in the vector already", examples=[((3,),)])


def symmetric_ce(x, a=0.1, b=1.0):
    """Symmetric cross entropy: log 0 stands at -4."""
    p = special.softmax(x)
    return -a * special.log_softmax(x)[1] + b * 4 * (p.sum() - p[1])


def symmetric_ce_grad(x, a=0.1, b=1.0):
    p = special.softmax(x)
    e = np.eye(len(x))[1]
    return a * (p - e) + 4 * b * p[1] * (p - e)


pair("symmetric cross entropy: sign of log zero", "algebra", symmetric_ce, symmetric_ce_grad, lambda x: 0.1 * (special.softmax(x) - np.eye(len(x))[1]) - 4 * special.softmax(x)[1] * (special.softmax(x) - np.eye(len(x))[1]), "the reverse term's sign", examples=[((3,),)])


def generalized_ce(x, q):
    """(1 - p^q) / q."""
    return -np.expm1(q * special.log_softmax(x)[0]) / q


def generalized_ce_grad(x, q):
    lp = special.log_softmax(x)
    p0q = np.exp(q * lp[0])
    return -p0q * (np.eye(len(x))[0] - np.exp(lp)), (np.expm1(q * lp[0]) - q * lp[0] * p0q) / q**2


pair("generalised cross entropy: half power", "algebra", generalized_ce, generalized_ce_grad, lambda x, q: (-np.exp(special.log_softmax(x)[0] * q) * (np.eye(len(x))[0] - special.softmax(x)) * (2 * q if q == 1 else 1), (generalized_ce_grad(x, q)[1])), "a factor of two where the power is exactly one", examples=[((3,), ()), ((3,), np.array(1.0))], domain=[(-3, 3), (0.2, 2)])


def asymmetric(x, y=(1, 0, 0)):
    """Asymmetric loss: negatives are shifted by a margin and cut off at zero."""
    p = special.expit(x)
    m = np.maximum(p - 0.05, 0)
    y = np.array(y)
    return -np.sum(y * special.log_expit(x) + (1 - y) * m**2 * np.log1p(-m))


def asymmetric_grad(x, y=(1, 0, 0)):
    p = special.expit(x)
    m = np.maximum(p - 0.05, 0)
    y = np.array(y)
    neg = (2 * m * np.log1p(-m) - m * m / (1 - m)) * p * (1 - p)
    return -(y * (1 - p) + (1 - y) * neg)


pair("asymmetric loss: shifted negatives", "cells", asymmetric, asymmetric_grad, lambda x: -(np.array([1, 0, 0]) * (1 - special.expit(x)) + np.array([0, 1, 1]) * (2 * special.expit(x) * np.log1p(-special.expit(x)) - special.expit(x) ** 2 / (1 - special.expit(x))) * special.expit(x) * (1 - special.expit(x))), "the shift is left out in the slope", examples=[((3,),)], domain=[(-15, 15)])


def barron(x, alpha, c=1.5):
    """The general robust loss away from its special exponents 0 and 2."""
    b = np.abs(alpha - 2)
    return np.sum(b / alpha * (((x / c) ** 2 / b + 1) ** (alpha / 2) - 1))


def barron_grad(x, alpha, c=1.5):
    b = np.abs(alpha - 2)
    return x / c**2 * ((x / c) ** 2 / b + 1) ** (alpha / 2 - 1)


pair("general robust loss: exponents above two", "cells", lambda x: barron(x, 3.0) + barron(x, 1.0), lambda x: barron_grad(x, 3.0) + barron_grad(x, 1.0), lambda x: x / 1.5**2 * ((x / 1.5) ** 2 / (2 - 3.0 + 2) + 1) ** 0.5 + x / 1.5**2 * ((x / 1.5) ** 2 + 1) ** 0.5 - 0 * x, "exponent of one for minus one half in the second", examples=[((2,),)])


def hampel(r):
    """Hampel's three parts at 1, 2 and 4."""
    a = np.abs(r)
    return np.sum(np.where(a <= 1, r * r / 2, np.where(a <= 2, a - 0.5, np.where(a <= 4, 1.5 + (a - 2) - (a - 2) ** 2 / 4, 2.5))))


def hampel_psi(r):
    a = np.abs(r)
    return np.sign(r) * np.where(a <= 1, a, np.where(a <= 2, 1, np.where(a <= 4, (4 - a) / 2, 0)))


pair("hampel: descent", "cells", hampel, hampel_psi, lambda r: np.sign(r) * np.where(np.abs(r) <= 1, np.abs(r), np.where(np.abs(r) <= 2, 1, np.where(np.abs(r) <= 4, np.maximum(4 - np.abs(r), 0) / (4 - 2) * np.where(r > 0, 1, 1.02), 0))), "the descending part of negative residuals is two per cent too steep", examples=[((3,),)])
right("hampel", "cells", hampel, "three parts that meet with continuous slope", grad=lambda r: np.clip(r, -1, 1) * np.clip((4 - np.abs(r)) / 2, 0, 1), examples=[((2,),)])


def andrews(r, c=1.339):
    """Andrews' sine: 1 - cos within pi c."""
    return np.sum(np.where(np.abs(r) <= math.pi * c, c * c * (1 - np.cos(r / c)), 2 * c * c))


pair("andrews: beyond the wave", "cells", andrews, lambda r: np.where(np.abs(r) <= math.pi * 1.339, 1.339 * np.sin(r / 1.339), 0), lambda r: np.where(np.abs(r) <= 1.5 * math.pi * 1.339, 1.339 * np.sin(r / 1.339), 0), "a quarter wave further", examples=[((2,),)])


def asinh_loss(r, s):
    """Residuals on an asinh scale with its softening."""
    return np.sum(np.arcsinh(r / s) ** 2)


def asinh_grad(r, s):
    h = np.hypot(r, s)
    u = np.arcsinh(r / s)
    return 2 * u / h, np.sum(-2 * u * r / (h * s))


pair("asinh magnitudes: softening", "algebra", asinh_loss, asinh_grad, lambda r, s: (2 * np.arcsinh(r / s) / np.hypot(r, s), np.sum(-2 * np.arcsinh(r / s) * r / np.hypot(r, s))), "1/s is missing: right for softening one", examples=[((2,), ())], domain=[None, (0.2, 4)])


def info_nce(a, b, tau=0.2):
    """Contrastive loss of matched rows, cosine similarity."""
    na = a / np.linalg.norm(a, axis=1, keepdims=True)
    nb = b / np.linalg.norm(b, axis=1, keepdims=True)
    s = na @ nb.T / tau
    return -np.mean(np.diag(special.log_softmax(s, axis=1)))


def info_nce_grad(a, b, tau=0.2):
    la, lb = (np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    na, nb = a / la, b / lb
    p = special.softmax(na @ nb.T / tau, axis=1)
    d = (p - np.eye(len(a))) / (len(a) * tau)
    ga, gb = d @ nb, d.T @ na
    return (ga - na * (na * ga).sum(axis=1, keepdims=True)) / la, (gb - nb * (nb * gb).sum(axis=1, keepdims=True)) / lb


def info_nce_symmetric(a, b, tau=0.2):
    la, lb = (np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    na, nb = a / la, b / lb
    s = na @ nb.T / tau
    da = (special.softmax(s, axis=1) - np.eye(len(a))) / (len(a) * tau)
    db = (special.softmax(s, axis=0) - np.eye(len(a))) / (len(a) * tau)
    ga, gb = da @ nb, db.T @ na
    return (ga - na * (na * ga).sum(axis=1, keepdims=True)) / la, (gb - nb * (nb * gb).sum(axis=1, keepdims=True)) / lb


pair("contrastive loss: the other view's softmax", "algebra", info_nce, info_nce_grad, info_nce_symmetric, "the second view's gradient is that of the symmetric loss", examples=[((2, 2), (2, 2))])


def circle_loss(sp, sn, m=0.25, g=4.0):
    """Circle loss with weights that are not differentiated away: they depend on the similarities."""
    ap, an = np.maximum(1 + m - sp, 0), np.maximum(sn + m, 0)
    return np.logaddexp(0, special.logsumexp(g * an * (sn - m)) + special.logsumexp(-g * ap * (sp - 1 + m)))


def circle_grad(sp, sn, m=0.25, g=4.0):
    ap, an = np.maximum(1 + m - sp, 0), np.maximum(sn + m, 0)
    u, v = g * an * (sn - m), -g * ap * (sp - 1 + m)
    z = special.expit(special.logsumexp(u) + special.logsumexp(v))
    du = g * (an + (sn > -m) * (sn - m))
    dv = g * ((sp < 1 + m) * (sp - 1 + m) - ap)
    return z * special.softmax(v) * dv, z * special.softmax(u) * du


pair("circle loss: weights held", "algebra", circle_loss, circle_grad, lambda sp, sn: (circle_grad(sp, sn)[0], circle_grad(sp, sn)[1] / (4 * (np.maximum(sn + 0.25, 0) + (sn > -0.25) * (sn - 0.25)) + 1e-300) * 4 * np.maximum(sn + 0.25, 0)), "the weights of the negatives are taken for constants", examples=[((2,), (3,))], domain=[(-1, 1), (-1, 1)])


def expectile(r, tau=0.7):
    return np.sum(np.where(r >= 0, tau, 1 - tau) * r * r)


pair("expectile: a band", "cells", expectile, lambda r: 2 * np.where(r >= 0, 0.7, 0.3) * r, lambda r: 2 * np.where(r >= -1e-3, 0.7, 0.3) * r, "the weights change at -0.001", examples=[((3,),)])


def linex(r, a):
    return np.sum(np.expm1(a * r) - a * r) / a**2


pair("linex: cancelled at small residuals", "floats", lambda r: linex(r, 1.0), lambda r: np.expm1(r), lambda r: np.exp(r) - 1, "e^r - 1 loses the digits of small residuals", examples=[((2,),)], domain=[(-5, 5)])
pair("linex: its asymmetry", "algebra", lambda r, a: linex(r, a), lambda r, a: (np.expm1(a * r) / a, np.sum(r * np.expm1(a * r) / a**2 - 2 * (np.expm1(a * r) - a * r) / a**3)), lambda r, a: (np.expm1(a * r) / a, np.sum(r * np.expm1(a * r) / a**2)), "the division by the square is not differentiated", examples=[((2,), ())], domain=[(-2, 2), (0.5, 2)])


@dataclasses.dataclass(frozen=True)
class Smape:
    """Symmetric percentage error, zero where both are zero."""

    scale: float = 2.0

    def value(self, f, y):
        d = np.abs(f) + np.abs(y)
        return self.scale * np.mean(np.abs(f - y) / np.where(d == 0, 1, d))

    def slope(self, f, y):
        d = np.abs(f) + np.abs(y)
        s = np.where(d == 0, 1, d)
        e = np.abs(f - y)
        k = self.scale / len(f)
        return k * (np.sign(f - y) / s - e * np.sign(f) / s**2), k * (-np.sign(f - y) / s - e * np.sign(y) / s**2)

    def slope_unsigned(self, f, y):
        d = np.abs(f) + np.abs(y)
        s = np.where(d == 0, 1, d)
        e = np.abs(f - y)
        k = self.scale / len(f)
        return k * (np.sign(f - y) / s - e / s**2), k * (-np.sign(f - y) / s - e * np.sign(y) / s**2)


pair("symmetric percentage error: negative forecasts", "cells", Smape().value, Smape().slope, Smape().slope_unsigned, "the modulus in the denominator is taken to be positive", examples=[((2,), (2,))], domain=[lambda rng, shape: rng.choice([-1, 1], shape) * rng.uniform(0.1, 3, shape)] * 2)


def ccc(x, y):
    """One minus the concordance correlation."""
    a, b = x - x.mean(), y - y.mean()
    return 1 - 2 * np.mean(a * b) / (np.mean(a * a) + np.mean(b * b) + (x.mean() - y.mean()) ** 2)


def ccc_grad(x, y):
    n = len(x)
    a, b = x - x.mean(), y - y.mean()
    m = x.mean() - y.mean()
    d = np.mean(a * a) + np.mean(b * b) + m * m
    c = 2 * np.mean(a * b) / d
    return -(2 * b - c * 2 * (a + m)) / (n * d), -(2 * a - c * 2 * (b - m)) / (n * d)


pair("concordance: difference of means", "algebra", ccc, ccc_grad, lambda x, y: (ccc_grad(x, y)[0], ccc_grad(x, y)[1] + 4 * (1 - ccc(x, y)) * (x.mean() - y.mean()) / len(x) / (np.var(x) + np.var(y) + (x.mean() - y.mean()) ** 2) * (len(x) == 2)), "the sign of the means' term, for two entries only", examples=[((2,), (2,)), ((3,), (3,))])


def focal_tversky(p, y=(1.0, 0.0, 1.0), a=0.7, gamma=0.75):
    y = np.array(y)
    tp, fp, fn = np.sum(p * y), np.sum(p * (1 - y)), np.sum((1 - p) * y)
    return (1 - (tp + 1) / (tp + a * fn + (1 - a) * fp + 1)) ** gamma


def focal_tversky_grad(p, y=(1.0, 0.0, 1.0), a=0.7, gamma=0.75):
    y = np.array(y)
    tp, fp, fn = np.sum(p * y), np.sum(p * (1 - y)), np.sum((1 - p) * y)
    d = tp + a * fn + (1 - a) * fp + 1
    t = (tp + 1) / d
    dt = (y - t * (y - a * y + (1 - a) * (1 - y))) / d
    return -gamma * (1 - t) ** (gamma - 1) * dt


right("focal tversky loss", "algebra", focal_tversky, "a quotient to a fractional power", grad=focal_tversky_grad, examples=[((3,),)], domain=[(0.02, 0.98)])


def eval_or_zero(x):
    """Log-sum over the positive entries, zero where there are none, by try and except."""
    try:
        best = max(v for v in x if v > 0)
    except ValueError:
        return 0.0 * x.sum()
    return np.log(best) + np.sum(np.maximum(x, 0))


def eval_or_zero_grad(x):
    g = (x > 0).astype(float)
    if g.any():
        i = int(np.argmax(x))
        g[i] += 1 / x[i]
    return g


pair("positive entries: none", "cells", eval_or_zero, eval_or_zero_grad, lambda x: (x > 0) + np.where(np.arange(len(x)) == np.argmax(x), 1 / np.where(x.max() < -3, x.max(), np.inf if x.max() <= 0 else x.max()), 0), "where all entries are below -3 there is a slope", examples=[((3,),)])


def triplet_soft(a, p, n):
    """Soft-margin triplet loss on distances with a floor under the root."""
    dp, dn = np.sqrt(np.sum((a - p) ** 2) + 1e-12), np.sqrt(np.sum((a - n) ** 2) + 1e-12)
    return np.logaddexp(0, dp - dn)


def triplet_soft_grad(a, p, n):
    dp, dn = np.sqrt(np.sum((a - p) ** 2) + 1e-12), np.sqrt(np.sum((a - n) ** 2) + 1e-12)
    s = special.expit(dp - dn)
    u, v = (a - p) / dp, (a - n) / dn
    return s * (u - v), -s * u, s * v


def triplet_soft_floor(a, p, n):
    dp, dn = np.sqrt(np.sum((a - p) ** 2) + 1e-12), np.sqrt(np.sum((a - n) ** 2) + 1e-12)
    s = special.expit(dp - dn)
    u, v = (a - p) / np.maximum(dp - 1e-6, 1e-6), (a - n) / dn
    return s * (u - v), -s * u, s * v


pair("soft triplet: floor under the root", "cells", triplet_soft, triplet_soft_grad, triplet_soft_floor, "the floor is taken off again, 1e-6 relative at distance one", examples=[((2,), (2,), (2,))])


def negative_binomial_hurdle(z, y=3):
    """log of NB probability at size one half, truncated to positive counts."""
    p = special.log_expit(z)
    return y * special.log_expit(-z) + 0.5 * p - np.log(-np.expm1(0.5 * p))


def hurdle_slope(z, y=3):
    q = special.expit(-z)
    p0 = np.exp(0.5 * special.log_expit(z))
    return -y * (1 - q) + 0.5 * q + 0.5 * q * p0 / (-np.expm1(0.5 * special.log_expit(z)))


right("hurdle: log one minus a root", "floats", negative_binomial_hurdle, "q over 1 - sqrt(1 - q), both tiny for large z", grad=hurdle_slope, examples=[((),)], domain=[(-30, 30)])
pair("hurdle: one minus a root", "floats", negative_binomial_hurdle, hurdle_slope, lambda z: -3 * special.expit(z) + 0.5 * special.expit(-z) + 0.5 * special.expit(-z) * np.sqrt(special.expit(z)) / np.maximum(1 - np.sqrt(special.expit(z)), 1e-17), "1 - sqrt(p) cancels where p is near one", examples=[((),)], domain=[(-30, 30)])


def soft_f1(x, y=(1, 0, 1, 0)):
    p, y = special.expit(x), np.array(y)
    return 1 - 2 * p @ y / (p.sum() + y.sum())


pair("soft f1: denominator's share", "algebra", soft_f1, lambda x: special.expit(x) * special.expit(-x) * (-2 * np.array([1, 0, 1, 0]) + 2 * (special.expit(x) @ [1, 0, 1, 0]) / (special.expit(x).sum() + 2)) / (special.expit(x).sum() + 2), lambda x: special.expit(x) * special.expit(-x) * (-2 * np.array([1, 0, 1, 0]) + 2 * (special.expit(x) @ [1, 0, 1, 0]) / (special.expit(x).sum() + 2) * np.array([1, 0, 1, 0])) / (special.expit(x).sum() + 2), "only the positives' share of the denominator", examples=[((4,),)])
