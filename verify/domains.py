"""Where the inputs of a check come from: intervals, structured sets, and samplers.

A domain is ``None`` (all reals), an open interval ``(low, high)``, one of the sets below, or a
function ``(rng, shape) -> array``. Each becomes a :class:`Domain`, which can draw a value and say
whether one lies inside.

May import: NumPy alone.

Examples
--------
>>> import numpy as np
>>> from verify import domains
>>> spd = domains.positive_definite.sample(np.random.default_rng(0), (2, 2))
>>> bool(np.all(np.linalg.eigvalsh(spd) > 0))
True
>>> domains.as_domain((0, np.inf)).contains(np.array([1.0, -1.0]))
False
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = [
    "Domain",
    "as_domain",
    "diagonally_dominant",
    "integers",
    "interval",
    "nonzero",
    "orthogonal",
    "positive",
    "positive_definite",
    "probability",
    "reals",
    "simplex",
    "symmetric",
    "unit_vector",
    "with_structure",
]

# What to make of random numbers where code raises outside of a domain that nobody declared.
ELSEWHERE: tuple[Callable[[Any], Any], ...] = (
    np.abs,
    lambda x: -np.abs(x),
    lambda x: 1 / (1 + np.abs(x)),
    lambda x: 1 + np.abs(x),
    lambda x: 0.1 / (1 + np.abs(x)),
)

Sampler = Callable[[np.random.Generator, tuple[int, ...]], Any]


@dataclass(frozen=True)
class Plane:
    """The arrays among which those of a set lie, by NumPy code that can be traced.

    Attributes
    ----------
    along : callable
        The projection of a direction on those in which the plane extends.
    origin : callable
        For a shape, every entry of the point nearest to zero.
    """

    along: Callable[[Any], Any]
    origin: Callable[[tuple[int, ...]], float] = lambda shape: 0.0

    def nearest(self, array: Any) -> Any:
        """The point of the plane nearest to an array."""
        return self.along(array) + self.origin(array.shape)


@dataclass(frozen=True)
class Domain:
    """A set of arrays.

    Attributes
    ----------
    name : str
    sampler : callable
        ``(rng, shape) -> array``.
    low, high : float
        Bounds of every entry; the interval is open.
    free : bool
        Whether the entries may vary independently of each other within the bounds. Where they may
        not, the check stays on what the sampler draws, or on the plane.
    integer : bool
        Whether entries are integers, hence not differentiated.
    member : callable, optional
        Further membership test of the whole array.
    plane : Plane, optional
        Where the set lies in one: symmetric matrices, entries that sum to 1.
    """

    name: str
    sampler: Sampler
    low: float = -np.inf
    high: float = np.inf
    free: bool = True
    integer: bool = False
    member: Callable[[np.ndarray], bool] | None = None
    plane: Plane | None = None

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draw one array of that shape."""
        if 0 in shape:  # there is nothing to draw, and a sampler need not know that shape
            return np.zeros(shape, dtype=int if self.integer else float)
        drawn = np.asarray(self.sampler(rng, shape))
        return drawn if self.integer else drawn.astype(float)

    def contains(self, array: Any) -> bool:
        """Whether every entry lies strictly inside, and the array has the set's structure."""
        array = np.asarray(array)
        if not ((array > self.low) & (array < self.high)).all():
            return False
        return self.member is None or bool(self.member(array))

    def __repr__(self) -> str:
        return self.name


