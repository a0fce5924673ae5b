"""JAX's primitives on traced arrays: an interpreter of jaxprs, and the table it reads.

`TABLE` goes from a primitive's name to a function of arrays and of the primitive's parameters. What
only moves entries (slices, gathers, transpositions) is done by JAX itself, on an array of places.

May import: jax, :mod:`symbolic`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy
from scipy import special

from symbolic.array import TracedArray, has_symbols, is_traced, wrap
from symbolic.mask import decided
from symbolic.namespace import NUMPY
from symbolic.values import TraceError, user_line

__all__ = ["TABLE", "interpret", "primitive"]

np: Any = NUMPY
TABLE: dict[str, Callable[..., Any]] = {}
_MOST_STEPS = 10_000  # of a loop


def interpret(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Run a jaxpr on arrays, traced or not.

    Raises
    ------
    TraceError
        For a primitive that is not in the table.
    """
    known: dict[Any, Any] = {}

    def read(atom: Any) -> Any:
        return _constant(atom.val) if hasattr(atom, "val") else known[atom]

    known.update(zip(jaxpr.constvars, map(_constant, consts), strict=True))
    known.update(zip(jaxpr.invars, args, strict=True))
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        given = [read(v) for v in equation.invars]
        ours = TABLE.get(name)
        if ours is not None:
            found = ours(*given, **equation.params)
        elif name in _MOVES:
            found = _moved(equation.primitive, given, equation.params)
        else:
            raise TraceError(f"JAX's {name} is not in the table of traced primitives", user_line())
        results = found if isinstance(found, list) else [found]
        known.update(zip(equation.outvars, map(_constant, results), strict=True))
    return [read(v) for v in jaxpr.outvars]


def _constant(value: Any) -> Any:
    """Floats as traced arrays, integers and booleans as decided ones."""
    if is_traced(value):
        return value if type(value) is TracedArray else wrap(value)
    array = numpy.asarray(value)
    return wrap(array) if array.dtype.kind in "fc" else decided(array)


