"""Ranks: a likelihood of rankings and soft ranks, each wrong beside its right twin."""

import numpy as np
from scipy import special

from autodiff import Function

from .case import Case

CASES: list[Case] = []


def add(name, kind, lie, twin, why, **options):
    CASES.append(Case(f"gathered: {name}", kind, lie, twin, options, why=why))


class PlackettLuce(Function):
    """Minus log likelihood of a ranking: reversed cumulative log-sum-exp of the ordered scores."""

    @staticmethod
    def forward(ctx, scores, ranking=None):
        ctx.order = np.asarray(ranking)
        s = scores[ctx.order]
        ctx.save_for_backward(scores)
        return np.sum(np.logaddexp.accumulate(s[::-1])[::-1] - s)

    @staticmethod
    def backward(ctx, grad):
        (scores,) = ctx.saved_tensors
        s = scores[ctx.order]
        lse = np.logaddexp.accumulate(s[::-1])[::-1]
        d = np.array([np.exp(s[k] - lse[: k + 1]).sum() for k in range(len(s))]) - 1
        out = np.empty_like(d)
        out[ctx.order] = d
        return grad * out

    examples = [((4,), {"ranking": np.array([2, 0, 3, 1])})]


class PlackettLuceGather(PlackettLuce):
    @staticmethod
    def backward(ctx, grad):
        (scores,) = ctx.saved_tensors
        s = scores[ctx.order]
        lse = np.logaddexp.accumulate(s[::-1])[::-1]
        d = np.array([np.exp(s[k] - lse[: k + 1]).sum() for k in range(len(s))]) - 1
        return grad * d[ctx.order]


add(
    "ranking likelihood: permutation not inverted",
    "algebra",
    PlackettLuceGather,
    PlackettLuce,
    "gathered for scattered; no involution",
)


class SoftRank(Function):
    """Pairwise soft ranks: a sum of logistic functions of differences over a temperature."""

    tau = 0.3

    @staticmethod
    def forward(ctx, x):
        d = (x[:, None] - x[None, :]) / SoftRank.tau
        ctx.save_for_backward(x)
        return 0.5 + special.expit(d).sum(axis=1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit((x[:, None] - x[None, :]) / SoftRank.tau)
        w = s * (1 - s) / SoftRank.tau
        return grad * w.sum(axis=1) - w.T @ grad

    examples = [((3,),)]


class SoftRankDiagonal(SoftRank):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = special.expit((x[:, None] - x[None, :]) / SoftRank.tau)
        w = s * (1 - s) / SoftRank.tau
        np.fill_diagonal(w, 0.0)
        return grad * (w.sum(axis=1) + 0.25 / SoftRank.tau) - w.T @ grad


add(
    "soft ranks: the diagonal",
    "algebra",
    SoftRankDiagonal,
    SoftRank,
    "an entry does not move against itself",
)
