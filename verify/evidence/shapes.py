"""A function of single entries at other ranks and lengths: does each entry fare as it does alone?

The proof at one entry is the proof at every shape only for code that treats every entry alike. Code
that asks for the rank, the length or the place of an entry is found here, by comparing arrays of
three and four axes and of a thousand entries with the same entries taken a few at a time.

May import: of :mod:`verify` the examples, the instance, and what judges.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from verify.domains import ELSEWHERE
from verify.evidence.violation import Violation
from verify.examples import Example
from verify.failure import Failure
from verify.instance import FloatRun, Instance, Piece
from verify.judge import Wrong
from verify.variations import holds_arrays

if TYPE_CHECKING:
    from verify.casework import Casework

__all__ = ["any_length", "broadcast", "compare", "exchangeable", "of_more_axes"]

_SHAPES = ((2, 3, 2), (1, 2, 1, 3), (3, 60), (1200,))
_MOST_BLOCKS = 60

# Shapes of all arguments, and of the one that is broadcast against them.
_PATTERNS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 3), (1, 3)),
    ((2, 3), (2, 1)),
    ((2, 3), (1, 1)),
    ((2, 3), (3,)),
    ((2, 3), ()),
    ((2, 3, 4), (2, 1, 4)),
    ((2, 3, 4), (3, 1)),
]


def compare(work: Casework, example: Example) -> Failure | None:
    """What is wrong with an entry in a larger array and right alone, or None.

    Where the code does not run on such an array, or its value is another there, nothing is wrong:
    but then what was found holds at the shapes tried, and not at every shape.
    """
    if holds_arrays(example) or any(s.is_complex or s.scalar for s in example.slots):
        return None
    known = Instance(work.subject, example, np.random.default_rng(0))
    if known.prepare().forward_error is not None or known.planes:
        return None
    full = np.broadcast_shapes(*(p.shape for p in known.pieces))
    points = work.known.points(example.settings)
    declared = [
        np.broadcast_shapes(*(s.shape for s in e.slots if s.shape is not None))
        for e in work.examples
        if e.settings == example.settings
    ]
    for shape in dict.fromkeys([*_SHAPES, *(s for s in declared if len(s) and 0 not in s)]):
        if shape == full:
            continue
        work.doing = f"comparing entries of arrays of shape {shape} with the same alone"
        slots = tuple(
            replace(s, shape=shape) if s.varies and s.shape == full else s for s in example.slots
        )
        large = Instance(work.subject, replace(example, slots=slots), np.random.default_rng(3))
        run = large.forward_only(large.draw())
        wrong: Wrong | str | None = "value"
        if run.forward_error is None and [o.shape for o in run.outputs] == [
            shape if s == full else s for s in known.output_shapes
        ]:
            large.prepare()
            wrong = _differing(known, large, full, points)
        if isinstance(wrong, Wrong):
            return Failure(large, "oracle", wrong=wrong)
        if wrong == "value":
            work.entrywise = False
            return None
    return None


def _differing(
    known: Instance, large: Instance, full: tuple[int, ...], cells: list[np.ndarray]
) -> Wrong | str | None:
    """The first entry of a gradient that is another one alone; ``"value"`` where forward is."""
    point = _defined(large)
    if point is None:
        return None
    wrong = _differing_at(known, large, full, point)
    # Every branch that single entries take is taken by some entry of the larger array too.
    grown = [(p, q) for p, q in _pairs(known, large) if p.shape == full]
    size, count = grown[0][0].size, grown[0][1].size
    for k in range(0, len(cells) if size == 1 else 0, count):
        if wrong is not None:
            break
        filled = point.copy()
        for i in range(count):
            cell = cells[(k + i) % len(cells)]
            for p, q in grown:
                # An upstream gradient of zero would show nothing.
                if p.start < known.inputs or cell[p.start]:
                    filled[q.start + i] = cell[p.start]
        if large.in_domain(filled) and large.forward_only(filled).finite:
            wrong = _differing_at(known, large, full, filled)
    return wrong


def _differing_at(
    known: Instance, large: Instance, full: tuple[int, ...], point: np.ndarray
) -> Wrong | str | None:
    run = large.run(point)
    if run.backward_error is not None or run.shape_errors:
        return "value"
    pairs = _pairs(known, large)
    size, count = next((p.size, q.size) for p, q in pairs if p.shape == full)
    gradient = run.flat_grads(large.pieces)
    for block in _blocks(count, size):
        part = np.zeros(len(known.names))
        for p, q in pairs:
            whole = point[q.start : q.stop]
            part[p.start : p.stop] = whole[block] if p.shape == full else whole
        alone = known.run(part)
        if alone.backward_error is not None or not _same_values(known, run, alone, block, full):
            return "value"
        expected = alone.flat_grads(known.pieces)
        for p, q in pairs[: len(known.pieces)]:
            if p.shape != full:  # of which each block gives a part
                continue
            given, right = gradient[q.start : q.stop][block], expected[p.start : p.stop]
            far = _far(known, given, right)
            if far.any():
                i = int(np.argmax(far))
                entry = q.start + int(block[i])
                return Wrong(point, entry, float(right[i]), float(given[i]), np.inf, True, "value")
    return None


def _pairs(known: Instance, large: Instance) -> list[tuple[Piece, Piece]]:
    """The same arrays at both shapes: arguments, then upstream gradients."""
    arguments = zip(known.pieces, large.pieces, strict=True)
    return [*arguments, *zip(known.upstream, large.upstream, strict=True)]


def _defined(instance: Instance) -> np.ndarray | None:
    """A point at which forward is finite, in a domain that nobody declared too; None for none."""
    n = instance.inputs
    drawn = instance.draw(np.random.default_rng(5))
    points = [drawn]
    if instance.free:
        points += [np.concatenate([form(drawn[:n]), drawn[n:]]) for form in ELSEWHERE]
    for point in points:
        if instance.in_domain(point) and instance.forward_only(point).finite:
            return point
    return None


def _blocks(count: int, size: int) -> list[np.ndarray]:
    """Runs of ``size`` places, the last ones among them; all of them if they are few."""
    starts = [min(k, count - size) for k in range(0, count, size)]
    if len(starts) > _MOST_BLOCKS:
        middle = np.random.default_rng(9).choice(starts[:-20], _MOST_BLOCKS - 20, replace=False)
        starts = [*sorted(middle.tolist()), *starts[-20:]]
    return [np.arange(k, k + size) for k in starts]


def _same_values(
    known: Instance, run: FloatRun, alone: FloatRun, block: np.ndarray, full: tuple[int, ...]
) -> bool:
    return not any(
        _far(known, run.outputs[p.position].ravel()[block], alone.outputs[p.position].ravel()).any()
        for p in known.upstream
        if p.shape == full
    )


def _far(instance: Instance, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays differ by more than rounding; NaN is no difference from NaN.

    They are the same code's on the same numbers, but for vector instructions.
    """
    close = 10 * np.sqrt(instance.eps)
    with np.errstate(all="ignore"):
        far = ~(np.abs(a - b) <= close * np.maximum(np.abs(a), np.abs(b)) + 1e-290)
    return far & ~((a == b) | (np.isnan(a) & np.isnan(b)))


