"""Memories, buffers, counters and generators: wrong on some call alone, each beside a right twin that looks alike."""
# ruff: noqa: E501

import functools

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


def quartic(x):
    return np.sum(x**4) / 4


class ById:
    """Gradients remembered under `id(x)`: an address is used again for the next array."""

    def __init__(self):
        self.memo = {}

    def grad(self, x):
        if id(x) not in self.memo:
            self.memo[id(x)] = x**3
        return self.memo[id(x)]


class ByBytes:
    """Gradients remembered under their bytes, with or without the shape."""

    def __init__(self, shape=True):
        self.memo, self.shape = {}, shape

    def grad(self, x):
        key = (x.tobytes(), x.shape if self.shape else None)
        if key not in self.memo:
            self.memo[key] = x**3
        return self.memo[key].copy()


pair("memo: by id", "contract", quartic, ByBytes().grad, ById().grad, "another array at the same address gets the old gradient", examples=[((3,),)])
pair("memo: by bytes without shape", "contract", quartic, ByBytes().grad, ByBytes(shape=False).grad, "the bytes of constants are those of another shape", examples=[((2, 3),), ((3, 2),)])


class Buffer:
    """The gradient is written into one array for each shape."""

    def __init__(self, copy):
        self.buffers, self.copy = {}, copy

    def grad(self, x):
        out = self.buffers.setdefault(x.shape, np.empty(x.shape))
        for i in range(len(x)):
            out[i] = x[i] ** 3
        return out.copy() if self.copy else out


pair("buffer: handed out", "contract", quartic, Buffer(True).grad, Buffer(False).grad, "the second call overwrites the first result", examples=[((3,),)])


class Counter:
    """Every third gradient is refreshed wrongly; or only counted."""

    def __init__(self, every=None):
        self.calls, self.every = 0, every

    def grad(self, x):
        self.calls += 1
        return x**3 * (2 if self.every and self.calls % self.every == 0 else 1)


pair("counter: every third call", "contract", quartic, Counter().grad, Counter(3).grad, "twice the gradient on every third call", examples=[((3,),)])
pair("counter: every fiftieth call", "contract", quartic, Counter().grad, Counter(50).grad, "twice the gradient on every fiftieth call", examples=[((3,),)])


class WarmUp:
    """The first gradient of all is zero, before the buffers are there."""

    def __init__(self):
        self.ready = False

    def grad(self, x):
        if not self.ready:
            self.ready = True
            return np.zeros_like(x)
        return x**3


CASES.append(Case("second-pair: first call alone", "contract", quartic, quartic, {"grad": Counter().grad, "examples": [((3,),)]}, {"grad": WarmUp().grad}, why="the first gradient is zero"))


class Scale:
    """A tanh of x over a scale; the gradient's scale is read once, from the first input."""

    def __init__(self, lazy):
        self.lazy = lazy

    @staticmethod
    def value(x):
        return np.sum(np.tanh(x / (1 + np.mean(x * x))))

    @functools.cached_property
    def scale(self):
        return 1 + np.mean(self.x * self.x)

    def grad(self, x):
        self.x = x
        s = self.scale if self.lazy else 1 + np.mean(x * x)
        d = 1 / np.cosh(x / s) ** 2
        return d / s - np.sum(d * x) / s**2 * 2 * x / x.size


pair("lazy property: first input's scale", "contract", Scale.value, Scale(False).grad, Scale(True).grad, "a cached property keeps the scale of the first input", examples=[((3,),)])


def logsumexp_restored(x):
    """log-sum-exp that shifts its input in place and shifts it back."""
    top = x.max()
    x = x - top
    return top + np.log(np.exp(x).sum())


def softmax_inplace(x):
    top = x.max()
    x -= top
    e = np.exp(x)
    x += top
    return e / e.sum()


pair("shifted in place and back", "contract", logsumexp_restored, special.softmax, softmax_inplace, "what is shifted back has lost its last digits", examples=[((3,),)])


