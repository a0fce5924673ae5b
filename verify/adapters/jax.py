"""JAX: ``custom_vjp`` and ``custom_jvp`` functions, and any JAX callable.

All of them are one thing here: the gradient is what ``jax.vjp`` gives, custom rules included.
Floats run through JAX itself, compiled, with 64-bit types switched on for the call alone. Symbols
run through the *jaxprs* of the function and of its pullback, whose primitives are interpreted on
traced arrays by the table of :mod:`verify.adapters.jax_primitives`; so JAX's own rules are proved
as well. A primitive that is not there ends the proof, by name, and the evidence on floats goes on.

May import: jax, :mod:`symbolic`, :mod:`verify.subject`, :mod:`verify.adapters.jax_primitives`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from symbolic.array import is_traced
from symbolic.values import TraceError, user_line
from verify.adapters.jax_primitives import interpret
from verify.subject import BadResult, Pullback, Subject, weights

__all__ = ["JaxSubject", "adapt"]

# What JAX raises where code branches on a value that it traces.
_BRANCHES = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)

_FLOAT = np.dtype(float)


def adapt(subject: Any) -> Subject | None:
    """Any callable of JAX arrays."""
    return JaxSubject(subject) if callable(subject) and not isinstance(subject, type) else None


class JaxSubject(Subject):
    """A JAX callable: its gradient is what ``jax.vjp`` gives."""

    def __init__(self, function: Callable[..., Any]):
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(function, name, function)
        # Arguments that the rule does not differentiate: JAX hands them on as they are.
        self.static = frozenset(getattr(function, "nondiff_argnums", ()))
        self.integer_like |= {self.name_of(i) for i in self.static}
        self._functions: dict[Any, tuple[Callable[..., Any], Callable[..., Any]]] = {}
        self._jaxprs: dict[Any, Any] = {}
        self._eager = False

    @property
    def code(self) -> list[Callable[..., Any]]:
        rules = [getattr(self.function, name, None) for name in ("fwd", "jvp", "bwd")]
        return [getattr(self.function, "fun", self.function), *(r for r in rules if callable(r))]

    def plain(self, entry: Any) -> Any:
        return np.asarray(entry) if isinstance(entry, jax.Array) else entry

    def is_fixed(self, position: int, entry: Any) -> bool:
        return position in self.static

    def gradient(self) -> Subject:
        def gradient(*args: Any, **keywords: Any) -> Any:
            dynamic = [i for i, a in enumerate(args) if self._differentiated(i, a)]

            def value(*given: Any) -> Any:
                filled = list(args)
                for i, a in zip(dynamic, given, strict=True):
                    filled[i] = a
                return self.function(*filled, **keywords)

            result, vjp = jax.vjp(value, *(args[i] for i in dynamic))
            return vjp(jax.tree.map(lambda y: weights(y.shape).astype(y.dtype), result))

        found = JaxSubject(gradient)
        found.arguments, found.variadic = list(self.arguments), self.variadic
        found.static = self.static
        return found

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        places = [i for i, a in enumerate(args) if self._differentiated(i, a)]
        dynamic = [args[i] for i in places]
        with _double():
            if any(is_traced(a) for a in dynamic):
                return self._traced(args, places, keywords)
            return self._real(args, places, keywords)

    def _differentiated(self, position: int, value: Any) -> bool:
        if position in self.static:
            return False
        numeric = isinstance(value, (np.ndarray, np.generic, float, jax.Array))
        return is_traced(value) or (numeric and getattr(value, "dtype", _FLOAT).kind in "fc")

    def _pair(
        self, args: Sequence[Any], places: list[int], keywords: dict[str, Any]
    ) -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
        """The value and the pullback as functions of the differentiated arguments, and a key."""
        static = [(i, a) for i, a in enumerate(args) if i not in places]
        key = (tuple(places), _key(static), _key(sorted(keywords.items())))
        if key not in self._functions:

            def value(*dynamic: Any) -> Any:
                given: list[Any] = [None] * len(args)
                for i, a in static:
                    given[i] = a
                for i, a in zip(places, dynamic, strict=True):
                    given[i] = a
                return self.function(*given, **keywords)

            def pull(dynamic: Any, upstream: Any) -> Any:
                primal, vjp = jax.vjp(value, *dynamic)
                leaves, tree = jax.tree.flatten(primal)
                cotangents = [_cotangent(u, p) for u, p in zip(upstream, leaves, strict=True)]
                return leaves, vjp(jax.tree.unflatten(tree, cotangents))

            self._functions[key] = (value, pull)
        value, pull = self._functions[key]
        return key, value, pull

    # Floats

    def _real(
        self, args: Sequence[Any], places: list[int], keywords: dict[str, Any]
    ) -> tuple[tuple, Pullback]:
        key, value, pull = self._pair(args, places, keywords)
        dynamic = [np.asarray(args[i]) for i in places]
        outputs = [np.array(o) for o in jax.tree.leaves(self._compiled(key, 0, value)(*dynamic))]

        def close_by() -> tuple[Sequence[np.ndarray], Sequence[np.ndarray]]:
            moved = [x * (1 + 1e-7 * np.cos(np.arange(x.size)).reshape(x.shape)) for x in dynamic]
            near = [np.asarray(o) for o in jax.tree.leaves(self._compiled(key, 0, value)(*moved))]
            primal, _ = self._compiled(key, 1, pull)(moved, [np.zeros_like(o) for o in near])
            return near, [np.asarray(p) for p in primal]

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            with _double():
                upstream = [np.asarray(g) for g in grads]
                primal, found = self._compiled(key, 1, pull)(dynamic, upstream)
                _compare(outputs, [np.asarray(p) for p in primal], close_by)
                gradients: list[Any] = [None] * len(args)
                for i, g in zip(places, found, strict=True):
                    gradients[i] = np.array(g)
                return tuple(gradients)

        return tuple(outputs), pullback

    def _compiled(self, key: Any, which: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function compiled; as it is where it branches on values in Python."""
        known = self._jaxprs.setdefault(("compiled", key, which), jax.jit(function))

        def call(*args: Any) -> Any:
            if not self._eager:
                try:
                    return known(*args)
                except _BRANCHES:
                    self._eager = True
            return function(*jax.tree.map(jax.numpy.asarray, args))

        return call

    # Symbols

    def _traced(
        self, args: Sequence[Any], places: list[int], keywords: dict[str, Any]
    ) -> tuple[tuple, Pullback]:
        key, value, pull = self._pair(args, places, keywords)
        dynamic = [args[i] for i in places]
        shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in dynamic]
        closed = self._jaxpr(("value", key, *map(_spec, dynamic)), value, *shapes)
        outputs = interpret(closed.jaxpr, closed.consts, dynamic)
        kinds = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in closed.jaxpr.outvars]

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            with _double():
                name = ("pull", key, *map(_spec, dynamic))
                rule = self._jaxpr(name, pull, shapes, kinds)
                found = interpret(rule.jaxpr, rule.consts, [*dynamic, *grads])
                gradients: list[Any] = [None] * len(args)
                for i, g in zip(places, found[len(kinds) :], strict=True):
                    gradients[i] = g
                return tuple(gradients)

        return tuple(outputs), pullback

    def _jaxpr(self, key: Any, function: Callable[..., Any], *shapes: Any) -> Any:
        if key not in self._jaxprs:
            try:
                self._jaxprs[key] = jax.make_jaxpr(function)(*shapes)
            except _BRANCHES as error:
                raise TraceError("the code branches in Python on a value", user_line()) from error
        return self._jaxprs[key]


