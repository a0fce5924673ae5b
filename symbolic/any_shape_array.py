"""Arrays of any size: what NumPy code is given to prove something for every length of its axes.

An :class:`AnyShapeArray` has a rank but no numbers: each axis is a tuple of size symbols (none for
an axis of length 1, two where axes were flattened into one), and one :class:`Form` in the axes'
indices says what every entry is. ``shape``, ``len`` and ``size`` give :class:`Size` objects, which
stand for any integer of at least 1. A size is compared by the value that it has in this run, and
the run records the outcome; everything else that would turn a size into a number stops the run.

May import: :mod:`symbolic.index_form`, :mod:`symbolic.index_functions`,
:mod:`symbolic.index_calculus`, :mod:`symbolic.values`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from symbolic.index_calculus import size_value
from symbolic.index_form import FIRST, Form, Index, fresh, renamed, size
from symbolic.index_functions import number, power
from symbolic.values import TraceError, user_line

__all__ = [
    "AnyShapeArray",
    "Axis",
    "Decision",
    "Place",
    "Run",
    "Shape",
    "Size",
    "Unify",
    "indices_of",
]

# The size symbols of an axis: none where its length is 1, several where axes were flattened.
Axis = tuple[str, ...]


class Unify(Exception):
    """Two sizes have to be one for the code to run; raised once, and the run starts again."""

    def __init__(self, a: str, b: str):
        super().__init__(f"{a} = {b}")
        self.sizes = (a, b)


@dataclass(frozen=True)
class Decision:
    """A comparison of sizes: ``gap relation 0`` was found to be ``outcome``."""

    gap: Form
    relation: str
    outcome: bool

    def holds(self, sizes: dict[str, int]) -> bool:
        """Whether the outcome is the same at those sizes."""
        return _RELATIONS[self.relation](size_value(self.gap, sizes)) == self.outcome


_RELATIONS = {
    "<": lambda gap: gap < 0,
    "<=": lambda gap: gap <= 0,
    "==": lambda gap: gap == 0,
}


@dataclass
class Run:
    """One run of the code: the value that each size has in it, and what was decided by these.

    ``stopped`` keeps the reason why the run is worth nothing, and ``unify`` the sizes that have to
    be one, should the code have caught the exception. ``aside`` says whether values were compared:
    then nothing is said of values that are equal.
    """

    sizes: dict[str, int]
    decisions: list[Decision] = field(default_factory=list)
    stopped: TraceError | None = None
    unify: tuple[str, str] | None = None
    aside: bool = False

    def stop(self, message: str) -> TraceError:
        """The exception that ends the run; to be raised."""
        error = TraceError(message, user_line())
        self.stopped = self.stopped or error
        return error

    def watch(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the function, and keep the reason where it cannot go on: the code may catch it."""
        try:
            return function(*args, **kwargs)
        except TraceError as error:
            self.stopped = self.stopped or error
            raise

    def decide(self, gap: Form, relation: str) -> bool:
        outcome = bool(_RELATIONS[relation](size_value(gap, self.sizes)))
        if not _always(gap, relation, outcome):
            self.decisions.append(Decision(gap, relation, outcome))
        return outcome


def _always(gap: Form, relation: str, outcome: bool) -> bool:
    """Whether the outcome is the same for all sizes of at least 1, as far as is easily seen."""
    if not all(g.kind == "size" and e > 0 for m in gap.terms for g, e in m):
        return not gap
    shifted = Form()
    for monomial, c in gap.terms.items():
        term = number(c)
        for g, e in monomial:
            term = term * power(size(g.args[0]) + number(1), e)
        shifted = shifted + term
    signs = {c > 0 for c in shifted.terms.values()}
    strict = () in shifted.terms
    if len(signs) > 1:
        return False
    above = signs != {False}
    # Of one sign, and not zero where there is a constant term.
    if relation == "==":
        return not gap or strict
    if relation == "<":
        return not gap or (strict and not above) or (above and not outcome)
    return not gap or (strict and above) or (not above and outcome)


