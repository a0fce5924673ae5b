"""Eigenvalues, eigenvectors and singular vectors, as operations on a matrix's entries.

Beyond two rows they have no closed form worth writing, so each is an operation of its own:
``eigenvalue(k, *entries)`` in ascending order and ``eigenvector(k, i, *entries)`` of a symmetric
matrix, the entries being those of the lower triangle, row by row. They are defined by
``A v = lambda v`` and ``v . v = 1``; a vector's sign is LAPACK's. A singular vector is an
eigenvector of ``M' M``, or of ``M M'`` where that is smaller, but for the sign, which is that of
LAPACK's decomposition: ``singularvector(k, i, rows, *entries)``, all entries of M.

Values come from LAPACK, enclosures from Arb, derivatives from differentiating these relations
(first-order perturbation; Magnus, "On differentiating eigenvalues and eigenvectors", 1985), and
the normal form has the relations themselves.

May import: :mod:`symbolic.graph`, :mod:`symbolic.tower`, :mod:`symbolic.elementary`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from functools import reduce as fold
from itertools import combinations, permutations
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from flint import arb, arb_mat, arb_series

    from symbolic.graph import Graph, Node
    from symbolic.normal_form import NormalForms
    from symbolic.tower import Element

__all__ = [
    "BALL",
    "FLOAT",
    "OPERATIONS",
    "RULES",
    "SERIES",
    "gram",
    "lower",
    "partial",
]

# How many numbers an operation has before the entries of its matrix.
OPERATIONS = {"eigenvalue": 1, "eigenvector": 2, "singularvector": 3}

_LARGEST_NORMAL_FORM = 4


def lower(m: np.ndarray) -> list[Any]:
    """The entries of the lower triangle, row by row."""
    return [m[p, q] for p, q in _places(len(m))]


@lru_cache(maxsize=32)
def _places(n: int) -> list[tuple[int, int]]:
    return [(p, q) for p in range(n) for q in range(p + 1)]


def _order(entries: Sequence[Any]) -> int:
    return (isqrt(8 * len(entries) + 1) - 1) // 2


def _matrix(entries: Sequence[Any]) -> list[list[Any]]:
    n = _order(entries)
    rows: list[list[Any]] = [[None] * n for _ in range(n)]
    for (p, q), entry in zip(_places(n), entries, strict=True):
        rows[p][q] = rows[q][p] = entry
    return rows


class _Latest:
    """A function of a matrix's entries that remembers its latest result.

    The operations on one matrix are evaluated one after the other, with the same objects.
    """

    def __init__(self, function: Callable[[Sequence[Any]], Any], setting: Callable[[], Any]):
        self._function = function
        self._setting = setting
        self._latest: tuple[Sequence[Any], Any, Any] = ((), None, None)

    def __call__(self, entries: Sequence[Any]) -> Any:
        known, setting, result = self._latest
        same = len(entries) == len(known) and setting == self._setting()
        if not same or any(a is not b for a, b in zip(entries, known, strict=True)):
            result = self._function(entries)
            self._latest = entries, self._setting(), result  # at once: a time limit may strike
        return result


# Floats


def _float_eigh(entries: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    parts = np.broadcast_arrays(*(np.asarray(e, dtype=float) for e in entries))
    rows = _matrix(parts)
    stack = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    finite = np.isfinite(stack).all(axis=(-2, -1))
    values, vectors = np.linalg.eigh(np.where(finite[..., None, None], stack, 0.0))
    return (
        np.where(finite[..., None], values, np.nan),
        np.where(finite[..., None, None], vectors, np.nan),
    )


_in_floats = _Latest(_float_eigh, lambda: None)


def _float_value(k: Any, *entries: Any) -> Any:
    return _in_floats(entries)[0][..., int(np.ravel(k)[0])]


def _float_vector(k: Any, i: Any, *entries: Any) -> Any:
    return _in_floats(entries)[1][..., int(np.ravel(i)[0]), int(np.ravel(k)[0])]


def _float_svd(args: Sequence[Any]) -> np.ndarray:
    """The singular vectors of the shorter side, in columns."""
    rows = int(np.ravel(args[0])[0])
    parts = np.broadcast_arrays(*(np.asarray(e, dtype=float) for e in args[1:]))
    stack = np.stack(parts, axis=-1).reshape(*parts[0].shape, rows, -1)
    finite = np.isfinite(stack).all(axis=(-2, -1))[..., None, None]
    u, _, vh = np.linalg.svd(np.where(finite, stack, 0.0), full_matrices=False)
    short = np.swapaxes(vh, -1, -2) if rows >= stack.shape[-1] else u
    return np.where(finite, short, np.nan)


_singular_in_floats = _Latest(_float_svd, lambda: None)


def _float_singular(k: Any, i: Any, *args: Any) -> Any:
    return _singular_in_floats(args)[..., int(np.ravel(i)[0]), int(np.ravel(k)[0])]


FLOAT = {
    "eigenvalue": _float_value,
    "eigenvector": _float_vector,
    "singularvector": _float_singular,
}


def gram(
    rows: int,
    entries: Sequence[Any],
    add: Callable[[Any, Any], Any],
    mul: Callable[[Any, Any], Any],
) -> list[Any]:
    """The lower triangle of the smaller of ``M' M`` and ``M M'``."""
    columns = len(entries) // rows
    matrix = [list(entries[r * columns : (r + 1) * columns]) for r in range(rows)]
    if rows >= columns:
        matrix = [list(column) for column in zip(*matrix, strict=True)]
    return [fold(add, map(mul, matrix[p], matrix[q])) for p, q in _places(len(matrix))]


# Balls


def _ball_values(entries: Sequence[arb]) -> list[arb]:
    """Enclosures in ascending order; of overlapping ones, an enclosure of each by its rank."""
    from flint import acb_mat, arb

    n = _order(entries)
    if not all(e.is_finite() for e in entries):
        return [arb.nan()] * n
    try:
        found = [v.real for v in acb_mat(_matrix(entries)).eig()]
    except ValueError:
        found = _exact_values(entries)
    lows = sorted((v.lower() for v in found), key=_middle)
    highs = sorted((v.upper() for v in found), key=_middle)
    return [low.union(high) for low, high in zip(lows, highs, strict=True)]


def _middle(x: arb) -> Any:
    return x.mid().fmpq() if x.is_finite() else Fraction(0)


def _exact_values(entries: Sequence[arb]) -> list[arb]:
    """Eigenvalues, multiple ones too, of a matrix without error, by its characteristic polynomial.

    NaN where it has an error: multiple eigenvalues are then not told from close ones.
    """
    from flint import arb, fmpq_mat

    n = _order(entries)
    if not all(e.is_exact() for e in entries):
        return [arb.nan()] * n
    flat = [e.fmpq() for row in _matrix(entries) for e in row]
    roots = fmpq_mat(n, n, flat).charpoly().complex_roots()
    return [root.real for root, multiplicity in roots for _ in range(multiplicity)]


def _ball_vectors(entries: Sequence[arb]) -> list[list[arb]]:
    """The unit vectors, one after the other, with LAPACK's signs; NaN where values coincide."""
    return _unit_vectors(entries, lambda: _float_eigh([float(e.mid()) for e in entries])[1])


