"""torch: subclasses of ``torch.autograd.Function``, and any callable on torch tensors.

Floats run on real torch tensors, through torch's own engine: what is judged is the gradient that a
user of the Function gets. Where backward leaves the sum over broadcast axes to the engine, the
engine does it, and nothing is wrong.

Symbols run through the same ``forward`` and ``backward``, called with a :class:`TracedTensor`
that wraps a traced array. torch hands it every function (``__torch_function__``); what each means
in NumPy is the table of :mod:`verify.adapters.torch_functions`. A function that is not there ends
the proof, by name, and the evidence on floats goes on. The gradient of a plain callable is computed
by torch's compiled engine, which cannot be traced: it is compared with the certified derivative of
the traced forward.

May import: torch, :mod:`symbolic`, :mod:`verify.subject`, :mod:`verify.adapters.torch_functions`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from symbolic.array import TracedArray, is_traced, wrap
from symbolic.mask import decided
from symbolic.values import TraceError, user_line
from verify.adapters.torch_functions import TABLE, named
from verify.subject import BadResult, Context, Pullback, Subject, weights

__all__ = ["TorchCallable", "TorchFunction", "TracedTensor", "adapt"]

_BASE = torch.autograd.Function


def adapt(subject: Any) -> Subject | None:
    """A Function class, its ``apply``, or a callable on tensors."""
    owner = getattr(subject, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, _BASE) and owner is not _BASE:
        subject = owner
    if isinstance(subject, type):
        return TorchFunction(subject) if issubclass(subject, _BASE) else None
    return TorchCallable(subject) if callable(subject) else None


class _TorchSubject(Subject):
    """What both kinds share: floats through torch's engine."""

    def plain(self, entry: Any) -> Any:
        return _array(entry) if isinstance(entry, torch.Tensor) else entry

    def is_fixed(self, position: int, entry: Any) -> bool:
        return isinstance(entry, float)  # no tensor: torch differentiates tensors only

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        if any(is_traced(a) for a in args):
            return self.traced(args, keywords)
        return self.real(args, keywords)

    def call(self, *args: Any, **keywords: Any) -> Any:
        """The differentiable call on tensors."""
        raise NotImplementedError  # each kind has its own

    def traced(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        """Forward and pullback on traced arrays."""
        raise NotImplementedError  # each kind has its own

    def real(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        """Forward and pullback on torch tensors that share the arrays' memory."""
        before = [np.array(a) if isinstance(a, np.ndarray) else a for a in args]
        given, leaves = _leaves(args)
        with torch.enable_grad():
            try:
                result = self.call(*given, **keywords)
            except RuntimeError as error:
                if "leaf" not in str(error):
                    raise
                # It works in place, which torch refuses for what a user differentiates: on copies.
                for a, b in zip(args, before, strict=True):
                    if isinstance(a, np.ndarray) and a.flags.writeable:
                        a[...] = b
                given, leaves = _leaves(before)
                copies = [g.clone() if any(g is leaf for leaf in leaves) else g for g in given]
                result = self.call(*copies, **keywords)
        outputs = _several(result)
        for output in outputs:
            if not isinstance(output, (torch.Tensor, int, float)):
                raise BadResult(
                    f"{self.name} returned {type(output).__name__}; expected a torch.Tensor or a "
                    "tuple of them"
                )
        tracked = [isinstance(o, torch.Tensor) and o.requires_grad for o in outputs]
        self.tracked = any(tracked)
        self.fixed_outputs = [not t for t in tracked] if any(tracked) else [False] * len(outputs)

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            pairs = [(o, g) for o, g, t in zip(outputs, grads, tracked, strict=True) if t]
            if not pairs:
                return (None,) * len(args)
            found = iter(
                torch.autograd.grad(
                    [o for o, _ in pairs],
                    leaves,
                    [_tensor(np.asarray(g)) for _, g in pairs],
                    allow_unused=True,
                    retain_graph=True,  # the same forward is asked again
                )
            )
            marks = [isinstance(g, torch.Tensor) and g.requires_grad for g in given]
            gradients = [next(found) if m else None for m in marks]
            return tuple(None if g is None else _array(g) for g in gradients)

        return tuple(_array(o) if isinstance(o, torch.Tensor) else o for o in outputs), pullback


class TorchFunction(_TorchSubject):
    """A subclass of ``torch.autograd.Function``."""

    def __init__(self, function: Any):
        self.separate = function.setup_context is not _BASE.setup_context
        super().__init__(
            function, function.__name__, function.forward, skip=0 if self.separate else 1
        )
        self.formula = getattr(function, "formula", None)
        self.elementwise = bool(getattr(function, "elementwise", False))
        self.declared_examples = getattr(function, "examples", None)
        self.declared_domain = getattr(function, "domain", None)

    @property
    def code(self) -> list[Callable[..., Any]]:
        found = [self.function.forward, inspect.unwrap(self.function.backward)]
        return [self.function.setup_context, *found] if self.separate else found

    def call(self, *args: Any, **keywords: Any) -> Any:
        if keywords:
            raise TypeError(
                f"{self.name}.apply takes no keyword arguments, got {', '.join(keywords)}: give "
                "them by position in the example"
            )
        return self.function.apply(*args)

    def traced(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        with _tracing():
            own = [_wrapped(a.copy() if is_traced(a) else a) for a in args]  # it may write to them
            ctx, outputs = _forward(self.function, own)
        shapes = [np.shape(a) for a in args]

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            with _tracing():
                upstream = [
                    None if not ctx.materialize_grads and not is_traced(g) else TracedTensor(g)
                    for g in grads
                ]
                found = self.function.backward(ctx, *upstream)
            found = found if isinstance(found, tuple) else (found,)
            return tuple(
                None if g is None else _summed(_unwrapped(g), shape)
                for g, shape in zip(found, shapes, strict=False)
            )

        return tuple(_unwrapped(o) for o in outputs), pullback

    def numbers(self, args: Sequence[Any]) -> list[int]:
        """Scalars that backward has no gradient for, though it has one for another argument."""
        outputs, pullback = self.real(args, {})
        found = pullback([np.ones(np.shape(o)) for o in outputs])
        if all(g is None for g in found):
            return []
        return [i for i, g in enumerate(found) if g is None and np.ndim(args[i]) == 0]

    def gradient(self) -> Subject | None:
        once = inspect.unwrap(self.function.backward) is not self.function.backward
        return None if once else _Gradient(self)


class _Gradient(_TorchSubject):
    """The gradient of a subject, for one upstream gradient, as a function of its arguments."""

    def __init__(self, inner: _TorchSubject):
        super().__init__(inner.function, inner.name, inner.code[-1])
        self.inner = inner
        self.arguments, self.optional = list(inner.arguments), list(inner.optional)
        self.variadic = inner.variadic

    @property
    def code(self) -> list[Callable[..., Any]]:
        return self.inner.code

    def call(self, *args: Any, **keywords: Any) -> Any:
        leaves = [a for a in args if isinstance(a, torch.Tensor) and a.requires_grad]
        result = self.inner.call(*args, **keywords)
        outputs = [o for o in _several(result) if o.requires_grad]
        upstream = [torch.as_tensor(weights(o.shape), dtype=o.dtype) for o in outputs]
        found = torch.autograd.grad(
            outputs, leaves, upstream, create_graph=True, allow_unused=True, materialize_grads=True
        )
        return tuple(found)

    def traced(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        outputs, pullback = self.inner.traced(args, keywords)
        found = pullback([wrap(weights(np.shape(o))) for o in outputs])
        return tuple(g for g in found if g is not None), _compiled


def _several(result: Any) -> tuple:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def _compiled(grads: Sequence[Any]) -> tuple[Any, ...]:
    raise TraceError("the gradient is computed by torch's engine, which is compiled code")


class TorchCallable(_TorchSubject):
    """Any callable on torch tensors, a module included: its autograd gradient is judged."""

    def __init__(self, function: Callable[..., Any]):
        name = getattr(function, "__name__", type(function).__name__)
        shown = function.forward if isinstance(function, torch.nn.Module) else function
        super().__init__(function, name, shown)
        self.shown = shown

    @property
    def code(self) -> list[Callable[..., Any]]:
        return [self.shown]

    def call(self, *args: Any, **keywords: Any) -> Any:
        return self.function(*args, **keywords)

    def traced(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        with _tracing():
            result = self.shown(*(_wrapped(a) for a in args), **keywords)
        return tuple(_unwrapped(o) for o in _several(result)), _compiled

    def gradient(self) -> Subject:
        return _Gradient(self)


# Floats


def _leaves(args: Sequence[Any]) -> tuple[list[Any], list[torch.Tensor]]:
    """The arguments as tensors, and those that are differentiated."""
    given = [_tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    tensors = [g for g in given if isinstance(g, torch.Tensor)]
    return given, [t.requires_grad_() for t in tensors if t.is_floating_point() or t.is_complex()]


def _tensor(array: np.ndarray) -> torch.Tensor:
    """A tensor on the array's memory; torch has no negative strides, and copies those."""
    if any(s < 0 for s in array.strides) or not array.dtype.isnative:
        array = array.copy()
    return torch.from_numpy(array) if array.ndim else torch.from_numpy(array.reshape(1))[0]


def _array(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    return tensor.numpy(force=True)


# Symbols


def _forward(function: Any, args: Sequence[Any]) -> tuple[Context, tuple]:
    """``forward`` as ``apply`` calls it, with a context of our own."""
    ctx = _Context([isinstance(a, torch.Tensor) and a.is_floating_point() for a in args])
    if function.setup_context is _BASE.setup_context:
        result = function.forward(ctx, *args)
    else:
        result = function.forward(*args)
        function.setup_context(ctx, tuple(args), result)
    return ctx, _several(result)


class _Context(Context):
    """What else torch's context offers."""

    save_for_forward = Context.save_for_backward


def _summed(gradient: Any, shape: tuple[int, ...]) -> Any:
    """What the engine does with a gradient of a shape that the argument's broadcasts to."""
    got = np.shape(gradient)
    extra = len(got) - len(shape)
    if got == shape or extra < 0:
        return gradient
    padded = (1,) * extra + shape
    if any(w not in (1, g) for g, w in zip(got, padded, strict=True)):
        return gradient
    axes = tuple(i for i, (g, w) in enumerate(zip(got, padded, strict=True)) if g != w or i < extra)
    return np.sum(gradient, axis=axes).reshape(shape)


@contextlib.contextmanager
def _tracing() -> Iterator[None]:
    """Constructors make traced tensors, and a Function in the code runs on our context."""
    original = _BASE.__dict__["apply"]
    _BASE.apply = classmethod(_applied)  # type: ignore[assignment]
    try:
        with _Mode():
            yield
    finally:
        _BASE.apply = original


def _applied(function: Any, *args: Any) -> Any:
    _, outputs = _forward(function, args)
    return outputs if len(outputs) > 1 else outputs[0]


class _Mode(TorchFunctionMode):
    """Every call of torch, while symbols run: also those whose arguments are all real tensors."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _contains_traced(args) or _contains_traced(tuple(kwargs.values())):
            return _dispatch(func, args, kwargs)
        result = func(*args, **kwargs)
        # What traced code makes, it may assign symbols to.
        fresh = isinstance(result, torch.Tensor) and result.is_floating_point()
        return TracedTensor(wrap(_array(result))) if fresh and type(result) is not _OWN else result


def _contains_traced(values: Any) -> bool:
    return any(
        _contains_traced(v) if isinstance(v, (tuple, list)) else type(v) is TracedTensor
        for v in values
    )


def _dispatch(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        raise TraceError("an attribute of a traced tensor", user_line())
    if name in ("__setitem__", "_set_item"):
        target, key, value = args
        if type(target) is not TracedTensor:
            raise TraceError("a traced value is stored in a real tensor", user_line())
        target[key] = value
        return None
    return _call(name, args, kwargs)


def _call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A function of the table on traced tensors, in place where its name says so."""
    ours = TABLE.get(named(name))
    in_place = ours is None and name.endswith("_") and not name.endswith("__")
    if in_place:
        ours = TABLE.get(named(name[:-1]))
    if ours is None:
        raise TraceError(f"torch's {name} is not in the table of traced functions", user_line())
    out = kwargs.pop("out", None)
    result = _rewrapped(
        ours(*map(_unwrapped, args), **{k: _unwrapped(v) for k, v in kwargs.items()})
    )
    if in_place:
        out = args[0]
    if out is not None:
        out[...] = result
        return out
    return result


def _wrapped(value: Any) -> Any:
    return TracedTensor(value) if isinstance(value, np.ndarray) or is_traced(value) else value


def _rewrapped(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        parts = [_rewrapped(r) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if is_traced(result) or isinstance(result, (np.ndarray, np.generic)):
        return TracedTensor(result)
    return result


def _unwrapped(value: Any) -> Any:
    """Arrays for tensors, NumPy's dtypes for torch's."""
    kind = type(value)
    if kind is TracedTensor:
        return value._array
    if isinstance(value, torch.Tensor):
        return wrap(_array(value))
    if kind is torch.dtype:
        return _numpy_dtype(value)
    if isinstance(value, (tuple, list)):
        parts = [_unwrapped(v) for v in value]
        return parts if kind is list else tuple(parts)
    return value


@functools.lru_cache(maxsize=64)
def _numpy_dtype(dtype: torch.dtype) -> np.dtype:
    return _array(torch.empty(0, dtype=dtype)).dtype


@functools.lru_cache(maxsize=64)
def _torch_dtype(dtype: np.dtype) -> torch.dtype:
    return torch.from_numpy(np.empty(0, dtype)).dtype


class TracedTensor:
    """A traced array, or an array that a trace decided, with the face of a ``torch.Tensor``."""

    __slots__ = ("_array", "grad", "grad_fn", "requires_grad")
    is_cuda = is_sparse = is_quantized = is_mps = is_meta = is_nested = False
    is_leaf = True
    layout = torch.strided

    def __init__(self, array: Any):
        if is_traced(array) and type(array) is not TracedArray:
            array = wrap(array)  # a bare symbol
        if type(array) is TracedArray and array._scalar:
            array = TracedArray(array._entries, array._dtype)
        self._array = array if type(array) is TracedArray else np.asanyarray(array)
        self.requires_grad = False
        self.grad = self.grad_fn = None

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # type: ignore[override,misc]
        return torch.Tensor

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return _dispatch(func, args, dict(kwargs or {}))

    # Attributes

    @property
    def shape(self) -> torch.Size:
        return torch.Size(self._array.shape)

    @property
    def dtype(self) -> torch.dtype:
        return _torch_dtype(self._array.dtype)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def T(self) -> TracedTensor:
        return TracedTensor(self._array.T)

    @property
    def mT(self) -> TracedTensor:
        return TracedTensor(self._array.swapaxes(-1, -2))

    @property
    def data(self) -> TracedTensor:
        return self

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        return self._array.size

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        found = tuple(s // self._array.itemsize for s in self._array.strides)
        return found if dim is None else found[dim]

    def is_floating_point(self) -> bool:
        return self._array.dtype.kind == "f"

    def is_complex(self) -> bool:
        return self._array.dtype.kind == "c"

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._array.flags.c_contiguous)

    def requires_grad_(self, value: bool = True) -> TracedTensor:
        return self

    def get_device(self) -> int:
        return -1

    # Conversions

    def item(self) -> Any:
        return self._array.item()

    def tolist(self) -> Any:
        return self._array.tolist()

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        return self._array

    def to(self, *args: Any, **kwargs: Any) -> TracedTensor:
        for target in (*args, kwargs.get("dtype")):
            if isinstance(target, torch.dtype):
                return TracedTensor(_decided(self._array.astype(_numpy_dtype(target))))
            if isinstance(target, torch.Tensor):
                return self.to(target.dtype)
        return self

    type_as = to

    def type(self, dtype: Any = None) -> Any:
        return self.to(dtype) if isinstance(dtype, torch.dtype) else self

    def new_zeros(self, *size: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.zeros(*size, dtype=dtype or self.dtype)

    def new_ones(self, *size: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.ones(*size, dtype=dtype or self.dtype)

    new_empty = new_zeros

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.full(size, fill_value, dtype=dtype or self.dtype)

    def new_tensor(self, data: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return torch.tensor(data, dtype=dtype or self.dtype)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __index__(self) -> int:
        return self._array.__index__()

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[TracedTensor]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self._array, dtype)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"tensor({self._array!r})"

    # Indexing: a view, also of one entry

    def __getitem__(self, key: Any) -> TracedTensor:
        return TracedTensor(self._array[_key(key, self._array)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[_key(key, self._array)] = _unwrapped(value)

    # Everything else is in the table

    def __getattr__(self, name: str) -> Any:
        base = named(name)
        if base in TABLE or (name.endswith("_") and named(name[:-1]) in TABLE):
            return lambda *args, **kwargs: _call(name, (self, *args), kwargs)
        if name.startswith("__") or not hasattr(torch.Tensor, name):
            raise AttributeError(f"'Tensor' object has no attribute {name!r}")
        raise TraceError(
            f"torch.Tensor.{name} is not in the table of traced functions", user_line()
        )


_OWN = TracedTensor


def _decided(array: Any) -> Any:
    return decided(array) if type(array) is np.ndarray and array.dtype.kind in "biu" else array


def _key(key: Any, array: Any) -> Any:
    """The index for an array: one entry is a view of no axes, as torch's is."""
    parts = [_plain_index(k) for k in key] if type(key) is tuple else [_plain_index(key)]
    if all(isinstance(p, int) and not isinstance(p, bool) for p in parts):
        return (*parts, Ellipsis)
    return tuple(parts) if type(key) is tuple else parts[0]


def _plain_index(key: Any) -> Any:
    if type(key) is TracedTensor:
        found = key._array
        if found.ndim == 0 and found.dtype.kind in "iu":
            return int(found)
        return np.asarray(found) if type(found) is not TracedArray else found
    if isinstance(key, torch.Tensor):
        return key.item() if key.ndim == 0 else key.numpy()
    return [_plain_index(k) for k in key] if isinstance(key, list) else key


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    def operate(self: TracedTensor, *others: Any) -> Any:
        if others and not isinstance(
            others[0], (torch.Tensor, int, float, bool, complex, np.generic)
        ):
            return NotImplemented
        return _call(name, (*others, self) if reflected else (self, *others), {})

    return operate


for _name, _function in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "mod": "remainder",
    "floordiv": "floor_divide", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor",
}.items():  # fmt: skip
    setattr(TracedTensor, f"__{_name}__", _operator(_function))
    setattr(TracedTensor, f"__r{_name}__", _operator(_function, reflected=True))
    setattr(TracedTensor, f"__i{_name}__", _operator(_function + "_"))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(TracedTensor, f"__{_name}__", _operator(_name))
for _name, _function in {
    "neg": "neg",
    "pos": "positive",
    "abs": "abs",
    "invert": "bitwise_not",
}.items():
    setattr(TracedTensor, f"__{_name}__", _operator(_function))
