"""Domains that lie in a plane: symmetric matrices, entries that sum to 1.

There only some directions exist, and two gradients are right: the derivative of the code as it
stands, in all entries as if they were free (of Cholesky's factor, which reads one triangle), and
its projection on the plane (the inverse, for the logarithm of a determinant). In both readings the
arguments are the points of the plane nearest to entries that vary freely: so every branch can be
reached, and what backward takes from the structure is known to the proof.

May import: :mod:`verify.instance`, :mod:`verify.explore`, :mod:`verify.evidence`.
"""

from __future__ import annotations

import copy

import numpy as np

from symbolic.graph import Graph
from symbolic.sympy_bridge import NotDifferentiable
from symbolic.values import TraceError
from verify.cells import Cell
from verify.evidence import differences
from verify.evidence.oracle import judged
from verify.explore import Explorer
from verify.instance import Instance
from verify.judge import Judge

__all__ = ["reading"]


def reading(instance: Instance, max_ulps: float) -> Instance:
    """The instance at which a gradient has to be right: another one for arguments in a plane.

    A gradient that lies in the plane is judged as the projection of the derivative. One that is the
    free derivative is judged as such at what the domain's sampler draws, and on the rest of the
    plane its projection is.
    """
    if not instance.planes:
        return instance
    rng = np.random.default_rng(11)
    points = [instance.draw(rng) for _ in range(4)]
    runs = [(p, r) for p in points if (r := instance.run(p)).finite and not r.backward_error]
    given = [(p, r.flat_grads(instance.pieces).real) for p, r in runs]
    if all(_near(g, instance.tangent(g)) for _, g in given):
        return _on_plane(instance, projected=False)
    if all(_is_free_derivative(instance, p, g, max_ulps) for p, g in given):
        return _on_plane(instance, projected=True)
    return instance


def _on_plane(instance: Instance, projected: bool) -> Instance:
    """The same instance on the plane, with formulas of its own."""
    twin = copy.copy(instance)
    twin.graph = Graph()
    twin.moved, twin.projected = True, projected
    return twin


def free_derivative(instance: Instance, point: np.ndarray) -> tuple[Instance, Cell] | None:
    """The instance with all entries free, and its cell at a point; None where it has no trace."""
    free = copy.copy(instance)
    free.moved = free.projected = False
    free.graph = Graph()
    try:
        cell = Explorer(free, 0.0).visit(instance.on_domain(point))
    except TraceError:
        return None
    return free, cell


def _is_free_derivative(
    instance: Instance, point: np.ndarray, given: np.ndarray, max_ulps: float
) -> bool:
    """Whether a gradient is the derivative in all entries as if they were free."""
    explorer = Explorer(instance, 0.0)
    try:
        explorer.visit(point)
    except (TraceError, NotDifferentiable):
        entries = list(range(instance.inputs))
        estimates = differences.gradient(instance, point, entries)
        values = np.array([e.value for e in estimates])
        return all(e.usable for e in estimates) and _near(given, values)
    outcome = judged(Judge(explorer, max_ulps), point)
    return outcome.judged and outcome.wrong is None


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two gradients are meant to be the same: how exactly, is judged later."""
    scale = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(b), initial=0.0))
    return bool(np.max(np.abs(a - b), initial=0.0) <= 1e-6 * scale)
