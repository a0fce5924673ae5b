"""Decided arrays: the plain booleans and integers that comparisons and roundings give.

They are real arrays, but floats made of them while a trace runs (``(x > 0).astype(float)``,
``mask * 1.0``) must be traced arrays: code assigns symbols to these.

May import: :mod:`symbolic.array`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Mask", "decided"]


class Mask(np.ndarray):
    """An array of booleans or integers whose float results are traced arrays."""

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        return _result(self.view(np.ndarray).astype(dtype, *args, **kwargs))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from symbolic.array import is_traced

        out = kwargs.get("out", ())
        if any(is_traced(x) for x in (*inputs, *out)):
            return NotImplemented
        plain = [x.view(np.ndarray) if isinstance(x, Mask) else x for x in inputs]
        if out:
            kwargs["out"] = tuple(x.view(np.ndarray) if isinstance(x, Mask) else x for x in out)
            getattr(ufunc, method)(*plain, **kwargs)
            return out[0] if len(out) == 1 else out
        result = getattr(ufunc, method)(*plain, **kwargs)
        return tuple(map(_result, result)) if type(result) is tuple else _result(result)


def decided(array: Any) -> Any:
    """A plain array (or NumPy scalar) of booleans or integers that a trace decided."""
    return array.view(Mask) if type(array) is np.ndarray and array.ndim else array


def _result(result: Any) -> Any:
    from symbolic.array import wrap
    from symbolic.wrappers import is_active

    if type(result) is not np.ndarray:
        return result
    if result.dtype.kind in "fc":
        return wrap(result) if is_active() else result
    return decided(result) if result.dtype.kind in "biu" else result
