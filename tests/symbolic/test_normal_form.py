"""Identities that the normal form must know, and false ones that it must not."""

import numpy as np
import pytest

from symbolic.decide import equal
from symbolic.limits import OutOfTime, time_limit
from symbolic.normal_form import NormalForms, implied_facts
from symbolic.residues import PRIME, Residues
from symbolic.tower import TooBig
from symbolic.values import Condition
from tests.symbolic.terms import Formula

TRUE = {
    "exp": [
        lambda f, x, y, z: (f.exp(x) * f.exp(y), f.exp(x + y)),
        lambda f, x, y, z: (f.exp(-x), 1 / f.exp(x)),
        lambda f, x, y, z: (f.exp(x / 2) ** 2, f.exp(x)),
        lambda f, x, y, z: (f.exp(x), f.exp(x / 2) * f.exp(x / 6) ** 3),
        lambda f, x, y, z: (f.exp(x / (x + 1)), f.exp(1) * f.exp(-1 / (x + 1))),
        lambda f, x, y, z: (f.exp(y * f.log(x)), x**y),
        lambda f, x, y, z: (f.exp(x - z) / (f.exp(x - z) + f.exp(y - z)), 1 / (1 + f.exp(y - x))),
    ],
    "log": [
        lambda f, x, y, z: (f.log(x * y), f.log(x) + f.log(y)),
        lambda f, x, y, z: (f.log(x**3), 3 * f.log(x)),
        lambda f, x, y, z: (f.log(8 * x), 3 * f.log(2) + f.log(x)),
        lambda f, x, y, z: (f.log(1 + f.exp(x)), x + f.log(1 + f.exp(-x))),
        lambda f, x, y, z: (f.log(f.exp(x) + f.exp(y)), y + f.log(1 + f.exp(x - y))),
        lambda f, x, y, z: (f.log(f.sqrt(x)), f.log(x) / 2),
    ],
    "powers": [
        lambda f, x, y, z: (f.sqrt(8 * x), 2 * f.sqrt(2) * f.sqrt(x)),
        lambda f, x, y, z: (1 / f.sqrt(x), f.sqrt(x) / x),
        lambda f, x, y, z: (f.sqrt(1 - x) * f.sqrt(1 + x), f.sqrt(1 - x * x)),
        lambda f, x, y, z: (f.sqrt(1 - x * x) * f.sqrt((1 - x) / (1 + x)), 1 - x),
        lambda f, x, y, z: (x ** (1 / 3) * x ** (1 / 6), f.sqrt(x)),
        lambda f, x, y, z: ((x**0.25) ** 2, f.sqrt(x)),
        lambda f, x, y, z: (x**y * x, x ** (y + 1)),
        lambda f, x, y, z: (x ** (y + z) / x**y, x**z),
        lambda f, x, y, z: ((x**y) ** 2, x ** (2 * y)),
        lambda f, x, y, z: (2**x * 3**x, 6**x),
        lambda f, x, y, z: (4**x, 2 ** (2 * x)),
        lambda f, x, y, z: (f.sqrt(x**2) * f.sqrt(y**2), f.sqrt(x**2 * y**2)),
        lambda f, x, y, z: (f.sqrt(x**4), x**2),
        lambda f, x, y, z: (f.sqrt(x) * f.sqrt(y) * f.sqrt(x * y), x * y),
        lambda f, x, y, z: (f.sqrt((2 - f.cos(x)) ** 2), 2 - f.cos(x)),
        lambda f, x, y, z: ((1 - f.sqrt(x)) / (1 - x), 1 / (1 + f.sqrt(x))),
    ],
    "angles": [
        lambda f, x, y, z: (f.sin(2 * x), 2 * f.sin(x) * f.cos(x)),
        lambda f, x, y, z: (f.sin(x / 2) ** 2, (1 - f.cos(x)) / 2),
        lambda f, x, y, z: (f.sin(x + y), f.sin(x) * f.cos(y) + f.cos(x) * f.sin(y)),
        lambda f, x, y, z: (f.cos(x / 3), 4 * f.cos(x / 9) ** 3 - 3 * f.cos(x / 9)),
        lambda f, x, y, z: (f.tan(x) ** 2 + 1, 1 / f.cos(x) ** 2),
        lambda f, x, y, z: (f.cos(x + np.pi), -f.cos(x)),
        lambda f, x, y, z: (f.sin(np.pi / 12) + 0 * x, (f.sqrt(6) - f.sqrt(2)) / 4),
    ],
    "hyperbolic": [
        lambda f, x, y, z: (f.tanh(x), (1 - f.exp(-2 * x)) / (1 + f.exp(-2 * x))),
        lambda f, x, y, z: (f.tanh(x / 2), 2 / (1 + f.exp(-x)) - 1),
        lambda f, x, y, z: (f.sinh(2 * x), 2 * f.sinh(x) * f.cosh(x)),
    ],
    "inverse": [
        lambda f, x, y, z: (f.arcsinh(x), f.log(x + f.sqrt(x * x + 1))),
        lambda f, x, y, z: (f.sinh(f.arcsinh(x)), x),
        lambda f, x, y, z: (f.cosh(f.arccosh(x)), x),
        lambda f, x, y, z: (f.tanh(f.arctanh(x)), x),
        lambda f, x, y, z: (f.arctanh(f.tanh(x)), x),
        lambda f, x, y, z: (f.arccos(x) + f.arcsin(x), np.pi / 2),
        lambda f, x, y, z: (f.arcsin(-x), -f.arcsin(x)),
        lambda f, x, y, z: (f.exp(f.lambertw(x)) * f.lambertw(x), x),
    ],
    "special": [
        lambda f, x, y, z: (f.gamma(x + 1), x * f.gamma(x)),
        lambda f, x, y, z: (f.gamma(x + 0.5) / f.gamma(x - 0.5), x - 0.5),
        lambda f, x, y, z: (f.gamma(0.5), f.sqrt(np.pi)),
        lambda f, x, y, z: (f.gammaln(x + 2), f.gammaln(x) + f.log(x) + f.log(x + 1)),
        lambda f, x, y, z: (f.log(f.gamma(x)), f.gammaln(x)),
        lambda f, x, y, z: (f.polygamma(0, 2), 1 + f.polygamma(0, 1)),
        lambda f, x, y, z: (
            f.polygamma(1, x + 2),
            f.polygamma(1, x) - 1 / x**2 - 1 / (x + 1) ** 2,
        ),
        lambda f, x, y, z: (f.besselj(2, x), 2 / x * f.besselj(1, x) - f.besselj(0, x)),
        lambda f, x, y, z: (f.besselj(-1, x), -f.besselj(1, x)),
        lambda f, x, y, z: (f.bessely(-2, x), f.bessely(2, x)),
        lambda f, x, y, z: (f.besseli(2, x), f.besseli(0, x) - 2 / x * f.besseli(1, x)),
        lambda f, x, y, z: (f.besselk(2, x), f.besselk(0, x) + 2 / x * f.besselk(1, x)),
        lambda f, x, y, z: (f.besselj(y + 1, x), 2 * y / x * f.besselj(y, x) - f.besselj(y - 1, x)),
        lambda f, x, y, z: (
            f.gammainc(x + 1, y),
            f.gammainc(x, y) - y**x * f.exp(-y) / f.gamma(x + 1),
        ),
        lambda f, x, y, z: (f.gammaincc(x, y), 1 - f.gammainc(x, y)),
        lambda f, x, y, z: (f.expint(2, x), f.exp(-x) - x * f.expint(1, x)),
        lambda f, x, y, z: (f.erfc(-x), 2 - f.erfc(x)),
        lambda f, x, y, z: (f.erf(f.erfinv(x - y)), x - y),
        lambda f, x, y, z: (f.erf(-f.erfinv(x)), -x),
        lambda f, x, y, z: (f.erfc(f.erfinv(1 - x)), x),
        lambda f, x, y, z: (f.erfinv(f.erf(x)), x),
        lambda f, x, y, z: (f.zeta(2, x), f.polygamma(1, x)),
        lambda f, x, y, z: (f.zeta(3, x), f.zeta(3, x + 1) + 1 / x**3),
        lambda f, x, y, z: (f.polygamma(2, x), -2 * f.zeta(3, x)),
        lambda f, x, y, z: (f.polylog(1, x), -f.log(1 - x)),
        lambda f, x, y, z: (f.polylog(0, x), x / (1 - x)),
        lambda f, x, y, z: (f.ceil(-x), -f.floor(x)),
    ],
}


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(i, id=f"{name}-{k}")
        for name, group in TRUE.items()
        for k, i in enumerate(group)
    ],
)
def test_identities_are_proved_by_their_normal_form(identity):
    f = Formula()
    a, b = (f.node(side) for side in identity(f, *(f.symbols(s) for s in "xyz")))
    decision = equal(f.graph, a, b)
    assert decision.status == "proved"
    assert decision.method == "normal form"
    # The same with one side off by a millionth is not.
    off = f.graph.add(b, f.graph.number(1e-6))
    assert equal(f.graph, a, off).status == "refuted"


