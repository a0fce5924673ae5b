"""A subject at one example: the same code run on floats and on symbols at a point.

A *point* is a flat vector of all entries that vary, followed by the entries of the upstream
gradient. An :class:`Instance` turns a point into arguments, runs the subject on them in floats
(:meth:`Instance.run`) or on symbols (:meth:`Instance.trace`), and flattens what comes back.

May import: :mod:`symbolic`, :mod:`verify.subject`, :mod:`verify.examples`.
"""

from __future__ import annotations

import contextlib
import functools
import io
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbolic.formulas import formula_nodes
from symbolic.graph import Graph, Node
from symbolic.tracing import nodes, symbol_array, traced_namespace
from symbolic.tracing import values as traced_values
from symbolic.values import Condition, Trace, TraceError
from verify.domains import ELSEWHERE, Domain, Plane, with_structure
from verify.examples import Example
from verify.subject import BadResult, Subject

__all__ = ["FloatRun", "Instance", "Piece", "TracedRun"]


@dataclass(frozen=True)
class Piece:
    """Where one array lives in a point: its name, its shape, and its first place."""

    name: str
    shape: tuple[int, ...]
    start: int
    position: int  # of the argument, or of the output
    dtype: Any = np.float64

    @functools.cached_property
    def size(self) -> int:
        return math.prod(self.shape)

    @functools.cached_property
    def stop(self) -> int:
        return self.start + self.size

    def entry(self, i: int) -> tuple[int, ...]:
        """The index, within the array, of flat entry ``i``."""
        return tuple(int(k) for k in np.unravel_index(i, self.shape)) if self.shape else ()

    def label(self, i: int) -> str:
        """The entry as its variable is called: ``x``, ``x[0]``, ``x[1,2]``."""
        index = self.entry(i)
        return f"{self.name}[{','.join(map(str, index))}]" if index else self.name


@dataclass
class FloatRun:
    """What the subject gave on floats at one point.

    ``grads`` has one flat array for each varying argument, ``None`` where backward gave none.
    ``forward_error`` and ``backward_error`` hold what the code raised.
    """

    outputs: list[np.ndarray] = field(default_factory=list)
    grads: list[np.ndarray | None] = field(default_factory=list)
    raw_grads: tuple[Any, ...] = ()
    forward_error: BaseException | None = None
    backward_error: BaseException | None = None
    shape_errors: list[tuple[Piece, tuple[int, ...]]] = field(default_factory=list)
    point: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def finite(self) -> bool:
        return self.forward_error is None and all(np.all(np.isfinite(o)) for o in self.outputs)

    def flat_grads(self, pieces: Sequence[Piece]) -> np.ndarray:
        """All gradients in one vector, zero for a missing one."""
        parts = [
            np.zeros(p.size) if g is None else g for p, g in zip(pieces, self.grads, strict=True)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)


@dataclass
class TracedRun:
    """What the subject gave on symbols at one point: formulas, and the conditions they hold on.

    ``loose``: some decision of it is not among the conditions (see :class:`symbolic.values.Trace`).
    ``defined``: how many of the first conditions are those under which forward has a value.
    """

    point: np.ndarray
    outputs: list[Node]
    grads: list[Node | None]
    missing: list[bool]
    conditions: list[Condition]
    backward_from: int
    loose: bool = False
    formula_from: int | None = None
    formula: list[Node] | None = None
    formula_error: str | None = None
    backward_error: BaseException | None = None

    @property
    def forward_conditions(self) -> list[Condition]:
        """The conditions that the function itself depends on: forward's, and its formula's.

        What backward alone branches on makes no kink.
        """
        later = [] if self.formula_from is None else self.conditions[self.formula_from :]
        return [*self.conditions[: self.backward_from], *later]

    defined: int = 0

    def put_first(self, conditions: Sequence[Condition]) -> None:
        """Have these conditions before the code's own, in the place of earlier ones."""
        more = len(conditions) - self.defined
        self.conditions = [*conditions, *self.conditions[self.defined :]]
        self.backward_from += more
        if self.formula_from is not None:
            self.formula_from += more
        self.defined = len(conditions)

    def keep(self, kept: Sequence[bool]) -> None:
        """Drop the conditions that are not kept."""
        self.backward_from = sum(kept[: self.backward_from])
        if self.formula_from is not None:
            self.formula_from = sum(kept[: self.formula_from])
        self.conditions = [c for c, k in zip(self.conditions, kept, strict=True) if k]

    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    grad_values: np.ndarray = field(default_factory=lambda: np.zeros(0))


