"""Invalid input: every public callable returns a documented result or raises an error, for values of every kind.

`surface.py` finds the callables, `bad_values.py` has the values, `bad_calls.py` judges what a call did.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from bad_calls import Call, wrong
from bad_values import ALL, ANYTHING, KEY, Value, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from surface import EXCEPTED, EXCEPTED_NAMES, Target, modules, targets

import keyrng
from keyrng._executors import threads
from keyrng.kernels.lane import kernels

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

TARGETS = targets()
each_target = pytest.mark.parametrize("target", [t for t in TARGETS if t.names], ids=str)

#: How many times as many examples: BAD_INPUT_EXAMPLES=100 takes hours.
TIMES = int(os.environ.get("BAD_INPUT_EXAMPLES", "1"))

_GIGABYTE = 1 << 30


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No call gets much more memory than there is in use: what asks for terabytes is told so, and takes none."""
    monkeypatch.setattr(threads, "_count", 1)
    if resource is None or not Path("/proc/self/statm").exists():
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _GIGABYTE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


# Coverage of the public functions


def test_every_module_is_tried_or_excepted() -> None:
    import pkgutil

    public = {m.name.removeprefix("keyrng.") for m in pkgutil.walk_packages(keyrng.__path__, "keyrng.")}
    tried = {name for name, _ in modules()}

    assert {"", "initializers", "algorithms", "debug", "testing", "interop.numpy"} <= tried
    assert set(EXCEPTED) <= public
    assert all(map(str.strip, (*EXCEPTED.values(), *EXCEPTED_NAMES.values())))


def test_every_public_function_is_tried() -> None:
    names = {target.name for target in TARGETS}
    functions = {name for name in keyrng.__all__ if callable(getattr(keyrng, name))} - {"Key"} - set(EXCEPTED_NAMES)

    assert functions <= names
    assert {f"Generator.{name}" for name in vars(keyrng.Generator) if name[0] != "_"} - names == {
        "Generator.impl", "Generator.device"
    }  # fmt: skip


# One argument at a time: each value once, shared out among the callables by turns


@pytest.mark.parametrize("place", range(len(TARGETS)), ids=[t.name for t in TARGETS])
def test_one_argument(place: int) -> None:
    target, step = TARGETS[place], max(1, 8 // TIMES)
    faults = []
    for i, name in enumerate(target.names):
        for value in ALL[(place + 3 * i) % step :: step]:
            call = Call(target, {name: value})
            fault = wrong(call)
            if fault:
                faults.append(f"{call}: {fault}")

    assert not faults, "\n" + "\n".join(faults[:20])


# Several arguments at a time, and generated values

ONE = st.one_of(st.sampled_from(ALL), ANYTHING.map(lambda value: Value(f"{value!r}", lambda: value)))


@each_target
@pytest.mark.turns(3)
def test_several_arguments(target: Target) -> None:
    @settings(
        max_examples=10 * TIMES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.dictionaries(st.sampled_from(target.names), ONE, min_size=1, max_size=3))
    def check(changed: dict[str, Value]) -> None:
        call = Call(target, changed)
        fault = wrong(call)
        assert fault is None, f"{call}: {fault}"

    check()


# Regressions: faults that these tests found


def test_many_means_of_nearly_nothing_end() -> None:
    assert keyrng.negative_binomial(KEY, 0.0003, 0.5, (1000,)).sum() < 100


def test_no_kernel_waits_for_what_never_comes() -> None:
    # Parameters on a GPU are not checked before a launch, so each kernel must terminate for all of these.
    from keyrng._sampling import draw

    odd = [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-45, 1e-38, 3e38]
    checked = 0
    for kernel in kernels():
        for dtype in kernel.dtypes:
            if dtype not in ("float32", "float64") or not kernel.parameters or len(kernel.parameters) > 4:
                continue
            for i in range(len(kernel.parameters)):
                # zipf's own end is not the caller's.
                parameters = [np.float32(100 if name == "end" else 0.5) for name in kernel.parameters]
                if kernel.parameters[i] == "end":
                    continue
                parameters[i] = np.array(odd, dtype)
                if dtype == "float64":
                    parameters[i][5:] = 5e-324, 1e-307, 1e308
                result = np.float64 if dtype == "float64" else np.float32
                for kind in (result, np.int64, np.bool_):
                    with suppress(TypeError):  # of another result
                        draw.sample_kernel(kernel, KEY, (len(odd),), kind, *parameters, compute=dtype)
                        break
                else:
                    raise AssertionError(kernel.name)
                checked += 1

    assert checked > 50


def test_keys_of_a_matrix_are_their_own() -> None:
    with pytest.warns(PendingDeprecationWarning):
        words = np.matrix([[1, 2], [3, 4]], np.uint32)
    keys = keyrng.wrap_key_data(words)
    words[:] = 0

    assert keys.shape == (2,)
    assert keyrng.key_data(keys).tolist() == [[1, 2], [3, 4]]


def test_out_may_be_a_matrix_and_not_masked() -> None:
    with pytest.warns(PendingDeprecationWarning):
        out = np.matrix(np.zeros((2, 3), np.float32))
    assert keyrng.normal(KEY, out=out) is out
    assert np.array_equal(out, keyrng.normal(KEY, (2, 3)))


def test_an_array_as_shape_beside_out() -> None:
    out = np.zeros((2, 3), np.float32)
    assert keyrng.gamma(KEY, 2.0, np.array([2, 3]), out=out) is out


# Hostile data


def test_mutated_bytes_and_states() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
    try:
        import parsers
    finally:
        sys.path.pop(0)

    found = parsers.run(3000 * TIMES, seed=1)
    assert all(found[name, "refused"] for name in parsers.PARSERS)
    assert all(found[name, "read"] for name in ("Key.from_bytes", "Generator.set_state", "wrap_key_data"))


def test_what_reads_bytes_runs_no_code() -> None:
    import ast
    import inspect

    from keyrng import _generator, _generator_state
    from keyrng._core import arguments
    from keyrng._keys import key, seed_sequence, serialize

    for module in (serialize, seed_sequence, arguments, key, _generator, _generator_state):
        tree = ast.parse(inspect.getsource(module))
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        imported = {a.name for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
        assert not called & {"eval", "exec", "compile", "__import__"}, module
        assert not imported & {"pickle", "marshal", "shelve", "importlib", "subprocess", "ctypes"}, module


__all__ = ["values"]
