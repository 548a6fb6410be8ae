"""The CUDA text, proved without a GPU: a host compiler runs it, bits are compared with NumPy's, and nvcc's PTX is read.

Host compilers see the text through cuda_host.h, which gives the prelude's operations and walks the grid.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import ALGORITHMS, CASES, Array, all_intercepted, assert_same, each_algorithm, on

import keyrng
from keyrng import algorithms, sampling
from keyrng import kernels as language_of_kernels
from keyrng.algorithms.base import Domain
from keyrng.backends import Slab
from keyrng.distributions.index_shuffle import _index_shuffle, _index_unshuffle
from keyrng.kernels import cuda
from keyrng.kernels.lane import Kernel, kernel_of, kernels
from keyrng.kernels.ops import bitcast, cast, mod_wide, mulhi, rotl, sqrt, where
from keyrng.keys import _hash

HERE = Path(__file__).parent
GXX, NVCC = shutil.which("g++"), shutil.which("nvcc")
needs_gxx = pytest.mark.skipif(GXX is None, reason="no g++ on the PATH to run the CUDA text with")
needs_nvcc = pytest.mark.skipif(NVCC is None, reason="no nvcc on the PATH to compile the CUDA text with")
STRICT = ("-O1", "-ffp-contract=off", "-fno-math-errno")
FAST = ("-O0", *STRICT[1:])  # to compile

Dtype = np.dtype[Any]


# What there is to test: every kernel with the parameters that the samplers of cases.py give it


@dataclass
class Subject:
    """A kernel in one dtype: the dtypes of its results, and sets of parameters, a row for each, without repetition."""

    kernel: Kernel
    compute: Dtype
    dtypes: dict[str, Dtype] = field(default_factory=dict)
    rows: dict[tuple[Any, ...], None] = field(default_factory=dict)

    def parameters(self, count: int) -> list[Array]:
        """So many sets, a column for each parameter; they take turns."""
        columns = zip(*self.rows, strict=True)
        return [np.resize(np.array(column, self.compute), count) for column in columns]


@cache
def subjects() -> tuple[Subject, ...]:
    found: dict[tuple[str, str], Subject] = {}
    key = keyrng.key(0)
    for case in CASES:
        sets = (*case.parameters, *case.extremes)
        mixed = replace(case, parameters=sets).mixed((len(sets),))
        defaults: list[Any] = [{}] if case.name == "uniform" else []
        dtypes = (*case.dtypes, "complex64", "complex128") if case.complex else case.dtypes
        for dtype, given in product(dtypes, (*sets, mixed, *defaults)):
            for call in all_intercepted(case, key, (len(sets),), dtype, **given):
                name = call.kernel.name, call.compute.name
                subject = found.setdefault(name, Subject(call.kernel, call.compute))
                subject.dtypes[call.dtype.name] = call.dtype
                columns = [np.broadcast_to(value, len(sets)).tolist() for value in call.values]
                subject.rows.update(dict.fromkeys(zip(*columns, strict=True)))
    parts = [
        Subject(kernel, np.dtype(dtype), {dtype: np.dtype(dtype)}, dict.fromkeys(rows))
        for kernel, rows in PARTS.items()
        for dtype in kernel.dtypes
    ]
    shuffles = [Subject(k, UINT64, {"int64": np.dtype(np.int64)}, dict(SHUFFLES)) for k in SHUFFLED]
    masks = Subject(kernel_of("dropout_mask"), np.dtype(np.float32), {"bool": np.dtype(bool)}, dict(MASKS))
    return (*found.values(), *parts, *shuffles, masks)


# What has no row in cases.py: the parts of samplers of rows, and index_shuffle, which works its parameters out: places,
# rows, columns, 2**32 / columns, the first round and two keys; the numbers of rows and columns are those of n = 2, 40,
# 10**12, 2**63 - 1 and 2**63.
PARTS: dict[Kernel, list[tuple[float, ...]]] = {
    kernel_of("gamma_factor"): [(2.5,), (0.3,)],
    kernel_of("gamma_boost"): [(2.5,), (0.3,), (1e-3,)],
    kernel_of("boosted"): [(2.5, 0.0), (1.25, -3.5), (1.0, -1e5)],
    kernel_of("exp"): [(0.0,), (-2.5,), (3.25,), (-1e5,)],
    kernel_of("dropout"): [(-2.5, 2.0**14, 3.0, 1.25), (math.nan, 2.0**16, 0.0, 1.0), (3e38, 2.0**16 - 1, 7.0, 2.0)],
    kernel_of("scaled_unit"): [(0.3,), (-7.5,)],
    kernel_of("scaled_normal"): [(0.3,), (-7.5,)],
    kernel_of("scaled_normal_real"): [(0.3,), (-7.5,)],
    kernel_of("scaled_normal_imag"): [(0.3,), (-7.5,)],
    kernel_of("scaled_truncated_normal"): [(-2.0, 2.0, -1.99, 1.99, 0.3), (-1.0, 2.5, -0.99, 2.49, -7.5)],
    kernel_of("scaled_truncated_normal_tails"): [(4.0, 9.0, 4.01, 8.99, 0.3), (-2.0, 2.0, -1.99, 1.99, -7.5)],
    kernel_of("symmetric"): [(0.3,), (7.5,)],
    kernel_of("disk_real"): [(0.3,), (7.5,)],
    kernel_of("disk_imag"): [(0.3,), (7.5,)],
    kernel_of("truncated_disk_real"): [(0.3,), (7.5,)],
    kernel_of("truncated_disk_imag"): [(0.3,), (7.5,)],
    kernel_of("kept_or_zero"): [(math.inf, 1.0, 2.0), (math.nan, 0.0, 2.0), (0.3, 1.0, 1.5)],
    kernel_of("ball"): [(-3.5, 2.25, 2.0), (0.5, 7.0, 0.75), (-1e4, 1.0, 30.0)],
}
MASKS: dict[tuple[float, ...], None] = dict.fromkeys([(2.0**15, 9.0), (2.0**16, 0.0), (0.0, 0.0)])
UINT64 = np.dtype(np.uint64)
SHUFFLED = (_index_shuffle, _index_unshuffle)
SHUFFLES: dict[tuple[int, ...], None] = dict.fromkeys(
    (place * (rows * columns - 1) // 7, rows, columns, 2**32 // columns, 12 * place, 3**40 - place, 5**27 + place)
    for rows, columns in ((1, 2), (5, 8), (953_675, 2**20), (2**32, 2**31), (2**31, 2**32))
    for place in range(8)
)


def requests() -> list[cuda.Request]:
    return [cuda.Request(s.kernel, s.compute, dtype) for s in subjects() for dtype in s.dtypes.values()]


def test_every_kernel_is_reached() -> None:
    # A kernel without a row in cases.py would not be tested here.
    reached = {(s.kernel.name, s.compute.name) for s in subjects()}
    ours = [k for k in kernels() if k.function.__module__.startswith("keyrng.")]
    registered = {(k.name, dtype) for k in ours for dtype in k.dtypes}

    assert registered - reached == set()


# The host's side of a launch


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ctypes.CDLL]:
    """Compile a text for the host, once for each text and flags; workers of one run share what is compiled."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    @cache
    def compiled(text: str, flags: tuple[str, ...] = STRICT) -> ctypes.CDLL:
        name = hashlib.sha256("\0".join([text, *flags]).encode()).hexdigest()[:20]
        library, mine = folder / f"{name}.so", folder / f"{name}-{os.getpid()}.cpp"
        if not library.exists():
            mine.write_text(text)
            always = ["-std=c++17", "-shared", "-fPIC", "-w", f"-I{HERE}"]
            command = [str(GXX), *always, *flags, "-o", f"{mine}.so", str(mine)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[:4000]
            os.replace(f"{mine}.so", library)
        return ctypes.CDLL(str(library))

    return compiled


def host_text(algorithm: str, wanted: Sequence[cuda.Request]) -> str:
    """The text of some kernels with a launcher for each."""
    chosen = algorithms.get(algorithm)
    names = dict.fromkeys(cuda.function_name(request, chosen) for request in wanted)
    return "\n".join(['#include "cuda_host.h"', cuda.module(chosen, wanted), *(f"LAUNCHER({name})" for name in names)])


@dataclass(frozen=True)
class Broadcast:
    """How a parameter comes, by the numbers of keys and elements: how many values, and for how many elements each."""

    values: Callable[[int, int], int]
    repeat: Callable[[int], int]
    by_value: bool = False


BROADCASTS = {
    "by value": Broadcast(lambda keys, count: 1, lambda count: 1, by_value=True),
    "one": Broadcast(lambda keys, count: 1, lambda count: 1),
    "whole": Broadcast(lambda keys, count: keys * count, lambda count: 1),
    "last axis": Broadcast(lambda keys, count: count, lambda count: 1),
    "first axis": Broadcast(lambda keys, count: keys, lambda count: count),
    "middle axis": Broadcast(lambda keys, count: 3, lambda count: count // 3),
    "half": Broadcast(lambda keys, count: keys * count // 2, lambda count: 2),
}


@dataclass(frozen=True)
class Launch:
    """Which elements, of how many keys, on which grid, and how many elements behind a multiple of 16 bytes."""

    keys: int
    start: int
    count: int
    grid: tuple[int, int, int, int]
    broadcast: str
    behind: int = 0

    @property
    def size(self) -> int:
        return self.start + self.count + 5  # of the whole sample, for planes


LAUNCHES = (
    Launch(1, 0, 1, (1, 1, 1, 1), "by value"),
    Launch(1, 1, 257, (7, 1, 128, 1), "whole", 1),
    Launch(1, 2**32 - 3, 33, (2, 1, 5, 1), "one"),
    Launch(3, 2**40, 12, (1, 1, 1, 1), "middle axis"),
    Launch(5, 0, 7, (3, 2, 4, 3), "last axis", 3),
    Launch(2, 2**32 - 5, 6, (1, 1, 3, 2), "half"),
    Launch(41, 8, 3, (1, 3, 2, 8), "first axis"),
)
# The last elements that a key has.
LAST = {True: Launch(2, 2**56 - 40, 21, (5, 2, 2, 1), "whole"), False: Launch(2, 2**62 - 40, 21, (5, 1, 2, 1), "whole")}


def launches(algorithm: str) -> list[Launch]:
    return [*LAUNCHES, LAST[algorithms.get(algorithm).jax_layout]]


def key_of(algorithm: str, count: int) -> keyrng.Key:
    key = keyrng.key(2**31 + 7, impl=algorithm)
    return key if count == 1 else keyrng.split(key, count)


PADDING = 0xA5


class Memory:
    """Bytes for a result, so many behind a multiple of 16, among others that must not change."""

    def __init__(self, size: int, behind: int) -> None:
        self._whole = np.full(size + behind + 144, PADDING, np.uint8)
        self._first = 64 + -self._whole.ctypes.data % 16 + behind
        self.bytes = self._whole[self._first : self._first + size]
        self.pointer = ctypes.c_void_p(self.bytes.ctypes.data)

    def check(self, name: str) -> None:
        assert (self._whole[: self._first] == PADDING).all(), f"{name} wrote before its result"
        assert (self._whole[self._first + self.bytes.size :] == PADDING).all(), f"{name} wrote behind its result"


def call(library: ctypes.CDLL, name: str, grid: tuple[int, int, int, int], values: Sequence[Any]) -> None:
    """As a launch: a pointer to each argument."""
    pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
    getattr(library, f"launch_{name}")(*grid, pointers)


def launched(
    library: ctypes.CDLL, algorithm: str, request: cuda.Request, launch: Launch, parameters: Sequence[Array]
) -> Array:
    """What the function of the text writes; nothing beside its elements may change."""
    words = np.ascontiguousarray(keyrng.key_data(key_of(algorithm, launch.keys)))
    itemsize = request.dtype.itemsize
    memory = Memory(launch.keys * launch.count * itemsize, launch.behind * itemsize)
    number = ctypes.c_uint64
    values: list[Any] = [ctypes.c_void_p(words.ctypes.data)]
    values += [*map(number, (launch.keys, launch.start, launch.count, launch.size)), memory.pointer]
    how = BROADCASTS[launch.broadcast]
    for array in parameters:
        one = np.ctypeslib.as_ctypes_type(request.compute)(array[0] if how.by_value else 0)
        pointer = ctypes.c_void_p(None if how.by_value else array.ctypes.data)
        values += [pointer, one, number(how.repeat(launch.count)), number(0 if how.by_value else len(array))]
    name = cuda.function_name(request, algorithms.get(algorithm))
    call(library, name, launch.grid, values)
    memory.check(name)
    return memory.bytes.view(request.dtype).reshape(launch.keys, launch.count)


def everywhere(launch: Launch, parameters: Sequence[Array]) -> list[Array]:
    """The parameters' values for every element."""
    flat = np.arange(launch.keys * launch.count)
    repeat = BROADCASTS[launch.broadcast].repeat(launch.count)
    return [p[flat // repeat % len(p)].reshape(launch.keys, launch.count) for p in parameters]


def reference(algorithm: str, request: cuda.Request, launch: Launch, parameters: Sequence[Array]) -> Array:
    """The same elements as NumPy makes them."""
    out = np.empty((launch.keys, launch.count), request.dtype)
    slab, key = Slab(launch.start, launch.count, launch.size), key_of(algorithm, launch.keys)
    with on("numpy"):
        sampling.fill_slab(request.kernel, key, out, out.shape, everywhere(launch, parameters), request.compute, slab)
    return out


def compare(library: ctypes.CDLL, algorithm: str, subject: Subject, dtype: Dtype, launch: Launch) -> None:
    request = cuda.Request(subject.kernel, subject.compute, dtype)
    parameters = subject.parameters(BROADCASTS[launch.broadcast].values(launch.keys, launch.count))
    actual = launched(library, algorithm, request, launch, parameters)

    name = cuda.function_name(request, algorithms.get(algorithm))
    assert_same(actual, reference(algorithm, request, launch, parameters), name, launch)


# The same bits as NumPy


@needs_gxx
@each_algorithm
def test_every_kernel(build: Callable[..., ctypes.CDLL], algorithm: str) -> None:
    library = build(host_text(algorithm, requests()), FAST)

    for subject in subjects():
        natural, *narrower = subject.dtypes.values()
        for launch in launches(algorithm):
            compare(library, algorithm, subject, natural, launch)
        for dtype in narrower:
            compare(library, algorithm, subject, dtype, LAUNCHES[1])
            compare(library, algorithm, subject, dtype, LAUNCHES[4])


# Guards: an element whose parameter is not as it must be is missing


def between(low: float, high: float) -> Callable[[Any], Any]:
    return lambda x: (x >= low) & (x <= high)


def guarded(subject: Subject, dtype: Dtype) -> cuda.Request:
    """The kernel with guards that let the subject's own parameters pass, and nothing beyond the largest of them."""
    columns = np.array(list(subject.rows), subject.compute).T
    guards = tuple(between(c.min().item(), c.max().item()) for c in columns)
    return cuda.Request(subject.kernel, subject.compute, dtype, guards)


def spoiled(parameters: Sequence[Array]) -> list[Array]:
    """The parameters with one of every third set replaced by something extreme."""
    made, dtype = [p.copy() for p in parameters], parameters[0].dtype
    ways = [np.nan, np.inf, -np.inf, np.finfo(dtype).max] if dtype.kind == "f" else [np.iinfo(dtype).max]
    for turn, i in enumerate(range(1, len(made[0]), 3)):
        made[turn % len(made)][i] = ways[turn // len(made) % len(ways)]
    return made


MISSING = {"float16": 0x7E00, "bfloat16": 0x7FC0, "float32": 0x7FC00000, "float64": 0x7FF8 << 48, "bool": 0}


def missing(dtype: Dtype) -> Array:
    bits = 8 * dtype.itemsize
    return np.array([MISSING.get(dtype.name, 2**bits - 1)], f"uint{bits}").view(dtype)


@needs_gxx
def test_guards(build: Callable[..., ctypes.CDLL]) -> None:
    # Loops too: with such parameters, and no guard, most would go on for ever.
    wanted = [(s, dtype, guarded(s, dtype)) for s in subjects() if s.kernel.parameters for dtype in s.dtypes.values()]
    library = build(host_text("philox4x32", [request for _, _, request in wanted]), FAST)
    for subject, dtype, request in wanted:
        for launch in (LAUNCHES[1], Launch(3, 5, 7, (1, 2, 2, 2), "whole")):
            good = subject.parameters(launch.keys * launch.count)
            given = spoiled(good)
            wrong = ~np.all([g(p) for g, p in zip(request.guards, given, strict=True) if g is not None], axis=0)
            assert 0 < wrong.sum() < len(wrong) / 2
            actual = launched(library, "philox4x32", request, launch, given)

            passing = [np.where(wrong, g, p) for g, p in zip(good, given, strict=True)]
            expected = reference("philox4x32", request, launch, passing)
            expected[wrong.reshape(expected.shape)] = missing(dtype)
            assert_same(actual, expected, cuda.function_name(request, algorithms.get("philox4x32")), launch)
    assert {dtype.name for _, dtype, _ in wanted} > {*MISSING, "int8", "uint64"}


@needs_gxx
def test_some_guards(build: Callable[..., ctypes.CDLL]) -> None:
    # None lets everything pass, and guards of None alone are none.
    uniform = kernel_of("uniform")
    float32 = np.dtype(np.float32)
    free = cuda.Request(uniform, float32, float32, (None, None, None))
    some = cuda.Request(uniform, float32, float32, (None, lambda x: x < 4, None))
    chosen = algorithms.get("philox4x32")
    assert cuda.function_name(free, chosen) == cuda.function_name(cuda.Request(uniform, float32, float32), chosen)
    library = build(host_text("philox4x32", [free, some]))
    launch = Launch(1, 0, 9, (1, 1, 1, 1), "whole")
    given = [np.resize(np.array(p, float32), 9) for p in ([0.0, np.nan, -1.0], [1.0, 3.0, 4.0], [9.0])]
    all_of, some_of = (launched(library, "philox4x32", r, launch, given)[0] for r in (free, some))

    assert_same(all_of, reference("philox4x32", free, launch, given)[0])
    assert_same(some_of, np.where(given[1] < 4, all_of, missing(float32)))


# Keys


NUMBERS = np.array([0, 1, 2**32 - 1, 2**32, 2**56 + 5, 2**63, 2**64 - 1], np.uint64)


def key_memory(keys: keyrng.Key) -> tuple[Array, ctypes.c_void_p]:
    words = np.ascontiguousarray(keyrng.key_data(keys)).reshape(keys.size, -1)
    return words, ctypes.c_void_p(words.ctypes.data)


@cache
def key_text(algorithm: str) -> str:
    chosen = algorithms.get(algorithm)
    launchers = [f"LAUNCHER({name})" for name in (cuda.split_name(chosen), cuda.fold_name(chosen))]
    return "\n".join(['#include "cuda_host.h"', cuda.key_source(chosen), *launchers])


@needs_gxx
@each_algorithm
@pytest.mark.parametrize(
    ("keys", "start", "count", "threads"), [(1, 0, 9, (7, 3)), (5, 2, 3, (1, 1)), (3, 0, 1, (2, 64))]
)
def test_children(
    build: Callable[..., ctypes.CDLL], algorithm: str, keys: int, start: int, count: int, threads: tuple[int, int]
) -> None:
    parents = key_of(algorithm, keys)
    words, pointer = key_memory(parents)
    memory = Memory(keys * count * words.itemsize * words.shape[1], 0)
    numbers = [ctypes.c_uint64(n) for n in (keys, start, count)]
    name = cuda.split_name(algorithms.get(algorithm))
    call(build(key_text(algorithm)), name, (threads[0], 1, threads[1], 1), [pointer, *numbers, memory.pointer])
    memory.check(name)

    expected = keyrng.key_data(keyrng.split(parents, start + count)).reshape(keys, -1, words.shape[1])[:, start:]
    assert_same(memory.bytes.view(words.dtype).reshape(expected.shape), np.ascontiguousarray(expected), name)


def folded(
    library: ctypes.CDLL, keys: keyrng.Key, numbers: Array | None, index: int, domain: Domain, n: int
) -> keyrng.Key:
    """n children of keys that take turns, at numbers that take turns or at one index."""
    chosen = algorithms.get(keys.impl)
    words, pointer = key_memory(keys)
    memory = Memory(n * words.itemsize * words.shape[1], 0)
    word = np.ctypeslib.as_ctypes_type(words.dtype)
    low, high = index & (2**chosen.word_bits - 1), index >> chosen.word_bits
    values = [pointer, ctypes.c_uint64(len(words))]
    values += [ctypes.c_void_p(None if numbers is None else numbers.ctypes.data)]
    values += [ctypes.c_uint64(0 if numbers is None else len(numbers)), word(low), word(high), word(domain)]
    name = cuda.fold_name(chosen)
    call(library, name, (3, 1, 2, 1), [*values, ctypes.c_uint64(n), memory.pointer])
    memory.check(name)
    return keyrng.wrap_key_data(memory.bytes.view(words.dtype).reshape(n, -1).copy(), impl=keys.impl)


@needs_gxx
@each_algorithm
def test_folding(build: Callable[..., ctypes.CDLL], algorithm: str) -> None:
    library, keys = build(key_text(algorithm)), key_of(algorithm, 3)

    for number in NUMBERS.tolist():
        assert (folded(library, keys, None, number, Domain.SPLIT, 3) == keyrng.fold_in(keys, number)).all()
    for name in ("", "dropout", "layer 3"):
        index = _hash(name, algorithms.get(algorithm).index_bits, b"keyrng.name")
        assert (folded(library, keys, None, index, Domain.NAME, 3) == keyrng.fold_in(keys, name)).all()
    assert (folded(library, keys[1:2], NUMBERS, 0, Domain.SPLIT, 7) == keyrng.fold_in(keys[1], NUMBERS)).all()
    # As fold_in(keys, numbers[:, None]): both take turns.
    pairs = folded(library, keys, np.repeat(NUMBERS, 3), 0, Domain.SPLIT, 21)
    assert (pairs == keyrng.fold_in(keys, NUMBERS[:, None]).reshape(-1)).all()
    three = folded(library, keys, NUMBERS[:1], 0, Domain.SPLIT, 3)
    assert (three == keyrng.fold_in(keys, NUMBERS[:1])).all()


def has_fma() -> bool:
    try:
        return " fma " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


@needs_gxx
@pytest.mark.skipif(not has_fma(), reason="the processor has no fused multiply-add")
def test_fused_multiply_add_is_a_matter_of_flags(build: Callable[..., ctypes.CDLL]) -> None:
    by_name = {(s.kernel.name, s.compute.name): s for s in subjects()}
    chosen = [by_name[name, dtype] for name in ("normal", "gamma") for dtype in ("float32", "float64")]
    wanted: list[cuda.Request] = [cuda.Request(s.kernel, s.compute, s.compute) for s in chosen]
    text = host_text("threefry2x32", wanted)
    strict = build(text, ("-O2", "-mfma", "-ffp-contract=off", "-fno-math-errno"))
    loose = build(text, ("-O2", "-mfma", "-ffp-contract=fast", "-fno-math-errno"))

    for subject in chosen:
        compare(strict, "threefry2x32", subject, subject.compute, LAUNCHES[1])
        # The control: these tests would see it.
        with pytest.raises(pytest.fail.Exception, match="differ, first at"):
            compare(loose, "threefry2x32", subject, subject.compute, LAUNCHES[1])


# Known answers


def known_answers(name: str) -> Iterator[tuple[list[int], list[int], list[int]]]:
    """The counters, keys and blocks of an algorithm's rows."""
    algorithm = algorithms.get(name)
    counter, key = algorithm.block_words, algorithm.key_words
    for line in (HERE / "data" / "known-answers.txt").read_text().splitlines():
        fields = line.split()
        if fields and fields[0] == name:
            words = [int(word, 16) for word in fields[2:]]
            yield words[:counter], words[counter : counter + key], words[counter + key :]


@needs_gxx
@each_algorithm
def test_known_answers(build: Callable[..., ctypes.CDLL], algorithm: str) -> None:
    chosen = algorithms.get(algorithm)
    arguments = ", ".join(f"p[{i}]" for i in range(chosen.block_words))
    stores = " ".join(f"out[{i}] = made.w{i};" for i in range(chosen.block_words))
    library = build(
        f"""#include "cuda_host.h"
        {cuda.key_source(chosen)}
        extern "C" void known_answer(const keyrng::word *key, const keyrng::word *p, keyrng::word *out) {{
            keyrng::Block made = keyrng::block(keyrng::load_key(key), {arguments});
            {stores}
        }}"""
    )
    rows = list(known_answers(algorithm))
    assert len(rows) >= 3

    for counter, key, block in rows:
        out = np.zeros(chosen.block_words, chosen.dtype)
        given = [np.array(words, chosen.dtype) for words in (key, counter)]
        library.known_answer(*(ctypes.c_void_p(array.ctypes.data) for array in (*given, out)))

        assert out.tolist() == block


# Rejection


@dataclass
class Stubborn:
    """A rejection that needs 512 attempts on average, each of so many words; counts its attempts on NumPy."""

    words: int
    attempts: int = 0

    def __call__(self, lane: Any) -> Any:
        return lane.attempts(self.attempt)

    def attempt(self, lane: Any) -> tuple[Any, Any]:
        self.attempts += 1
        words = [lane.bits() for _ in range(self.words)]
        mixed = words[0]
        for word in words[1:]:
            mixed = rotl(mixed, 7) + word
        return (mixed >> 9) % 512 == 0, mixed


# Three words are two blocks of threefry2x32, and 256 is in the middle of an attempt; five are more than any block.
STUBBORN = [
    *(("threefry2x32", words, dtype) for words in (1, 3, 5) for dtype in ("uint32", "uint64")),
    *((algorithm, 5, dtype) for algorithm in ALGORITHMS[1:] for dtype in ("uint32", "uint64")),
]


@needs_gxx
@pytest.mark.parametrize(("algorithm", "words", "dtype"), STUBBORN)
def test_rejection_beyond_the_draw_numbers(
    build: Callable[..., ctypes.CDLL], algorithm: str, words: int, dtype: str
) -> None:
    function = Stubborn(words)
    subject = Subject(Kernel(function, "stubborn", (dtype,)), np.dtype(dtype))
    library = build(host_text(algorithm, [cuda.Request(subject.kernel, subject.compute, subject.compute)]))
    for launch in (Launch(1, 2**32 - 3, 11, (1, 1, 4, 1), "one"), Launch(2, 1, 7, (2, 1, 1, 1), "one")):
        function.attempts = 0

        compare(library, algorithm, subject, subject.compute, launch)
        assert function.attempts > 512  # NumPy counted them; the elements need as many here


# The language: what no sampler needs today is printed right all the same


def extreme(word: Any, dtype: str) -> Any:
    """Floats of every kind from words: any bits, and often zeros, subnormals, infinities and NaN."""
    bits = 8 * np.dtype(dtype).itemsize
    low = (word >> 3) & 0x7
    special = where(low == 0, 0, where(low == 1, 1 << (bits - 1), where(low == 2, 3, word)))
    special = where(low == 3, 0x7F800000 if bits == 32 else 0x7FF << 52, special)
    special = where(low == 4, 0x7FC00000 if bits == 32 else 0xFFF << 51, special)
    return bitcast(special, dtype)


def floats(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A kernel of two such floats."""
    return lambda lane: function(*(extreme(word, lane.dtype) for word in lane.planes(2)))


def words(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A kernel of as many words as the function has arguments."""
    return lambda lane: function(*lane.planes(function.__code__.co_argcount))


def real(exponent: int, dtype: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A kernel of a float with random digits from 2**exponent to twice that."""
    mantissa, bias = (23, 127) if dtype == "float32" else (52, 1023)
    bits = 8 * np.dtype(dtype).itemsize
    first = (exponent + bias) << mantissa
    return lambda lane: function(bitcast((lane.bits() >> (bits - mantissa)) | first, dtype))


def number(x: Any) -> Any:
    """The float without NaN, whose bits are each processor's own."""
    return where(x == x, x, 0.25)


def comparisons(x: Any, y: Any) -> Any:
    tests = [x < y, x <= y, x > y, x >= y, x == y, x != y, x < x, x != x]
    word = cast(tests[0] ^ tests[5], "uint32")
    for test in tests:
        word = word * 2 + cast(test, "uint32")
    return word


def signed(dtype: str) -> Callable[[Any], Any]:
    def arithmetic(word: Any) -> Any:
        x = cast(word, dtype)
        return x * x + x * 100 - -x

    return words(arithmetic)


def short(word: Any) -> Any:
    x = cast(word, "uint16")
    return rotl(x * x, 5) + ~(x >> 3) - (x << 2)


def casts(*dtypes: str) -> Callable[[Any], Any]:
    def chain(word: Any) -> Any:
        for dtype in dtypes:
            word = cast(word, dtype)
        return word

    return words(chain)


def two_loops(lane: Any) -> Any:
    """The second loop needs the first one's value, and the end what stood before both."""
    first, second, third = lane.split(3)
    limit = third.bits() | 1 << 29

    def below(lane: Any, limit: Any, scale: Any) -> tuple[Any, Any]:
        word = lane.bits()
        return (word < limit) | (word > lane.bits()), (word >> 3) * scale

    x = first.attempts(below, limit, 5)
    y = second.attempts(below, x | 1 << 30, limit)
    return x + y * limit


ELEMENTARY = [
    "atan",
    "cospi",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "expm1",
    "floor",
    "lgamma",
    "log",
    "log1p",
    "rint",
    "sinpi",
    "tanpi",
]


def elementary(name: str) -> Callable[[Any], Any]:
    function = getattr(language_of_kernels, name)
    return floats(lambda x, y: number(function(x)))


# Name, dtype of the computation, dtype of the result, kernel.
LANGUAGE: list[tuple[str, str, str, Callable[[Any], Any]]] = [
    ("int8", "uint32", "int8", signed("int8")),
    ("int32", "uint32", "int32", signed("int32")),
    ("int64", "uint64", "int64", signed("int64")),
    ("uint16", "uint32", "uint16", words(short)),
    ("mulhi", "uint32", "uint32", words(mulhi)),
    ("mulhi 64", "uint64", "uint64", words(mulhi)),
    ("rotl 64", "uint64", "uint64", words(lambda a: rotl(a, 41))),
    ("mod", "uint32", "uint32", words(lambda a, b: a % ((b >> 7) + 1))),
    ("mod by zero", "uint64", "uint64", words(lambda a, b: where(b & 1 == 0, a, a % (b & 1)))),
    ("mod_wide", "uint32", "uint32", words(lambda a, b, c: mod_wide(a, b, c | 1))),
    ("mod_wide 64", "uint64", "uint64", words(lambda a, b, c: mod_wide(a, b, c | 1))),
    ("mod_wide 64 small", "uint64", "uint64", words(lambda a, b, c: mod_wide(a, b, (c >> 31) + 1))),
    ("mod_wide 64 large", "uint64", "uint64", words(lambda a, b, c: mod_wide(a | 3 << 62, b, ~(c >> 33)))),
    ("comparisons", "float32", "uint32", floats(comparisons)),
    ("comparisons 64", "float64", "uint32", floats(comparisons)),
    ("conditions", "float32", "bool", floats(lambda x, y: ~(x < y) & (x != 0.0) | (y > x) ^ (x == y))),
    ("condition to float", "float32", "float32", floats(lambda x, y: cast(x < y, "float32"))),
    ("add", "float32", "float32", floats(lambda x, y: number(x + y))),
    ("sub", "float64", "float64", floats(lambda x, y: number(x - y))),
    ("mul", "float32", "float32", floats(lambda x, y: number(x * y))),
    ("div", "float32", "float32", floats(lambda x, y: number(x / y))),
    ("div 64", "float64", "float64", floats(lambda x, y: number(x / y))),
    ("sqrt", "float32", "float32", floats(lambda x, y: number(sqrt(abs(x)) * 2.0**-100 - sqrt(y)))),
    ("neg", "float32", "float32", floats(lambda x, y: where(x == y, x, -x))),
    ("neg 64", "float64", "float64", floats(lambda x, y: where(x == y, -abs(x), -x))),
    ("constants", "float32", "float32", floats(lambda x, y: where(x > -0.0, where(y > x, 1e-42, x), -np.inf))),
    ("bits of a float", "float32", "int32", floats(lambda x, y: bitcast(x, "int32") - 1)),
    ("float to int32", "float32", "int32", real(30, "float32", lambda x: cast(x * -0.9, "int32"))),
    ("float to int64", "float64", "int64", real(62, "float64", lambda x: cast(x * -0.9, "int64"))),
    ("float to uint8", "float32", "uint8", real(6, "float32", lambda x: cast(x, "uint8"))),
    ("float to uint32", "float32", "uint32", real(31, "float32", lambda x: cast(x, "uint32"))),
    ("float to uint64", "float64", "uint64", real(63, "float64", lambda x: cast(x, "uint64"))),
    ("uint32 to float", "uint32", "float32", casts("float32")),
    ("int32 to float", "uint32", "float32", casts("int32", "float32")),
    ("int16 to float", "uint32", "float32", casts("int16", "float32")),
    ("uint64 to float", "uint64", "float32", casts("float32")),
    ("int64 to float", "uint64", "float64", casts("int64", "float64")),
    ("int8 to int64", "uint32", "int64", casts("int8", "int64")),
    ("float64 to float32", "float64", "float32", floats(lambda x, y: number(cast(x * 2.0**100, "float32")))),
    ("float32 to float64", "float32", "float64", floats(lambda x, y: number(cast(x, "float64")))),
    ("float64 to float16", "float64", "float16", floats(lambda x, y: number(x))),
    ("children of children", "uint32", "uint32", lambda lane: lane.split(2)[1].split(3)[2].bits()),
    ("words of another width", "float32", "uint64", lambda lane: lane.bits(64)),
    ("two loops", "uint32", "uint32", two_loops),
    (
        "a loop of conditions",
        "float32",
        "bool",
        lambda lane: lane.attempts(lambda lane: (lane.bits() > 9, lane.bits() > 1 << 31)),
    ),
    # The elementary functions at floats of every kind, which samplers do not reach.
    *((f"{name} {dtype}", dtype, dtype, elementary(name)) for name in ELEMENTARY for dtype in ("float32", "float64")),
    ("power", "float32", "float32", floats(lambda x, y: number(language_of_kernels.power(x, y)))),
    ("power 64", "float64", "float64", floats(lambda x, y: number(language_of_kernels.power(x, y)))),
]


@cache
def language() -> list[tuple[Subject, Dtype]]:
    made = []
    for name, compute, dtype, function in LANGUAGE:
        subject = Subject(Kernel(function, f"language {name}", (compute,)), np.dtype(compute))
        made.append((subject, np.dtype(dtype)))
    return made


@needs_gxx
def test_language(build: Callable[..., ctypes.CDLL]) -> None:
    library = build(
        host_text("philox4x32", [cuda.Request(s.kernel, s.compute, dtype) for s, dtype in language()]), FAST
    )

    for subject, dtype in language():
        compare(library, "philox4x32", subject, dtype, Launch(1, 1, 999, (7, 1, 128, 1), "one"))
        compare(library, "philox4x32", subject, dtype, Launch(3, 5, 7, (2, 2, 3, 1), "one"))


# The text itself


def test_a_floating_point_operation_is_a_call() -> None:
    # What a compiler knows as a float operation, its flags may change.
    statements = re.findall(r"(?:float|double) \w+ = (.*);", cuda.module(algorithms.get("threefry2x32"), requests()))
    operand = r"(?:\w+|float\d+_of\(0x[0-9a-f]+u(?:ll)?\))"
    allowed = re.compile(rf"\w+\(.*\)|\w+ \? {operand} : {operand}")

    assert len(statements) > 1000
    assert [s for s in statements if not allowed.fullmatch(s)] == []


def test_the_text_includes_nothing() -> None:
    assert "#include" not in cuda.module(algorithms.get("philox4x64"), requests())


def test_the_text_is_the_same_in_every_run() -> None:
    program = (
        "import hashlib, numpy, keyrng; from keyrng import algorithms; from keyrng.kernels import cuda, lane\n"
        "made = [cuda.source(cuda.Request(k, numpy.dtype(d), numpy.dtype(d)), algorithms.get('threefry2x64'))\n"
        "        for k in lane.kernels() for d in k.dtypes if k.name in ('normal', 'gamma', 'randint')]\n"
        "print(len(made), hashlib.sha256(''.join(made).encode()).hexdigest())"
    )
    printed = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HERE.parent)}
        command = [sys.executable, "-c", program]
        printed.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert len(printed) == 1


@pytest.mark.parametrize(
    ("function", "dtype", "says"),
    [
        (lambda lane: lane.bits(), "bool", "returned uint32, asked for was bool"),
        (lambda lane: lane.bits() < 5, "uint32", "returned bool, asked for was uint32"),
        (lambda lane: cast(lane.bits(), "float32"), "int32", r"returned float32, asked for was int32; cast\(\)"),
    ],
)
def test_results_are_not_converted_silently(function: Any, dtype: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        cuda.source(
            cuda.Request(Kernel(function, "f", ()), np.dtype("uint32"), np.dtype(dtype)), algorithms.get("philox4x32")
        )


# nvcc


def ptx(text: str, folder: Path, *flags: str) -> str:
    """What nvcc makes of a text: instructions only, for the header names the command."""
    (folder / "text.cu").write_text(text)
    command = [str(NVCC), "-w", "-ptx", "-arch=sm_80", *flags, "-o", str(folder / "text.ptx"), str(folder / "text.cu")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    return (folder / "text.ptx").read_text()


CUPY = ("--fmad=false", "-ftz=true")  # the project's flag, and what CuPy appends to it
ALLOWED = re.compile(
    r"(add|sub|mul|div|sqrt)\.rn\.f(32|64)"
    r"|set\.(lt|le|gt|ge|eq|neu)\.u32\.f(32|64)"
    r"|(mov|ld\.global(\.nc)?|ld\.param|st\.global|st\.param|selp)\.f(32|64)"
    r"|cvt\.rn\.f(32|64)\.[us](32|64)|cvt\.rzi\.[us](32|64)\.f(32|64)|cvt\.rn\.f32\.f64|cvt\.f64\.f32"
)


def not_exact(text: str) -> set[str]:
    """The floating-point instructions that are not rounded once, or that flush."""
    instructions = set(re.findall(r"^\s*(?:\{\s*)?(?:@!?%\w+ )?([a-z]\w*(?:\.\w+)+)\s", text, re.MULTILINE))
    return {i for i in instructions if re.search(r"\.f\d\d|fma|ftz|approx", i) and not ALLOWED.fullmatch(i)}


@needs_nvcc
def test_ptx_of_every_kernel(tmp_path: Path) -> None:
    wanted = [*requests(), *(cuda.Request(subject.kernel, subject.compute, dtype) for subject, dtype in language())]
    text = cuda.module(algorithms.get("threefry2x32"), wanted)
    cupy = ptx(text, tmp_path, *CUPY)

    assert cupy.count(".visible .entry") == len(wanted)
    assert not re.search(r"\bfma\.|\.ftz|approx", cupy)
    assert not_exact(cupy) == set()
    # Contracting and not flushing, as nvcc does by itself, and all it could do: not one instruction changes.
    assert ptx(text, tmp_path) == cupy
    assert ptx(text, tmp_path, "--use_fast_math") == cupy


@needs_nvcc
@each_algorithm
def test_ptx_of_every_algorithm(tmp_path: Path, algorithm: str) -> None:
    gamma = next(s for s in subjects() if s.kernel.name == "gamma" and s.compute == np.float32)
    text = cuda.source(cuda.Request(gamma.kernel, gamma.compute, gamma.compute), algorithms.get(algorithm))

    assert not_exact(ptx(text, tmp_path, *CUPY)) == set()


@needs_nvcc
def test_what_the_ptx_test_sees(tmp_path: Path) -> None:
    # The control: the operators of C under the same flags.
    operators = 'extern "C" __global__ void f(float *p, float x, float y) { p[0] = x * y + p[0]; p[1] = x / y; }'

    assert not_exact(ptx(operators, tmp_path, "-ftz=true")) == {"fma.rn.ftz.f32", "div.rn.ftz.f32"}
    assert "div.approx.ftz.f32" in not_exact(ptx(operators, tmp_path, "--use_fast_math"))
