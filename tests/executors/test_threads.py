"""Threads, processes and Ctrl-C: the same values in all of them, no deadlocks and no forgotten threads."""

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
from processes import python

import keyrng
from keyrng._executors import native, threads

KEY = keyrng.key(7)
LONG = 2**19 + 77
DIGEST = """
import hashlib, keyrng, numpy as np
def digest(count=2**19 + 77):
    return hashlib.sha256(keyrng.normal(keyrng.key(7), (count,)).tobytes()).hexdigest()
"""

needs_compiled = pytest.mark.skipif(not native.enabled, reason=f"no compiled path: {native.missing_reason()}")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork here")
needs_signals = pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one process here")


@pytest.fixture
def several():
    """More threads than this machine may have cores."""
    keyrng.set_num_threads(3)
    yield
    keyrng.set_num_threads(None)


def run(code: str) -> list[str]:
    """The lines that a program prints, which must not end in any other way than well, nor never."""
    done = python("-W", "ignore::DeprecationWarning", "-c", DIGEST + code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


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
def test_a_draw_computes_all_where_no_thread_can_be_started():
    keyrng.set_num_threads(1)
    expected = hashlib.sha256(keyrng.normal(KEY, (LONG,)).tobytes()).hexdigest()
    keyrng.set_num_threads(None)

    counts, digests = zip(*(line.split() for line in run(FEW_THREADS)), strict=True)

    assert set(digests) == {expected}
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


# Ctrl-C

INTERRUPTS = """
import os, signal, sys, threading, time
from keyrng._executors import native

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job does not have

def kick(moment):
    time.sleep(0.1)
    moment.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

def interrupt(name, act):
    moment, thread = [], None
    try:
        thread = threading.Thread(target=kick, args=(moment,))
        thread.start()
        while True:
            act()
    except KeyboardInterrupt:
        print(name, time.perf_counter() - moment[0])
    thread.join()

key = keyrng.key(7)
before = digest(1000)
out, many = np.empty(2**24, np.float32), keyrng.split(key, 2**17)
shapes = np.full(2**22, 0.5, np.float32)
numbers = np.arange(2**21)
acts = {
    "normal": lambda: keyrng.normal(key, out=out),
    "gamma": lambda: keyrng.gamma(key, shapes),
    "keys": lambda: keyrng.normal(many, (100,)),
    "split": lambda: keyrng.split(key, 2**22),
    "split of keys": lambda: keyrng.split(many, 40),
    "fold_in": lambda: keyrng.fold_in(key, numbers),
    "permutation": lambda: keyrng.permutation(key, 2**21),
    "lazy": lambda: keyrng.lazy_array(keyrng.normal, key, (10**9, 1000))[::500, :300],
    "categorical": lambda: keyrng.categorical(key, np.zeros(1000), shape=(2**14,)),
}
for on in (True, False):
    native.enable(on)
    for count in (1, 3) if native.enabled else (1,):
        keyrng.set_num_threads(count)
        for name, act in acts.items():
            interrupt(name.replace(" ", "_"), act)
            now = out[:: 2**10].copy()
        time.sleep(0.05)
        assert (now == out[:: 2**10]).all()
        assert digest(1000) == before
keyrng.set_num_threads(3)
keyrng.normal(key, out=out)
assert (out[:1000] == keyrng.normal(key, (1000,))).all()
print("done 0")
"""


@needs_signals
def test_an_interrupt_stops_a_long_draw_soon():
    lines = [line.split() for line in run(INTERRUPTS)]

    assert lines[-1][0] == "done"
    assert len(lines) >= 10
    late = [(name, took) for name, took in lines if float(took) > 10]  # 0.1 s on an idle machine
    assert not late


ENOUGH = """
import signal, threading, time
from keyrng._executors import native, threads
keyrng.set_num_threads(3)
own, running, inside, result = threading.current_thread(), [], True, "not interrupted"
def handler(*_):
    if inside:
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, handler)
def piece(first, stop):
    if threading.current_thread() is own:
        while len(running) < 2:
            time.sleep(0.001)
        threading.Timer(0.05, signal.pthread_kill, [own.ident, signal.SIGINT]).start()
        signal.raise_signal(signal.SIGINT)
    running.append(first)
    time.sleep(0.2)
    running.remove(first)
begun = time.perf_counter()
try:
    try:
        threads.run_pieces(1000, piece, 1)  # takes more than a minute if it is not interrupted
    finally:
        inside = False
        left = len(running)
except KeyboardInterrupt:
    result = "interrupted"
print(left, result, "soon" if time.perf_counter() - begun < 20 else "late")
"""


@needs_signals
def test_a_second_interrupt_leaves_no_thread_at_work():
    assert run(ENOUGH) == ["0 interrupted soon"]


# The end of the interpreter

ENDS = {
    "daemons draw": """
import threading, time
keyrng.set_num_threads(3)
def draw():
    while True: digest()
for _ in range(4): threading.Thread(target=draw, daemon=True).start()
time.sleep(0.3)
print("end")
""",
    "a thread draws when the main one has ended": """
import threading, time
keyrng.set_num_threads(3)
expected = digest()
def draw():
    threading.main_thread().join()
    time.sleep(0.05)
    print("end" if digest() == expected else "another")
threading.Thread(target=draw).start()
""",
    "the same, and it is the first large draw": """
import threading, time
keyrng.set_num_threads(3)
def draw():
    threading.main_thread().join()
    time.sleep(0.05)
    few = keyrng.normal(keyrng.key(7), (2**18,))
    print("end" if (keyrng.normal(keyrng.key(7), (2**19,))[: 2**18] == few).all() else "another")
threading.Thread(target=draw).start()
""",
    "atexit draws": """
import atexit
keyrng.set_num_threads(3)
expected = digest()
atexit.register(lambda: print("end" if digest() == expected else "another"))
""",
}


@pytest.mark.parametrize("name", ENDS)
def test_the_interpreter_ends_while_or_before_threads_draw(name):
    assert run(ENDS[name]) == ["end"]


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
print(*(forked() for _ in range(4)))  # the pool is there, its threads are not

def draw():
    while not stop.is_set():
        digest()
        keyrng.permutation(keyrng.key(1), 10**5)

others = [threading.Thread(target=draw) for _ in range(3)]
for thread in others: thread.start()
print(*(forked() for _ in range(12)))  # while others are at work on it
stop.set()
for thread in others: thread.join()
print(child())
"""


@needs_fork
def test_a_fork_beside_the_pool_draws_the_same():
    assert run(FORKS) == ["0 0 0 0", " ".join("0" * 12), "same"]


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