def interval(low: float, high: float) -> Domain:
    """The open interval from ``low`` to ``high``, for each entry."""
    low, high = float(low), float(high)
    if not low < high:
        raise ValueError(f"domain: expected low < high in an open interval, got ({low}, {high})")

    def sampler(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        if np.isinf(low) and np.isinf(high):
            return rng.normal(size=shape)
        if np.isinf(high):
            return low + np.exp(rng.normal(size=shape))
        if np.isinf(low):
            return high - np.exp(rng.normal(size=shape))
        return low + (high - low) * rng.uniform(0.02, 0.98, size=shape)

    name = "all reals" if np.isinf(low) and np.isinf(high) else f"({low:g}, {high:g})"
    return Domain(name, sampler, low, high)


reals = interval(-np.inf, np.inf)
positive = interval(0, np.inf)
probability = interval(0, 1)


def integers(low: int, high: int) -> Domain:
    """The integers from ``low`` to ``high``, both included; not differentiated."""

    def sampler(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.integers(low, high, size=shape, endpoint=True)

    return Domain(f"integers {low}..{high}", sampler, low - 0.5, high + 0.5, integer=True)


def _square(shape: tuple[int, ...], name: str) -> int:
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"domain {name}: expected square matrices, got shape {shape}")
    return shape[-1]


def _positive_definite(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    n = _square(shape, "positive_definite")
    a = rng.normal(size=shape)
    return a @ np.swapaxes(a, -1, -2) / n + np.eye(n) / 2


def _symmetric(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    _square(shape, "symmetric")
    a = rng.normal(size=shape)
    return (a + np.swapaxes(a, -1, -2)) / 2


def _is_symmetric(a: np.ndarray) -> bool:
    return bool(np.allclose(a, np.swapaxes(a, -1, -2), rtol=1e-12, atol=0))


def _is_positive_definite(a: np.ndarray) -> bool:
    return _is_symmetric(a) and bool(np.all(np.linalg.eigvalsh(a) > 0))


_SYMMETRIC = Plane(lambda a: (a + np.swapaxes(a, -1, -2)) / 2)


def _orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    _square(shape, "orthogonal")
    return np.linalg.qr(rng.normal(size=shape))[0]


def _dominant(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    n = _square(shape, "diagonally_dominant")
    return rng.normal(size=shape) + np.eye(n) * n * 1.5


def _simplex(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    weights = rng.gamma(2.0, size=shape) + 1e-3
    return weights / weights.sum(axis=-1, keepdims=True) if shape else np.ones(())


def _sums_to_one(x: np.ndarray) -> bool:
    return bool(np.allclose(x.sum(axis=-1), 1.0, rtol=1e-12, atol=0)) if x.shape else True


def _unit_vector(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    v = rng.normal(size=shape)
    return v / np.linalg.norm(v, axis=-1, keepdims=True) if shape else np.ones(())


def _nonzero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    v = rng.normal(size=shape)
    return np.where(np.abs(v) < 0.05, 0.5, v)


positive_definite = Domain(
    "positive definite matrices",
    _positive_definite,
    free=False,
    member=_is_positive_definite,
    plane=_SYMMETRIC,
)
symmetric = Domain(
    "symmetric matrices", _symmetric, free=False, member=_is_symmetric, plane=_SYMMETRIC
)
orthogonal = Domain("orthogonal matrices", _orthogonal, free=False)
diagonally_dominant = Domain("diagonally dominant matrices", _dominant)
simplex = Domain(
    "the simplex",
    _simplex,
    0.0,
    np.inf,
    free=False,
    member=_sums_to_one,
    plane=Plane(lambda d: d - np.mean(d, axis=-1, keepdims=True), lambda shape: 1 / shape[-1]),
)
unit_vector = Domain("unit vectors", _unit_vector, free=False)
nonzero = Domain("non-zero reals", _nonzero, member=lambda a: bool(np.all(a != 0)))


def with_structure(domain: Domain, shape: tuple[int, ...] | None) -> Domain:
    """The same domain; if it is a sampler that gives symmetric matrices, with that known of it."""
    if domain.free or domain.plane is not None or not shape or len(shape) < 2:
        return domain
    if shape[-1] != shape[-2] or shape[-1] < 2 or 0 in shape:
        return domain
    rng = np.random.default_rng(0)
    draws = [domain.sample(rng, shape) for _ in range(3)]
    known = all(d.shape == shape and d.dtype.kind == "f" and _is_symmetric(d) for d in draws)
    return replace(domain, plane=_SYMMETRIC) if known else domain


def as_domain(entry: Any, argument: str = "an argument") -> Domain:
    """One entry of ``domain=`` as a :class:`Domain`.

    Raises
    ------
    TypeError
        Naming the argument, the value, and what was expected.
    """
    if entry is None:
        return reals
    if isinstance(entry, Domain):
        return entry
    if isinstance(entry, (tuple, list)) and len(entry) == 2:
        try:
            low, high = float(entry[0]), float(entry[1])
        except (TypeError, ValueError):
            pass
        else:
            return interval(low, high)
    if callable(entry):
        return Domain(getattr(entry, "__name__", "a sampler"), entry, free=False)
    raise TypeError(
        f"domain of {argument}: expected None, an open interval (low, high), a set of "
        f"verify.domains or a function (rng, shape) -> array, got {entry!r}"
    )
