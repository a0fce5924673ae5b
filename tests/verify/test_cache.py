"""Results that are kept: which, for how long, and what becomes of a damaged one."""

import json
import os
import pickle
import threading
import time

import numpy as np
import pytest

from verify import Counterexample, Entry, Finding, Report, Verdict
from verify.cache import Cache

KEY = "ab" * 32


def refuted():
    return Report(
        name="layers.py:A",
        verdict=Verdict.REFUTED,
        findings=[Finding("oracle", "fail", "wrong")],
        counterexample=Counterexample(
            {"x": np.array([[1.0, np.nan]]), "f": np.asfortranarray(np.ones((2, 2))), "axis": None},
            (np.float32(1), 1 + 2j),
            (0, 1),
            0.5,
            np.longdouble(1),
        ),
        entries=[Entry.compare("x", (0,), 1.0, 0.5)],
        samples=[(1.0, 2.0, None)],
    )


def entry(cache):
    (path,) = (p for p in cache.folder.glob("*/*") if p.is_file())
    return path


def test_a_report_comes_back_as_it_was(tmp_path):
    cache = Cache(tmp_path / "new" / "folder")
    assert cache.get(KEY) is None
    cache.put(KEY, refuted())
    found = cache.get(KEY)
    assert found.cached
    assert not refuted().cached
    found.cached = False
    assert found.to_dict() == refuted().to_dict()
    assert found.samples == refuted().samples
    np.testing.assert_array_equal(
        found.counterexample.inputs["x"], refuted().counterexample.inputs["x"]
    )
    assert Cache(tmp_path).get("cd" * 32) is None


@pytest.mark.parametrize("verdict", Verdict)
def test_undecided_is_not_kept(tmp_path, verdict):
    Cache(tmp_path).put(KEY, Report("f", verdict))
    assert (Cache(tmp_path).get(KEY) is None) == (verdict is Verdict.UNDECIDED)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:40],
        lambda data: data[:-10] + bytes([data[-10] ^ 1]) + data[-9:],
        lambda data: b"x" + data,
        lambda data: os.urandom(500),
    ],
)
def test_a_damaged_entry_counts_as_none(tmp_path, damage):
    cache = Cache(tmp_path)
    cache.put(KEY, refuted())
    path = entry(cache)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    cache.put(KEY, refuted())  # and is written anew
    assert cache.get(KEY) is not None


def test_an_entry_in_another_ones_place(tmp_path):
    cache = Cache(tmp_path)
    cache.put(KEY, refuted())
    entry(cache).rename(cache._path(KEY[:-1] + "c"))
    assert cache.get(KEY[:-1] + "c") is None


def test_code_cannot_be_smuggled_in(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "done"),)

    from verify.cache import _checksum

    cache = Cache(tmp_path)
    cache.put(KEY, refuted())
    data = pickle.dumps(Evil())
    entry(cache).write_bytes(_checksum(KEY, data) + b"\n" + data)
    assert cache.get(KEY) is None
    assert not (tmp_path / "done").exists()


def test_two_runs_share_a_directory(tmp_path):
    """Writers and readers of one entry: each reader finds all of it or nothing."""
    cache = Cache(tmp_path)
    found = []

    def write():
        for _ in range(100):
            cache.put(KEY, refuted())

    def read():
        for _ in range(200):
            report = cache.get(KEY)
            if report is not None:
                found.append(report.to_dict()["counterexample"])

    threads = [threading.Thread(target=f) for f in (write, read, write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.put(KEY, refuted())
    assert cache.get(KEY) is not None
    assert all(f == refuted().to_dict()["counterexample"] for f in found)
    assert [p.name for p in cache.folder.glob("*/*")] == [KEY]  # nothing else is left behind


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file")
    cache.put(KEY, refuted())
    assert cache.get(KEY) is None
    assert cache.prune() == 0


def test_what_is_not_used_goes(tmp_path):
    cache = Cache(tmp_path)
    for key in (KEY, "cd" * 32):
        cache.put(key, refuted())
        old = time.time() - 40 * 86400
        os.utime(cache._path(key), (old, old))
    cache.get(KEY)  # is in use
    assert cache.prune() == 1
    assert cache.get(KEY) is not None


class TestCommand:
    """With real processes; the checks are the stub's, which count their calls in a file."""

    @pytest.fixture
    def run(self, stubbed, tmp_path_factory, capfd):
        from verify.command import main

        folder = tmp_path_factory.mktemp("kept")

        def run(*arguments):
            with pytest.raises(SystemExit) as caught:
                main([*arguments, "--cache-dir", str(folder), "--jobs", "1"])
            out, _ = capfd.readouterr()
            return caught.value.code or 0, out

        return run

    def test_only_what_changed_is_checked_again(self, run, write):
        functions = {"A": "proved", "B": "verified", "C": "refuted"}
        write("layers.py", **functions)
        status, out = run("layers.py")
        assert status == 1
        assert "cache" not in out
        status, out = run("layers.py")
        assert status == 1
        assert "3 checked (3 from the cache): 1 proved, 1 verified, 1 refuted" in out
        assert out.count("  cached\n") == 2  # the lines of what passes
        assert "by an earlier run: this is from the cache" in out
        write("layers.py", **{**functions, "B": ("verified", "x = 2 * x")})
        # C stands where it stood: the lines of A and B are as many as before
        assert "3 checked (2 from the cache): " in run("layers.py")[1]
        write("layers.py", **functions)
        assert "3 checked (3 from the cache): " in run("layers.py")[1]

    def test_lines_that_moved(self, run, write):
        path = write("layers.py", A="proved", B="refuted")
        run("layers.py", "-q")
        path.write_text("# one more line\n" + path.read_text())
        out = run("layers.py", "--json", "-")[1]
        proof, failure = json.loads(out)["results"]
        assert proof["cached"]
        assert proof["location"]["line"] == 4
        assert not failure["cached"]
        assert failure["location"]["line"] == 15 + 1

    @pytest.mark.parametrize("options", [["--seed", "1"], ["--order", "2"], ["--max-ulps", "8"],
                                         ["--timeout", "9"], ["--no-cache"]])  # fmt: skip
    def test_options_count(self, run, write, options):
        write("layers.py", A="proved")
        run("layers.py")
        assert "cache" not in run("layers.py", *options)[1]
        assert "from the cache" in run("layers.py")[1]

    def test_a_derivative_counts(self, run, write):
        text = "def f(x):\n    return x\ndef g(x):\n    return {}\n"
        write("loss.py", text.format(1))
        command = ("loss.py:f", "--grad", "g")
        run(*command)
        assert "from the cache" in run(*command)[1]
        write("loss.py", text.format(2))
        assert "from the cache" not in run(*command)[1]

    def test_no_cache_writes_nothing(self, stubbed, write, capfd, tmp_path_factory):
        from verify.command import main

        write("layers.py", A="proved")
        folder = tmp_path_factory.mktemp("kept")
        with pytest.raises(SystemExit):
            main(["layers.py", "--cache-dir", str(folder), "--no-cache"])
        assert list(folder.iterdir()) == []

    def test_what_reads_a_file_is_checked_each_time(self, run, write):
        write("layers.py", A=("proved", "open('layers.py').close()"))
        run("layers.py")
        assert "cache" not in run("layers.py")[1]
