"""Which arguments to check with: the declared examples, or shapes that the subject accepts.

An example is a list of slots, one for each positional argument, and keywords. A slot is an array of
some shape whose entries vary (and are differentiated), or a value that stands for itself.

May import: :mod:`verify.domains`, :mod:`verify.subject`.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from verify.domains import ELSEWHERE, Domain, as_domain, reals
from verify.subject import Subject

__all__ = [
    "Example",
    "Slot",
    "declared",
    "differentiated",
    "domains_of",
    "guessed",
]


@dataclass(frozen=True)
class Slot:
    """One positional argument: ``shape`` and ``domain`` where it varies, else ``fixed``."""

    name: str
    shape: tuple[int, ...] | None = None
    domain: Domain = reals
    base: np.ndarray | None = None
    fixed: Any = None
    dtype: Any = np.float64
    scalar: bool = False

    @property
    def varies(self) -> bool:
        return self.shape is not None

    @property
    def is_complex(self) -> bool:
        """Whether it is a complex number or array, whose parts vary (:mod:`verify.realified`)."""
        kind = getattr(self.fixed, "dtype", np.dtype(object)).kind
        return kind == "c" or type(self.fixed) is complex

    def draw(self, rng: np.random.Generator) -> Any:
        if not self.varies:
            return self.fixed
        assert self.shape is not None
        return self.domain.sample(rng, self.shape)


@dataclass(frozen=True)
class Example:
    """Arguments to check with."""

    slots: tuple[Slot, ...]
    keywords: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        real = sum(int(np.prod(s.shape, dtype=int)) for s in self.slots if s.shape is not None)
        return real + sum(2 * np.size(s.fixed) for s in self.slots if s.is_complex)

    def describe(self, shapes: Mapping[str, str] | None = None) -> str:
        """Shapes and keywords in one phrase: ``x (3, 4), axis=-1``.

        ``shapes`` may give them in other words.
        """
        parts = [
            f"{s.name} {(shapes or {}).get(s.name, s.shape)}"
            if s.varies
            else f"{s.name} complex {np.shape(s.fixed)}"
            if s.is_complex
            else f"{s.name}={_short(s.fixed)}"
            for s in self.slots
        ]
        parts += [f"{k}={_short(v)}" for k, v in self.keywords.items()]
        return ", ".join(parts) or "no arguments"

    @property
    def settings(self) -> str:
        """All but the shapes: what is fixed, the keywords, the types of what varies."""
        parts = [
            f"{s.name}: {s.dtype}" if s.varies else f"{s.name}={_in_full(s.fixed)}"
            for s in self.slots
        ]
        parts += [f"{k}={_in_full(v)}" for k, v in sorted(self.keywords.items())]
        return ", ".join(parts)


def _in_full(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{value.tolist()!r}"
    return repr(value)


def _short(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) < 40 else text[:37] + "..."


def domains_of(subject: Subject, domain: Any, count: int) -> list[Domain]:
    """The domain of each positional argument, from a dict by name or a sequence by position."""
    if domain is None:
        domain = subject.declared_domain
    names = [subject.name_of(i) for i in range(count)]
    if domain is None:
        return [reals] * count
    if isinstance(domain, dict):
        known = set(names) | set(subject.optional) | {subject.variadic}
        for key in domain:
            if key not in known and not subject.variadic:
                raise ValueError(
                    f"domain: {key!r} is no argument of {subject.name}; expected one of "
                    f"{', '.join(names) or 'none'}"
                )
        shared = domain.get(subject.variadic)
        return [as_domain(domain.get(n, shared), n) for n in names]
    if isinstance(domain, (list, tuple)):
        if len(domain) == 2 and all(isinstance(d, (int, float)) for d in domain):
            return [as_domain(tuple(domain), names[0] if names else "x")] * count
        most = max(count, len(subject.arguments) + len(subject.optional))
        if len(domain) > most and not subject.variadic:
            raise ValueError(
                f"domain: {len(domain)} entries for {subject.name}, which takes "
                f"{most} argument{'s' * (most != 1)}"
            )
        return [as_domain(domain[i] if i < len(domain) else None, n) for i, n in enumerate(names)]
    return [as_domain(domain, n) for n in names]


def declared(subject: Subject, examples: Any, domain: Any) -> list[Example] | None:
    """The examples that the subject or the caller gives, or None where none are given.

    Raises
    ------
    TypeError, ValueError
        For an example that is no tuple, or a shape that is none.
    """
    if examples is None:
        examples = subject.declared_examples
    if examples is None:
        return None
    if callable(examples):
        examples = examples()
    if isinstance(examples, (str, bytes, dict)) or not np.iterable(examples):
        raise TypeError(
            f"examples of {subject.name}: expected a list of argument tuples, got {examples!r}"
        )
    found = []
    for example in examples:
        if not isinstance(example, (tuple, list)):
            example = (example,)
        example = tuple(subject.plain(entry) for entry in example)
        keywords: dict[str, Any] = {}
        if example and isinstance(example[-1], dict):
            keywords, example = example[-1], example[:-1]
        if _is_shape(example) and len(example) != 1 and not _accepts(subject, len(example)):
            example = (example,)  # `(3, 4)` for one argument of that shape
        domains = domains_of(subject, domain, len(example))
        found.append(
            Example(
                tuple(
                    Slot(subject.name_of(i), fixed=entry)
                    if subject.is_fixed(i, entry)
                    else _slot(subject.name_of(i), entry, d)
                    for i, (entry, d) in enumerate(zip(example, domains, strict=True))
                ),
                dict(keywords),
            )
        )
    if not found:
        raise ValueError(f"examples of {subject.name}: the list is empty; give at least one tuple")
    return found


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in value
    )


def _accepts(subject: Subject, count: int) -> bool:
    if subject.variadic:
        return True
    return len(subject.arguments) <= count <= len(subject.arguments) + len(subject.optional)


def _slot(name: str, entry: Any, domain: Domain) -> Slot:
    if _is_shape(entry):
        if domain.integer:
            rng = np.random.default_rng(0)
            return Slot(name, fixed=domain.sample(rng, entry))
        return Slot(name, shape=tuple(int(n) for n in entry), domain=domain)
    if isinstance(entry, (float, np.floating)):
        base = np.asarray(entry)
        return Slot(name, (), domain, base, dtype=base.dtype, scalar=isinstance(entry, float))
    if isinstance(entry, np.ndarray) and np.issubdtype(entry.dtype, np.floating):
        return Slot(name, entry.shape, domain, entry, dtype=entry.dtype)
    if isinstance(entry, list) and _floats(entry):
        base = np.asarray(entry, dtype=float)
        return Slot(name, base.shape, domain, base)
    if isinstance(entry, list) and _floats(entry, "c"):
        return Slot(name, domain=domain, fixed=np.asarray(entry))
    return Slot(name, domain=domain, fixed=entry)


def _floats(entry: list, kind: str = "f") -> bool:
    try:
        array = np.asarray(entry)
    except ValueError:
        return False
    return array.dtype.kind == kind


_UNARY: list[tuple[int, ...]] = [(), (3,), (2, 3), (2, 1)]
_SQUARE: list[tuple[int, ...]] = [(2, 2), (3, 3)]
_PAIRS: list[tuple[tuple[int, ...], ...]] = [
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), ()),
    ((), (3,)),
    ((2, 1), (1, 3)),
    ((2, 3), (1,)),  # a leading axis and one of size 1, both to be summed over
    ((1,), (2, 3)),
    ((2, 3), (2, 3)),
    ((3,), (2, 3)),
    ((2, 3), (2, 1)),
    ((2, 3), (3, 2)),
    ((2, 3), (3,)),
    ((2, 2), (2,)),
    ((2,), (2, 2)),
    ((3, 3), (3,)),
    ((3,), (3, 3)),
    ((2, 2), (2, 2)),
    ((2,), (2, 3)),
    ((2, 3), (2,)),
]


# Lengths of a vector that holds several parameters, tried where nothing else fits.
_PACKED = (4, 5, 6, 7, 8, 9, 10, 12)
_LAST_RESORT = {((n,),) for n in _PACKED}


def _shape_lists(count: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    if count == 1:
        yield from ((s,) for s in [*_UNARY, *_SQUARE])
        yield from (((n,),) for n in _PACKED)
    elif count == 2:
        yield from _PAIRS
    else:
        for shape in [(), (3,), (2, 3), (2, 2)]:
            yield (shape,) * count
        # One array among scalars, vectors with a matrix somewhere: design matrices and parameters.
        options: list[tuple[int, ...]] = [(), (3,), (2, 3), (2,)]
        yield from itertools.islice(itertools.product(options, repeat=count), 400)


def guessed(subject: Subject, domain: Any, rng: np.random.Generator) -> tuple[list[Example], str]:
    """Shapes that the subject accepts, found by trying; and why none fits, where none does.

    With some that fit, the second is a note on what was left out.
    """
    counts = [len(subject.arguments)] if subject.arguments else []
    if subject.variadic:
        counts = [max(1, len(subject.arguments)), len(subject.arguments) + 2]
    elif not counts and subject.optional:
        counts = [1]
    reason = subject.hint or "it takes no positional argument that could be differentiated"
    for count in counts:
        domains = domains_of(subject, domain, count)
        found: list[Example] = []
        refused: list[Example] = []  # forward takes them, backward raises
        left_out = ""
        seen = set()
        for shapes in _shape_lists(count):
            if shapes in seen or len(found) >= (1 if shapes in _LAST_RESORT else 8):
                continue
            seen.add(shapes)
            for integers in _integer_choices(subject, domains, shapes):
                example = _example(subject, domains, shapes, integers)
                problem = _problem(subject, example, rng)
                if problem is None:
                    found.append(example)
                    break
                if problem.in_backward and not integers:
                    if problem.reduces and found:
                        left_out = left_out or f"not tried: {example.describe()}: {problem.text}"
                    else:
                        vector = _vector_for(example) if problem.grew else None
                        if vector is None or _problem(subject, vector, rng) is not None:
                            refused.append(example)
                        else:
                            found.append(vector)
                    break
                reason = problem.text
        # What forward takes, backward has to take: it will be refuted there. But several arguments
        # may fit together by accident (a vector where a matrix is meant); so it seems where arrays
        # of one shape do not do, and others do. A loss of two arrays takes what broadcasts without
        # being meant for it.
        plain = [e for e in refused if len({s.shape for s in e.slots}) == 1]
        if count == 1 or not found or not plain:
            found += refused if found else (plain or refused)[:2]
        if found:
            return _trimmed(found), left_out
    return [], reason


def _vector_for(example: Example) -> Example | None:
    """The vector to try where a column was refused for a gradient larger than itself.

    A loss of one vector, ``X @ w - y`` with data of its own, takes a column too: it broadcasts it
    against the data, where a vector is not.
    """
    [slot, *others] = example.slots
    if others or not slot.shape or slot.shape[-1] != 1:
        return None
    return replace(example, slots=(replace(slot, shape=slot.shape[:-1]),))


def _integer_choices(
    subject: Subject, domains: Sequence[Domain], shapes: Sequence[tuple[int, ...]]
) -> list[dict[int, Any]]:
    """Positions that take an integer, with the value to try; nothing first."""
    count = len(shapes)
    named = {i for i in range(count) if subject.name_of(i) in subject.integer_like}
    if named:
        return [dict.fromkeys(named, 1), dict.fromkeys(named, 2), dict.fromkeys(named, 0)]
    choices: list[dict[int, Any]] = [{}]
    if count > 1 and shapes[-1] == () and not any(d.integer for d in domains):
        choices += [{count - 1: 1}, {count - 1: 2}]
    return choices


def _example(
    subject: Subject,
    domains: Sequence[Domain],
    shapes: Sequence[tuple[int, ...]],
    integers: dict[int, Any],
) -> Example:
    slots = []
    for i, (shape, d) in enumerate(zip(shapes, domains, strict=True)):
        if i in integers:
            slots.append(Slot(subject.name_of(i), fixed=integers[i]))
        else:
            slots.append(_slot(subject.name_of(i), tuple(shape), d))
    return Example(tuple(slots))


def differentiated(subject: Subject, example: Example, rng: np.random.Generator) -> Example:
    """The example with those arguments held fixed for which no derivative is returned at all.

    A ``grad`` of several arguments may give the gradient of the first alone, as one array: the
    others are data, and nothing is said of them.
    """
    args = [s.draw(rng) for s in example.slots]
    try:
        with np.errstate(all="ignore"):
            outputs, pullback = subject.forward(args, example.keywords)
            subject.remember(args, example.keywords, outputs)
            upstream = [np.ones(np.shape(o)) for o in outputs]
            grads = pullback(upstream)
            subject.remember_gradient(args, grads)
            count = len(grads)
    except Exception:  # what raises is judged, and told, by the check itself
        return example
    if count >= len(example.slots):
        return example
    slots = tuple(
        replace(s, shape=None, fixed=args[i] if s.base is None else s.base, base=None)
        if i >= count and s.varies
        else s
        for i, s in enumerate(example.slots)
    )
    return replace(example, slots=slots)


def numbered(
    subject: Subject, examples: Sequence[Example], rng: np.random.Generator
) -> list[Example]:
    """Guessed examples with a fixed float for each argument that the subject takes for one.

    Examples in which such an argument is an array are left out.
    """
    made: list[tuple[Example, set[int]]] = []
    for example in examples:
        args = [s.draw(rng) for s in example.slots]
        try:
            with np.errstate(all="ignore"):
                places = set(subject.numbers(args))
        except Exception:  # what raises is judged, and told, by the check itself
            places = set()
        slots = tuple(
            Slot(s.name, domain=s.domain, fixed=float(args[i])) if i in places else s
            for i, s in enumerate(example.slots)
        )
        made.append((replace(example, slots=slots), places))
    everywhere = set[int]().union(*(places for _, places in made))
    return [example for example, places in made if places == everywhere]


@dataclass(frozen=True)
class _Problem:
    """Why an example does not do, and whether it is backward that fails where forward runs."""

    text: str
    in_backward: bool = False
    reduces: bool = False  # arguments of different shapes, and the output has not their common one
    grew: bool = False  # a gradient is larger than its argument


def _problem(subject: Subject, example: Example, rng: np.random.Generator) -> _Problem | None:
    """Why the subject cannot be run on the example; None where forward and backward run."""
    finite = False
    problem = _Problem("forward gives no finite value")
    ran = False
    for form in [None, None, None, *ELSEWHERE]:
        if form is not None and (ran or not all(s.domain.free for s in example.slots)):
            break
        forward_runs = reduces = False
        try:
            args = [s.draw(rng) for s in example.slots]
            if form is not None:  # outside of a domain that nobody declared, perhaps
                args = [
                    form(a) if s.varies else a for a, s in zip(args, example.slots, strict=True)
                ]
            with np.errstate(all="ignore"):
                outputs, pullback = subject.forward(args, example.keywords)
                outputs = tuple(np.asarray(o) for o in outputs)
                if any(o.dtype.kind not in "fiubc" for o in outputs):
                    return _Problem(f"forward returned an array of type {outputs[0].dtype}")
                if getattr(subject, "kind", None) == "grad" and outputs[0].size != 1:
                    return _Problem("grad= is for scalar values, and this one has several entries")
                forward_runs = all(np.all(np.isfinite(o)) for o in outputs)
                ran = ran or forward_runs
                reduces = _reduces(example, [o.shape for o in outputs])
                if forward_runs:
                    subject.remember(args, example.keywords, outputs)
                grads = [np.ones(o.shape, dtype=o.dtype) for o in outputs]
                results = pullback(grads)
                subject.remember_gradient(args, results)
            for arg, slot, grad in zip(args, example.slots, results, strict=False):
                if slot.varies and grad is not None and np.shape(grad) != np.shape(arg):
                    grew = np.size(grad) > np.size(arg)
                    problem = _Problem("a gradient has another shape", forward_runs, reduces, grew)
                    break
            else:
                finite = finite or forward_runs
        except Exception as caught:  # the user's code may raise anything: the next shape is tried
            problem = _Problem(f"{type(caught).__name__}: {caught}", forward_runs, reduces)
    return None if finite else problem


def _reduces(example: Example, outputs: Sequence[tuple[int, ...]]) -> bool:
    """Whether arguments of different shapes give an output that has not their common shape."""
    shapes = {s.shape for s in example.slots if s.shape is not None}
    if len(shapes) < 2:
        return False
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        return True
    return common not in outputs


def _trimmed(found: list[Example]) -> list[Example]:
    """At most seven, small ones first."""
    return sorted(found, key=lambda e: e.size)[:7]


def signature_text(subject: Subject) -> str:
    """The parameters, as a message shows them."""
    try:
        return str(inspect.signature(subject.code[0]))
    except (TypeError, ValueError):
        return "(...)"
