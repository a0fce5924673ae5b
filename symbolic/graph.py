"""Expression graphs: what traced code computes, as one shared graph of formulas.

A :class:`Node` is an expression (an operation and its arguments); a :class:`Graph` makes nodes and
keeps each distinct expression once, so that equal subexpressions are one object and every later
pass (evaluation in floats or in balls, differentiation, normal forms, translation to SymPy) visits
them once. Nodes carry no number: the sample value that a traced entry stands for lives in
:mod:`symbolic.values`.

May import: :mod:`symbolic.primitives`, :mod:`symbolic.constants`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from symbolic import primitives
from symbolic.constants import recognise

__all__ = ["Graph", "Node", "Program", "topological"]


class Node:
    """An expression: the name of an operation and its arguments.

    Leaves are ``("var", (name,))``, ``("const", (Fraction,))``, ``("float", (float,))`` (a float
    with no closed form, taken as exact) and ``("pi", ())``, ``("euler", ())``.
    """

    __slots__ = ("args", "children", "index", "op")

    def __init__(self, op: str, args: tuple, index: int):
        self.op = op
        self.args = args
        self.index = index
        self.children: tuple[Node, ...] = () if op in primitives.LEAVES else args

    @property
    def is_constant(self) -> bool:
        """Whether it is a number by itself (a leaf constant, not any expression of constants)."""
        return self.op == "const"

    def __repr__(self) -> str:
        if self.op in ("var", "const", "float"):
            return str(self.args[0])
        return f"{self.op}({', '.join(map(repr, self.args))})" if self.args else self.op


def topological(roots: Iterable[Node], done: Container[Node] = ()) -> list[Node]:
    """All nodes below ``roots``, each after its arguments (without recursion).

    Nodes in ``done``, and what lies below these alone, are left out.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [root for root in roots if root not in done]
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
            continue
        waiting = [child for child in node.children if child not in seen and child not in done]
        if waiting:
            stack.extend(waiting)
        else:
            stack.pop()
            seen.add(node)
            order.append(node)
    return order


