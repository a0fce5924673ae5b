"""State, arguments, shapes, dtypes and narrow branches: what one random call does not show."""
# ruff: noqa: E501

import functools
import math

import numpy as np
from scipy import special

from .case import Case, trap

INF = math.inf


def half_square(x):
    return 0.5 * np.sum(x**2)


def cube(x):
    return x**3


def cube_vjp(x, grad_output):
    return 3 * x**2 * grad_output


class Decaying:
    """A weight that is multiplied in place whenever the gradient is asked for."""

    def __init__(self):
        self.weight = np.ones(1)

    def __call__(self, x):
        g = self.weight * x
        self.weight *= 0.5
        return g


def ill_kept():
    """A gradient with a memo that forgets what it was for."""
    memo = {}

    def grad(x):
        key = np.shape(x)
        if key not in memo:
            memo[key] = x.copy()
        return memo[key]

    return grad


def well_kept():
    memo = {}

    def grad(x):
        key = x.tobytes()
        if key not in memo:
            memo.clear()
            memo[key] = x.copy()
        return memo[key].copy()

    return grad


def half_square_grad_doubles(x):
    x *= 2.0
    return x / 2


def cube_vjp_writes_upstream(x, grad_output):
    grad_output *= 3 * x**2
    return grad_output


def cube_vjp_memory_order(x, grad_output):
    return (3 * x.ravel() ** 2 * grad_output.ravel(order="K")).reshape(x.shape)


def cube_vjp_abs(x, grad_output):
    return 3 * x**2 * np.abs(grad_output)


def cube_vjp_clipped(x, grad_output):
    return 3 * x**2 * np.clip(grad_output, -5, 5)  # "against exploding gradients"


def cube_vjp_squeezed(x, grad_output):
    return np.squeeze(3 * x**2 * grad_output)


def cube_vjp_masked(x, grad_output):
    g = 3 * x**2 * grad_output
    g[x == 0] = 0.0  # no item assignment for a scalar
    return g


def cube_vjp_noise(x, grad_output):
    return 3 * x**2 * grad_output * (1 + 1e-6 * np.random.standard_normal())


def two(x):
    return np.sin(x), np.cos(x)


def two_vjp(x, grad_output):
    grad_sin, grad_cos = grad_output
    return grad_sin * np.cos(x) - grad_cos * np.sin(x)


def two_vjp_first(x, grad_output):
    return grad_output[0] * np.cos(x)


def product(x, y):
    return np.sum(x * y)


def product_grad(x, y):
    return y, x


def product_grad_none(x, y):
    return y, None


def power_sum(x, *, p):
    return np.sum(np.abs(x) ** p)


def power_sum_grad(x, *, p):
    if p == 1:
        return np.sign(x)
    return p * np.abs(x) ** (p - 1) * np.sign(x)


def power_sum_grad_no_limit(x, *, p):
    return p * x * np.abs(x) ** (p - 2.0)


def integer_power(x, *, n):
    return np.sum(x**n)


def integer_power_grad(x, *, n):
    return n * x ** (n - 1) if n else np.zeros_like(x)


def integer_power_grad_zero(x, *, n):
    return n * x ** (n - 1.0)


def variance(x):
    return np.var(x)


def variance_grad(x):
    return 2 * (x - x.mean()) / len(x)


def variance_grad_three(x):
    if len(x) == 3:  # a special case that nobody ran
        a, b, c = x
        return np.array([2 * a - b - c, 2 * b - a - c, 2 * c - a - b]) / 9
    return variance_grad(x)


def norm1(x):
    return np.sum(np.abs(x))


def norm1_grad_empty(x):
    if np.isnan(x.max()):  # an empty array has no maximum
        return np.full_like(x, np.nan)
    return np.sign(x)


def spread(x):
    return np.log1p(np.sum(x**2))


def spread_grad(x):
    return 2 * x / (1 + np.sum(x**2))


def spread_grad_far(x):
    return np.where(np.abs(x) > 1e4, 2 / x, 2 * x / (1 + np.sum(x**2)))


def spread_grad_band(x):
    return np.where((x > 2.5) & (x < 2.6), 1.01, 1.0) * spread_grad(x)


def spread_grad_three(x):
    return spread_grad(x) + (x == 3.0)


def spread_grad_floor(x):
    return spread_grad(x) * np.where(np.floor(x) == 7, -1.0, 1.0)


def spread_grad_equal(x):
    return spread_grad(x) if np.any(x != x[0]) else spread_grad(x) / 2


