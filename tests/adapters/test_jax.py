"""JAX's custom rules and callables: right ones are proved, wrong ones refuted, the rest is told."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from verify import check  # noqa: E402
from verify.verdict import Verdict  # noqa: E402

jnp, lax = jax.numpy, jax.lax


def vjp_rule(function, backward):
    """A ``custom_vjp`` function of one argument."""
    made = jax.custom_vjp(function)
    made.defvjp(lambda x: (function(x), x), lambda x, g: (backward(x, g),))
    return made


def jvp_rule(function, tangent):
    """A ``custom_jvp`` function of one argument."""
    made = jax.custom_jvp(function)
    made.defjvp(lambda p, t: (made(*p), tangent(*p, *t)))
    return made


def clipped():
    """With an argument that is not differentiated, and several outputs."""

    def clip(x, low):
        return jnp.where(x > low, x, low), jnp.sum(x)

    made = jax.custom_vjp(clip, nondiff_argnums=(1,))
    made.defvjp(
        lambda x, low: (clip(x, low), x),
        lambda low, x, g: (jnp.where(x > low, g[0], 0.0) + g[1],),
    )
    return made


@pytest.mark.parametrize(
    ("subject", "examples"),
    [
        (vjp_rule(lambda x: x**3, lambda x, g: 3 * x**2 * g), [((3,),)]),
        (jvp_rule(lambda x: jnp.log1p(x**2), lambda x, t: 2 * x * t / (1 + x**2)), [((3,),)]),
        (clipped(), [((2,), 0.5)]),
        (lambda x, w: jnp.sum(jnp.sin(x @ w)), [((2, 3), (3, 2))]),
        (lambda x: x.at[jnp.array([0, 0, 2])].add(x)[::-1].cumsum(), [((3,),)]),
        (lambda x: lax.scan(lambda c, a: (c * a, c), 1.0, x)[1], [((3,),)]),
        (lambda x: lax.fori_loop(0, 3, lambda i, v: v * x, 1.0), [((),)]),
        (lambda x: lax.cond(x.sum() > 0, lambda x: x**2, lambda x: -x, x), [((2,),)]),
        (jnp.linalg.det, [((2, 2),)]),
    ],
    ids=["vjp", "jvp", "nondiff", "callable", "scatter", "scan", "loop", "cond", "det"],
)
def test_right_rules_are_proved(subject, examples):
    report = check(subject, examples=examples)
    assert report.verdict is Verdict.PROVED, str(report)


@pytest.mark.parametrize(
    "subject",
    [
        vjp_rule(jnp.sin, lambda x, g: -g * jnp.cos(x)),
        vjp_rule(jnp.sin, lambda x, g: (1 + 1e-7) * g * jnp.cos(x)),
        vjp_rule(jnp.tanh, lambda x, g: jnp.where(x > 1, g, g * (1 - jnp.tanh(x) ** 2))),
        vjp_rule(jnp.sin, lambda x, g: jnp.cos(x)),
        vjp_rule(lambda x: x.sum(), lambda x, g: jnp.full(x.shape, g / x.size)),
        jvp_rule(jnp.cos, lambda x, t: t * jnp.sin(x)),
        jvp_rule(jnp.exp, lambda x, t: t * jnp.exp(x) * (1 + 1e-7)),
        jvp_rule(jnp.exp, lambda x, t: t * t * jnp.exp(x)),
    ],
    ids=["sign", "factor", "branch", "upstream", "mean", "jvp_sign", "jvp_factor", "not_linear"],
)
def test_wrong_rules_are_refuted(subject):
    report = check(subject, examples=[((3,),)])
    assert report.verdict is Verdict.REFUTED, str(report)


def test_a_forgotten_sum_over_a_broadcast_axis_is_refuted():
    made = jax.custom_vjp(lambda x, b: x + b)
    made.defvjp(lambda x, b: (x + b, None), lambda _, g: (g, g))
    report = check(made, examples=[((2, 3), (3,))])
    assert report.verdict is Verdict.REFUTED


def test_a_forward_of_the_rule_that_computes_something_else_is_refuted():
    made = jax.custom_vjp(lambda x: x**2)
    made.defvjp(lambda x: (2 * x**2, x), lambda x, g: (2 * x * g,))
    report = check(made, examples=[((),)])
    assert report.verdict is Verdict.REFUTED
    assert "the rule's forward" in str(report)


def test_what_is_not_in_the_table_is_named_and_the_floats_are_judged():
    def function(x):
        return jnp.sum(jnp.linalg.eigh(x @ x.T)[0])

    report = check(function, examples=[((2, 2),)])
    assert report.verdict is Verdict.VERIFIED
    assert any("eigh" in f.message for f in report.findings if f.status == "skip")


def test_python_branches_run_uncompiled():
    report = check(lambda x: jnp.sin(x) if x > 0 else x * jnp.ones(()), examples=[((),)])
    assert report.verdict is Verdict.VERIFIED
    assert any("branches in Python" in f.message for f in report.findings if f.status == "skip")
    wrong = jax.custom_vjp(lambda x: x**2)
    wrong.defvjp(lambda x: (x**2, x), lambda x, g: (2 * x * g if x > 1 else x * g,))
    assert check(wrong, examples=[((),)]).verdict is Verdict.REFUTED


def test_the_nan_of_a_norm_at_zero_is_found():
    report = check(lambda x: jnp.sqrt(jnp.sum(x * x)), examples=[((2,),)])
    assert not report.ok
    assert np.isnan(report.counterexample.actual)


def test_64_bit_types_are_on_for_the_call_alone():
    check(lambda x: jnp.sin(x), examples=[((),)])
    assert jnp.ones(2).dtype == np.float32


def test_rounding_at_a_singular_matrix_is_no_other_value():
    def logdet(x):
        return jnp.linalg.slogdet(x)[1]

    report = check(logdet, examples=[((4, 4),)], quick=True)
    assert report.ok, str(report)


def test_callbacks_run_in_64_bits():
    def sine(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    made = jax.custom_vjp(sine)

    def backward(x, g):
        kind = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return (jax.pure_callback(lambda x, g: np.cos(x) * g, kind, x, g),)

    made.defvjp(lambda x: (sine(x), x), backward)
    assert check(made, examples=[((2,),)]).verdict is Verdict.VERIFIED
