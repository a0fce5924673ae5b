"""Where to look: the points at which gradients go wrong.

Most gradient bugs that reached a release are right at random normal inputs. So: zeros of recorded
denominators and arguments with their neighbours, equal entries, zeros, constant arrays, magnitudes
on a logarithmic scale, then ordinary points.

May import: :mod:`symbolic`, :mod:`verify.explore`, :mod:`verify.instance`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from symbolic.graph import Graph, Node, topological
from symbolic.solve import Line, dependencies, neighbours, roots_on_line
from verify.cells import Cell
from verify.domains import ELSEWHERE
from verify.explore import Explorer
from verify.instance import Instance

__all__ = [
    "magnitudes",
    "ordinary",
    "scattered",
    "singularities",
    "starts",
    "structured",
    "upstreams",
]


_MOST_TERMS = 4  # of a sum, to be compared with each other
_MOST_MEETINGS = 6
_FAR = 50  # beyond this a number in an exponent leads away from ordinary arguments


def starts(instance: Instance, rng: np.random.Generator) -> list[np.ndarray]:
    """Where exploration starts: the example's own values, and ordinary points."""
    found = []
    base = instance.base()
    if base is not None and instance.in_domain(base):
        found.append(base)
    found += [instance.draw(rng) for _ in range(4)]
    # Upstream gradients of one sign, where code that branches on them goes other ways.
    for sign in (1.0, -1.0):
        point = instance.draw(rng)
        point[instance.inputs :] = sign * np.abs(point[instance.inputs :])
        found.append(point)
    return _defined(instance, found)


def _defined(instance: Instance, found: list[np.ndarray]) -> list[np.ndarray]:
    """The points where forward gives a value first; others are looked for where it raises at most.

    Code that raises outside of a domain which nobody declared (a root of positive numbers) raises
    at nearly every random array.
    """
    defined = [p for p in found if instance.forward_only(p).forward_error is None]
    if len(defined) > len(found) // 2 or not instance.free:
        return found
    n = instance.inputs
    for form in ELSEWHERE:
        points = [np.concatenate([form(p[:n]), p[n:]]) for p in found]
        points = [p for p in points if instance.forward_only(p).forward_error is None]
        if points:
            return [*defined, *points, *(p for p in found if all(p is not d for d in defined))]
    return found