def _ball_singular_vectors(args: Sequence[arb]) -> list[list[arb]]:
    """The same for the singular vectors: of descending singular values."""
    rows, entries = _index(args[0]), args[1:]

    def signed() -> np.ndarray:
        return _float_svd([rows, *(float(e.mid()) for e in entries)])[:, ::-1]

    return _unit_vectors(gram(rows, entries, operator.add, operator.mul), signed)[::-1]


def _unit_vectors(entries: Sequence[arb], signed: Callable[[], np.ndarray]) -> list[list[arb]]:
    """The unit vectors of ascending eigenvalues, with the signs of the columns of ``signed()``."""
    from flint import acb_mat, arb

    n = _order(entries)
    nothing = [[arb.nan()] * n for _ in range(n)]
    if not all(e.is_finite() for e in entries):
        return nothing
    try:
        values, columns = acb_mat(_matrix(entries)).eig(right=True)
    except ValueError:
        return nothing
    floats = signed()
    ranked = sorted(range(n), key=lambda k: _middle(values[k].real))
    vectors = []
    for place, k in enumerate(ranked):
        column = [columns[i, k] for i in range(n)]
        largest = max(column, key=lambda c: _middle(abs(c)))
        real = [(c / largest).real for c in column]  # LAPACK's and Arb's differ by a factor
        length = sum((c * c for c in real), arb(0)).sqrt()
        along = sum(float(c.mid()) * s for c, s in zip(real, floats[:, place], strict=True))
        vectors.append([c / length if along >= 0 else -c / length for c in real])
    return vectors


