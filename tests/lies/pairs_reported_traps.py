"""Right gradients in the forms that users report as suspicious."""

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []


def add(name, kind, f, why, **options):
    CASES.append(trap(f"reported-pair: {name}", kind, f, why, **options))


def log_abs_det(a):
    return np.linalg.slogdet(a)[1]


add(
    "slogdet: negative determinant",
    "algebra",
    log_abs_det,
    "log |det|, whatever the sign",
    grad=lambda a: np.linalg.inv(a).T,
    examples=[((2, 2),)],
    domain={
        "a": lambda rng, shape: (
            np.array([[0.0, 1.0], [1.0, 0.0]]) * 2 + 0.3 * rng.normal(size=shape)
        )
    },
)


def kepler(mean, e):
    """The eccentric anomaly, by Newton's method."""
    x = mean + e * np.sin(mean)
    for _ in range(12):
        x = x - (x - e * np.sin(x) - mean) / (1 - e * np.cos(x))
    return x


def kepler_vjp(mean, e, grad_output):
    x = kepler(mean, e)
    d = 1 - e * np.cos(x)
    return grad_output / d, grad_output * np.sin(x) / d


add(
    "kepler: implicit function",
    "algebra",
    kepler,
    "the derivative at the solution, not of the iteration",
    vjp=kepler_vjp,
    examples=[((), ())],
    domain={"mean": (-3, 3), "e": (0, 0.6)},
)


def weighted_median(x, *, w):
    order = np.argsort(x, kind="stable")
    half = np.searchsorted(np.cumsum(w[order]), w.sum() / 2)
    return x[order[half]]


def weighted_median_grad(x, *, w):
    g = np.zeros(len(x))
    order = np.argsort(x, kind="stable")
    g[order[np.searchsorted(np.cumsum(w[order]), w.sum() / 2)]] = 1.0
    return g


add(
    "weighted median",
    "cells",
    weighted_median,
    "one entry gets everything",
    grad=weighted_median_grad,
    examples=[((3,), {"w": np.array([1.0, 2.0, 4.0])})],
)


def gini(x):
    """Mean absolute difference, by the sorted order."""
    n = len(x)
    return np.sum((2 * np.arange(n) - n + 1) * np.sort(x)) * 2 / n**2


def gini_grad(x):
    n = len(x)
    return 2 * np.sign(x[:, None] - x[None, :]).sum(1) / n**2


add(
    "gini: pairs for ranks",
    "cells",
    gini,
    "ranks in the value, signs of pairs in the gradient; ties share",
    grad=gini_grad,
    examples=[((3,),)],
)


class Cached:
    """Value and gradient at once, kept for the last point asked for."""

    def __init__(self):
        self.x = None

    def evaluate(self, x):
        if self.x is None or not np.array_equal(x, self.x):
            self.x = np.array(x)
            e = np.exp(-0.5 * self.x**2)
            self.f, self.g = np.sum(self.x * e), e * (1 - self.x**2)

    def value(self, x):
        self.evaluate(x)
        return self.f

    def grad(self, x):
        self.evaluate(x)
        return self.g.copy()


CACHED = Cached()
add(
    "kept for the last point",
    "contract",
    CACHED.value,
    "an object that remembers the last point",
    grad=CACHED.grad,
    examples=[((2,),)],
)


def entropy(p):
    return np.sum(special.entr(p))


add(
    "entropy: by xlogy",
    "floats",
    entropy,
    "-log p - 1 in one piece",
    grad=lambda p: -np.log(p) - 1,
    examples=[((3,),)],
    domain={"p": (0, 1)},
)


def hinge(w, *, x, y):
    return np.maximum(0, 1 - y * (x @ w)).sum()


def hinge_grad(w, *, x, y):
    g = np.zeros_like(w)
    for a, t in zip(x, y, strict=True):
        if t * (a @ w) <= 1:  # also at the margin
            g -= t * a
    return g


