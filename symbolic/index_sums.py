"""Sums of forms over indices, and other things that bind indices.

A sum is of one product that does not fall apart into products without a common index; its indices
are named by how deep sums are nested in it and by an order that depends on no name.

May import: :mod:`symbolic.index_form`, :mod:`symbolic.index_functions`, :mod:`symbolic.values`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symbolic.index_form import (
    ONE,
    RENAMING,
    Form,
    Generator,
    Index,
    Monomial,
    Powers,
    accumulate,
    alone,
    fresh,
    generator,
    monomial_text,
    nonnegative,
    product,
    renamed,
    size,
    without,
)
from symbolic.index_functions import power
from symbolic.values import TraceError

__all__ = ["greatest", "summed"]

_MOST_BOUND = 6


def _bound(level: int, symbols: Iterable[str]) -> list[Index]:
    """The names of the indices of a sum in which others are nested up to that level."""
    return [(f"#{level}.{k}{symbol}", symbol) for k, symbol in enumerate(symbols)]


def summed(form: Form, indices: Sequence[Index]) -> Form:
    """The sum over indices.

    Examples
    --------
    >>> from symbolic.index_form import delta, entry
    >>> i, j, k = (("i", "n"), ("j", "m"), ("k", "n"))
    >>> x = entry("x", (i,))
    >>> summed(x * entry("y", (j,)), [i, j])
    sum(#1.0m; y[#1.0m])*sum(#1.0n; x[#1.0n])
    >>> summed(delta(i, k) * x, [i])
    x[k]
    """
    total: dict[Monomial, Fraction] = {}
    for monomial, c in form.terms.items():
        accumulate(total, _summed_monomial(dict(monomial), list(indices)), c)
    return Form(total)


def _summed_monomial(powers: Powers, bound: list[Index]) -> Form:
    """The sum of a product: deltas collapse, inner sums merge, what has no common index parts."""
    for g in powers:
        if g.kind == "delta" and (g.args[0] in bound or g.args[1] in bound):
            gone, other = g.args if g.args[0] in bound else g.args[::-1]
            others = product(1, without(powers, g))
            return summed(renamed(others, {gone: other}), [i for i in bound if i != gone])
    for g, e in powers.items():
        if g.kind == "sum" and e > 0 and e == int(e) and not g.free.isdisjoint(bound):
            summand, opened = _opened(g)
            once = product(1, without(powers, g, e - 1)) * summand
            return summed(once, [*bound, *opened])
    result = ONE
    outside = {g: e for g, e in powers.items() if g.free.isdisjoint(bound)}
    if outside:
        result = product(1, outside)
    left = [g for g in powers if g not in outside]
    for i in bound:
        if not any(i in g.free for g in left):
            result = result * size(i[1])
    while left:
        part = [left.pop()]
        indices = part[0].free.intersection(bound)
        while more := [g for g in left if not g.free.isdisjoint(indices)]:
            part += more
            left = [g for g in left if g not in more]
            indices = indices.union(*(g.free for g in more)).intersection(bound)
        result = result * _connected({g: powers[g] for g in part}, sorted(indices))
    return result


def _opened(g: Generator) -> tuple[Form, list[Index]]:
    """The summand of a sum at fresh indices."""
    bound, summand = g.args
    new = [fresh(symbol) for _, symbol in bound]
    return renamed(summand, dict(zip(bound, new, strict=True))), new


def _connected(powers: Powers, bound: list[Index]) -> Form:
    """The sum of a product that does not fall apart, with its indices in a canonical order."""
    if len(bound) > _MOST_BOUND:
        raise TraceError(f"a sum over {len(bound)} indices at once")
    level = 1 + max(g.height for g in powers)
    summand = product(1, powers)
    best: tuple[str, Fraction, Form, list[Index]] | None = None
    for order in _orders(powers, bound):
        names = _bound(level, (symbol for _, symbol in order))
        candidate = renamed(summand, dict(zip(order, names, strict=True)))
        if len(candidate.terms) != 1:
            raise TraceError("a sum whose normal form depends on the names of its indices")
        [(monomial, c)] = candidate.terms.items()
        text = monomial_text(monomial)
        if best is None or text < best[0]:
            best = (text, c, Form({monomial: Fraction(1)}), names)
    assert best is not None
    text, c, found, names = best
    header = ",".join(name for name, _ in names)
    [(monomial, _)] = found.terms.items()
    g = generator(
        "sum",
        (tuple(names), found),
        f"sum({header}; {text})",
        [found],
        bound=names,
        nonnegative=all(nonnegative(k, e) for k, e in monomial),
    )
    return Form({((g, 1),): c})


def _orders(powers: Powers, bound: list[Index]) -> Iterable[list[Index]]:
    """The orders of the indices that are worth trying: those that look different are sorted."""
    if len(bound) == 1:
        return [bound]
    plain = {i: (f"*{i[1]}", i[1]) for i in bound}

    def look(i: Index) -> tuple[str, ...]:
        marked = {**plain, i: (f"!{i[1]}", i[1])}
        seen = [renamed(alone(g, e), marked).key for g, e in powers.items() if i in g.free]
        return (i[1], *sorted(seen))

    looks = {i: look(i) for i in bound}
    groups = [
        list(g)
        for _, g in itertools.groupby(sorted(bound, key=looks.__getitem__), looks.__getitem__)
    ]
    return (
        [i for group in choice for i in group]
        for choice in itertools.product(*(itertools.permutations(g) for g in groups))
    )


def greatest(form: Form, indices: Sequence[Index], by: Form | None = None) -> Form:
    """The value where ``by``, the form itself by default, is greatest: nothing is known of it."""
    by = form if by is None else by
    names = _bound(1 + max(form.height, by.height), (symbol for _, symbol in indices))
    new = dict(zip(indices, names, strict=True))
    inside, by = renamed(form, new), renamed(by, new)
    header = ",".join(name for name, _ in names)
    key = f"greatest({header}; {inside.key}; {by.key})"
    return alone(generator("greatest", (tuple(names), inside, by), key, [inside, by], bound=names))


def _renamed_sum(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    bound, inside = g.args
    return power(summed(renamed(inside, names), bound), e)


def _renamed_greatest(g: Generator, e: Any, names: Mapping[Index, Index]) -> Form:
    bound, inside, by = g.args
    return power(greatest(renamed(inside, names), bound, renamed(by, names)), e)


RENAMING |= {"sum": _renamed_sum, "greatest": _renamed_greatest}
