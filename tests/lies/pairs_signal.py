"""Signals: transforms, convolutions, orders and cumulations beside derivatives written by hand."""
# ruff: noqa: E501

import numpy as np
from numpy.fft import fft, ifft, irfft, rfft

from .case import Case, trap


def low_pass(x, *, norm="backward"):
    """The first two Fourier coefficients, real and imaginary parts stacked."""
    c = fft(x, norm=norm)[:2]
    return np.stack([c.real, c.imag])


def low_pass_vjp(x, grad_output, *, norm="backward"):
    c = np.zeros(len(x), complex)
    c[:2] = grad_output[0] + 1j * grad_output[1]
    back = {"backward": "forward", "forward": "backward", "ortho": "ortho"}[norm]
    return ifft(c, norm=back).real


def low_pass_vjp_forward(x, grad_output, *, norm="backward"):
    c = np.zeros(len(x), complex)
    c[:2] = grad_output[0] + 1j * grad_output[1]
    return ifft(c, norm="ortho" if norm == "ortho" else "forward").real


def power(x, *, norm="backward"):
    c = rfft(x, norm=norm)
    return np.sum(c.real**2 + c.imag**2)


def power_grad(x, *, norm="backward"):
    scale = {"backward": len(x), "ortho": 1.0, "forward": 1 / len(x)}[norm]
    c = rfft(x, norm="ortho")
    c[1 : (len(x) + 1) // 2] /= 2
    return 2 * scale * irfft(c, n=len(x), norm="ortho")


def power_grad_even(x, *, norm="backward"):
    scale = {"backward": len(x), "ortho": 1.0, "forward": 1 / len(x)}[norm]
    c = rfft(x, norm="ortho")
    c[1:] /= 2  # the coefficient at half the rate stands alone when n is even
    return 2 * scale * irfft(c, n=len(x), norm="ortho")


def spectrum_along(x, *, axis=-1):
    return rfft(x, axis=axis, norm="ortho").real


def spectrum_along_vjp(x, grad_output, *, axis=-1):
    return fft(grad_output, n=x.shape[axis], axis=axis, norm="ortho").real


def spectrum_along_vjp_size(x, grad_output, *, axis=-1):
    return fft(grad_output, n=x.shape[axis], axis=axis).real / np.sqrt(x.size)


def filtered(a, v, *, mode="full"):
    return np.convolve(a, v, mode)


def filtered_vjp(a, v, grad_output, *, mode="full"):
    n, m = len(a), len(v)
    lost = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}[mode]
    g = np.zeros(n + m - 1)
    g[lost : lost + len(grad_output)] = grad_output
    return (np.array([g[i : i + m] @ v for i in range(n)]),
            np.array([g[j : j + n] @ a for j in range(m)]))  # fmt: skip


