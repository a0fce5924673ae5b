"""Routines of NumPy and SciPy in forward, against closed forms of their gradients written by hand."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import linalg, signal, special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


V3 = [((3,),)]
W = np.array([1.0, -2.0, 0.5])

right("np.gradient with edge_order two", "algebra", lambda x: np.gradient(x, 0.5, edge_order=2) @ np.arange(1.0, len(x) + 1), "one-sided formulas of second order at the ends", grad=lambda x: np.array([np.gradient(e, 0.5, edge_order=2) for e in np.eye(len(x))]) @ np.arange(1.0, len(x) + 1), examples=[((4,),)])
right("np.piecewise", "cells", lambda x: np.sum(np.piecewise(x, [x < 0, x >= 1], [lambda t: -t, lambda t: t**2, lambda t: 0.5 * t])), "a jump at one, a kink at zero", grad=lambda x: np.where(x < 0, -1, np.where(x >= 1, 2 * x, 0.5)), examples=V3)
right("np.select with a default", "cells", lambda x: np.sum(np.select([x > 1, x > 0], [np.log(np.maximum(x, 1)), x - 1], -1.0)), "pieces that meet with a kink", grad=lambda x: np.where(x > 1, 1 / np.maximum(x, 1), (x > 0) * 1.0), examples=V3)
right("np.digitize and a table", "cells", lambda x: np.sum(np.array([0.0, 1.0, 3.0])[np.digitize(x, [-1.0, 1.0])] * x), "slopes by bins", grad=lambda x: np.where(x < -1, 0.0, np.where(x < 1, 1.0, 3.0)), examples=V3)
right("np.heaviside in a product", "cells", lambda x: np.sum(np.heaviside(x, 0.5) * x**2), "half at zero, where the square is flat", grad=lambda x: 2 * x * (x > 0), examples=V3)
right("np.fmax of a square and a line", "cells", lambda x: np.sum(np.fmax(x * x, x)), "meet at zero and one", grad=lambda x: np.where((x > 0) & (x < 1), 1, 2 * x), examples=V3)
right("np.rint taken off", "cells", lambda x: np.sum((x - np.rint(x)) ** 2), "half to even at the jumps of rint, kinks of the square", grad=lambda x: 2 * (x - np.rint(x)), examples=[((2,),)])
right("np.modf", "cells", lambda x: np.sum(np.modf(x)[0] ** 2), "the fraction has the sign of the number", grad=lambda x: 2 * np.modf(x)[0], examples=[((2,),)])
right("np.cov of two rows", "algebra", lambda x, y: np.cov(x, y)[0, 1], "centred twice, once is enough", grad=lambda x, y: ((y - y.mean()) / (len(x) - 1), (x - x.mean()) / (len(x) - 1)), examples=[((3,), (3,)), ((2,), (2,))])
right("np.average with weights of data", "algebra", lambda x: np.average(x**2, weights=[0.2, 0.3, 0.5]), "weights in a list", grad=lambda x: 2 * x * np.array([0.2, 0.3, 0.5]), examples=V3)
right("np.quantile at a third", "cells", lambda x: np.quantile(x, 1 / 3), "between two order statistics", grad=lambda x: (lambda o: np.where(np.arange(4) == o[1], 1.0, 0.0))(np.argsort(x, kind="stable")), examples=[((4,),)])
right("np.nanmean with a constant nan", "algebra", lambda x: np.nanmean(np.where(np.array([True, False, True]), x, np.nan)), "the mean of two", grad=lambda x: np.array([0.5, 0, 0.5]), examples=V3)
right("np.polyval at a traced point", "algebra", lambda x: np.polyval([2.0, -1.0, 0.5, 3.0], x), "falling powers", grad=lambda x: np.polyval([6.0, -2.0, 0.5], x), examples=[((),)])
right("np.convolve, same", "algebra", lambda x: np.sum(np.convolve(x, W, mode="same") ** 2), "centred, the kernel of three", grad=lambda x: 2 * np.convolve(np.convolve(x, W, mode="same"), W[::-1], mode="same"), examples=[((4,),), ((5,),)])
right("np.tensordot over two axes", "algebra", lambda a, b: np.tensordot(a, b, axes=([0, 1], [1, 0])), "a trace", grad=lambda a, b: (b.T, a.T), examples=[((2, 3), (3, 2))])
right("np.linalg.norm, spectral", "cells", lambda a: np.linalg.norm(a, 2), "the outer product of the first singular vectors", grad=lambda a: (lambda u, s, v: np.outer(u[:, 0], v[0]))(*np.linalg.svd(a)), examples=[((2, 2),)])
right("np.linalg.cond of a two by two", "cells", lambda a: (a * a).sum() / np.abs(np.linalg.det(a)), "Frobenius condition through a determinant", grad=lambda a: (lambda d: 2 * a / abs(d) - (a * a).sum() / abs(d) * np.linalg.inv(a).T)(np.linalg.det(a)), examples=[((2, 2),)], domain=[lambda rng, shape: rng.normal(size=shape) + 3 * np.eye(2)])
right("scipy toeplitz solve", "algebra", lambda c: np.sum(linalg.solve_toeplitz(c, np.array([1.0, 0.0, 2.0]))), "a symmetric Toeplitz system and its adjoint", grad=lambda c: (lambda x, y: -np.array([x @ y, x[1:] @ y[:-1] + x[:-1] @ y[1:], x[2] * y[0] + x[0] * y[2]]))(linalg.solve_toeplitz(c, np.array([1.0, 0.0, 2.0])), linalg.solve_toeplitz(c, np.ones(3))), examples=V3, domain=[lambda rng, shape: np.array([4.0, 0, 0]) + rng.uniform(-1, 1, shape)])
right("scipy sqrtm of a positive matrix", "algebra", lambda a: np.trace(linalg.sqrtm(a @ a.T + np.eye(2)).real), "half of the inverse root", grad=lambda a: np.linalg.solve(linalg.sqrtm(a @ a.T + np.eye(2)).real, a), examples=[((2, 2),)], domain=[(-3, 3)])
right("scipy expm of a generator", "algebra", lambda t: linalg.expm(t * np.array([[-1.0, 1.0], [2.0, -2.0]]))[0, 1], "two states: a single exponential", grad=lambda t: np.exp(-3 * t), examples=[((),)], domain=[(-2, 3)])
right("scipy lfilter", "algebra", lambda x: np.sum(signal.lfilter([1.0, 0.5], [1.0, -0.3], x) ** 2), "the adjoint runs backwards", grad=lambda x: 2 * signal.lfilter([1.0, 0.5], [1.0, -0.3], signal.lfilter([1.0, 0.5], [1.0, -0.3], x)[::-1])[::-1], examples=[((4,),)])
right("scipy detrend", "algebra", lambda x: np.sum(signal.detrend(x) ** 2), "a projection: twice its result", grad=lambda x: 2 * signal.detrend(x), examples=[((4,),)])
right("scipy logsumexp with weights", "cells", lambda x: special.logsumexp(x, b=np.array([0.5, 0.25, 2.0])), "weights in the sum", grad=lambda x: special.softmax(x + np.log([0.5, 0.25, 2.0])), examples=V3)
right("scipy boxcox at a third", "floats", lambda x: np.sum(special.boxcox(x, 1 / 3)), "a power of a constant exponent", grad=lambda x: x ** (1 / 3 - 1), examples=[((2,),)], domain=[(0.01, 100)])
right("scipy betainc in its argument", "floats", lambda x: special.betainc(2.0, 3.0, x), "the beta density", grad=lambda x: 12 * x * (1 - x) ** 2, examples=[((),)], domain=[(0, 1)])
right("scipy gammaincc in its argument", "floats", lambda x: special.gammaincc(2.5, x), "minus the gamma density", grad=lambda x: -np.exp(1.5 * np.log(x) - x) / special.gamma(2.5), examples=[((),)], domain=[(0.01, 100)])
right("scipy ndtri", "floats", lambda p: special.ndtri(p), "one over the density at the quantile", grad=lambda p: math.sqrt(2 * math.pi) * np.exp(0.5 * special.ndtri(p) ** 2), examples=[((),)], domain=[(0.001, 0.999)])
right("scipy erfcinv", "floats", lambda p: special.erfcinv(p), "through the exponential of the square", grad=lambda p: -0.5 * math.sqrt(math.pi) * np.exp(special.erfcinv(p) ** 2), examples=[((),)], domain=[(1e-6, 1.9)])
right("scipy bessel jv of order one", "floats", lambda x: special.jv(1, x), "by its neighbours", grad=lambda x: 0.5 * (special.jv(0, x) - special.jv(2, x)), examples=[((),)], domain=[(-20, 20)])
right("scipy elliptic integral", "floats", lambda m: special.ellipk(m), "E and K over m (1 - m)", grad=lambda m: (special.ellipe(m) - (1 - m) * special.ellipk(m)) / (2 * m * (1 - m)), examples=[((),)], domain=[(0.1, 0.95)])
right("dirichlet sum of whole numbers", "floats", lambda s: np.sum(np.arange(1.0, 20) ** -s), "powers of whole numbers", grad=lambda s: -np.sum(np.log(np.arange(1.0, 20)) * np.arange(1.0, 20) ** -s), examples=[((),)], domain=[(-2, 8)])
right("squares of two bessel functions", "floats", lambda x: special.j0(x) ** 2 + special.j1(x) ** 2, "squares of Bessel functions", grad=lambda x: -2 * special.j1(x) ** 2 / x, examples=[((),)], domain=[(0.1, 30)])
right("scipy spence", "floats", lambda x: special.spence(x), "log x over 1 - x", grad=lambda x: np.log(x) / (1 - x), examples=[((),)], domain=[(0.01, 0.9)])
right("scipy expi", "floats", lambda x: special.expi(x), "e^x / x", grad=lambda x: np.exp(x) / x, examples=[((),)], domain=[(0.05, 20)])
right("scipy dawson", "floats", lambda x: special.dawsn(x), "1 - 2 x D cancels far out, within its rounding", grad=lambda x: 1 - 2 * x * special.dawsn(x), examples=[((),)], domain=[(-5, 5)])
right("scipy lambertw by its inverse", "floats", lambda x: special.lambertw(x).real, "one over x + e^w", grad=lambda x: 1 / (x + np.exp(special.lambertw(x).real)), examples=[((),)], domain=[(-0.3, 50)])
right("scipy huber", "cells", lambda r: np.sum(special.huber(1.5, r)), "clipped residuals", grad=lambda r: np.clip(r, -1.5, 1.5), examples=V3)
right("scipy pseudo_huber in both arguments", "floats", lambda d, r: special.pseudo_huber(d, r), "delta enters twice", grad=lambda d, r: (lambda q: (d * (r / d) ** 4 / (q * (q + 1) ** 2), r / q))(np.sqrt(1 + (r / d) ** 2)), examples=[((), ())], domain=[(0.3, 3), (-5, 5)])
right("scipy rel_entr row", "floats", lambda p: np.sum(special.rel_entr(p, np.array([0.2, 0.3, 0.5]))), "log of the ratio plus one", grad=lambda p: np.log(p / np.array([0.2, 0.3, 0.5])) + 1, examples=V3, domain=[(0, 1)])
right("np.logspace powers", "floats", lambda a: np.sum(10.0 ** (a * np.linspace(0, 1, 4))), "powers of ten", grad=lambda a: np.sum(np.log(10) * np.linspace(0, 1, 4) * 10.0 ** (a * np.linspace(0, 1, 4))), examples=[((),)])
right("np.interp of a tent", "cells", lambda x: np.sum(np.interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, 0.0])), "constant beyond its ends", grad=lambda x: np.where((x > 0) & (x < 1), 2.0, np.where((x > 1) & (x < 3), -1.0, 0.0)), examples=V3)
right("np.fft of a shifted window", "algebra", lambda x: np.sum(np.abs(np.fft.rfft(x * np.hanning(6))[1:]) ** 2), "power without the mean", grad=lambda x: (lambda y, h: 2 * h * np.fft.irfft(np.append(0, np.fft.rfft(y)[1:]) * np.array([1, 1, 1, 2]), n=6) * 6 / 2)(x * np.hanning(6), np.hanning(6)), examples=[((6,),)])
right("np.add.accumulate of products", "algebra", lambda x: np.add.accumulate(x * x)[-1] * x[0], "the last of the running sums", grad=lambda x: 2 * x * x[0] + np.where(np.arange(len(x)) == 0, np.sum(x * x), 0), examples=V3)
right("np.lexsort keys", "cells", lambda x: x[np.lexsort((np.arange(3), x))] @ W, "sorted values with constant weights", grad=lambda x: W[np.argsort(np.argsort(x, kind="stable"), kind="stable")], examples=V3)