def _bits() -> int:
    import flint

    return flint.ctx.prec


_values_in_balls = _Latest(_ball_values, _bits)
_vectors_in_balls = _Latest(_ball_vectors, _bits)
_singular_in_balls = _Latest(_ball_singular_vectors, _bits)


def _index(k: arb) -> int:
    return int(k.unique_fmpz())


def _ball_value(k: arb, *entries: arb) -> arb:
    return _values_in_balls(entries)[_index(k)]


def _ball_vector(k: arb, i: arb, *entries: arb) -> arb:
    return _vectors_in_balls(entries)[_index(k)][_index(i)]


def _ball_singular(k: arb, i: arb, *args: arb) -> arb:
    return _singular_in_balls(args)[_index(k)][_index(i)]


BALL = {
    "eigenvalue": _ball_value,
    "eigenvector": _ball_vector,
    "singularvector": _ball_singular,
}


# Power series of length two: value and slope


def _slopes(entries: Sequence[arb_series]) -> tuple[list[arb], list[list[arb]], arb_mat]:
    """Values, vectors, and the moving matrix in the vectors' basis."""
    still = [e[0] for e in entries]
    return _moving(entries, _ball_vectors(still))


def _singular_slopes(args: Sequence[arb_series]) -> tuple[list[arb], list[list[arb]], arb_mat]:
    """The same for the smaller Gram matrix, ascending."""
    rows = _index(args[0][0])
    vectors = _ball_singular_vectors([a[0] for a in args])[::-1]
    return _moving(gram(rows, args[1:], operator.add, operator.mul), vectors)


def _moving(
    entries: Sequence[arb_series], vectors: list[list[arb]]
) -> tuple[list[arb], list[list[arb]], arb_mat]:
    from flint import arb_mat

    values = _ball_values([e[0] for e in entries])
    basis = arb_mat(vectors)
    return values, vectors, basis * arb_mat(_matrix([e[1] for e in entries])) * basis.transpose()


_in_series = _Latest(_slopes, _bits)
_singular_in_series = _Latest(_singular_slopes, _bits)


def _series_value(k: arb_series, *entries: arb_series) -> arb_series:
    from flint import arb_series

    values, _, moving = _in_series(entries)
    at = _index(k[0])
    return arb_series([values[at], moving[at, at]])


def _series_vector(k: arb_series, i: arb_series, *entries: arb_series) -> arb_series:
    return _turning(_in_series(entries), _index(k[0]), _index(i[0]))


def _series_singular(k: arb_series, i: arb_series, *args: arb_series) -> arb_series:
    found = _singular_in_series(args)
    return _turning(found, len(found[0]) - 1 - _index(k[0]), _index(i[0]))


def _turning(found: tuple[list[arb], list[list[arb]], arb_mat], at: int, row: int) -> arb_series:
    from flint import arb, arb_series

    values, vectors, moving = found
    others = (m for m in range(len(values)) if m != at)
    slope = sum((vectors[m][row] * moving[m, at] / (values[at] - values[m]) for m in others), arb())
    return arb_series([vectors[at][row], slope])


SERIES = {
    "eigenvalue": _series_value,
    "eigenvector": _series_vector,
    "singularvector": _series_singular,
}


# Derivatives


