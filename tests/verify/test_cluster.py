"""A sweep on a cluster of two workers, one of which is killed while it works."""

import os
import signal
import threading
import time

import pytest

from verify.sweep import Plan, Sweep
from verify.verdict import Report

distributed = pytest.importorskip("distributed")

HEADER = "import os, time\nimport numpy as np\nfrom autodiff import Function\n"
FUNCTION = """
class F{i}(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        {body}
        return {i} * x**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return {factor} * x * grad
"""
# Leaves a mark when it is begun, and takes its time as long as the mark is fresh.
SLOW = """if not os.path.exists("begun"):
            open("begun", "w").close()
            time.sleep(45)"""


def functions(slow=(), wrong=(), count=6):
    return HEADER + "".join(
        FUNCTION.format(i=i, body=SLOW if i in slow else "pass", factor=i if i in wrong else 2 * i)
        for i in range(1, count + 1)
    )


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(cluster, **options):
    return Plan(
        targets=("layers.py",), scheduler=cluster.scheduler_address, timeout=60.0, **options
    )


def test_the_same_as_without_a_cluster(cluster, here):
    (here / "layers.py").write_text(functions(wrong=[2], count=3))
    with Sweep(plan(cluster)) as sweep:
        found = list(sweep.results())
    assert [r.name for r in found] == [f"layers.py:F{i}" for i in (1, 2, 3)]
    assert [r.verdict for r in found] == ["proved", "refuted", "proved"]
    assert sweep.retried == []
    assert found[1].location[0] == "layers.py"


def test_a_worker_is_killed_and_nothing_is_lost(cluster, here):
    (here / "layers.py").write_text(functions(slow=[2]))
    client = distributed.Client(cluster, set_as_default=False)
    pids = client.run(os.getpid)
    killed = []

    def kill():
        """Kill the worker of the slow check: in the end it is the only one that is busy."""
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            busy = [(a, len(keys)) for a, keys in client.processing().items() if keys]
            if (here / "begun").exists() and len(busy) == 1 and busy[0][1] == 1:
                os.kill(pids[busy[0][0]], signal.SIGKILL)
                killed.append(busy[0][0])
                return
            time.sleep(0.1)

    thread = threading.Thread(target=kill)
    thread.start()
    with Sweep(plan(cluster)) as sweep:
        found = list(sweep.results())
    thread.join()
    client.close()
    assert killed
    assert [r.name for r in found] == [f"layers.py:F{i}" for i in range(1, 7)]
    assert [r.verdict for r in found] == ["proved"] * 6
    assert sweep.retried == ["layers.py:F2"]
    assert "begun 2 times: a worker of the cluster was lost" in found[1].notes


def test_code_that_kills_its_process_costs_one_result(cluster, here):
    text = functions(count=2).replace("pass", "os._exit(3)", 1)
    (here / "layers.py").write_text(text)
    with Sweep(plan(cluster)) as sweep:
        first, second = sweep.results()
    assert isinstance(first, Report)
    assert first.verdict == "undecided"
    assert "exit status 3" in first.reason
    assert second.verdict == "proved"
    assert sweep.retried == []  # the worker itself lives on


class TestCommand:
    @pytest.fixture
    def run(self, capfd):
        from verify.command import main

        def run(*arguments):
            with pytest.raises(SystemExit) as caught:
                main([*arguments])
            out, err = capfd.readouterr()
            return caught.value.code or 0, out, err

        return run

    def test_on_a_cluster(self, cluster, here, run):
        (here / "layers.py").write_text(functions(count=2))
        address = cluster.scheduler_address
        status, out, _ = run("layers.py", "--backend", "dask", "--scheduler", address)
        assert status == 0
        assert "2 checked: 2 proved" in out

    def test_nobody_answers(self, here, run, monkeypatch):
        monkeypatch.setattr("verify.cluster._PATIENCE", 0.5)
        (here / "layers.py").write_text(functions(count=1))
        status, _, err = run("layers.py", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9")
        assert status == 2
        assert "no Dask scheduler answers at 'tcp://127.0.0.1:9'" in err

    @pytest.mark.parametrize(
        "options", [["--backend", "dask"], ["--scheduler", "tcp://127.0.0.1:9"]]
    )
    def test_they_belong_together(self, here, run, options):
        status, _, err = run("layers.py", *options)
        assert status == 2
        assert "belong together" in err
