"""No two calls of generators use the same key: threads, forks, pickles, copies, and generators on a GPU."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle

import cupy_double
import pytest
from cases import assert_same, cuda_on_host
from processes import python
from test_generator import each_impl, same
from turns import in_threads

import keyrng
from keyrng import Generator, _generator, _generator_state
from keyrng._keys.serialize import digest
from keyrng._pickles import Readings

# No two calls get one key

NAMES = (_generator_state.SPAWN, _generator_state.FORK, _generator_state.COPY)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_beyond_the_numbers_of_calls(name):
    # With threefry2x32 a name is a number; with the other algorithms names have a separate domain.
    number = int.from_bytes(digest(name.encode(), 8, b"keyrng.name"), "big")

    assert same(keyrng.fold_in(keyrng.key(1), name), keyrng.fold_in(keyrng.key(1), number))
    assert number >= _generator_state.KEYS


def drawn(g: Generator, count: int = 3) -> list[str]:
    """The next keys, in words."""
    return [key.to_bytes().hex() for key in (*g.next_key(count - 1), g.next_key())]


def assert_all_differ(*keys: list[str]) -> None:
    flat = [key for several in keys for key in several]
    assert len(set(flat)) == len(flat)


@each_impl
def test_the_family_of_a_generator_shares_no_key(impl):
    g = Generator(1, impl)
    family = [g, *g.spawn(3), *g.spawn(2)]
    family += [child for member in family for child in member.spawn(2)]
    data = pickle.dumps(g)
    family += [copy.copy(g), copy.deepcopy(g), pickle.loads(pickle.dumps(g)), pickle.loads(data), pickle.loads(data)]
    family += pickle.loads(data).spawn(2)
    family += pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(g)))).spawn(2)

    assert_all_differ(*map(drawn, family))


def test_one_pickle_has_one_generator():
    g = Generator(1)
    a, b, method = pickle.loads(pickle.dumps([g, g, g.normal]))

    assert a is b is method.__self__
    assert_all_differ(drawn(a), drawn(g))


@pytest.mark.parametrize("run", [1, 2])
def test_pickles_are_the_same_in_every_run(run):
    g, key = Generator(10), keyrng.key(10)
    a, again = (pickle.loads(data) for data in [pickle.dumps(g)] * 2)
    b = pickle.loads(pickle.dumps(g))

    assert same(a.next_key(), keyrng.fold_in(key, ("generator spawn", 0, 0)))
    assert same(again.next_key(), keyrng.fold_in(key, ("generator spawn", 0, "generator copy", 1, 0)))
    assert same(b.next_key(), keyrng.fold_in(key, ("generator spawn", 1, 0)))


def test_copies_are_the_next_of_spawn():
    key = keyrng.key(10)
    for number, copied in enumerate((copy.copy, copy.deepcopy, lambda g: copy.deepcopy([g])[0])):
        g = Generator(10)
        g.spawn(number)
        assert same(copied(g).next_key(), keyrng.fold_in(key, ("generator spawn", number, 0)))
    pair = copy.deepcopy([g, g])
    assert pair[0] is pair[1]


# The record of pickles that were read


@pytest.fixture
def few(monkeypatch):
    """A process that has read nothing yet, and records five pickles."""
    monkeypatch.setattr(_generator, "_read", Readings(limit=5, beyond=2**63))
    return 5


def pickled(count: int) -> list[bytes]:
    """Pickles in the order in which they were made, by a clock that moves."""
    made, times = [], iter(range(1, 10**6))
    for _ in range(count):
        g = Generator(1)
        function, (root, device, pickle_) = g.__reduce__()
        made.append((root, device, next(times).to_bytes(8, "big") + pickle_[8:]))
        assert function is _generator.from_pickle
    return made


def read(pickle_) -> str:
    return _generator.from_pickle(*pickle_).next_key().to_bytes().hex()


def test_the_record_is_bounded(few):
    for g in (Generator(i) for i in range(50)):
        copy.copy(g), copy.deepcopy(g)
    assert len(_generator._read) == 0
    for pickle_ in pickled(50):
        read(pickle_)
    assert len(_generator._read) == len(_generator._read.by_age) == few


@pytest.mark.parametrize("order", ["as made", "the last first", "mixed"])
def test_nothing_that_is_forgotten_repeats(few, order):
    made = pickled(40)  # of one seed, so that all begin with one key
    several = {"as made": made, "the last first": made[::-1], "mixed": made[::2] + made[1::2]}[order]
    found = {pickle_: [] for pickle_ in made}
    for _ in range(3):
        for pickle_ in several:
            found[pickle_].append(read(pickle_))
    for pickle_ in made:
        found[pickle_].append(read(pickle_))

    for keys in found.values():
        assert_all_differ(keys)
    assert len(_generator._read) == few


def test_pickles_in_the_order_of_making_are_the_same_in_every_run(few):
    expected = keyrng.fold_in(keyrng.key(1), ("generator spawn", 0, 0)).to_bytes().hex()

    assert {read(pickle_) for pickle_ in pickled(40)} == {expected}


def test_pickles_that_were_never_read(few):
    made = pickled(20)
    for pickle_ in made[:10]:
        read(pickle_)
    fresh = keyrng.fold_in(keyrng.key(1), ("generator spawn", 0, 0)).to_bytes().hex()

    assert read(made[12]) == fresh
    assert read(made[11]) == fresh
    assert (
        read(made[9]) == keyrng.fold_in(keyrng.key(1), ("generator spawn", 0, "generator copy", 1, 0)).to_bytes().hex()
    )
    assert read(made[0]) != fresh


def test_a_pickle_has_the_time_of_its_making():
    first, second = (g.__reduce__()[1][2] for g in (Generator(1), Generator(1)))

    assert first[:8] <= second[:8]
    assert first[8:] != second[8:]


@pytest.mark.parametrize(
    "some", [lambda g: [g.next_key()], lambda g: g.next_key(2), lambda g: [child.next_key() for child in g.spawn(1)]]
)
def test_threads_share_no_key(some):
    g, found = Generator(1), []

    def act():
        for _ in range(40):
            found.extend(key.to_bytes() for key in some(g))

    in_threads(4, _generator, act)

    assert len(set(found)) == len(found) == 4 * 40 * len(some(g))


ROOT = keyrng.key(1).to_bytes()

FORKS = """
import os, sys
import keyrng