class Graph:
    """Makes nodes, each distinct expression once, and folds what is trivial (0 + x, 1 x, 2 + 3)."""

    def __init__(self) -> None:
        self._nodes: dict[tuple, Node] = {}
        self._counter = 0
        self._numbers: dict[Any, Node] = {}
        self.zero = self.constant(0)
        self.one = self.constant(1)
        self._minus_one = self.constant(-1)
        self._half = self.constant(Fraction(1, 2))
        self.closed_forms: dict[float, str] = {}
        self.largest_rounded = 0.0  # of the numbers in code that are no floats, as 0.1
        self._partials: dict[tuple[Node, int], Node] = {}

    def make(self, op: str, *args: Any) -> Node:
        """The node of that operation, as it stands, without folding."""
        key = (op, *args)
        node = self._nodes.get(key)
        if node is None:
            self._counter += 1
            node = self._nodes[key] = Node(op, args, self._counter)
        return node

    # Leaves

    def variable(self, name: str) -> Node:
        return self.make("var", name)

    def constant(self, value: int | Fraction) -> Node:
        return self.make("const", value if type(value) is Fraction else Fraction(value))

    def number(self, value: Any) -> Node:
        """A number met in code: exact where it is an integer, a short decimal or a closed form."""
        node = self._numbers.get(value)
        if node is None:
            node = self._numbers[value] = self._number(value)
        return node

    def _number(self, value: Any) -> Node:
        if isinstance(value, (int, Fraction)):
            return self.constant(value)
        value = float(value)
        if value != value or value in (float("inf"), float("-inf")):
            return self.make("float", value if value == value else float("nan"))
        form = recognise(value)
        if form is None:
            return self.make("float", value)
        if form.text:
            self.closed_forms[value] = form.text
        node = self.constant(form.factor)
        if form.base is not None or form.factor != Fraction(value):
            self.largest_rounded = max(self.largest_rounded, abs(value))
        if form.base is not None:
            node = self.mul(node, self._base(form.base))
        return node

    def _base(self, base: tuple) -> Node:
        if len(base) == 1:
            return self.make(base[0])
        op, *args = base
        return self.apply(
            op, *(self._base(a) if isinstance(a, tuple) else self.constant(a) for a in args)
        )

    # Arithmetic, with folding

    def add(self, a: Node, b: Node) -> Node:
        if a.op == "const" and b.op == "const":
            return self.constant(a.args[0] + b.args[0])
        if a is self.zero:
            return b
        if b is self.zero:
            return a
        if a.index > b.index:
            a, b = b, a
        return self.make("add", a, b)

    def mul(self, a: Node, b: Node) -> Node:
        if a.op == "const" and b.op == "const":
            return self.constant(a.args[0] * b.args[0])
        if a is self.zero or b is self.zero:
            return self.zero
        if a is self.one:
            return b
        if b is self.one:
            return a
        if a.index > b.index:
            a, b = b, a
        if a.op == "const" and b.op == "mul" and b.args[0].op == "const":
            return self.mul(self.constant(a.args[0] * b.args[0].args[0]), b.args[1])
        if b.op == "const" and a.op == "mul" and a.args[0].op == "const":
            return self.mul(self.constant(b.args[0] * a.args[0].args[0]), a.args[1])
        if b.op == "const":
            a, b = b, a  # the constant first, wherever it was made
        return self.make("mul", a, b)

    def neg(self, a: Node) -> Node:
        return self.mul(self._minus_one, a)

    def sub(self, a: Node, b: Node) -> Node:
        return self.zero if a is b else self.add(a, self.neg(b))

    def div(self, a: Node, b: Node) -> Node:
        if b.op == "const" and b.args[0] != 0:
            return self.mul(self.constant(1 / b.args[0]), a)
        if a is self.zero and b is not self.zero:
            return a
        return self.make("div", a, b)

    def pow(self, a: Node, b: Node) -> Node:
        if b.op == "const":
            exponent = b.args[0]
            if exponent == 0:
                return self.one
            if exponent == 1:
                return a
            small = exponent.denominator == 1 and abs(exponent) <= 64
            if a.op == "const" and small and (a.args[0] != 0 or exponent > 0):
                return self.constant(a.args[0] ** int(exponent))
            if exponent == -1:
                return self.div(self.one, a)
        if a is self.one:
            return a
        return self.make("pow", a, b)

    def sqrt(self, a: Node) -> Node:
        if a.op == "const" and a.args[0] >= 0:
            root = _exact_root(a.args[0])
            if root is not None:
                return self.constant(root)
        return self.pow(a, self._half)

    def apply(self, op: str, *args: Node) -> Node:
        """The operation ``op`` on ``args``, folded where that is trivial."""
        fold = _FOLDING.get(op)
        if fold is not None:
            return fold(self, *args)
        if len(args) == 1 and args[0].op == "const":
            exact = primitives.EXACT.get((op, args[0].args[0]))
            if exact is not None:
                return self.constant(exact)
        return self.make(op, *args)

    # Calculus

    def partials(self, node: Node) -> tuple[Node, ...]:
        """The derivative of ``node`` in each of its arguments, as SymPy derives it."""
        return tuple(self.partial(node, i) for i in range(len(node.children)))

    def partial(self, node: Node, i: int) -> Node:
        """The derivative of ``node`` in its argument ``i``."""
        found = self._partials.get((node, i))
        if found is None:
            found = self._partials[node, i] = self._partial(node, i)
        return found

    def _partial(self, node: Node, i: int) -> Node:
        if node.op == "add":
            return self.one
        if node.op == "mul":
            return node.args[1 - i]
        if node.op in primitives.LOCALLY_CONSTANT:
            return self.zero
        if node.op == "pow" and i == 1 and node.args[0] is self.zero:
            return self.zero  # 0^n is 0 for every n > 0, where SymPy has 0^n log 0
        return primitives.partial(self, node, i)

    def vjp(
        self, outputs: Sequence[Node], seeds: Sequence[Node], wrt: Sequence[Node]
    ) -> list[Node]:
        """Vector-Jacobian product: the sum over k of ``seeds[k]`` times d outputs[k] / d wrt[i].

        The chain rule over the graph, with each operation's derivative from SymPy.
        """
        cotangent: dict[Node, Node] = {}
        for output, seed in zip(outputs, seeds, strict=True):
            cotangent[output] = self.add(cotangent.get(output, self.zero), seed)
        targets = set(wrt)
        order = topological(outputs)
        active: set[Node] = set()  # what depends on a target at all
        for node in order:
            if node in targets or any(child in active for child in node.children):
                active.add(node)
        for node in reversed(order):
            g = cotangent.get(node)
            if g is None or g is self.zero or node not in active:
                continue
            for i, child in enumerate(node.children):
                if child not in active:  # there may be no closed form (a Bessel function's order)
                    continue
                slope = self.partial(node, i)
                if slope is not self.zero:
                    cotangent[child] = self.add(cotangent.get(child, self.zero), self.mul(g, slope))
        return [cotangent.get(x, self.zero) if x in active else self.zero for x in wrt]

    def substitute(self, roots: Sequence[Node], replacement: dict[Node, Node]) -> list[Node]:
        """The same expressions with some nodes replaced by others."""
        done = dict(replacement)
        for node in topological(roots):
            if node not in done:
                if not node.children:
                    done[node] = node
                else:
                    args = [done[c] for c in node.args]
                    same = all(x is y for x, y in zip(args, node.args, strict=True))
                    done[node] = node if same else self.apply(node.op, *args)
        return [done[root] for root in roots]


