"""What is checked: a Function, a callable with its derivative, or a callable on Tensors.

Each becomes a :class:`Subject` with one way to run it, on float arrays and on traced arrays alike:
``forward(args, keywords)`` gives the outputs and a pullback, and the pullback takes one upstream
gradient for each output to one gradient for each argument.

May import: :mod:`autodiff` (for Tensors and Functions), :mod:`symbolic.tracing`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff import Function, Tensor
from autodiff import grad as tensor_grad

__all__ = ["BadResult", "Context", "Pullback", "Subject", "as_subject", "raised", "weights"]

Pullback = Callable[[Sequence[Any]], tuple[Any, ...]]


class BadResult(Exception):
    """The subject returned something that is no value or no gradient; the text says what."""


def raised(error: BaseException) -> str:
    """What a backward did that gave no gradient where forward gives a value, as a clause.

    Examples
    --------
    >>> raised(ZeroDivisionError("x is 0"))
    'backward raises ZeroDivisionError where forward gives a finite value: x is 0'
    """
    if isinstance(error, BadResult):
        return str(error)
    text = f"backward raises {type(error).__name__} where forward gives a finite value"
    return f"{text}: {error}" if str(error) else text


class Context:
    """The ``ctx`` that a Function's forward and backward share, without a graph behind it."""

    def __init__(self, needs_input_grad: Sequence[bool]):
        self.needs_input_grad = tuple(needs_input_grad)
        self.saved_tensors: tuple[Any, ...] = ()
        self.non_differentiable: tuple[Any, ...] = ()
        self.materialize_grads = True

    def save_for_backward(self, *arrays: Any) -> None:
        self.saved_tensors = arrays

    def mark_non_differentiable(self, *arrays: Any) -> None:
        self.non_differentiable = arrays

    def mark_dirty(self, *arrays: Any) -> None:
        """Accepted for torch's sake: arrays here are never written to by the caller."""

    def set_materialize_grads(self, value: bool) -> None:
        self.materialize_grads = bool(value)


@dataclass
class FirstCall:
    """Arguments, keywords and outputs of a call, and the gradients for ones, copied."""

    args: list[Any]
    keywords: dict[str, Any]
    outputs: list[np.ndarray]
    grads: list[np.ndarray | None] | None = None


def _equal_args(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) == len(b) and all(
        type(x) is type(y) and bool(np.array_equal(x, y)) for x, y in zip(a, b, strict=True)
    )


