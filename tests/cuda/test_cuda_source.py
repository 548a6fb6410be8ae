"""The CUDA source, tested without a GPU: a host compiler runs it, and its bits are compared with NumPy's."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cuda_on_host
import numpy as np
import pytest
from cases import ALGORITHMS, Array, assert_same, each_algorithm
from cuda_language import language
from cuda_on_host import GXX, STRICT
from cuda_text import (
    BROADCASTS,
    FAST,
    LAUNCHES,
    Dtype,
    Launch,
    Subject,
    every_kernel,
    host_text,
    launched,
    launches,
    needs_gxx,
    reference,
    requests,
    subjects,
)

from keyrng import algorithms
from keyrng._codegen import cuda, cuda_keys
from keyrng.kernels.lane import Kernel, kernel_of, kernels
from keyrng.kernels.ops import cast, rotl

HERE = Path(__file__).parent


# Kernels of small draws on the CPU; tests/executors/test_entries.py tests them.
SMALL_DRAWS = (
    "uniform_between", "uniform_order", "triangular_order", "negative_binomial_fits",
    "negative_binomial_fits_and_is_small", "hypergeometric_fits", "hypergeometric_fits_and_is_small",
    "binomial_is_small", "normal_between", "normal_between_tails", "normal_order", "normal_order_near",
)  # fmt: skip

# Kernels that find the classes of large draws on the CPU; tests/distributions/test_gumbel_race.py tests them.
RACES = ("race", "race_of_64_bits")


def test_every_kernel_is_reached() -> None:
    # A kernel without a row in cases.py would not be tested here.
    reached = {(s.kernel.name, s.compute.name) for s in subjects()}
    usual = {k.usual[0].name for k in kernels() if k.usual}  # on the CPU only: tests/kernels/test_usual.py
    left_out = usual.union(SMALL_DRAWS, RACES)
    ours = [k for k in kernels() if k.function.__module__.startswith("keyrng.") and k.name not in left_out]
    registered = {(k.name, dtype) for k in ours for dtype in k.dtypes}

    assert registered - reached == set()


# The same bits as NumPy


def compare(library: ctypes.CDLL, algorithm: str, subject: Subject, dtype: Dtype, launch: Launch) -> None:
    request = cuda.Request(subject.kernel, subject.compute, dtype)
    parameters = subject.parameters(BROADCASTS[launch.broadcast].values(launch.keys, launch.count))
    actual = launched(library, algorithm, request, launch, parameters)

    name = cuda.function_name(request, algorithms.get(algorithm))
    assert_same(actual, reference(algorithm, request, launch, parameters), name, launch)


@needs_gxx
@each_algorithm
def test_places_beyond_what_a_key_has(algorithm: str) -> None:
    # Indices are words without sign: nothing happens where they would change it.
    subject = next(s for s in subjects() if s.kernel.name == "bits" and s.compute == np.uint64)
    start = 2**56 - 21 if algorithms.get(algorithm).jax_layout else 2**63 - 21
    made = cuda_on_host.library(host_text(algorithm, [cuda.Request(subject.kernel, subject.compute, subject.compute)]))

    compare(made, algorithm, subject, subject.compute, Launch(2, start, 37, (2, 1, 3, 1), "one"))


@needs_gxx
@each_algorithm
@pytest.mark.turns(3)
def test_every_kernel(algorithm: str) -> None:
    library = cuda_on_host.library(host_text(algorithm, requests()), FAST)

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
    guards = tuple(between(np.nanmin(c).item(), np.nanmax(c).item()) for c in columns)
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
def test_guards() -> None:
    # Loops too: with such parameters, and no guard, most would go on for ever.
    wanted = [(s, dtype, guarded(s, dtype)) for s in subjects() if s.kernel.parameters for dtype in s.dtypes.values()]
    library = cuda_on_host.library(host_text("philox4x32", [request for _, _, request in wanted]), FAST)
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
def test_some_guards() -> None:
    # None lets everything pass, and guards of None alone are none.
    uniform = kernel_of("uniform")
    float32 = np.dtype(np.float32)
    free = cuda.Request(uniform, float32, float32, (None, None, None))
    some = cuda.Request(uniform, float32, float32, (None, lambda x: x < 4, None))
    chosen = algorithms.get("philox4x32")
    assert cuda.function_name(free, chosen) == cuda.function_name(cuda.Request(uniform, float32, float32), chosen)
    library = cuda_on_host.library(host_text("philox4x32", [free, some]))
    launch = Launch(1, 0, 9, (1, 1, 1, 1), "whole")
    given = [np.resize(np.array(p, float32), 9) for p in ([0.0, np.nan, -1.0], [1.0, 3.0, 4.0], [9.0])]
    all_of, some_of = (launched(library, "philox4x32", r, launch, given)[0] for r in (free, some))

    assert_same(all_of, reference("philox4x32", free, launch, given)[0])
    assert_same(some_of, np.where(given[1] < 4, all_of, missing(float32)))


# Sanitizers: no access outside the arrays, and no undefined behavior

SANITIZE = ("-O0", *STRICT[1:], "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
LAUNCH_ALL = """
import ctypes, sys
from cuda_text import BROADCASTS, LAUNCHES, Launch, Memory, every_kernel, launched, subjects
Memory.margin = 0
library = ctypes.CDLL(sys.argv[1])
by_kernel = {(s.kernel, s.compute): s for s in subjects()}
for request in every_kernel()[slice(*map(int, sys.argv[2:]))]:
    subject = by_kernel[request.kernel, request.compute]
    for launch in (*LAUNCHES, Launch(2, 3, 61, (1, 1, 2, 1), "whole", 1)):
        parameters = subject.parameters(BROADCASTS[launch.broadcast].values(launch.keys, launch.count))
        launched(library, "philox4x32", request, launch, parameters)
