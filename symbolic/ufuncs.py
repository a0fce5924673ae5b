"""NumPy's and SciPy's ufuncs on traced arrays: calls, reductions, ``out=`` and ``where=``.

May import: :mod:`symbolic.array`, :mod:`symbolic.lowering`, :mod:`symbolic.ordering`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbolic.array import TracedArray, has_symbols, is_traced, unwrap, values, wrap
from symbolic.lowering import BOOLEAN, lowered
from symbolic.mask import decided
from symbolic.values import Symbol, TraceError, user_line

__all__ = ["dispatch", "dispatch_bare", "label"]

# These run on object arrays by themselves: matrix products, and what is integer arithmetic anyway.
_OWN_LOOPS = frozenset({"matmul", "vecdot", "matvec", "vecmat"})
# NumPy's own loops for objects call the operators of the entries: faster than any Python function.
_OPERATORS = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}
_REAL_RESULT = frozenset({"absolute", "real", "imag", "angle"})


def label(*inputs: Any) -> np.dtype:
    """The dtype that NumPy would give the result of arithmetic on the inputs."""
    kinds = []
    for x in inputs:
        if type(x) is TracedArray:
            kinds.append(x._dtype)
        elif type(x) in (float, int, complex):
            kinds.append(x)
        elif isinstance(x, (np.ndarray, np.generic)):
            kinds.append(x.dtype if x.dtype != object else np.dtype(float))
        elif type(x) is Symbol:
            kinds.append(np.dtype(float))
    found = np.result_type(*kinds) if kinds else np.dtype(float)
    return found if found.kind in "fc" else np.dtype(float)


def dispatch(ufunc: np.ufunc, method: str, inputs: tuple, kwargs: dict[str, Any]) -> Any:
    """What ``__array_ufunc__`` does: the ufunc's method on entries, wrapped as NumPy would."""
    if any(_foreign(x) for x in inputs):
        return NotImplemented
    out = kwargs.pop("out", None)
    if out is not None and not isinstance(out, tuple):
        out = (out,)
    kwargs.pop("casting", None), kwargs.pop("order", None), kwargs.pop("subok", None)
    if method == "at":
        return _at(ufunc, *inputs)
    # The indices of `reduceat` are no operand.
    arrays = [x if method == "reduceat" and i else unwrap(x) for i, x in enumerate(inputs)]
    if method == "__call__":
        result = _call(ufunc, inputs, arrays, out, kwargs)
    elif method == "outer":
        a, b = (np.asarray(x, dtype=object) for x in arrays)
        a = a.reshape(a.shape + (1,) * b.ndim)
        result = _call(ufunc, inputs, [a, b], None, kwargs)
    else:
        dtype = kwargs.pop("dtype", None)
        result = _reduction(ufunc, method, inputs[0], arrays, kwargs)
        if type(result) is TracedArray:
            result._dtype = np.dtype(dtype) if dtype is not None else label(inputs[0])
    if out is None:
        return result
    results = result if type(result) is tuple else (result,)
    stored = tuple(_store(o, r) for o, r in zip(out, results, strict=True))
    return stored if type(result) is tuple else stored[0]


def dispatch_bare(ufunc: np.ufunc, method: str, inputs: tuple, kwargs: dict[str, Any]) -> Any:
    """The same for bare symbols: among arrays of objects (NumPy's own code at work) these stay."""
    result = dispatch(ufunc, method, inputs, kwargs)
    inside_numpy = any(type(x) is np.ndarray and x.dtype == object for x in inputs)
    inside_numpy = inside_numpy and not any(type(x) is TracedArray for x in inputs)
    return result._entries if inside_numpy and type(result) is TracedArray else result


def _foreign(x: Any) -> bool:
    """Whether the operand wants to do the operation itself (an autodiff Tensor, a SymPy matrix)."""
    kind = type(x)
    if kind is TracedArray or kind is Symbol or kind is np.ndarray:
        return False
    own = getattr(kind, "__array_ufunc__", None)
    return (
        own is not None
        and own is not np.ndarray.__array_ufunc__
        and not is_traced(x)
        and (not isinstance(x, (np.ndarray, np.generic)))
    )


def _store(target: Any, result: Any) -> Any:
    if target is None:
        return result
    if type(target) is TracedArray:
        target[...] = result
        return target
    if is_traced(result) and has_symbols(result._entries):
        return result  # a real array cannot hold it: the caller's name is bound to the result
    target[...] = np.asarray(result)
    return target


def _plain(ufunc: np.ufunc, inputs: tuple, kwargs: dict[str, Any]) -> Any:
    """The ufunc itself, where nothing is symbolic."""
    reals = [values(x).astype(x._dtype) if type(x) is TracedArray else x for x in inputs]
    reals = [x[()] if type(x) is np.ndarray and x.ndim == 0 else x for x in reals]
    result = ufunc(*reals, **kwargs)
    if type(result) is tuple:
        return tuple(_rewrap(r) for r in result)
    return _rewrap(result)


