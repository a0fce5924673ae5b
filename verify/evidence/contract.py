"""Is it a well-behaved backward? What no formula shows: shapes, aliasing, state, layout, linearity.

May import: :mod:`verify.instance`, :mod:`verify.evidence.state`, :mod:`verify.evidence.violation`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from verify.evidence import state
from verify.evidence.violation import Violation, changed, compared, near
from verify.examples import Example
from verify.failure import Failure
from verify.instance import FloatRun, Instance
from verify.subject import FunctionSubject, PairSubject, raised

if TYPE_CHECKING:
    from verify.casework import Casework

__all__ = ["empty", "gather", "violations"]


def violations(
    instance: Instance, points: Sequence[np.ndarray]
) -> tuple[list[Violation], list[str]]:
    """Every rule of the contract that the subject breaks at some of the points, and notes.

    Parameters
    ----------
    instance : Instance
        Prepared.
    points : sequence of array
        A few ordinary points at which forward is finite.
    """
    found: list[Violation] = []
    notes: list[str] = []
    for point in points:
        run = instance.run(point)
        if run.forward_error is not None or not run.finite:
            continue
        found += _result(instance, point, run)
        if found:
            return found, notes
        for check in (
            state.unchanged, state.mutation, state.repeated, state.handed_out, state.interleaved,
            state.refilled, _layouts, _numbers, _shared, _linear, _asked,
        ):  # fmt: skip
            found += check(instance, point, run)
            if found:
                return found, notes
        notes += _notes(instance, point, run)
        break
    return found, list(dict.fromkeys(notes))


def _result(instance: Instance, point: np.ndarray, run: FloatRun) -> list[Violation]:
    """No exception; the right number of gradients; the shape and type of each."""
    if run.backward_error is not None:
        return [Violation("raises", raised(run.backward_error), point=point)]
    count = len(instance.example.slots)
    got = len(run.raw_grads)
    if isinstance(instance.subject, FunctionSubject) and got != count:
        extra = run.raw_grads[count:]
        if got < count or any(g is not None for g in extra):
            return [
                Violation(
                    "count",
                    f"backward returned {got} gradient{'s' * (got != 1)}; forward takes {count} "
                    f"argument{'s' * (count != 1)}, and each needs one (None where there is none)",
                    point=point,
                )
            ]
    for piece, shape in run.shape_errors:
        summed = _broadcast_axes(shape, piece.shape)
        hint = ""
        if summed is not None:
            hint = f"; the broadcasting was not undone: sum over axes {summed}"
        elif len(shape) == len(piece.shape) and shape == piece.shape[::-1]:
            hint = "; it is transposed"
        return [
            Violation(
                "shape",
                f"the gradient of {piece.name} has shape {shape}; expected {piece.shape}, the "
                f"shape of {piece.name}{hint}",
                argument=piece.name,
                point=point,
                entry=piece.start if piece.size else None,
            )
        ]
    for piece, grad in zip(instance.pieces, run.grads, strict=True):
        if grad is not None and grad.dtype.kind == "c":
            return [
                Violation(
                    "dtype",
                    f"the gradient of {piece.name} is complex; {piece.name} is real",
                    argument=piece.name,
                    point=point,
                )
            ]
    return []


def _broadcast_axes(got: tuple[int, ...], want: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes to sum over so that ``got`` becomes ``want``, if broadcasting explains it."""
    if len(got) < len(want):
        return None
    extra = len(got) - len(want)
    padded = (1,) * extra + want
    if all(w in (g, 1) for g, w in zip(got, padded, strict=True)) and got != want:
        return tuple(
            i for i, (g, w) in enumerate(zip(got, padded, strict=True)) if i < extra or g != w
        )
    return None


