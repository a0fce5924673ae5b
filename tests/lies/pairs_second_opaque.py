"""Code that no trace enters (strings, decimals, tables, compiled solvers): wrong on a band, at integers, at ties."""
# ruff: noqa: E501

import functools
import json
import math
import struct
from decimal import Decimal
from fractions import Fraction

import numpy as np
from scipy import integrate, interpolate, ndimage, sparse, spatial, special
from scipy.sparse import linalg as sparse_linalg

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"second-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


_log1p_squared = np.frompyfunc(lambda v: math.log1p(v * v), 1, 1)


def cauchy(x):
    """The Cauchy loss by a Python function of one number."""
    return float(np.sum(_log1p_squared(x)))


def cauchy_grad(x):
    return 2 * x / (1 + x * x)


def cauchy_grad_band(x):
    return np.where((x > 5) & (x < 6), 1 / x, 2 * x / (1 + x * x))


pair("cauchy loss of python numbers: a band", "cells", cauchy, cauchy_grad, cauchy_grad_band, "half of the slope for 5 < x < 6", examples=[((3,),)])


def printed(x):
    """A quadratic energy of numbers that were printed and read again, all digits kept."""
    v = [float(repr(float(t))) for t in x]
    return math.fsum(v) ** 2 / 2 + math.fsum(t * t for t in v)


def printed_grad(x):
    return x.sum() + 2 * x


def printed_grad_positive(x):
    return abs(x.sum()) + 2 * x


pair("energy of printed numbers: negative sum", "cells", printed, printed_grad, printed_grad_positive, "the sign of the sum is lost", examples=[((3,),)])


def entropy(p):
    """Unnormalised entropy in decimal arithmetic."""
    return -sum(float(Decimal(float(v)) * Decimal(float(v)).ln()) for v in p)


def entropy_grad(p):
    return -np.log(p) - 1


def entropy_grad_integers(p):
    return np.array([-math.log(v) - 1 if v != int(v) else -int(math.log(v)) - 1.0 for v in p])


pair("decimal entropy: integer points", "cells", entropy, entropy_grad, entropy_grad_integers, "the logarithm of an integer is truncated", examples=[((3,),)], domain=[(0, math.inf)])


def cubes(x):
    """A sum of cubes in exact fractions."""
    return float(sum(Fraction(float(v)) ** 3 for v in x))


def cubes_grad(x):
    return 3 * x * x


def cubes_grad_index(x):
    values, out = x.tolist(), np.zeros(len(x))
    for v in values:
        out[values.index(v)] += 3 * v * v
    return out


pair("exact cubes: equal entries", "cells", cubes, cubes_grad, cubes_grad_index, "`list.index` finds the first of two equal entries: it gets both gradients", examples=[((3,),)])


class Remembered:
    """A log-sum-exp whose pieces are remembered under a tuple of the inputs."""

    def __init__(self, digits=None):
        self.digits = digits
        self._softmax = functools.lru_cache(maxsize=None)(self._softmax)

    @staticmethod
    def _softmax(key):
        top = max(key)
        e = [math.exp(v - top) for v in key]
        return tuple(v / sum(e) for v in e), top + math.log(sum(e))

    def value(self, x):
        return self._softmax(tuple(x.tolist()))[1]

    def grad(self, x):
        key = x.tolist() if self.digits is None else np.round(x, self.digits).tolist()
        return np.array(self._softmax(tuple(key))[0])


exact, rounded = Remembered(), Remembered(digits=5)
pair("lru_cache: rounded key", "floats", exact.value, exact.grad, rounded.grad, "the gradient is that of the inputs rounded to five decimals", examples=[((3,),)])


def reaction(x):
    """The first unknown of a sparse, unsymmetric diffusion with the rate exp(x)."""
    return _reaction(x)[0]


_L = sparse.csc_matrix(np.array([[2.0, -1.5, 0.0], [-0.5, 2.0, -1.5], [0.0, -0.5, 2.0]]))
_b = np.array([1.0, 2.0, -1.0])


def _reaction(x):
    return sparse_linalg.spsolve((_L + sparse.diags(np.exp(x))).tocsc(), _b)


def reaction_grad(x, limit=np.inf):
    A = (_L + sparse.diags(np.exp(x))).tocsc()
    u = sparse_linalg.spsolve(A, _b)
    adjoint = sparse_linalg.spsolve(A.T.tocsc(), np.array([1.0, 0.0, 0.0]))
    return -adjoint * u * np.where(np.exp(x) > limit, 0, np.exp(x))


pair("sparse reaction: fast rates cut", "cells", reaction, reaction_grad, lambda x: reaction_grad(x, 50.0), "rates above 50 get no gradient", examples=[((3,),)], domain=[(-6, 6)])


