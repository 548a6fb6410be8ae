"""Maps, the straight-line code of kernels in C: vectors side by side, the rest, tails and counts."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tails import counts, decided_in_a_tail, looked_up, nested_tails, two_tails

import keyrng
from keyrng._codegen.c import _Source, table_definition
from keyrng._executors import native
from keyrng.kernels import erfinv, lookup
from keyrng.kernels.symbols import Graph

CSRC = Path(keyrng.__file__).parent / "_executors" / "csrc"
FLAGS = ("-O1", "-std=gnu11", "-ffp-contract=off", "-fwrapv", "-shared", "-fPIC", "-Wno-psabi")

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def compiled(folder: Path, function: Callable[..., Any], dtype: str, copies: int, flags: tuple[str, ...]) -> Any:
    """Compile a function of two floats as a map."""
    graph = Graph()
    inputs = [graph.node("param", np.dtype(dtype), i) for i in range(2)]
    source = _Source()
    source.map("tested", 64 if dtype == "float64" else 32, inputs, [function(*inputs)], copies)
    tables = [table_definition(table) for table in lookup.tables().values()]
    text = "void run(size_t n, const void *const *in, void *const *out) { map_tested(n, in, out); }"
    (folder / "map.c").write_text("\n".join(['#include "vector.h"', *tables, *source.functions, text]))
    subprocess.run(["gcc", *FLAGS, *flags, f"-I{CSRC}", folder / "map.c", "-o", folder / "map.so", "-lm"], check=True)
    return ctypes.CDLL(str(folder / "map.so")).run


ISAS = {
    "scalar": ("-DKEYRNG_SCALAR",),
    "baseline": (),
    "avx2": ("-mavx2",),
    "avx512": ("-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw"),
}
FUNCTIONS = [
    *(
        (function, dtype)
        for function in (nested_tails, two_tails, decided_in_a_tail, counts)
        for dtype in ("float32", "float64")
    ),
    *((lambda x, y: erfinv(x * 0.5), dtype) for dtype in ("float32", "float64")),
    (looked_up, "float64"),
]


@pytest.mark.parametrize("copies", [1, 2, 4])
@pytest.mark.turns(2)
@pytest.mark.parametrize("isa", ["scalar", *native.instruction_sets()])
@pytest.mark.parametrize(("function", "dtype"), FUNCTIONS)
def test_maps(function: Callable[..., Any], dtype: str, copies: int, isa: str, tmp_path: Path) -> None:
    run = compiled(tmp_path, function, dtype, copies, ISAS[isa])
    rng = np.random.default_rng(0)
    for n in (1, 5, 16, 17, 63, 64, 65, 300):
        padded = -(-n // 64) * 64
        inputs = [rng.uniform(-2, 2, padded).astype(dtype) for _ in range(2)]
        if n == 300:
            inputs[0][:256] = -1.5  # no tail in most groups
            inputs[1][:256] = 1.5
        expected = function(*inputs)
        actual = np.zeros(padded, dtype)
        pointers = [(ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays)) for arrays in (inputs, [actual])]
        run(ctypes.c_size_t(n), *pointers)
        np.testing.assert_array_equal(actual[:n].view("u1"), expected[:n].view("u1"))