def ordinary(instance: Instance, rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Random points, at a few scales, always inside the domain."""
    for i in range(count):
        point = instance.draw(rng)
        if instance.free and i % 2:
            scaled = point.copy()
            scaled[: instance.inputs] *= 10.0 ** rng.uniform(-1.5, 1.5)
            if instance.in_domain(scaled):
                point = scaled
        yield point


def scattered(instance: Instance, rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Entries of any sign between 0.1 and 100: each of its own size, or all of about one."""
    n = instance.inputs
    if not instance.free or not n:
        return
    for i in range(count):
        point = instance.draw(rng)
        size = rng.uniform(-1, 2) + rng.uniform(0, 0.3, n) if i % 2 else rng.uniform(-1, 2, n)
        signs = rng.choice([-1.0, 1.0], n)
        point[:n] = signs * 10.0**size
        if not instance.in_domain(point):
            point[:n] = 10.0**size
        if instance.in_domain(point):
            yield point


def structured(instance: Instance, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Zeros, ones, equal entries, one entry zero, integers; plain upstream gradients."""
    n = instance.inputs
    if not instance.free:
        return
    bases = [instance.draw(rng) for _ in range(2)]
    values = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -2.0, 3.0]

    def inside(point: np.ndarray) -> bool:
        return instance.in_domain(point)

    for value in values:
        for base in bases[:1]:
            point = base.copy()
            point[:n] = value
            if inside(point):
                yield point
            for piece in instance.pieces if len(instance.pieces) > 1 else []:
                point = base.copy()
                point[piece.start : piece.stop] = value
                if inside(point):
                    yield point
    for i in range(min(n, 12)):
        for value in (0.0, -0.0, 1.0, -1.0) if n > 1 else ():
            point = bases[1].copy()
            point[i] = value
            if inside(point):
                yield point
    for i in range(min(n, 6)):
        for j in range(i + 1, min(n, 6)):
            point = bases[0].copy()
            point[i] = point[j]
            if inside(point):
                yield point
            point = bases[0].copy()
            point[i] = -point[j]
            if inside(point):
                yield point
    for point in (*_coincident(instance, bases[1]), *instance.diagonal(bases[1])):
        if inside(point):
            yield point
    point = bases[0].copy()
    point[:n] = np.round(3 * point[:n])
    if inside(point):
        yield point
    yield from upstreams(instance, rng)


def upstreams(instance: Instance, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """An ordinary point under plain and under awkward upstream gradients."""
    base = instance.draw(rng)
    for upstream in _upstreams(instance, rng):
        point = base.copy()
        point[instance.inputs :] = upstream
        yield point


def _upstreams(instance: Instance, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Plain upstream gradients: constant, zero, one output alone, of sum zero, of mixed sizes."""
    n = instance.inputs
    m = len(instance.names) - n
    if not m:
        return
    yield from (np.ones(m), -np.ones(m), np.zeros(m), 1e3 * rng.normal(size=m))
    yield from np.eye(m)[:6]
    if len(instance.upstream) > 1:
        for piece in instance.upstream:
            for alone in (True, False):
                g = rng.normal(size=m) if alone else np.zeros(m)
                g[piece.start - n : piece.stop - n] = rng.normal(size=piece.size) * (not alone)
                yield g
    if m > 1:
        g = np.round(4 * rng.normal(size=m)) / 4
        g[-1] = -g[:-1].sum()
        yield g
        yield np.resize([1.0, -1.0], m)
        for size in (1e20, 1e-20):
            for k in (0, m - 1):
                g = np.linspace(1.0, 2.0, m)
                g[k] = size
                yield g


def _coincident(instance: Instance, base: np.ndarray) -> Iterator[np.ndarray]:
    """Two arguments equal, two rows or columns equal, all of them equal: distances of zero."""
    for a, first in enumerate(instance.pieces):
        for second in instance.pieces[a + 1 :]:
            if first.shape == second.shape and first.size > 1:
                point = base.copy()
                point[second.start : second.stop] = point[first.start : first.stop]
                yield point
            elif first.shape and second.shape and first.shape[-1] == second.shape[-1]:
                # A row of one array equal to a row of the other.
                width = first.shape[-1]
                point = base.copy()
                point[second.start : second.start + width] = point[
                    first.start : first.start + width
                ]
                yield point
    for piece in instance.pieces:
        if len(piece.shape) < 2 or piece.size < 2:
            continue
        for axis in range(len(piece.shape)):
            if piece.shape[axis] < 2:
                continue
            for all_equal in (False, True):
                point = base.copy()
                block = point[piece.start : piece.stop].reshape(piece.shape)
                rows = np.moveaxis(block, axis, 0)
                rows[1 : (None if all_equal else 2)] = rows[0]
                point[piece.start : piece.stop] = block.ravel()
                yield point


def magnitudes(instance: Instance, rng: np.random.Generator, fine: bool) -> Iterator[np.ndarray]:
    """Entries on a logarithmic scale, all together and one by one, of both signs."""
    n = instance.inputs
    if not instance.free or not n:
        return
    shape = instance.draw(rng)
    if fine:
        scale = np.concatenate(
            [
                10.0 ** np.arange(-60, -20, 4.0),
                10.0 ** np.arange(-20, -4, 0.5),
                10.0 ** np.arange(-4, 4, 1 / 8),
                10.0 ** np.arange(4, 20, 1.0),
                10.0 ** np.arange(20, 61, 8.0),
            ]
        )
    else:
        scale = 10.0 ** np.array(
            [-60, -30, -16, -12, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0.5, 1, 1.25, 1.5, 1.75, 2,
             2.5, 2.85, 3, 4, 6, 8, 9, 12, 16, 30, 60]
        )  # fmt: skip
    bounds = [instance.example.slots[p.position].domain for p in instance.pieces]
    for s in scale:
        for sign in (1.0, -1.0):
            point = shape.copy()
            for piece, domain in zip(instance.pieces, bounds, strict=True):
                part = slice(piece.start, piece.stop)
                size = s * np.abs(1 + 0.3 * rng.normal(size=piece.size)) if n > 1 else s
                point[part] = sign * size
                if not domain.contains(point[part].reshape(piece.shape)):
                    # A bounded interval is filled logarithmically towards its ends.
                    width = min(domain.high - domain.low, 1e300)
                    near = domain.low if sign > 0 else domain.high
                    if np.isfinite(near) and s < 0.5:
                        point[part] = near + sign * min(s, 0.5) * (width if width < 1e299 else 1.0)
                    else:
                        point[part] = np.abs(shape[part])
            if instance.in_domain(point):
                yield point
    for i in range(min(n, 6)) if n > 1 else ():
        for s in (1e-30, 1e-12, 1e-8, 1e-5, 1e-3, 20.0, 40.0, 100.0, 800.0, 1e5, 1e9, 1e30):
            for sign in (1.0, -1.0):
                point = shape.copy()
                point[i] = sign * s
                if instance.in_domain(point):
                    yield point
    # Moderate entries, upstream of several sizes.
    for s in (1e-30, 1e-8, 1e8, 1e30):
        point = shape.copy()
        point[n:] *= s
        yield point


def singularities(
    explorer: Explorer, rng: np.random.Generator, most: int = 60
) -> Iterator[np.ndarray]:
    """Zeros of denominators and of arguments of logarithms, roots and powers; and around them.

    And where exponentials that are added are equal: far from there one of them is all that counts.
    """
    instance = explorer.instance
    if not instance.free:
        return
    place = {name: i for i, name in enumerate(instance.names)}
    seen: set[int] = set()
    count = 0
    for cell in list(explorer.cells.values()):
        roots = [*cell.run.outputs, *(g for g in cell.run.grads if g is not None)]
        meetings = list(dict.fromkeys(_meetings(instance.graph, roots)))
        yield from _together(explorer, cell, meetings)
        for argument in [*_arguments(roots), *meetings]:
            if argument.index in seen:
                continue
            seen.add(argument.index)
            moved = sorted(place[d] for d in dependencies(argument) if d in place)
            for i in moved[:3]:
                line = Line(cell.point, "entry", [i])
                low, high = explorer.bounds.get(instance.names[i], (-np.inf, np.inf))
                for root in roots_on_line(argument, instance.names, line, low, high)[:3]:
                    for t in neighbours(root):
                        point = line.at(t)
                        if low < t < high and instance.in_domain(point):
                            yield point
                            count += 1
                            if count >= most * 10:
                                return


def _meetings(graph: Graph, roots: list[Node]) -> Iterator[Node]:
    """The differences of exponents of what is added, numbers among it: zero where terms meet."""
    for node in topological(roots):
        if node.op == "add":
            found = [_exponent(graph, term) for term in _added(node)[:_MOST_TERMS]]
            known = [e for e in found if e is not None]
            for a, b in itertools.combinations(known, 2):
                if not a.op == b.op == "const":
                    yield graph.sub(a, b)


def _together(explorer: Explorer, cell: Cell, meetings: Sequence[Node]) -> Iterator[np.ndarray]:
    """Points at which all entries of an array are as large as a number that one of them meets."""
    instance = explorer.instance
    for argument in meetings[:_MOST_MEETINGS]:
        moved = [i for i in explorer.depends(argument) if i < instance.inputs]
        if len(moved) != 1:
            continue
        piece, _ = instance.owner(moved[0])
        line = Line(cell.point, "entry", moved)
        for root in roots_on_line(argument, instance.names, line, -np.inf, np.inf)[:1]:
            for t in (root, root - 1, root + 1) if piece.size > 1 else ():
                point = cell.point.copy()
                point[piece.start : piece.stop] = t
                if instance.in_domain(point):
                    yield point


def _added(node: Node) -> list[Node]:
    """The terms of a sum of sums."""
    return [t for child in node.args for t in _added(child)] if node.op == "add" else [node]


def _exponent(graph: Graph, term: Node) -> Node | None:
    """The logarithm of a term's size, of ``c exp(u)`` and of a number; None of any other."""
    if term.op == "exp":
        return term.args[0]
    if term.op in ("const", "float"):
        size = abs(float(term.args[0]))
        return graph.number(math.log(size)) if 0 < size < math.inf else None
    if term.op == "mul" and term.args[0].op in ("const", "float"):
        parts = [_exponent(graph, factor) for factor in term.args]
        return None if None in parts else graph.add(*(p for p in parts if p is not None))
    return None


def _arguments(roots: list[Node]) -> Iterator[Node]:
    for node in topological(roots):
        if node.op == "div":
            yield node.args[1]
        elif node.op in ("log", "gammaln", "gamma", "arctanh", "arccosh", "polygamma"):
            yield node.args[-1]
        elif node.op == "pow" and not (
            node.args[1].op == "const"
            and node.args[1].args[0].denominator == 1
            and node.args[1].args[0] > 0
        ):
            yield node.args[0]
        elif node.op == "exp" and any(
            t.op == "const" and abs(t.args[0]) > _FAR for t in _added(node.args[0])
        ):
            yield node.args[0]  # all that there is of exp(t - 2450000) is next to that date
        elif node.op == "arctan2":
            yield from node.args