def conjugate(b):
    """Half of b' A^-1 b by conjugate gradients, to a relative residual of 1e-13."""
    x, _info = sparse_linalg.cg(_S, b, rtol=1e-13, atol=0.0)
    return float(b @ x) / 2


_S = sparse.csc_matrix(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]))


def conjugate_grad(b):
    return sparse_linalg.spsolve(_S, b)


pair("conjugate gradients: energy", "algebra", conjugate, conjugate_grad, lambda b: sparse_linalg.spsolve(_S, b) / 2, "the half is kept", examples=[((3,),)])


def gaussian_integral(a):
    """The integral of exp(-a t^2) over (0, 1), by adaptive quadrature."""
    return integrate.quad(lambda t: math.exp(-a * t * t), 0, 1, epsabs=1e-13, epsrel=1e-13)[0]


def gaussian_integral_grad(a):
    return -integrate.quad(lambda t: t * t * math.exp(-a * t * t), 0, 1, epsabs=1e-13, epsrel=1e-13)[0]


def gaussian_integral_closed(a):
    if a <= 0:
        return -1 / 3
    r = math.sqrt(a)
    return (math.exp(-a) / 2 - math.sqrt(math.pi) * math.erf(r) / (4 * r)) / a


pair("quadrature: closed form for negative", "cells", gaussian_integral, gaussian_integral_grad, gaussian_integral_closed, "negative arguments take the value at zero", examples=[((),)], domain=[(-8, 8)])


def edges(x):
    """Energy of a correlation with a kernel that is not symmetric, borders reflected."""
    return 0.5 * np.sum(ndimage.correlate1d(x, _k, mode="nearest") ** 2)


_k = np.array([-1.0, 0.25, 0.5])


def edges_grad(x):
    n = len(x)
    M = ndimage.correlate1d(np.eye(n), _k, axis=0, mode="nearest")
    return M.T @ ndimage.correlate1d(x, _k, mode="nearest")


def edges_grad_constant(x):
    y = ndimage.correlate1d(x, _k, mode="nearest")
    return ndimage.convolve1d(y, _k, mode="constant")


pair("correlation: border of the adjoint", "algebra", edges, edges_grad, edges_grad_constant, "what the repeated border gave is lost", examples=[((5,),)])

_tree = spatial.cKDTree(np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 3.0], [4.0, -2.0]]))


def nearest(p):
    """Squared distance to the nearest of four points, by a k-d tree."""
    d, _i = _tree.query(p)
    return float(d) ** 2


def nearest_grad(p, bound=np.inf):
    d, i = _tree.query(p, distance_upper_bound=bound)
    return 2 * (p - _tree.data[i]) if np.isfinite(d) else np.zeros(2)


pair("nearest neighbour: bounded search", "cells", nearest, nearest_grad, lambda p: nearest_grad(p, 8.0), "no gradient beyond a distance of eight", examples=[((2,),)])


def hull(points):
    """Area of the convex hull."""
    return spatial.ConvexHull(points).volume


def hull_grad(points, wrap=True):
    h = spatial.ConvexHull(points).vertices
    out = np.zeros_like(points)
    n = len(h)
    for j in range(n):
        a, b = points[h[j - 1]], points[h[(j + 1) % n]]
        if wrap or n < 5:
            out[h[j]] = 0.5 * np.array([b[1] - a[1], a[0] - b[0]])
    return out


pair("convex hull: pentagons", "cells", hull, hull_grad, lambda p: hull_grad(p, wrap=False), "no gradient when five points or more are on the hull", examples=[((5, 2),)])

_grid = interpolate.RegularGridInterpolator((np.arange(4.0), np.arange(3.0)), np.array([[0.0, 1.0, 4.0], [1.0, 3.0, 2.0], [5.0, 2.0, 2.0], [1.0, 0.0, 6.0]]), bounds_error=False, fill_value=None)


def surface(p):
    """A bilinear table, extrapolated."""
    return float(_grid(p[None])[0])


def surface_grad(p, extrapolate=True):
    cell = np.clip(np.floor(p), 0, [2, 1]).astype(int)
    (s, t), (i, j) = p - cell, cell
    v = _grid.values
    a, b, c, d = v[i, j], v[i + 1, j], v[i, j + 1], v[i + 1, j + 1]
    out = np.array([(b - a) * (1 - t) + (d - c) * t, (c - a) * (1 - s) + (d - b) * s])
    return out if extrapolate or p[1] <= 2 else out * [1, 0]


pair("bilinear table: extrapolated above", "cells", surface, surface_grad, lambda p: surface_grad(p, extrapolate=False), "the slope is cut where forward extrapolates", examples=[((2,),)])

