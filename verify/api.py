"""Ways in for programs and tests, beside `check` itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from verify.verdict import Report


class GradcheckError(RuntimeError, AssertionError):
    """A gradient that is not right; the text is the report.

    A RuntimeError, since torch's is, and an AssertionError, since it is raised in tests.
    """


def assert_correct(subject: Any, **options: Any) -> Report:
    """Check a gradient in a test: the report as an AssertionError unless it passes.

    Parameters
    ----------
    subject : Function or callable
    **options
        Those of `check`.

    Returns
    -------
    Report
        Of a pass, for tests that want more, such as ``report.max_ulp < 8``.

    Raises
    ------
    AssertionError
        If the gradient is refuted or inaccurate, and if nothing could be said about it: a test
        that decides nothing does not pass. The text is the report.
    """
    # Hides this frame, so that pytest points at the line of the test.
    __tracebackhide__ = True
    report = _check()(subject, **options)
    if not report.ok:
        raise AssertionError(f"\n{report}")
    return report


def check_module(module: ModuleType | str, **options: Any) -> list[Report]:
    """Check everything that a module offers: its Functions, and what it registered.

    Parameters
    ----------
    module : module or str
        A module, or the name to import it by. A package offers what its submodules define and it
        shows; ``autodiff`` all built-in Functions.
    **options
        Those of `check`; what a subject was registered with comes first.

    Returns
    -------
    list of Report
        In the order of the source, each named ``module:Name``.

    Notes
    -----
    It runs in this process, one check after another. The command ``gradproof`` runs them in
    several processes, where code that hangs or crashes costs one result.
    """
    from verify.load import offers

    if isinstance(module, str):
        module = importlib.import_module(module)
    check = _check()
    reports = []
    for name, subject, own, location in offers(module):
        report = check(subject, **{**options, **own})
        report.name = f"{module.__name__}:{name}"
        report.location = report.location or location
        reports.append(report)
    return reports


def gradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    **options: Any,
) -> bool:
    """Check the gradient of a function on Tensors, called as ``torch.autograd.gradcheck`` is.

    Parameters
    ----------
    fn : callable
        A function of Tensors, ``SomeFunction.apply`` and a Function class included.
    inputs : Tensor, array, or tuple of them
        Where to check first. Where some of them are Tensors that require a gradient, the others
        are held fixed, as torch does.
    eps, atol, rtol : float, optional
        Taken, so that a call written for torch runs, and not used: there is no step to choose and
        no tolerance to tune, since each difference carries its own error bar.
    raise_exception : bool
        Whether to raise, or to return False.
    **options
        Those of `check`.

    Returns
    -------
    bool
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
    arrays = [value.detach().numpy() if isinstance(value, Tensor) else value for value in values]
    if any(wanted) and not all(wanted):
        subject: Any = _partial(fn, arrays, wanted)
        example = tuple(a for a, keep in zip(arrays, wanted, strict=True) if keep)
    else:
        subject, example = fn, tuple(arrays)
    report = _check()(subject, examples=[example], **options)
    if raise_exception and not report.ok:
        raise GradcheckError(f"\n{report}")
    return report.ok


def _partial(fn: Any, arrays: list[Any], wanted: list[bool]) -> Callable[..., Any]:
    """`fn` as a function of the wanted arguments alone."""
    from autodiff import Function

    call = fn.apply if isinstance(fn, type) and issubclass(fn, Function) else fn

    def restricted(*args: Any) -> Any:
        remaining = iter(args)
        return call(*(next(remaining) if w else a for a, w in zip(arrays, wanted, strict=True)))

    restricted.__name__ = getattr(fn, "__name__", "function")
    return restricted


def _check() -> Callable[..., Report]:
    from verify.check import check

    return check
