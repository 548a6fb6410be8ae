"""Helpers of the CUDA source tests: every kernel with parameters, and launches on the host.

Host compilers read the source through cuda_host.h, which defines the prelude's operations and iterates over the grid.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

import cuda_on_host
import numpy as np
import pytest
from cases import CASES, Array, all_intercepted, on
from cuda_on_host import GXX, STRICT

import keyrng
from keyrng import algorithms
from keyrng._codegen import cuda
from keyrng._executors.base import DrawSpec, ElementRange
from keyrng._sampling.draw import fill
from keyrng.distributions.index_shuffle import _index_shuffle, _index_unshuffle
from keyrng.kernels.lane import Kernel, kernel_of

needs_gxx = pytest.mark.skipif(GXX is None, reason="no g++ on the PATH to run the CUDA source")
FAST = ("-O0", *STRICT[1:])  # to compile

Dtype = np.dtype[Any]


# The subjects: every kernel with the parameters that the samplers of cases.py pass to it


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
                name = call.spec.kernels[0].name, call.spec.compute.name
                subject = found.setdefault(name, Subject(call.spec.kernels[0], call.spec.compute))
                subject.dtypes[call.spec.dtype.name] = call.spec.dtype
                columns = [np.broadcast_to(value, len(sets)).tolist() for value in call.spec.values]
                subject.rows.update(dict.fromkeys(zip(*columns, strict=True)))
    parts = [
        Subject(kernel, np.dtype(dtype), {dtype: np.dtype(dtype)}, dict.fromkeys(rows))
        for kernel, rows in PARTS.items()
        for dtype in kernel.dtypes
    ]
    shuffles = [Subject(k, UINT64, {"int64": np.dtype(np.int64)}, dict(SHUFFLES)) for k in SHUFFLED]
    chances = [
        Subject(kernel_of(name), np.dtype(dtype), {"bool": np.dtype(bool)}, dict(CHANCES))
        for name in ("bernoulli", "bernoulli_high")
        for dtype in ("float32", "float64")
    ]
    known = {(subject.kernel.name, subject.compute.name) for subject in chances}
    return (*(s for name, s in found.items() if name not in known), *parts, *shuffles, *chances)


# Kernels without a row in cases.py: parts of vector samplers, and index_shuffle, which computes its parameters: size,
# rows, columns, 2**32 / columns, the first round and two keys. Its rows and columns are those of n = 2, 40, 10**12,
# 2**63 - 1 and 2**63.
PARTS: dict[Kernel, list[tuple[float, ...]]] = {
    kernel_of("gamma_factor"): [(2.5,), (0.3,)],
    kernel_of("gamma_boost"): [(2.5,), (0.3,), (1e-3,)],
    kernel_of("boosted"): [(2.5, 0.0), (1.25, -3.5), (1.0, -1e5)],
    kernel_of("over_total"): [(2.5, 4.0), (0.0, 1.0), (1e-30, 3e30)],
    kernel_of("add_mean"): [(2.5, 0.5), (-1.25, 1e8), (0.0, -3.0)],
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
    kernel_of("part"): [(1.0,), (0.3,), (1e300,)],
    kernel_of("part_of_xor"): [(1.0,), (0.3,), (1e300,)],
    kernel_of("logarithm"): [(0.0,), (5e-324,), (0.3,), (1e300,)],
    kernel_of("ball"): [(-3.5, 2.25, 2.0), (0.5, 7.0, 0.75), (-1e4, 1.0, 30.0), (-1e9, 0.0, 1e4)],
    kernel_of("segment"): [(-3.5, 2.25, 2.0), (9.0, 0.5, 1e-4), (-1e9, 0.0, 1e4)],
}
CHANCES: dict[tuple[float, ...], None] = dict.fromkeys([(0.3,), (0.0,), (1.0,), (1e-8,), (3 * 2.0**-33,), (0.5,)])
UINT64 = np.dtype(np.uint64)
SHUFFLED = (_index_shuffle, _index_unshuffle)
SHUFFLES: dict[tuple[int, ...], None] = dict.fromkeys(
    (place * (rows * columns - 1) // 7, rows, columns, 2**32 // columns, 12 * place, 3**40 - place, 5**27 + place)
    for rows, columns in ((1, 2), (5, 8), (953_675, 2**20), (2**32, 2**31), (2**31, 2**32))
    for place in range(8)
)


def requests() -> list[cuda.Request]:
    return [cuda.Request(s.kernel, s.compute, dtype) for s in subjects() for dtype in s.dtypes.values()]


def every_kernel() -> list[cuda.Request]:
    """Return a request for every kernel in each dtype it computes in, and for every way to store a result."""
    wanted, stores = [], set()
    for subject in subjects():
        plain = ("int32", "int64") if subject.compute.name not in subject.dtypes else (subject.compute.name,)
        if not subject.dtypes.keys() & set(plain):
            plain = (next(iter(subject.dtypes)),)  # floats of another width
        for name, dtype in subject.dtypes.items():
            if name in plain or len(subject.dtypes) == 1 or (subject.compute.name, name) not in stores:
                wanted.append(cuda.Request(subject.kernel, subject.compute, dtype))
            stores.add((subject.compute.name, name))
    return wanted


# The host's side of a launch


def host_text(algorithm: str, wanted: Sequence[cuda.Request]) -> str:
    """The text of some kernels with a launcher for each."""
    return cuda_on_host.host_text(cuda.module(algorithms.get(algorithm), wanted))


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
#: Kernels that are launched without keys.
WITHOUT_WORDS = {"exp", "boosted", "over_total", "add_mean", "index_shuffle", "index_unshuffle"}


class Memory:
    """Bytes for a result, so many behind a multiple of 16, among others that must not change."""

    margin = 64

    def __init__(self, size: int, behind: int) -> None:
        slack = 16 if self.margin else 0  # a sanitizer needs the elements without margins
        self._whole = np.full(size + behind + 2 * self.margin + slack, PADDING, np.uint8)
        self._first = self.margin + -self._whole.ctypes.data % 16 + behind
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
    """Launch the function and return its elements; fail if it writes outside of them."""
    words = np.ascontiguousarray(keyrng.key_data(key_of(algorithm, launch.keys)))
    itemsize = request.dtype.itemsize
    memory = Memory(launch.keys * launch.count * itemsize, launch.behind * itemsize)
    number = ctypes.c_uint64
    drawn = request.kernel.name not in WITHOUT_WORDS
    values: list[Any] = [ctypes.c_void_p(words.ctypes.data if drawn else None)]
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
    key, values = key_of(algorithm, launch.keys), tuple(everywhere(launch, parameters))
    spec = DrawSpec((request.kernel,), key._algorithm, key._words, out.shape, out.dtype, request.compute, values)
    with on("numpy"):
        fill(spec, ElementRange(launch.start, launch.count, launch.size), out)
    return out