def filtered_vjp_same(a, v, grad_output, *, mode="full"):
    n, m = len(a), len(v)
    lost = {"full": 0, "same": min(n, m) // 2, "valid": min(n, m) - 1}[mode]  # odd kernels only
    g = np.zeros(n + m)
    g[lost : lost + len(grad_output)] = grad_output
    return (np.array([g[i : i + m] @ v for i in range(n)]),
            np.array([g[j : j + n] @ a for j in range(m)]))  # fmt: skip


def autocorrelation(x, *, lag=1):
    return x[lag:] @ x[: len(x) - lag]


def autocorrelation_grad(x, *, lag=1):
    g = np.zeros(len(x))
    g[lag:] += x[: len(x) - lag]
    g[: len(x) - lag] += x[lag:]
    return g


def autocorrelation_grad_lag(x, *, lag=1):
    g = np.zeros(len(x))
    g[lag:] += x[: len(x) - lag]
    g[:-1] += x[1:]
    return g


def windowed(x):
    return np.sum((np.hanning(len(x)) * x) ** 2)


def windowed_grad(x):
    return 2 * np.hanning(len(x)) ** 2 * x


def windowed_grad_once(x):
    return 2 * np.hanning(len(x)) * x


GRID = np.array([0.0, 1.0, 2.0, 4.0])


def sampled(x, values):
    return np.interp(x, GRID, values)


def sampled_vjp(x, values, grad_output):
    k = np.clip(np.searchsorted(GRID, x, side="right") - 1, 0, len(GRID) - 2)
    h = GRID[k + 1] - GRID[k]
    inside = (x >= GRID[0]) & (x <= GRID[-1])
    t = np.clip((x - GRID[k]) / h, 0, 1)
    dv = np.zeros(len(values))
    np.add.at(dv, k, grad_output * (1 - t))
    np.add.at(dv, k + 1, grad_output * t)
    return np.where(inside, grad_output * (values[k + 1] - values[k]) / h, 0.0), dv


def sampled_vjp_outside(x, values, grad_output):
    _, dv = sampled_vjp(x, values, grad_output)
    k = np.clip(np.searchsorted(GRID, x, side="right") - 1, 0, len(GRID) - 2)
    return grad_output * (values[k + 1] - values[k]) / (GRID[k + 1] - GRID[k]), dv


def sampled_vjp_spacing(x, values, grad_output):
    dx, dv = sampled_vjp(x, values, grad_output)
    return np.where(x > 2.0, 2 * dx, dx), dv  # the last cell is twice as wide


def ranked(x, w):
    return np.sort(x) @ w


def ranked_grad(x, w):
    order = np.argsort(x, kind="stable")
    g = np.empty_like(x)
    g[order] = w
    return g, x[order]


def ranked_grad_gather(x, w):
    order = np.argsort(x, kind="stable")
    return w[order], x[order]


def middle(x):
    return np.median(x)


def middle_grad(x):
    order, n = np.argsort(x), len(x)
    g = np.zeros(n)
    g[order[(n - 1) // 2]] += 0.5
    g[order[n // 2]] += 0.5
    return g


def middle_grad_odd(x):
    g = np.zeros(len(x))
    g[np.argsort(x)[len(x) // 2]] = 1
    return g


def trimmed_mean(x, *, cut=1):
    return np.sort(x)[cut : len(x) - cut].mean()


def trimmed_mean_grad(x, *, cut=1):
    g = np.zeros(len(x))
    g[np.argsort(x, kind="stable")[cut : len(x) - cut]] = 1 / (len(x) - 2 * cut)
    return g


def trimmed_mean_grad_all(x, *, cut=1):
    g = np.zeros(len(x))
    g[np.argsort(x, kind="stable")[cut : len(x) - cut]] = 1 / len(x)
    return g


def running_product(x):
    return np.cumprod(x)


def running_product_vjp(x, grad_output):
    n = len(x)
    return np.array(
        [
            sum(grad_output[k] * np.prod(np.delete(x[: k + 1], i)) for k in range(i, n))
            for i in range(n)
        ]
    )


def running_product_vjp_divides(x, grad_output):
    return np.cumsum((grad_output * np.cumprod(x))[::-1])[::-1] / x


def running_sum(x, *, axis=-1):
    return np.cumsum(x, axis=axis)


def running_sum_vjp(x, grad_output, *, axis=-1):
    return np.flip(np.cumsum(np.flip(grad_output, axis), axis), axis)


def running_sum_vjp_last(x, grad_output, *, axis=-1):
    return np.flip(np.cumsum(np.flip(grad_output, -1), axis), -1)


def steps(x, *, n=1):
    return np.diff(x, n)


def steps_vjp(x, grad_output, *, n=1):
    for _ in range(n):
        grad_output = np.concatenate([[0.0], grad_output]) - np.concatenate([grad_output, [0.0]])
    return grad_output


def steps_vjp_once(x, grad_output, *, n=1):
    g = np.zeros(len(x))
    g[n:] += grad_output
    g[: len(x) - n] -= grad_output
    return g


def smooth(x, *, width=3):
    total = np.concatenate([[0.0], np.cumsum(x)])
    return (total[width:] - total[:-width]) / width


def smooth_jac(x, *, width=3):
    n = len(x) - width + 1
    i, j = np.arange(n)[:, None], np.arange(len(x))
    return ((j >= i) & (j < i + width)) / width


def smooth_jac_edge(x, *, width=3):
    n = len(x) - width + 1
    i, j = np.arange(n)[:, None], np.arange(len(x))
    return ((j >= i) & (j < i + width) & (j < len(x) - 1)) / width


def exponential_average(x, alpha):
    out = [x[0]]
    for v in x[1:]:
        out.append(alpha * v + (1 - alpha) * out[-1])
    return np.array(out)


def exponential_average_vjp(x, alpha, grad_output):
    y, carry, d_alpha = exponential_average(x, alpha), 0.0, 0.0
    g = np.zeros(len(x))
    for t in range(len(x) - 1, 0, -1):
        carry = carry + grad_output[t]
        g[t] = alpha * carry
        d_alpha += carry * (x[t] - y[t - 1])
        carry = (1 - alpha) * carry
    g[0] = carry + grad_output[0]
    return g, d_alpha


def exponential_average_vjp_start(x, alpha, grad_output):
    g, d_alpha = exponential_average_vjp(x, alpha, grad_output)
    g[0] = alpha * g[0]  # the first value starts the recursion unweighted
    return g, d_alpha


NORMS = [((n,), {"norm": m}) for n in (4, 5) for m in ("backward", "ortho", "forward")]
MODES = [((4,), (2,), {"mode": m}) for m in ("full", "same", "valid")] + [
    ((4,), (3,), {"mode": "same"})
]
AXES = [((2, 3), {"axis": a}) for a in (-1, 0, -2)]
ENDS = {"vjp": sampled_vjp, "examples": [((3,), (4,))], "domain": {"x": (-2, 6)}}
CUMULATE = {"examples": [((3,),)], "domain": {"x": (-20, 20)}}
AVERAGE = {
    "vjp": exponential_average_vjp,
    "examples": [((4,), 0.3)],
    "domain": {"alpha": (0, 1), "x": (-50, 50)},
}
RANK = {"grad": ranked_grad, "examples": [((3,), (3,))]}
MIDDLE = {"grad": middle_grad, "examples": [((3,),), ((4,),)]}

# fmt: off
CASES = [
    Case("pair-fft-norm-forward", "algebra", low_pass, low_pass, {"vjp": low_pass_vjp, "examples": NORMS}, {"vjp": low_pass_vjp_forward}, why="norm='forward' loses its 1/n"),
    Case("pair-rfft-even", "cells", power, power, {"grad": power_grad, "examples": NORMS}, {"grad": power_grad_even}, why="the coefficient at half the rate is halved: wrong for even n"),
    Case("pair-rfft-axis", "algebra", spectrum_along, spectrum_along, {"vjp": spectrum_along_vjp, "examples": [((4,),)] + AXES}, {"vjp": spectrum_along_vjp_size}, why="normalised by all entries instead of one axis; right for vectors"),
    Case("pair-convolve-same", "cells", filtered, filtered, {"vjp": filtered_vjp, "examples": MODES}, {"vjp": filtered_vjp_same}, why="mode 'same' is off by one for even kernels"),
    Case("pair-autocorrelation-lag", "algebra", autocorrelation, autocorrelation, {"grad": autocorrelation_grad, "examples": [((4,), {"lag": 1})] + [((5,), {"lag": 2})]}, {"grad": lambda x, *, lag=1: autocorrelation_grad(x, lag=1)}, why="the lag is ignored; right for its default"),
    Case("pair-window-once", "algebra", windowed, windowed, {"grad": windowed_grad, "examples": [((3,),), ((5,),)]}, {"grad": windowed_grad_once}, why="the window enters once, not squared; right for its zeros and ones (n = 3)"),
    Case("pair-interp-outside", "cells", sampled, sampled, ENDS, {"vjp": sampled_vjp_outside}, why="the slope goes on outside of the grid, where interp is constant"),
    Case("pair-interp-spacing", "cells", sampled, sampled, ENDS, {"vjp": sampled_vjp_spacing}, why="takes the grid for an even one: wrong in its last cell"),
    Case("pair-sort-gather", "cells", ranked, ranked, RANK, {"grad": ranked_grad_gather}, why="gathers by the order instead of scattering: right for swaps, wrong for 3-cycles"),
    Case("pair-median-even", "cells", middle, middle, MIDDLE, {"grad": middle_grad_odd}, why="of an even number of entries the upper alone"),
    Case("pair-trimmed-mean", "algebra", trimmed_mean, trimmed_mean, {"grad": trimmed_mean_grad, "examples": [((4,),), ((5,),)]}, {"grad": trimmed_mean_grad_all}, why="divides by all entries, also by those cut off"),
    Case("pair-cumprod-zero", "floats", running_product, running_product, {"vjp": running_product_vjp, **CUMULATE}, {"vjp": running_product_vjp_divides}, why="0/0 when an entry is zero, the classic of cumprod"),
    Case("pair-cumsum-flip", "cells", running_sum, running_sum, {"vjp": running_sum_vjp, "examples": AXES}, {"vjp": running_sum_vjp_last}, why="flips the last axis whichever is summed"),
    Case("pair-diff-order", "algebra", steps, steps, {"vjp": steps_vjp, "examples": [((4,), {"n": 1}), ((5,), {"n": 2})]}, {"vjp": steps_vjp_once}, why="the second difference lacks its middle term"),
    Case("pair-moving-average-edge", "algebra", smooth, smooth, {"jac": smooth_jac, "examples": [((4,),)], "domain": {"x": (-9, 9)}}, {"jac": smooth_jac_edge}, why="the last sample is left out"),
    Case("pair-ewma-start", "algebra", exponential_average, exponential_average, AVERAGE, {"vjp": exponential_average_vjp_start}, why="the first sample is weighted by alpha"),
    trap("pair-fft-real-matrix", "algebra", low_pass, "the transform as a real matrix of cosines and sines", vjp=lambda x, grad_output, *, norm="backward": (grad_output[0] @ np.cos(2 * np.pi * np.outer([0, 1], np.arange(len(x))) / len(x)) - grad_output[1] @ np.sin(2 * np.pi * np.outer([0, 1], np.arange(len(x))) / len(x))) * {"backward": 1, "ortho": len(x) ** -0.5, "forward": 1 / len(x)}[norm], examples=[((n,), {"norm": m}) for n in (3, 5) for m in ("backward", "ortho", "forward")]),
    trap("pair-parseval", "algebra", lambda x: np.sum(np.abs(fft(x, norm="ortho")) ** 2), "Parseval: twice the signal, no transform at all", grad=lambda x: 2 * x, examples=[((4,),), ((5,),)]),
    trap("pair-sort-argsort-twice", "cells", ranked, "the inverse permutation by sorting twice", grad=lambda x, w: (w[np.argsort(np.argsort(x))], np.sort(x)), examples=RANK["examples"]),
    trap("pair-median-ties", "cells", middle, "among equal entries one of them, or all by halves", grad=lambda x: (lambda hit: hit / hit.sum())(((x == np.sort(x)[(len(x) - 1) // 2]) | (x == np.sort(x)[len(x) // 2])).astype(float)) if len(x) % 2 else middle_grad(x), examples=MIDDLE["examples"]),
    trap("pair-smooth-toeplitz", "algebra", smooth, "built by rolling a row; booleans become floats at the end", jac=lambda x, *, width=3: np.array([np.roll([1 / width] * width + [0.0] * (len(x) - width), i) for i in range(len(x) - width + 1)]), examples=[((4,),), ((5,), {"width": 2})], domain={"x": (-9, 9)}),
]
# fmt: on