class Size:
    """A size that stands for any integer of at least 1, or what is computed from sizes.

    Integers it meets keep it a size; division and everything else make a 0-d array of it.
    """

    __array_priority__ = 1001.0
    __slots__ = ("factors", "form", "run")

    def __init__(self, run: Run, form: Form, factors: Axis | None = None):
        self.run, self.form = run, form
        self.factors = factors  # the symbols whose product it is, in order

    @property
    def array(self) -> AnyShapeArray:
        return AnyShapeArray(self.run, (), self.form)

    def _with(self, other: Any, combine: Any, name: str) -> Any:
        if isinstance(other, (int, np.integer)) and type(other) is not Size:
            return Size(self.run, combine(self.form, number(int(other))))
        if type(other) is Size:
            return Size(self.run, combine(self.form, other.form))
        if isinstance(other, (float, np.ndarray, np.generic)):
            return getattr(self.array, name)(other)
        return NotImplemented

    def __add__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b, "__add__")

    def __radd__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: b + a, "__radd__")

    def __sub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b, "__sub__")

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: b - a, "__rsub__")

    def __mul__(self, other: Any) -> Any:
        if type(other) is Size and self.factors is not None and other.factors is not None:
            return Size(self.run, self.form * other.form, self.factors + other.factors)
        if isinstance(other, int) and other == 1:
            return self
        return self._with(other, lambda a, b: a * b, "__mul__")

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, int) and other == 1:
            return self
        return self._with(other, lambda a, b: b * a, "__rmul__")

    def __truediv__(self, other: Any) -> Any:
        return self.array / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.array

    def __pow__(self, other: Any) -> Any:
        return self.array**other

    def __rpow__(self, other: Any) -> Any:
        return other**self.array

    def __neg__(self) -> Size:
        return Size(self.run, -self.form)

    def _decide(self, other: Any, relation: str, swap: bool = False) -> Any:
        if type(other) is Size:
            form = other.form
        elif isinstance(other, (int, float, np.integer, np.floating)):
            form = number(other if isinstance(other, float) else int(other))
        else:
            return NotImplemented
        return self.run.decide(form - self.form if swap else self.form - form, relation)

    def __eq__(self, other: object) -> Any:
        return self._decide(other, "==")

    def __ne__(self, other: object) -> Any:
        same = self._decide(other, "==")
        return same if same is NotImplemented else not same

    def __lt__(self, other: Any) -> Any:
        return self._decide(other, "<")

    def __le__(self, other: Any) -> Any:
        return self._decide(other, "<=")

    def __gt__(self, other: Any) -> Any:
        return self._decide(other, "<", swap=True)

    def __ge__(self, other: Any) -> Any:
        return self._decide(other, "<=", swap=True)

    def __bool__(self) -> bool:
        return not self.run.decide(self.form, "==")

    def __hash__(self) -> int:
        raise self.run.stop("a size is used as a key")

    def __index__(self) -> int:
        raise self.run.stop("a size is used as a number")

    __int__ = __index__

    def __float__(self) -> float:
        raise self.run.stop("a size is used as a number")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise self.run.stop("a size is used as a number")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.array.__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.array.__array_function__(function, types, args, kwargs)

    def __repr__(self) -> str:
        return self.form.key