def partial(graph: Graph, node: Node, i: int) -> Node:
    """The derivative in an entry of the matrix: ``v' dA v``, and the same with the other vectors.

    Raises
    ------
    NotDifferentiable
        In a number that says which eigenvalue.
    """
    from symbolic.sympy_bridge import NotDifferentiable

    before = OPERATIONS[node.op]
    if i < before:
        raise NotDifferentiable(f"{node.op} in its argument {i}, which counts")
    k, *others = (int(a.args[0]) for a in node.args[:before])
    entries = node.args[before:]
    if node.op == "singularvector":
        return _singular_partial(graph, k, others[0], others[1], entries, i - before)
    n = _order(entries)
    p, q = _places(n)[i - before]

    def vector(m: int, row: int) -> Node:
        return graph.apply("eigenvector", graph.constant(m), graph.constant(row), *entries)

    def moving(m: int) -> Node:
        once = graph.mul(vector(m, p), vector(k, q))
        return once if p == q else graph.add(once, graph.mul(vector(m, q), vector(k, p)))

    if node.op == "eigenvalue":
        return moving(k)
    return _turned(graph, k, n, entries, moving, lambda m: vector(m, others[0]))


def _turned(
    graph: Graph,
    k: int,
    n: int,
    entries: Sequence[Node],
    moving: Callable[[int], Node],
    component: Callable[[int], Node],
) -> Node:
    """What an eigenvector turns by: of every other one as much as the matrix moves between them."""

    def value(m: int) -> Node:
        return graph.apply("eigenvalue", graph.constant(m), *entries)

    total = graph.zero
    for m in range(n):
        if m != k:
            share = graph.div(moving(m), graph.sub(value(k), value(m)))
            total = graph.add(total, graph.mul(component(m), share))
    return total


def _singular_partial(
    graph: Graph, k: int, i: int, rows: int, entries: Sequence[Node], place: int
) -> Node:
    columns = len(entries) // rows
    r, c = divmod(place, columns)
    tall = rows >= columns
    n, number = min(rows, columns), graph.constant(rows)

    def vector(m: int, row: int) -> Node:  # by rising eigenvalue
        rank, at = graph.constant(n - 1 - m), graph.constant(row)
        return graph.apply("singularvector", rank, at, number, *entries)

    def across(m: int) -> Node:
        """Row r of M times a vector of the right side, column c of M times one of the left."""
        along = range(columns) if tall else range(rows)
        terms = [
            graph.mul(entries[r * columns + j if tall else j * columns + c], vector(m, j))
            for j in along
        ]
        return fold(graph.add, terms)

    def moving(m: int) -> Node:
        at = c if tall else r
        first = graph.mul(vector(m, at), across(n - 1 - k))
        return graph.add(first, graph.mul(vector(n - 1 - k, at), across(m)))

    squares = gram(rows, entries, graph.add, graph.mul)
    return _turned(graph, n - 1 - k, n, squares, moving, lambda m: vector(m, i))


# Normal forms


def eigenvalue(nf: NormalForms, k: Element, *entries: Element) -> Element:
    if not 2 <= _order(entries) <= _LARGEST_NORMAL_FORM:
        return nf.opaque("eigenvalue", [k, *entries])
    return _spectrum(nf, entries)[_number(nf, k)]


def eigenvector(nf: NormalForms, k: Element, i: Element, *entries: Element) -> Element:
    """From the adjugate of ``A - lambda``, which is ``t v v'`` with its trace t.

    The component with which the vector is scaled is the root of a polynomial, of either sign.
    """
    tower = nf.tower
    n = _order(entries)
    if not 2 <= n <= _LARGEST_NORMAL_FORM:
        return nf.opaque("eigenvector", [k, i, *entries])
    value = _spectrum(nf, entries)[_number(nf, k)]
    shifted = [
        [tower.sub(e, value) if p == q else e for q, e in enumerate(row)]
        for p, row in enumerate(_matrix(entries))
    ]
    diagonal = [_cofactor(nf, shifted, j, j) for j in range(n)]
    trace = tower.sum(diagonal)
    scaling = next((j for j in range(n) if not diagonal[j].num.is_zero()), 0)
    square = tower.mul(diagonal[scaling], trace)
    key = ("component", square.key)
    generator = tower.find(key)
    if generator is None:
        # A generator's relation is a polynomial: the root of a fraction over its denominator.
        under = tower.times(square.num, square.den)
        generator = tower.new(key, "component", None, (2, under))
    root = tower.make(tower.poly(generator), square.den)
    top = tower.mul(_cofactor(nf, shifted, _number(nf, i), scaling), root)
    return tower.div(top, square)


