"""More gradients reported wrong: cutoffs, views, masks, flows and embeddings, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case

CASES: list[Case] = []


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"reported-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


CUTOFF = 20.0


def bernoulli_logit(theta, *, y):
    """A log-likelihood that approximates beyond a cutoff, as a library of statistics has it."""
    t = (2 * y - 1) * theta
    return np.sum(
        np.where(
            t > CUTOFF,
            -np.exp(-t),
            np.where(t < -CUTOFF, t, -np.log1p(np.exp(-np.clip(t, -30, 30)))),
        )
    )


def bernoulli_logit_grad(theta, *, y):
    sign = 2 * y - 1
    t = sign * theta
    e = np.exp(-np.maximum(t, -30))
    return sign * np.where(t > CUTOFF, e, np.where(t < -CUTOFF, 1.0, e / (1 + e)))


def bernoulli_logit_grad_sign(theta, *, y):
    sign = 2 * y - 1
    t = sign * theta
    e = np.exp(-np.maximum(t, -30))
    return np.where(t > CUTOFF, -e, np.where(t < -CUTOFF, sign, sign * e / (1 + e)))


pair(
    "bernoulli logit: beyond the cutoff",
    "cells",
    bernoulli_logit,
    bernoulli_logit_grad,
    bernoulli_logit_grad_sign,
    "the label's sign is missing beyond 20, where the gradient is 1e-9",
    examples=[((2,), {"y": np.array([1, 0])})],
)


def coregionalize(w, kappa):
    return w @ w.T + np.diag(kappa)


def coregionalize_vjp(w, kappa, grad_output):
    return (grad_output + grad_output.T) @ w, np.diagonal(grad_output).copy()


def coregionalize_vjp_view(w, kappa, grad_output):
    g = grad_output.copy()
    d_kappa = np.diagonal(g)  # a view, which the next line changes
    g += g.T
    return g @ w, d_kappa


pair(
    "coregionalisation: a view of the diagonal",
    "contract",
    coregionalize,
    coregionalize_vjp,
    coregionalize_vjp_view,
    "the diagonal is doubled after it was read",
    "vjp",
    examples=[((2, 1), (2,)), ((3, 2), (3,))],
)


def weibull_pdf(x, scale, shape):
    p = (x / scale) ** shape
    return shape * p / x * np.exp(-p)


def weibull_pdf_vjp(x, scale, shape, grad_output):
    p = (x / scale) ** shape
    f = grad_output * p / x * np.exp(-p)
    return (
        f * shape * (shape - 1 - shape * p) / x,
        f * (p - 1) * shape**2 / scale,
        f * (1 + (1 - p) * np.log(p)),
    )


def weibull_pdf_vjp_swapped(x, scale, shape, grad_output):
    dx, d_scale, d_shape = weibull_pdf_vjp(x, scale, shape, grad_output)
    return dx, d_shape, d_scale


pair(
    "weibull density: order of parameters",
    "algebra",
    weibull_pdf,
    weibull_pdf_vjp,
    weibull_pdf_vjp_swapped,
    "scale's and shape's gradients exchanged",
    "vjp",
    examples=[((), (), ())],
    domain={"x": (0.2, 5), "scale": (0.3, 4), "shape": (0.4, 4)},
)


def clipped_probit(z):
    """A log-likelihood whose probabilities are clipped from below: flat where they are."""
    return np.sum(np.log(np.maximum(special.ndtr(z), 1e-12)))


def clipped_probit_grad(z):
    p = special.ndtr(z)
    return np.where(
        p > 1e-12, np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) / np.maximum(p, 1e-12), 0.0
    )


def clipped_probit_grad_through(z):
    p = np.maximum(special.ndtr(z), 1e-12)
    return np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) / p


pair(
    "probit: clipped probability",
    "cells",
    clipped_probit,
    clipped_probit_grad,
    clipped_probit_grad_through,
    "where the probability is clipped the loss is flat",
    examples=[((2,),)],
    domain=[(-12, 6)],
)


def masked_entropy(logits, *, mask):
    z = np.where(mask, logits, -np.inf)
    p = special.softmax(z)
    return -np.sum(special.xlogy(p, p))


def masked_entropy_grad(logits, *, mask):
    z = np.where(mask, logits, -np.inf)
    p = special.softmax(z)
    return -special.xlogy(p, p) + p * np.sum(special.xlogy(p, p))


def masked_entropy_grad_nan(logits, *, mask):
    z = np.where(mask, logits, -np.inf)
    lp = special.log_softmax(z)
    p = np.exp(lp)
    return -p * lp + p * np.nansum(p * lp)


pair(
    "entropy of a masked softmax",
    "floats",
    masked_entropy,
    masked_entropy_grad,
    masked_entropy_grad_nan,
    "0 times minus infinity at the masked entries",
    examples=[
        ((3,), {"mask": np.array([True, True, True])}),
        ((3,), {"mask": np.array([True, False, True])}),
    ],
    domain={"logits": (-9, 9)},
)


def jittered(a):
    """log-determinant of a Gram matrix with a jitter in proportion to its trace."""
    k = a @ a.T
    return np.linalg.slogdet(k + 1e-4 * np.trace(k) / len(k) * np.eye(len(k)))[1]


def jittered_grad(a):
    k = a @ a.T
    inv = np.linalg.inv(k + 1e-4 * np.trace(k) / len(k) * np.eye(len(k)))
    return 2 * (inv + 1e-4 * np.trace(inv) / len(k) * np.eye(len(k))) @ a


def jittered_grad_constant(a):
    k = a @ a.T
    return 2 * np.linalg.inv(k + 1e-4 * np.trace(k) / len(k) * np.eye(len(k))) @ a


pair(
    "jitter: depends on the matrix",
    "algebra",
    jittered,
    jittered_grad,
    jittered_grad_constant,
    "the jitter is taken for a constant, which is right to four digits",
    examples=[((2, 2),)],
    domain={"a": lambda rng, shape: rng.normal(size=shape) * 0.3 + 2 * np.eye(*shape)},
)


def deviation_from_median(x):
    """The median absolute deviation of three numbers."""
    return np.median(np.abs(x - np.median(x)))


def deviation_from_median_grad(x):
    g = np.zeros(3)
    m = np.argsort(x, kind="stable")[1]
    d = np.abs(x - x[m])
    k = np.argsort(d, kind="stable")[1]
    s = np.sign(x[k] - x[m])
    g[k] += s
    g[m] -= s
    return g


def deviation_from_median_grad_outer(x):
    g = np.zeros(3)
    m = np.median(x)
    k = np.argsort(np.abs(x - m), kind="stable")[1]
    g[k] = np.sign(x[k] - m)
    return g


pair(
    "median absolute deviation: inner median",
    "cells",
    deviation_from_median,
    deviation_from_median_grad,
    deviation_from_median_grad_outer,
    "the inner median is taken for a constant",
    examples=[((3,),)],
)


def partition(emit, move):
    """log-partition function of a chain of labels."""
    a = emit[0]
    for e in emit[1:]:
        a = special.logsumexp(a[:, None] + move, axis=0) + e
    return special.logsumexp(a)


def partition_grad(emit, move, first=0):
    n = len(emit)
    alpha, beta = [emit[0]], [np.zeros(move.shape[0])]
    for e in emit[1:]:
        alpha.append(special.logsumexp(alpha[-1][:, None] + move, axis=0) + e)
    for e in emit[:0:-1]:
        beta.insert(0, special.logsumexp(move + (e + beta[0])[None, :], axis=1))
    z = special.logsumexp(alpha[-1])
    g_emit = np.stack([np.exp(a + b - z) for a, b in zip(alpha, beta, strict=True)])
    g_move = np.zeros_like(move)
    for t in range(first, n - 1):
        g_move += np.exp(alpha[t][:, None] + move + (emit[t + 1] + beta[t + 1])[None, :] - z)
    return g_emit, g_move


def partition_grad_first(emit, move):
    return partition_grad(emit, move, first=1 if len(emit) > 2 else 0)


pair(
    "crf: first transition",
    "algebra",
    partition,
    partition_grad,
    partition_grad_first,
    "in chains of three and more the first transition is not counted",
    examples=[((2, 2), (2, 2)), ((3, 2), (2, 2))],
    domain={"emit": (-30, 30), "move": (-30, 30)},
)


def scan(a, x):
    """A linear recurrence with gates, as in state space models."""
    h, out = 0.0, []
    for gate, v in zip(a, x, strict=True):
        h = gate * h + (1 - gate) * v
        out.append(h)
    return np.array(out)


def scan_vjp(a, x, grad_output):
    h = np.concatenate([[0.0], scan(a, x)])
    ga, gx, carry = np.zeros(len(a)), np.zeros(len(x)), 0.0
    for t in range(len(a) - 1, -1, -1):
        carry = carry + grad_output[t]
        ga[t], gx[t] = carry * (h[t] - x[t]), carry * (1 - a[t])
        carry = carry * a[t]
    return ga, gx


def scan_vjp_new(a, x, grad_output):
    h = scan(a, x)
    ga, gx, carry = np.zeros(len(a)), np.zeros(len(x)), 0.0
    for t in range(len(a) - 1, -1, -1):
        carry = carry + grad_output[t]
        ga[t], gx[t] = carry * ((h[t - 1] if t else h[t]) - x[t]), carry * (1 - a[t])
        carry = carry * a[t]
    return ga, gx


pair(
    "gated scan: first gate",
    "algebra",
    scan,
    scan_vjp,
    scan_vjp_new,
    "before the first step the new state stands for the old one, which is zero",
    "vjp",
    examples=[((2,), (2,)), ((3,), (3,))],
    domain={"a": (0, 1)},
)


def planar_flow(u, w, x):
    """log |det| of a planar flow."""
    t = np.tanh(w @ x)
    return np.log(np.abs(1 + (1 - t**2) * (u @ w)))


def planar_flow_grad(u, w, x):
    t = np.tanh(w @ x)
    s = 1 - t**2
    d = 1 + s * (u @ w)
    inner = -2 * t * s * (u @ w) / d
    return s * w / d, s * u / d + inner * x, inner * w


def planar_flow_grad_abs(u, w, x):
    t = np.tanh(w @ x)
    s = 1 - t**2
    d = np.abs(1 + s * (u @ w))
    inner = -2 * t * s * (u @ w) / d
    return s * w / d, s * u / d + inner * x, inner * w


pair(
    "planar flow: negative determinant",
    "cells",
    planar_flow,
    planar_flow_grad,
    planar_flow_grad_abs,
    "the derivative of log |d| is 1/d, not 1/|d|",
    examples=[((2,), (2,), (2,))],
    domain={"u": (-2, 2), "w": (-2, 2), "x": (-2, 2)},
)


def discretised_logistic(x, mean, log_scale):
    """log-probability of a bin; the outermost bins reach to infinity."""
    inv = np.exp(-log_scale)
    up, low = (x - mean + 0.1) * inv, (x - mean - 0.1) * inv
    if x <= -0.9:
        return special.log_expit(up)
    if x >= 0.9:
        return special.log_expit(-low)
    return np.log(special.expit(up) - special.expit(low))


def discretised_logistic_grad(x, mean, log_scale):
    inv = np.exp(-log_scale)
    up, low = (x - mean + 0.1) * inv, (x - mean - 0.1) * inv
    if x <= -0.9:
        a, b = special.expit(-up), 0.0
    elif x >= 0.9:
        a, b = 0.0, -special.expit(low)
    else:
        p, q = special.expit(up), special.expit(low)
        a, b = p * (1 - p) / (p - q), -q * (1 - q) / (p - q)
    return (a + b) * inv, -(a + b) * inv, -(a * up + b * low)


def discretised_logistic_grad_top(x, mean, log_scale):
    inv = np.exp(-log_scale)
    if x >= 0.9:
        low = (x - mean - 0.1) * inv
        b = -special.expit(-low)  # the other tail
        return b * inv, -b * inv, -b * low
    return discretised_logistic_grad(x, mean, log_scale)


pair(
    "discretised logistic: last bin",
    "cells",
    discretised_logistic,
    discretised_logistic_grad,
    discretised_logistic_grad_top,
    "the last bin's tail is that of the first",
    examples=[((), (), ())],
    domain={"x": (-1, 1), "mean": (-1, 1), "log_scale": (-1, 1)},
)


def similarity(d2, *, a=1.577, b=0.895):
    return 1 / (1 + a * d2**b)


def similarity_vjp(d2, grad_output, *, a=1.577, b=0.895):
    return -grad_output * a * b * d2 ** (b - 1) / (1 + a * d2**b) ** 2


def similarity_vjp_a(d2, grad_output, *, a=1.577, b=0.895):
    return -grad_output * a * b * d2 ** (b - 1) / ((1 + d2**b) * (1 + a * d2**b))


pair(
    "umap: a in the denominator",
    "algebra",
    similarity,
    similarity_vjp,
    similarity_vjp_a,
    "right at a = 1",
    "vjp",
    examples=[((2,), {"a": 1.0, "b": 1.0}), ((2,),)],
    domain={"d2": (0, 20)},
)


def poincare(u, v):
    d2, a, b = np.sum((u - v) ** 2), 1 - u @ u, 1 - v @ v
    return np.arccosh(1 + 2 * d2 / (a * b))


def poincare_grad(u, v):
    d2, a, b = np.sum((u - v) ** 2), 1 - u @ u, 1 - v @ v
    k = 2 / (a * b)
    c = k * d2
    r = 1 / np.sqrt(c * (c + 2))
    return r * (2 * k * (u - v) + 2 * c * u / a), r * (2 * k * (v - u) + 2 * c * v / b)


def poincare_grad_swapped(u, v):
    d2, a, b = np.sum((u - v) ** 2), 1 - u @ u, 1 - v @ v
    k = 2 / (a * b)
    c = k * d2
    r = 1 / np.sqrt(c * (c + 2))
    return r * (2 * k * (u - v) + 2 * c * u / a), r * (2 * k * (v - u) + 2 * c * v / a)


pair(
    "poincare distance: second point",
    "algebra",
    poincare,
    poincare_grad,
    poincare_grad_swapped,
    "the first point's factor in the second point's gradient",
    examples=[((2,), (2,))],
    domain={"u": (0.1, 0.6), "v": (-0.6, -0.1)},
)


def complex_score(re_h, im_h, re_r, im_r, re_t, im_t):
    """The trilinear score of an embedding by complex numbers."""
    return np.sum(re_h * re_r * re_t + im_h * re_r * im_t + re_h * im_r * im_t - im_h * im_r * re_t)


def complex_score_grad(re_h, im_h, re_r, im_r, re_t, im_t):
    return (
        re_r * re_t + im_r * im_t,
        re_r * im_t - im_r * re_t,
        re_h * re_t + im_h * im_t,
        re_h * im_t - im_h * re_t,
        re_h * re_r - im_h * im_r,
        im_h * re_r + re_h * im_r,
    )


def complex_score_grad_conjugate(re_h, im_h, re_r, im_r, re_t, im_t):
    g = complex_score_grad(re_h, im_h, re_r, im_r, re_t, im_t)
    return (*g[:4], re_h * re_r + im_h * im_r, g[5])


pair(
    "complex embedding: tail",
    "algebra",
    complex_score,
    complex_score_grad,
    complex_score_grad_conjugate,
    "a sign in the fifth of six gradients",
    examples=[((2,),) * 6],
)


def glove(w, c, *, count):
    weight = np.minimum(count / 10.0, 1.0) ** 0.75
    return 0.5 * np.sum(weight * (w @ c.T - np.log(count)) ** 2)


def glove_grad(w, c, *, count):
    weight = np.minimum(count / 10.0, 1.0) ** 0.75
    r = weight * (w @ c.T - np.log(count))
    return r @ c, r.T @ w


def glove_grad_cap(w, c, *, count):
    weight = (count / 10.0) ** 0.75  # not limited to one
    r = weight * (w @ c.T - np.log(count))
    return r @ c, r.T @ w


pair(
    "glove: cap of the weight",
    "algebra",
    glove,
    glove_grad,
    glove_grad_cap,
    "frequent pairs weigh more than one in the gradient",
    examples=[
        ((1, 2), (2, 2), {"count": np.array([[1.0, 7.0]])}),
        ((1, 2), (2, 2), {"count": np.array([[1.0, 20.0]])}),
    ],
)