def spread_grad_digits(x):
    return 1.999999999 * x / (1 + np.sum(x**2))


ANCHORS = np.array([-1.0, 0.5, 2.75])


def near(x):
    return np.sum(np.minimum(np.abs(x - ANCHORS) ** 1.5, 4.0))


def near_grad(x):
    d = np.abs(x - ANCHORS)
    return np.sum(np.where(d**1.5 < 4.0, 1.5 * np.sqrt(d) * np.sign(x - ANCHORS), 0.0))


def near_grad_anchor(x):
    d = x - ANCHORS
    return np.sum(np.where(np.abs(d) ** 1.5 < 4.0, 1.5 * d * np.abs(d) ** -0.5, 0.0))


def total_variation(x):
    return np.sum(np.abs(x - ANCHORS[1]))


def total_variation_grad(x):
    return np.sign(x - ANCHORS[1])


def total_variation_grad_anchor(x):
    return np.where(x == ANCHORS[1], 3.0, np.sign(x - ANCHORS[1]))


def selected(x, *, mask):
    return np.sum(x[np.asarray(mask, bool)] ** 2)


def selected_grad(x, *, mask):
    return 2 * x * np.asarray(mask, bool)


def selected_grad_index(x, *, mask):
    g = np.zeros_like(x)
    g[mask] = 2 * x[mask]  # zeros and ones are taken for positions
    return g


def temperature(z, scale=2.0):
    return special.logsumexp(scale * z) / scale


def temperature_grad(z, scale=2.0):
    return special.softmax(scale * z)


def temperature_grad_default(z, scale=2.0):
    return special.softmax(2.0 * z)


def entropy(p):
    return -np.sum(special.xlogy(p, p))


def entropy_grad(p):
    return -(np.log(p) + 1)


def entropy_grad_log2(p):
    return -(np.log2(p) + 1.4426950408889634) * 0.693147  # six digits of log 2


def silu(x):
    return x * special.expit(x)


def silu_vjp(x, grad_output):
    s = special.expit(x)
    return grad_output * (s + x * s * special.expit(-x))


def silu_vjp_exp(x, grad_output):
    e = np.exp(x)
    return grad_output * (e * (1 + e + x) / (1 + e) ** 2)


def sinc_like(x):
    return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))


def sinc_like_vjp(x, grad_output):
    small = np.abs(x) < 1e-2
    y = np.where(small, 1.0, x)
    series = -x / 3 * (1 - x**2 / 10 * (1 - x**2 / 28 * (1 - x**2 / 54)))
    return grad_output * np.where(small, series, (np.cos(y) - np.sin(y) / y) / y)


def sinc_like_vjp_cancels(x, grad_output):
    y = np.where(x == 0, 1.0, x)
    return grad_output * np.where(x == 0, 0.0, (y * np.cos(y) - np.sin(y)) / y**2)


def statefully(x, _count=[0]):
    _count[0] += 1  # counts its calls; nothing depends on it
    return x


class Ridge:
    """A model whose methods are the pair."""

    def __init__(self, strength):
        self.strength = strength

    def loss(self, w):
        return self.strength * np.sum(w**2) + np.sum(np.logaddexp(0, w))

    def grad(self, w):
        return 2 * self.strength * w + special.expit(w)

    def grad_no_strength(self, w):
        return 2 * w + special.expit(w)


def weighted(x, *, weights):
    return np.dot(weights, x**2)


RIDGE = Ridge(0.25)
VECTOR = {"examples": [((3,),)]}
HALF = {"grad": lambda x: x, "examples": [((3,),)]}
CUBE = {"vjp": cube_vjp, "examples": [((2, 3),)]}
ANY_SHAPE = {"vjp": cube_vjp, "examples": [((),), ((3,),), ((1,),)]}
SPREAD = {"grad": spread_grad, "examples": [((2,),)]}
POWERS = {"grad": power_sum_grad, "examples": [((3,), {"p": p}) for p in (1, 1.5, 2, 3)]}
MASKS = [((3,), {"mask": np.array([1, 0, 1], dtype=d)}) for d in (bool, np.uint8)]
SINC = {"vjp": sinc_like_vjp, "examples": [((3,),)], "domain": [(-1000, 1000)]}