def _layouts(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """Any memory layout gives the same gradient: Fortran order, strides, stride 0, read-only."""
    makers: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
        ("Fortran-ordered", lambda a: np.array(a, order="F")),
        ("strided", _strided),
        ("negatively strided", lambda a: np.flip(np.flip(a).copy()) if a.ndim else a),
        ("read-only", _read_only),
    ]
    for name, make in makers:
        upstream = [_laid_out(make, u) for u in instance.upstream_arrays(point)]
        yield from compared(
            instance, point, run, instance.arguments(point), upstream, f"a {name} upstream gradient"
        )
        args = [_laid_out(make, a) for a in instance.arguments(point)]
        yield from compared(
            instance, point, run, args, instance.upstream_arrays(point), f"{name} arguments"
        )
    # Stride 0: what the backward of a sum hands on.
    constant = point.copy()
    constant[instance.inputs :] = 1.5
    plain = instance.run(constant)
    if plain.backward_error is None:
        upstream = [
            np.broadcast_to(np.asarray(u.flat[0], dtype=u.dtype), u.shape) if u.size else u
            for u in instance.upstream_arrays(constant)
        ]
        yield from compared(
            instance,
            constant,
            plain,
            instance.arguments(constant),
            upstream,
            "a stride-0 (broadcast) upstream gradient",
        )


def _numbers(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """What is no array of floats may come in another type: where forward takes it, backward does.

    An index of 32 bits, a NumPy integer, a whole number as a float or the other way round.
    """
    makers: list[tuple[str, Callable[[Any], Any]]] = [
        ("integers of 32 bits", lambda v: _as_dtype(v, np.int32)),
        ("NumPy integers", lambda v: np.int64(v) if type(v) is int else v),
        ("whole numbers as floats", lambda v: float(v) if type(v) is int else v),
        ("floats as whole numbers", lambda v: int(v) if type(v) is float and v % 1 == 0 else v),
    ]
    upstream, keywords = instance.upstream_arrays(point), instance.example.keywords
    for name, make in makers:
        args = instance.arguments(point)
        for i, slot in enumerate(instance.example.slots):
            if not slot.varies:
                args[i] = make(args[i])
        others = {k: make(v) for k, v in keywords.items()}
        given = [s.fixed for s in instance.example.slots if not s.varies]
        if all(make(v) is v for v in [*given, *keywords.values()]):
            continue
        other = instance.run_with(args, upstream, others)
        # Another type may mean something else; and of a power that is a float nobody said a word.
        if other.forward_error is not None or other.backward_error is not None:
            continue
        if other.shape_errors or not near(run.outputs, other.outputs):
            continue
        text = f"the gradient (entry {{}}) is another for {name}; the value is not"
        yield from changed(instance, point, run, other, "dtype", text)


def _as_dtype(value: Any, dtype: Any) -> Any:
    whole = isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.dtype != dtype
    return value.astype(dtype) if whole else value


def _shared(instance: Instance, point: np.ndarray, _: FloatRun) -> Iterator[Violation]:
    """One array given for two arguments has the gradients of two equal arrays."""
    for a, b in itertools.pairwise(instance.pieces):
        if not a.size or (a.shape, a.dtype) != (b.shape, b.dtype):
            continue
        equal = point.copy()
        equal[b.start : b.stop] = equal[a.start : a.stop]
        if not instance.in_domain(equal):
            continue
        apart = instance.run(equal)
        if apart.backward_error is not None or not apart.finite:
            continue
        args = instance.arguments(equal)
        if not isinstance(args[a.position], np.ndarray):
            continue
        args[b.position] = args[a.position]
        text = f"one array for {a.name} and {b.name}"
        yield from compared(instance, equal, apart, args, instance.upstream_arrays(equal), text)


def _asked(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """Asked for some of the gradients alone, backward gives those as it does among all."""
    subject, pieces = instance.subject, instance.pieces
    if not isinstance(subject, FunctionSubject) or len(pieces) < 2:
        return
    alone = [(p,) for p in pieces]
    but_one = [tuple(q for q in pieces if q is not p) for p in pieces] if len(pieces) > 2 else []
    for wanted in [*alone, *but_one]:
        places = {p.position for p in wanted}
        subject.asked = [i in places for i in range(len(instance.example.slots))]
        try:
            partial = instance.run(point)
        finally:
            asked, subject.asked = tuple(subject.asked), None
        text = f"where ctx.needs_input_grad is {asked}"
        if partial.forward_error is not None:
            error = partial.forward_error
            yield Violation(
                "raises", f"forward raises {type(error).__name__} {text}: {error}", point=point
            )
            return
        if partial.backward_error is not None:
            yield Violation("raises", f"{raised(partial.backward_error)}, {text}", point=point)
            return
        # What nobody asked for may be anything.
        for i, p in enumerate(pieces):
            if p not in wanted:
                partial.grads[i] = run.grads[i]
        yield from changed(
            instance,
            point,
            run,
            partial,
            "needs_input_grad",
            f"the gradient (entry {{}}) is another one {text}",
        )


def _laid_out(make: Callable[[np.ndarray], np.ndarray], value: Any) -> Any:
    return make(value) if isinstance(value, np.ndarray) else value


def _strided(a: np.ndarray) -> np.ndarray:
    if not a.ndim:
        return a
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), dtype=a.dtype)
    view = wide[..., ::2]
    view[...] = a
    return view


