"""Does it keep its results to itself? What a call leaves behind for the next: state and aliasing.

May import: :mod:`verify.instance`, :mod:`verify.evidence.violation`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from verify.evidence.violation import (
    Violation,
    changed,
    compared,
    near,
    same,
    upstream_size,
)
from verify.instance import FloatRun, Instance
from verify.subject import FunctionSubject, PairSubject

__all__ = [
    "among",
    "handed_out",
    "interleaved",
    "mutation",
    "refilled",
    "repeated",
    "unchanged",
]


def unchanged(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """Forward's value is that before backward was ever called, and the first gradient was right."""
    first = instance.subject.first
    if first is None:
        return
    values, gradients = [], []
    for _ in range(4):
        try:
            with instance._quiet():
                args = copy.deepcopy(first.args)
                outputs, pullback = instance.subject.forward(args, first.keywords)
                values.append([np.array(o) for o in outputs])
                ones = [np.ones(o.shape, o.dtype) for o in values[-1]]
                gradients.append([np.array(g) for g in pullback(ones) if g is not None])
        except Exception:
            return
    # Where every call gives another value it is forward itself that changes, or it is random.
    if not all(near(values[0], v) for v in values[1:]):
        return
    if not near(values[0], first.outputs):
        yield Violation(
            "state",
            "forward gives another value at the same point than before backward was first called: "
            "backward writes to data that forward reads",
            point=point,
        )
    elif first.grads is not None and all(near(gradients[0], g) for g in gradients[1:]):
        before = [g for g in first.grads if g is not None]
        if not near(gradients[0], before):
            yield Violation(
                "state",
                "the very first call gave another gradient than later ones at the same point: "
                f"{_short(before)}, then {_short(gradients[0])}",
                point=point,
            )


def _short(arrays: Sequence[np.ndarray]) -> str:
    return ", ".join(np.array2string(a, precision=4, threshold=6) for a in arrays)


