"""Ctrl-C, and the end of the interpreter, while threads draw."""

from __future__ import annotations

import os

import pytest
from processes import digests

needs_signals = pytest.mark.skipif(os.name == "nt", reason="no SIGINT for one process here")

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
    lines = [line.split() for line in digests(INTERRUPTS)]

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
    assert digests(ENOUGH) == ["0 interrupted soon"]


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
    assert digests(ENDS[name]) == ["end"]
