"""Time limits that really interrupt Python code, SymPy thinking for ever included.

In the main thread a limit is a signal (``SIGALRM``); in any other thread, and where that signal
does not exist, a watchdog thread raises the exception asynchronously. Either way the exception
arrives between two bytecodes: a single call into compiled code (a polynomial gcd of FLINT) is not
interrupted before it returns, so such calls need a guard of their own on the size of what they get.

May import: nothing of gradproof.
"""

from __future__ import annotations

import ctypes
import signal
import threading
import weakref
from time import monotonic
from typing import Any

__all__ = ["OutOfTime", "check_time", "time_left", "time_limit"]


class OutOfTime(BaseException):
    """The time limit in force has passed.

    Not a subclass of ``Exception``: SymPy, and much user code, tries one method after the other
    under ``except Exception`` and would swallow it and go on.
    """


class _Limit:
    __slots__ = ("deadline", "seconds")

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.deadline = monotonic() + seconds


class _Local(threading.local):
    def __init__(self) -> None:
        self.limits: list[_Limit] = []


_local = _Local()

# Raised again after this long should the first exception have been swallowed (by a __del__, a weak
# reference's callback, a bare except): long enough for any honest clean-up.
_AGAIN = 0.5


def time_left() -> float:
    """Seconds until the tightest limit of this thread, infinity where there is none."""
    limits = _local.limits
    return min(limit.deadline for limit in limits) - monotonic() if limits else float("inf")


def check_time() -> None:
    """Raise :class:`OutOfTime` if a limit of this thread has passed: for loops around C calls."""
    for limit in _local.limits:
        if monotonic() >= limit.deadline:
            raise OutOfTime(f"{limit.seconds:g} s")


class time_limit:
    """Run the body for at most that long, then raise :class:`OutOfTime` in it.

    Limits nest, and the tighter one wins: an outer limit that passes inside an inner one is raised
    there, and once more as soon as the inner one is left, should somebody have taken it for the
    inner one's. A signal timer that was running before (pytest-timeout's, say) goes on afterwards,
    and still fires if it is due first.

    Parameters
    ----------
    seconds : float
        Infinity is no limit; zero or less has passed at once.

    Raises
    ------
    OutOfTime
        In the body, or on entry where the limit has passed already.

    Examples
    --------
    >>> with time_limit(0.05):
    ...     while True:
    ...         pass
    Traceback (most recent call last):
      ...
    symbolic.limits.OutOfTime: 0.05 s
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.alarm: Any = None

    def __enter__(self) -> None:
        if self.seconds <= 0:
            raise OutOfTime(f"{self.seconds:g} s")
        if self.seconds != float("inf"):
            self.alarm = (_Signal if _signals_work() else _Watchdog)(_Limit(self.seconds))
            self.alarm.start()

    def __exit__(self, *exc: object) -> None:
        if self.alarm is not None:
            self.alarm.stop()


def _signals_work() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


class _Signal:
    """A limit in the main thread. One timer serves all nested limits: it is set to the next due.

    The handler never raises while this file is executing: a limit that is half set up or half taken
    down stays whole, and the alarm comes back a moment later.
    """

    # What was there before the outermost limit: handler, when its timer is due, its interval.
    before: tuple[Any, float, float] | None = None

    def __init__(self, limit: _Limit):
        self.limit = limit

    def start(self) -> None:
        limits = _local.limits
        if not limits:
            delay, interval = signal.getitimer(signal.ITIMER_REAL)
            due = monotonic() + delay if delay else float("inf")
            handler = signal.getsignal(signal.SIGALRM)
            limits.append(self.limit)
            _Signal.before = (handler, due, interval)
            signal.signal(signal.SIGALRM, _on_alarm)
        else:
            limits.append(self.limit)
        _arm()

    def stop(self) -> None:
        limits = _local.limits
        limits.remove(self.limit)
        if limits:
            _arm()
            return
        assert _Signal.before is not None
        (handler, due, interval), _Signal.before = _Signal.before, None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if due != float("inf"):
            signal.setitimer(signal.ITIMER_REAL, max(due - monotonic(), 1e-4), interval)


def _arm() -> None:
    due = min(limit.deadline for limit in _local.limits)
    if _Signal.before is not None:
        due = min(due, _Signal.before[1])
    signal.setitimer(signal.ITIMER_REAL, max(due - monotonic(), 1e-4), _AGAIN)


_NOT_WHILE_IN = frozenset({__file__, weakref.__file__})


def _deaf(frame: Any) -> bool:
    """Whether an exception would go nowhere but to the terminal: in a destructor, a callback."""
    if frame is not None and frame.f_code.co_filename in _NOT_WHILE_IN:
        return True
    for _ in range(4):
        if frame is None:
            return False
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _on_alarm(number: int, frame: Any) -> None:
    if _Signal.before is None:
        return  # it was on its way when the last limit ended
    if _deaf(frame):
        signal.setitimer(signal.ITIMER_REAL, 1e-3, _AGAIN)
        return
    now = monotonic()
    if now >= _Signal.before[1]:
        handler, _, interval = _Signal.before
        _Signal.before = (handler, now + interval if interval else float("inf"), interval)
        _arm()
        if callable(handler):
            handler(number, frame)
    for limit in _local.limits:
        if now >= limit.deadline:
            raise OutOfTime(f"{limit.seconds:g} s")
    _arm()  # an early or stale signal


class _Watchdog:
    """A limit in any other thread: a thread beside it that raises the exception in it when due."""

    def __init__(self, limit: _Limit):
        self.limit = limit
        self.thread = ctypes.c_ulong(threading.get_ident())
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.fired = False

    def start(self) -> None:
        _local.limits.append(self.limit)
        try:
            threading.Thread(target=self.watch, daemon=True, name="gradproof time limit").start()
        except OutOfTime:  # due before the body began
            self.stop()
            raise

    def watch(self) -> None:
        delay = self.limit.deadline - monotonic()
        while not self.over.wait(max(delay, 0)):
            with self.lock:
                if self.over.is_set():
                    return
                self.fired = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self.thread, ctypes.py_object(OutOfTime))
            delay = _AGAIN

    def stop(self) -> None:
        while True:
            try:
                self.over.set()
                with self.lock:
                    fired, self.fired = self.fired, False
                if fired:
                    # It may still be on its way here, after the body came to its end: it is sent
                    # once more (there is room for one) and awaited. Taking it back, by sending
                    # None, leaves CPython 3.11 looking for it for ever, and hangs the next function
                    # that is traced (by a debugger, by coverage).
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        self.thread, ctypes.py_object(OutOfTime)
                    )
                    while True:
                        pass
                if self.limit in _local.limits:
                    _local.limits.remove(self.limit)
                return
            except OutOfTime:
                continue  # it arrived here: too late to interrupt anything
