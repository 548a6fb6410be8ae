"""The CUDA source compiled by nvcc or NVRTC: no operation that a flag could change, no spills, few instructions.

These tests need no GPU. test_cuda_source.py tests that the same source gives NumPy's bits.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cases import each_algorithm
from cuda_compilers import MISSING, OnEach, available, compiled
from cuda_language import language
from cuda_text import every_kernel, subjects

from keyrng import algorithms
from keyrng._codegen import cuda, cuda_keys, cuda_rows
from keyrng.distributions._shared import covariance_cuda, gumbel_top_k_cuda
from keyrng.kernels.lane import kernel_of

HERE = Path(__file__).parent

dirichlet, index_shuffle, multivariate_normal, wishart = (
    importlib.import_module(f"keyrng.distributions.{name}")
    for name in ("dirichlet", "index_shuffle", "multivariate_normal", "wishart")
)

needs_compiler = pytest.mark.skipif(not available(), reason=MISSING)

CUPY = ("--fmad=false", "-ftz=true")  # the project's flag, and what CuPy appends to it
FAST_MATH = ("--use_fast_math",)  # all that a compiler could do to floats
ARCHITECTURES = ("sm_75", "sm_80", "sm_90", "sm_100", "sm_120")
ALLOWED = re.compile(
    r"(add|sub|mul|div|sqrt)\.rn\.f(32|64)"
    r"|set\.(lt|le|gt|ge|eq|neu)\.u32\.f(32|64)"
    r"|(mov|ld\.global(\.nc)?|[ls][dt]\.shared|ld\.param|st\.global|st\.param|selp)\.f(32|64)"
    r"|cvt\.rn\.f(32|64)\.[us](32|64)|cvt\.rzi\.[us](32|64)\.f(32|64)|cvt\.rn\.f32\.f64|cvt\.f64\.f32"
)


def ptx(text: str, *flags: str) -> str:
    return compiled(text, "sm_80", *flags, ptx=True).instructions


def not_exact(text: str) -> set[str]:
    """The floating-point instructions that are not rounded once, or that flush."""
    instructions = set(re.findall(r"^\s*(?:\{\s*)?(?:@!?%\w+ )?([a-z]\w*(?:\.\w+)+)\s", text, re.MULTILINE))
    return {i for i in instructions if re.search(r"\.f\d\d|fma|ftz|approx", i) and not ALLOWED.fullmatch(i)}


def without_hashes(text: str) -> str:
    """Leave out the hashes of a file and of the flags that nvcc puts in the names of constants."""
    return re.sub(r"(_INTERNAL)_[0-9a-f]{8}(_\w+?_cu)_[0-9a-f]{8}", r"\1\2", text)


def fills() -> list[cuda.Request]:
    """Return requests for the most frequent draws: words, and floats computed from them."""
    float32, uint32 = np.dtype(np.float32), np.dtype(np.uint32)
    floats = [cuda.Request(kernel_of(name), float32, float32) for name in ("unit", "normal", "exponential")]
    return [cuda.Request(kernel_of("bits"), uint32, uint32), *floats]


@cache
def every_kernel_made() -> OnEach:
    return OnEach(cuda.module(algorithms.get("threefry2x32"), every_kernel()), *FAST_MATH)


# The flags that could change bits: what CuPy gives, what nvcc takes by itself, and all it could do.


@pytest.mark.long
@needs_compiler
def test_ptx_of_every_kernel() -> None:
    made = every_kernel_made().common.instructions

    assert made.count(".visible .entry") == len(every_kernel())
    assert {(r.kernel, r.compute) for r in every_kernel()} == {(s.kernel, s.compute) for s in subjects()}
    assert not_exact(made) == set()


@pytest.mark.long
@needs_compiler
def test_flags_change_no_instruction() -> None:
    operations = [cuda.Request(s.kernel, s.compute, dtype) for s, dtype in language()]
    text = cuda.module(algorithms.get("philox4x32"), [*fills(), *operations])
    fast = ptx(text, *FAST_MATH)

    assert not_exact(fast) == set()
    assert without_hashes(ptx(text, *CUPY)) == without_hashes(fast)
    some = cuda.module(algorithms.get("philox4x32"), fills())
    assert ptx(some) == ptx(some, *FAST_MATH)


@needs_compiler
def test_what_the_ptx_tests_see() -> None:
    # The control: the operators of C under the same flags.
    operators = 'extern "C" __global__ void f(float *p, float x, float y) { p[0] = x * y + p[0]; p[1] = x / y; }'

    assert not_exact(ptx(operators, "-ftz=true")) == {"fma.rn.ftz.f32", "div.rn.ftz.f32"}
    assert "div.approx.ftz.f32" in not_exact(ptx(operators, *FAST_MATH))


# Machine code


@pytest.mark.long
@needs_compiler
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_kernel_needs_no_local_memory(arch: str) -> None:
    used = every_kernel_made().on(arch).local_memory()

    names = [cuda.function_name(request, algorithms.get("threefry2x32")) for request in every_kernel()]
    assert used == dict.fromkeys(names, (0, 0, 0))


@needs_compiler
@each_algorithm
@pytest.mark.turns(3)
def test_every_algorithm_needs_no_local_memory(algorithm: str) -> None:
    chosen = algorithms.get(algorithm)
    gamma = cuda.Request(kernel_of("gamma"), np.dtype(np.float32), np.dtype(np.float32), (lambda x: x > 0,))
    wanted = [*fills(), gamma]
    text = cuda.module(chosen, wanted)
    made = OnEach(text, *CUPY)
    for arch in ARCHITECTURES:
        names = [cuda.function_name(request, chosen) for request in wanted]
        assert made.on(arch).local_memory() == dict.fromkeys(names, (0, 0, 0)), arch
    keys = compiled(cuda_keys.key_source(chosen), "sm_90", *CUPY).local_memory()

    assert keys == dict.fromkeys((cuda_keys.split_name(chosen), cuda_keys.fold_name(chosen)), (0, 0, 0))
    assert not_exact(made.common.instructions) == set()


ROWS: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "boosted shares": (dirichlet._boosted_shares, ("float32",) * 3, False),
    "vector": (multivariate_normal._vector, ("float64",) * 3, True),
    "square": (wishart._square, ("float32",) * 4, True),
    "triangle": (covariance_cuda._checked_triangle, (*["float64"] * 4, "uint64"), False),
    "columns": (wishart._column, ("float32", "float32", "uint64"), False),
    "centered": (gumbel_top_k_cuda.centered_row_to_float32, ("float64",), False),
    "drawn": (gumbel_top_k_cuda._drawn, ("uint32",), True),
    "drawn of 64 bits": (gumbel_top_k_cuda._drawn, ("uint64",), True),
}


@needs_compiler
@pytest.mark.turns(3)
@pytest.mark.parametrize("name", ROWS)
def test_functions_of_rows(name: str) -> None:
    function, dtypes, reduced = ROWS[name]
    given = tuple(map(np.dtype, dtypes))
    request = cuda_rows.RowRequest(function, given, tuple(range(len(given))), reduced)
    text = cuda_rows.row_source(request)
    fast = ptx(text, *FAST_MATH)

    assert not_exact(fast) == set()
    assert without_hashes(ptx(text, *CUPY)) == without_hashes(fast)
    assert compiled(text, "sm_90", *CUPY).local_memory() == {cuda_rows.row_name(request): (0, 0, 0)}


@needs_compiler
@each_algorithm
@pytest.mark.turns(3)
def test_the_walk_of_an_index(algorithm: str) -> None:
    chosen, word = algorithms.get(algorithm), np.dtype(np.uint64)
    kernels = index_shuffle._FORWARDS, index_shuffle._BACKWARDS
    wanted = [cuda.Request(kernel, word, np.dtype(np.int64)) for kernel in kernels]
    used = compiled(cuda.module(chosen, wanted), "sm_90", *CUPY).local_memory()

    assert used == {cuda.function_name(request, chosen): (0, 0, 0) for request in wanted}


@needs_compiler
def test_what_the_memory_tests_see() -> None:
    # The control: an array that is read at a place known only when it runs.
    text = """extern "C" __global__ void f(float *p, int n) {
        float a[64];
        for (int i = 0; i < 64; i++) a[i] = p[i];
        for (int i = 0; i < n; i++) a[(int)p[i] & 63] += 1;
        for (int i = 0; i < 64; i++) p[i] = a[i];
    }"""
    assert compiled(text, "sm_90").local_memory()["f"][0] >= 256


# Instructions in the main loop


@cache
def sass() -> ModuleType:
    """benchmarks/sass.py, which counts them."""
    path = HERE.parents[1] / "benchmarks" / "sass.py"
    if not path.exists():
        pytest.skip("benchmarks/sass.py is not in the tree of these tests")
    spec = importlib.util.spec_from_file_location("sass", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sass"] = module
    spec.loader.exec_module(module)
    return module


# Instructions a 32-bit word on sm_90: bits at most so many, uniforms at most three more.
TARGETS = {"threefry2x32": 74, "threefry4x32": 40, "philox4x32": 18}


@needs_compiler
def test_instructions_a_word() -> None:
    counter = sass()
    if counter.nvdisasm() is None:
        pytest.skip(counter.MISSING)
    wanted = [fill for name in TARGETS for fill in (("bits", "uint32", name), ("unit", "float32", name))]
    counts = counter.fills("sm_90", wanted)
    model = importlib.import_module("gpu_model").COUNTS
    each = {fill: count.instructions / count.words for fill, count in counts.items()}

    for name, most in TARGETS.items():
        # Not less than the rounds need: a count that misses the loop would pass.
        assert most / 2 < each["bits", name] <= most
        assert each["unit", name] <= each["bits", name] + 3
        for kernel in ("bits", "unit"):
            assert each[kernel, name] == pytest.approx(model[kernel, name].instructions, rel=0.05)
