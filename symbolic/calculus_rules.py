"""Which rules of calculus a derivative takes, by their names.

May import: :mod:`symbolic.index_notation`.
"""

from __future__ import annotations

import sympy as sp

from symbolic.index_notation import Entry, IndexSum

__all__ = ["name"]

_KNOWN = ("mean", "sum", "matrix product", "sum of products", "trace", "softmax", "variance")


def name(expression: sp.Expr | None, array: sp.Symbol, kind: str) -> str:
    """The rules that differentiate ``expression`` by an array, or the operation that it is.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> name(3 * Entry(x) ** 2, x, "elementwise")
    'constant factor, power rule'
    >>> name(sp.exp(2 * Entry(x)) * Entry(x), x, "elementwise")
    'product rule, derivative of exp, chain rule, constant factor'
    >>> name(Entry(x) + 2, x, "elementwise")
    'sum rule'
    """
    if expression is None:
        return kind
    rules: dict[str, None] = {}
    _collect(expression, array, rules)
    calculus = ", ".join(rules)
    if not rules and kind in ("", "elementwise"):
        return "sum rule" if isinstance(expression, sp.Add) else "identity"
    if kind in _KNOWN or not calculus:
        return kind if not rules or kind in ("softmax", "matrix product") else _joined(kind, rules)
    return calculus


def _joined(kind: str, rules: dict[str, None]) -> str:
    rest = [r for r in rules if r not in ("sum rule", "constant factor")]
    return ", ".join([kind, *rest])


def _collect(e: sp.Expr, array: sp.Symbol, rules: dict[str, None]) -> None:
    if not e.has(array) or isinstance(e, Entry):
        return
    if isinstance(e, IndexSum):
        rules["sum rule"] = None
        _collect(e.summand, array, rules)
    elif isinstance(e, sp.Add):
        if len([t for t in e.args if t.has(array)]) > 1:
            rules["sum rule"] = None
        for term in e.args:
            _collect(term, array, rules)
    elif isinstance(e, sp.Mul):
        active = [f for f in e.args if f.has(array)]
        below = [f for f in active if f.as_base_exp()[1].is_negative]
        if below and len(active) > len(below):
            rules["quotient rule"] = None
            active = [1 / f if f in below else f for f in active]
        elif len(active) > 1:
            rules["product rule"] = None
        if len(e.args) > len([f for f in e.args if f.has(array)]):
            rules["constant factor"] = None
        for factor in active:
            _collect(factor, array, rules)
    elif isinstance(e, sp.Pow) and not e.exp.has(array):
        if e.exp != 1:
            rules["power rule"] = None
        _inner(e.base, array, rules)
    elif isinstance(e, sp.Piecewise):
        rules["case by case"] = None
        for value, _ in e.args:
            _collect(value, array, rules)
    else:
        word = "exp" if isinstance(e, sp.exp) else "a power" if e.is_Pow else type(e).__name__
        word = {"Abs": "the absolute value", "Max": "max", "Min": "min"}.get(word, word)
        rules[f"derivative of {word}"] = None
        for argument in e.args:
            if argument.has(array):
                _inner(argument, array, rules)


def _inner(e: sp.Expr, array: sp.Symbol, rules: dict[str, None]) -> None:
    if e.has(array) and not isinstance(e, Entry):
        rules["chain rule"] = None
        _collect(e, array, rules)