def primitive(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function into the table under the names of primitives."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            TABLE[name] = function
        return function

    return register


_UFUNCS = {
    "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "sqrt": np.sqrt,
    "cbrt": np.cbrt, "square": np.square, "logistic": special.expit, "pow": np.power,
    "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "max": np.maximum,
    "min": np.minimum, "rem": np.fmod, "erf": special.erf, "erfc": special.erfc,
    "erf_inv": special.erfinv, "lgamma": special.gammaln, "digamma": special.digamma,
    "igamma": special.gammainc, "igammac": special.gammaincc, "bessel_i0e": special.i0e,
    "bessel_i1e": special.i1e, "zeta": special.zeta, "regularized_incomplete_beta": special.betainc,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "is_finite": np.isfinite, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "not": np.invert,
}  # fmt: skip


def _ufunc(ufunc: Any) -> Callable[..., Any]:
    return lambda *args, **params: ufunc(*args)


TABLE.update({name: _ufunc(ufunc) for name, ufunc in _UFUNCS.items()})


# Arithmetic


@primitive("div")
def div(x: Any, y: Any, **params: Any) -> Any:
    if not is_traced(x) and not is_traced(y):  # integers: rounded towards zero
        return (numpy.trunc(numpy.true_divide(x, y))).astype(x.dtype)
    return np.true_divide(x, y)


@primitive("rsqrt")
def rsqrt(x: Any, **params: Any) -> Any:
    return 1 / np.sqrt(x)


@primitive("integer_pow")
def integer_pow(x: Any, y: int) -> Any:
    return x**y


@primitive("round")
def round_(x: Any, rounding_method: Any) -> Any:
    return np.rint(x) if int(rounding_method) == 1 else np.trunc(x + np.copysign(0.5, x))


@primitive("polygamma")
def polygamma(n: Any, x: Any) -> Any:
    return special.polygamma(int(numpy.ravel(n)[0]), x)


@primitive("clamp")
def clamp(low: Any, x: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


@primitive("select_n")
def select_n(which: Any, *cases: Any) -> Any:
    which = numpy.asarray(which)
    found = cases[0]
    for i, case in enumerate(cases[1:], 1):
        found = np.where(which == i, case, found)
    return found


@primitive("convert_element_type")
def convert_element_type(x: Any, new_dtype: Any, **params: Any) -> Any:
    return x.astype(new_dtype)


@primitive("stop_gradient", "copy", "copy_p", "reduce_precision", "real", "optimization_barrier")
def same(*args: Any, **params: Any) -> Any:
    return list(args) if len(args) > 1 else args[0]


@primitive("zeros_like")
def zeros_like(x: Any) -> Any:
    return np.zeros_like(x)


@primitive("empty", "empty2")
def empty(*, shape: Any = (), dtype: Any = float, **params: Any) -> Any:
    return np.zeros(shape, dtype=dtype)


@primitive("iota")
def iota(*, dtype: Any, shape: Any, dimension: int, **params: Any) -> Any:
    along = numpy.arange(shape[dimension], dtype=dtype)
    along = along.reshape([-1 if i == dimension else 1 for i in range(len(shape))])
    return numpy.broadcast_to(along, shape).copy()


# Reductions


def _reduction(function: Any) -> Callable[..., Any]:
    return lambda x, *, axes, **params: function(x, axis=tuple(axes))


for _name, _found in {
    "reduce_sum": np.sum, "reduce_prod": np.prod, "reduce_max": np.max, "reduce_min": np.min,
    "reduce_and": np.all, "reduce_or": np.any,
}.items():  # fmt: skip
    TABLE[_name] = _reduction(_found)


@primitive("argmax")
def argmax(x: Any, axes: Any, index_dtype: Any) -> Any:
    return numpy.asarray(np.argmax(x, axis=axes[0])).astype(index_dtype)


@primitive("argmin")
def argmin(x: Any, axes: Any, index_dtype: Any) -> Any:
    return numpy.asarray(np.argmin(x, axis=axes[0])).astype(index_dtype)


def _cumulative(function: Any) -> Callable[..., Any]:
    def cumulate(x: Any, axis: int, reverse: bool) -> Any:
        if not reverse:
            return function(x, axis=axis)
        return np.flip(function(np.flip(x, axis), axis=axis), axis)

    return cumulate


TABLE["cumsum"] = _cumulative(np.cumsum)
TABLE["cumprod"] = _cumulative(np.cumprod)
TABLE["cummax"] = _cumulative(np.maximum.accumulate)
TABLE["cummin"] = _cumulative(np.minimum.accumulate)


@primitive("sort")
def sort(*operands: Any, dimension: int, num_keys: int, **params: Any) -> Any:
    if num_keys != 1:
        raise TraceError("JAX's sort by several keys", user_line())
    order = numpy.asarray(np.argsort(operands[0], axis=dimension, kind="stable"))
    return [np.take_along_axis(o, order, axis=dimension) for o in operands]


# Products and linear algebra


@primitive("dot_general")
def dot_general(x: Any, y: Any, dimension_numbers: Any, **params: Any) -> Any:
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    left = [f"x{i}" for i in range(x.ndim)]
    right = [f"y{i}" for i in range(y.ndim)]
    for i, j in [*zip(x_contract, y_contract, strict=True), *zip(x_batch, y_batch, strict=True)]:
        right[j] = left[i]
    batch = [left[i] for i in x_batch]
    summed = {left[i] for i in x_contract}
    out = batch + [a for a in [*left, *right] if a not in summed and a not in batch]
    letter = {a: chr(ord("a") + k) for k, a in enumerate(dict.fromkeys(left + right))}
    spell = ["".join(letter[a] for a in axes) for axes in (left, right, out)]
    return np.einsum(f"{spell[0]},{spell[1]}->{spell[2]}", x, y)


@primitive("cholesky")
def cholesky(x: Any, **params: Any) -> Any:
    return np.linalg.cholesky(x)


@primitive("lu")
def lu(x: Any, **params: Any) -> list[Any]:
    """Elimination with partial pivoting, the pivots decided by the values."""
    if x.ndim != 2:
        raise TraceError("JAX's lu of a stack of matrices", user_line())
    rows, columns = x.shape
    a, order = x.copy(), numpy.arange(rows, dtype=numpy.int32)
    pivots = numpy.arange(min(rows, columns), dtype=numpy.int32)
    for k in range(len(pivots)):
        pivots[k] = best = k + int(np.argmax(np.abs(a[k:, k])))
        if best != k:
            swapped = numpy.arange(rows)
            swapped[[k, best]] = best, k
            a, order = a[swapped], order[swapped]
        if k + 1 < rows:
            a[k + 1 :, k] = a[k + 1 :, k] / a[k, k]
            a[k + 1 :, k + 1 :] = a[k + 1 :, k + 1 :] - np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return [a, pivots, order]


@primitive("lu_pivots_to_permutation")
def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Any:
    return jax.lax.linalg.lu_pivots_to_permutation(_index(pivots), permutation_size)


@primitive("triangular_solve")
def triangular_solve(
    a: Any, b: Any, *, left_side: bool, lower: bool, transpose_a: bool, unit_diagonal: bool,
    **params: Any,
) -> Any:  # fmt: skip
    part = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        part = part * (1 - numpy.eye(a.shape[-1])) + numpy.eye(a.shape[-1])
    if transpose_a:
        part = part.swapaxes(-1, -2)
    if left_side:
        return np.linalg.solve(part, b)
    return np.linalg.solve(part.swapaxes(-1, -2), b.swapaxes(-1, -2)).swapaxes(-1, -2)


# What only moves entries

_MOVES = frozenset({
    "broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "slice", "dynamic_slice",
    "gather", "rev", "split",
})  # fmt: skip


def _index(value: Any) -> numpy.ndarray:
    """An index as plain integers."""
    if type(value) is TracedArray and has_symbols(value._entries):
        raise TraceError("an index that depends on the values", user_line())
    return numpy.asarray(value)


def _moved(primitive: Any, given: list[Any], params: dict[str, Any]) -> Any:
    """The primitive run by JAX on places: each result is the operand's entries in a new order."""
    operand, *rest = given
    places = numpy.arange(operand.size).reshape(operand.shape)
    found = primitive.bind(places, *map(_index, rest), **params)
    results = found if isinstance(found, (list, tuple)) else [found]
    flat = operand.reshape(-1)
    taken = []
    for result in results:
        where = numpy.asarray(result)
        outside = (where < 0) | (where >= max(operand.size, 1))
        part = flat[numpy.where(outside, 0, where)]
        taken.append(np.where(outside, numpy.nan, part) if outside.any() else part)
    return taken if primitive.multiple_results else taken[0]


@primitive("concatenate")
def concatenate(*operands: Any, dimension: int) -> Any:
    return np.concatenate(operands, axis=dimension)


@primitive("stack")
def stack(*operands: Any, axis: int = 0, **params: Any) -> Any:
    return np.stack(operands, axis=axis)


@primitive("pad")
def pad(x: Any, value: Any, padding_config: Any) -> Any:
    """Places outside are those of the padding value, which comes first."""
    places = numpy.arange(1, x.size + 1).reshape(x.shape)
    where = jax.lax.pad(places, numpy.zeros((), places.dtype), padding_config)
    both = np.concatenate([value.reshape(1), x.reshape(-1)])
    return both[numpy.asarray(where)]


@primitive("dynamic_update_slice")
def dynamic_update_slice(x: Any, update: Any, *starts: Any) -> Any:
    out = x.copy()
    key = []
    for start, size, length in zip(map(_index, starts), update.shape, x.shape, strict=True):
        first = int(numpy.clip(start, 0, length - size))
        key.append(slice(first, first + size))
    out[tuple(key)] = update
    return out


def _targets(operand: Any, indices: Any, updates: Any, params: dict[str, Any]) -> numpy.ndarray:
    """The flat place that each update goes to, -1 where it is dropped.

    The transpose of adding updates to places is reading those places: JAX's own, on numbers.
    """
    numbers = numpy.arange(1.0, operand.size + 1).reshape(operand.shape)
    base, index = numpy.zeros(operand.shape), _index(indices)

    def add(u: Any) -> Any:
        return jax.lax.scatter_add_p.bind(base, index, u, **params)

    [places] = jax.vjp(add, numpy.zeros(updates.shape))[1](numbers)
    return numpy.asarray(places).astype(int) - 1


def _scatter(combine: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def scatter(operand: Any, indices: Any, updates: Any, **params: Any) -> Any:
        params = {**params, "update_jaxpr": None, "update_consts": ()}
        flat = operand.copy().reshape(-1)
        places = _targets(operand, indices, updates, params).reshape(-1)
        for place, update in zip(places, updates.reshape(-1), strict=True):
            if place >= 0:
                flat[int(place)] = combine(flat[int(place)], update)
        return flat.reshape(operand.shape)

    return scatter


TABLE["scatter-add"] = TABLE["scatter_add"] = _scatter(lambda old, new: old + new)
TABLE["scatter-mul"] = TABLE["scatter_mul"] = _scatter(lambda old, new: old * new)
TABLE["scatter"] = _scatter(lambda old, new: new)


# Calls and control flow


@primitive("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2")
def call(*args: Any, jaxpr: Any, **params: Any) -> list[Any]:
    if hasattr(jaxpr, "consts"):
        return interpret(jaxpr.jaxpr, jaxpr.consts, args)
    return interpret(jaxpr, (), args)


@primitive("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
def custom_call(*args: Any, **params: Any) -> list[Any]:
    inner = params.get("call_jaxpr") or params["fun_jaxpr"]
    return interpret(inner.jaxpr, inner.consts, args)


@primitive("cond")
def cond(index: Any, *args: Any, branches: Any, **params: Any) -> list[Any]:
    branch = branches[int(numpy.clip(int(index), 0, len(branches) - 1))]
    return interpret(branch.jaxpr, branch.consts, args)


@primitive("while")
def while_(
    *args: Any, cond_jaxpr: Any, body_jaxpr: Any, cond_nconsts: int, body_nconsts: int
) -> list[Any]:
    ahead, rest = list(args[:cond_nconsts]), args[cond_nconsts:]
    consts, state = list(rest[:body_nconsts]), list(rest[body_nconsts:])
    for _ in range(_MOST_STEPS):
        [going] = interpret(cond_jaxpr.jaxpr, cond_jaxpr.consts, ahead + state)
        if not bool(going):
            return state
        state = interpret(body_jaxpr.jaxpr, body_jaxpr.consts, consts + state)
    raise TraceError(f"a loop of more than {_MOST_STEPS} steps", user_line())


@primitive("scan")
def scan(
    *args: Any,
    jaxpr: Any,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> list[Any]:
    consts, rest = list(args[:num_consts]), args[num_consts:]
    carry, xs = list(rest[:num_carry]), rest[num_carry:]
    steps = range(length)[::-1] if reverse else range(length)
    rows: list[list[Any]] = []
    for i in steps:
        found = interpret(jaxpr.jaxpr, jaxpr.consts, [*consts, *carry, *(x[i] for x in xs)])
        carry = found[:num_carry]
        rows.append(found[num_carry:])
    if reverse:
        rows.reverse()
    return [*carry, *(np.stack(column) for column in zip(*rows, strict=True))]