def broadcast(work: Casework, example: Example) -> Failure | None:
    """What is wrong where one argument is broadcast against the others, along any of its axes.

    The gradient of an entry that stands in several places is the sum of theirs. Code that does not
    run there makes no such promise, nor does that of which examples say what it is given.
    """
    varying = [i for i, s in enumerate(example.slots) if s.varies and not s.scalar]
    if len(varying) < 2 or holds_arrays(example):
        return None
    for full, small in _PATTERNS:
        for i in varying:
            shapes = {j: small if j == i else full for j in varying}
            instance = _resized(work, example, shapes)
            whole = _resized(work, example, dict.fromkeys(varying, full))
            if instance is None or whole is None:
                continue
            if [instance.output_shapes, whole.output_shapes] != [[full], [full]]:
                continue
            violation = _summed(instance, whole, full)
            if violation is not None:
                return Failure(instance, "contract", violation=violation)
    return None


def _resized(
    work: Casework, example: Example, shapes: dict[int, tuple[int, ...]]
) -> Instance | None:
    """The example with other shapes for some of its arguments, if the code runs on them."""
    slots = list(example.slots)
    for i, shape in shapes.items():
        slots[i] = replace(slots[i], shape=shape, base=None)
    instance = Instance(work.subject, replace(example, slots=tuple(slots)), work.rng)
    return None if instance.prepare().forward_error is not None else instance


