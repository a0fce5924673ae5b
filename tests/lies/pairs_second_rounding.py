"""Right gradients whose branch is decided within the rounding of what was computed: ties of sums, knees, thresholds."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"second-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


_centres = np.array([[0.1, 0.3], [0.7, -0.2], [-0.4, 0.9]])


def kmeans(points):
    """Distortion of the nearest of three centres, hard assignment."""
    d = ((points[:, None] - _centres) ** 2).sum(axis=-1)
    return d.min(axis=1).sum()


def kmeans_grad(points):
    d = ((points[:, None] - _centres) ** 2).sum(axis=-1)
    return 2 * (points - _centres[d.argmin(axis=1)])


right("k-means: hard assignment", "cells", kmeans, "equal distances are decided by rounding", grad=kmeans_grad, examples=[((2, 2),)])

_W = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.2, 0.2]])


def crammer(x):
    """Multi-class hinge: the best wrong score plus one, over the right class's score."""
    s = _W @ x
    s = s - s[1] + np.array([1.0, 0.0, 1.0])
    return s.max()


def crammer_grad(x):
    s = _W @ x + np.array([1.0, 0.0, 1.0])
    j = s.argmax()
    return _W[j] - _W[1]


right("multi-class hinge: scores of 0.1, 0.2, 0.3", "cells", crammer, "ties of computed scores; the two orders of summation differ by rounding", grad=crammer_grad, examples=[((3,),)])

_w = np.array([0.1, 0.3, 0.7, 0.9])


def best_two(x):
    """The sum of the two largest products."""
    return np.sort(_w * x)[2:].sum()


def best_two_grad(x):
    out = np.zeros_like(x)
    top = np.argsort(_w * x, kind="stable")[2:]
    out[top] = _w[top]
    return out


right("top two of products", "cells", best_two, "products tie within rounding", grad=best_two_grad, examples=[((4,),)])

_X = np.array([[1.0, 0.1], [1.0, 0.3], [1.0, 0.6], [1.0, 0.7], [1.0, 1.1]])
_y = np.array([0.2, 0.1, 0.7, 0.4, 1.3])


def trimmed(b):
    """Least trimmed squares: the three smallest squared residuals of five."""
    return np.sort((_y - _X @ b) ** 2)[:3].sum()


def trimmed_grad(b):
    r = _y - _X @ b
    keep = np.argsort(r * r, kind="stable")[:3]
    return -2 * _X[keep].T @ r[keep]


right("least trimmed squares", "cells", trimmed, "equal squared residuals of opposite sign", grad=trimmed_grad, examples=[((2,),)])


def pinball(b):
    """Quantile regression at 0.7."""
    r = _y - _X @ b
    return np.sum(np.maximum(0.7 * r, (0.7 - 1) * r))


def pinball_grad(b):
    r = _y - _X @ b
    return -_X.T @ np.where(r >= 0, 0.7, 0.7 - 1)


right("quantile regression at 0.7", "cells", pinball, "residuals vanish within rounding", grad=pinball_grad, examples=[((2,),)])


def quantile(x):
    return np.quantile(x, 0.3)


def quantile_grad(x):
    position = 0.3 * (len(x) - 1)
    k = min(int(position), len(x) - 2)
    order = np.argsort(x, kind="stable")
    out = np.zeros_like(x)
    out[order[k]] = 1 - (position - k)
    out[order[k + 1]] = position - k
    return out


pair("quantile: weights", "cells", quantile, quantile_grad, lambda x: quantile_grad(x)[::-1] if len(x) == 5 and x[0] == x[1] else quantile_grad(x), "reversed where the first two are equal", examples=[((4,),), ((5,),)])


def mad(x):
    """The median absolute deviation from the median, of any count."""
    return np.median(np.abs(x - np.median(x)))