def _rewrap(result: Any) -> Any:
    if isinstance(result, (np.floating, np.complexfloating)):
        return wrap(np.array(result.item(), dtype=object), result.dtype, scalar=True)
    return wrap(result)


def _call(
    ufunc: np.ufunc, inputs: tuple, arrays: list[Any], out: tuple | None, kwargs: dict[str, Any]
) -> Any:
    where = kwargs.pop("where", True)
    dtype = kwargs.pop("dtype", None)
    if kwargs.pop("signature", None) or kwargs.keys() - {"axes", "axis", "keepdims"}:
        raise TraceError(f"{ufunc.__name__} with {', '.join(kwargs)}", user_line())
    symbolic = any(type(a) is np.ndarray and has_symbols(a) for a in arrays)
    name = ufunc.__name__
    if where is not True:
        return _masked(ufunc, inputs, arrays, out, np.asarray(where))
    if not symbolic:
        same = all(np.shape(a) == np.shape(x) for a, x in zip(arrays, inputs, strict=True))
        return _plain(ufunc, inputs if same else tuple(arrays), kwargs)  # `outer` reshapes
    scalar = all(type(a) is not np.ndarray or a.ndim == 0 for a in arrays)
    if name in _OWN_LOOPS:
        with np.errstate(all="ignore"):
            result = ufunc(*(np.asarray(a, dtype=object) for a in arrays), **kwargs)
        return wrap(result, label(*inputs))
    if not name or name.endswith("(vectorized)"):  # the user's own np.frompyfunc
        return _collect(ufunc(*arrays))
    function: Any = _OPERATORS.get(name) or lowered(ufunc)
    if function is None:
        raise TraceError(f"{name} of traced values is not supported", user_line())
    result = function(*arrays)
    if name in BOOLEAN:
        return decided(result.astype(bool)) if type(result) is np.ndarray else np.bool_(result)
    if (
        scalar
        and all(type(x) is Symbol or not is_traced(x) for x in inputs)
        and all(not isinstance(x, np.ndarray) for x in inputs)
    ):
        return result  # symbols in, a symbol out
    dtype = np.dtype(dtype) if dtype is not None else label(*inputs)
    if name in _REAL_RESULT and dtype.kind == "c":
        dtype = np.empty(0, dtype).real.dtype
    if type(result) is tuple:
        return tuple(wrap(r, dtype, scalar) for r in result)
    return wrap(result, dtype, scalar)


def _collect(result: Any) -> Any:
    """The result of a user's Python function on entries, whatever it returns."""
    return result if type(result) is not np.ndarray else wrap(result)


def _masked(
    ufunc: np.ufunc, inputs: tuple, arrays: list[Any], out: tuple | None, where: np.ndarray
) -> Any:
    """``where=``: entries outside are those of ``out`` and are not computed."""
    shape = np.broadcast_shapes(*(np.shape(a) for a in arrays), where.shape)
    mask = np.broadcast_to(where, shape).astype(bool)
    picked = [np.broadcast_to(np.asarray(a, dtype=object), shape)[mask] for a in arrays]
    part = _call(ufunc, tuple(picked), picked, None, {})
    if out is not None and out[0] is not None:
        before = np.array(np.broadcast_to(unwrap(out[0]), shape), dtype=object)
    else:
        before = np.zeros(shape, dtype=float).astype(object)  # NumPy leaves it uninitialised
    before[mask] = unwrap(part)
    if ufunc.__name__ in BOOLEAN:
        return before.astype(bool)
    return wrap(before, label(*inputs))


# Reductions


def reduce_axes(array: np.ndarray, axis: Any, keepdims: bool) -> tuple[np.ndarray, tuple[int, ...]]:
    """The array with the reduced axes flattened into the last, and the shape of the result."""
    ndim = array.ndim
    if axis is None:
        axes = tuple(range(ndim))
    else:
        axes = tuple(a % ndim if -ndim <= a < ndim else _bad_axis(a, ndim) for a in _axes(axis))
    kept = [a for a in range(ndim) if a not in axes]
    moved = array.transpose([*kept, *axes])
    result = tuple(array.shape[a] for a in kept)
    count = int(np.prod([array.shape[a] for a in axes], dtype=int))
    flat = moved.reshape((*result, count))
    if keepdims:
        result = tuple(1 if a in axes else array.shape[a] for a in range(ndim))
    return flat, result


def _axes(axis: Any) -> tuple[int, ...]:
    return tuple(int(a) for a in axis) if isinstance(axis, (tuple, list)) else (int(axis),)


def _bad_axis(axis: int, ndim: int) -> int:
    raise np.exceptions.AxisError(axis, ndim)