add(
    "hinge: subgradient at the margin",
    "cells",
    hinge,
    "the active side at the margin",
    grad=hinge_grad,
    examples=[((2,), {"x": np.array([[1.0, 0.0], [0.0, 2.0]]), "y": np.array([1.0, -1.0])})],
)


def quadratic(a, x):
    return x @ (a + a.T) @ x / 2


add(
    "symmetric part",
    "algebra",
    quadratic,
    "the gradient is symmetric though the argument is not",
    grad=lambda a, x: ((np.outer(x, x) + np.outer(x, x).T) / 2, (a + a.T) @ x),
    examples=[((2, 2), (2,))],
)


def soft_cross_entropy(z, *, t):
    return special.logsumexp(z) * t.sum() - z @ t


add(
    "cross entropy: labels that do not add up",
    "algebra",
    soft_cross_entropy,
    "softmax times the labels' sum",
    grad=lambda z, t: special.softmax(z) * t.sum() - t,
    examples=[((3,), {"t": np.array([0.5, 0.25, 0.75])})],
)


def steady_state(k, s):
    """The larger root of x^2 + k x = s."""
    return 2 * s / (k + np.sqrt(k * k + 4 * s))


def steady_state_vjp(k, s, grad_output):
    x = 2 * s / (k + np.sqrt(k * k + 4 * s))
    return -grad_output * x / (2 * x + k), grad_output / (2 * x + k)


add(
    "root of a quadratic",
    "floats",
    steady_state,
    "the stable form of the root, differentiated implicitly",
    vjp=steady_state_vjp,
    examples=[((), ()), ((2,), (2,))],
    domain={"k": (0.01, 50), "s": (0.01, 50)},
)


def geometric_mean(x):
    return np.exp(np.mean(np.log(x)))


add(
    "geometric mean",
    "algebra",
    geometric_mean,
    "the value again in the gradient",
    grad=lambda x: np.exp(np.log(x).mean()) / (x * x.size),
    examples=[((3,),)],
    domain={"x": (0, 20)},
)


def cosine_distance(x, y):
    return 1 - x @ y / np.sqrt((x @ x) * (y @ y))


def cosine_distance_grad(x, y):
    xx, yy, xy = x @ x, y @ y, x @ y
    d = np.sqrt(xx * yy)
    return (xy / xx * x - y) / d, (xy / yy * y - x) / d


add(
    "cosine distance",
    "floats",
    cosine_distance,
    "of vectors of one entry the gradient is zero, up to rounding",
    grad=cosine_distance_grad,
    examples=[((3,), (3,))],
)


def rejection(x, y):
    return x - (x @ y) / (y @ y) * y


def rejection_vjp(x, y, grad_output):
    g, n = grad_output, y @ y
    s = x @ y / n
    return g - (g @ y) / n * y, -s * g - (g @ y) * (x / n - 2 * s * y / n)


add(
    "rejection",
    "floats",
    rejection,
    "what projection leaves over: zero, up to rounding, for one entry",
    vjp=rejection_vjp,
    examples=[((2,), (2,))],
)


def weighted_mean(x, w):
    return np.sum(x * w) / np.sum(w)


def weighted_mean_grad(x, w):
    t = w.sum()
    return w / t, (x - np.sum(x * w) / t) / t


add(
    "weighted mean of one",
    "floats",
    weighted_mean,
    "with one entry the weight does not matter, up to rounding",
    grad=weighted_mean_grad,
    examples=[((1,), (1,)), ((3,), (3,))],
    domain={"x": None, "w": (0, np.inf)},
)


def rayleigh(a, x):
    return x @ a @ x / (x @ x)


def rayleigh_grad(a, x):
    n = x @ x
    q = x @ a @ x / n
    return np.outer(x, x) / n, ((a + a.T) @ x - 2 * q * x) / n


add(
    "rayleigh quotient of one",
    "floats",
    rayleigh,
    "of a number it is that number, whatever x",
    grad=rayleigh_grad,
    examples=[((1, 1), (1,)), ((2, 2), (2,))],
)