FALSE = [
    lambda f, x, y, z: (f.sqrt(x * x), x),
    lambda f, x, y, z: (f.sqrt(x * x), -x),
    lambda f, x, y, z: (f.sqrt(x**2 * y**2), x * y),
    lambda f, x, y, z: (f.sqrt(x**2) * f.sqrt(y**2), x * y),
    lambda f, x, y, z: (f.sqrt(3 + 2 * f.sqrt(2)), -1 - f.sqrt(2)),
    lambda f, x, y, z: (f.sqrt(x + 2 * f.sqrt(x) + 1), -1 - f.sqrt(x)),
    lambda f, x, y, z: (f.sqrt(1 - f.cos(x)) * f.sqrt(1 + f.cos(x)), f.sin(x)),
    lambda f, x, y, z: (f.sqrt(1 - f.cos(x)) * f.sqrt(1 + f.cos(x)), -f.sin(x)),
    lambda f, x, y, z: (f.sqrt(1 - f.sin(x) ** 2), f.cos(x)),
    lambda f, x, y, z: (f.sqrt((1 + f.sqrt(x)) ** 2), -1 - f.sqrt(x)),
    lambda f, x, y, z: (f.log(x**2), 2 * f.log(-x) + 1e-9),
    lambda f, x, y, z: (f.exp(f.gammaln(x)), f.gamma(x)),
    lambda f, x, y, z: (f.arctan(1 / x), np.pi / 2 - f.arctan(x)),
    lambda f, x, y, z: (f.arctan2(y, x), f.arctan(y / x)),
    lambda f, x, y, z: (f.floor(x), x),
    lambda f, x, y, z: (f.sign(x) * x, x),
]