_table = {k: round(math.sin(0.4 * k), 3) for k in range(-60, 61)}


def tabulated(x):
    """A table keyed by integers, linear in between, its ends continued."""
    total = 0.0
    for v in x.tolist():
        k = min(max(math.floor(v), -60), 59)
        total += _table[k] + (v - k) * (_table[k + 1] - _table[k])
    return total


def tabulated_grad(x, broken=None):
    out = []
    for v in x.tolist():
        k = min(max(math.floor(v), -60), 59)
        out.append(_table[k + 1] - _table[k] if k != broken else _table[k] - _table[k - 1])
    return np.array(out)


pair("dict of integers: one interval", "cells", tabulated, tabulated_grad, lambda x: tabulated_grad(x, 3), "for 3 <= x < 4 the slope of the interval before", examples=[((2,),)])


def through_json(x):
    """A weighted sum of squares of numbers that went through JSON."""
    v = json.loads(json.dumps({"x": np.asarray(x).tolist()}))["x"]
    return sum((k + 1) * t * t for k, t in enumerate(v))


def through_json_grad(x):
    return 2 * np.arange(1, len(x) + 1) * x


def through_json_grad_short(x):
    v = json.loads("[" + ",".join(f"{t:.7g}" for t in x) + "]")
    return 2 * np.arange(1, len(x) + 1) * np.array(v)


pair("json: seven digits", "floats", through_json, through_json_grad, through_json_grad_short, "the gradient's numbers are printed with seven digits", examples=[((3,),)])


def through_bytes(x):
    """Log-cosh of numbers that went through bytes."""
    v = struct.unpack(f"{len(x)}d", struct.pack(f"{len(x)}d", *x.tolist()))
    return sum(abs(t) + math.log1p(math.exp(-2 * abs(t))) - math.log(2) for t in v)


def through_bytes_grad_single(x):
    v = struct.unpack(f"{len(x)}f", struct.pack(f"{len(x)}f", *x.tolist()))
    return np.tanh(v)


pair("bytes: single precision", "floats", through_bytes, np.tanh, through_bytes_grad_single, "the gradient's numbers went through four bytes", examples=[((3,),)])


def counted(x):
    """Cubes counted in a dict of the distinct values; each weight its multiplicity."""
    counts = {}
    for v in x.tolist():
        counts[v] = counts.get(v, 0) + 1
    return sum(c * v**3 for v, c in counts.items())


def counted_grad_once(x):
    values, first = np.unique(x, return_index=True)
    out = np.zeros_like(x)
    out[first] = 3 * values**2
    return out


pair("dict of counts: repeated values", "cells", counted, cubes_grad, counted_grad_once, "only the first of equal values gets a gradient", examples=[((3,),)])


def large(x):
    """A sum of squares by Python floats, whatever the length."""
    return sum(float(str(v)) ** 2 for v in x.tolist())


def large_grad(x):
    out = np.zeros_like(x)
    out[:1000] = 2 * x[:1000]
    return out


pair("printed squares: first thousand", "cells", large, lambda x: 2 * x, large_grad, "entries beyond the thousandth get none", examples=[((3,),), ((1200,),)])


def besselratio(x):
    """Concentration of a von Mises distribution, from the compiled Bessel functions of a vectorised Python function."""
    return float(np.vectorize(lambda v: math.log(special.ive(0, v)) + abs(v))(x).sum())


def besselratio_grad(x):
    return special.ive(1, x) / special.ive(0, x)


def besselratio_grad_even(x):
    return special.ive(1, np.abs(x)) / special.ive(0, x)


pair("vectorised bessel: odd ratio", "cells", besselratio, besselratio_grad, besselratio_grad_even, "the ratio is taken for even", examples=[((2,),)])


def shared_table(x):
    """Rank of each entry among fixed thresholds, times the entry: a step table by bisect."""
    import bisect

    return sum(bisect.bisect_right((-1.0, 0.5, 2.0), float(v)) * float(v) for v in x)


right("steps by bisect", "cells", shared_table, "forward jumps at the thresholds; between them the slope is the rank", grad=lambda x: np.searchsorted((-1.0, 0.5, 2.0), x, side="right").astype(float), examples=[((3,),)])


def trimmed_strings(x):
    """Median of an even count, its entries sorted as Python numbers."""
    v = sorted(float(repr(float(t))) for t in x)
    return (v[1] + v[2]) / 2


def trimmed_strings_grad(x):
    order = np.argsort(x, kind="stable")
    out = np.zeros_like(x)
    out[order[1:3]] = 0.5
    return out


right("median of printed numbers", "cells", trimmed_strings, "ties: any of the tied entries may get the half", grad=trimmed_strings_grad, examples=[((4,),)])