def mutation(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """Inputs, saved values and upstream gradients are not written to."""
    args = instance.arguments(point)
    upstream = instance.upstream_arrays(point)
    before = [_bytes(a) for a in args]
    before_up = [_bytes(u) for u in upstream]
    with instance._quiet():
        try:
            outputs, pullback = instance.subject.forward(args, instance.example.keywords)
        except Exception:  # forward's own failures are judged elsewhere
            return
        outs = [_bytes(o) for o in outputs]
        changed = [i for i, a in enumerate(args) if _bytes(a) != before[i]]
        if changed and not isinstance(instance.subject, PairSubject):
            name = instance.example.slots[changed[0]].name
            yield Violation("mutates", f"forward writes to its argument {name}", name, point)
            return
        if changed:
            return
        try:
            pullback(upstream)
        except Exception:
            return
        for i, a in enumerate(args):
            if _bytes(a) != before[i]:
                name = instance.example.slots[i].name
                yield Violation(
                    "mutates",
                    f"backward writes to the argument {name}: it must copy first",
                    name,
                    point,
                )
                return
        for i, u in enumerate(upstream):
            if _bytes(u) != before_up[i]:
                yield Violation(
                    "mutates",
                    "backward writes to the upstream gradient, which other parts of the graph may "
                    "share: it must copy first",
                    None,
                    point,
                )
                return
        for o, saved in zip(outputs, outs, strict=True):
            if _bytes(o) != saved:
                yield Violation(
                    "mutates",
                    "backward writes to forward's output: it must copy first",
                    None,
                    point,
                )
                return


def _bytes(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    return repr(value) if isinstance(value, (int, float, list)) else None


def repeated(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """The same answer twice: from a second call, and from a second backward of one forward."""
    again = instance.run(point)
    difference = same(run, again, instance, upstream_size(instance, point))
    if difference is None:
        args, upstream = instance.arguments(point), instance.upstream_arrays(point)
        runs = []
        with instance._quiet():
            try:
                _, pullback = instance.subject.forward(args, instance.example.keywords)
                for _ in range(3):
                    one = FloatRun(raw_grads=tuple(pullback([np.array(u) for u in upstream])))
                    # A gradient may share memory with a buffer that the next call reuses: keep it.
                    instance._collect(one)
                    runs.append(one)
            except Exception as error:
                yield Violation(
                    "state",
                    f"a second backward of the same forward raises {type(error).__name__}: {error}",
                    None,
                    point,
                )
                return
        for other in runs:
            difference = difference or same(run, other, instance, upstream_size(instance, point))
        if difference is None:
            yield from _upstream_anew(instance, point)
            return
    if difference is not None:
        i, first, second = difference
        piece, k = instance.owner(i)
        yield Violation(
            "state",
            f"the same call gives another gradient the second time (entry {piece.label(k)}): "
            "backward keeps state, changes what was saved, or is random",
            piece.name,
            point,
            i,
            first,
            second,
        )


def _upstream_anew(instance: Instance, point: np.ndarray) -> Iterator[Violation]:
    """A second backward of one forward takes its own upstream gradient."""
    other = point.copy()
    other[instance.inputs :] = instance.draw(np.random.default_rng(6))[instance.inputs :]
    plain, late = instance.run(other), FloatRun()
    if plain.backward_error is not None:
        return
    with instance._quiet():
        args = instance.arguments(point)
        try:
            _, pullback = instance.subject.forward(args, instance.example.keywords)
            pullback(instance.upstream_arrays(point))
            late.raw_grads = tuple(pullback(instance.upstream_arrays(other)))
            instance._collect(late)
        except Exception:
            return
    text = (
        "a second backward of the same forward, with another upstream gradient, gives another "
        "gradient than a fresh one (entry {}): backward keeps what depends on its argument"
    )
    yield from changed(instance, other, plain, late, "state", text)


def handed_out(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """What was handed out stays what it is when the subject is called again elsewhere.

    The gradients; and a Function's outputs, which the caller holds as Tensors.
    """
    subject, keywords = instance.subject, instance.example.keywords
    grads: list[tuple[np.ndarray, bytes]] = []
    outputs: list[tuple[np.ndarray, bytes]] = []
    for where in (point, instance.draw(np.random.default_rng(8))):
        try:
            with instance._quiet():
                args, upstream = instance.arguments(where), instance.upstream_arrays(where)
                given = subject.handed_out(args, keywords, upstream)
                grads = grads or _held(given)
                if isinstance(subject, FunctionSubject):
                    outputs = outputs or _held(subject.forward(args, keywords)[0])
        except Exception:
            return
    for held, what, whose in (
        (grads, "the gradient", "backward"),
        (outputs, "the output", "forward"),
    ):
        if any(array.tobytes() != before for array, before in held):
            yield Violation(
                "state",
                f"{what} of one call changes with the next: {whose} hands out an array that it "
                "fills again; it must return a new one, or a copy",
                point=point,
            )


def _held(arrays: Sequence[Any]) -> list[tuple[np.ndarray, bytes]]:
    return [(a, a.tobytes()) for a in arrays if isinstance(a, np.ndarray)]


def interleaved(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """The same answer where other forwards and backwards came in between."""
    rng = np.random.default_rng(5)
    args, upstream = instance.arguments(point), instance.upstream_arrays(point)
    with instance._quiet():
        try:
            _, pullback = instance.subject.forward(args, instance.example.keywords)
            for _ in range(2):
                other = instance.draw(rng)
                _, second = instance.subject.forward(
                    instance.arguments(other), instance.example.keywords
                )
                second(instance.upstream_arrays(other))
            late = FloatRun(raw_grads=tuple(pullback(upstream)))
            instance._collect(late)
        except Exception:
            return
    yield from changed(instance, point, run, late, "state", _BETWEEN)


_BETWEEN = (
    "the gradient (entry {}) changes when another forward runs in between: "
    "what backward needs must be saved on ctx, not on the class or the module"
)


def refilled(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """The same answer from an array that held other values in an earlier call.

    An optimiser that steps in place hands over the same array each time.
    """
    other = instance.draw(np.random.default_rng(7))
    args, upstream = instance.arguments(other), instance.upstream_arrays(point)
    if instance.run_with(args, instance.upstream_arrays(other)).forward_error is not None:
        return
    for i, value in enumerate(instance.arguments(point)):
        held = args[i]
        if isinstance(held, np.ndarray) and held.shape == np.shape(value) and held.flags.writeable:
            held[...] = value
        else:
            args[i] = value
    text = "an array that is changed in place between two calls: keep a copy of what is remembered"
    yield from compared(instance, point, run, args, upstream, text)


def among(instance: Instance, previous: Sequence[Instance]) -> Iterator[Violation]:
    """Calls at other examples, before this one or in the midst of it, leave it what it is."""
    for other in previous[-_MOST_OTHERS:]:
        yield from _after_another_shape(instance, other)
        yield from _between_halves(instance, other)


_MOST_OTHERS = 6


def _between_halves(instance: Instance, other: Instance) -> Iterator[Violation]:
    """Another shape or other keywords between forward and backward change nothing."""
    rng = np.random.default_rng(12)
    point, elsewhere = instance.draw(rng), other.draw(rng)
    run, late = instance.run(point), FloatRun()
    if run.backward_error is not None or not run.finite:
        return
    args, upstream = instance.arguments(point), instance.upstream_arrays(point)
    with instance._quiet():
        try:
            _, pullback = instance.subject.forward(args, instance.example.keywords)
            _, second = other.subject.forward(other.arguments(elsewhere), other.example.keywords)
            second(other.upstream_arrays(elsewhere))
        except Exception:
            return
        try:
            late.raw_grads = tuple(pullback(upstream))
            instance._collect(late)
        except Exception as error:
            yield Violation(
                "state",
                f"backward raises {type(error).__name__} when a call at {other.example.describe()} "
                "came between it and its forward: what backward needs must be saved on ctx",
                point=point,
            )
            return
    yield from changed(instance, point, run, late, "state", _BETWEEN)


def _after_another_shape(instance: Instance, other: Instance) -> Iterator[Violation]:
    """The same entries in another shape, right after one that was tried before, are another call.

    What is remembered for an array's bytes has to know the shape too.
    """
    if len(other.names) != len(instance.names) or other.inputs != instance.inputs:
        return
    point = instance.draw(np.random.default_rng(9))
    plain = instance.run(point)
    if plain.backward_error is not None or not plain.finite or plain.shape_errors:
        return
    moved = instance.draw(np.random.default_rng(10))
    if not (other.in_domain(moved) and instance.in_domain(moved)):
        return
    other.run(moved)
    run = instance.run(moved)
    if run.shape_errors or (run.backward_error is not None and run.forward_error is None):
        yield Violation(
            "state",
            f"after a call with the same entries at {other.example.describe()} the gradient at "
            f"{instance.example.describe()} has another call's shape: what backward remembers "
            "must be told apart by shape too",
            point=moved,
        )
