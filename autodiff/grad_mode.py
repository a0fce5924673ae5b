"""Whether operations are recorded: one switch in each thread."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

__all__ = ["detect_anomaly", "enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]

_F = TypeVar("_F", bound=Callable[..., Any])


class _Mode(threading.local):
    # A class attribute is what a thread sees until it sets its own: every thread starts recording.
    enabled: bool = True


mode = _Mode()

# The threads that do not record. While there are none, nobody has to ask for the mode of his own,
# which takes as long as a product of two numbers. (The number of a thread that has ended may stay
# here and be given again: what holds is the mode.)
OFF: set[int] = set()


def switch(enabled: bool) -> bool:
    """Record in this thread from here on, or do not; return what was so before."""
    previous, mode.enabled = mode.enabled, enabled
    (OFF.discard if enabled else OFF.add)(threading.get_ident())
    return previous


# Whether operations remember where they were recorded, in all threads (see `detect_anomaly`).
ANOMALY = [False]


def is_grad_enabled() -> bool:
    """Return whether operations on tensors are being recorded in this thread."""
    return mode.enabled


class set_grad_enabled:
    """Record operations, or not: as a statement, a context manager or a decorator.

    Parameters
    ----------
    enabled : bool
        Whether to record from here on.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.ones(2, requires_grad=True)
    >>> with ad.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = bool(enabled)
        self.previous = switch(self.enabled)

    def __enter__(self) -> None:
        switch(self.enabled)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        switch(self.previous)

    def __call__(self, function: _F) -> _F:
        switch(self.previous)  # as a decorator it acts on calls only
        enabled = self.enabled

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _Switch(enabled):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class _Switch:
    """Set the mode inside a ``with`` block; usable again and nested, and as a decorator."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(switch(self._enabled))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        switch(self._previous.pop())

    def __call__(self, function: _F) -> _F:
        enabled = self._enabled

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            # A switch of its own for each call: the function may run in several threads at once.
            with _Switch(enabled):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class no_grad(_Switch):
    """Do not record operations inside a ``with`` block or a decorated function.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.ones(2, requires_grad=True)
    >>> with ad.no_grad():
    ...     (x ** 2).requires_grad
    False
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(_Switch):
    """Record operations inside a ``with`` block or a decorated function, `no_grad` or not.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.ones(2, requires_grad=True)
    >>> with ad.no_grad(), ad.enable_grad():
    ...     (x ** 2).requires_grad
    True
    """

    def __init__(self) -> None:
        super().__init__(True)


class detect_anomaly:
    """Find the operation whose backward made a NaN: raise there, and show where it was recorded.

    Inside the ``with`` block each operation remembers the lines that led to it, which is slow.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.tensor([0.0], requires_grad=True)
    >>> with ad.detect_anomaly():  # doctest: +IGNORE_EXCEPTION_DETAIL
    ...     (x.sqrt() * 0).sum().backward()
    Traceback (most recent call last):
    RuntimeError: Function SqrtBackward returned nan values in gradient 0 ('x') ...
    """

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(ANOMALY[0])
        ANOMALY[0] = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        ANOMALY[0] = self._previous.pop()
