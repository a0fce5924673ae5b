"""The calls of other gradient checkers, with our verdict: torch's, JAX's, autograd's, SciPy's.

A test that calls one of them needs another import and nothing else. Their steps and tolerances are
taken and not used: there is no step to choose, since derivatives are certified, and no tolerance to
tune, since each difference carries its own error bar. The checks go on from the inputs given to
other values of the same shapes. Each gives the :class:`verify.verdict.Report` on request.

May import: :mod:`verify.check`, :mod:`verify.verdict`, :mod:`verify.adapters`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from verify import api
from verify.api import GradcheckError

__all__ = ["check_grad", "check_grads", "gradcheck"]


def gradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
    *,
    report: bool = False,
    **options: Any,
) -> Any:
    """Check the gradient of a function on Tensors, called as ``torch.autograd.gradcheck`` is.

    Parameters
    ----------
    fn : callable
        A function of our Tensors or of torch's, ``SomeFunction.apply`` and a Function class
        included.
    inputs : Tensor, array, or tuple of them
        Where to check first. Where some of them are Tensors that require a gradient, the others
        are held fixed, as torch does.
    eps, atol, rtol : float, optional
        Taken and not used.
    raise_exception : bool
        Whether to raise, or to return False.
    nondet_tol, check_undefined_grad, check_grad_dtypes, check_backward_ad
        Taken and not used: that a second backward gives the same, that a zero upstream gradient
        gives zero, and the type of each gradient, belong to every check.
    check_batched_grad, check_batched_forward_grad, check_forward_ad, masked
        Taken and not used: batched gradients, forward mode and sparse gradients are not judged.
    fast_mode : bool
        Whether one cell and the contract do, as with ``quick=True`` of `check`.
    report : bool
        Whether to return the report; then nothing is raised.
    **options
        Those of `check`.

    Returns
    -------
    bool or Report
        True if the gradient is proved or verified.

    Raises
    ------
    GradcheckError
        If it is not; undecided is not.

    Examples
    --------
    >>> import autodiff as ad
    >>> from verify import gradcheck
    >>> x = ad.tensor([0.5, 2.0], requires_grad=True)
    >>> gradcheck(lambda x: (x * x).sum(), (x,))
    True
    """
    from autodiff import Function, Tensor

    values = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, Function):
        fn = owner  # `F.apply` stands for F, about which more can be said
    wanted = [bool(getattr(value, "requires_grad", False)) for value in values]
    given = [value.detach().numpy() if isinstance(value, Tensor) else value for value in values]
    subject: Any = fn
    if any(wanted) and not all(wanted):
        subject = _partial(fn, given, wanted)
        given = [a for a, keep in zip(given, wanted, strict=True) if keep]
    if fast_mode:
        options = {"quick": True, **options}
    found = api._check()(subject, examples=[tuple(given)], **options)
    if report:
        return found
    if raise_exception and not found.ok:
        raise GradcheckError(f"\n{found}")
    return found.ok


def check_grads(
    f: Callable[..., Any],
    args: Any = None,
    *given: Any,
    order: int | None = None,
    modes: Sequence[str] | str = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    report: bool = False,
    **options: Any,
) -> Any:
    """Check a gradient, called as JAX's ``check_grads`` is, or as autograd's.

    Parameters
    ----------
    f : callable
    args : tuple of array, or int, or tuple of int
        With JAX's call, the arguments. With autograd's, ``check_grads(f, argnum)(*args)``, which
        of them to differentiate: the first, by default.
    *given
        What else is given by position: JAX's ``order`` and ``modes``, or autograd's ``modes`` and
        ``order``.
    order : int
        1 or 2; by default 2 with autograd's call, as there.
    modes : sequence of str
        Taken. What is judged is reverse mode; JAX makes it of a ``custom_jvp`` rule by itself.
    atol, rtol, eps : float, optional
        Taken and not used.
    report : bool
        Whether to return the report; then nothing is raised.
    **options
        Those of `check`.

    Returns
    -------
    None, Report, or with autograd's call a function of the arguments that returns these

    Raises
    ------
    AssertionError
        If the gradient is not proved or verified.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from verify import check_grads
    >>> check_grads(ad.tanh, (np.array([0.5, 2.0]),), order=1)
    >>> check_grads(ad.tanh, order=1)(np.array([0.5, 2.0]))
    """
    order = next((entry for entry in given if type(entry) is int), order)
    if _is_argnum(args):
        places = {0} if args is None else {args} if isinstance(args, int) else set(args)

        def checker(*values: Any) -> Any:
            wanted = [i in places for i in range(len(values))]
            held = f if all(wanted) else _partial(f, list(values), wanted)
            kept = tuple(v for v, w in zip(values, wanted, strict=True) if w)
            return check_grads(held, kept, order=order or 2, report=report, **options)

        return checker
    values = tuple(args) if isinstance(args, tuple | list) else (args,)
    found = api._check()(f, examples=[values], order=1 if order is None else order, **options)
    if report:
        return found
    if not found.ok:
        raise GradcheckError(f"\n{found}")
    return None


def check_grad(
    func: Callable[..., Any],
    grad: Callable[..., Any],
    x0: Any,
    *args: Any,
    epsilon: float | None = None,
    direction: str = "all",
    rng: Any = None,
    seed: Any = None,
    report: bool = False,
    **options: Any,
) -> Any:
    """Check a gradient, called as ``scipy.optimize.check_grad`` is.

    Parameters
    ----------
    func, grad : callable
        ``func(x0, *args)`` and its gradient, or its Jacobian.
    x0 : array
        Where to check first.
    *args
        Data, handed to both.
    epsilon, direction, rng : optional
        Taken and not used: every entry is checked.
    seed : int, optional
        Of the other points that are tried.
    report : bool
        Whether to return the report.
    **options
        Those of `check`.

    Returns
    -------
    float or Report
        The error of the gradient at `x0`, as the check bounds it; infinity where the gradient is
        not proved or verified, there or anywhere, so that no tolerance lets it pass.

    Examples
    --------
    >>> from verify import check_grad
    >>> check_grad(lambda x: (x**2).sum(), lambda x: 2 * x, [1.0, 2.0]) < 1e-12
    True
    >>> check_grad(lambda x: (x**2).sum(), lambda x: 2.0000001 * x, [1.0, 2.0])
    inf
    """
    from verify.adapters.scipy import check_problem

    start = np.asarray(x0, dtype=float)
    if isinstance(seed, int | np.integer):
        options = {"seed": int(seed), **options}
    found = check_problem(func, grad, args=args, examples=[(start,)], **options)
    if report:
        return found
    if not found.ok:
        return float("inf")
    given = grad(start, *args)
    size = np.linalg.norm(given.toarray() if hasattr(given, "toarray") else np.asarray(given))
    eps = float(np.finfo(float).eps)
    error = found.resolution if found.max_ulp is None else max(found.max_ulp, 1.0) * eps
    return float(size) * float(error or 0.0)


def _is_argnum(args: Any) -> bool:
    """Whether the second argument is autograd's: places, not values."""
    if args is None or isinstance(args, int):
        return True
    return isinstance(args, tuple | list) and all(type(a) is int for a in args)


def _partial(fn: Any, values: list[Any], wanted: list[bool]) -> Callable[..., Any]:
    """`fn` as a function of the wanted arguments alone."""
    from autodiff import Function

    call = fn.apply if isinstance(fn, type) and issubclass(fn, Function) else fn

    def restricted(*args: Any) -> Any:
        remaining = iter(args)
        return call(*(next(remaining) if w else a for a, w in zip(values, wanted, strict=True)))

    restricted.__name__ = getattr(fn, "__name__", "function")
    return restricted
