"""Whether a backward is the derivative at every size of the axes: :func:`prove`.

The code runs on arrays of any size (:mod:`symbolic.any_shape_array`). Every axis that is longer
than 1 gets a size of its own; sizes that the code needs to be equal become one. Where the code
branches on a size, each outcome is a region of its own, and all of them have to be proved and to
cover every size. The gradient is then compared with the vector-Jacobian product that index calculus
gives, and both the outputs and the gradient with what the code computes in floats at other sizes:
a proof is never believed against the numbers.

Values that the code compares are taken to differ: a mask is a sign, and its derivative zero.

What cannot be followed (a loop over entries, a branch on a value, a length written out) is no
error: there is no proof at every size then.

May import: :mod:`symbolic.any_shape_array`, :mod:`symbolic.any_shape_operands`,
:mod:`symbolic.any_shape_namespace`, :mod:`symbolic.index_calculus`, :mod:`symbolic.index_form`,
:mod:`symbolic.limits`, :mod:`symbolic.values`.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbolic.any_shape_array import AnyShapeArray, Axis, Decision, Run, Unify
from symbolic.any_shape_namespace import any_shape_namespace
from symbolic.any_shape_operands import operand
from symbolic.index_calculus import evaluate, is_zero, size_value, vjp
from symbolic.index_form import Form, entry
from symbolic.limits import OutOfTime, time_left, time_limit
from symbolic.values import TraceError

__all__ = ["Argument", "EverySize", "NotProved", "prove"]

_MOST_REGIONS = 8
_MOST_ENTRIES = 20_000  # of an array that a claim is tried on
_LETTERS = "nmklpqrstuvw"


class NotProved(Exception):
    """There is no proof at every size; the text says why. It says nothing against the code."""


@dataclass(frozen=True)
class Argument:
    """An argument of the code.

    Attributes
    ----------
    name : str
    shape : tuple of int or None
        The shape in an example; None for an argument that is passed as it is.
    draw : callable
        ``draw(rng, shape)``, an array of that shape in the argument's domain.
    fixed : object
        What is passed where there is no shape.
    nonnegative : bool
        Whether the domain has no negative number.
    scalar : bool
        Whether it is a float, not a 0-d array.
    """

    name: str
    shape: tuple[int, ...] | None = None
    draw: Callable[[np.random.Generator, tuple[int, ...]], Any] = lambda rng, shape: rng.normal(
        size=shape
    )
    fixed: Any = None
    nonnegative: bool = False
    scalar: bool = False


@dataclass(frozen=True)
class EverySize:
    """What was proved, and for which shapes.

    Attributes
    ----------
    shapes : dict
        For each argument its shape, ``"(n, m)"``: letters stand for any integers of at least 1, the
        same letter for the same size, and a 1 for an axis of that length.
    gradients : dict
        For each argument the gradient, as text in index notation.
    regions : int
        Into how many regions of sizes the code branches.
    aside : bool
        Whether the code compares values: nothing is said of inputs for which two that it compares
        are equal.
    """

    shapes: dict[str, str]
    gradients: dict[str, str] = field(repr=False)
    regions: int = 1
    aside: bool = False

    def __str__(self) -> str:
        return ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())


Forward = Callable[[Sequence[Any], dict[str, Any]], tuple[Sequence[Any], Callable[..., Any]]]


def prove(
    forward: Forward,
    arguments: Sequence[Argument],
    keywords: Mapping[str, Any] | None = None,
    *,
    code: Sequence[Any],
    seconds: float = 1.0,
) -> EverySize:
    """Prove a backward for arrays of every size, with the ranks of an example.

    Parameters
    ----------
    forward : callable
        ``forward(args, keywords)`` gives the outputs and the pullback, which takes one upstream
        gradient for each output to one gradient (or None) for each argument.
    arguments : sequence of Argument
    keywords : mapping, optional
        Passed as they are.
    code : sequence
        The functions that run: the names in their modules are bound to what arrays of any size
        need.
    seconds : float
        The time for all of it.

    Returns
    -------
    EverySize

    Raises
    ------
    NotProved
        Where there is no such proof, for whatever reason.

    Examples
    --------
    >>> import numpy as np
    >>> def product(args, keywords):
    ...     a, x = args
    ...     return [a @ x], lambda grads: (np.outer(grads[0], x), a.T @ grads[0])
    >>> example = [Argument("a", (2, 3)), Argument("x", (3,))]
    >>> print(prove(product, example, code=[product]))
    a (n, m), x (m,)
    >>> def mean(args, keywords):
    ...     return [args[0].mean()], lambda grads: (np.ones_like(args[0]) * grads[0] / 3,)
    >>> prove(mean, [Argument("x", (3,))], code=[mean])
    Traceback (most recent call last):
      ...
    symbolic.any_shape.NotProved: the gradient of x differs from the derivative, or seems to
    """
    task = _Task(forward, arguments, dict(keywords or {}), code)
    try:
        with time_limit(min(seconds, time_left())):
            return task.prove()
    except (TraceError, ArithmeticError, RecursionError) as error:
        raise NotProved(f"{type(error).__name__}: {error}") from error
    except OutOfTime:
        if time_left() <= 0:
            raise
        raise NotProved(f"out of time after {seconds:g} s") from None


@dataclass
class _Region:
    """Sizes for which the code takes the same decisions, and what it computes there."""

    sizes: dict[str, int]
    ones: frozenset[str]  # sizes that are 1 in all of it
    run: Run
    axes: list[list[Axis] | None]
    outputs: list[AnyShapeArray]
    gradients: list[AnyShapeArray | None]

    def covers(self, sizes: Mapping[str, int]) -> bool:
        return all(sizes[s] == 1 for s in self.ones) and all(
            d.holds(dict(sizes)) for d in self.run.decisions
        )


class _Task:
    def __init__(
        self,
        forward: Forward,
        arguments: Sequence[Argument],
        keywords: dict[str, Any],
        code: Sequence[Any],
    ):
        self.forward, self.arguments = forward, arguments
        self.keywords, self.code = keywords, code
        self.rng = np.random.default_rng(0)
        # A size for each axis that is longer than 1, by argument; and its length in the example.
        self.symbols: list[list[str | None]] = []
        self.lengths: dict[str, int] = {}
        for a in arguments:
            row: list[str | None] = []
            for length in a.shape or ():
                symbol = None if length == 1 else f"n{len(self.lengths)}"
                if symbol is not None:
                    self.lengths[symbol] = length
                row.append(symbol)
            self.symbols.append(row)

    def prove(self) -> EverySize:
        if not self.lengths or any(0 in (a.shape or ()) for a in self.arguments):
            raise NotProved("there is no axis, or one of length 0, in the example")
        while True:
            try:
                return self.claim(self.regions())
            except Unify as found:  # each time there is one size less
                self.merge(*found.sizes)

    def merge(self, a: str, b: str) -> None:
        keep, gone = sorted((a, b))
        self.symbols = [[keep if s == gone else s for s in row] for row in self.symbols]
        self.lengths.pop(gone)

    # Regions of sizes

    def regions(self) -> list[_Region]:
        """All regions, each proved and tried in floats."""
        found: list[_Region] = []
        todo: list[tuple[dict[str, int], frozenset[str]]] = [(dict(self.lengths), frozenset())]
        while todo:
            sizes, ones = todo.pop()
            if any(r.covers(sizes) for r in found):
                continue
            if len(found) == _MOST_REGIONS:
                raise NotProved("the code branches on sizes in too many ways")
            region = self.region(sizes, ones)
            self.try_in_floats(region)
            found.append(region)
            decisions = region.run.decisions
            for k, decision in enumerate(decisions):
                other = _negated(decision)
                sides = [*decisions[:k], other]
                entered = _inside(sides, self.lengths, ones)
                if entered is None:
                    raise NotProved(f"the code branches on sizes: {decision}")
                if entered:
                    todo.append((entered, ones | {s for s, n in entered.items() if n == 1}))
        return found

    def region(self, sizes: dict[str, int], ones: frozenset[str]) -> _Region:
        """Run the code where sizes have these values, and prove it there."""
        run = Run(sizes)
        args: list[Any] = []
        axes: list[list[Axis] | None] = []
        for a, row in zip(self.arguments, self.symbols, strict=True):
            if a.shape is None:
                args.append(a.fixed)
                axes.append(None)
                continue
            own: list[Axis] = [(s,) if s is not None and s not in ones else () for s in row]
            array = AnyShapeArray(run, own, Form())
            array.form = entry(a.name, array.flat_indices, a.nonnegative)
            args.append(array)
            axes.append(own)
        try:
            with any_shape_namespace(self.code):
                results, pullback = self.forward(list(args), self.keywords)
                outputs = [operand(run, r) for r in results]
                upstream = []
                for k, output in enumerate(outputs):
                    g = output.like(output.axes, Form())
                    g.form = entry(_upstream(k), g.flat_indices)
                    upstream.append(g)
                found = list(pullback(list(upstream)))
                gradients = [None if g is None else operand(run, g) for g in found]
        except Exception as error:  # on floats it ran: what it needs, these arrays lack
            if run.unify is not None:
                raise Unify(*run.unify) from error
            raise NotProved(f"{type(error).__name__}: {run.stopped or error}") from error
        if run.unify is not None:
            raise Unify(*run.unify)
        if run.stopped is not None:
            raise NotProved(str(run.stopped))
        gradients += [None] * (len(args) - len(gradients))
        region = _Region(sizes, ones, run, axes, outputs, gradients)
        self.compare(region, upstream, args)
        return region

    def compare(self, region: _Region, upstream: list[AnyShapeArray], args: list[Any]) -> None:
        """The gradients with the vector-Jacobian products."""
        for a, array, gradient in zip(self.arguments, args, region.gradients, strict=False):
            if a.shape is None:
                continue
            outputs = [
                (y.form, g.form, y.flat_indices)
                for y, g in zip(region.outputs, upstream, strict=True)
            ]
            expected = vjp(outputs, a.name, array.flat_indices)
            if gradient is not None and gradient.axes != array.axes:
                raise NotProved(f"the gradient of {a.name} has other axes than {a.name}")
            actual = Form() if gradient is None else gradient.form
            if not is_zero(actual - expected):
                raise NotProved(
                    f"the gradient of {a.name} differs from the derivative, or seems to"
                )

    # In floats

    def try_in_floats(self, region: _Region) -> None:
        """Floats have to give the same outputs and gradients at other sizes of the region."""
        tried = 0
        for sizes in _samples(region, self.lengths):
            tried += self.tried_at(region, sizes)
            if tried == 3:
                return
        if not tried:
            raise NotProved("forward gives no finite value at the sizes tried")

    def tried_at(self, region: _Region, sizes: dict[str, int]) -> bool:
        """Compare at a random point; False where none was found at which both are finite."""
        shapes = [
            None if a.shape is None else tuple(1 if s is None else sizes[s] for s in row)
            for a, row in zip(self.arguments, self.symbols, strict=True)
        ]
        if max(int(np.prod(shape)) for shape in shapes if shape is not None) > _MOST_ENTRIES:
            return False
        return any(self.tried_once(region, sizes, shapes) for _ in range(4))

    def tried_once(
        self,
        region: _Region,
        sizes: dict[str, int],
        shapes: Sequence[tuple[int, ...] | None],
    ) -> bool:
        args: list[Any] = []
        tables: dict[str, np.ndarray] = {}
        for a, shape, axes in zip(self.arguments, shapes, region.axes, strict=True):
            if shape is None or axes is None:
                args.append(a.fixed)
                continue
            try:
                value = np.asarray(a.draw(self.rng, shape), dtype=float)
            except Exception as error:
                raise NotProved(f"no {a.name} of the shape {shape} can be drawn") from error
            args.append(float(value) if a.scalar else value)
            tables[a.name] = _table(value, axes, sizes)
        try:
            outputs, gradients = self.run_in_floats(args, region, tables, sizes)
        except Exception as error:
            raise NotProved(f"at the sizes {sizes} the code raises {error!r}") from error
        if not all(np.all(np.isfinite(y)) for y in outputs):
            return False
        pairs: list[tuple[AnyShapeArray | None, Any]] = [
            *zip(region.outputs, outputs, strict=True),
            *zip(region.gradients, gradients, strict=False),
        ]
        for array, value in pairs:
            same = _same(array, value, tables, sizes)
            if same is None:
                return False
            if not same:
                raise NotProved(f"floats give something else at the sizes {sizes}")
        return True

    def run_in_floats(
        self,
        args: list[Any],
        region: _Region,
        tables: dict[str, np.ndarray],
        sizes: dict[str, int],
    ) -> tuple[list[np.ndarray], list[Any]]:
        """Outputs and gradients; the upstream gradients that were drawn go into the tables."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results, pullback = self.forward(list(args), self.keywords)
            outputs = [np.array(r, dtype=float) for r in results]
            upstream = [self.rng.normal(size=y.shape) for y in outputs]
            for k, g in enumerate(upstream):
                tables[_upstream(k)] = _table(g, region.outputs[k].axes, sizes)
            return outputs, list(pullback([np.array(g) for g in upstream]))

    # The claim

    def claim(self, regions: list[_Region]) -> EverySize:
        symbols = dict.fromkeys(s for row in self.symbols for s in row if s)
        letters = dict(zip(symbols, _LETTERS, strict=False))
        shapes = {
            a.name: f"({', '.join(letters.get(s, s) if s else '1' for s in row)}"
            f"{',' if len(row) == 1 else ''})"
            for a, row in zip(self.arguments, self.symbols, strict=True)
            if a.shape is not None
        }
        first = regions[0]
        gradients = {
            a.name: g.form.key
            for a, g in zip(self.arguments, first.gradients, strict=False)
            if g is not None
        }
        return EverySize(shapes, gradients, len(regions), any(r.run.aside for r in regions))


