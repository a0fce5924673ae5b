"""The right gradient on a cell, and how much error the inputs' own rounding excuses there.

The right gradient is the vector-Jacobian product of the formula that holds on the cell, derived by
SymPy operation by operation and evaluated in balls. The *allowance* of an entry is the size of the
rounding that its inputs carry (see :meth:`Reference.allowance`); errors are measured in ulps of it.

May import: :mod:`symbolic`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from symbolic.balls import Ball, enclose
from symbolic.graph import Graph, Node, Program, topological
from symbolic.primitives import FLOAT

__all__ = ["EPS", "Reference"]

EPS = 2.0**-52


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
        self._layout: list[tuple[int, int]] = []
        self._first = 0

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
        """Everything that the allowance needs, as one program."""
        nodes: list[Node] = []
        self._terms: list[list[int]] = []  # places of g_k dy_k/dx_i, for each i
        self._curvature: list[list[tuple[int, int]]] = []  # (place of dv_i/dx_j, j), for each i
        self._outputs_of: list[list[int]] = []
        self._constant: list[list[int]] = []  # outputs that mention x_i and do not change with it
        zero = self.graph.zero
        for row in self.jacobian:
            del row  # built once, in the property
        pairs = len(self._x) ** 2
        depends = [self._dependencies(v) for v in self.expected]
        self._reach = depends
        for i, v in enumerate(self.expected):
            places, outputs, constant = [], [], []
            for k, row in enumerate(self.jacobian):
                if row[i] is not zero:
                    if depends[i] == [i] and self._vanishes(row[i]):
                        constant.append(k)
                    places.append(len(nodes))
                    outputs.append(k)
                    nodes.append(self.graph.mul(self._g[k], row[i]))
            self._terms.append(places)
            self._outputs_of.append(outputs)
            self._constant.append(constant)
            second = []
            inside = [self._x[j] for j in depends[i]]
            if inside and (pairs <= _MOST_PAIRS or len(inside) <= 2):
                slopes = self.graph.vjp([v], [self.graph.one], inside)
                for j, h in zip(depends[i], slopes, strict=True):
                    if h is not zero:
                        second.append((len(nodes), j))
                        nodes.append(h)
            self._curvature.append(second)
        self._first = len(nodes)
        nodes += self.outputs
        return Program(nodes)

    def _vanishes(self, slope: Node) -> bool:
        """Whether a derivative is zero to 50 digits at two ordinary points."""
        program = Program([slope])
        rng = np.random.default_rng(5)
        for _ in range(2):
            point = {
                name: float(v)
                for name, v in zip(
                    self.inputs, rng.uniform(0.5, 2.0, len(self.inputs)), strict=True
                )
            }
            with np.errstate(all="ignore"):
                [rough] = program.run(FLOAT, {k: np.float64(v) for k, v in point.items()})
            if not abs(float(rough)) < 1e-6:
                return False
            [ball] = enclose(program, point, digits=3, scale=1e-60)
            if not ball.finite or abs(float(ball)) > 1e-50:
                return False
        return True

    def _dependencies(self, node: Node) -> list[int]:
        names = {n.args[0] for n in topological([node]) if n.op == "var"}
        return [j for j, name in enumerate(self.inputs) if name in names]

    def allowance(self, points: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """How much each entry may err, in units of ``ulp(1)``, at each point.

        For the entry i of the gradient, v_i = sum_k g_k dy_k/dx_i, this is
        sum_k |g_k dy_k/dx_i| + s sum_j |dv_i/dx_j|, where j runs over the inputs that v_i depends
        on and s is the largest of them: the uncertainty of g and of x. Where several inputs
        interact, sum_k |g_k y_k| / s is added, since a small entry is then often a sum of large
        terms that cancel; so is an exact zero, where y_k mentions x_i and does not change with it.

        Parameters
        ----------
        points : array, shape (points, entries)
        names : sequence of str
            The names of the entries of a point.

        Returns
        -------
        array, shape (points, inputs)
        """
        sizes = self.sizes
        count = len(points)
        values = {name: points[:, i] for i, name in enumerate(names)}
        with np.errstate(all="ignore"):
            found = [
                np.array(np.broadcast_to(np.abs(np.asarray(v, float)), count))
                for v in sizes.run(FLOAT, values)
            ]
            # Overflow of an intermediate (inf/inf) hides a size: balls have no such limit.
            hidden = np.any(np.isnan(found), axis=0) if found else np.zeros(count, bool)
            for row in np.nonzero(hidden)[0]:
                exact = {name: float(points[row, i]) for i, name in enumerate(names)}
                for array, size in zip(found, self._enclosed_sizes(exact), strict=True):
                    array[row] = size
            place = {name: i for i, name in enumerate(names)}
            x = np.abs(points[:, [place[n] for n in self.inputs]])
            g = np.abs(points[:, [place[n] for n in self.upstream]])
            return self._combined(found, x, g)

    def allowance_at(
        self, exact: Mapping[str, Any], point: np.ndarray | None = None, scale: float = 1e-287
    ) -> np.ndarray:
        """The same at one exact point, which need not be a float.

        Where it is a neighbour at no distance to speak of, ``point`` is the one that is meant: the
        size of zero is not that of 2^-600.
        What is below a thousandth of ``scale`` need not be known.
        """
        x = np.abs(np.array([[float(exact[n]) for n in self.inputs]]))
        if point is not None:
            x = np.abs(point[None, : len(self.inputs)])
        g = np.abs(np.array([[float(exact[n]) for n in self.upstream]]))
        # The magnitudes are multiplied by x or by g, or divided by x.
        high, low = max(x.max(initial=1.0), 1.0), min(x[x > 0].min(initial=1.0), 1.0)
        fine = 1e-3 * scale * min(low, 1 / high) / max(g.max(initial=1.0), 1.0)
        found = [np.array([size]) for size in self._enclosed_sizes(exact, max(fine, 1e-290))]
        with np.errstate(all="ignore"):
            return self._combined(found, x, g)[0]

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

    def _enclosed_sizes(self, exact: Mapping[str, Any], scale: float = 1e-290) -> list[float]:
        balls = enclose(self.sizes, exact, digits=3, scale=scale, max_precision=2400)
        return [abs(float(b)) if b.finite else np.nan for b in balls]

    def _combined(self, found: list[np.ndarray], x: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Put the magnitudes together: rows are points, columns inputs."""
        result = np.zeros((len(x), len(self.inputs)))
        for i in range(len(self.inputs)):
            for p in self._terms[i]:
                result[:, i] += np.nan_to_num(found[p], nan=0.0)
            reach = self._reach[i]
            s = x[:, reach].max(axis=1) if reach else np.zeros(len(x))
            for p, _ in self._curvature[i]:
                result[:, i] += s * np.nan_to_num(found[p], nan=0.0)
            if len(reach) > 1 or (self._elsewhere[i] and reach == [i]):
                for k in self._outputs_of[i]:
                    y = np.nan_to_num(found[self._first + k], nan=0.0)
                    # At the origin there is no scale but one.
                    result[:, i] += g[:, k] * y / np.where(s > 0, s, 1.0)
            for k in self._constant[i]:  # one entry, normalised: 1/x - x^2/x^3
                y = np.nan_to_num(found[self._first + k], nan=0.0)
                result[:, i] += g[:, k] * y / np.where(x[:, i] > 0, x[:, i], 1.0)
        return result
