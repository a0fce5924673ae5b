"""Random expressions: rearranged they are proved equal, disturbed they never are."""

from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbolic.decide import equal
from symbolic.graph import Graph

LEAVES = st.sampled_from(["x", "y", "z", 1, 2, -3, Fraction(1, 2), 0.1])
UNARY = ["exp", "sin", "cos", "tanh", "square", "neg", "softplus", "norm", "erf", "arctan"]


def _extend(children):
    return st.one_of(
        st.tuples(st.sampled_from(UNARY), children),
        st.tuples(st.sampled_from(["add", "mul", "sub", "quotient"]), children, children),
    )


EXPRESSIONS = st.recursive(LEAVES, _extend, max_leaves=7)


def build(g, e, twist):
    """The expression as a node; with ``twist`` in another form of the same value."""
    if isinstance(e, str):
        return g.variable(e)
    if not isinstance(e, tuple):
        return g.number(e)
    op, *args = e
    a, *rest = (build(g, x, twist) for x in args)
    one, two = g.one, g.constant(2)
    if rest:
        [b] = rest
        if op == "add":
            return g.sub(b, g.neg(a)) if twist else g.add(a, b)
        if op == "sub":
            return g.neg(g.sub(b, a)) if twist else g.sub(a, b)
        if op == "mul":
            if not twist:
                return g.mul(a, b)
            # ((a + b)**2 - (a - b)**2) / 4
            plus, minus = g.pow(g.add(a, b), two), g.pow(g.sub(a, b), two)
            return g.div(g.sub(plus, minus), g.constant(4))
        below = g.add(g.mul(b, b), one)
        return g.mul(a, g.div(one, below)) if twist else g.div(a, below)
    if op == "neg":
        return g.sub(g.zero, a) if twist else g.neg(a)
    if op == "square":
        return g.mul(a, a) if twist else g.pow(a, two)
    if op == "norm":
        square = g.add(g.mul(a, a), one)
        return g.div(square, g.sqrt(square)) if twist else g.sqrt(square)
    if op == "softplus":
        if twist:
            return g.add(a, g.apply("log", g.add(one, g.apply("exp", g.neg(a)))))
        return g.apply("log", g.add(one, g.apply("exp", a)))
    if not twist:
        return g.apply(op, a)
    if op == "exp":
        return g.pow(g.apply("exp", g.div(a, two)), two)
    if op == "sin":
        half = g.div(a, two)
        return g.mul(two, g.mul(g.apply("sin", half), g.apply("cos", half)))
    if op == "cos":
        return g.sub(one, g.mul(two, g.pow(g.apply("sin", g.div(a, two)), two)))
    if op == "tanh":
        e = g.apply("exp", g.mul(two, a))
        return g.sub(one, g.div(two, g.add(e, one)))
    return g.neg(g.apply(op, g.neg(a)))  # odd functions


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_rearranged_expressions_are_proved(e):
    g = Graph()
    decision = equal(g, build(g, e, False), build(g, e, True), seconds=10)
    assert decision.status != "refuted"
    if decision.status == "unknown":  # a budget may end, an equality must not go unrecognised
        assert decision.method in ("too large", "out of time", "a division by zero"), decision


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS, st.sampled_from([1e-3, -1e-6, 1e-9, 1e-11]), st.sampled_from("axm"))
def test_disturbed_expressions_are_never_proved(e, size, how):
    g = Graph()
    a, b = build(g, e, False), build(g, e, True)
    error = g.number(size)
    if how == "x":
        error = g.mul(error, g.variable("x"))
    if how == "m":
        error = g.mul(error, g.apply("exp", g.variable("y")))
    assert equal(g, a, g.add(b, error), seconds=10).status != "proved"
