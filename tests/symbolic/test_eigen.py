"""Eigenvalues, eigenvectors and singular vectors as operations: values, slopes, identities."""

from fractions import Fraction

import numpy as np
import pytest

from symbolic import eigen
from symbolic.balls import enclose
from symbolic.decide import equal
from symbolic.directional import directional
from symbolic.graph import Graph, Program
from symbolic.primitives import FLOAT
from symbolic.sympy_bridge import NotDifferentiable

la = np.linalg
RNG = np.random.default_rng(3)
SHAPES = [(2, 2), (3, 3), (3, 2), (2, 3), (4, 3)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def operations(shape):
    """All three operations on a matrix of variables: on its Gram matrix, the first two."""
    graph = Graph()
    rows, columns = shape
    entries = [graph.variable(f"x{i}") for i in range(rows * columns)]
    gram = eigen.gram(rows, entries, graph.add, graph.mul)
    n = min(shape)
    number = [graph.constant(k) for k in range(max(shape) + 1)]
    found = [graph.apply("eigenvalue", number[k], *gram) for k in range(n)]
    found += [
        graph.apply("eigenvector", number[k], number[i], *gram) for k in range(n) for i in range(n)
    ]
    found += [
        graph.apply("singularvector", number[k], number[i], number[rows], *entries)
        for k in range(n)
        for i in range(n)
    ]
    return graph, entries, found


def by_lapack(m):
    short = m.T @ m if m.shape[0] >= m.shape[1] else m @ m.T
    values, vectors = la.eigh(short)
    u, _, vh = la.svd(m, full_matrices=False)
    singular = vh if m.shape[0] >= m.shape[1] else u.T
    return np.concatenate([values, vectors.T.ravel(), singular.ravel()])


def point(shape):
    return RNG.normal(size=shape)


def named(m):
    return {f"x{i}": v for i, v in enumerate(m.ravel())}


@shapes
def test_floats_and_balls_agree_with_lapack(shape):
    _, _, found = operations(shape)
    m = point(shape)
    want = by_lapack(m)
    np.testing.assert_allclose(Program(found).run(FLOAT, named(m)), want, rtol=1e-9, atol=1e-10)
    balls = enclose(found, named(m))
    assert all(ball.status == "sharp" for ball in balls)
    np.testing.assert_allclose([float(b) for b in balls], want, rtol=1e-9, atol=1e-10)


@shapes
def test_slopes_agree_with_differences_of_balls(shape):
    _, _, found = operations(shape)
    m, direction = point(shape), RNG.integers(-3, 4, size=shape).astype(float)
    slopes = directional(found, named(m), named(direction))
    step = Fraction(1, 2**60)
    moved = {
        f"x{i}": Fraction(v) + step * Fraction(d)
        for i, (v, d) in enumerate(zip(m.ravel(), direction.ravel(), strict=True))
    }
    before, after = enclose(found, named(m), digits=40), enclose(found, moved, digits=40)
    for slope, a, b in zip(slopes, before, after, strict=True):
        assert abs(float((b.value - a.value) * 2**60) - float(slope)) < 1e-9 * (
            1 + abs(float(slope))
        )


@shapes
def test_partials_agree_with_slopes(shape):
    graph, entries, found = operations(shape)
    m = point(shape)
    for i in range(0, len(entries), 2):
        direction = np.zeros(m.size)
        direction[i] = 1.0
        slopes = directional(found, named(m), named(direction))
        partials = [graph.vjp([f], [graph.one], [entries[i]])[0] for f in found]
        values = enclose(partials, named(m))
        np.testing.assert_allclose(
            [float(v) for v in values], [float(s) for s in slopes], atol=1e-12
        )


def test_the_number_of_an_eigenvalue_has_no_derivative():
    graph, _, found = operations((2, 2))
    with pytest.raises(NotDifferentiable):
        graph.partial(found[0], 0)


def test_multiple_eigenvalues_are_enclosed_where_the_matrix_is_exact():
    _, _, found = operations((3, 3))
    balls = enclose(found[:3], named(np.diag([1.0, 2.0, 2.0])))
    assert [float(b) for b in balls] == [1.0, 4.0, 4.0]
    vectors = enclose(found[3:12], named(np.diag([1.0, 2.0, 2.0])))
    assert not any(b.finite for b in vectors[3:])


@pytest.mark.parametrize("n", [2, 3])
def test_defining_relations_are_proved(n):
    graph = Graph()
    number = [graph.constant(k) for k in range(n)]
    places = [(p, q) for p in range(n) for q in range(p + 1)]
    entries = {place: graph.variable("x{}{}".format(*place)) for place in places}
    lower = list(entries.values())
    values = [graph.apply("eigenvalue", k, *lower) for k in number]
    columns = [[graph.apply("eigenvector", k, i, *lower) for i in number] for k in number]

    def dot(a, b):
        total = graph.zero
        for x, y in zip(a, b, strict=True):
            total = graph.add(total, graph.mul(x, y))
        return total

    for k in range(n):
        for m in range(n):
            unit = graph.one if k == m else graph.zero
            assert equal(graph, dot(columns[k], columns[m]), unit).proved
        for p in range(n):
            row = [entries[max(p, q), min(p, q)] for q in range(n)]
            left = dot(row, columns[k])
            assert equal(graph, left, graph.mul(values[k], columns[k][p])).proved
            assert equal(graph, left, graph.mul(values[k - 1], columns[k][p])).refuted
