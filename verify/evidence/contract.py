"""Is it a well-behaved backward? What no formula shows: shapes, aliasing, state, layout, linearity.

May import: :mod:`verify.instance`.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.examples import Example
from verify.instance import FloatRun, Instance, Piece
from verify.subject import FunctionSubject, PairSubject, raised

__all__ = ["Violation", "violations"]

# Results of the same call in another memory layout may be summed in another order.
_SAME = 1e-9


@dataclass
class Violation:
    """One broken rule: what, at which argument, at which point."""

    rule: str
    message: str
    argument: str | None = None
    point: np.ndarray | None = None
    entry: int | None = None
    expected: float | None = None
    actual: float | None = None


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
            _unchanged, _mutation, _repeated, _handed_out, _interleaved, _refilled, _layouts,
            _shared, _linear,
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


def _unchanged(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """Forward's value is that before backward was ever called, and the first gradient was right."""
    first = instance.subject.first
    if first is None:
        return
    values, gradients = [], []
    for _ in range(2):
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
    if not _near(*values):
        return
    if not _near(values[0], first.outputs):
        yield Violation(
            "state",
            "forward gives another value at the same point than before backward was first called: "
            "backward writes to data that forward reads",
            point=point,
        )
    elif first.grads is not None and _near(*gradients):
        before = [g for g in first.grads if g is not None]
        if not _near(gradients[0], before):
            yield Violation(
                "state",
                "the very first call gave another gradient than later ones at the same point: "
                f"{_short(before)}, then {_short(gradients[0])}",
                point=point,
            )


def _short(arrays: Sequence[np.ndarray]) -> str:
    return ", ".join(np.array2string(a, precision=4, threshold=6) for a in arrays)


def _near(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    return len(a) == len(b) and all(map(_alike, a, b))


def _alike(x: np.ndarray, y: np.ndarray) -> bool:
    size = float(np.max(np.abs(x[np.isfinite(x)]), initial=0.0))
    return x.shape == y.shape and np.allclose(x, y, rtol=_SAME, atol=1e-13 * size, equal_nan=True)


def _mutation(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
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


def _same(
    a: FloatRun, b: FloatRun, instance: Instance, scale: float
) -> tuple[int, float, float] | None:
    """The first entry at which two runs' gradients differ beyond rounding, or None."""
    if a.backward_error is not None or b.backward_error is not None:
        return None
    x, y = a.flat_grads(instance.pieces), b.flat_grads(instance.pieces)
    # An entry in which everything cancels is rounding alone: 1e-13 of the upstream is nothing.
    floor = max(1e-13, 512 * instance.eps if instance.eps > 1e-15 else 0.0) * scale
    relative = max(_SAME, 64 * instance.eps)
    for piece in instance.pieces:
        part = slice(piece.start, piece.stop)
        u, v = x[part], y[part]
        finite = u[np.isfinite(u)]
        size = float(np.max(np.abs(finite), initial=0.0))
        same = (u == v) | (np.isnan(u) & np.isnan(v)) | (np.abs(u - v) <= relative * size + floor)
        if not np.all(same):
            i = int(np.argmin(same))
            return piece.start + i, float(np.real(u[i])), float(np.real(v[i]))
    return None


def _size(instance: Instance, point: np.ndarray) -> float:
    return float(np.max(np.abs(point[instance.inputs :]), initial=0.0))


def _repeated(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """The same answer twice: from a second call, and from a second backward of one forward."""
    again = instance.run(point)
    difference = _same(run, again, instance, _size(instance, point))
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
            difference = difference or _same(run, other, instance, _size(instance, point))
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


def _handed_out(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
    """A gradient that was handed out stays what it is when backward is called again elsewhere."""
    kept: list[tuple[Any, np.ndarray]] = []
    for where in (point, instance.draw(np.random.default_rng(8))):
        try:
            with instance._quiet():
                args, upstream = instance.arguments(where), instance.upstream_arrays(where)
                grads = instance.subject.handed_out(args, instance.example.keywords, upstream)
        except Exception:
            return
        kept = kept or [(g, g.copy()) for g in grads if isinstance(g, np.ndarray)]
    if any(g.tobytes() != before.tobytes() for g, before in kept):
        yield Violation(
            "state",
            "the gradient of one call changes with the next: backward hands out an array that it "
            "fills again; it must return a new one, or a copy",
            point=point,
        )


def _interleaved(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
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
    difference = _same(run, late, instance, _size(instance, point))
    if difference is not None:
        i, first, second_value = difference
        piece, k = instance.owner(i)
        yield Violation(
            "state",
            f"the gradient (entry {piece.label(k)}) changes when another forward runs in between: "
            "what backward needs must be saved on ctx, not on the class or the module",
            piece.name,
            point,
            i,
            first,
            second_value,
        )


def _refilled(instance: Instance, point: np.ndarray, run: FloatRun) -> Iterator[Violation]:
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
    yield from _with(instance, point, run, args, upstream, text)


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
        yield from _with(
            instance, point, run, instance.arguments(point), upstream, f"a {name} upstream gradient"
        )
        args = [_laid_out(make, a) for a in instance.arguments(point)]
        yield from _with(
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
        yield from _with(
            instance,
            constant,
            plain,
            instance.arguments(constant),
            upstream,
            "a stride-0 (broadcast) upstream gradient",
        )


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
        yield from _with(instance, equal, apart, args, instance.upstream_arrays(equal), text)


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


def _with(
    instance: Instance,
    point: np.ndarray,
    run: FloatRun,
    args: Sequence[Any],
    upstream: Sequence[Any],
    what: str,
) -> Iterator[Violation]:
    other = instance.run_with(args, upstream)
    if other.forward_error is not None:
        return
    if other.backward_error is not None:
        error = other.backward_error
        yield Violation(
            "layout", f"backward raises {type(error).__name__} for {what}: {error}", None, point
        )
        return
    difference = _same(run, other, instance, _size(instance, point))
    if difference is not None:
        i, expected, actual = difference
        piece, k = instance.owner(i)
        yield Violation(
            "layout",
            f"the gradient (entry {piece.label(k)}) is another for {what}",
            piece.name,
            point,
            i,
            expected,
            actual,
        )


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


def empty_example(example: Example) -> Example | None:
    """The same example with empty arrays, where all arrays have a first axis of one length."""
    lengths = {s.shape[-1] for s in example.slots if s.shape}
    if len(lengths) != 1:
        return None
    slots = tuple(
        replace(s, shape=(*s.shape[:-1], 0), base=None) if s.shape else s for s in example.slots
    )
    return replace(example, slots=slots)


def empty_violation(instance: Instance) -> Violation | None:
    """What goes wrong on empty arrays, where forward takes them."""
    point = np.zeros(len(instance.names))
    run = instance.run(point)
    if run.forward_error is not None or not run.finite:
        return None
    found = _result(instance, point, run)
    if not found:
        return None
    violation = found[0]
    violation.message = f"on empty arrays: {violation.message}"
    return violation


def piece_of(instance: Instance, name: str) -> Piece | None:
    """The piece of that argument."""
    return next((p for p in instance.pieces if p.name == name), None)