class Instance:
    """A subject at one example.

    Parameters
    ----------
    subject : Subject
    example : Example
    rng : numpy.random.Generator

    Attributes
    ----------
    pieces : list of Piece
        The varying arguments.
    upstream : list of Piece
        The upstream gradients of the differentiable outputs.
    names : list of str
        The name of each entry of a point, which is also its variable's name in the graph.
    graph : Graph
        Shared by all traces at this example.
    moved, projected : bool
        Whether arguments are moved to the plane that their domain lies in, and whether the gradient
        that backward gives is projected on it (see :mod:`verify.structure`).
    """

    def __init__(self, subject: Subject, example: Example, rng: np.random.Generator):
        self.subject = subject
        self.example = example
        self.rng = rng
        self.graph = Graph()
        self.pieces: list[Piece] = []
        start = 0
        for position, slot in enumerate(example.slots):
            if slot.varies:
                assert slot.shape is not None
                piece = Piece(slot.name, slot.shape, start, position, slot.dtype)
                self.pieces.append(piece)
                start = piece.stop
        self.inputs = start
        self.upstream: list[Piece] = []
        self.fixed_outputs: list[int] = []
        self.output_dtypes: list[Any] = []
        self.names: list[str] = []
        self.printed = ""
        self.moved = self.projected = False
        self.formula = None if subject.formula is None else _remembered(subject.formula)

    # Points and arrays

    def draw(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """A random point of the domain, with a random upstream gradient once outputs are known."""
        rng = rng or self.rng
        parts = [np.ravel(s.draw(rng)) for s in self.example.slots if s.varies]
        size = sum(p.size for p in self.upstream)
        return np.concatenate([*parts, rng.normal(size=size)]) if parts else rng.normal(size=size)

    def base(self) -> np.ndarray | None:
        """The point that the example's own arrays give, where it gives all of them."""
        slots = [s for s in self.example.slots if s.varies]
        if not slots or any(s.base is None for s in slots):
            return None
        size = sum(p.size for p in self.upstream)
        return np.concatenate(
            [*(np.asarray(s.base, dtype=float).ravel() for s in slots), np.ones(size)]
        )

    @property
    def eps(self) -> float:
        """The spacing of floats at one, in the coarsest type among arguments and outputs."""
        kinds = [p.dtype for p in [*self.pieces, *self.upstream]]
        return max((float(np.finfo(kind).eps) for kind in kinds), default=2.0**-52)

    def rounded(self, point: np.ndarray) -> np.ndarray:
        """The point that the arguments show: moved to the domain, rounded to the arrays' types."""
        parts = [*self.pieces, *self.upstream]
        point = self.on_domain(point)
        if all(p.dtype == np.float64 for p in parts):
            return point
        point = point.copy()
        for p in parts:
            point[p.start : p.stop] = point[p.start : p.stop].astype(p.dtype)
        return point

    def on_domain(self, point: np.ndarray) -> np.ndarray:
        """The point, each array of it moved to the plane that its domain lies in."""
        if not self.moved:
            return point
        point = point.copy()
        for piece, plane in self.planes:
            part = slice(piece.start, piece.stop)
            point[part] = plane.nearest(point[part].reshape(piece.shape)).ravel()
        return point

    def tangent(self, vector: np.ndarray) -> np.ndarray:
        """A vector of inputs, projected on the directions in which the domain extends."""
        vector = vector.copy()
        for piece, plane in self.planes:
            part = slice(piece.start, piece.stop)
            vector[part] = plane.along(vector[part].reshape(piece.shape)).ravel()
        return vector

    def arguments(self, point: np.ndarray, writeable: bool = True) -> list[Any]:
        """The positional arguments at a point."""
        args = [s.fixed for s in self.example.slots]
        point = self.on_domain(point)
        for piece in self.pieces:
            array = point[piece.start : piece.stop].astype(piece.dtype).reshape(piece.shape)
            array = np.array(array)
            array.flags.writeable = writeable
            slot = self.example.slots[piece.position]
            args[piece.position] = float(array) if slot.scalar else array
        for i, slot in enumerate(self.example.slots):
            if not slot.varies and isinstance(slot.fixed, (np.ndarray, list)):
                args[i] = (
                    np.array(slot.fixed) if isinstance(slot.fixed, np.ndarray) else [*slot.fixed]
                )
        return args

    def upstream_arrays(self, point: np.ndarray) -> list[Any]:
        """The upstream gradient of every output, zeros for an output that has none."""
        found: dict[int, np.ndarray] = {
            p.position: np.array(point[p.start : p.stop].astype(p.dtype).reshape(p.shape))
            for p in self.upstream
        }
        return [
            found[i] if i in found else np.zeros(shape)
            for i, shape in enumerate(self.output_shapes)
        ]

    def in_domain(self, point: np.ndarray) -> bool:
        """Whether every argument lies in its domain."""
        point = self.on_domain(point)
        return all(
            domain.contains(point[p.start : p.stop].reshape(p.shape)) for p, domain in self._domains
        )

    @functools.cached_property
    def _domains(self) -> list[tuple[Piece, Domain]]:
        slots = self.example.slots
        return [(p, with_structure(slots[p.position].domain, p.shape)) for p in self.pieces]

    @functools.cached_property
    def planes(self) -> list[tuple[Piece, Plane]]:
        """The arguments whose domains lie in a plane."""
        return [(p, d.plane) for p, d in self._domains if p.shape and d.plane is not None]

    @property
    def free(self) -> bool:
        """Whether entries may be varied one by one."""
        return all(
            d.free or (self.moved and d.plane is not None and d.member is not None)
            for _, d in self._domains
        )

    def diagonal(self, base: np.ndarray) -> Iterator[np.ndarray]:
        """The point with a diagonal matrix for each matrix: of full rank and not, entries apart
        and equal, for the decisions that eigenvalues and singular values bring."""
        for piece in self.pieces:
            n = min(piece.shape[-2:], default=0)
            if len(piece.shape) < 2 or n < 2 or not piece.size:
                continue
            apart = 1.0 + np.arange(n)
            kinds = [apart, apart - 1, np.ones(n), np.minimum(apart, n - 1), np.maximum(apart, 2)]
            for diagonal in np.unique(kinds, axis=0):
                point = base.copy()
                block = point[piece.start : piece.stop].reshape(piece.shape)
                block[...] = 0.0
                block[..., np.arange(n), np.arange(n)] = diagonal
                if self.in_domain(point):
                    yield point

    def owner(self, i: int) -> tuple[Piece, int]:
        """The piece that flat entry ``i`` of a point belongs to, and the place within it."""
        for piece in [*self.pieces, *self.upstream]:
            if piece.start <= i < piece.stop:
                return piece, i - piece.start
        raise IndexError(i)

    # Floats

    def prepare(self) -> FloatRun:
        """Run forward once to learn the outputs' shapes; must come first."""
        point = self.base()
        run = FloatRun()
        for attempt in range(8):
            if point is None or attempt:
                point = self.draw()
            run = self.forward_only(point)
            if run.forward_error is None and run.finite:
                break
        if run.forward_error is not None and self.free:
            for form in ELSEWHERE:
                elsewhere = self.forward_only(form(self.draw()))
                if elsewhere.forward_error is None and elsewhere.finite:
                    run = elsewhere
                    break
        if run.forward_error is not None:
            return run
        if run.finite and self.subject.first is None:
            self._first_call(run)
        self.output_shapes = [o.shape for o in run.outputs]
        self.output_dtypes = [o.dtype for o in run.outputs]
        start = self.inputs
        several = len(run.outputs) > 1
        fixed = getattr(self.subject, "fixed_outputs", [False] * len(run.outputs))
        for i, output in enumerate(run.outputs):
            if output.dtype.kind == "f" and not fixed[i]:
                name = f"grad_output{i}" if several else "grad_output"
                self.upstream.append(Piece(name, output.shape, start, i, output.dtype))
                start = self.upstream[-1].stop
        self.names = [
            piece.label(i) for piece in [*self.pieces, *self.upstream] for i in range(piece.size)
        ]
        return run

    def _first_call(self, run: FloatRun) -> None:
        """Forward and backward for the first time: what they give is compared later."""
        subject, args = self.subject, self.arguments(run.point)
        subject.remember(args, self.example.keywords, run.outputs)
        with contextlib.suppress(Exception), self._quiet():
            outputs, pullback = subject.forward(args, self.example.keywords)
            ones = [np.ones(np.shape(o), np.asarray(o).dtype) for o in outputs]
            subject.remember_gradient(self.arguments(run.point), pullback(ones))

    def forward_only(self, point: np.ndarray) -> FloatRun:
        run = FloatRun(point=point)
        try:
            with self._quiet():
                outputs, _ = self.subject.forward(self.arguments(point), self.example.keywords)
                run.outputs = [np.asarray(o) for o in outputs]
                _check_outputs(run.outputs, outputs)
        except Exception as error:
            run.forward_error = error
        return run

    def run(self, point: np.ndarray) -> FloatRun:
        """Forward and backward in floats at a point."""
        return self.run_with(self.arguments(point), self.upstream_arrays(point))

    def run_with(
        self,
        args: Sequence[Any],
        upstream: Sequence[Any],
        keywords: dict[str, Any] | None = None,
    ) -> FloatRun:
        """Forward and backward in floats on given arrays; the example's keywords, or others."""
        run = FloatRun()
        keywords = self.example.keywords if keywords is None else keywords
        with self._quiet():
            try:
                outputs, pullback = self.subject.forward(args, keywords)
                run.outputs = [np.array(o) for o in outputs]
            except Exception as error:
                run.forward_error = error
                return run
            try:
                run.raw_grads = tuple(pullback(upstream))
                self._collect(run)
            except Exception as error:
                run.backward_error = error
        return run

    def _collect(self, run: FloatRun) -> None:
        for piece in self.pieces:
            raw = run.raw_grads[piece.position] if piece.position < len(run.raw_grads) else None
            if raw is None:
                run.grads.append(None)
                continue
            if hasattr(raw, "toarray"):
                raw = raw.toarray()
            array = np.asarray(raw)
            if array.dtype.kind not in "fiubc":
                raise BadResult(
                    f"the gradient of {piece.name} is of type {array.dtype}; expected floats"
                )
            if array.shape != piece.shape:
                run.shape_errors.append((piece, array.shape))
                if array.size != piece.size:
                    run.grads.append(np.full(piece.size, np.nan))
                    continue
            elif self.projected:
                array = self._projected(piece, array)
            run.grads.append(
                np.array(array).reshape(-1).astype(complex if array.dtype.kind == "c" else float)
            )

    def _projected(self, piece: Piece, gradient: Any) -> Any:
        return next((plane.along(gradient) for p, plane in self.planes if p is piece), gradient)

    def _quiet(self) -> contextlib.ExitStack:
        """User code prints into our hands, not into the report, and warns nobody."""
        stack = contextlib.ExitStack()
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        sink = io.StringIO()
        stack.enter_context(contextlib.redirect_stdout(sink))
        stack.callback(lambda: self._keep(sink.getvalue()))
        return stack

    def _keep(self, text: str) -> None:
        if text and not self.printed:
            self.printed = text[:200]

    # Symbols

    def trace(self, point: np.ndarray, backward: bool = True, formula: bool = True) -> TracedRun:
        """Forward, backward and the declared formula on symbols whose values are the point.

        Raises
        ------
        TraceError
            Where the code cannot be followed.
        """
        trace = Trace(self.graph)
        args: list[Any] = [s.fixed for s in self.example.slots]
        for piece in self.pieces:
            values = point[piece.start : piece.stop].reshape(piece.shape)
            args[piece.position] = symbol_array(trace, piece.name, values)
        if self.moved:
            for piece, plane in self.planes:
                args[piece.position] = plane.nearest(args[piece.position])
        with self._quiet(), traced_namespace(*self.subject.code):
            try:
                outputs, pullback = self.subject.forward(list(args), self.example.keywords)
                arrays = [nodes(o, self.graph) for o in outputs]
                computed = [np.asarray(traced_values(o), dtype=float) for o in outputs]
            except TraceError:
                raise
            except Exception as error:  # it ran on floats: what it needs, symbols lack
                raise TraceError(f"{type(error).__name__}: {error}") from error
            _check_shapes(arrays, self.output_shapes)
            backward_from = len(trace.conditions)
            run = TracedRun(point, [], [], [], trace.conditions, backward_from)
            run.outputs = [n for p in self.upstream for n in arrays[p.position].ravel()]
            run.values = np.concatenate(
                [computed[p.position].ravel() for p in self.upstream] or [np.zeros(0)]
            )
            if backward:
                self._trace_backward(run, trace, pullback, point)
            run.loose = trace.loose
        if formula and self.subject.formula is not None:
            with self._quiet():
                self._trace_formula(run, trace, args)
        return run

    def _trace_backward(
        self, run: TracedRun, trace: Trace, pullback: Any, point: np.ndarray
    ) -> None:
        upstream: list[Any] = [np.zeros(shape) for shape in self.output_shapes]
        for p in self.upstream:
            values = point[p.start : p.stop].reshape(p.shape)
            upstream[p.position] = symbol_array(trace, p.name, values)
        try:
            raw = tuple(pullback(upstream))
            self._collect_traced(run, raw)
        except Exception as error:  # judged on floats; here it only stops the proof
            run.grads, run.missing, run.backward_error = [], [], error

    def _collect_traced(self, run: TracedRun, raw: tuple[Any, ...]) -> None:
        grad_values = []
        for piece in self.pieces:
            found = raw[piece.position] if piece.position < len(raw) else None
            if found is None:
                run.missing.append(True)
                run.grads += [None] * piece.size
                grad_values.append(np.zeros(piece.size))
                continue
            run.missing.append(False)
            if self.projected and np.shape(found) == piece.shape:
                found = self._projected(piece, found)
            array = nodes(found, self.graph)
            if array.size != piece.size:
                raise BadResult(
                    f"the gradient of {piece.name} has shape {array.shape}, expected {piece.shape}"
                )
            run.grads += list(array.ravel())
            grad_values.append(np.asarray(traced_values(found), dtype=float).ravel())
        run.grad_values = np.concatenate(grad_values) if grad_values else np.zeros(0)

    def _trace_formula(self, run: TracedRun, trace: Trace, args: Sequence[Any]) -> None:
        entries = [
            getattr(a, "_entries", a) if self.example.slots[i].varies else a
            for i, a in enumerate(args)
        ]
        run.formula_from = len(trace.conditions)
        try:
            found = formula_nodes(
                self.formula,
                entries,
                self.example.keywords,
                trace,
                shapes=self.output_shapes,
                elementwise=self.subject.elementwise or None,
            )
            run.formula = [n for p in self.upstream for n in found[p.position].ravel()]
        except Exception as error:
            run.formula_error = f"{type(error).__name__}: {error}"


def _remembered(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The same formula; what it gave on the same SymPy symbols is given again."""
    known: dict[Any, Any] = {}

    @functools.wraps(formula)
    def wrapped(*args: Any, **keywords: Any) -> Any:
        try:
            key = (tuple(map(_hashable, args)), repr(keywords))
            hash(key)
        except TypeError:
            return formula(*args, **keywords)
        if key not in known:
            known[key] = formula(*args, **keywords)
        return known[key]

    return wrapped


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (type(value).__name__, value.shape, str(value.dtype), tuple(value.ravel().tolist()))
    return (type(value).__name__, value)


def _check_outputs(arrays: Sequence[np.ndarray], raw: Sequence[Any]) -> None:
    for array, value in zip(arrays, raw, strict=True):
        if value is None or array.dtype.kind not in "fiubc":
            raise BadResult(
                f"forward returned {type(value).__name__}; expected an array of numbers or a tuple "
                "of arrays"
            )


def _check_shapes(arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]) -> None:
    found = [a.shape for a in arrays]
    if found != list(shapes):
        raise TraceError(
            f"on symbols forward gave outputs of shapes {found}, on floats {list(shapes)}"
        )