class Subject:
    """A function and its derivative, however they were given.

    Attributes
    ----------
    name : str
    arguments : list of str
        Positional parameters without a default; a name with ``*`` stands for any number.
    required : int
        How many of them have no default.
    formula : callable or None
    elementwise : bool
        Whether it says of itself that it acts entry by entry.
    defaults : dict
        The default of each optional parameter, by name.
    first : FirstCall, optional
        The first call of forward, and of backward, whatever came after.
    asked : sequence of bool, optional
        For which arguments ``ctx.needs_input_grad`` says that a gradient is wanted, where that is
        not all that can have one.
    """

    second_order = False
    hint = ""  # why there may be nothing to differentiate

    def __init__(self, function: Any, name: str, signature_of: Callable[..., Any], skip: int = 0):
        self.function = function
        self.name = name
        self.arguments, self.optional, self.variadic, self.integer_like = _parameters(
            signature_of, skip
        )
        self.defaults = _defaults(signature_of)
        self.formula: Callable[..., Any] | None = None
        self.elementwise = False
        self.declared_examples: Any = None
        self.declared_domain: Any = None
        self.first: FirstCall | None = None
        self.asked: Sequence[bool] | None = None

    def remember(
        self, args: Sequence[Any], keywords: dict[str, Any], outputs: Sequence[Any]
    ) -> None:
        """Keep the first value of forward, to see whether calls of backward change it."""
        if self.first is None:
            kept = [np.array(o) for o in outputs]
            self.first = FirstCall(copy.deepcopy(list(args)), dict(keywords), kept)

    def remember_gradient(self, args: Sequence[Any], grads: Sequence[Any]) -> None:
        """Keep the first gradient, for an upstream gradient of ones, if it is of the first call."""
        first = self.first
        if first is not None and first.grads is None and _equal_args(first.args, args):
            first.grads = [None if g is None else np.array(g) for g in grads]

    @property
    def code(self) -> list[Callable[..., Any]]:
        """The functions that run, for the tracer to rebind their modules' names."""
        raise NotImplementedError  # every kind of subject has its own

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        """Outputs, and the pullback at these arguments."""
        raise NotImplementedError  # every kind of subject has its own

    def plain(self, entry: Any) -> Any:
        """An entry of an example with a NumPy array for another library's."""
        return entry

    def is_fixed(self, position: int, entry: Any) -> bool:
        """Whether an entry of an example is no argument to differentiate, though it is a float."""
        return False

    def handed_out(
        self, args: Sequence[Any], keywords: dict[str, Any], upstream: Sequence[Any]
    ) -> Sequence[Any]:
        """What the user's code itself returns for a gradient."""
        return self.forward(args, keywords)[1](upstream)

    def numbers(self, args: Sequence[Any]) -> list[int]:
        """Which of the arguments that were guessed for it it takes for plain numbers."""
        return []

    def gradient(self) -> Subject | None:
        """The gradient as a subject of its own, for the second order; None where there is none."""
        return None

    @property
    def location(self) -> tuple[str, int] | None:
        try:
            target = inspect.unwrap(self.code[-1])
            return inspect.getsourcefile(target) or "", inspect.getsourcelines(target)[1]
        except (OSError, TypeError):
            return None

    def name_of(self, position: int) -> str:
        named = [*self.arguments, *self.optional]
        if position < len(named):
            return named[position]
        return f"{self.variadic or 'x'}{position - len(self.arguments)}"


