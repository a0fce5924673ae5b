"""The right gradient on a cell, and how much error the inputs' own rounding excuses there.

The right gradient is the vector-Jacobian product of the formula that holds on the cell, derived by
SymPy operation by operation and evaluated in balls. The *allowance* of an entry is the size of the
rounding that its inputs carry (see :meth:`Reference.allowance`); errors are measured in ulps of it.

May import: :mod:`symbolic`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.balls import Ball, enclose
from symbolic.graph import Graph, Node, Program, topological
from symbolic.primitives import FLOAT

__all__ = ["EPS", "Reference"]

EPS = 2.0**-52

_LARGEST = np.finfo(float).max

# How much smaller than the others an argument is that goes to zero beside them.
_TINY = 1e-6

# Second derivatives are skipped beyond this many entries: they only excuse rounding.
_MOST_PAIRS = 1600


class Reference:
    """Expected values and gradients of one smooth formula.

    Parameters
    ----------
    graph : Graph
    outputs : sequence of Node
        The formula's outputs, flat.
    inputs, upstream : sequence of str
        Names of the varying entries, and of the upstream gradient of each output.
    interacting : set of str
        Inputs whose gradient depends on other entries too at larger shapes (see `interacting`).
    """

    def __init__(
        self,
        graph: Graph,
        outputs: Sequence[Node],
        inputs: Sequence[str],
        upstream: Sequence[str],
        interacting: Collection[str] = (),
    ):
        self.graph = graph
        self._elsewhere = [name in interacting for name in inputs]
        self.ordinary: Callable[[], np.ndarray] | None = None  # the slopes' ordinary size
        self.outputs = list(outputs)
        self.inputs = list(inputs)
        self.upstream = list(upstream)
        self._x = [graph.variable(n) for n in inputs]
        self._g = [graph.variable(n) for n in upstream]
        self.expected = graph.vjp(self.outputs, self._g, self._x)
        self._program = Program([*self.outputs, *self.expected])
        self._jacobian: list[list[Node]] | None = None
        self._rows: Program | None = None
        self._sizes: Program | None = None
        self._constants: Program | None = None
        self._reach: list[list[int]] = []
        self._arrays = [name.partition("[")[0] for name in inputs]

    @property
    def jacobian(self) -> list[list[Node]]:
        """Rows by output, columns by input."""
        if self._jacobian is None:
            one = self.graph.one
            self._jacobian = [self.graph.vjp([y], [one], self._x) for y in self.outputs]
        return self._jacobian

    @property
    def rows_program(self) -> Program:
        """Outputs and Jacobian, row by row, as one program."""
        if self._rows is None:
            self._rows = Program([*self.outputs, *(j for row in self.jacobian for j in row)])
        return self._rows

    def enclose(
        self, point: dict[str, float], scale: np.ndarray | None = None
    ) -> tuple[list[Ball], list[Ball]]:
        """Enclosures of the outputs and of the expected gradient at a point."""
        n = len(self.outputs)
        scales = None
        if scale is not None:
            floor = [float(s) if np.isfinite(s) and s > 0 else 1e-300 for s in scale]
            scales = [*([1e-300] * n), *floor]
        found = enclose(self._program, point, digits=20, scale=scales, max_precision=1200)
        return found[:n], found[n:]

    # Rounding

    def _build_sizes(self) -> Program:
        """Everything that the allowance needs, as one program: terms, curvatures, outputs.

        What each belongs to is kept in arrays beside it, for :meth:`_combined`.
        """
        zero, jacobian = self.graph.zero, self.jacobian
        self._reach = [self._dependencies(v) for v in self.expected]
        terms: list[tuple[int, Node]] = []  # g_k dy_k/dx_i, by i
        curvature: list[tuple[int, Node]] = []  # dv_i/dx_j, by i
        cancelling: list[tuple[int, int]] = []  # (i, k): y_k bounds what cancels in v_i
        constant: list[tuple[int, int]] = []  # (i, k): y_k mentions x_i, and does not change
        vanishing = self._vanishing()
        self._beside = [
            [j for j in {*reach, i} if self._arrays[j] == self._arrays[i]]
            for i, reach in enumerate(self._reach)
        ]
        few = len(self._x) ** 2 <= _MOST_PAIRS
        for i, (v, reach) in enumerate(zip(self.expected, self._reach, strict=True)):
            alone = reach == [i]
            for k, row in enumerate(jacobian):
                if row[i] is zero:
                    continue
                terms.append((i, self.graph.mul(self._g[k], row[i])))
                if len(reach) > 1 or (alone and self._elsewhere[i]):
                    cancelling.append((i, k))
                if (i, k) in vanishing:
                    constant.append((i, k))
            if reach and (few or len(reach) <= 2):
                slopes = self.graph.vjp([v], [self.graph.one], [self._x[j] for j in reach])
                curvature += [(i, h) for h in slopes if h is not zero]
        self._term_of = np.array([i for i, _ in terms], dtype=int)
        self._curvature_of = np.array([i for i, _ in curvature], dtype=int)
        self._cancelling = np.array(cancelling, dtype=int).reshape(-1, 2).T
        self._constant = np.array(constant, dtype=int).reshape(-1, 2).T
        magnitudes = Magnitudes(self.graph)
        of_constant = [magnitudes.of(self.outputs[k]) for _, k in constant]
        return Program([node for _, node in terms + curvature] + of_constant + self.outputs)

    def _vanishing(self) -> set[tuple[int, int]]:
        """Where y_k mentions x_i and does not change with it: slopes of zero at ordinary points."""
        rng = np.random.default_rng(5)
        names = [*self.inputs, *self.upstream]
        points = [
            dict(zip(names, rng.uniform(0.5, 2.0, len(names)), strict=True)) for _ in range(2)
        ]
        n = len(self.inputs)
        with np.errstate(all="ignore"):
            rough = self.rows_program.run(FLOAT, points[0])[len(self.outputs) :]
        zero = self.graph.zero
        return {
            (i, k)
            for k, row in enumerate(self.jacobian)
            for i, slope in enumerate(row)
            if slope is not zero
            and abs(float(rough[k * n + i])) < 1e-6
            and all(self._is_zero(slope, point) for point in points)
        }

    def _is_zero(self, slope: Node, point: dict[str, float]) -> bool:
        """Whether a derivative is zero to 50 digits at a point."""
        [ball] = enclose([slope], point, digits=3, scale=1e-60)
        return ball.finite and abs(float(ball)) <= 1e-50

    def _dependencies(self, node: Node) -> list[int]:
        names = {n.args[0] for n in topological([node]) if n.op == "var"}
        return [j for j, name in enumerate(self.inputs) if name in names]

    def allowance(self, point: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """How much each entry may err at a point, in units of ``ulp(1)``.

        For the entry i of the gradient, v_i = sum_k g_k dy_k/dx_i, this is
        sum_k |g_k dy_k/dx_i| + s sum_j |dv_i/dx_j|, where j runs over the inputs that v_i depends
        on and s is the largest of them: the uncertainty of g and of x. Where several inputs
        interact, sum_k |g_k y_k| / s is added, since a small entry is then often a sum of large
        terms that cancel. There s is the largest of those inputs in the array of x_i itself: a
        slope in a small weight has nothing to do with the size of the data; but beside much larger
        arguments it is no more than the slope's ordinary size, if that is known. An exact zero is a
        sum too, where y_k mentions x_i and does not change with it: there the terms count that y_k
        is a sum of, since they may cancel in it as well (1 - cos of an angle that is zero).

        Parameters
        ----------
        point : array, shape (entries,)
        names : sequence of str
            The names of its entries.

        Returns
        -------
        array, shape (inputs,)
        """
        values = dict(zip(names, point, strict=True))
        with np.errstate(all="ignore"):
            found = np.abs(np.array(self.sizes.run(FLOAT, values), dtype=float))
            # Overflow of an intermediate (inf/inf) hides a size: balls have no such limit.
            if np.isnan(found).any():
                found = self._enclosed_sizes({n: float(v) for n, v in values.items()})
            x = np.abs(np.array([values[n] for n in self.inputs], dtype=float))
            g = np.abs(np.array([values[n] for n in self.upstream], dtype=float))
            return self._combined(found, x, g)

    def allowance_at(
        self, exact: Mapping[str, Any], point: np.ndarray | None = None, scale: float = 1e-287
    ) -> np.ndarray:
        """The same at one exact point, which need not be a float.

        Where it is a neighbour at no distance to speak of, ``point`` is the one that is meant: the
        size of zero is not that of 2^-600.
        What is below a thousandth of ``scale`` need not be known.
        """
        x = np.abs(np.array([float(exact[n]) for n in self.inputs]))
        if point is not None:
            x = np.abs(point[: len(self.inputs)])
        g = np.abs(np.array([float(exact[n]) for n in self.upstream]))
        # The magnitudes are multiplied by x or by g, or divided by x.
        high, low = max(x.max(initial=1.0), 1.0), min(x[x > 0].min(initial=1.0), 1.0)
        fine = 1e-3 * scale * min(low, 1 / high) / max(g.max(initial=1.0), 1.0)
        found = self._enclosed_sizes(exact, max(fine, 1e-290))
        with np.errstate(all="ignore"):
            return self._combined(found, x, g)

    def of_constants(self, exact: Mapping[str, Any]) -> np.ndarray:
        """What the rounding of constants amounts to at an exact point: sum_c ``|c dv_i/dc|``.

        Over forward's constants that no float holds, as 0.1, for each entry i. No code can do
        better: a slope of ``0.1 f + 0.2 f - 0.3 f`` is ``5.6e-17 f`` in floats. Constants that
        come with a derivative (``2/sqrt(pi)``, of erfc) are none of the code's own.
        """
        if self._constants is None:
            graph = self.graph
            rounded = {n for n in topological(self.outputs) if _is_rounded(n)}
            terms = []
            for v in self.expected:
                leaves = [n for n in topological([v]) if n in rounded] if rounded else []
                slopes = graph.vjp([v], [graph.one], leaves)
                terms.append([graph.mul(c, d) for c, d in zip(leaves, slopes, strict=True)])
            self._constants = Program([t for part in terms for t in part])
            self._constant_of = np.repeat(np.arange(len(terms)), [len(part) for part in terms])
        balls = enclose(self._constants, exact, digits=3, scale=1e-60, max_precision=2400)
        found = np.array([abs(float(b)) if b.finite else 0.0 for b in balls])
        return np.bincount(self._constant_of, np.minimum(found, _LARGEST), len(self.inputs))

    def slopes(self, point: Mapping[str, Any]) -> np.ndarray:
        """The size of the Jacobian's columns at a point: sum_k |dy_k/dx_i| for each input i.

        Zero for an input whose gradient depends on that input alone.
        """
        with np.errstate(all="ignore"):
            found = self.rows_program.run(FLOAT, dict(point))[len(self.outputs) :]
            rows = np.abs(np.array([float(v) for v in found])).reshape(len(self.outputs), -1)
        _ = self.sizes  # which entries depend on several inputs
        several = np.array([len(reach) > 1 for reach in self._reach])
        return np.where(several, np.nan_to_num(rows, nan=0.0, posinf=0.0).sum(axis=0), 0.0)

    @property
    def interacting(self) -> list[str]:
        """The inputs whose gradient depends on several inputs."""
        pairs = zip(self.inputs, self.expected, strict=True)
        return [name for name, v in pairs if len(self._dependencies(v)) > 1]

    @property
    def sizes(self) -> Program:
        """The magnitudes that the allowance is made of."""
        if self._sizes is None:
            self._sizes = self._build_sizes()
        return self._sizes

    def _enclosed_sizes(self, exact: Mapping[str, Any], scale: float = 1e-290) -> np.ndarray:
        balls = enclose(self.sizes, exact, digits=3, scale=scale, max_precision=2400)
        return np.array([abs(float(b)) if b.finite else np.nan for b in balls])

    def _combined(self, found: np.ndarray, x: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Put the magnitudes together."""
        count = len(self.inputs)
        found = np.minimum(np.where(np.isnan(found), 0.0, found), _LARGEST)
        counts = [len(self._term_of), len(self._curvature_of), self._constant.shape[1]]
        first, second, third = np.cumsum(counts)
        terms, curvature = found[:first], found[first:second]
        of_constant, outputs = found[second:third], found[third:]
        s = np.array([x[reach].max() if reach else 0.0 for reach in self._reach])
        own = np.array([x[near].max() for near in self._beside])
        result = np.bincount(self._term_of, terms, count).astype(float)
        # Products before sums: zero times a sum that overflowed would be no number.
        result += np.bincount(self._curvature_of, s[self._curvature_of] * curvature, count)
        own = np.where(own > 0, own, 1.0)  # at the origin there is no scale but one
        i, k = self._cancelling
        cancelling = np.bincount(i, g[k] * outputs[k] / own[i], count)
        # Of an argument that goes to zero beside others, the slope does not grow as 1 / x for that.
        tiny = own < _TINY * s
        if tiny.any() and self.ordinary is not None:
            most = np.bincount(i, g[k] * outputs[k] / np.where(s > 0, s, 1.0)[i], count)
            most = np.maximum(most, g.max(initial=0.0) * self.ordinary())
            cancelling = np.where(tiny, np.minimum(cancelling, most), cancelling)
        result += cancelling
        i, k = self._constant
        result += np.bincount(i, g[k] * of_constant / np.where(x > 0, x, 1.0)[i], count)
        return result


def _is_rounded(node: Node) -> bool:
    """Whether it is a number that code can but round: 1/10."""
    if node.op != "const" or abs(node.args[0]) >= _LARGEST:
        return False
    return Fraction(float(node.args[0])) != node.args[0]


class Magnitudes:
    """The size of what an expression is computed from: sums become sums of absolute values.

    It is the value's own size but where terms cancel.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self._known: dict[Node, Node] = {}

    def of(self, node: Node) -> Node:
        """The magnitude of an expression, as an expression."""
        for n in topological([node]):
            if n not in self._known:
                self._known[n] = self._step(n)
        return self._known[node]

    def _step(self, n: Node) -> Node:
        graph, known = self.graph, self._known
        if n.op in ("add", "mul"):
            return graph.apply(n.op, *(known[c] for c in n.children))
        if n.op == "div":
            return graph.div(known[n.args[0]], self._size(n.args[1]))
        if n.op == "pow" and n.args[1].op == "const" and n.args[1].args[0] > 0:
            return graph.pow(known[n.args[0]], n.args[1])
        return self._size(n)

    def _size(self, n: Node) -> Node:
        if n.op == "const":
            return self.graph.constant(abs(n.args[0]))
        return self.graph.mul(n, self.graph.apply("sign", n))
