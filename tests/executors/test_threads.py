"""Threads and processes: the same values in all of them, no deadlocks and no forgotten threads."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from cases import assert_same
from processes import digests

import keyrng
from keyrng._executors import native, threads

KEY = keyrng.key(7)
LONG = 2**19 + 77

needs_compiled = pytest.mark.skipif(not native.enabled, reason=f"no compiled path: {native.missing_reason()}")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork here")
is_sanitized = "libasan" in os.environ.get("LD_PRELOAD", "")


@pytest.fixture
def several():
    """More threads than this machine may have cores."""
    keyrng.set_num_threads(3)
    yield
    keyrng.set_num_threads(None)


def side_by_side(count: int, act: Callable[[int], None]) -> None:
    begin, failures = threading.Barrier(count), []

    def one(i: int) -> None:
        begin.wait()
        try:
            act(i)
        except BaseException as error:
            failures.append(error)

    all_threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    assert not failures


# Threads


def test_one_key_in_32_threads(path, several):
    samplers = [
        lambda: keyrng.normal(KEY, (10,)),
        lambda: keyrng.gamma(KEY, 0.5, (5_001,)),
        lambda: keyrng.uniform(KEY, (LONG,)),
        lambda: keyrng.permutation(KEY, 20_001),
        lambda: keyrng.key_data(keyrng.split(KEY, 300)),
        lambda: keyrng.key_data(keyrng.fold_in(KEY, np.arange(999))),
        lambda: keyrng.lazy_array(keyrng.normal, KEY, (10**6, 10))[::99_999, 3],
        lambda: keyrng.key_data(keyrng.fold_in(keyrng.key("a name"), "another")),
    ]
    expected = [sampler() for sampler in samplers]

    def act(i):
        for j in range(len(samplers)):
            number = (i + j) % len(samplers)
            assert_same(samplers[number](), expected[number], number)

    side_by_side(32, act)


def test_the_number_of_threads_is_set_while_threads_draw():
    expected = keyrng.normal(KEY, (LONG,))

    def act(i):
        for j in range(8):
            if i % 2:
                keyrng.set_num_threads(None if j % 3 == 2 else 1 + (i + j) % 5)
            else:
                assert_same(keyrng.normal(KEY, (LONG,)), expected)

    try:
        side_by_side(8, act)
    finally:
        keyrng.set_num_threads(None)


def test_pieces_of_pieces_do_not_wait_for_each_other(several):
    done = []

    def piece(first, stop):
        threads.run_pieces(stop - first, lambda a, b: done.extend(range(first + a, first + b)), 3)

    threads.run_pieces(100, piece, 10)

    assert sorted(done) == list(range(100))


def test_without_new_threads_the_call_does_all_itself(several, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    def refuse(self):
        raise RuntimeError("can't start new thread")

    expected = keyrng.permutation(KEY, LONG)
    keyrng.set_num_threads(3)
    monkeypatch.setattr(ThreadPoolExecutor, "_adjust_thread_count", refuse)

    assert_same(keyrng.permutation(KEY, LONG), expected)
    assert threads._pool is None  # whose queue would keep the arrays


FEW_THREADS = """
import os, resource
out = np.empty(2**19 + 77, np.float32)
def draw():
    keyrng.normal(keyrng.key(7), out=out)
    print(len(os.listdir("/proc/self/task")), hashlib.sha256(out).hexdigest())