@pytest.mark.parametrize("claim", FALSE)
def test_what_holds_on_one_branch_only_has_another_normal_form(claim):
    """Without any numbers to help: neither in full, nor by residues, whatever their seed."""
    f = Formula()
    a, b = (f.node(side) for side in claim(f, *(f.symbols(s) for s in "xyz")))
    forms = NormalForms()
    x, y = forms.of(a, b)
    assert not forms.tower.equal(x, y)
    for seed in range(12):
        try:
            same = Residues(forms, seed).equal(a, b)
        except TooBig:
            same = False
        assert not same


def facts(f, *conditions):
    return [Condition(f.node(gap), relation, outcome) for gap, relation, outcome in conditions]


@pytest.mark.parametrize(
    ("claim", "known"),
    [
        (lambda f, x, y: (f.sqrt(x * x), x), lambda x, y: (x, "<", False)),
        (lambda f, x, y: (f.sqrt(x * x), -x), lambda x, y: (x, "<=", True)),
        (lambda f, x, y: (f.sqrt((x - y) ** 2), x - y), lambda x, y: (y - x, "<=", True)),
        (lambda f, x, y: (f.sqrt(x * x), x), lambda x, y: (x - 1, "<", False)),
        (lambda f, x, y: (f.exp(f.gammaln(x)), f.gamma(x)), lambda x, y: (x, "<=", False)),
        (lambda f, x, y: (f.arctan(1 / x), np.pi / 2 - f.arctan(x)), lambda x, y: (x, "<=", False)),
        (lambda f, x, y: (f.arctan2(y, x), f.arctan(y / x)), lambda x, y: (x, "<=", False)),
        (lambda f, x, y: (f.sign(x) * x * x, -x * x), lambda x, y: (x, "<", True)),
        (lambda f, x, y: (x * x - y * y, 0 * x), lambda x, y: (x - y, "==", True)),
        (lambda f, x, y: (f.exp(x - y), 1), lambda x, y: (x - y, "==", True)),
    ],
)
def test_facts_of_the_cell_decide(claim, known):
    f = Formula()
    x, y = f.symbols("x"), f.symbols("y")
    a, b = (f.node(side) for side in claim(f, x, y))
    known = facts(f, known(x, y))
    assert equal(f.graph, a, b, known).status == "proved"
    assert equal(f.graph, a, b).status != "proved"


