"""The same example in other shapes: other lengths, axes, options, indices, and smaller.

May import: :mod:`verify.examples`, :mod:`verify.subject`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from verify.examples import Example
from verify.subject import Subject

__all__ = [
    "holds_arrays",
    "longer",
    "options",
    "other_indices",
    "reduced",
    "single",
    "variations",
]

# Lengths that no example has, tried by a slope or two, and the most entries then.
_LONG = (37, 300)
_MOST_LONG = 2000


def variations(example: Example, longest: int = 0) -> Iterator[Example]:
    """The same example at other lengths and axes: 1, 2 and one more, each axis from either end.

    One more than its own length, and than ``longest``, that of any example.

    A length that stands in several shapes changes in all of them. Examples that hold arrays or
    indices of their own have no other shapes.
    """
    arrays = [s for s in example.slots if s.varies]
    lengths = sorted({n for s in arrays if s.shape for n in s.shape if n > 0})
    if not holds_arrays(example):
        for length in lengths:
            for other in dict.fromkeys((1, 2, max(length, longest) + 1)):
                if other != length and (other not in lengths or other == 1):
                    yield _resized(example, {length: other})
        if len(lengths) > 1:
            yield _resized(example, dict.fromkeys(lengths, 1))
    ndim = max((len(s.shape) for s in arrays if s.shape), default=0)
    if isinstance(example.keywords.get("axis"), int):
        for axis in range(-ndim, ndim):
            if axis != example.keywords["axis"]:
                yield replace(example, keywords={**example.keywords, "axis": axis})
    if isinstance(example.keywords.get("keepdims"), bool):
        other_way = {**example.keywords, "keepdims": not example.keywords["keepdims"]}
        yield replace(example, keywords=other_way)


def options(subject: Subject, example: Example) -> Iterator[Example]:
    """The same example with the options that nobody set: each flag turned, an axis named."""
    given = {s.name for s in example.slots} | example.keywords.keys()
    for name, default in subject.defaults.items():
        if name in given:
            continue
        others: tuple[Any, ...] = ()
        if isinstance(default, bool):
            others = (not default,)
        elif name == "axis" and (default is None or isinstance(default, int)):
            others = (0, -1, 1)
        for value in others:
            if value != default:
                other = replace(example, keywords={**example.keywords, name: value})
                yield other
                if name == "axis":
                    yield _square(other)


def _square(example: Example) -> Example:
    """The same example with square arrays, of which every axis has the same length."""
    slots = tuple(
        replace(s, shape=(3,) * max(2, len(s.shape))) if s.shape else s for s in example.slots
    )
    return replace(example, slots=slots)


def single(example: Example) -> Example | None:
    """The same example with one entry in each argument; None where it has no other shapes."""
    arrays = [s for s in example.slots if s.varies]
    lengths = {n for s in arrays for n in s.shape or ()}
    if lengths <= {1} or holds_arrays(example) or any(s.is_complex for s in example.slots):
        return None
    return _resized(example, dict.fromkeys(lengths, 1))


def reduced(example: Example) -> Example:
    """The same example with its long axes cut to 3, 4, ... entries, equal ones equally."""
    arrays = [s for s in example.slots if s.varies]
    lengths = sorted({n for s in arrays if s.shape for n in s.shape if n > 4})
    taken = {n for s in arrays if s.shape for n in s.shape if n <= 4}
    free = [n for n in (3, 4, 2, 5, 6) if n not in taken] + [3] * len(lengths)
    small = _resized(example, dict(zip(lengths, free, strict=False)))
    return replace(small, slots=tuple(replace(s, base=None) for s in small.slots))


def holds_arrays(example: Example) -> bool:
    """Whether it holds arrays or indices of its own, whose shapes go with those of the rest."""
    return any(s.base is not None for s in example.slots if s.varies) or any(
        isinstance(v, (np.ndarray, list, tuple)) for v in _others(example)
    )


def longer(example: Example) -> Iterator[Example]:
    """The same example with one length much longer, where counts and blocks come to their ends."""
    if holds_arrays(example):
        return
    for length in sorted({n for s in example.slots if s.varies for n in s.shape or () if n > 1}):
        for other in _LONG:
            resized = _resized(example, {length: other})
            if other > length and resized.size <= _MOST_LONG:
                yield resized


def other_indices(example: Example, rng: np.random.Generator) -> Iterator[Example]:
    """The same example with other values in its arrays of integers: some again, some not at all.

    Drawn from the values given, so that an index stays one. Nothing is known of other values for
    what can have no repetitions: a permutation, the ends of rows. Of what is in order the first and
    the last stay.
    """
    lengths = {n for s in example.slots if s.varies for n in s.shape or ()}
    slots = list(example.slots)
    for i, slot in enumerate(slots):
        given = slot.fixed
        if not isinstance(given, np.ndarray) or given.dtype.kind not in "iu" or given.size < 2:
            continue
        flat = given.ravel()
        steps = np.diff(flat.astype(np.int64))
        permuted = given.size in lengths and np.array_equal(np.sort(flat), np.arange(given.size))
        if permuted or np.all(steps > 0) or not np.any(steps):
            continue
        drawn = rng.choice(flat, flat.size)
        drawn[-1] = drawn[0]
        if np.all(steps >= 0):
            drawn = np.sort(np.concatenate([flat[:1], drawn[1:-1], flat[-1:]]))
        slots[i] = replace(slot, fixed=drawn.reshape(given.shape).astype(given.dtype))
        yield replace(example, slots=tuple(slots))


def _others(example: Example) -> list[Any]:
    keywords = {k: v for k, v in example.keywords.items() if k != "axis"}
    return [*keywords.values(), *(s.fixed for s in example.slots if not s.varies)]


def _resized(example: Example, lengths: dict[int, int]) -> Example:
    slots = tuple(
        replace(s, shape=tuple(lengths.get(n, n) for n in s.shape)) if s.shape else s
        for s in example.slots
    )
    return replace(example, slots=slots)