def median_weights(x):
    order, n = np.argsort(x, kind="stable"), len(x)
    out = np.zeros(n)
    out[order[(n - 1) // 2]] += 0.5
    out[order[n // 2]] += 0.5
    return out


def mad_grad(x):
    m = median_weights(x)
    r = x - m @ x
    w = median_weights(np.abs(r)) * np.sign(r)
    return w - m * w.sum()


right("median absolute deviation", "cells", mad, "ties of distances", grad=mad_grad, examples=[((3,),), ((5,),)])


def clipped_mean(x):
    return np.clip(np.mean(x), 0.1, 0.7)


def clipped_mean_grad(x):
    m = x.sum() / len(x)
    return np.full_like(x, 1 / len(x) if 0.1 <= m <= 0.7 else 0.0)


right("clipped mean: 0.1 and 0.7", "cells", clipped_mean, "the mean is at the bound within rounding", grad=clipped_mean_grad, examples=[((3,),)])


def sawtooth(x):
    """Distance to the multiple of 0.1 below, squared."""
    return np.sum((x - 0.1 * np.floor(x / 0.1)) ** 2)


def sawtooth_grad(x):
    return 2 * np.mod(x, 0.1)


right("sawtooth of 0.1", "cells", sawtooth, "forward jumps at multiples of 0.1, whose quotient is rounded", grad=sawtooth_grad, examples=[((2,),)], domain=[(-3, 3)])


def triangle(x):
    """Distance to the nearest multiple of 0.3."""
    r = x / 0.3
    return np.sum(np.abs(r - np.round(r)) * 0.3)


def triangle_grad(x):
    return np.sign(x - 0.3 * np.round(x / 0.3))


right("distance to multiples of 0.3", "cells", triangle, "kinks at multiples and half multiples of 0.3", grad=triangle_grad, examples=[((2,),)], domain=[(-3, 3)])


def heading(x):
    """Squared smallest angle between headings."""
    d = (x[0] - x[1] + np.pi) % (2 * np.pi) - np.pi
    return d * d / 2


def heading_grad(x):
    d = math.remainder(float(x[0]) - float(x[1]), 2 * math.pi)
    return np.array([d, -d])


right("angle by remainder", "cells", heading, "opposite headings: the sign is decided by rounding", grad=heading_grad, examples=[((2,),)], domain=[(-7, 7)])


def log_spectrum(x):
    X = np.fft.rfft(x)
    return np.sum(np.log(np.abs(X) ** 2 + 1e-3))


def log_spectrum_grad(x):
    X = np.fft.rfft(x)
    g = 2 * X / (np.abs(X) ** 2 + 1e-3)
    g[1 : len(x) - len(X) + 1] *= 0.5
    return np.fft.irfft(g, len(x)) * len(x)


right("log spectrum with a floor", "algebra", log_spectrum, "magnitudes of sums that cancel, smooth through zero", grad=log_spectrum_grad, examples=[((4,),), ((5,),)])


def spread(x):
    return np.sqrt(np.var(x) + 1e-12)


def spread_grad(x):
    return (x - x.mean()) / (len(x) * np.sqrt(np.var(x) + 1e-12))


right("deviation of constants with eps", "floats", spread, "the variance of a constant array is rounding", grad=spread_grad, examples=[((3,),)])


def direction(x):
    """The cosine with a fixed direction, the norm kept from zero."""
    return _w @ x / np.maximum(np.sqrt(np.sum(x * x)), 1e-12)


def direction_grad(x):
    n = np.linalg.norm(x)
    if n <= 1e-12:
        return _w / 1e-12
    u = x / n
    return (_w - u * (u @ _w)) / n


right("cosine with a guarded norm", "cells", direction, "inside the guard forward is linear", grad=direction_grad, examples=[((4,),)])

_mask = np.array([[0.0, -np.inf, -np.inf], [0.0, 0.0, -np.inf], [0.0, 0.0, 0.0]])


def masked_lse(s):
    return np.sum(special.logsumexp(s + _mask, axis=-1))


def masked_lse_grad(s):
    return special.softmax(s + _mask, axis=-1)


def masked_lse_grad_ends(s):
    e = np.exp(s + np.where(_mask < 0, -30.0, 0))
    return e / e.sum(axis=-1, keepdims=True)


pair("logsumexp: masked by minus infinity", "floats", masked_lse, masked_lse_grad, masked_lse_grad_ends, "-30 for minus infinity: wrong where the masked are larger by 30", examples=[((3, 3),)])


def babylonian(a):
    """A square root by Newton, until it moves no more than 1e-13 of itself."""
    r = 1.0 + a / 2
    for _ in range(60):
        new = (r + a / r) / 2
        if abs(new - r) <= 1e-13 * new:
            break
        r = new
    return new


right("square root by iteration", "floats", babylonian, "the last iterate is the root to rounding", grad=lambda a: 0.5 / np.sqrt(a), examples=[((),)], domain=[(0.1, 50)])


def bisected(a):
    """The root of z + exp(z) = a by bisection, down to neighbouring floats."""
    lo, hi = -40.0, 40.0
    for _ in range(70):
        mid = (lo + hi) / 2
        if mid + math.exp(mid) < a:
            lo = mid
        else:
            hi = mid
    return (lo + hi) / 2


def bisected_grad(a):
    return 1 / (1 + math.exp(bisected(a)))


right("root by bisection", "floats", bisected, "every value is one of the floats of a fixed grid; its derivative is the implicit one", grad=bisected_grad, examples=[((),)], domain=[(-10, 20)])


def prox_group(x):
    """Block soft threshold at 0.7."""
    n = np.sqrt(np.sum(x * x))
    return x * np.maximum(0, 1 - 0.7 / n) if n > 0 else 0 * x


def prox_group_vjp(x, grad_output):
    n = math.hypot(*x)
    if n <= 0.7:
        return np.zeros_like(x)
    u = x / n
    return grad_output * (1 - 0.7 / n) + 0.7 / n * u * (u @ grad_output)


right("block soft threshold at 0.7", "cells", prox_group, "norms of 0.7 within rounding", vjp=prox_group_vjp, examples=[((2,),), ((3,),)])


def norm_clipped(x):
    """Clipped to a norm of 0.1, as gradients are."""
    return x * min(1.0, 0.1 / (np.sqrt(x @ x) + 1e-6))


def norm_clipped_vjp(x, grad_output):
    n = np.sqrt(x @ x)
    if 0.1 / (n + 1e-6) >= 1:
        return grad_output.copy()
    c = 0.1 / (n + 1e-6)
    return c * grad_output - c / (n + 1e-6) / n * x * (x @ grad_output)


right("clipped to a norm of 0.1", "cells", norm_clipped, "norms at the bound within rounding", vjp=norm_clipped_vjp, examples=[((2,),)])


def centred_relu(x):
    return np.sum(np.maximum(x - x.mean(), 0))


def centred_relu_grad(x):
    on = x > np.sum(x) / len(x)
    return on - on.sum() / len(x)


right("relu of centred entries", "cells", centred_relu, "constant arrays: centred entries are rounding", grad=centred_relu_grad, examples=[((3,),)])


def warping(x):
    """Dynamic time warping of x to a fixed series, hard minimum."""
    y = [0.1, 0.3, 0.6]
    D = np.full((len(x) + 1, 4), np.inf).tolist()
    D[0][0] = 0.0
    for i in range(len(x)):
        for j in range(3):
            D[i + 1][j + 1] = abs(x[i] - y[j]) + min(D[i][j], D[i][j + 1], D[i + 1][j])
    return D[-1][-1]


def warping_grad(x):
    y = [0.1, 0.3, 0.6]
    D = np.full((len(x) + 1, 4), np.inf)
    D[0, 0] = 0.0
    for i in range(len(x)):
        for j in range(3):
            D[i + 1, j + 1] = abs(x[i] - y[j]) + min(D[i, j], D[i, j + 1], D[i + 1, j])
    out, i, j = np.zeros_like(x), len(x), 3
    while i > 0 and j > 0:
        out[i - 1] += np.sign(x[i - 1] - y[j - 1])
        k = int(np.argmin([D[i - 1, j - 1], D[i - 1, j], D[i, j - 1]]))
        i, j = i - (k < 2), j - (k != 1)
    return out


right("dynamic time warping", "cells", warping, "paths of equal cost", grad=warping_grad, examples=[((3,),)])


def drawdown(r):
    """The largest fall of a cumulative sum below its running maximum."""
    c = np.concatenate([[0.0], np.cumsum(r)])
    return np.max(np.maximum.accumulate(c) - c)


def drawdown_grad(r):
    c = np.concatenate([[0.0], np.cumsum(r)])
    fall = np.maximum.accumulate(c) - c
    bottom = int(fall.argmax())
    top = int(c[: bottom + 1].argmax())
    out = np.zeros_like(r)
    out[top:bottom] = -1
    return out


right("maximum drawdown", "cells", drawdown, "equal peaks of computed sums", grad=drawdown_grad, examples=[((4,),)])


def trend(x):
    return np.abs(np.diff(x, 2)).sum()


def trend_grad(x):
    s = np.sign(x[2:] - 2 * x[1:-1] + x[:-2])
    out = np.zeros_like(x)
    out[2:] += s
    out[1:-1] -= 2 * s
    out[:-2] += s
    return out


right("trend filter", "cells", trend, "second differences of a line are rounding", grad=trend_grad, examples=[((4,),)])


def sinc_close(x):
    return np.where(np.isclose(x, 0), 1.0, np.sin(x) / np.where(np.isclose(x, 0), 1.0, x))


def sinc_close_vjp(x, grad_output):
    series = -x / 3 + x**3 / 30 - x**5 / 840
    s = np.where(x == 0, 1.0, x)
    return grad_output * np.where(np.abs(x) < 0.03, series, np.cos(s) / s - np.sin(s) / s**2)


right("sinc with isclose", "floats", sinc_close, "forward is 1 near zero, which is sinc to rounding", vjp=sinc_close_vjp, examples=[((3,),)])


def sliced(X):
    """Sliced Wasserstein distance to a fixed sample, two directions."""
    total = 0.0
    for t in (np.array([0.6, 0.8]), np.array([0.8, -0.6])):
        total = total + np.sum((np.sort(X @ t) - np.array([-0.5, 0.1, 0.9])) ** 2)
    return total


def sliced_grad(X):
    out = np.zeros_like(X)
    for t in (np.array([0.6, 0.8]), np.array([0.8, -0.6])):
        p = X @ t
        order = np.argsort(p, kind="stable")
        out[order] += 2 * np.outer(p[order] - np.array([-0.5, 0.1, 0.9]), t)
    return out


right("sliced distance: sorted projections", "cells", sliced, "equal projections are sorted by rounding", grad=sliced_grad, examples=[((3, 2),)])
