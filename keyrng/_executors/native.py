"""The compiled path: kernels printed as C when keyrng was built, run by the module ``_compiled``.

What is not compiled in (algorithms and kernels of the user's own) has no plan here and runs on NumPy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from keyrng._executors import ElementRange
from keyrng._executors.threads import run_pieces
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Kernel

Array = np.ndarray[Any, np.dtype[Any]]

_reason = ""
try:
    _wanted = os.environ.get("KEYRNG_BACKEND")
    if _wanted not in (None, "", "numpy"):
        raise ValueError(f"KEYRNG_BACKEND is numpy or not set, got {_wanted!r}; type: unset KEYRNG_BACKEND")
    if _wanted == "numpy":
        raise ImportError("KEYRNG_BACKEND=numpy is set")
    from keyrng._executors import _compiled
except ImportError as error:
    native: Any = None
    _reason = str(error)
else:
    native = _compiled

_algorithms: dict[str, int] = {}
_plans: dict[str, tuple[int, str]] = {}
_stores: dict[str, int] = {}
_isas: list[str] = []
if native is not None:
    _names, _plan_rows, _store_names, _isas = native.describe()
    _algorithms = {name: i for i, name in enumerate(_names)}
    _plans = {name: (i, result) for i, (name, result) in enumerate(_plan_rows)}
    _stores = {name: i for i, name in enumerate(_store_names)}

# Off for tests and benchmarks of the NumPy path: keyrng.testing.backend("numpy").
enabled = native is not None

# What a small draw needs, by kernel, dtype to compute in (None: the default), dtype and algorithm: the recipe, and the
# dtype to compute in. Found once, for finding it costs more than drawing.
dispatch_cache: dict[tuple[Any, np.dtype[Any] | None, np.dtype[Any], Algorithm], tuple[int, np.dtype[Any]]] = {}


def dispatch_entry(plan: tuple[int, int, int]) -> int:
    """The numbers of plan, conversion and algorithm in one, which ``run_small`` reads faster than three."""
    number, store, algorithm = plan
    return number << 16 | (store + 1) << 8 | algorithm


def remember(
    plan: tuple[int, int, int],
    kernel: Kernel,
    compute: np.dtype[Any],
    dtype: np.dtype[Any],
    algorithm: Algorithm,
    default: bool,
) -> None:
    """Have small draws made as this one, whose dtype to compute in is the default or not."""
    found = dispatch_entry(plan), compute
    dispatch_cache[kernel, compute, dtype, algorithm] = found
    if default:
        dispatch_cache[kernel, None, dtype, algorithm] = found


def enable(on: bool) -> None:
    """Turn the compiled path on or off, if there is one. No value depends on it."""
    global enabled
    enabled = on and native is not None
    dispatch_cache.clear()


def missing_reason() -> str:
    """Why there is no compiled path; empty if there is."""
    return _reason


def instruction_sets() -> list[str]:
    """Those this build has and this processor runs, best first."""
    return list(_isas)


def instruction_set(name: str | None = None) -> str:
    """The one in use; with a name, from now on that one. No value depends on it."""
    if name is not None:
        native.isa(name)
    return str(native.isa(None))


def algorithm_number(algorithm: Algorithm) -> int | None:
    """The number of a compiled algorithm; None if it is not compiled in, or the compiled path is off."""
    return _algorithms.get(algorithm.name) if enabled else None


def plan(kernel: Kernel, compute: np.dtype[Any], dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """The numbers of a kernel's plan and of the conversion to a dtype (-1 for none); None if not compiled in."""
    found = _plans.get(f"{kernel.name}.{compute.name}")
    if found is None:
        return None
    number, result = found
    stored = dtype.name
    if np.dtype(result).kind in "iu" and dtype.kind in "iu" and dtype.itemsize <= np.dtype(result).itemsize:
        result, stored = f"uint{8 * np.dtype(result).itemsize}", f"uint{8 * dtype.itemsize}"
    if result == stored:
        return number, -1
    store = _stores.get(f"{result}.{stored}")
    return None if store is None else (number, store)


def run(
    plan: tuple[int, int, int],
    words: Array,
    slab: ElementRange,
    out: Array,
    shape: tuple[int, ...],
    parameters: Sequence[Any],
) -> None:
    """Make a slab of each key into ``out``, contiguous and flat, key after key.

    ``plan`` has the plan's number, that of the conversion and that of the algorithm.
    """
    keys = words.size // words.shape[-1]
    total = keys * slab.count
    call = (*plan, words, keys, slab.start, slab.count, slab.size, out, out.itemsize)
    run_pieces(total, lambda first, stop: native.run(*call, first, stop, shape, parameters))


def parameter(value: Array, shape: tuple[int, ...], total: int) -> Any:
    """A parameter as `run` takes it: one value, or all of them in order, or an array with its strides in the result."""
    value = np.ascontiguousarray(value)
    if value.size in (1, total):
        return value
    return value, np.broadcast_to(value, shape).strides