def apply_along(function: Any, array: np.ndarray, axis: Any, keepdims: bool = False) -> np.ndarray:
    """``function`` (entries to one entry) over the given axes of an object array."""
    flat, shape = reduce_axes(array, axis, keepdims)
    out = np.empty(flat.shape[:-1], dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = function(flat[index])
    return out.reshape(shape)


def _reduction(
    ufunc: np.ufunc, method: str, first: Any, arrays: list[Any], kwargs: dict[str, Any]
) -> Any:
    name = ufunc.__name__
    array = np.asarray(arrays[0], dtype=object)
    axis = kwargs.pop("axis", 0)
    if method == "reduce":
        keepdims = bool(kwargs.pop("keepdims", False))
        initial = kwargs.pop("initial", None)
        where = kwargs.pop("where", True)
        return reduce(ufunc, array, axis, keepdims, initial, where)
    if name in BOOLEAN:
        return getattr(ufunc, method)(array.astype(bool), *arrays[1:], axis=axis)
    function: Any = _OPERATORS.get(name) or lowered(ufunc)
    if function is None:
        raise TraceError(f"{name}.{method} of traced values is not supported", user_line())
    result = getattr(function, method)(array, *arrays[1:], axis=axis, dtype=object)
    return wrap(result)


def reduce(
    ufunc: np.ufunc,
    array: np.ndarray,
    axis: Any,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """``ufunc.reduce`` on an object array."""
    from symbolic import ordering

    name = ufunc.__name__
    if initial is np._NoValue:  # type: ignore[attr-defined]
        initial = None
    if type(initial) is TracedArray or isinstance(initial, np.generic):
        initial = initial.item()
    mask = None
    if where is not True and where is not np._NoValue:  # type: ignore[attr-defined]
        mask = np.broadcast_to(np.asarray(where), array.shape)
    if name in ("logical_and", "logical_or"):
        truth = np.array([bool(e) for e in array.flat], dtype=bool).reshape(array.shape)
        extra = {} if mask is None else {"where": mask}
        return ufunc.reduce(truth, axis=axis, keepdims=keepdims, **extra)
    identity = _IDENTITY.get(name)
    if mask is not None:
        filler = initial if identity is None else identity
        if filler is None:
            raise ValueError(
                f"reduction operation '{name}' does not have an identity, so to use a where mask "
                "one has to specify 'initial'"
            )
        array = array.copy()
        array[~mask] = filler
    scalar = not keepdims and (axis is None or array.ndim == len(_axes(axis)))
    if name in ("maximum", "minimum", "fmax", "fmin"):
        result = ordering.extreme(name, array, axis, keepdims, initial)
        return wrap(result, None, scalar)
    function = lowered(ufunc)
    if function is None:
        raise TraceError(f"{name}.reduce of traced values is not supported", user_line())
    if name in ("add", "multiply"):
        start = {} if initial is None else {"initial": initial}
        result = ufunc.reduce(array, axis=axis, keepdims=keepdims, **start)
        if not array.size:
            result = np.asarray(result, dtype=object)
    else:

        def fold(entries: np.ndarray) -> Any:
            start = identity if initial is None and name == "hypot" else initial
            if start is not None:  # hypot of one entry is its absolute value
                entries = np.concatenate([np.array([start], dtype=object), entries])
            if not len(entries):
                if identity is None:
                    raise ValueError(
                        f"zero-size array to reduction operation {name} which has no identity"
                    )
                return identity
            return function.reduce(entries)

        result = apply_along(fold, array, axis, keepdims)
    return wrap(result, None, scalar)


_IDENTITY: dict[str, Any] = {
    "add": 0.0,
    "multiply": 1.0,
    "logaddexp": -np.inf,
    "logaddexp2": -np.inf,
    "hypot": 0.0,
}


def _at(ufunc: np.ufunc, target: Any, indices: Any, *operand: Any) -> None:
    from symbolic.array import _index

    if type(target) is not TracedArray:
        raise TraceError("a traced value is stored in an array of plain floats", user_line())
    entries, key = target._entries, _index(indices)
    if ufunc.__name__ in _OPERATORS:
        values_ = np.asarray(unwrap(operand[0]), dtype=object)
        _OPERATORS[ufunc.__name__].at(entries, key, values_)
        return
    function = lowered(ufunc)
    if function is None:
        raise TraceError(f"{ufunc.__name__}.at of traced values is not supported", user_line())
    places = np.arange(entries.size).reshape(entries.shape)[key]
    sources = [np.broadcast_to(np.asarray(unwrap(b), dtype=object), places.shape) for b in operand]
    coordinates = np.unravel_index(places.reshape(-1), entries.shape)
    flat_sources = [s.reshape(-1) for s in sources]
    for k, where in enumerate(zip(*coordinates, strict=True)):
        entries[where] = function(entries[where], *(s[k] for s in flat_sources))
