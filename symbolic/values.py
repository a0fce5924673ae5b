"""Symbols that carry a value: what one entry of a traced array is.

A :class:`Symbol` is a node of the graph and the float that it stands for. Arithmetic builds the
formula and computes the value; a comparison is decided by the values and *recorded* in the trace,
so that code with branches runs as it would on floats, and the trace knows on which conditions the
formula depends.

May import: :mod:`symbolic.graph`, :mod:`symbolic.primitives`.
"""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from symbolic.graph import Graph, Node
from symbolic.primitives import PRIMITIVES

__all__ = ["Condition", "Symbol", "Trace", "TraceError"]


class TraceError(Exception):
    """The code does something that a traced value cannot follow; ``where`` is its file and line."""

    def __init__(self, message: str, where: tuple[str, int] | None = None):
        super().__init__(message)
        self.where = where


@dataclass(frozen=True)
class Condition:
    """One decision that the code took: ``gap relation 0`` was found to be ``outcome``.

    ``relation`` is one of ``"<"``, ``"<="`` and ``"=="``; ``gap`` is left side minus right side.
    """

    gap: Node
    relation: str
    outcome: bool
    where: tuple[str, int] | None = field(default=None, compare=False)

    @property
    def is_equality(self) -> bool:
        """Whether it holds on a set of measure zero only (``gap == 0``)."""
        return self.relation == "==" and self.outcome

    @property
    def sign(self) -> str:
        """What is known of the gap: one of ``< <= == != > >=`` (against zero)."""
        if self.outcome:
            return self.relation
        return {"<": ">=", "<=": ">", "==": "!="}[self.relation]

    def holds(self, gap: float) -> bool:
        """Whether the condition holds for that value of the gap."""
        decided = {"<": gap < 0, "<=": gap <= 0, "==": gap == 0}[self.relation]
        return bool(decided) == self.outcome


class Trace:
    """One run of code on symbols: its graph and the conditions that it met, in order.

    Values are computed in float64 as the code would compute them; whoever runs code on symbols does
    so under ``np.errstate(all="ignore")``, once for the run.
    """

    def __init__(self, graph: Graph | None = None):
        self.graph = graph or Graph()
        self.conditions: list[Condition] = []
        # Whether a decision hung on a value that is NaN or infinite: no condition says for which
        # other inputs it is taken again.
        self.loose = False
        self._known: dict[tuple[Node, str], bool] = {}
        self.notes: list[str] = []

    def symbol(self, name: str, value: float) -> Symbol:
        """A fresh entry: the variable ``name`` with its sample value."""
        return Symbol(self.graph.variable(name), np.float64(value), self)

    def lift(self, other: Any) -> Symbol:
        """A number, or a symbol as it is."""
        kind = type(other)
        if kind is Symbol:
            return other
        if kind is float or kind is int:
            return Symbol(self.graph.number(other), np.float64(other), self)
        if isinstance(other, (bool, np.bool_)):
            other = int(other)
        if isinstance(other, (int, np.integer)):
            return Symbol(self.graph.constant(int(other)), np.float64(other), self)
        if isinstance(other, (float, np.floating)):
            return Symbol(self.graph.number(float(other)), np.float64(other), self)
        if isinstance(other, Fraction):
            return Symbol(self.graph.constant(other), np.float64(float(other)), self)
        raise TypeError(f"cannot trace a value of type {type(other).__name__}: {other!r}")

    def apply(self, op: str, *args: Any, value: Any = None) -> Symbol:
        """The operation ``op`` on entries; ``value`` where the code computed it in another way."""
        lifted = [self.lift(a) for a in args]
        node = self.graph.apply(op, *(a.node for a in lifted))
        if value is None:
            value = float_function(op)(*(a.value for a in lifted))
        return Symbol(node, np.float64(value), self)

    def decide(self, relation: str, a: Any, b: Any) -> bool:
        """The truth of ``a relation b`` (one of < <= ==) at the sample values, recorded."""
        left, right = self.lift(a), self.lift(b)
        x, y = left.value, right.value
        if relation == "<":
            outcome = bool(x < y)
        elif relation == "<=":
            outcome = bool(x <= y)
        else:
            outcome = bool(x == y)
        if x == x and y == y and abs(x) != np.inf and abs(y) != np.inf:
            p, q = left.node, right.node
            # One orientation for a < b and b > a, so that they are one condition: the earlier node
            # first, a number last.
            if p.op == "const" or (q.op != "const" and q.index < p.index):
                gap = self.graph.sub(q, p)
                if relation == "==":
                    self.record(gap, "==", outcome)
                else:
                    self.record(gap, "<=" if relation == "<" else "<", not outcome)
            else:
                self.record(self.graph.sub(p, q), relation, outcome)
        elif not (_named_infinity(a, y) or _named_infinity(b, x)):
            self.loose = True
        return outcome

    def record(self, gap: Node, relation: str, outcome: bool) -> None:
        """Add a condition, unless it is a fact about constants or known already."""
        if gap.op in ("const", "float") or (gap, relation) in self._known:
            return
        self._known[gap, relation] = outcome
        self.conditions.append(Condition(gap, relation, outcome, user_line()))


