"""``scipy.spatial.transform.Rotation`` of traced values: unit quaternions and their formulas.

May import: :mod:`symbolic.array`, :mod:`symbolic.array_functions`, :mod:`symbolic.linear_maps`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbolic.array import has_symbols
from symbolic.array_functions import as_traced
from symbolic.linear_maps import plain
from symbolic.values import TraceError, user_line

__all__ = ["SCIPY_TRANSFORM"]

_RADIANS = np.pi / 180


def _parts(q: Any) -> tuple[Any, ...]:
    return tuple(q[..., i] for i in range(4))


def _product(p: Any, q: Any) -> Any:
    """Hamilton's product, the scalar last."""
    a, b, c, d = _parts(p)
    x, y, z, w = _parts(q)
    return np.stack(
        [
            d * x + a * w + b * z - c * y,
            d * y - a * z + b * w + c * x,
            d * z + a * y - b * x + c * w,
            d * w - a * x - b * y - c * z,
        ],
        axis=-1,
    )


def _matrix(q: Any) -> Any:
    x, y, z, w = _parts(q)
    rows = [
        [x * x - y * y - z * z + w * w, 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), y * y - x * x - z * z + w * w, 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), z * z - x * x - y * y + w * w],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _applied(matrix: Any, vectors: Any, inverse: bool) -> Any:
    m = np.swapaxes(matrix, -1, -2) if inverse else matrix
    return (m @ as_traced(vectors)[..., None])[..., 0]


class TracedRotation:
    """What stands for a ``Rotation`` whose quaternion is traced."""

    def __init__(self, q: Any):
        self._q = q

    def __getattr__(self, name: str) -> Any:
        raise TraceError(f"{name} of a traced rotation", user_line())

    @property
    def single(self) -> bool:
        return self._q.ndim == 1

    def __len__(self) -> int:
        if self.single:
            raise TypeError("Single rotation has no len().")
        return len(self._q)

    def __getitem__(self, key: Any) -> TracedRotation:
        return TracedRotation(self._q[key])

    def as_quat(self, canonical: bool = False, *, scalar_first: bool = False) -> Any:
        if canonical:
            raise TraceError("the canonical quaternion of a traced rotation", user_line())
        return np.roll(self._q, 1, axis=-1) if scalar_first else self._q.copy()

    def as_matrix(self) -> Any:
        return _matrix(self._q)

    def as_rotvec(self, degrees: bool = False) -> Any:
        q = np.where(self._q[..., 3:] < 0, -self._q, self._q)
        sine = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
        zero = np.asarray(sine == 0)
        angle = 2 * np.arctan2(sine, q[..., 3:])
        scale = np.where(zero, 2.0, angle / np.where(zero, 1.0, sine))
        return q[..., :3] * (scale / _RADIANS if degrees else scale)

    def magnitude(self) -> Any:
        q = self._q
        return 2 * np.arctan2(np.linalg.norm(q[..., :3], axis=-1), np.abs(q[..., 3]))

    def inv(self) -> TracedRotation:
        return TracedRotation(self._q * np.array([-1.0, -1.0, -1.0, 1.0]))

    def apply(self, vectors: Any, inverse: bool = False) -> Any:
        return _applied(self.as_matrix(), vectors, inverse)

    def __mul__(self, other: Any) -> TracedRotation:
        return TracedRotation(_product(self._q, as_traced(other.as_quat())))

    def __rmul__(self, other: Any) -> TracedRotation:
        return TracedRotation(_product(as_traced(other.as_quat()), self._q))


def _made(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A constructor: SciPy's own where no argument has a symbol."""

    def register(quaternion: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> Any:
            from scipy.spatial.transform import Rotation

            given = [a for a in (*args, *kwargs.values()) if not isinstance(a, (str, bool))]
            if any(has_symbols(as_traced(a)._entries) for a in given):
                return TracedRotation(quaternion(*args, **kwargs))
            known = {key: plain(a, key) for key, a in kwargs.items()}
            return getattr(Rotation, name)(*(plain(a, name) for a in args), **known)

        return make

    return register


@_made("from_quat")
def _from_quat(quat: Any, *, scalar_first: bool = False) -> Any:
    q = as_traced(quat)
    q = np.roll(q, -1, axis=-1) if scalar_first else q
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


@_made("from_rotvec")
def _from_rotvec(rotvec: Any, degrees: bool = False) -> Any:
    r = as_traced(rotvec) * (_RADIANS if degrees else 1.0)
    angle = np.linalg.norm(r, axis=-1, keepdims=True)
    zero = np.asarray(angle == 0)
    scale = np.where(zero, 0.5, np.sin(angle / 2) / np.where(zero, 1.0, angle))
    return np.concatenate([r * scale, np.where(zero, 1.0, np.cos(angle / 2))], axis=-1)


@_made("from_euler")
def _from_euler(seq: str, angles: Any, degrees: bool = False) -> Any:
    if not (seq.islower() or seq.isupper()) or set(seq.lower()) - set("xyz"):
        raise ValueError(f"Expected axes from `seq` to be from ['x', 'y', 'z'], got {seq}")
    half = as_traced(angles) * ((_RADIANS if degrees else 1.0) / 2)
    if len(seq) == 1 and half.ndim and half.shape[-1:] != (1,):
        raise TraceError("several rotations about one axis", user_line())
    half = half.reshape((1,)) if len(seq) == 1 and not half.ndim else half
    total: Any = None
    for i, axis in enumerate(seq.lower()):
        h = half[..., i]
        entries = [0.0 * h, 0.0 * h, 0.0 * h, np.cos(h)]
        entries["xyz".index(axis)] = np.sin(h)
        q = np.stack(entries, axis=-1)
        # About fixed axes each rotation comes before, about moving ones after.
        if total is not None:
            q = _product(q, total) if seq.islower() else _product(total, q)
        total = q
    return total


def _apply(self: Any, vectors: Any, inverse: bool = False) -> Any:
    return _applied(as_traced(self.as_matrix()), vectors, inverse)


SCIPY_TRANSFORM: dict[str, Callable[..., Any]] = {
    "Rotation.from_quat": _from_quat,
    "Rotation.from_rotvec": _from_rotvec,
    "Rotation.from_euler": _from_euler,
    "Rotation.apply": _apply,
}