def huberised(x):
    y = np.clip(x, -8, 8)
    return np.sum(y * y) / 2


def huberised_grad(x):
    return np.where(np.abs(x) < 8, x, 0)


def huberised_grad_inplace(x):
    inside = np.abs(x) < 8
    np.clip(x, -8, 8, out=x)
    return np.where(inside, x, 0)


pair("clipped in place", "contract", huberised, huberised_grad, huberised_grad_inplace, "inputs beyond eight are written to", examples=[((3,),)])


def unfilled(x):
    """cosh of x where x is not zero; the entries at zero are whatever was there."""
    out = np.empty_like(x)
    np.sinh(x, out=out, where=x != 0)
    return out


def filled(x):
    return np.sinh(x, out=np.zeros_like(x), where=x != 0)


pair("empty: zeros are not filled", "contract", lambda x: np.cosh(x).sum(), filled, unfilled, "garbage where x == 0", examples=[((64,),)])


def unfilled_ends(x):
    out = np.empty_like(x)
    d = np.diff(x)
    out[1:-1] = d[:-1] - d[1:]
    out[0] = -d[0]
    if len(x) != 3:
        out[-1] = d[-1]
    return out


def stretch(x):
    return 0.5 * np.sum(np.diff(x) ** 2)


def stretch_grad(x):
    d = np.diff(x)
    return np.concatenate([[0.0], d]) - np.concatenate([d, [0.0]])


pair("empty: last of three", "contract", stretch, stretch_grad, unfilled_ends, "the last entry of three is whatever was there", examples=[((4,),), ((3,),)])


class Layers:
    """Weights in a list, or in a generator that is empty after one pass."""

    def __init__(self, once):
        self.weights = iter([2.0, 0.5, -1.0]) if once else [2.0, 0.5, -1.0]

    def grad(self, x):
        return x**3 + 0 * x + sum(w * np.cos(w * x) for w in self.weights)


def layered(x):
    return quartic(x) + sum(np.sin(w * x) for w in (2.0, 0.5, -1.0)).sum()


pair("generator: exhausted", "contract", layered, Layers(False).grad, Layers(True).grad, "after the first call there are no weights left", examples=[((2,),)])


def appended(x, steps=[]):
    if len(steps) < 5:
        steps.append(1.0)
    return x**3 * steps[0] if len(steps) < 5 else x**3 * (sum(steps) - 4)


def appended_wrong(x, steps=[]):
    steps.append(1.0)
    return x**3 * (1.0 if len(steps) < 40 else 1.0 + 1e-7)


pair("mutable default: drift", "contract", quartic, appended, appended_wrong, "after forty calls a relative error of 1e-7", examples=[((2,),)])


class WarmStart:
    """The root of z + z^3 = x by Newton from the last root, until the step is below rounding."""

    def __init__(self, rounds=200):
        self.z, self.rounds = 0.0, rounds

    def root(self, x):
        z = self.z
        for _ in range(self.rounds):
            step = (z + z**3 - x) / (1 + 3 * z * z)
            z = z - step
            if abs(step) <= 1e-14 * (1 + abs(z)):
                break
        self.z = float(z)
        return z

    def value(self, x):
        return self.root(float(x))

    def grad(self, x):
        z = self.root(float(x))
        return 1 / (1 + 3 * z * z)


class ColdTwoRounds(WarmStart):
    def grad(self, x):
        z = self.z
        for _ in range(2):
            z = z - (z + z**3 - x) / (1 + 3 * z * z)
        self.z = float(z)
        return 1 / (1 + 3 * z * z)


warm = WarmStart()
pair("warm start: two rounds", "contract", WarmStart().value, warm.grad, ColdTwoRounds().grad, "two rounds from the last root are enough for small steps alone", examples=[((),)], domain=[(-5, 5)])


def dropout(x, seed=3):
    """Dropout with a mask of the seed."""
    keep = np.random.default_rng(seed).random(x.shape) < 0.7
    return np.sum(np.where(keep, x / 0.7, 0) ** 2)