class Shape(tuple[Any, ...]):
    """A shape whose comparison with one of another rank decides nothing about sizes."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, tuple)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(tuple(self))  # asks the sizes, which refuse

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return Shape(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> Shape:
        return Shape(super().__add__(tuple(other)))

    def __radd__(self, other: Any) -> Shape:
        return Shape((*other, *self))


def indices_of(axes: Sequence[Axis]) -> list[list[Index]]:
    """The indices of each axis: named by their place from the right, so that arrays of other ranks
    broadcast without renaming."""
    rank = len(axes)
    return [
        [(f"p{rank - k}.{i}{symbol}", symbol) for i, symbol in enumerate(axis)]
        for k, axis in enumerate(axes)
    ]


class AnyShapeArray(NDArrayOperatorsMixin):
    """An array with sizes for its axes and one form for its entries.

    Attributes
    ----------
    axes : tuple of Axis
    form : Form
        The entry at the indices that `indices_of` gives.
    """

    __array_priority__ = 1002.0
    __slots__ = ("axes", "boolean", "form", "run", "shared")

    def __init__(self, run: Run, axes: Sequence[Axis], form: Form):
        self.run, self.axes, self.form = run, tuple(axes), form
        self.shared = False  # whether a view of it was taken
        self.boolean = False  # a mask: 1 where it is true, 0 elsewhere

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # type: ignore[override,misc]
        return np.ndarray  # for isinstance; `type` tells the truth

    # What the code may ask

    @property
    def ndim(self) -> int:
        return len(self.axes)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(bool if self.boolean else np.float64)

    @property
    def indices(self) -> list[list[Index]]:
        return indices_of(self.axes)

    @property
    def flat_indices(self) -> list[Index]:
        return [i for axis in self.indices for i in axis]

    @property
    def shape(self) -> Shape:
        return Shape(self.length(axis) for axis in self.axes)

    def length(self, axis: Axis) -> Any:
        if not axis:
            return 1
        form = number(1)
        for symbol in axis:
            form = form * size(symbol)
        return Size(self.run, form, axis)

    @property
    def size(self) -> Any:
        return self.length(tuple(s for axis in self.axes for s in axis))

    def __len__(self) -> int:  # Python wants a plain int: the name `len` is bound to another
        if not self.axes or self.axes[0]:
            raise self.run.stop("len() of an array of any size")
        return 1

    def __iter__(self) -> Any:
        raise self.run.stop("a loop over the entries of an array")

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise self.run.stop("an array of any size is used as numbers")

    def __bool__(self) -> bool:
        truth = None if any(self.axes) else self.form.constant
        if truth is None:
            raise self.run.stop("a branch on a value")
        return bool(truth)

    __float__ = __int__ = __index__ = __complex__ = __array__ = _refuse
    __contains__ = tolist = tobytes = __reduce__ = __hash__ = _refuse  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if not hasattr(np.ndarray, name) or name.startswith("__"):
            raise AttributeError(name)
        from symbolic.any_shape_functions import method

        found = method(name)
        if found is None:
            raise self.run.stop(f"the attribute {name} of an array of any size")
        return functools.partial(self.run.watch, found, self)

    def __repr__(self) -> str:
        return f"AnyShapeArray({self.axes}, {self.form!r})"

    # Making others

    def like(self, axes: Sequence[Axis], form: Form) -> AnyShapeArray:
        return AnyShapeArray(self.run, axes, form)

    def view(self, axes: Sequence[Axis], form: Form) -> AnyShapeArray:
        """An array that NumPy would have share its memory: neither may be written to."""
        self.shared = True
        found = self.like(axes, form)
        found.shared, found.boolean = True, self.boolean
        return found

    def laid_out(self, order: Sequence[Sequence[int]]) -> AnyShapeArray:
        """A view with axes that join the given ones, in that order: all of them, once each."""
        axes = [tuple(s for k in group for s in self.axes[k]) for group in order]
        own = self.indices
        names: dict[Index, Index] = {}
        for group, target in zip(order, indices_of(axes), strict=True):
            names.update(zip([i for k in group for i in own[k]], target, strict=True))
        return self.view(axes, self.run.watch(renamed, self.form, names))

    @property
    def real(self) -> AnyShapeArray:
        return self

    @property
    def T(self) -> AnyShapeArray:
        return self.laid_out([[k] for k in reversed(range(self.ndim))])

    @property
    def mT(self) -> AnyShapeArray:
        return self.laid_out(
            [*([k] for k in range(self.ndim - 2)), [self.ndim - 1], [self.ndim - 2]]
        )

    def fixed(self) -> tuple[Form, list[list[Index]]]:
        """The form at fresh indices, and these by axis: to combine with others."""
        new = [[fresh(symbol) for symbol in axis] for axis in self.axes]
        names = {
            a: b for x, y in zip(self.indices, new, strict=True) for a, b in zip(x, y, strict=True)
        }
        return self.run.watch(renamed, self.form, names), new

    # Indexing

    def __getitem__(self, key: Any) -> Any:
        keys = list(key) if isinstance(key, tuple) else [key]
        if any(
            k is not None and k is not Ellipsis and not isinstance(k, (int, slice)) for k in keys
        ):
            raise self.run.stop("an index that is no slice")
        taken = sum(k is not None and k is not Ellipsis for k in keys)
        if not any(k is Ellipsis for k in keys):
            keys.append(Ellipsis)
        place = next(i for i, k in enumerate(keys) if k is Ellipsis)
        keys[place : place + 1] = [slice(None)] * (self.ndim - taken)
        form, indices = self.fixed()
        axes: list[Axis] = []
        kept: list[list[Index]] = []
        names: dict[Index, Index] = {}
        k = 0
        for item in keys:
            if item is None:
                axes.append(())
                kept.append([])
                continue
            axis, own = self.axes[k], indices[k]
            k += 1
            if isinstance(item, slice):
                if item == slice(None) or (not axis and item in (slice(0, 1), slice(None, 1))):
                    axes.append(axis)
                    kept.append(own)
                    continue
                if item not in (slice(0, 1), slice(None, 1)):
                    raise self.run.stop(f"the slice {item} of an axis of any size")
                axes.append(())
                kept.append([])
            elif item != 0 and (axis or item != -1):
                raise self.run.stop(f"the entry {item} of an axis of any size")
            names.update(dict.fromkeys(own, FIRST))
        for own, new in zip(kept, indices_of(axes), strict=True):
            names.update(zip(own, new, strict=True))
        return self.view(axes, self.run.watch(renamed, form, names))

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(key) is AnyShapeArray and key.boolean and key.axes == self.axes:
            self.store(np.where(key, self.scalar(value), self))  # type: ignore[call-overload]
            return
        if not (key is Ellipsis or (isinstance(key, slice) and key == slice(None))):
            raise self.run.stop("entries of an array of any size are written to")
        self.store(value)

    def scalar(self, value: Any) -> Any:
        """The value, unless it is an array, of which a mask would take but some entries."""
        if np.ndim(value):
            raise self.run.stop("as many entries as a mask has are written to")
        return value

    def store(self, value: Any) -> None:
        """Write an array of the same axes into this one."""
        from symbolic.any_shape_operands import broadcast, operand

        if self.shared:
            raise self.run.stop("an array that shares its memory is written to")
        self.form = broadcast(operand(self.run, value), self.axes).form

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from symbolic.any_shape_functions import call_ufunc

        return call_ufunc(self.run, ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from symbolic.any_shape_functions import call_function

        return call_function(self.run, function, args, kwargs)


@dataclass(frozen=True)
class Place:
    """Where an array is greatest along an axis, which is kept: what ``np.argmax`` gives."""

    array: AnyShapeArray
    axis: int