_FLOAT: dict[str, Any] = {name: row.float for name, row in PRIMITIVES.items()}
_FLOAT.update(sub=np.subtract, neg=np.negative, sqrt=np.sqrt)


def float_function(op: str) -> Any:
    """The function on floats that computes an operation."""
    return _FLOAT[op]


def user_line() -> tuple[str, int] | None:
    """File and line of the innermost frame outside this package and NumPy."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(("symbolic.", "verify.", "numpy", "scipy")):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


class Symbol:
    """An entry of a traced array: a formula and the number that it stands for."""

    __slots__ = ("node", "trace", "value")
    __array_priority__ = 1000.0

    def __init__(self, node: Node, value: Any, trace: Trace):
        self.node = node
        self.value = value
        self.trace = trace

    def __repr__(self) -> str:
        return f"{self.node!r}={self.value:g}"

    # Arithmetic. NotImplemented for what is no number lets arrays take over.

    def __add__(self, other: Any) -> Symbol:
        if type(other) is Symbol:
            trace = self.trace
            return Symbol(trace.graph.add(self.node, other.node), self.value + other.value, trace)
        return _binary("add", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return _binary("add", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return _binary("sub", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return _binary("sub", other, self)

    def __mul__(self, other: Any) -> Symbol:
        if type(other) is Symbol:
            trace = self.trace
            return Symbol(trace.graph.mul(self.node, other.node), self.value * other.value, trace)
        return _binary("mul", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return _binary("mul", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return _binary("div", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return _binary("div", other, self)

    def __pow__(self, other: Any) -> Symbol:
        return _binary("pow", self, other)

    def __rpow__(self, other: Any) -> Symbol:
        return _binary("pow", other, self)

    def __floordiv__(self, other: Any) -> Symbol:
        return (self / other).floor()

    def __rfloordiv__(self, other: Any) -> Symbol:
        return (other / self).floor()

    def __mod__(self, other: Any) -> Symbol:
        return self - other * (self / other).floor()

    def __rmod__(self, other: Any) -> Symbol:
        return other - self * (other / self).floor()

    def __divmod__(self, other: Any) -> tuple[Symbol, Symbol]:
        return self // other, self % other

    def __neg__(self) -> Symbol:
        return self.trace.apply("neg", self)

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return self if not (self < 0) else -self

    # Decisions

    def __lt__(self, other: Any) -> Any:
        return self.trace.decide("<", self, other) if _number(other) else NotImplemented

    def __le__(self, other: Any) -> Any:
        return self.trace.decide("<=", self, other) if _number(other) else NotImplemented

    def __gt__(self, other: Any) -> Any:
        return self.trace.decide("<", other, self) if _number(other) else NotImplemented

    def __ge__(self, other: Any) -> Any:
        return self.trace.decide("<=", other, self) if _number(other) else NotImplemented

    def __eq__(self, other: Any) -> Any:
        return self.trace.decide("==", self, other) if _number(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return not self.trace.decide("==", self, other) if _number(other) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return not self.trace.decide("==", self, 0)

    # Rounding: a locally constant formula, and the conditions of the cell on which it is constant

    def _round(self, op: str) -> Symbol:
        return self.trace.apply(op, self)

    def floor(self) -> Symbol:
        return self._round("floor")

    def ceil(self) -> Symbol:
        return self._round("ceil")

    def rint(self) -> Symbol:
        return self._round("rint")

    def trunc(self) -> Symbol:
        return self._round("trunc")

    __floor__, __ceil__, __trunc__ = floor, ceil, trunc

    def __round__(self, digits: int | None = None) -> Symbol:
        if digits:
            return (self * 10**digits).rint() / 10**digits
        return self.rint()

    def integer(self) -> int:
        """The integer that the entry is truncated to, with the bounds recorded: an index, say."""
        value = int(self.value)
        inner = self if self.node.op in ("floor", "ceil", "rint", "trunc") else self.trunc()
        self.trace.decide("==", inner, value)
        return value

    __int__ = integer
    __index__ = integer

    # What leaves the world of symbols

    def __float__(self) -> float:
        if self.node.op in ("const", "float"):
            return float(self.value)
        raise TraceError("float() of a traced value", user_line())

    def __complex__(self) -> complex:
        return complex(float(self))

    # Attributes that a NumPy scalar has

    dtype = np.dtype(np.float64)
    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    @property
    def real(self) -> Symbol:
        return self

    @property
    def imag(self) -> float:
        return 0.0

    def conjugate(self) -> Symbol:
        return self

    conj = conjugate

    # NumPy's functions on an entry that left its array (`x.item()`): an entry again

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from symbolic.ufuncs import dispatch_bare

        return dispatch_bare(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from symbolic.array_functions import dispatch

        return dispatch(function, args, kwargs)


_OPERATORS: dict[str, Any] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}


def _named_infinity(number: Any, other: Any) -> bool:
    """Whether it is an infinity that code names (a masked score), beside a finite value.

    What a comparison or a sum with it gives does not depend on the other then.
    """
    return type(number) is not Symbol and abs(number) == np.inf and abs(other) < np.inf


def _complex_binary(op: str, a: Any, b: Any) -> Any:
    from symbolic.complex import ComplexSymbol

    a = ComplexSymbol(a, 0.0) if type(a) is Symbol else a
    b = ComplexSymbol(b, 0.0) if type(b) is Symbol else b
    return _OPERATORS[op](a, b)


def _number(other: Any) -> bool:
    return type(other) is Symbol or isinstance(other, (Real, np.bool_))


def _binary(op: str, a: Any, b: Any) -> Any:
    if type(a) is Symbol:
        trace = a.trace
        if not _number(b):
            return _complex_binary(op, a, b) if isinstance(b, complex) else NotImplemented
    else:
        trace = b.trace
        if not _number(a):
            return _complex_binary(op, a, b) if isinstance(a, complex) else NotImplemented
    if op in ("add", "sub"):
        if _named_infinity(a, b.value if type(b) is Symbol else b):
            return a
        if _named_infinity(b, a.value if type(a) is Symbol else a):
            return b if op == "add" else -b
    left, right = trace.lift(a), trace.lift(b)
    graph, x, y = trace.graph, left.node, right.node
    if op == "add":
        return Symbol(graph.add(x, y), left.value + right.value, trace)
    if op == "mul":
        return Symbol(graph.mul(x, y), left.value * right.value, trace)
    if op == "sub":
        return Symbol(graph.sub(x, y), left.value - right.value, trace)
    if op == "div":
        return Symbol(graph.div(x, y), left.value / right.value, trace)
    return Symbol(graph.pow(x, y), left.value**right.value, trace)