def test_a_floor_that_the_cell_fixes_is_a_number():
    f = Formula()
    x = f.symbols("x")
    known = facts(f, (f.floor(x) - 2, "==", True))
    a, b = f.node(f.floor(x) * x), f.node(2 * x)
    assert equal(f.graph, a, b, known).status == "proved"
    assert equal(f.graph, a, b).status == "refuted"


def test_facts_that_contradict_a_claim_do_not_prove_it():
    f = Formula()
    x = f.symbols("x")
    known = facts(f, (x, "<", True))
    assert equal(f.graph, f.node(f.sqrt(x * x)), f.node(x), known).status == "refuted"


def test_angles_are_refined_after_the_fact():
    """cos(x) first, then cos(x/2), then cos(x/6): each time the basis angle is divided again."""
    f = Formula()
    x = f.symbols("x")
    forms = NormalForms()
    whole, half, sixth = (f.node(f.cos(x / k)) for k in (1, 2, 6))
    forms.of(whole)
    forms.of(half)
    claim = f.node(4 * f.cos(x / 6) ** 3 - 3 * f.cos(x / 6))
    a, b, c, _ = forms.of(whole, half, claim, sixth)
    assert forms.tower.equal(b, c)
    assert forms.tower.equal(a, forms.of(f.node(2 * f.cos(x / 2) ** 2 - 1))[0])
    assert not forms.tower.equal(a, b)


def test_a_tower_that_runs_full_is_built_again():
    f = Formula()
    x = f.symbols("x", 12)
    forms = NormalForms(capacity=3)
    [element] = forms.of(f.node(f.exp(x).sum()))
    assert len(element.num) == 12
    assert forms.tower.capacity >= 24


def test_an_interrupted_normal_form_can_be_taken_up_again():
    f = Formula()
    x = f.symbols("x", 6)
    total = f.exp(x[0] * 0)
    for k in range(6):
        total = f.sqrt(total + f.exp(x[k]) / (1 + f.exp(x[k] / (k + 2))))
    a, b = f.node(total**2), f.node(total * total)
    forms = NormalForms(implied_facts((a, b)))
    residues = Residues(forms)
    stopped = 0
    for k in range(60):
        try:
            with time_limit(2e-4 * (k + 1)):
                assert residues.equal(a, b)
        except OutOfTime:
            stopped += 1
        except TooBig:
            pytest.fail("six roots of depth six are not too big")
    assert stopped


def test_too_many_branches_are_too_many_again():
    f = Formula()
    x = f.symbols("x", 9)
    few = f.node(f.sqrt(x[0] ** 2))
    many = f.node(sum(f.sqrt(v**2) for v in x))
    residues = Residues(NormalForms(implied_facts((few, many))))
    assert residues.equal(few, few)
    for _ in range(2):  # once more with the same generators
        with pytest.raises(TooBig):
            residues.equal(many, f.node(x[0] * 0 + 1))


def test_the_prime_is_what_the_residues_need():
    from flint import fmpz

    assert fmpz(PRIME).is_prime()
    assert PRIME % 8 == 7
    assert all(PRIME % p != 1 for p in (3, 5, 7, 11, 13))
    assert PRIME.bit_length() == 256