def weights(shape: Sequence[int]) -> np.ndarray:
    """An upstream gradient in which no two entries are equal, for a gradient of a gradient."""
    size = int(np.prod(shape, dtype=int))
    return np.cos(np.arange(1.0, size + 1)).reshape(shape)


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _parameters(function: Callable[..., Any], skip: int) -> tuple[list, list, str | None, set]:
    """Names of required and optional positional parameters, of ``*args``, and integer-like ones."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):
        return [], [], "x", set()
    required, optional, variadic, integers = [], [], None, set()
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            variadic = p.name
        elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            if p.default is p.empty:
                required.append(p.name)
            else:
                optional.append(p.name)
            if p.annotation in (int, "int", bool, "bool", str, "str"):
                integers.add(p.name)
    return required, optional, variadic, integers


class FunctionSubject(Subject):
    """A subclass of :class:`autodiff.Function`."""

    second_order = True

    def __init__(self, function: type[Function]):
        super().__init__(function, function.__name__, function.forward, skip=1)
        if not self.arguments and not self.variadic:
            self.hint = (
                "forward has no parameter but its first, which is ctx: write forward(ctx, x)"
            )
        self.formula = getattr(function, "formula", None)
        self.elementwise = bool(getattr(function, "elementwise", False))
        self.declared_examples = getattr(function, "examples", None)
        self.declared_domain = getattr(function, "domain", None)

    @property
    def code(self) -> list[Callable[..., Any]]:
        found = [self.function.forward, self.function.backward]
        value = self.function.__dict__.get("value")
        if value is not None:
            found.append(getattr(self.function, "value"))  # noqa: B009
            found += [p for p in getattr(self.function, "partials", ()) if p]
        return found

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        ctx = Context(self.asked or [_is_inexact(a) for a in args])
        result = self.function.forward(ctx, *args, **keywords)
        outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        self.fixed_outputs = [any(o is other for other in ctx.non_differentiable) for o in outputs]

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            result = self.function.backward(ctx, *grads)
            return result if isinstance(result, tuple) else _one_or_list(result, len(args))

        return outputs, pullback


def _one_or_list(result: Any, count: int) -> tuple[Any, ...]:
    # torch takes a list of gradients where several are due; a list for one argument is an array.
    if isinstance(result, list) and count > 1 and len(result) == count:
        return tuple(result)
    return (result,)


class PairSubject(Subject):
    """A callable on arrays with its hand-written ``grad``, ``vjp`` or ``jac``."""

    def __init__(self, function: Callable[..., Any], kind: str, derivative: Callable[..., Any]):
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(function, name, function)
        self.kind = kind
        self.derivative = derivative

    @property
    def code(self) -> list[Callable[..., Any]]:
        return [self.function, self.derivative]

    def upstream_name(self, count: int, keywords: Iterable[str] = ()) -> str | None:
        """The keyword for the upstream gradient of a ``vjp``; None where it follows the arguments.

        By keyword where it can be nothing else: the one keyword-only parameter without a default
        that is none of the function's own, or a ``grad_output`` that stands behind optional
        parameters of the function.
        """
        try:  # a decorator's own parameters, not those of what it wraps
            parameters = inspect.signature(self.derivative, follow_wrapped=False).parameters
        except (TypeError, ValueError):
            return None
        try:
            own = set(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):
            own = set()
        required = [
            name
            for name, p in parameters.items()
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty and name not in {*own, *keywords}
        ]
        if len(required) == 1:
            return required[0]
        place = list(parameters).index("grad_output") if "grad_output" in parameters else 0
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
        return "grad_output" if place > count and not variadic else None

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        result = self.function(*args, **keywords)
        outputs = result if isinstance(result, tuple) else (result,)

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            if self.kind == "vjp":
                upstream = tuple(grads) if isinstance(result, tuple) else grads[0]
                by_name = self.upstream_name(len(args), keywords)
                if by_name is not None:
                    found = self.derivative(*args, **keywords, **{by_name: upstream})
                else:
                    found = self.derivative(*args, upstream, **keywords)
                return _as_tuple(found, len(args))
            found = _as_tuple(self.derivative(*args, **keywords), len(args))
            if self.kind == "grad":
                return tuple(None if d is None else _scaled(grads[0], d) for d in found)
            shape = np.shape(outputs[0])
            return tuple(
                None if j is None else _contracted(grads[0], j, shape, np.shape(a))
                for j, a in zip(found, args, strict=False)
            )

        return outputs, pullback

    def handed_out(
        self, args: Sequence[Any], keywords: dict[str, Any], upstream: Sequence[Any]
    ) -> Sequence[Any]:
        if self.kind == "vjp":
            return super().handed_out(args, keywords, upstream)
        return _as_tuple(self.derivative(*args, **keywords), len(args))


def _as_tuple(result: Any, count: int) -> tuple[Any, ...]:
    if isinstance(result, tuple):
        return result
    # A list of one gradient for each argument, or a list that is one array.
    if isinstance(result, list) and count > 1 and len(result) == count:
        return tuple(result)
    return (result,)


def _scaled(upstream: Any, gradient: Any) -> Any:
    array = _dense(gradient)
    return upstream.reshape(()) * array if np.size(upstream) == 1 else upstream * array


def _dense(array: Any) -> Any:
    """An array from a list, a number, or a sparse matrix; traced arrays stay."""
    if hasattr(array, "toarray") and not isinstance(array, np.ndarray):
        return array.toarray()
    from symbolic.tracing import asarray

    return asarray(array)  # keeps traced arrays, and lists of traced entries


def _contracted(upstream: Any, jacobian: Any, out: tuple, arg: tuple) -> Any:
    jacobian = _dense(jacobian)
    shape = tuple(jacobian.shape)
    if shape != out + arg:
        if out == (1,) and shape == arg:  # SciPy's habit for a vector of one constraint
            jacobian = jacobian.reshape(out + arg)
        else:
            raise BadResult(
                f"jac returned an array of shape {shape}; expected {out + arg}, the shape of the "
                f"output {out} followed by that of the argument {arg}"
            )
    return np.tensordot(upstream, jacobian, axes=len(out))


class TensorSubject(Subject):
    """A callable on Tensors: its reverse-mode gradient is what is checked."""

    second_order = True

    def __init__(self, function: Callable[..., Any]):
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(function, name, function)

    @property
    def code(self) -> list[Callable[..., Any]]:
        return [self.function]

    def record(
        self, args: Sequence[Any], keywords: dict[str, Any]
    ) -> tuple[list[Any], tuple[Tensor, ...]]:
        """The arguments as leaves, and the results with the graph behind them."""
        wrapped = [
            Tensor(a, requires_grad=True) if _is_inexact(a) and hasattr(a, "shape") else a
            for a in args
        ]
        result = self.function(*wrapped, **keywords)
        results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        for r in results:
            if not isinstance(r, Tensor):
                raise BadResult(
                    f"{self.name} returned {type(r).__name__}; a callable on Tensors must return "
                    "a Tensor (for a plain function give its derivative: grad=, vjp= or jac=)"
                )
        return wrapped, results

    def forward(self, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[tuple, Pullback]:
        wrapped, results = self.record(args, keywords)
        leaves = [w for w in wrapped if isinstance(w, Tensor)]

        def pullback(grads: Sequence[Any]) -> tuple[Any, ...]:
            tracked = [(r, g) for r, g in zip(results, grads, strict=True) if r.requires_grad]
            if not tracked:
                return (None,) * len(args)
            found = tensor_grad(
                [r for r, _ in tracked],
                leaves,
                [Tensor(g) for _, g in tracked],
                allow_unused=True,
                retain_graph=True,  # the same forward is asked again, as a Function's is
            )
            rest = iter(found)
            return tuple(_data(next(rest)) if isinstance(w, Tensor) else None for w in wrapped)

        return tuple(_data(r) for r in results), pullback


def _data(tensor: Any) -> Any:
    return None if tensor is None else tensor._data


def _is_inexact(value: Any) -> bool:
    """Whether a value is differentiated by its type: a float or complex number, or an array."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return bool(np.issubdtype(dtype, np.inexact))
    return isinstance(value, (float, complex))


