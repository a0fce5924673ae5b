"""`Function`, all about one operation in one class; `Elementwise`, the same in a few lines."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from autodiff.grad_mode import ANOMALY, OFF, mode
from autodiff.graph import Node, Output, _shared, check_fresh, clock
from autodiff.tensor import Tensor, storage

__all__ = ["Elementwise", "Function", "Holomorphic", "once_differentiable", "unbroadcast"]

_ndarray = np.ndarray
_float64 = np.float64
_double = np.dtype(np.float64)
_new = Tensor.__new__
_FIRST, _BOTH, _OUTPUT = (0,), (0, 1), (-1,)


class Function:
    """One differentiable operation: its value, its gradient, its meaning and its domain.

    A subclass defines the static methods

    ``forward(ctx, *args, **kwargs)``
        The value, on arrays. Keyword arguments are never differentiated.
    ``backward(ctx, *grad_outputs)``
        For each positional argument of ``forward`` its gradient, or ``None`` where there is none,
        given the gradient of each output.
    ``formula(*args, **kwargs)``, optional
        The value on SymPy expressions: scalars if the Function is elementwise, otherwise object
        arrays of expressions.

    and may have ``domain``, a dict from argument names to open intervals, and ``examples``, a list
    (or a static method that returns one) of argument tuples to check with: a tuple of ints stands
    for an array of that shape, a last dict for the keywords.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> class Cube(ad.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * grad * x**2
    >>> x = ad.tensor([1.0, 2.0], requires_grad=True)
    >>> Cube.apply(x)
    tensor([1., 8.], grad_fn=<CubeBackward>)
    >>> Cube.apply(x).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """

    domain: ClassVar[dict[str, Any]] = {}
    elementwise: ClassVar[bool] = False
    examples: ClassVar[Any]
    node: ClassVar[type[Node]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.node = type(
            f"{cls.__name__}Backward",
            (Node,),
            {"__slots__": (), "__module__": cls.__module__, "_function": cls},
        )

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the value."""
        # Abstract, as in torch: no abc, since a Function is never instantiated.
        raise NotImplementedError("a Function must define the static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradient of each argument from those of the outputs."""
        # Abstract too, and needed only where a gradient is asked for.
        raise NotImplementedError("a Function must define the static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` on the arrays that `args` hold, and record the operation.

        Parameters
        ----------
        *args
            Tensors, and anything else that ``forward`` takes.
        **kwargs
            Keywords of ``forward``, passed on as they are.

        Returns
        -------
        Tensor or tuple of Tensor
        """
        ctx = cls.node()
        ctx.saved_tensors = ()
        if _shared:
            for arg in args:
                if isinstance(arg, Tensor):
                    check_fresh(arg)
        raw: Sequence[Any]
        given: tuple[Any, ...] = ()
        # One and two arguments, nearly all calls, are written out: a loop takes twice the time.
        if len(args) == 2:
            x, y = args
            first = second = None
            if isinstance(x, Tensor):
                if x._requires_grad:
                    first = x._node or x
                x = x._data
            if isinstance(y, Tensor):
                if y._requires_grad:
                    second = y._node or y
                y = y._data
            recording = (first is not None or second is not None) and (not OFF or mode.enabled)
            if not recording:
                first = second = None
                ctx.needs_input_grad = (False, False)
            elif second is None:
                given = (y,)
                ctx.needs_input_grad = (True, False)
            elif first is None:
                given = (x,)
                ctx.needs_input_grad = (False, True)
            else:
                ctx.needs_input_grad = (True, True)
            ctx._edges = (first, second)
            raw = (x, y)
            value = cls.forward(ctx, x, y, **kwargs) if kwargs else cls.forward(ctx, x, y)
            repeated = value is x or value is y
        elif len(args) == 1:
            (x,) = args
            first = None
            if isinstance(x, Tensor):
                if x._requires_grad and (not OFF or mode.enabled):
                    first = x._node or x
                x = x._data
            recording = first is not None
            ctx._edges = (first,)
            ctx.needs_input_grad = (recording,)
            raw = (x,)
            value = cls.forward(ctx, x, **kwargs) if kwargs else cls.forward(ctx, x)
            repeated = value is x
        else:
            raw, given = _several_arguments(ctx, args)
            recording = True in ctx.needs_input_grad
            value = cls.forward(ctx, *raw, **kwargs)
            repeated = False
            for array in raw:
                repeated = repeated or value is array
        kind = type(value)
        if kind is not _ndarray and kind is not _float64:
            if kind is tuple or kind is list:
                return _several(ctx, value, raw, kwargs, recording)
            value = storage(value)
        if repeated:  # the graph tells tensors apart by their arrays
            value = value[...]
        out = _new(Tensor)
        out._data = value
        out._grad = None
        if recording:
            # Known of a scalar: to ask it takes longer.
            shape, dtype = ((), _double) if kind is _float64 else (value.shape, value.dtype)
            if ctx._non_differentiable or (dtype is not _double and dtype.kind in "biu"):
                recording = False
        if recording:
            ctx._order = next(clock)
            ctx._shape = shape
            ctx._dtype = dtype
            # Apart, so that the empty dict of a call without keywords is not kept alive.
            if given:
                ctx._given = given
            if kwargs:
                ctx._keywords = kwargs
            if ANOMALY[0]:
                ctx.remember_place()
            saved = ctx.saved_tensors
            if saved:
                # The usual cases first, without a call.
                number = len(saved)
                if number == 1 and saved[0] is raw[0]:
                    ctx._origins = _FIRST
                elif number == 2 == len(raw) and saved[0] is raw[0] and saved[1] is raw[1]:
                    ctx._origins = _BOTH
                elif number == 1 and saved[0] is value:
                    ctx._origins = _OUTPUT
                else:
                    ctx._origins = _origins(saved, raw, (value,))
            out._node = ctx
            out._requires_grad = True
        else:
            out._node = None
            out._requires_grad = False
        return out

    @classmethod
    def derivative(cls, wrt: str) -> Any:
        """Return SymPy's derivative of the formula in the argument named `wrt`."""
        # The one upward call: nothing here knows `symbolic` until somebody asks for a derivative.
        return importlib.import_module("symbolic").derivative(cls, wrt)


def _origins(
    saved: Sequence[Any], raw: Sequence[Any], outputs: Sequence[Any]
) -> Sequence[int | None]:
    """Say which argument (0, 1, ...) or output (-1, -2, ...) each saved array is, if any."""
    origins: list[int | None] = []
    for array in saved:
        index = 0
        for other in raw:
            if array is other:
                origins.append(index)
                break
            index += 1
        else:
            index = -1
            for other in outputs:
                if array is other:
                    origins.append(index)
                    break
                index -= 1
            else:
                origins.append(None)
    return origins


def _several_arguments(ctx: Node, args: Sequence[Any]) -> tuple[Sequence[Any], tuple[Any, ...]]:
    """Say where any number of arguments come from; return what they hold, and the constants."""
    enabled = mode.enabled
    ctx._edges = tuple(
        [
            (arg._node or arg)
            if isinstance(arg, Tensor) and arg._requires_grad and enabled
            else None
            for arg in args
        ]
    )
    ctx.needs_input_grad = tuple([edge is not None for edge in ctx._edges])
    raw = [arg._data if isinstance(arg, Tensor) else arg for arg in args]
    return raw, tuple([a for a, edge in zip(raw, ctx._edges, strict=True) if edge is None])


def _several(
    ctx: Node, values: Sequence[Any], raw: Sequence[Any], kwargs: dict[str, Any], recording: bool
) -> Any:
    """Wrap the outputs of a Function that has several."""
    arrays = [storage(value) for value in values]
    for i, array in enumerate(arrays):
        if any(array is other for other in raw) or any(array is other for other in arrays[:i]):
            arrays[i] = array[...]
    if recording:
        ctx._order = next(clock)
        ctx._given = tuple([a for e, a in zip(ctx._edges, raw, strict=True) if e is None])
        ctx._keywords = kwargs
        ctx._origins = _origins(ctx.saved_tensors, raw, [*values])
        ctx._outputs = tuple([(array.shape, array.dtype) for array in arrays])
        if ANOMALY[0]:
            ctx.remember_place()
    outs = []
    for i, (array, value) in enumerate(zip(arrays, values, strict=True)):
        fixed = any(value is other for other in ctx._non_differentiable)
        fixed = fixed or array.dtype.kind in "biu"
        if recording and not fixed:
            outs.append(Tensor._make(array, Output(ctx, i)))
        else:
            outs.append(Tensor._make(array, None))
    return tuple(outs)


def argument_names(function: type[Function]) -> list[str]:
    """Return the names of the positional arguments of a Function's forward, without ``ctx``."""
    names = []
    for parameter in list(inspect.signature(function.forward).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names.append(f"*{parameter.name}")
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    return names


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that a backward cannot be differentiated again.

    Its result is right, but a second derivative through it raises a RuntimeError instead of being
    silently wrong.

    Parameters
    ----------
    backward : callable
        The static method ``backward(ctx, *grad_outputs)``, before ``@staticmethod``.
    """

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        if not getattr(ctx, "_connected", False):
            return backward(ctx, *grads)
        saved = ctx.saved_tensors
        # The saved tensors count as inputs of the result too: the error must come for them as well.
        inputs = [tensor for tensor in (*grads, *saved) if isinstance(tensor, Tensor)]
        ctx.saved_tensors = tuple([_array(tensor) for tensor in saved])
        try:
            results = backward(ctx, *[_array(grad) for grad in grads])
        finally:
            ctx.saved_tensors = saved
        several = isinstance(results, tuple)
        name = type(ctx).__name__
        guarded = tuple(
            None if result is None else _Once.apply(result, *inputs, name=name)
            for result in (results if several else (results,))
        )
        return guarded if several else guarded[0]

    return wrapped


def _array(value: Any) -> Any:
    return value._data if isinstance(value, Tensor) else value


class DifferentiableOnceError(RuntimeError):
    """A second derivative was asked for of a Function that says that it has none."""


class _Once(Function):
    """The result of a once-differentiable backward."""

    @staticmethod
    def forward(ctx: Any, result: Any, *inputs: Any, name: str) -> Any:
        ctx.name_of_first = name
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise DifferentiableOnceError(
            f"trying to differentiate twice a function that was marked with @once_differentiable: "
            f"{ctx.name_of_first}"
        )


def unbroadcast(grad: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Sum `grad` over the axes along which an argument of this shape was broadcast.

    Parameters
    ----------
    grad : array or Tensor
    shape : tuple of int
        The argument's.
    dtype : dtype, optional
        The argument's: where it is real and `grad` complex, the gradient is the real part.
    """
    if dtype is not None and grad.dtype is not dtype and dtype.kind != "c":
        grad = grad.real
    full = grad.shape
    if full == shape:
        return grad
    extra = len(full) - len(shape)
    if full[extra:] == shape:  # the usual case: a row for all rows
        return grad.sum(axis=0 if extra == 1 else tuple(range(extra)))
    axes = tuple(
        [i for i in range(grad.ndim) if i < extra or (shape[i - extra] == 1 != grad.shape[i])]
    )
    return np.sum(grad, axis=axes).reshape(shape)


def _real_alone(cls: type[Function]) -> NotImplementedError:
    return NotImplementedError(
        f"the gradient of {cls.__name__} is known for real numbers alone, and it got complex ones: "
        "take real and imaginary parts apart, or write an autodiff.Function"
    )


def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


class Elementwise(Function):
    """A Function that acts entry by entry, with broadcasting.

    A subclass gives, as lambdas or functions on arrays,

    ``value``
        The value; the names of its parameters are the names of the arguments.
    ``partials``
        A tuple of the partial derivatives in each argument. Each names what it needs among the
        arguments and ``out``, the value, and that alone is saved. ``None``: not differentiable.
    ``formula``
        The value on SymPy scalars.

    Keyword-only parameters of ``value`` are passed to the partial derivatives too.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.function import Elementwise
    >>> class Times(Elementwise):
    ...     value = lambda x, y: x * y
    ...     partials = (lambda y: y, lambda x: x)
    ...     formula = lambda x, y: x * y
    """

    elementwise = True
    value: ClassVar[Callable[..., Any]]
    partials: ClassVar[tuple[Callable[..., Any] | None, ...]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("value", "formula"):
            if name in cls.__dict__ and not isinstance(cls.__dict__[name], staticmethod):
                setattr(cls, name, staticmethod(cls.__dict__[name]))
        if "forward" in cls.__dict__ or "value" not in cls.__dict__:
            return
        build = _unary if len(_names(cls.value)) == 1 else _broadcasting
        forward, backward = build(cls)
        for method, name in ((forward, "forward"), (backward, "backward")):
            method.__qualname__ = f"{cls.__qualname__}.{name}"
            method.__module__ = cls.__module__
            setattr(cls, name, staticmethod(method))
        # So that `inspect.signature(F.forward)` names the arguments.
        signature = inspect.Signature(
            [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
            + list(inspect.signature(cls.value).parameters.values())
        )
        forward.__signature__ = signature  # type: ignore[attr-defined]


class Holomorphic(Elementwise):
    """An `Elementwise` Function that takes complex numbers too.

    Its gradient is the upstream gradient times the conjugate of the derivative; that of a real
    argument, where another one is complex, the real part of it.
    """

    examples = [((),), ((3,),), ((2, 3),), ((2, 1),), (np.array([1.5 + 0.5j, -0.25 - 2.0j]),)]


def _unary(cls: type[Elementwise]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    value, (partial,) = cls.value, cls.partials
    assert partial is not None
    needs = _names(partial)
    keywords = value.__code__.co_kwonlyargcount > 0
    if keywords or len(needs) > 1:
        holomorphic = issubclass(cls, Holomorphic)

        def forward(ctx: Any, x: Any, **kwargs: Any) -> Any:
            out = value(x, **kwargs)
            ctx.kwargs, ctx.shape_in = kwargs, getattr(x, "shape", ())
            ctx.save_for_backward(*[out if name == "out" else x for name in needs])
            return out

        def backward(ctx: Any, grad: Any) -> Any:
            if not holomorphic and grad.dtype.kind == "c":
                raise _real_alone(cls)
            slope = partial(*ctx.saved_tensors, **ctx.kwargs)
            # The argument may have been broadcast against a constant.
            return unbroadcast(grad * (slope.conjugate() if holomorphic else slope), ctx.shape_in)

    elif not needs:

        def forward(ctx: Any, x: Any) -> Any:  # type: ignore[misc]
            return value(x)

        def backward(ctx: Any, grad: Any) -> Any:
            return grad * partial()

    else:
        if needs == ("out",):

            def forward(ctx: Any, x: Any) -> Any:  # type: ignore[misc]
                out = value(x)
                ctx.save_for_backward(out)
                return out

        else:

            def forward(ctx: Any, x: Any) -> Any:  # type: ignore[misc]
                ctx.save_for_backward(x)
                return value(x)

        if issubclass(cls, Holomorphic):

            def backward(ctx: Any, grad: Any) -> Any:
                (saved,) = ctx.saved_tensors
                return grad * partial(saved).conjugate()

        else:

            def backward(ctx: Any, grad: Any) -> Any:
                if grad.dtype.kind == "c":
                    raise _real_alone(cls)
                (saved,) = ctx.saved_tensors
                return grad * partial(saved)

    return forward, backward


def _broadcasting(cls: type[Elementwise]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    value, partials = cls.value, cls.partials
    names = _names(value)
    needs = tuple([_names(partial) if partial else () for partial in partials])
    keywords = value.__code__.co_kwonlyargcount > 0
    holomorphic = issubclass(cls, Holomorphic)
    kept = [name for name in (*names, "out") if any(name in need for need in needs)]
    places = tuple([tuple([kept.index(name) for name in need]) for need in needs])

    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        if keywords:
            ctx.kwargs = kwargs
        out = value(*args, **kwargs)
        ctx.shapes = [getattr(arg, "shape", ()) for arg in args]
        if holomorphic:
            ctx.dtypes = [getattr(arg, "dtype", None) for arg in args]
        if kept:
            known = dict(zip(names, args, strict=True), out=out)
            ctx.save_for_backward(*[known[name] for name in kept])
        return out

    def backward(ctx: Any, grad: Any) -> Any:
        if not holomorphic and grad.dtype.kind == "c":
            raise _real_alone(cls)
        saved = ctx.saved_tensors
        kwargs = ctx.kwargs if keywords else {}
        grads: list[Any] = [None] * len(partials)
        needed = ctx.needs_input_grad
        for k, partial in enumerate(partials):
            if needed[k] and partial is not None:
                slope = partial(*[saved[i] for i in places[k]], **kwargs)
                full = grad * (slope.conjugate() if holomorphic else slope)
                grads[k] = unbroadcast(full, ctx.shapes[k], ctx.dtypes[k] if holomorphic else None)
        return tuple(grads)

    return forward, backward
