"""autograd's primitives and callables: right rules are proved, wrong ones refuted."""

import numpy as np
import pytest

pytest.importorskip("autograd")

import autograd.numpy as anp
from autograd.extend import defvjp, primitive

from verify import check
from verify.verdict import Verdict


def rule(function, *makers):
    """A primitive with its vector-Jacobian products."""
    made = primitive(function)
    defvjp(made, *makers)
    return made


def _logsumexp(x):
    top = anp.max(x)
    return top + anp.log(anp.sum(anp.exp(x - top)))


@pytest.mark.parametrize(
    ("subject", "examples"),
    [
        (rule(lambda x: x**3, lambda ans, x: lambda g: 3 * x**2 * g), [((3,),)]),
        (rule(_logsumexp, lambda ans, x: lambda g: g * anp.exp(x - ans)), [((3,),)]),
        (anp.tanh, [((3,),)]),
        (anp.logaddexp, [((2,), (3, 2))]),
        (anp.linalg.inv, [((2, 2),)]),
        (lambda x, w: anp.sum(anp.sin(anp.dot(x, w)) ** 2), [((2, 3), (3, 2))]),
        (lambda x: anp.where(x[0] > 0, x[::-1], anp.stack([x[0], x[0] * x[1]])), [((2,),)]),
    ],
    ids=["cube", "logsumexp", "tanh", "logaddexp", "inv", "callable", "index"],
)
def test_right_rules_are_proved(subject, examples):
    report = check(subject, examples=examples)
    assert report.verdict is Verdict.PROVED, str(report)


@pytest.mark.parametrize(
    "subject",
    [
        rule(np.sin, lambda ans, x: lambda g: -g * anp.cos(x)),
        rule(np.sin, lambda ans, x: lambda g: (1 + 1e-7) * g * anp.cos(x)),
        rule(np.tanh, lambda ans, x: lambda g: anp.where(x > 1, g, g * (1 - ans**2))),
        rule(np.sin, lambda ans, x: lambda g: anp.cos(x)),
    ],
    ids=["sign", "factor", "branch", "upstream"],
)
def test_wrong_rules_are_refuted(subject):
    report = check(subject, examples=[((3,),)])
    assert report.verdict is Verdict.REFUTED, str(report)


def test_a_forgotten_sum_over_a_broadcast_axis_is_refuted():
    add = rule(lambda x, y: x + y, lambda ans, x, y: lambda g: g, lambda ans, x, y: lambda g: g)
    report = check(add, examples=[((2, 3), (3,))])
    assert report.verdict is Verdict.REFUTED
    assert "broadcasting was not undone" in str(report)


def test_compiled_code_is_told_and_the_floats_are_judged():
    cube = rule(
        lambda x: np.frombuffer(np.array(x**3).data).reshape(np.shape(x)),
        lambda ans, x: lambda g: 3 * x**2 * g,
    )
    report = check(cube, examples=[((2,),)])
    assert report.verdict is Verdict.VERIFIED
    assert any(f.status == "skip" and f.evidence == "proof" for f in report.findings)