print("done")
"""


@needs_gxx
@pytest.mark.long
def test_sanitizers() -> None:
    runtime = subprocess.run([str(GXX), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip("g++ has no libasan.so")
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1]), *sys.path]),
        "PYTHONMALLOC": "malloc",
    }

    def run(text: str, first: int, stop: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", LAUNCH_ALL, str(cuda_on_host.compiled(text, SANITIZE)), str(first), str(stop)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    wanted = every_kernel()
    done = run(host_text("philox4x32", wanted), 0, len(wanted))
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr[:4000]
    # The controls: stores behind a row's last element, and 16 bytes at once where they are not aligned.
    unit = next(i for i, request in enumerate(wanted) if request.kernel.name == "unit")
    text = host_text("philox4x32", wanted[unit : unit + 1])
    careless = text.replace("if ((u64)(at + i) < count) to[at + i]", "to[at + i]")
    assert "heap-buffer-overflow" in run(careless, unit, unit + 1).stderr
    misaligned = text.replace("((u64)row - start * W) % 16 == 0 && ", "")
    assert "misaligned address" in run(misaligned, unit, unit + 1).stderr


def has_fma() -> bool:
    try:
        return " fma " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


@needs_gxx
@pytest.mark.skipif(not has_fma(), reason="the processor has no fused multiply-add")
def test_fused_multiply_add_is_a_matter_of_flags() -> None:
    by_name = {(s.kernel.name, s.compute.name): s for s in subjects()}
    chosen = [by_name[name, dtype] for name in ("normal", "gamma") for dtype in ("float32", "float64")]
    wanted: list[cuda.Request] = [cuda.Request(s.kernel, s.compute, s.compute) for s in chosen]
    text = host_text("threefry2x32", wanted)
    strict = cuda_on_host.library(text, ("-O2", "-mfma", "-ffp-contract=off", "-fno-math-errno"))
    loose = cuda_on_host.library(text, ("-O2", "-mfma", "-ffp-contract=fast", "-fno-math-errno"))

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
    for line in (HERE.parent / "data" / "known-answers.txt").read_text().splitlines():
        fields = line.split()
        if fields and fields[0] == name:
            words = [int(word, 16) for word in fields[2:]]
            yield words[:counter], words[counter : counter + key], words[counter + key :]


@needs_gxx
@each_algorithm
def test_known_answers(algorithm: str) -> None:
    chosen = algorithms.get(algorithm)
    arguments = ", ".join(f"p[{i}]" for i in range(chosen.block_words))
    stores = " ".join(f"out[{i}] = made.w{i};" for i in range(chosen.block_words))
    library = cuda_on_host.library(
        f"""#include "cuda_host.h"
        {cuda_keys.key_source(chosen)}
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
    """A rejection that needs so many attempts on average, each of so many words; counts its attempts on NumPy."""

    words: int
    odds: int
    attempts: int = 0

    def __call__(self, lane: Any) -> Any:
        return lane.rejection_loop(self.attempt)

    def attempt(self, lane: Any) -> tuple[Any, Any]:
        self.attempts += 1
        words = [lane.bits() for _ in range(self.words)]
        mixed = words[0]
        for word in words[1:]:
            mixed = rotl(mixed, 7) + word
        return (mixed >> 9) % self.odds == 0, mixed


