"""hypothesis strategies that aim at trouble: the inputs at which gradients go wrong.

`inputs` draws arguments for a Function from its special points, ties, constant arrays, zeros, empty
arrays, magnitudes on a logarithmic scale and ordinary values; `upstreams` draws upstream gradients,
`shapes` shapes, and `functions` random compositions of differentiable operations. All of them
shrink to simple values.

May import: everything of :mod:`verify` but the command and the reports.

Examples
--------
>>> import numpy as np
>>> from hypothesis import given, settings
>>> from autodiff.functions.exponential import Log1p
>>> from verify import strategies
>>> @settings(max_examples=50, derandomize=True, database=None)
... @given(strategies.inputs(Log1p))
... def test_log1p_inverts_expm1(case):
...     args, keywords = case
...     (x,) = args
...     assert np.all(x > -1)
...     np.testing.assert_allclose(np.expm1(np.log1p(x)), x, rtol=1e-9, atol=1e-300)
>>> test_log1p_inverts_expm1()
"""

from __future__ import annotations

import itertools
import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from autodiff import Function
from symbolic.limits import OutOfTime, time_limit
from symbolic.solve import Line, dependencies, neighbours, roots_on_line
from verify import points
from verify.compositions import SIMPLE, Composite, functions
from verify.domains import Domain
from verify.examples import Example, declared, guessed
from verify.explore import Explorer
from verify.instance import Instance
from verify.subject import PairSubject, Subject, as_subject
from verify.variations import variations

__all__ = ["Composite", "functions", "inputs", "shapes", "upstreams"]

_MOST_SPECIAL = 200


# Inputs