def singularvector(
    nf: NormalForms, k: Element, i: Element, rows: Element, *entries: Element
) -> Element:
    count = _number(nf, rows)
    n = min(count, len(entries) // count)
    squares = gram(count, entries, nf.tower.add, nf.tower.mul)
    return eigenvector(nf, nf.rational(n - 1 - _number(nf, k)), i, *squares)


def _number(nf: NormalForms, k: Element) -> int:
    value = nf.tower.as_rational(k)
    assert value is not None
    return int(value)


def _spectrum(nf: NormalForms, entries: Sequence[Element]) -> list[Element]:
    """The eigenvalues: roots of the characteristic polynomial, divided out one by one."""
    tower = nf.tower
    n = _order(entries)
    if n == 2:
        return _two(nf, *entries)
    from symbolic.tower import poly_key

    common = tower.one_poly
    for e in entries:
        common = tower.times(common, e.den // tower.common(common, e.den))
    whole = [tower.times(e.num, common // e.den) for e in entries]
    rows = _matrix(whole)
    # x^n - s1 x^(n-1) + s2 x^(n-2) ..., in rising powers
    powers = [tower.one_poly]
    for r in range(1, n + 1):
        total = tower.zero_poly
        for chosen in combinations(range(n), r):
            total = total + _determinant(nf, [[rows[p][q] for q in chosen] for p in chosen])
        powers.insert(0, total if r % 2 == 0 else -total)
    found: list[Any] = []
    for k in range(n - 1):
        key = ("eigenvalue", tuple(map(poly_key, whole)), k)
        generator = tower.find(key)
        if generator is None:
            relation = (len(powers) - 1, *(-c for c in powers[:-1]))
            generator = tower.new(key, "eigenvalue", relation[1:], relation)
        root = tower.poly(generator)
        found.append(root)
        powers = _divided(nf, powers, root)
    found.append(-powers[0])
    return [tower.make(f, common) for f in found]


def _two(nf: NormalForms, a: Element, b: Element, c: Element) -> list[Element]:
    from symbolic import elementary

    tower, half = nf.tower, nf.rational(Fraction(1, 2))
    centre, apart = tower.mul(half, tower.add(a, c)), tower.mul(half, tower.sub(a, c))
    squares = tower.add(tower.mul(apart, apart), tower.mul(b, b))
    nf.assume(squares, 1)
    radius = elementary.sqrt(nf, squares)
    return [tower.sub(centre, radius), tower.add(centre, radius)]


def _divided(nf: NormalForms, powers: list[Any], root: Any) -> list[Any]:
    """The polynomial (in rising powers) divided by ``x - root``: Horner's scheme."""
    quotient = [powers[-1]]
    for c in powers[-2:0:-1]:
        quotient.insert(0, nf.tower.reduce(c + nf.tower.times(root, quotient[0])))
    return quotient


def _determinant(nf: NormalForms, rows: list[list[Any]]) -> Any:
    """Leibniz' formula, for polynomials."""
    tower = nf.tower
    total = tower.zero_poly
    for order in permutations(range(len(rows))):
        term = tower.one_poly
        for p, q in enumerate(order):
            term = tower.times(term, rows[p][q])
        total = total + term if _even(order) else total - term
    return tower.reduce(total)


def _cofactor(nf: NormalForms, rows: list[list[Element]], i: int, j: int) -> Element:
    tower = nf.tower
    minor = [row[:j] + row[j + 1 :] for p, row in enumerate(rows) if p != i]
    total = tower.zero
    for order in permutations(range(len(minor))):
        term = tower.one if _even(order) else nf.rational(-1)
        for p, q in enumerate(order):
            term = tower.mul(term, minor[p][q])
        total = tower.add(total, term)
    return total if (i + j) % 2 == 0 else tower.neg(total)


def _even(order: Sequence[int]) -> bool:
    return sum(a > b for a, b in combinations(order, 2)) % 2 == 0


RULES: dict[str, Callable[..., Element]] = {
    "eigenvalue": eigenvalue,
    "eigenvector": eigenvector,
    "singularvector": singularvector,
}