def _spec(array: Any) -> tuple:
    return (tuple(array.shape), str(array.dtype))


def _key(value: Any) -> Any:
    """Something hashable that tells values apart."""
    if isinstance(value, (list, tuple)):
        return tuple(_key(v) for v in value)
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), value.tobytes())
    return (type(value).__name__, repr(value))


def _cotangent(upstream: Any, primal: Any) -> Any:
    if np.issubdtype(primal.dtype, np.inexact):
        return upstream
    return np.zeros(primal.shape, jax.dtypes.float0)


def _differing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The entries that differ beyond rounding; where one is not finite nothing is said."""
    if a.dtype.kind != "f" or not a.size:
        return np.zeros(a.shape, dtype=bool)
    slack = 1e4 * np.finfo(a.dtype).eps * np.max(np.abs(a[np.isfinite(a)]), initial=1e-290)
    with np.errstate(all="ignore"):
        return np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) > slack)


def _compare(
    outputs: Sequence[np.ndarray],
    primal: Sequence[np.ndarray],
    again: Callable[[], tuple[Sequence[np.ndarray], Sequence[np.ndarray]]],
) -> None:
    """A rule's own forward has to give what the function gives.

    `again` gives both close by: where the function changes as much there as the two differ, the
    difference is one of rounding (the determinant of a singular matrix).
    """
    if not any(np.any(_differing(a, b)) for a, b in zip(outputs, primal, strict=True)):
        return
    near_outputs, near_primal = again()
    for a, b, c, d in zip(outputs, primal, near_outputs, near_primal, strict=True):
        with np.errstate(all="ignore"):
            steady = np.abs(c - a) < 1e-2 * np.abs(a - b)
        wrong = _differing(a, b) & _differing(c, d) & steady
        if np.any(wrong):
            i = np.unravel_index(int(np.argmax(wrong)), a.shape)
            raise BadResult(
                f"the rule's forward gives {b[i]!r} where the function itself gives {a[i]!r}: "
                "differentiated, the function would have another value"
            )


@contextlib.contextmanager
def _double() -> Iterator[None]:
    """64-bit types for the calls of a check; in all threads, since callbacks run in others."""
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