_FOLDING: dict[str, Callable[..., Node]] = {
    "add": Graph.add,
    "mul": Graph.mul,
    "div": Graph.div,
    "pow": Graph.pow,
    "sqrt": Graph.sqrt,
    "sub": Graph.sub,
    "neg": Graph.neg,
}


def _exact_root(value: Fraction) -> Fraction | None:
    from math import isqrt

    n, d = isqrt(value.numerator), isqrt(value.denominator)
    exact = n * n == value.numerator and d * d == value.denominator
    return Fraction(n, d) if exact else None


class Program:
    """A list of expressions laid out for repeated evaluation in any arithmetic.

    Parameters
    ----------
    outputs : sequence of Node
        What to compute.

    Examples
    --------
    >>> from symbolic.graph import Graph, Program
    >>> from symbolic.primitives import FLOAT
    >>> g = Graph()
    >>> x = g.variable("x")
    >>> program = Program([g.add(g.mul(x, x), g.one)])
    >>> [float(v) for v in program.run(FLOAT, {"x": 3.0})]
    [10.0]
    """

    def __init__(self, outputs: Sequence[Node]):
        order = topological(outputs)
        place = {node: i for i, node in enumerate(order)}
        self.results = [place[node] for node in outputs]
        self.variables = [node.args[0] for node in order if node.op == "var"]
        self._inputs = [(i, node.args[0]) for i, node in enumerate(order) if node.op == "var"]
        self._constants = [
            (i, node.op, node.args)
            for i, node in enumerate(order)
            if node.op in primitives.LEAVES and node.op != "var"
        ]
        self._operations = [
            (i, node.op, tuple(place[c] for c in node.args), _fixed_exponent(node))
            for i, node in enumerate(order)
            if node.op not in primitives.LEAVES
        ]
        self._size = len(order)
        self._steps: dict[primitives.Arithmetic, list[_Step]] = {}
        self._leaves: dict[primitives.Arithmetic, tuple[Any, list[Any]]] = {}

    def run(self, arithmetic: primitives.Arithmetic, values: dict[str, Any]) -> list[Any]:
        """The outputs' values; ``values`` gives one for each variable, in that arithmetic."""
        done = self._with_constants(arithmetic).copy()
        for i, name in self._inputs:
            done[i] = values[name]
        steps = self._steps.get(arithmetic)
        if steps is None:
            steps = self._steps[arithmetic] = self._bind(arithmetic)
        for i, function, a, b, rest in steps:
            if b is None:
                done[i] = function(done[a])
            elif rest is None:
                done[i] = function(done[a], done[b])
            else:
                done[i] = function(done[a], done[b], *(done[c] for c in rest))
        return [done[i] for i in self.results]

    def _with_constants(self, arithmetic: primitives.Arithmetic) -> list[Any]:
        """Values of all nodes, filled in where they are constants."""
        key = arithmetic.precision()
        known = self._leaves.get(arithmetic)
        if known is None or known[0] != key:
            done: list[Any] = [None] * self._size
            for i, op, args in self._constants:
                done[i] = arithmetic.leaf(op, args)
            known = self._leaves[arithmetic] = key, done
        return known[1]

    def _bind(self, arithmetic: primitives.Arithmetic) -> list[_Step]:
        """Each operation as that arithmetic's function and the places of its arguments."""
        table, power = arithmetic.table, arithmetic.power
        steps: list[_Step] = []
        for i, op, args, exponent in self._operations:
            if exponent is not None:
                steps.append((i, partial(_raised, power, exponent), args[0], None, None))
            else:
                first, second, *rest = args if len(args) > 1 else (args[0], None)
                steps.append((i, table[op], first, second, tuple(rest) or None))
        return steps


_Step = tuple[int, Callable[..., Any], int, int | None, tuple[int, ...] | None]


def _fixed_exponent(node: Node) -> Fraction | None:
    """A power's constant exponent: it is evaluated as such (sqrt, x**3 of a negative x)."""
    return node.args[1].args[0] if node.op == "pow" and node.args[1].op == "const" else None


def _raised(power: Callable[[Any, Fraction], Any], exponent: Fraction, base: Any) -> Any:
    return power(base, exponent)
