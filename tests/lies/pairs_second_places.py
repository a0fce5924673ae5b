"""One untraced function, and gradients of it that are wrong in one place alone."""
# ruff: noqa: E501

import struct

import numpy as np

from .case import Case

CASES: list[Case] = []

# fmt: off


def opaque(x):
    """The same numbers, through bytes."""
    return np.array(struct.unpack(f"{x.size}d", struct.pack(f"{x.size}d", *x.ravel().tolist()))).reshape(x.shape)


def coupled(x):
    y = opaque(x)
    return np.sum(np.arctan(y)) * np.sum(y) + np.sum(np.sqrt(1 + y * y))


def coupled_grad(x):
    y = opaque(x)
    return np.sum(y) / (1 + y * y) + np.sum(np.arctan(y)) + y / np.sqrt(1 + y * y)


def place(name, why, where, *, size=3, wrong=lambda g, _x: g * 1.25, **options):
    def gradient(x):
        g = coupled_grad(x)
        return np.where(where(x), wrong(g, x), g)

    options = {"examples": [((size,),)], **options}
    CASES.append(Case(f"second-pair: a place: {name}", "cells", coupled, coupled, {"grad": coupled_grad, **options}, {"grad": gradient}, why=f"a quarter too much {why}"))


place("far", "beyond a hundred", lambda x: x > 100)
place("near", "within 1e-3 of zero, not at it", lambda x: (np.abs(x) < 1e-3) & (x != 0))
place("narrow band", "for 0.5 < x < 0.6", lambda x: (x > 0.5) & (x < 0.6))
place("far band", "for 12 < x < 14", lambda x: (x > 12) & (x < 14))
place("odd integers", "at odd integers beyond one", lambda x: (x % 2 == 1) & (x > 1))
place("two", "at exactly two", lambda x: x == 2)
place("half", "at exactly one half", lambda x: x == 0.5)
place("all negative", "where all entries are below -1", lambda x: np.all(x < -1))
place("descending", "where the entries descend", lambda x: np.all(np.diff(x) < 0))
place("last is largest of four", "where the last of four is the largest and positive", lambda x: np.argmax(x) == 3 and x[3] > 0, size=4)
place("large sum", "where the sum is beyond 20 and no entry beyond 15", lambda x: x.sum() > 20 and x.max() < 15)
place("signs mixed", "where signs alternate and all moduli are beyond two", lambda x: np.all(np.abs(x) > 2) and x[0] * x[1] < 0 and x[1] * x[2] < 0)
place("first two equal", "where the first two are equal and not zero", lambda x: x[0] == x[1] != 0 and x[2] != x[0])
place("opposite", "where two entries are opposite", lambda x: x[0] == -x[1] != 0)
place("zero among others", "of the first where the last is zero and it is not", lambda x: x[2] == 0 and x[0] != 0)
place("mixed magnitudes", "where the largest is a million times the smallest", lambda x: np.max(np.abs(x)) > 1e6 * np.min(np.abs(x)) > 0)
place("inside a disk", "where the norm is between 3 and 4", lambda x: 3 < np.sqrt(np.sum(x * x)) < 4)
place("size one", "of a single entry; only three are declared", lambda x: x.size == 1)