def drawn(g):
    return [key.to_bytes().hex() for key in (*g.next_key(2), g.next_key())]

def forked(act):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, "\\n".join(act()).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        text = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return text.split("\\n")

g = keyrng.Generator(1)
held = g.spawn(1)[0]
g.next_key(10)
def family():  # draws in a child, in its children, and in a generator that was not used before the fork
    return [*drawn(g), *forked(lambda: drawn(g)), *forked(lambda: drawn(g)), *drawn(g), *drawn(held)]
print(*forked(family))
print(*forked(family))
print(*drawn(g))
print(*drawn(held))
print(*forked(lambda: [keyrng.Generator(5).next_key().to_bytes().hex()]))
print(*forked(lambda: [g.manual_seed(5).next_key().to_bytes().hex()]))
print(*forked(lambda: [str(g.get_state() == g.clone_state().get_state()), g.get_state().hex()]))
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork here")


def run(code: str) -> str:
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@needs_fork
def test_forks_share_no_key():
    *families, parent, held, made, seeded, state = (line.split() for line in run(FORKS).splitlines())
    root = keyrng.key(1)

    assert [len(family) for family in families] == [15, 15]
    assert_all_differ(*families, parent, held)
    # As documented: the parent continues, and a child's values depend on the number of its fork.
    assert parent[0] == keyrng.fold_in(root, 10).to_bytes().hex()
    assert families[1][0] == keyrng.fold_in(root, ("generator fork", 1, 0)).to_bytes().hex()
    assert families[1][6] == keyrng.fold_in(root, ("generator fork", 1, "generator fork", 1, 0)).to_bytes().hex()
    assert made == seeded == [keyrng.fold_in(keyrng.key(5), 0).to_bytes().hex()]
    assert state[0] == "True"
    child = Generator(0).set_state(bytes.fromhex(state[1])).next_key()
    assert same(child, keyrng.fold_in(root, ("generator fork", 4, 0)))


FORKS_OF_THREADS = """
import os, threading, warnings
import keyrng

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of a fork in a process with threads

g, stop = keyrng.Generator(1), threading.Event()

def draw():
    while not stop.is_set():
        g.next_key()

threads = [threading.Thread(target=draw) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(8):
    child = os.fork()
    if not child:
        g.next_key()  # would wait for ever for the lock of a thread that is not there
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
print("done")
"""


@needs_fork
def test_a_fork_while_threads_draw_leaves_no_lock():
    assert run(FORKS_OF_THREADS) == "done\n"


def from_process(g: Generator) -> list[str]:
    return drawn(g)


_shared = Generator(2)


def from_shared(_: int) -> list[str]:
    return drawn(_shared)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("how", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()])
def test_processes_share_no_key(how):
    g = Generator(1)
    with multiprocessing.get_context(how).Pool(2) as pool:
        found = pool.map(from_process, [g] * 6, chunksize=1)
        shared = pool.map(from_shared, range(6), chunksize=1) if how == "fork" else []

    assert_all_differ(*found, drawn(g), *shared, drawn(_shared))
    expected = [keyrng.fold_in(keyrng.key(1), ("generator spawn", number)) for number in range(6)]
    assert [keys[0] for keys in found] == [keyrng.fold_in(key, 0).to_bytes().hex() for key in expected]


# GPUs


@pytest.mark.skipif(cuda_on_host.GXX is None, reason="no g++ on the PATH to run the CUDA source")
def test_a_generator_on_a_gpu_draws_the_same_there():
    with cupy_double.installed():
        g, here = Generator(3, device="cuda"), Generator(3)
        g.spawn(1)
        state = g.get_state()

        assert g.device == "cuda:0"
        assert g.initial_seed() == 3
        for shape in (None, 4, (2, 1), ()):
            key = g.next_key(shape)
            assert key.device == "cuda:0"
            assert same(key.to("cpu"), here.next_key(shape))
        assert_same(g.normal((5,)).get(), here.normal((5,)))
        assert g.manual_seed(3).device == g.spawn(1)[0].device == "cuda:0"
        assert g.clone_state().device == pickle.loads(pickle.dumps(g)).device == "cuda:0"
        assert g.set_state(state).device == Generator(keyrng.key(0), device="cuda:0").device == "cuda:0"
        assert same(g.next_key().to("cpu"), Generator(3).next_key())
        assert "cuda:0" in repr(g)
