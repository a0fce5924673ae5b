"""More right gradients at ties and knees of computed numbers, where signs and orders are decided by rounding."""
# ruff: noqa: E501

import numpy as np

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def right(name, f, why, kind="cells", **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


_A = np.array([[0.1, 0.2, 0.3], [0.3, -0.1, -0.2], [0.7, 0.1, -0.8], [0.2, 0.2, 0.2]])
_b = np.array([0.6, 0.0, 0.0, 0.3])


def residual(x):
    return np.abs(_A @ x - _b).sum()


right("l1 residual: two ways to sum", residual, "backward sums in another order: signs of what cancels differ", grad=lambda x: np.sign(x[0] * _A[:, 0] + x[1] * _A[:, 1] + x[2] * _A[:, 2] - _b) @ _A, examples=[((3,),)])


def chebyshev(x):
    return np.abs(_A @ x).max()


def chebyshev_grad(x):
    r = np.einsum("ij,j->i", _A, x)
    i = np.abs(r).argmax()
    return np.sign(r[i]) * _A[i]


right("largest residual", chebyshev, "ties of moduli of computed sums", grad=chebyshev_grad, examples=[((3,),)])


def mover(p):
    """Earth mover's distance on a line to a fixed histogram, p normalised."""
    return np.abs(np.cumsum(p / p.sum() - np.array([0.2, 0.5, 0.3]))).sum()


def mover_grad(p):
    t = p.sum()
    s = np.sign(np.cumsum(p / t - np.array([0.2, 0.5, 0.3])))
    w = np.cumsum(s[::-1])[::-1]
    return (w - w @ p / t) / t


right("earth mover's distance", mover, "the last cumulative sum is zero up to rounding, and its sign is anything: its slope is zero", grad=mover_grad, examples=[((3,),)], domain=[(0, np.inf)])


def gini(x):
    n = len(x)
    return 2 * np.arange(1, n + 1) @ np.sort(x) / (n * x.sum()) - (n + 1) / n


def gini_grad(x):
    n, t = len(x), x.sum()
    rank = np.empty(n)
    rank[np.argsort(x, kind="stable")] = np.arange(1, n + 1)
    return 2 * rank / (n * t) - 2 * (rank @ x) / (n * t * t)


right("gini coefficient", gini, "equal incomes: a kink, any order is right", grad=gini_grad, examples=[((3,),)], domain=[(0, np.inf)])


def two_layers(x):
    return np.maximum(_A.T @ np.maximum(_A @ x - 0.1, 0) - 0.2, 0).sum()


def two_layers_grad(x):
    h = np.einsum("ij,j->i", _A, x) - 0.1
    z = np.einsum("ij,i->j", _A, np.maximum(h, 0)) - 0.2
    return ((z > 0) @ _A.T * (h > 0)) @ _A


right("two layers of relu", two_layers, "knees at 0.1 and 0.2 of computed sums", grad=two_layers_grad, examples=[((3,),)])


def isotropic(x):
    """Isotropic total variation of an image, zero slope where it is flat."""
    a, b = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
    return np.sqrt(a * a + b * b).sum()


def isotropic_grad(x):
    a, b = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
    n = np.hypot(a, b)
    n = np.where(n == 0, np.inf, n)
    out = np.zeros_like(x)
    out[1:, :-1] += a / n
    out[:-1, 1:] += b / n
    out[:-1, :-1] -= (a + b) / n
    return out


right("isotropic total variation", isotropic, "flat places: zero is in the generalised gradient", grad=isotropic_grad, examples=[((3, 3),), ((2, 3),)])


def hausdorff(points):
    d = np.sqrt(((points[:, None] - _fixed) ** 2).sum(-1) + 1e-6)
    return max(d.min(axis=1).max(), d.min(axis=0).max())


_fixed = np.array([[0.1, 0.2], [0.7, 0.4]])


def hausdorff_grad(points):
    d = np.sqrt(((points[:, None] - _fixed) ** 2).sum(-1) + 1e-6)
    i = d.min(axis=1).argmax()
    k = d.min(axis=0).argmax()
    p, q = (i, d[i].argmin()) if d[i].min() >= d[:, k].min() else (d[:, k].argmin(), k)
    out = np.zeros_like(points)
    out[p] = (points[p] - _fixed[q]) / d[p, q]
    return out


right("hausdorff distance", hausdorff, "maxima of minima of computed distances", grad=hausdorff_grad, examples=[((2, 2),)])


def image_potential(x):
    """Nearest periodic images in a box of 0.7."""
    d = x[:, None] - x
    d = d - 0.7 * np.round(d / 0.7)
    return 0.25 * np.sum(d * d)


def image_potential_grad(x):
    d = x[:, None] - x
    d = d - 0.7 * np.floor(d / 0.7 + 0.5)
    return d.sum(axis=1)


right("periodic images in a box of 0.7", image_potential, "half a box away either image is nearest", grad=image_potential_grad, examples=[((3,),)], domain=[(-2, 2)])


def smoothstep(x):
    t = np.clip((x - 0.1) / 0.6, 0, 1)
    return np.sum(t * t * (3 - 2 * t))


def smoothstep_grad(x):
    t = (x - 0.1) / 0.6
    return np.where((x > 0.1) & (x < 0.7), 6 * t * (1 - t) / 0.6, 0.0)


right("smoothstep from 0.1 to 0.7", smoothstep, "0.1 + 0.6 is not 0.7", grad=smoothstep_grad, examples=[((2,),)])

_knots = np.linspace(0, 1, 11)
_values = np.array([0.0, 0.3, 0.1, 0.7, 0.2, 0.9, 0.4, 0.8, 0.6, 0.5, 1.0])


def interpolated(x):
    return np.interp(x, _knots, _values).sum()


def interpolated_grad(x):
    k = np.clip(np.floor(x / 0.1).astype(int), 0, 9)
    return np.where((x >= 0) & (x <= 1), np.diff(_values)[k] / 0.1, 0)


right("interpolation: floor of x over 0.1", interpolated, "0.3 over 0.1 is below 3: the interval before", grad=interpolated_grad, examples=[((2,),)], domain=[(-0.5, 1.5)])


def conv_pool(x):
    y = np.convolve(x, [0.1, 0.2, 0.1], mode="valid")
    return y.reshape(-1, 2).max(axis=1).sum()


def conv_pool_grad(x):
    y = 0.1 * x[:-2] + 0.2 * x[1:-1] + 0.1 * x[2:]
    out = np.zeros_like(x)
    for k, j in enumerate(y.reshape(-1, 2).argmax(axis=1)):
        out[2 * k + j : 2 * k + j + 3] += [0.1, 0.2, 0.1]
    return out


right("pooling of a convolution", conv_pool, "equal outputs that are summed in another order", grad=conv_pool_grad, examples=[((6,),)])


def epsilon_tube(x):
    return np.maximum(np.abs(_A @ x - _b) - 0.1, 0).sum()


def epsilon_tube_grad(x):
    r = _A @ x - _b
    return (np.sign(r) * (np.abs(r) > 0.1)) @ _A


right("epsilon-insensitive loss at 0.1", epsilon_tube, "residuals at the edge of the tube", grad=epsilon_tube_grad, examples=[((3,),)])


def huber_sum(x):
    r = _A @ x - _b
    a = np.abs(r)
    return np.where(a <= 0.3, 0.5 * r * r, 0.3 * (a - 0.15)).sum()


right("huber of residuals at 0.3", huber_sum, "the slope is continuous at the knee", grad=lambda x: np.clip(np.einsum("ij,j->i", _A, x) - _b, -0.3, 0.3) @ _A, examples=[((3,),)])


def sparsemax(s):
    z = np.sort(s)[::-1]
    k = np.arange(1, len(s) + 1)
    on = 1 + k * z > np.cumsum(z)
    m = on.sum()
    return np.maximum(s - (np.cumsum(z)[m - 1] - 1) / m, 0)


def scored(x):
    """Sparsemax of scaled scores against fixed weights."""
    return sparsemax(x / 0.3) @ np.array([0.1, 0.5, -0.7])


def scored_grad(x):
    p = sparsemax(x / 0.3)
    w = np.array([0.1, 0.5, -0.7])
    on = p > 0
    return np.where(on, w - w[on].mean(), 0) / 0.3


right("sparsemax of x over 0.3", scored, "supports decided within rounding", grad=scored_grad, examples=[((3,),)])


def nuclear(A):
    return np.linalg.svd(A, compute_uv=False).sum()


def nuclear_grad(A):
    u, _s, vt = np.linalg.svd(A)
    return u @ vt


right("nuclear norm", nuclear, "singular values of zero: any completion is a subgradient", grad=nuclear_grad, examples=[((2, 2),)])


def spectral(A):
    return np.linalg.norm(A, 2)


def spectral_grad(A):
    u, _s, vt = np.linalg.svd(A)
    return np.outer(u[:, 0], vt[0])


right("spectral norm", spectral, "equal singular values", grad=spectral_grad, examples=[((2, 2),)])


def margin(x):
    """The gap between the two largest scores."""
    s = np.sort(_A @ x)
    return s[-1] - s[-2]


def margin_grad(x):
    order = np.argsort(_A @ x, kind="stable")
    return _A[order[-1]] - _A[order[-2]]


right("gap of the two largest scores", margin, "equal scores: a kink in the gap", grad=margin_grad, examples=[((3,),)])


def abs_crossed(x):
    """Moduli of two sums that vanish together."""
    return abs(0.1 * x[0] + 0.2 * x[1] - 0.3 * x[2]) + abs(x[0] - x[1] + 0.1 * (x[2] - x[0]))


def abs_crossed_grad(x):
    a = np.sign(0.1 * (x[0] - x[2]) + 0.2 * (x[1] - x[2]))
    b = np.sign(0.9 * x[0] - x[1] + 0.1 * x[2])
    return a * np.array([0.1, 0.2, -0.3]) + b * np.array([0.9, -1.0, 0.1])


right("two moduli at one point", abs_crossed, "the sums are written in another order in the gradient", grad=abs_crossed_grad, examples=[((3,),)])


def triplet(x):
    """Hardest triplet: an anchor, two positives, two negatives, margin 0.2, squared distances."""
    d = (x[1:] - x[0]) ** 2
    return np.maximum(0, d[:2].max() - d[2:].min() + 0.2)


def triplet_grad(x):
    r = np.abs(x[1:] - x[0])
    p, n = r[:2].argmax(), 2 + r[2:].argmin()
    out = np.zeros_like(x)
    if r[p] ** 2 + 0.2 > r[n] ** 2:
        out[p + 1] = 2 * (x[p + 1] - x[0])
        out[n + 1] = -2 * (x[n + 1] - x[0])
        out[0] = -out[1:].sum()
    return out


right("hardest triplet", triplet, "distances on two sides tie; squares of neighbours tie, distances do not", grad=triplet_grad, examples=[((5,),)])


def wing(x):
    """Wing loss: a logarithm inside 0.5, a line outside."""
    a = np.abs(x)
    c = 0.5 - 0.5 * np.log1p(0.5 / 0.1)
    return np.where(a < 0.5, 0.5 * np.log1p(a / 0.1), a - c).sum()


right("wing loss", wing, "a kink at zero and one at the edge", grad=lambda x: np.sign(x) * np.where(np.abs(x) < 0.5, 0.5 / (0.1 + np.abs(x)), 1.0), examples=[((2,),)])
