"""Formulas written with operators, for tests that need a graph and no trace."""

import numpy as np

from symbolic.graph import Graph, Node


class Term:
    """A node with operators; NumPy's object arrays of these compute entry by entry."""

    __slots__ = ("graph", "node")

    def __init__(self, graph: Graph, node: Node):
        self.graph = graph
        self.node = node

    def _make(self, op, *args):
        if any(isinstance(a, np.ndarray) for a in args):
            return NotImplemented
        nodes = [a.node if isinstance(a, Term) else self.graph.number(a) for a in args]
        return Term(self.graph, self.graph.apply(op, *nodes))

    def __add__(self, other):
        return self._make("add", self, other)

    def __radd__(self, other):
        return self._make("add", other, self)

    def __sub__(self, other):
        return self._make("sub", self, other)

    def __rsub__(self, other):
        return self._make("sub", other, self)

    def __mul__(self, other):
        return self._make("mul", self, other)

    def __rmul__(self, other):
        return self._make("mul", other, self)

    def __truediv__(self, other):
        return self._make("div", self, other)

    def __rtruediv__(self, other):
        return self._make("div", other, self)

    def __pow__(self, other):
        return self._make("pow", self, other)

    def __rpow__(self, other):
        return self._make("pow", other, self)

    def __neg__(self):
        return self._make("neg", self)

    def __repr__(self):
        return repr(self.node)


class Formula:
    """A graph, and shorthands for writing formulas: ``f.exp(x)`` for terms and arrays of them."""

    def __init__(self):
        self.graph = Graph()

    def term(self, value):
        return value if isinstance(value, Term) else Term(self.graph, self.graph.number(value))

    def node(self, value):
        return self.term(value).node

    def symbols(self, name, *shape):
        """The variable of that name, or an array of variables."""
        if not shape:
            return Term(self.graph, self.graph.variable(name))
        array = np.empty(shape, dtype=object)
        for index in np.ndindex(*shape):
            array[index] = self.symbols(name + "_".join(map(str, index)))
        return array

    def __getattr__(self, op):
        def apply(*args):
            return Term(self.graph, self.graph.apply(op, *(self.node(a) for a in args)))

        def call(*args):
            if any(isinstance(a, np.ndarray) for a in args):
                return np.vectorize(apply, otypes=[object])(*args)
            return apply(*args)

        return call

    def sqrt(self, x):
        return x**0.5 if isinstance(x, np.ndarray) else self.term(x) ** 0.5

    def sigmoid(self, x):
        return 1 / (1 + self.exp(-x))