def _upstream(k: int) -> str:
    """The name of an upstream gradient, which is no argument's."""
    return f"grad_output:{k}"


def _table(value: np.ndarray, axes: Sequence[Axis], sizes: Mapping[str, int]) -> np.ndarray:
    """The array with one axis for each index of its entries."""
    return value.reshape([sizes[symbol] for axis in axes for symbol in axis])


def _same(
    array: AnyShapeArray | None, value: Any, tables: dict[str, np.ndarray], sizes: dict[str, int]
) -> bool | None:
    """Whether values are what the form says; None where it overflows or loses its digits."""
    if array is None or value is None:
        return array is None and value is None
    value = np.asarray(value, dtype=float)
    shape = tuple(int(np.prod([sizes[s] for s in axis], dtype=int)) for axis in array.axes)
    if value.shape != shape:
        return False
    found, roughly = (
        evaluate(array.form, array.flat_indices, tables, sizes, dtype).reshape(shape)
        for dtype in (np.longdouble, np.float64)
    )
    limit = 1e-7 * (1.0 + float(np.max(np.abs(value), initial=0.0)))
    # The form's terms may cancel where the code's do not: then its value tells nothing.
    if not np.all(np.abs(found - roughly) <= 1e-3 * limit):
        return None
    return bool(np.all(np.abs(found - value) <= limit))


