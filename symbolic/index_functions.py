"""Functions of forms: numbers, powers, exponentials, logarithms, and what nothing is known of.

A base is what a form leaves under a power that is no natural number, once common factors have left.

May import: :mod:`symbolic.index_form`, :mod:`symbolic.constants`, :mod:`symbolic.values`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any

from symbolic.constants import recognise
from symbolic.index_form import (
    ONE,
    PRODUCT_RULES,
    RENAMING,
    Form,
    Generator,
    Index,
    Monomial,
    Powers,
    accumulate,
    alone,
    by_key,
    generator,
    monomial_text,
    nonnegative,
    product,
    rational,
    renamed,
    without,
)
from symbolic.values import TraceError

__all__ = ["absolute", "apply", "exponential", "known_sign", "logarithm", "number", "power", "sign"]


# Numbers


def number(value: Any) -> Form:
    """A number: floats stand for the closed form that rounds to them.

    Examples
    --------
    >>> number(0.1), number(2**0.5)
    (1/10, 2^(1/2))
    """
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise TraceError(f"the number {value}")
        if value == 0:
            return rational(Fraction(0))
        closed = recognise(float(value))
        if closed is None:
            return rational(Fraction(value))
        factor = rational(closed.factor)
        return factor if closed.base is None else factor * _closed(closed.base)
    return rational(Fraction(value))


def _closed(base: Any) -> Form:
    """The value of a nested operation of :mod:`symbolic.constants`."""
    if not isinstance(base, tuple):
        return rational(Fraction(base))
    op, *rest = base
    args = [_closed(a) for a in rest]
    if op in ("pi", "euler"):
        return alone(generator("constant", (op,), op, nonnegative=True))
    if op == "mul":
        return args[0] * args[1]
    if op == "div":
        return args[0] * power(args[1], -1)
    if op == "pow":
        return power(args[0], Fraction(rest[1]))
    if op == "sqrt":
        return power(args[0], Fraction(1, 2))
    return {"exp": exponential, "log": logarithm}[op](args[0])


# Powers


def _of_base(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    (form,) = g.args
    if e >= 1:
        whole = floor(e)
        return _natural_power(form, whole) * product(c, without(powers, g, e - whole))
    if e > 0:
        return None
    lead = _lead(form)
    if not lead or any(d < 0 or powers.get(k, 0) < d for k, d in lead):
        return None
    # lead/form^-e is (form - rest)/form^-e: the numerator ends up below the denominator.
    quotient = dict(powers)
    for k, d in lead:
        quotient[k] = quotient[k] - d
    scale = form.terms[lead]
    rest = Form({m: v for m, v in form.terms.items() if m != lead})
    first = product(c / scale, without(quotient, g, e + 1))
    return first - rest * product(c / scale, quotient)


def _of_number(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    whole = floor(e)
    if not whole:
        return None
    return product(c * Fraction(g.args[0]) ** whole, without(powers, g, e - whole))


def _of_abs(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    (inner,) = g.args
    if e in (0, 1) or e != int(e):
        return None
    even = e - e % 2
    return product(c, without({**powers, inner: powers.get(inner, 0) + even}, g, e % 2))


def _of_sin(c: Any, powers: Powers, g: Generator, e: Any) -> Form | None:
    if e < 2:
        return None
    cosine = apply("cos", *g.args)
    return (ONE - cosine * cosine) * product(c, without(powers, g, e - 2))


PRODUCT_RULES |= {"base": _of_base, "number": _of_number, "abs": _of_abs, "sin": _of_sin}


@lru_cache(maxsize=4096)
def _lead(form: Form) -> Monomial:
    """The greatest monomial, by degree and then by text."""
    return max(form.terms, key=lambda m: (sum(e for _, e in m), monomial_text(m)))


def _natural_power(form: Form, exponent: int) -> Form:
    if exponent > 12:
        raise TraceError(f"a sum to the power {exponent}")
    result = ONE
    for _ in range(exponent):
        result = result * form
    return result


def _factored(form: Form, of: Callable[[Generator], bool]) -> tuple[Powers, Fraction, Form]:
    """The powers of such generators that all terms have in common, a number, and what is left.

    The number is the coefficient of what is left's leading term.
    """
    content: Powers = {}
    while True:
        common = {
            g: e
            for g in form.generators
            if of(g) and (e := min(dict(m).get(g, 0) for m in form.terms))
        }
        if not common:
            lead = form.terms[_lead(form)]
            return content, lead, form * rational(1 / lead)
        for g, e in common.items():
            content[g] = content.get(g, 0) + e
        divisor = {g: -e for g, e in common.items()}
        total: dict[Monomial, Fraction] = {}
        for m, c in form.terms.items():
            powers = dict(m)
            for g, e in divisor.items():
                powers[g] = powers.get(g, 0) + e
            # Denominators that leave may leave a sum behind, which may have factors of its own.
            accumulate(total, product(c, powers), 1)
        form = Form(total)


def power(form: Form, exponent: Any) -> Form:
    """A form to a rational power, which for a root means that the form is not negative.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> x, y = entry("x", ()), entry("y", ())
    >>> power(x * x * y * number(4) - x, -1)
    1/4*(-1/4 + x[]*y[])^(-1)*x[]^(-1)
    """
    if exponent == int(exponent):
        exponent = int(exponent)
        if exponent >= 0:
            return _natural_power(form, exponent)
    if not form:
        raise TraceError("a power of zero")
    whole = isinstance(exponent, int)
    if len(form.terms) == 1:
        [(monomial, coefficient)] = form.terms.items()
        if whole:
            return product(coefficient**exponent, {g: e * exponent for g, e in monomial})
        signed = [(g, e) for g, e in monomial if not nonnegative(g, e)]
        if coefficient > 0 and len(signed) <= 1:
            return _root(coefficient, monomial, exponent)
    content, lead, primitive = _factored(
        form, lambda g: g.kind != "delta" if whole else g.nonnegative
    )
    if not whole and lead < 0:
        lead, primitive = -lead, -primitive
    outside = power(Form({tuple(sorted(content.items(), key=by_key)): lead}), exponent)
    if primitive == ONE:
        return outside
    return outside * alone(_base(primitive), exponent)


def _base(form: Form) -> Generator:
    if not _regular(form):
        raise TraceError("a denominator or root that vanishes on one side of a bound")
    known = all(c > 0 and all(nonnegative(g, e) for g, e in m) for m, c in form.terms.items())
    return generator("base", (form,), f"({form.key})", [form], nonnegative=known)


def _root(coefficient: Fraction, monomial: Monomial, exponent: Any) -> Form:
    """A fractional power of a product of which at most one factor may be negative."""
    result = _number_power(coefficient, exponent)
    for g, e in monomial:
        raised = e * exponent
        if g.nonnegative or e % 2 or raised % 2 == 0:
            result = result * alone(g, raised)
        else:
            result = result * alone(_absolute(g), raised)
    return result


def _absolute(g: Generator) -> Generator:
    return generator("abs", (g,), f"|{g.key}|", [g], nonnegative=True)


def absolute(form: Form) -> Form:
    """The absolute value: a product with one factor for each factor.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> x = entry("x", ())
    >>> absolute(number(-2) * x) * absolute(x)
    2*x[]^2
    """
    if not form:
        return form
    content, lead, primitive = _factored(form, lambda g: g.kind != "delta")
    if any(g.kind == "delta" for g in primitive.generators):
        raise TraceError("the absolute value of what depends on whether indices are equal")
    result = rational(abs(lead))
    if primitive != ONE:
        content = {**content, _base(primitive): 1}
    for g, e in content.items():
        result = result * alone(g if nonnegative(g, e) else _absolute(g), e)
    return result


def sign(form: Form) -> Form:
    """The sign, where the form is not zero: the absolute value over the form."""
    return absolute(form) * power(form, -1)


def known_sign(form: Form) -> int:
    """1 or -1 where the form is known to have no value of the other sign, else 0."""
    for factor in (1, -1):
        if all(
            factor * c > 0 and all(nonnegative(g, e) for g, e in m) for m, c in form.terms.items()
        ):
            return factor
    return 0


def _regular(form: Form) -> bool:
    """Whether it is zero on no side of the bounds in it, and neither on nor off a diagonal.

    What is zero there divides zero: nothing may be concluded from a product with it. (``x + |x|``
    is zero for all negative x.)
    """
    if known_sign(form):
        return True
    special = [g for g in form.generators if g.kind in ("abs", "delta")]
    hidden = any(g.bent for g in form.generators if g.kind != "abs")
    if hidden or any(g.args[0].bent for g in special if g.kind == "abs") or len(special) > 4:
        return False
    for sides in itertools.product((1, -1), repeat=len(special)):
        side = form
        for g, s in zip(special, sides, strict=True):
            if g.kind == "delta" and s > 0:
                side = renamed(side, {g.args[1]: g.args[0]})
        found = Form()
        for m, c in side.terms.items():
            term = rational(c)
            for g, e in m:
                s = sides[special.index(g)] if g in special else 0
                if g.kind == "abs" and s:
                    term = term * rational(Fraction(s) ** int(e)) * alone(g.args[0], e)
                elif g.kind == "delta":
                    term = Form()
                else:
                    term = term * alone(g, e)
            found = found + term
        if not found:
            return False
    return True


@lru_cache(maxsize=1024)
def _primes(value: Fraction) -> tuple[tuple[int, int], ...]:
    """A positive rational as powers of primes; of itself where it is large."""
    if max(value.numerator, value.denominator) > 10**12:
        return ((value.numerator, 1), (value.denominator, -1))
    from sympy import factorint

    return tuple(
        (int(p), int(e))
        for part, sign in ((value.numerator, 1), (value.denominator, -1))
        for p, e in ((p, sign * e) for p, e in factorint(part).items())
    )


def _number_power(value: Fraction, exponent: Any) -> Form:
    result = ONE
    for prime, e in _primes(value):
        if prime != 1:
            g = generator("number", (prime,), str(prime), nonnegative=True)
            result = result * alone(g, Fraction(e) * exponent)
    return result


def exponential(form: Form) -> Form:
    """``exp``: a product with one factor for each term.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> x, y = entry("x", ()), entry("y", ())
    >>> exponential(x - y) * exponential(y)
    exp(x[])
    >>> exponential(logarithm(exponential(x) + number(1)) + y)
    exp(x[])*exp(y[]) + exp(y[])
    """
    powers = {}
    for monomial, c in form.terms.items():
        inner = _log_alone(monomial)
        if inner is not None:
            rest = Form({m: d for m, d in form.terms.items() if m != monomial})
            return power(inner, c) * exponential(rest)
        inside = Form({monomial: Fraction(1)})
        key = f"exp({inside.key})"
        g = generator("exp", (inside,), key, [inside], nonnegative=True)
        powers[g] = c if c.denominator > 1 else int(c)
    return product(1, powers)


def _log_alone(monomial: Monomial) -> Form | None:
    """What a monomial is the logarithm of, if it is one and that is not negative."""
    if len(monomial) != 1 or monomial[0][1] != 1 or monomial[0][0].kind != "log":
        return None
    inner: Form = monomial[0][0].args[0]
    known = all(c > 0 and all(nonnegative(g, e) for g, e in m) for m, c in inner.terms.items())
    return inner if known else None


def logarithm(form: Form) -> Form:
    """``log`` of the absolute value: a sum with one term for each factor.

    Examples
    --------
    >>> from symbolic.index_form import entry
    >>> x, y = entry("x", ()), entry("y", ())
    >>> logarithm(power(y, -1) * exponential(x))
    -1*log(y[]) + x[]
    """
    if not form:
        raise TraceError("the logarithm of zero")
    content, lead, primitive = _factored(form, lambda g: g.kind != "delta")
    total = Form() if primitive == ONE else _log_of(primitive)
    for prime, e in _primes(abs(lead)):
        if prime != 1:
            total = total + rational(Fraction(e)) * _log_of(rational(Fraction(prime)))
    for g, e in content.items():
        scale = rational(Fraction(e))
        if g.kind == "exp":
            total = total + scale * g.args[0]
        elif g.kind == "abs":
            total = total + scale * _log_of(alone(g.args[0]))
        elif g.kind == "base":
            total = total + scale * logarithm(g.args[0])
        elif g.kind == "number":
            total = total + scale * _log_of(rational(Fraction(g.args[0])))
        else:
            total = total + scale * _log_of(alone(g))
    return total


def _log_of(form: Form) -> Form:
    return alone(generator("log", (form,), f"log({form.key})", [form]))


def apply(name: str, *forms: Form) -> Form:
    """Another function of forms, of which nothing is known here."""
    key = f"{name}({'; '.join(f.key for f in forms)})"
    return alone(generator(name, forms, key, forms))


# Renaming


def _renamed_base(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return power(renamed(g.args[0], names), e)


def _renamed_abs(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return power(absolute(renamed(alone(g.args[0]), names)), e)


def _renamed_exp(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return exponential(renamed(g.args[0], names) * rational(Fraction(e)))


def _renamed_log(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return power(logarithm(renamed(g.args[0], names)), e)


def _renamed_function(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    return power(apply(g.kind, *(renamed(form, names) for form in g.args)), e)


RENAMING |= {
    "base": _renamed_base,
    "abs": _renamed_abs,
    "exp": _renamed_exp,
    "log": _renamed_log,
    "function": _renamed_function,
}