def as_subject(
    subject: Any,
    grad: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    jac: Callable[..., Any] | None = None,
    examples: Any = None,
) -> Subject:
    """Whatever a user hands to ``check``, as a :class:`Subject`.

    The types of the examples may tell for which library a callable was written.

    Raises
    ------
    TypeError
        Where it is none of the kinds that can be checked, or more than one derivative is given.
    """
    given = [(k, d) for k, d in (("grad", grad), ("vjp", vjp), ("jac", jac)) if d is not None]
    if len(given) > 1:
        names = " and ".join(k for k, _ in given)
        raise TypeError(f"check takes one of grad, vjp and jac; got {names}")
    if isinstance(subject, Subject):
        return subject
    if isinstance(subject, type) and issubclass(subject, Function):
        if given:
            raise TypeError(
                f"{subject.__name__} is a Function with a backward of its own: "
                f"{given[0][0]}= does not apply"
            )
        return FunctionSubject(subject)
    from verify.adapters import adapted

    foreign = None if given else adapted(subject, examples)
    if not callable(subject):
        raise TypeError(
            f"subject: expected a Function, or a callable with grad=, vjp= or jac=, or a callable "
            f"on Tensors; got {subject!r}"
        )
    if given:
        kind, derivative = given[0]
        if not callable(derivative):
            raise TypeError(f"{kind}: expected a callable, got {derivative!r}")
        return PairSubject(subject, kind, derivative)
    return foreign or TensorSubject(subject)
