"""Time limits: they interrupt, they nest, they leave nothing behind."""

import signal
import subprocess
import sys
import threading
import time

import pytest
import sympy as sp

from symbolic.limits import OutOfTime, check_time, time_left, time_limit


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def in_thread(function):
    """Run in another thread; what it returned, or the exception that it raised."""
    result = []

    def run():
        try:
            result.append(function())
        except BaseException as exception:
            result.append(exception)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return result[0]


def everywhere(function):
    """In the main thread, then in another."""
    function()
    outcome = in_thread(function)
    if isinstance(outcome, BaseException):
        raise outcome


def test_interrupts_a_loop():
    def body():
        start = time.monotonic()
        with pytest.raises(OutOfTime), time_limit(0.1):
            busy(5)
        assert 0.09 < time.monotonic() - start < 1

    everywhere(body)


def test_lets_quick_work_pass():
    def body():
        with time_limit(5):
            value = 1 + 1
        assert value == 2
        assert time_left() == float("inf")

    everywhere(body)


def test_interrupts_sympy_which_catches_exceptions():
    x = sp.Symbol("x")
    hard = sp.sqrt(x**7 + sp.sin(x) ** 5 + sp.exp(x**3)) * sp.log(1 + sp.exp(sp.sqrt(x)) + x**5)

    def think():
        while True:
            try:
                sp.integrate(hard, (x, 0, 1))
            except Exception:  # a swallower: the limit must get through it
                pass

    def body():
        start = time.monotonic()
        with pytest.raises(OutOfTime), time_limit(0.3):
            think()
        assert time.monotonic() - start < 5

    everywhere(body)


def test_the_inner_limit_is_tighter():
    def body():
        start = time.monotonic()
        with time_limit(5):
            with pytest.raises(OutOfTime), time_limit(0.1):
                busy(4)
            assert time.monotonic() - start < 1
            assert 3 < time_left() < 5

    everywhere(body)


def test_the_outer_limit_is_tighter():
    def body():
        start = time.monotonic()
        with pytest.raises(OutOfTime), time_limit(0.1), time_limit(5):
            busy(4)
        assert time.monotonic() - start < 1

    everywhere(body)


def test_an_outer_limit_taken_for_the_inner_one_is_raised_again():
    def mistaken():
        try:
            with time_limit(5):
                busy(4)
        except OutOfTime:
            pass
        busy(4)

    def body():
        start = time.monotonic()
        with pytest.raises(OutOfTime), time_limit(0.1):
            mistaken()
        assert time.monotonic() - start < 2

    everywhere(body)


def test_nothing_is_left_behind():
    handler = signal.getsignal(signal.SIGALRM)

    def body():
        for _ in range(20):
            with pytest.raises(OutOfTime), time_limit(0.003):
                busy(1)
        busy(0.7)  # a second exception, meant for a limit that is over, would arrive here

    everywhere(body)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_limits_that_pass_while_they_are_set_up_or_taken_down():
    def body():
        for k in range(2000):
            try:
                with time_limit(1e-6 * (k % 200)):
                    sum(range(k % 50))
            except OutOfTime:
                pass
            assert time_left() == float("inf")
        busy(0.7)

    everywhere(body)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_foreign_timer_goes_on():
    rung = []
    old = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    try:
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with time_limit(0.1), pytest.raises(OutOfTime):
            busy(1)
        assert not rung
        busy(0.4)
        assert len(rung) == 1
        assert 0.28 < rung[0] - start < 0.45
        # and one that is due inside a limit fires inside it, without ending it
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with time_limit(5):
            busy(0.2)
        assert len(rung) == 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_limits_at_the_ends_of_the_scale():
    with pytest.raises(OutOfTime), time_limit(0):
        pytest.fail("the body must not run")
    with time_limit(float("inf")):
        assert time_left() == float("inf")


def test_check_time_raises_once_the_limit_has_passed():
    with time_limit(0.05):
        check_time()
        try:
            busy(1)
        except OutOfTime:
            with pytest.raises(OutOfTime):
                check_time()
    check_time()


def test_a_debugger_can_be_used_after_a_limit_in_a_thread():
    # A subprocess, since what goes wrong is that it hangs in C.
    code = """
import sys, threading, time
from symbolic.limits import OutOfTime, time_limit
def late():
    for _ in range(40):
        try:
            with time_limit(0.001):
                time.sleep(0.0012)
        except OutOfTime:
            pass
thread = threading.Thread(target=late)
thread.start()
thread.join()
def f(): return 1
sys.settrace(lambda *arguments: None)
print(f())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "1\n"
