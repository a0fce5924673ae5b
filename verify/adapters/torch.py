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

May import: torch, :mod:`symbolic`, :mod:`verify.subject`, :mod:`verify.adapters.torch_tensor`.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from symbolic.array import is_traced, wrap
from symbolic.values import TraceError
from verify.adapters.torch_tensor import Mode, TracedTensor, array_of, unwrapped, wrapped
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
        return array_of(entry) if isinstance(entry, torch.Tensor) else entry

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
            return tuple(None if g is None else array_of(g) for g in gradients)

        return tuple(array_of(o) if isinstance(o, torch.Tensor) else o for o in outputs), pullback


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
            own = [wrapped(a.copy() if is_traced(a) else a) for a in args]  # it may write to them
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
                None if g is None else _summed(unwrapped(g), shape)
                for g, shape in zip(found, shapes, strict=False)
            )

        return tuple(unwrapped(o) for o in outputs), pullback

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
            result = self.shown(*(wrapped(a) for a in args), **keywords)
        return tuple(unwrapped(o) for o in _several(result)), _compiled

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
        with Mode():
            yield
    finally:
        _BASE.apply = original


def _applied(function: Any, *args: Any) -> Any:
    _, outputs = _forward(function, args)
    return outputs if len(outputs) > 1 else outputs[0]