def _read_only(a: np.ndarray) -> np.ndarray:
    copy = a.copy()
    copy.flags.writeable = False
    return copy


def _linear(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """Linear in the upstream gradient: signs, sums, multiples; and zero gives zero."""
    n = instance.inputs
    if len(instance.names) == n:
        return
    base = run.flat_grads(instance.pieces).real
    if not np.all(np.isfinite(base)):
        return
    rng = np.random.default_rng(11)
    other = rng.normal(size=len(instance.names) - n)

    def at(upstream: np.ndarray) -> np.ndarray | None:
        moved = point.copy()
        moved[n:] = upstream
        r = instance.run(moved)
        return None if r.backward_error is not None else r.flat_grads(instance.pieces).real

    g = point[n:]
    trials: list[tuple[str, np.ndarray, Callable[[], np.ndarray | None]]] = [
        ("zero upstream must give a zero gradient", 0 * g, lambda: 0 * base),
        ("a negated upstream must give the negated gradient", -g, lambda: -base),
        (
            "an upstream 1000 times as large must give 1000 times the gradient",
            1e3 * g,
            lambda: 1e3 * base,
        ),
        ("a tiny upstream must give a tiny gradient", 1e-6 * g, lambda: 1e-6 * base),
        (
            "the gradient of a sum of upstreams must be the sum of gradients",
            g + other,
            lambda: _plus(base, at(other)),
        ),
    ]
    for message, upstream, wanted in trials:
        got, want = at(upstream), wanted()
        if want is None:
            continue
        moved = point.copy()
        moved[n:] = upstream
        if got is None:
            yield Violation(
                "linear", f"backward raises for another upstream: {message}", None, moved
            )
            return
        size = np.max(np.abs(want), initial=0.0) + np.max(np.abs(base), initial=0.0) * np.max(
            np.abs(upstream), initial=0.0
        )
        coarse = instance.eps > 1e-15
        floor = (512 * instance.eps if coarse else 1e-13) * np.max(np.abs(upstream), initial=0.0)
        bad = ~(np.abs(got - want) <= max(1e-8, 640 * instance.eps) * size + floor)
        if np.any(bad):
            i = int(np.argmax(bad))
            piece, _ = instance.owner(i)
            yield Violation(
                "linear",
                f"backward is not linear in the upstream gradient: {message}",
                piece.name,
                moved,
                i,
                float(want[i]),
                float(got[i]),
            )
            return


def _plus(a: np.ndarray, b: np.ndarray | None) -> np.ndarray | None:
    return None if b is None else a + b


def _notes(instance: Instance, point: np.ndarray, run: FloatRun) -> list[str]:
    """What is fine, but worth knowing: memory shared with an input."""
    notes = []
    args, upstream = instance.arguments(point), instance.upstream_arrays(point)
    other = instance.run_with(args, upstream)
    for piece in instance.pieces:
        if piece.position >= len(other.raw_grads):
            continue
        grad = other.raw_grads[piece.position]
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        if isinstance(grad, np.ndarray) and any(np.shares_memory(grad, a) for a in arrays):
            notes.append(f"the gradient of {piece.name} shares memory with an argument")
    return notes


def gather(work: Casework, instance: Instance) -> Failure | None:
    """What breaks the contract at one example, or None, with its findings and notes told."""
    work.doing = "checking the contract"
    draws = [instance.draw() for _ in range(6)]
    base = instance.base()
    trials = ([base] if base is not None else []) + draws
    found, notes = violations(instance, trials)
    work.notes += notes
    tally = work.tally("contract")
    if not found:
        found = list(itertools.islice(state.among(instance, work.instances), 1))
    elif instance.in_domain(plain := np.ones(len(instance.names))):
        again, _ = violations(instance, [plain])
        if again and again[0].rule == found[0].rule:
            found = again
    work.instances.append(instance)
    if found:
        tally.detail = found[0].message
        return Failure(instance, "contract", violation=found[0])
    tally.passed += 1
    tally.detail = (
        "linear in the upstream gradient, shapes and layouts, nothing written to, no state"
    )
    # Of a function and its gradient nobody said that it is meant; nor beside declared examples,
    # but for a batch of nothing: the other axes are as they were.
    a_function = not isinstance(work.subject, PairSubject)
    meant = work.subject.elementwise or (work.guessed and len(instance.pieces) == 1)
    for example in _empty_examples(instance.example):
        small = Instance(work.subject, example, work.rng)
        broken = None if small.prepare().forward_error is not None else empty(small)
        batch = any(s.shape is not None and s.shape[-1:] > (0,) for s in example.slots)
        if broken is not None and a_function and (meant or batch):
            return broken
        if broken is not None and broken.violation is not None:
            work.notes.append(broken.violation.message)
            break
    return None


def _empty_examples(example: Example) -> Iterator[Example]:
    """The same example with empty arrays, where all arrays have a last axis of one length.

    The last axis is empty, or the first one of several: a batch of nothing, if no axis is named
    that it could be.
    """
    if not all(s.domain.free for s in example.slots if s.varies):
        return
    if len({s.shape[-1] for s in example.slots if s.shape}) != 1:
        return
    shapes = [s.shape for s in example.slots if s.shape]
    kinds = [lambda shape: (*shape[:-1], 0)]
    named = [v for v in _plain(example) if type(v) is int and v in (0, -len(shapes[0]))]
    # Of a square matrix a side alone cannot be empty.
    tied = any(shape[0] in shape[1:] for shape in shapes)
    if all(len(shape) > 1 for shape in shapes) and not (named or tied):
        kinds.append(lambda shape: (0, *shape[1:]))
    for kind in kinds:
        slots = tuple(
            replace(s, shape=kind(s.shape), base=None) if s.shape else s for s in example.slots
        )
        yield replace(example, slots=slots)


def _plain(example: Example) -> list[Any]:
    """All that is given beside the arrays."""
    return [*example.keywords.values(), *(s.fixed for s in example.slots if not s.varies)]


def empty(instance: Instance) -> Failure | None:
    """What goes wrong on empty arrays, where forward takes them."""
    point = np.zeros(len(instance.names))
    run = instance.run(point)
    if run.forward_error is not None or not run.finite:
        return None
    found = _result(instance, point, run)
    if not found:
        return None
    found[0].message = f"on empty arrays: {found[0].message}"
    return Failure(instance, "contract", violation=found[0])