def _negated(decision: Decision) -> Decision:
    return Decision(decision.gap, decision.relation, not decision.outcome)


def _symbols_of(decision: Decision) -> set[str]:
    return {g.args[0] for g in decision.gap.generators if g.kind == "size"}


def _threshold(decision: Decision) -> int | None:
    """A size beyond which a decision about one size, linear in it, stays as it is."""
    gap, names = decision.gap, _symbols_of(decision)
    linear = all(len(m) <= 1 and all(g.kind == "size" and e == 1 for g, e in m) for m in gap.terms)
    if not linear or len(names) != 1:
        return None
    (name,) = names
    at_zero = size_value(gap, {name: 0})
    slope = size_value(gap, {name: 1}) - at_zero
    return max(0, int(-at_zero / slope)) + 2


def _inside(
    sides: Sequence[Decision], lengths: Mapping[str, int], ones: frozenset[str]
) -> dict[str, int] | None:
    """Sizes on those sides of the decisions; {} where there are none, None where that is open.

    Where sizes above 1 do not do, a size of 1 is a region of its own, and has to be all there is.
    """
    last = sides[-1]
    limit = _threshold(last)
    thresholds = [t for d in sides if (t := _threshold(d)) is not None]
    values = sorted({2, 3, 4, 5, 7, 33, 1030, *(t + d for t in thresholds for d in (-2, -1, 0))})
    free = [s for s in lengths if s not in ones]
    for choice in _assignments(free, [v for v in values if v >= 2]):
        sizes = {**lengths, **dict.fromkeys(ones, 1), **choice}
        if all(d.holds(sizes) for d in sides):
            return sizes
    if limit is None:
        return None
    (name,) = _symbols_of(last)
    about = [d for d in sides if _symbols_of(d) == {name} and _threshold(d) is not None]
    top = max(t for d in about if (t := _threshold(d)) is not None)
    if top > 10_000:
        return None
    fitting = [n for n in range(1, top + 2) if all(d.holds({name: n}) for d in about)]
    if not fitting:
        return {}
    if fitting != [1]:
        return None
    for choice in _assignments([s for s in free if s != name], [v for v in values if v >= 2]):
        sizes = {**lengths, **dict.fromkeys(ones, 1), **choice, name: 1}
        if all(d.holds(sizes) for d in sides):
            return sizes
    return None


def _assignments(symbols: Sequence[str], values: Sequence[int]) -> Iterator[dict[str, int]]:
    """Values for the symbols, small ones first; not all combinations of many symbols."""
    combinations = itertools.product(values, repeat=len(symbols))
    chosen = sorted(itertools.islice(combinations, 2000), key=sum)
    for choice in chosen:
        yield dict(zip(symbols, choice, strict=True))


def _samples(region: _Region, lengths: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Sizes of a region to try in floats: other ones than the code was followed at, then these."""
    free = [s for s in lengths if s not in region.ones]
    fixed = dict.fromkeys(region.ones, 1)
    tries = [
        {s: 4 + k for k, s in enumerate(free)},
        {s: 5 + len(free) - k for k, s in enumerate(free)},
        dict.fromkeys(free, 1),
        dict.fromkeys(free, 2),
    ]
    own = {s: n for s, n in region.sizes.items() if s in free}
    tries += [{s: n + 3 for s, n in own.items()}, own]
    seen: list[dict[str, int]] = []
    for choice in tries:
        sizes = {**fixed, **choice}
        if sizes not in seen and region.covers(sizes):
            seen.append(sizes)
            yield sizes
