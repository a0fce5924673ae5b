"""Ordinary differential equations, as ``scipy.integrate`` solves them, and their gradients.

SciPy is imported when the first equation is solved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff._lazy import LazyModule
from autodiff.engine import grad
from autodiff.function import Function, once_differentiable
from autodiff.functions._public import operand
from autodiff.grad_mode import enable_grad, no_grad
from autodiff.tensor import Tensor

__all__ = ["odeint"]

_integrate: Any = LazyModule("scipy.integrate")


class _Odeint(Function):
    """The solution of an initial value problem at given times; its gradient by the adjoint one.

    The adjoint of y obeys ``da/dt = -a df/dy``, backwards in time, and collects the upstream
    gradients at the times of the solution (Pontryagin; Chen et al., 2018).
    """

    @staticmethod
    def forward(ctx: Any, y0: Any, t: Any, *args: Any, func: Any, options: Any) -> Any:
        def rate(y: Any, time: float) -> Any:
            with no_grad():
                return _array(func(Tensor._make(y, None), time, *args))

        ctx.func, ctx.options, ctx.args = func, options, args
        out = _integrate.odeint(rate, y0, t, **options)
        ctx.save_for_backward(t, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Any) -> Any:
        t, out = ctx.saved_tensors
        size, args = out.shape[1], [np.asarray(arg) for arg in ctx.args]

        def pulled(y: Any, time: float, adjoint: Any) -> tuple[Any, list[Any]]:
            """The rate, and the adjoint times its derivatives in y and the parameters."""
            with enable_grad():
                inputs = [Tensor(np.array(a, dtype=float), True) for a in (y, *args)]
                rate = operand(ctx.func(inputs[0], time, *inputs[1:]))
                if not isinstance(rate, Tensor) or not rate.requires_grad:
                    return _array(rate), [np.zeros(x.shape) for x in inputs]
                grads = grad(rate, inputs, Tensor(adjoint), materialize_grads=True)
            return _array(rate), [_array(g) for g in grads]

        def backwards(state: Any, time: float) -> Any:
            rate, grads = pulled(state[:size], time, state[size : 2 * size])
            return np.concatenate([rate, *[-g.ravel() for g in grads]])

        of_t = np.zeros_like(t)
        adjoint = np.array(upstream[-1])
        rest = np.zeros(sum(arg.size for arg in args))
        for i in range(len(t) - 1, 0, -1):
            of_t[i] = upstream[i] @ pulled(out[i], t[i], upstream[i])[0]
            state = np.concatenate([out[i], adjoint, rest])
            state = _integrate.odeint(backwards, state, [t[i], t[i - 1]], **ctx.options)[1]
            adjoint, rest = state[size : 2 * size], state[2 * size :]
            if i > 1:
                adjoint = adjoint + upstream[i - 1]
        if len(t) > 1:
            of_t[0] = -(adjoint @ pulled(out[0], t[0], adjoint)[0])
            adjoint = adjoint + upstream[0]
        parts = np.split(rest, np.cumsum([arg.size for arg in args])[:-1]) if args else []
        of_args = [part.reshape(arg.shape) for part, arg in zip(parts, args, strict=True)]
        return (adjoint, of_t, *of_args)


def _array(value: Any) -> Any:
    return np.asarray(value._data if isinstance(value, Tensor) else value)


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Tensor:
    """Return the solution of ``dy/dt = func(y, t, *args)`` at given times.

    Parameters
    ----------
    func : callable
        The rate of change; called with a tensor and a number, and the parameters as tensors. What
        else it uses counts as constant.
    y0 : Tensor
        The vector at the first time.
    t : Tensor
        The times.
    args : tuple of Tensor, optional
        Parameters.
    **options
        Of ``scipy.integrate.odeint``: ``rtol``, ``atol``, ...

    Returns
    -------
    Tensor
        One row for each time. Its gradient is as accurate as the tolerances, and cannot be
        differentiated again.

    Examples
    --------
    >>> import autodiff as ad
    >>> rate = ad.tensor(-2.0, requires_grad=True)
    >>> y = ad.integrate.odeint(lambda y, t, k: k * y, [1.0], [0.0, 1.0], (rate,))
    >>> y[1, 0].backward()
    >>> rate.grad
    tensor(0.1353)
    """
    args = args if isinstance(args, tuple) else (args,)
    tensors = [operand(a) for a in (y0, t, *args)]
    return _Odeint.apply(*tensors, func=func, options=options)  # type: ignore[no-any-return]