def inputs(
    F: Any, *, examples: Any = None, domain: Any = None
) -> st.SearchStrategy[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Arguments for a Function, or a callable, that aim at trouble.

    Parameters
    ----------
    F : Function class or callable
        What the arguments are for. A callable may work on arrays or on Tensors.
    examples : list of tuple, optional
        As in :func:`verify.check`; by default those of ``F``, or shapes found by trying.
    domain : dict or sequence, optional
        As in :func:`verify.check`; by default that of ``F``.

    Returns
    -------
    strategy of (tuple, dict)
        Positional arguments, always inside the domain, and keywords. Arrays are fresh: they may be
        written to.

    Notes
    -----
    Special points are the boundaries of branches, zeros of denominators and arguments of
    logarithms, roots and powers, each with the floats next to it. They are found once for each
    ``F``, by exploration, when the first value is drawn.

    Examples
    --------
    A clipped reciprocal is tried at its bounds and around zero:

    >>> import numpy as np
    >>> from hypothesis import given, settings
    >>> from verify import strategies
    >>> seen = set()
    >>> @settings(max_examples=300, derandomize=True, database=None)
    ... @given(strategies.inputs(lambda x: np.clip(1 / x, -2.0, 7.25), examples=[((3,),)]))
    ... def run(case):
    ...     (x,), keywords = case
    ...     seen.update(x.ravel().tolist())
    >>> run()
    >>> 1 / 7.25 in seen and 0.0 in seen and -0.5 in seen
    True
    """
    aim = _aim(F, examples, domain)

    def prepared() -> st.SearchStrategy[Any]:
        _ = aim.targets  # here, where hypothesis takes it for no slow draw
        return _inputs(aim)

    return st.deferred(prepared)


@dataclass
class _Target:
    """One example, and the special points at it (each argument's entries, flat)."""

    example: Example
    special: list[np.ndarray] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.example.size


class _Aim:
    """What to draw from for one subject: found when first asked for, then kept."""

    def __init__(self, subject: Any, examples: Any, domain: Any):
        self.subject = subject
        self.examples = examples
        self.domain = domain
        self.pools: dict[str, list[float]] = {}
        self._targets: list[_Target] | None = None

    @property
    def targets(self) -> list[_Target]:
        if self._targets is None:
            self._targets = self._find()
        return self._targets

    def _find(self) -> list[_Target]:
        with np.errstate(all="ignore"):
            subject, found = self._declared()
            found = sorted(found, key=lambda e: e.size)
            targets = [_Target(e, _special(subject, e)) for e in found[:6]]
            known = {e.describe() for e in found}
            targets += [_Target(e) for e in found[6:]]
            for example in found[:6]:
                for other in [*variations(example), *_longer(example)]:
                    if other.describe() not in known and _runs(subject, other):
                        known.add(other.describe())
                        targets.append(_Target(other))
        # Small ones first: hypothesis shrinks towards them; but an empty array shows little.
        targets = sorted(targets, key=lambda t: (t.size == 0, t.size))[:40]
        for target in targets:
            self._pool(target)
        rich = [t for t in targets if t.special]
        return targets + rich * (len(targets) // max(1, len(rich)))

    def _pool(self, target: _Target) -> None:
        """Keep the values of special points, argument by argument: for entries at other shapes."""
        slots = [s for s in target.example.slots if s.varies]
        for flat in target.special:
            for slot, part in zip(slots, _split(flat, slots), strict=True):
                values = self.pools.setdefault(slot.name, [])
                for v in part.ravel()[:4].tolist():
                    if v not in values and len(values) < 100:
                        values.append(v)

    def _declared(self) -> tuple[Subject, list[Example]]:
        reason = "no example"
        for subject in _subjects(self.subject):
            found = declared(subject, self.examples, self.domain)
            if found is None:
                found, reason = guessed(subject, self.domain, np.random.default_rng(0))
            elif not any(_runs(subject, e) for e in found):
                reason, found = "forward raises at every example", []
            if found:
                return subject, found
        name = getattr(self.subject, "__name__", repr(self.subject))
        raise ValueError(f"inputs of {name}: no arguments fit: {reason}; give examples=[...]")


_aims: weakref.WeakKeyDictionary[Any, _Aim] = weakref.WeakKeyDictionary()


def _aim(subject: Any, examples: Any, domain: Any) -> _Aim:
    if not callable(subject):
        raise TypeError(f"inputs: expected a Function or a callable, got {subject!r}")
    if examples is not None or domain is not None:
        return _Aim(subject, examples, domain)
    try:
        return _aims.setdefault(subject, _Aim(subject, None, None))
    except TypeError:  # no weak references to it
        return _Aim(subject, None, None)


def _subjects(subject: Any) -> list[Subject]:
    """The ways to run it: as a Function, on arrays, on Tensors."""
    if isinstance(subject, type) and issubclass(subject, Function):
        return [as_subject(subject)]
    plain = PairSubject(subject, "vjp", lambda *args, **keywords: (None,) * (len(args) - 1))
    return [plain, as_subject(subject)]


def _runs(subject: Subject, example: Example) -> bool:
    rng = np.random.default_rng(0)
    try:
        args = [s.draw(rng) for s in example.slots]
        outputs, _ = subject.forward(args, example.keywords)
        arrays = [np.asarray(o) for o in outputs]
    except Exception:  # whatever it raises: these arguments are not for it
        return False
    return all(a.dtype.kind in "fiubc" and np.all(np.isfinite(a)) for a in arrays)


def _longer(example: Example) -> list[Example]:
    """The same with its longest axes empty, and 5 and 6 long."""
    if any(s.base is not None for s in example.slots):
        return []
    lengths = {n for s in example.slots for n in s.shape or ()}
    free = all(s.domain.free for s in example.slots if s.varies)  # no matrix is empty and definite
    made = []
    for n in (0, 3, 5, 6) if free else (3, 5, 6):
        if lengths and n not in lengths:
            longest = max(lengths)
            made.append(
                replace(
                    example,
                    slots=tuple(
                        replace(s, shape=tuple(n if k == longest else k for k in s.shape))
                        if s.shape
                        else s
                        for s in example.slots
                    ),
                )
            )
    return made


def _special(subject: Subject, example: Example) -> list[np.ndarray]:
    """Boundaries of branches, and zeros of denominators and their kind, at one example."""
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    try:
        with time_limit(2.0):
            instance = Instance(subject, example, rng)
            run = instance.prepare()
            if run.forward_error is not None or not instance.free or instance.inputs > 40:
                return []
            explorer = Explorer(instance, time.process_time() + 0.4, most=24)
            explorer.explore(points.starts(instance, rng))
            samples = [p for c in explorer.cells.values() for p in c.samples[:2]]
            around = itertools.islice(points.singularities(explorer, rng, 12), 120)
            bounds = itertools.islice(_boundaries(explorer), 120)
            for point in itertools.chain(explorer.special, bounds, around, samples):
                found.append(point[: instance.inputs].copy())
    except (OutOfTime, Exception):  # not traced: the other values do
        pass
    distinct = {p.tobytes(): p for p in found if np.all(np.isfinite(p))}
    return list(distinct.values())[:_MOST_SPECIAL]


def _boundaries(explorer: Explorer) -> Iterator[np.ndarray]:
    """Where a condition that decided a branch changes, and the floats next to that."""
    instance = explorer.instance
    seen: set[int] = set()
    for cell in list(explorer.cells.values()):
        for condition in cell.conditions:
            if condition.gap.index in seen:
                continue
            seen.add(condition.gap.index)
            names = dependencies(condition.gap)
            for i in [k for k, n in enumerate(instance.names[: instance.inputs]) if n in names][:3]:
                line = Line(cell.point, "entry", [i])
                low, high = explorer.bounds[instance.names[i]]
                for root in roots_on_line(condition.gap, instance.names, line, low, high)[:4]:
                    for t in itertools.islice(neighbours(root), 3):
                        point = line.at(t)
                        if low < t < high and instance.in_domain(point):
                            yield point


@st.composite
def _inputs(draw: Any, aim: _Aim) -> tuple[tuple[Any, ...], dict[str, Any]]:
    target: _Target = draw(st.sampled_from(aim.targets))
    example = target.example
    slots = [s for s in example.slots if s.varies]
    kinds = ["ordinary", "equal", "ties", "zeros", "magnitudes"]
    if aim.pools:
        kinds += ["pooled", "pooled"]
    if target.special:
        kinds += ["special", "special", "beside"]
    if any(s.base is not None for s in slots):
        kinds.append("base")
    kind = draw(st.sampled_from(kinds))
    # Drawn for special points too, which replace them: fewer choices would count as simpler.
    values = [_values(draw, kind, s, aim.pools.get(s.name, [])) for s in slots]
    if kind in ("special", "beside"):
        flat = draw(st.sampled_from(target.special)).copy()
        if kind == "beside" and flat.size:
            i = draw(st.integers(0, flat.size - 1))
            flat[i] = draw(st.sampled_from(_beside(flat[i])))
        values = _split(flat, slots)
    rest = iter(values)
    args: list[Any] = []
    for slot in example.slots:
        if not slot.varies:
            args.append(slot.fixed.copy() if isinstance(slot.fixed, np.ndarray) else slot.fixed)
            continue
        with np.errstate(over="ignore"):
            array = _inside(next(rest).astype(slot.dtype), slot.domain)
        args.append(float(array) if slot.scalar else array.astype(slot.dtype))
    return tuple(args), dict(example.keywords)


def _split(flat: np.ndarray, slots: Sequence[Any]) -> list[np.ndarray]:
    ends = np.cumsum([math.prod(s.shape) for s in slots])
    parts = np.split(flat, ends[:-1])
    return [p.reshape(s.shape) for p, s in zip(parts, slots, strict=True)]


def _beside(x: float) -> list[float]:
    return [float(np.nextafter(x, np.inf)), float(np.nextafter(x, -np.inf)), -x]


def _values(draw: Any, kind: str, slot: Any, pool: list[float]) -> np.ndarray:
    """One argument, not yet held to its domain."""
    shape, domain = slot.shape, slot.domain
    size = math.prod(shape)
    if kind == "base" and slot.base is not None:
        return np.array(slot.base, dtype=float)
    if not domain.free:
        return domain.sample(np.random.default_rng(draw(st.integers(0, 2**16))), shape)
    entry = _entries(domain)
    if kind == "magnitudes":
        entry = _magnitudes(domain)
    if kind == "equal":
        return np.full(shape, draw(entry))
    if kind == "ties":
        few = draw(st.lists(entry, min_size=1, max_size=2))
        chosen = draw(st.lists(st.sampled_from(few), min_size=size, max_size=size))
        return np.array(chosen, dtype=float).reshape(shape)
    if kind == "pooled" and pool:
        entry = st.one_of(st.sampled_from(pool), entry)
    if kind == "zeros":
        entry = st.one_of(st.just(0.0), entry)
    chosen = draw(st.lists(entry, min_size=size, max_size=size))
    return np.array(chosen, dtype=float).reshape(shape)


def _entries(domain: Domain) -> st.SearchStrategy[float]:
    """Simple numbers, then any of a moderate size, inside an interval."""
    simple = [v for v in SIMPLE if domain.low < v < domain.high]
    low, high = max(domain.low, -100.0), min(domain.high, 100.0)
    if not low < high:  # far from the origin
        low, high = max(domain.low, -1e300), min(domain.high, 1e300)
    inner = st.floats(
        low, high, exclude_min=low == domain.low, exclude_max=high == domain.high,
        allow_subnormal=False,
    )  # fmt: skip
    return st.one_of(st.sampled_from(simple), inner) if simple else inner


def _magnitudes(domain: Domain) -> st.SearchStrategy[float]:
    """Both signs on a logarithmic scale, or close to a bound."""
    signs = [s for s in (1.0, -1.0) if domain.low < s * 1e-30 < domain.high]

    def far(pair: tuple[float, int]) -> float:
        return pair[0] * 10.0 ** pair[1]

    def near(bound: float, sign: float) -> Callable[[int], float]:
        return lambda k: bound + sign * width * 10.0**k

    options = []
    if signs:
        options.append(st.tuples(st.sampled_from(signs), st.integers(-60, 60)).map(far))
    width = min(domain.high - domain.low, 1.0)
    for bound, sign in ((domain.low, 1.0), (domain.high, -1.0)):
        if np.isfinite(bound):
            options.append(st.integers(-15, -1).map(near(bound, sign)))
    return st.one_of(options) if options else _entries(domain)


def _inside(array: np.ndarray, domain: Domain) -> np.ndarray:
    """The array, with what lies outside its domain replaced by a sample of it."""
    if domain.contains(array):
        return array
    sample = domain.sample(np.random.default_rng(0), array.shape)
    if not domain.free:
        return sample
    sample = np.clip(sample, np.nextafter(domain.low, np.inf), np.nextafter(domain.high, -np.inf))
    mixed = np.where((array > domain.low) & (array < domain.high), array, sample)
    return mixed if domain.contains(mixed) else sample


# Upstream gradients and shapes


def upstreams(shape: tuple[int, ...], dtype: Any = np.float64) -> st.SearchStrategy[np.ndarray]:
    """Upstream gradients of a shape: ones, zeros, one entry alone, signs, magnitudes, any.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
        Of floats.

    Examples
    --------
    >>> from hypothesis import find, settings
    >>> from verify import strategies
    >>> search = settings(max_examples=200, derandomize=True, database=None)
    >>> find(strategies.upstreams((2,)), lambda g: g[0] != g[1], settings=search)
    array([1., 0.])
    """
    shape = tuple(shape)
    size = math.prod(shape)
    ones = np.ones(shape, dtype=dtype)
    options = [st.just(ones)]
    if size:
        options.append(
            st.integers(0, size - 1).map(lambda k: np.eye(1, size, k, dtype=dtype).reshape(shape))
        )
    options.append(st.sampled_from([0.0, -1.0, 2.0]).map(lambda v: ones * ones.dtype.type(v)))
    entry = st.one_of(
        st.sampled_from(SIMPLE),
        st.floats(-10, 10, allow_subnormal=False),
        st.tuples(st.sampled_from([1.0, -1.0]), st.integers(-30, 30)).map(
            lambda pair: pair[0] * 10.0 ** pair[1]
        ),
    )
    options.append(
        st.lists(entry, min_size=size, max_size=size).map(
            lambda values: np.array(values, dtype=dtype).reshape(shape)
        )
    )
    return st.one_of(options).map(np.copy)


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, sides: Sequence[int] = (2, 3, 1, 0, 5)
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes with the lengths at which code goes wrong: one, none, odd and even.

    Parameters
    ----------
    min_dims, max_dims : int
    sides : sequence of int
        The lengths to draw from, the simplest first.

    Examples
    --------
    >>> from hypothesis import find, settings
    >>> from verify import strategies
    >>> search = settings(max_examples=200, derandomize=True, database=None)
    >>> find(strategies.shapes(), lambda shape: 0 in shape, settings=search)
    (0,)
    """
    if not 0 <= min_dims <= max_dims:
        raise ValueError(f"shapes: expected 0 <= min_dims <= max_dims, got {min_dims}, {max_dims}")
    return st.lists(st.sampled_from(list(sides)), min_size=min_dims, max_size=max_dims).map(tuple)