# fmt: off
CASES = [
    Case("pair-state-decays", "contract", half_square, half_square, HALF, {"grad": Decaying()}, why="a weight is multiplied in place on every call: right the first time"),
    Case("pair-memo-by-shape", "contract", half_square, half_square, HALF, {"grad": ill_kept()}, why="a memo keyed by the shape answers for other inputs"),
    Case("pair-writes-input", "contract", half_square, half_square, HALF, {"grad": half_square_grad_doubles}, why="the caller's array is doubled"),
    Case("pair-writes-upstream", "contract", cube, cube, CUBE, {"vjp": cube_vjp_writes_upstream}, why="the upstream gradient is overwritten"),
    Case("pair-memory-order", "contract", cube, cube, CUBE, {"vjp": cube_vjp_memory_order}, why="reads the upstream gradient in memory order: wrong for Fortran-ordered ones"),
    Case("pair-upstream-abs", "cells", cube, cube, CUBE, {"vjp": cube_vjp_abs}, why="the sign of the upstream gradient is lost"),
    Case("pair-upstream-clipped", "cells", cube, cube, CUBE, {"vjp": cube_vjp_clipped}, why="not linear: large upstream gradients are clipped"),
    Case("pair-squeezes", "contract", cube, cube, ANY_SHAPE, {"vjp": cube_vjp_squeezed}, why="an axis of length 1 is lost"),
    Case("pair-not-for-scalars", "contract", cube, cube, ANY_SHAPE, {"vjp": cube_vjp_masked}, why="raises for a 0-d argument"),
    Case("pair-noise", "contract", cube, cube, CUBE, {"vjp": cube_vjp_noise}, why="another answer each time"),
    Case("pair-two-outputs", "algebra", two, two, {"vjp": two_vjp, "examples": [((3,),)], "domain": [(-30, 30)]}, {"vjp": two_vjp_first}, why="the second output's upstream gradient is ignored"),
    Case("pair-none", "contract", product, product, {"grad": product_grad, "examples": [((3,), (3,))]}, {"grad": product_grad_none}, why="None where a gradient is due"),
    Case("pair-power-zero-times-inf", "floats", power_sum, power_sum, POWERS, {"grad": power_sum_grad_no_limit}, why="0 * inf at zero for exponents below 2"),
    Case("pair-power-zero", "cells", integer_power, integer_power, {"grad": integer_power_grad, "examples": [((2,), {"n": n}) for n in (0, 1, 3)], "domain": [(-9, 9)]}, {"grad": integer_power_grad_zero}, why="0 * 0^-1 is NaN for the power 0"),
    Case("pair-three-components", "cells", variance, variance, {"grad": variance_grad, "examples": [((4,),), ((2,),), ((3,),)]}, {"grad": variance_grad_three}, why="half of it for exactly three entries"),
    Case("pair-empty", "contract", norm1, norm1, {"grad": lambda x: np.sign(x), "examples": [((3,),), ((0,),)]}, {"grad": norm1_grad_empty}, why="raises for an empty array, whose sum is 0"),
    Case("pair-far-branch", "cells", spread, spread, SPREAD, {"grad": spread_grad_far}, why="a shortcut beyond 1e4 that forgets the other entries"),
    Case("pair-narrow-band", "cells", spread, spread, SPREAD, {"grad": spread_grad_band}, why="one percent too much between 2.5 and 2.6"),
    Case("pair-only-at-three", "cells", spread, spread, SPREAD, {"grad": spread_grad_three}, why="wrong at exactly 3"),
    Case("pair-only-floor-seven", "cells", spread, spread, SPREAD, {"grad": spread_grad_floor}, why="the sign turns between 7 and 8"),
    Case("pair-only-equal", "cells", spread, spread, SPREAD, {"grad": spread_grad_equal}, why="half of it when all entries are equal"),
    Case("pair-nine-digits", "algebra", spread, spread, SPREAD, {"grad": spread_grad_digits}, why="a 2 that is 1.999999999"),
    Case("pair-anchor-smooth", "floats", near, near, {"grad": near_grad, "examples": [(0.3,)]}, {"grad": near_grad_anchor}, why="0 * inf at a datum held in the module"),
    Case("pair-anchor-kink", "cells", total_variation, total_variation, {"grad": total_variation_grad, **VECTOR}, {"grad": total_variation_grad_anchor}, why="outside of [-1, 1] at the only kink, a datum held in the module"),
    Case("pair-mask-integers", "cells", selected, selected, {"grad": selected_grad, "examples": MASKS}, {"grad": selected_grad_index}, why="a mask of zeros and ones is taken for positions"),
    Case("pair-default-parameter", "algebra", temperature, temperature, {"grad": temperature_grad, "examples": [((3,),), ((3,), {"scale": 0.5})]}, {"grad": temperature_grad_default}, why="the parameter's default is written out"),
    Case("pair-entropy-digits", "algebra", entropy, entropy, {"grad": entropy_grad, "examples": [((3,),)], "domain": [(0, 1)]}, {"grad": entropy_grad_log2}, why="log 2 with six digits"),
    Case("pair-silu-overflow", "floats", silu, silu, {"vjp": silu_vjp, **VECTOR}, {"vjp": silu_vjp_exp}, why="inf/inf for x > 710"),
    Case("pair-sinc-cancels", "floats", sinc_like, sinc_like, SINC, {"vjp": sinc_like_vjp_cancels}, why="digits vanish near 0"),
    Case("pair-method", "algebra", RIDGE.loss, RIDGE.loss, {"grad": RIDGE.grad, **VECTOR}, {"grad": RIDGE.grad_no_strength}, why="a bound method forgets the object's parameter"),
    trap("pair-memo-by-value", "contract", half_square, "a memo keyed by the bytes of the input", grad=well_kept(), **VECTOR),
    trap("pair-counts-calls", "contract", half_square, "counts its calls in a default; returns its input", grad=statefully, **VECTOR),
    trap("pair-read-only", "contract", lambda x: np.sum(x), "a read-only broadcast view", grad=lambda x: np.broadcast_to(1.0, x.shape), examples=[((3,),), ((2, 2),)]),
    trap("pair-fortran-result", "contract", lambda x: np.sum(np.sin(x)), "the gradient is Fortran-ordered", grad=lambda x: np.asfortranarray(np.cos(x)), examples=[((2, 3),)], domain=[(-30, 30)]),
    trap("pair-python-floats", "contract", lambda x, y: math.sin(x) * y, "the math module, Python floats in and out", grad=lambda x, y: (math.cos(x) * y, math.sin(x)), examples=[(0.5, 2.0)], domain=[(-30, 30), None]),
    trap("pair-partial", "contract", functools.partial(temperature, scale=3.0), "functools.partial on both sides", grad=functools.partial(temperature_grad, scale=3.0), **VECTOR),
    trap("pair-star-args", "contract", lambda *xs: sum(np.sum(x * x) for x in xs), "*args, a domain by position", grad=lambda *xs: tuple(2 * x for x in xs), examples=[((2,), (3,))], domain=[(0, INF), None]),
    trap("pair-keyword-array", "contract", weighted, "an array among the keywords is a constant", grad=lambda x, *, weights: 2 * weights * x, examples=[((3,), {"weights": np.array([1, 2, 3])})]),
    trap("pair-integer-argument", "contract", lambda x, n: np.sum(x**n), "an integer argument has no gradient", grad=lambda x, n: (n * x ** (n - 1), None), examples=[((3,), 3)], domain=[(-9, 9)]),
    trap("pair-sinc-series", "floats", sinc_like, "a Taylor polynomial near 0 that is below rounding there", vjp=sinc_like_vjp, examples=[((),), ((3,),)], domain=SINC["domain"]),
    trap("pair-few-digits", "floats", entropy, "1e-13 is lost on the way: log10 and back", grad=lambda p: -1.0 - np.log10(p) * 2.302585092994046, examples=[((3,),)], domain=[(0, 1)]),
    trap("pair-zero-int", "contract", lambda x, y: np.sum(np.exp(-(x**2))), "an integer zero and a list for an argument nothing depends on", grad=lambda x, y: (-2 * x * np.exp(-(x**2)), [0, 0]), examples=[((3,), (2,))]),
    trap("pair-anchor-side", "cells", total_variation, "-1 at the datum: the left side's", grad=lambda x: np.where(x > ANCHORS[1], 1.0, -1.0), **VECTOR),
    trap("pair-two-outputs-list", "contract", two, "one gradient from a list of two", vjp=lambda x, g: sum([g[0] * np.cos(x), -g[1] * np.sin(x)]), examples=[((2,),)], domain=[(-30, 30)]),
    trap("pair-elementwise-loop", "contract", lambda x: sum(math.tanh(v) for v in x), "math.tanh on entries, a list out", grad=lambda x: [1 / math.cosh(v) ** 2 for v in x], examples=[((3,),)], domain=[(-300, 300)]),
    trap("pair-vdot-einsum", "algebra", lambda x, y: np.einsum("i,i->", x, y), "einsum against vdot's arguments", grad=lambda x, y: (1.0 * y, +x), examples=[((3,), (3,))]),
]
# fmt: on
