"""Maps, the straight-line code of kernels in C: vectors side by side, the rest, tails, counts, and collected lanes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tails import attempt, counts, decided_in_a_tail, looked_up, nested_tails, two_tails

import keyrng
from keyrng._codegen.c import _Source, table_definitions
from keyrng._codegen.c_maps import row
from keyrng._executors import native
from keyrng.kernels import erfinv
from keyrng.kernels.symbols import Graph, Symbol

Array = np.ndarray[Any, Any]

CSRC = Path(keyrng.__file__).parent / "_executors" / "csrc"
FLAGS = ("-O1", "-std=gnu11", "-ffp-contract=off", "-fwrapv", "-shared", "-fPIC", "-Wno-psabi")

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def two_floats(dtype: str) -> list[Symbol]:
    graph = Graph()
    return [graph.node("param", np.dtype(dtype), i) for i in range(2)]


def compiled(folder: Path, source: _Source, text: str, flags: tuple[str, ...]) -> Any:
    """Compile the functions of a source and one that is called `run`."""
    (folder / "map.c").write_text("\n".join(['#include "vector.h"', *table_definitions(), *source.functions, text]))
    subprocess.run(["gcc", *FLAGS, *flags, f"-I{CSRC}", folder / "map.c", "-o", folder / "map.so", "-lm"], check=True)
    return ctypes.CDLL(str(folder / "map.so")).run


def run_map(run: Any, n: int, *columns: Sequence[Array]) -> None:
    """Call a compiled function with arrays of pointers to columns."""
    run(ctypes.c_size_t(n), *((ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays)) for arrays in columns))


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
@pytest.mark.turns(4)
@pytest.mark.parametrize("isa", ["scalar", *native.instruction_sets()])
@pytest.mark.parametrize(("function", "dtype"), FUNCTIONS)
def test_maps(function: Callable[..., Any], dtype: str, copies: int, isa: str, tmp_path: Path) -> None:
    source, symbols = _Source(), two_floats(dtype)
    source.map("tested", 64 if dtype == "float64" else 32, symbols, [function(*symbols)], copies)
    text = "void run(size_t n, const void *const *in, void *const *out) { map_tested(n, in, out); }"
    run = compiled(tmp_path, source, text, ISAS[isa])
    rng = np.random.default_rng(0)
    for n in (1, 5, 16, 17, 63, 64, 65, 300):
        padded = -(-n // 64) * 64
        inputs = [rng.uniform(-2, 2, padded).astype(dtype) for _ in range(2)]
        if n == 300:
            inputs[0][:256] = -1.5  # no tail in most groups
            inputs[1][:256] = 1.5
        expected = function(*inputs)
        actual = np.zeros(padded, dtype)
        run_map(run, n, inputs, [actual])
        np.testing.assert_array_equal(actual[:n].view("u1"), expected[:n].view("u1"))


# A stage as setup.py prints it, run by csrc/execute.h.
COLLECTING = """
static const map_fn maps[] = {NULL, MAPS};
static const stage stages[] = {STAGE};
#include "execute.h"
void run(size_t n, const void *const *in, void *const *out, char *const *spare) {
    isa_code isa = {.maps = maps};
    job j = {.isa = &isa};
    work w = {.job = &j};
    memcpy(w.spare, spare, (size_t)(MOST_TAILS + stages->columns) * sizeof *spare);
    run_map(&w, stages, n, in, out);
}
"""


@pytest.mark.parametrize("copies", [1, 4])
@pytest.mark.parametrize("isa", ["scalar", *native.instruction_sets()])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lanes_in_tails_are_collected(dtype: str, isa: str, copies: int, tmp_path: Path) -> None:
    source, symbols = _Source(), two_floats(dtype)
    source.names["none"] = "NULL"  # a stage has a tail if its number is not 0
    stage = source.maps_of("tested", 64 if dtype == "float64" else 32, symbols, list(attempt(*symbols)), copies)
    assert stage["collect"] and stage["tails[1]"]
    names = ", ".join(list(source.names.values())[1:])
    text = COLLECTING.replace("MAPS", names).replace("STAGE}", row(kind="STAGE_MAP", **stage | {"collect": 1}) + "}")
    run = compiled(tmp_path, source, '#include "code.h"' + text, ISAS[isa])
    rng = np.random.default_rng(0)
    for low, high in ((-2, 0), (1.8, 3), (-2, 2)):  # no lane is in a tail, every lane is in all of them, some are
        for n in (1, 7, 64, 65, 300):
            padded = -(-n // 64) * 64
            inputs = [rng.uniform(low, high, padded).astype(dtype) for _ in range(2)]
            expected = attempt(*inputs)
            actual = [np.zeros(padded, bool), np.zeros(padded, dtype)]
            spare = [np.zeros(padded) for _ in range(2 + stage["columns"])]
            run_map(run, n, inputs, actual, spare)
            for got, wanted in zip(actual, expected, strict=True):
                np.testing.assert_array_equal(got[:n].view("u1"), wanted[:n].view("u1"))
            assert bool(spare[0].view("u4")[0]) == bool(spare[1].view("u4")[0]) == (high > 0)