def _summed(instance: Instance, whole: Instance, full: tuple[int, ...]) -> Violation | None:
    """What is no sum over the gradients of ``whole``, which has all arguments in full."""
    point = _defined(instance)
    if point is None:
        return None
    spread = [
        np.broadcast_to(point[p.start : p.stop].reshape(p.shape), full).ravel()
        for p in [*instance.pieces, *instance.upstream]
    ]
    run, in_full = instance.run(point), whole.run(np.concatenate(spread))
    if run.backward_error or in_full.backward_error or run.shape_errors or in_full.shape_errors:
        return None  # told by the contract
    for piece, given, everywhere in zip(instance.pieces, run.grads, in_full.grads, strict=True):
        if given is None or everywhere is None:
            continue
        extra = len(full) - len(piece.shape)
        axes = [k for k, n in enumerate(full) if k < extra or n != piece.shape[k - extra]]
        right = np.sum(everywhere.reshape(full), axis=tuple(axes)).reshape(-1)
        size = float(np.max(np.abs(everywhere), initial=0.0))
        bad = ~(np.abs(given - right) <= 1e-9 * np.abs(right) + 1e-12 * size)
        if bad.any() and np.all(np.isfinite(right)):
            k = int(np.argmax(bad))
            return Violation(
                "broadcast",
                f"{piece.name} {piece.shape} is broadcast against {full}, and its gradient is not "
                "the sum over the places where an entry stands",
                piece.name,
                point,
                piece.start + k,
                float(right[k]),
                float(given[k]),
            )
    return None


def exchangeable(work: Casework, example: Example, other: Example) -> bool:
    """Whether entries along the axes that another example changes the length of play one role.

    If they do, permuting them permutes what forward gives, or leaves it. Red, green and blue do
    not, nor do the coordinates of a box: that there are three or four of them is part of what the
    arguments mean.
    """
    lengths = _asked(work, example, other)
    if not lengths:
        return True
    known = Instance(work.subject, example, np.random.default_rng(3))
    if known.prepare().forward_error is not None:
        return True
    point = _defined(known)
    return point is None or all(_exchanged(known, point, n) for n in lengths)


def any_length(work: Casework, example: Example, other: Example) -> bool:
    """Whether the examples say that each length which another one changes may be any.

    Any longer one: of one entry alone there may be no difference, no area, nothing to give back.
    """
    return other.size >= example.size and not _asked(work, example, other, shortest=1)


def _asked(work: Casework, example: Example, other: Example, shortest: int = 2) -> set[int]:
    """The lengths that another example changes, but for those that differ between examples."""
    shapes = [s.shape for s in example.slots if s.varies and s.shape]
    changed = [s.shape for s in other.slots if s.varies and s.shape]
    if list(map(len, shapes)) != list(map(len, changed)):
        return set()  # see :func:`of_more_axes`
    pairs = [p for a, b in zip(shapes, changed, strict=True) for p in zip(a, b, strict=True)]
    lengths = {n for n, m in pairs if n != m and n >= shortest}
    declared = [[s.shape for s in e.slots if s.varies and s.shape] for e in work.declared]
    alike = [d for d in declared if list(map(len, d)) == list(map(len, shapes))]
    for i, shape in enumerate(shapes):
        for axis, n in enumerate(shape):
            if len({d[i][axis] for d in alike}) > 1:
                lengths.discard(n)
    return lengths


def of_more_axes(work: Casework, example: Example) -> Iterator[Example]:
    """The same example with one axis more than any, where examples differ in the number of axes."""
    varying = [s for s in example.slots if s.varies]
    ranks = {len(s.shape) for e in work.declared for s in e.slots if s.shape is not None}
    if len(varying) == 1 and len(ranks) > 1 and len(varying[0].shape or ()) == max(ranks):
        shape = (2, *(varying[0].shape or ()))
        slots = tuple(replace(s, shape=shape, base=None) if s.varies else s for s in example.slots)
        yield replace(example, slots=slots)


def _exchanged(instance: Instance, point: np.ndarray, length: int) -> bool:
    order = np.roll(np.arange(length), 1)
    moved = point.copy()
    for piece in instance.pieces:
        block = moved[piece.start : piece.stop].reshape(piece.shape)
        for axis in (k for k, n in enumerate(piece.shape) if n == length):
            block = np.take(block, order, axis)
        moved[piece.start : piece.stop] = block.ravel()
    before, after = instance.forward_only(point), instance.forward_only(moved)
    if after.forward_error is not None:
        return False
    return all(_permuted(a, b, order) for a, b in zip(before.outputs, after.outputs, strict=True))


def _permuted(before: np.ndarray, after: np.ndarray, order: np.ndarray) -> bool:
    """Whether ``after`` is ``before`` with some of its axes permuted, or none."""
    if before.shape != after.shape:
        return False
    axes = [k for k, n in enumerate(before.shape) if n == len(order)]
    for count in range(len(axes) + 1):
        for chosen in itertools.combinations(axes, count):
            moved = before
            for axis in chosen:
                moved = np.take(moved, order, axis)
            if np.allclose(moved, after, rtol=1e-9, atol=1e-12):
                return True
    return False