# Three words are two blocks of threefry2x32, and its 256 draw numbers end in the middle of an attempt; five are more
# than any block. The other algorithms' 2**32 draw numbers do not end here.
STUBBORN = [
    *(("threefry2x32", words, 512, dtype) for words in (1, 3, 5) for dtype in ("uint32", "uint64")),
    *((algorithm, 5, 32, f"uint{32 << i % 2}") for i, algorithm in enumerate(ALGORITHMS[1:])),
]


@needs_gxx
@pytest.mark.parametrize(("algorithm", "words", "odds", "dtype"), STUBBORN)
@pytest.mark.turns(3)
def test_rejection_beyond_the_draw_numbers(algorithm: str, words: int, odds: int, dtype: str) -> None:
    function = Stubborn(words, odds)
    subject = Subject(Kernel(function, "stubborn", (dtype,)), np.dtype(dtype))
    made = cuda_on_host.library(host_text(algorithm, [cuda.Request(subject.kernel, subject.compute, subject.compute)]))
    for launch in (Launch(1, 2**32 - 3, 11, (1, 1, 4, 1), "one"), Launch(2, 1, 7, (2, 1, 1, 1), "one")):
        function.attempts = 0

        compare(made, algorithm, subject, subject.compute, launch)
        assert function.attempts > odds  # NumPy counted them; the elements need as many here


# The language: what no sampler needs today is printed right all the same


@needs_gxx
def test_language() -> None:
    library = cuda_on_host.library(
        host_text("philox4x32", [cuda.Request(s.kernel, s.compute, dtype) for s, dtype in language()]), FAST
    )

    for subject, dtype in language():
        compare(library, "philox4x32", subject, dtype, Launch(1, 1, 999, (7, 1, 128, 1), "one"))
        compare(library, "philox4x32", subject, dtype, Launch(3, 5, 7, (2, 2, 3, 1), "one"))


# The text itself


def test_a_floating_point_operation_is_a_call() -> None:
    # Compiler flags may change any operation that the compiler recognizes as floating-point.
    statements = re.findall(r"(?:float|double) \w+ = (.*);", cuda.module(algorithms.get("threefry2x32"), requests()))
    operand = r"(?:\w+|float\d+_of\(0x[0-9a-f]+u(?:ll)?\))"
    allowed = re.compile(rf"\w+\(.*\)|\w+ \? {operand} : {operand}|{operand}")

    assert len(statements) > 1000
    assert [s for s in statements if not allowed.fullmatch(s)] == []


def test_the_text_includes_nothing() -> None:
    assert "#include" not in cuda.module(algorithms.get("philox4x64"), requests())


def test_the_text_is_the_same_in_every_run() -> None:
    program = (
        "import hashlib, numpy; from keyrng import algorithms\n"
        "from keyrng._codegen import cuda; from keyrng.kernels import lane\n"
        "made = [cuda.source(cuda.Request(k, numpy.dtype(d), numpy.dtype(d)), algorithms.get('threefry2x64'))\n"
        "        for k in lane.kernels() for d in k.dtypes if k.name in ('normal', 'gamma', 'randint')]\n"
        "print(len(made), hashlib.sha256(''.join(made).encode()).hexdigest())"
    )
    printed = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HERE.parents[1])}
        command = [sys.executable, "-c", program]
        printed.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert len(printed) == 1


@pytest.mark.parametrize(
    ("function", "dtype", "says"),
    [
        (lambda lane: lane.bits(), "bool", "result uint32 cannot be stored as bool"),
        (lambda lane: lane.bits() < 5, "uint32", "result bool cannot be stored as uint32"),
        (lambda lane: cast(lane.bits(), "float32"), "int32", r"result float32 cannot be stored as int32; use cast\(\)"),
    ],
)
def test_results_are_not_converted_silently(function: Any, dtype: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        cuda.source(
            cuda.Request(Kernel(function, "f", ()), np.dtype("uint32"), np.dtype(dtype)), algorithms.get("philox4x32")
        )
