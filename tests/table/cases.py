"""The table of samplers, built from the rows in rows_*.py, and helpers for tests that use all of it.

The helpers choose a path (an executor), compare arrays by their bits, and draw ranges of elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import cuda_on_host
import cupy_double
import cupy_stand_in
import numpy as np
import pytest
import rows_continuous
import rows_counts
import rows_gamma
import rows_ranks
import rows_words
import turn
from case import ALGORITHMS, BOOL, FLOATS, HAVE_BFLOAT16, INTEGERS, SIGNED, UNSIGNED, Array, Case, scipy, to_device

import keyrng
from keyrng._executors import gpu, native
from keyrng._executors.base import DrawSpec, ElementRange
from keyrng._executors.device import CPU, device_at
from keyrng._sampling.draw import fill
from keyrng._sampling.spec import RecordingKey

__all__ = ["ALGORITHMS", "BOOL", "FLOATS", "HAVE_BFLOAT16", "INTEGERS", "SIGNED", "UNSIGNED", "Array", "Case", "scipy"]

Test = TypeVar("Test", bound=Callable[..., None])

CASES = (*rows_words.ROWS, *rows_continuous.ROWS, *rows_gamma.ROWS, *rows_counts.ROWS, *rows_ranks.ROWS)
BY_NAME = {case.name: case for case in CASES}

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)
#: One in JAX's layout and one of the others; `pytest -m long` has all.
both_layouts = pytest.mark.parametrize(
    "algorithm",
    [pytest.param(a, marks=() if a in ("threefry2x32", "philox4x32") else pytest.mark.long) for a in ALGORITHMS],
)
each_case_and_dtype = pytest.mark.parametrize(
    ("case", "dtype"), [pytest.param(c, d, id=f"{c}-{d}") for c in CASES for d in c.some_dtypes]
)

#: Samplers whose values depend on the dtype of the result: on its bounds, or on its largest value.
_OF_ITS_OWN_DTYPE = ("uniform", "truncated_normal", "triangular", "zipf")


def repeated(case: Case, dtype: str) -> str:
    """The dtype of which this one repeats the sample, rounded or converted; "" if it is drawn for itself.

    test_laws.py compares the bits, so that tests of distributions can leave such dtypes to `pytest -m long`.
    """
    if case.name in _OF_ITS_OWN_DTYPE:
        return ""
    if dtype in ("float16", "bfloat16"):
        return "float32"
    if dtype in INTEGERS and "int64" in case.dtypes and dtype not in ("int32", "int64"):
        return "int64" if dtype == "uint64" else "int32" if "int32" in case.dtypes else ""
    return ""


# A path is an executor. A build without the compiled part has NumPy only. "cuda" runs the CUDA source on the host,
# through a double of CuPy; "gpu" is CuPy itself.

PATHS = ("numpy", *(native.instruction_sets() or ("compiled",)))
DEVICE_PATHS = ("cuda", pytest.param("gpu", marks=pytest.mark.cuda))

#: Kernels that are tested with every algorithm: of one and two words for each element, in the order of the words and in
#: that of a loop of rejections, for floats and counts. For the others algorithms take turns.
WITH_ALL = ("bits", "uniform", "gumbel high", "gamma", "binomial")


def _pairs(
    options: Sequence[Any], cases: Sequence[Case]
) -> Iterator[tuple[Case, Any, tuple[pytest.MarkDecorator, ...]]]:
    """Pair cases with options; pairs that are not in turn are for `pytest -m long`."""
    for place, case in enumerate(cases):
        for at, option in enumerate(options):
            short = case.name in WITH_ALL or turn.is_in_turn(at - place, len(options))
            yield case, option, () if short else (pytest.mark.long,)


def in_turn(name: str, options: Sequence[Any], cases: Sequence[Case] = CASES) -> pytest.MarkDecorator:
    """Parametrize with cases and options of a name, which take turns."""
    rows = [pytest.param(case, option, marks=marks) for case, option, marks in _pairs(options, cases)]
    return pytest.mark.parametrize(("case", name), rows, ids=lambda value: getattr(value, "__name__", str(value)))


def each_law(cases: Sequence[Case] = CASES) -> Callable[[Test], Test]:
    """Parametrize with cases, algorithms and paths; a turn has a fifth of them.

    A GPU's paths have one algorithm; test_cuda_source.py has all.
    """
    rows = []
    for case, algorithm, marks in _pairs(ALGORITHMS, cases):
        rows += [pytest.param(case, algorithm, p, marks=marks, id=f"{p}-{algorithm}-{case}") for p in PATHS[:2]]
    for case in cases:
        rows.append(pytest.param(case, ALGORITHMS[0], "cuda", id=f"cuda-{case}"))
        rows.append(pytest.param(case, ALGORITHMS[0], "gpu", marks=pytest.mark.cuda, id=f"gpu-{case}"))
    parametrize = pytest.mark.parametrize(("case", "algorithm", "any_path"), rows, indirect=["any_path"])
    return lambda test: pytest.mark.turns(5)(parametrize(test))


@contextmanager
def on(path: str) -> Iterator[str]:
    """Run on a path: "numpy", one instruction set of the compiled path, or one of a GPU."""
    if path in ("cuda", "gpu"):
        with keys_on_a_gpu(path):
            yield path
        return
    before = native.enabled
    if path == "numpy":
        native.enable(False)
        try:
            yield path
        finally:
            native.enable(before)
        return
    if not native.instruction_sets():
        pytest.skip(f"no compiled path: {native.missing_reason()}")
    chosen = native.instruction_set()
    native.enable(True)
    native.instruction_set(path)
    try:
        yield path
    finally:
        native.instruction_set(chosen)
        native.enable(before)


@contextmanager
def without_entries() -> Iterator[None]:
    """Let Python run all draws that one call of C could make (keyrng/_keys/entry.py)."""
    native.pause_entries(True, 4)  # a reason that only tests have
    try:
        yield
    finally:
        native.pause_entries(False, 4)


def algorithms_on(path: str) -> tuple[str, ...]:
    """The algorithms to test: one with the double of CuPy, which compiles each; test_cuda_source.py has all."""
    if path == "gpu" and cupy_stand_in.active():
        return cupy_stand_in.in_turn(ALGORITHMS)
    return ALGORITHMS[:1] if path == "cuda" else ALGORITHMS


@contextmanager
def keys_on_a_gpu(path: str) -> Iterator[None]:
    """Create keys on a GPU; samples come back as NumPy arrays, see `case.on_device`."""
    if path == "gpu" and gpu.missing_reason():
        pytest.skip(gpu.missing_reason())
    if path == "cuda" and cuda_on_host.GXX is None:
        pytest.skip("no g++ on the PATH to run the CUDA source")
    with cupy_double.installed() if path == "cuda" else nullcontext(), pytest.MonkeyPatch.context() as patch:
        key, fold_in, key_data = keyrng.key, keyrng.fold_in, keyrng.key_data

        def on_device(*arguments: Any, **named: Any) -> keyrng.Key:
            return key(*arguments, **named).to("cuda")

        def folded(key: keyrng.Key, data: Any) -> keyrng.Key:
            unsigned = data.astype(np.uint64) if isinstance(data, np.ndarray) and data.ndim else data
            return fold_in(key, unsigned if key.device == "cpu" else to_device(unsigned, key))

        def words(key: keyrng.Key) -> Array:
            return key_data(key.to("cpu"))

        patch.setattr(keyrng, "key", on_device)
        patch.setattr(keyrng, "fold_in", folded)
        patch.setattr(keyrng, "key_data", words)
        yield


# Comparison by bits, so that NaN equals NaN, and 0.0 differs from -0.0


def assert_same(actual: Array, expected: Array, *where: object) -> None:
    """Fail unless shapes, dtypes and bits are equal; ``where`` says which case failed."""
    __tracebackhide__ = True
    place = " ".join(str(w) for w in where)
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        pytest.fail(f"{place}: {actual.dtype} {actual.shape}, expected {expected.dtype} {expected.shape}")
    if actual.tobytes() == expected.tobytes():
        return
    word = f"u{actual.dtype.itemsize}"
    a, e = (np.ascontiguousarray(x).reshape(-1) for x in (actual, expected))
    at = np.flatnonzero(a.view(word) != e.view(word))
    first = at[0]
    pytest.fail(f"{place}: {at.size} of {a.size} differ, first at {first}: {a[first]!r}, expected {e[first]!r}")


@dataclass(frozen=True)
class Call:
    """The draw that a sampler specified for a key, with one kernel."""

    spec: DrawSpec
    keys: tuple[int, ...]

    def slab(self, start: int, count: int, size: int | None = None) -> Array:
        """Draw ``count`` elements of each key from ``start`` on, out of ``size``: key axes first, then flat."""
        device, values = device_at(self.spec.words), []
        for value in self.spec.values:
            if value.ndim:
                whole = np.broadcast_to(CPU.receive(value), self.spec.shape).reshape(*self.keys, -1)
                value = device.receive(np.ascontiguousarray(whole[..., start : start + count]))
            values.append(value)
        out = device.empty((*self.keys, count), self.spec.dtype)
        total = start + count if size is None else size
        spec = self.spec._replace(shape=out.shape, values=tuple(values))
        fill(spec, ElementRange(start, count, total), out)
        return CPU.receive(out)


def intercepted(case: Case, key: Any, shape: Any, dtype: str, **parameters: Any) -> Call:
    """Return the draw that a sampler specifies, without running it."""
    return all_intercepted(case, key, shape, dtype, **parameters)[0]


def all_intercepted(case: Case, key: Any, shape: Any, dtype: str, **parameters: Any) -> list[Call]:
    """Return all draws that a sampler specifies: a complex sample has two kernels."""
    named = {**case.fixed, **parameters, **({} if case.dtypes == BOOL else {"dtype": dtype})}
    if key.device != "cpu":
        named = {name: to_device(value, key) for name, value in named.items()}
    spec = getattr(keyrng, case.function or case.name)(RecordingKey.of(key), shape=shape, **named)
    assert isinstance(spec, DrawSpec)
    if len(spec.kernels) == 1:
        return [Call(spec, key.shape)]
    part = np.dtype(f"float{4 * spec.dtype.itemsize}")
    return [Call(spec._replace(kernels=(kernel,), dtype=part), key.shape) for kernel in spec.kernels]