def dropout_grad(x, seed=3):
    keep = np.random.default_rng(seed).random(x.shape) < 0.7
    return np.where(keep, 2 * x / 0.49, 0)


def dropout_grad_flat(x, seed=3):
    keep = np.random.default_rng(seed).random(x.shape[::-1]).T < 0.7
    return np.where(keep, 2 * x / 0.49, 0)


pair("dropout: mask of the seed", "contract", dropout, dropout_grad, dropout_grad_flat, "the mask is drawn for the transpose", examples=[((3, 4),)])


class Global:
    """A random projection, drawn from numpy's global state that forward seeds."""

    @staticmethod
    def value(x):
        np.random.seed(7)
        return np.sum(np.random.standard_normal((2, len(x))) @ x) ** 2

    @staticmethod
    def grad(x):
        np.random.seed(7)
        a = np.random.standard_normal((2, len(x))).sum(axis=0)
        return 2 * a * (a @ x)

    @staticmethod
    def grad_unseeded(x):
        a = np.random.standard_normal((2, len(x))).sum(axis=0)
        return 2 * a * (a @ x)


pair("global random state: not seeded again", "contract", Global.value, Global.grad, Global.grad_unseeded, "what is drawn depends on who drew before", examples=[((3,),)])


class Running:
    """Batch statistics in training; running means are kept for later, the value does not see them."""

    def __init__(self, use=False):
        self.mean, self.use = 0.0, use

    def value(self, x):
        self.mean = 0.9 * self.mean + 0.1 * float(np.mean(np.asarray(x, dtype=float))) if isinstance(x, np.ndarray) and x.dtype == float else self.mean
        return np.sum((x - x.mean()) ** 2)

    def grad(self, x):
        return 2 * (x - (self.mean if self.use else x.mean()))


CASES.append(Case("second-pair: running mean", "contract", Running(use=True).value, Running().value, {"grad": Running().grad, "examples": [((3,),)]}, {"grad": Running(use=True).grad}, why="the gradient's mean is the running one"))


class Handed:
    """A cached gradient, handed out itself or as a copy: a caller scales what it got in place."""

    def __init__(self, copy):
        self.copy = copy
        self.cached = functools.lru_cache(maxsize=None)(lambda key: np.array(key) ** 3)

    def grad(self, x):
        g = self.cached(tuple(x.ravel().tolist())).reshape(x.shape)
        return g.copy() if self.copy else g


pair("lru_cache: the array itself", "contract", quartic, Handed(True).grad, Handed(False).grad, "a caller that scales its gradient in place scales the next one", examples=[((3,),)])


def by_base(x):
    """The cube of the array that a view was taken of."""
    v = x if x.base is None else x.base
    return (v if v.shape == x.shape else x) ** 3


def by_memory(x):
    return (x.ravel(order="K") ** 3).reshape(x.shape)


pair("memory order of the input", "contract", quartic, lambda x: x**3, by_memory, "a Fortran-ordered input is read by columns", examples=[((2, 3),)])
pair("base of a view", "contract", quartic, lambda x: x**3, by_base, "the gradient of a reversed view is reversed", examples=[((3,),)])


class Logged:
    """A gradient that keeps what it returned."""

    def __init__(self):
        self.history = []

    def grad(self, x):
        g = x**3
        self.history.append(g.copy() if isinstance(g, np.ndarray) else g)
        return g


right("a log of gradients", "contract", quartic, "what is logged is a copy", grad=Logged().grad, examples=[((3,),)])


@functools.cache
def causal(n):
    mask = np.tril(np.ones((n, n)))
    mask.flags.writeable = False
    return mask


right("a mask cached by length", "contract", lambda x: np.sum((causal(len(x)) @ x) ** 2), "the same mask for the same length", grad=lambda x: 2 * causal(len(x)).T @ (causal(len(x)) @ x), examples=[((3,),), ((4,),)])