keyrng.set_num_threads(1)
draw()  # loads what it needs
keyrng.set_num_threads(3)
used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + 2**21, -1))  # less than the stack of a thread
draw()
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
draw()
"""


@needs_compiled
@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="no /proc here")
@pytest.mark.skipif(is_sanitized, reason="the sanitizer needs more memory")
def test_a_draw_computes_all_where_no_thread_can_be_started():
    keyrng.set_num_threads(1)
    expected = hashlib.sha256(keyrng.normal(KEY, (LONG,)).tobytes()).hexdigest()
    keyrng.set_num_threads(None)

    counts, values = zip(*(line.split() for line in digests(FEW_THREADS)), strict=True)

    assert set(values) == {expected}
    assert int(counts[0]) == int(counts[1]) == int(counts[2]) - 2


@pytest.mark.parametrize("place", [0, LONG // 2, LONG - 1])
def test_a_parameter_is_refused_wherever_it_lies(place, several):
    scale = np.ones(LONG)
    scale[place] = -1.0

    with pytest.raises(ValueError, match="must be"):
        keyrng.gamma(KEY, scale)


@pytest.mark.parametrize("count", [2, 5, 1, 9])
def test_all_parts_of_a_call_are_computed_once(count):
    keyrng.set_num_threads(count)
    try:
        for size in (1, 2_047, 2_049, 99_999, 10**6):
            made = keyrng.key_data(keyrng.split(KEY, size))
            assert_same(keyrng.uniform(KEY, (size,)), keyrng.uniform(KEY, (10**6,))[:size], size)
            assert_same(made[-1], keyrng.key_data(keyrng.fold_in(KEY, size - 1)), size)
    finally:
        keyrng.set_num_threads(None)


@pytest.mark.parametrize("where", ["own", "helper"])
def test_nobody_is_at_work_when_a_call_has_failed(several, where):
    own, running, begun = threading.current_thread(), [], []

    def piece(first, stop):
        begun.append(first)
        running.append(first)
        if len(begun) < 3:
            time.sleep(0.01)
        try:
            if (threading.current_thread() is own) == (where == "own"):
                raise ZeroDivisionError
            time.sleep(0.02)
        finally:
            running.remove(first)

    with pytest.raises(ZeroDivisionError):
        threads.run_pieces(10_000, piece, 1)
    assert not running
    count = len(begun)
    time.sleep(0.05)
    assert len(begun) == count < 20


# Processes

FORKS = """
import os, threading
keyrng.set_num_threads(3)
expected, stop = digest(), threading.Event()

def child():
    return "same" if digest() == expected and digest(1000) == small else "another"

def forked():
    number = os.fork()
    if not number:
        try:
            keyrng.set_num_threads(3) if os.getpid() % 2 else None
            os._exit(0 if child() == "same" else 1)
        finally:
            os._exit(2)
    return os.waitpid(number, 0)[1]

small = digest(1000)
"""

FORKS_BESIDE_DRAWS = """
def draw():
    while not stop.is_set():
        digest()
        keyrng.permutation(keyrng.key(1), 10**5)

others = [threading.Thread(target=draw) for _ in range(3)]
for thread in others: thread.start()
print(*(forked() for _ in range(12)))
stop.set()
for thread in others: thread.join()
print(child())
"""


@needs_fork
def test_a_fork_without_the_helpers_of_its_parent_draws_the_same():
    assert digests(FORKS + "print(*(forked() for _ in range(4)))") == ["0 0 0 0"]


@needs_fork
@pytest.mark.skipif(is_sanitized, reason="its malloc hangs after a fork while others allocate (llvm-project#75290)")
def test_a_fork_while_threads_draw_draws_the_same():
    assert digests(FORKS + FORKS_BESIDE_DRAWS) == [" ".join("0" * 12), "same"]


def of_key(key: keyrng.Key) -> bytes:
    keyrng.set_num_threads(2)
    return b"".join(
        part.tobytes()
        for part in (keyrng.normal(key, (LONG,)), keyrng.key_data(keyrng.split(key, 3)), keyrng.permutation(key, 999))
    )


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("how", multiprocessing.get_all_start_methods())
def test_processes_draw_the_same(how):
    keys = keyrng.split(KEY, 2)
    try:
        expected = [of_key(key) for key in keys]
        with multiprocessing.get_context(how).Pool(2) as pool:
            assert pool.map(of_key, list(keys), chunksize=1) == expected
    finally:
        keyrng.set_num_threads(None)
