"""The one road from key to sample: every sampler is a kernel and a call of `sample_kernel`.

Checks, broadcasting, dtypes, ``out`` and the choice of executor are here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype, compute_dtype, is_half, kernel_compute
from keyrng._core.dtypes import kernel_result as result_dtype
from keyrng._executors import ElementRange, native
from keyrng._executors import numpy as direct
from keyrng._executors.device import Device, gpu_executor
from keyrng._executors.threads import run_pieces
from keyrng._keys.derive import Key, device_of, wrap_words
from keyrng._sampling.parameters import Array, ArrayLike, matching_parameters
from keyrng._sampling.shapes import Shape, check_out, empty_sample
from keyrng._sampling.spec import DrawSpec, Guard, check_count, checked, kernel_guards
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.bits import store
from keyrng.kernels.lane import Kernel

_SMALL = 4096  # elements of a small draw, as GIL_WORTH of native/module.c has it


def sample_kernel(
    kernel: Kernel | Callable[..., Any],
    key: Key,
    shape: Shape | None,
    dtype: Any,
    *parameters: ArrayLike,
    compute: Any = None,
    out: Array | None = None,
) -> Array:
    """Run a kernel over the elements of a result: element ``i`` depends on the key, ``i`` and the parameters only.

    Parameters
    ----------
    kernel
        ``kernel(lane, *parameters)``, written in the kernel language (docs/writing-a-sampler.md). A function of your
        own runs on NumPy; keyrng's kernels run compiled where the compiled part was built.
    key
        A key, or an array of keys: each gives its own sample, and the result has shape ``key.shape + shape``.
    shape
        An int or a tuple; None for the shape that the parameters broadcast to.
    dtype
        The dtype of the result.
    *parameters
        Numbers or arrays that broadcast to ``key.shape + shape``. They are rounded to the dtype of the computation.
    compute
        The dtype to compute in; by default float32, or float64 for a ``dtype`` of 64 bits, and for integers uint32 or
        uint64 likewise.
    out
        An array to write to and return, of the result's shape and dtype: with it, ``shape`` may be left out, and a
        ``dtype`` that is None is that of ``out``. A PyTorch tensor on the CPU is accepted, too.

    Raises
    ------
    TypeError
        For a wrong kind of key, shape, dtype, parameter or ``out``.
    ValueError
        For a parameter outside its range, or shapes that do not fit together.

    Examples
    --------
    >>> import keyrng
    >>> from keyrng.kernels import log1p, uniform_co
    >>> def exponential(lane):
    ...     return -log1p(-unit(lane))
    >>> key = keyrng.key(0)
    >>> sample = keyrng.sample_kernel(exponential, key, (2, 3), "float32")
    >>> bool((sample == keyrng.exponential(key, (2, 3))).all())
    True
    """
    if out is None and type(kernel) is Kernel and type(key) is Key:
        small = _small(kernel, key, shape, dtype, compute, parameters)
        if small is not None:
            return small
    here = device_of(key)
    if not callable(kernel):
        raise TypeError(f"kernel is a function kernel(lane, *parameters), got {type(kernel).__name__}")
    dtype = result_dtype(dtype, out)
    compute = compute_dtype(dtype) if compute is None else kernel_compute(compute)
    if isinstance(out, DrawSpec):
        return out.take((kernel,), key, shape, dtype, parameters, compute)
    result, full, values = _prepared(here, key, shape, dtype, parameters, compute, out)
    if result.size:
        _fill(kernel, key, result, full, values, compute, kernel_guards(here, parameters, values))
    return result if out is None else out


def sample_complex_kernel(
    real: Kernel,
    imag: Kernel,
    key: Key,
    shape: Shape | None,
    dtype: Dtype,
    *parameters: ArrayLike,
    out: Array | None = None,
) -> Array:
    """As `sample_kernel`, for complex samples: a kernel for either part, with the same parameters."""
    here = device_of(key)
    compute = np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
    if isinstance(out, DrawSpec):
        return out.take((real, imag), key, shape, dtype, parameters, compute)
    result, full, values = _prepared(here, key, shape, dtype, parameters, compute, out)
    if result.size:
        guards = kernel_guards(here, parameters, values)
        _fill(real, key, result.real, full, values, compute, guards)
        _fill(imag, key, result.imag, full, values, compute, guards)
    return result if out is None else out


def _prepared(
    here: Device,
    key: Key,
    shape: Shape | None,
    dtype: Dtype,
    parameters: tuple[ArrayLike, ...],
    compute: Dtype,
    out: Array | None,
) -> tuple[Array, tuple[int, ...], list[Array]]:
    """The array to write to, its shape, and the parameters as arrays; all are checked."""
    full, values = checked(here, key, shape, parameters, compute, out)
    if out is None:
        result = empty_sample(here, key, full, dtype, *(v.shape for v in values))
    else:
        result = check_out(key, out, full, dtype)
        # A parameter that lies in out would change while it is read, but for one whose every element is read just
        # before its place is written.
        values = [here.copy(v) if here.overlap(v, result) and not _in_place(v, result) else v for v in values]
    return result, full, values


def _in_place(value: Array, result: Array) -> bool:
    """Whether a parameter is the result, element by element; only on the CPU, for CUDA may read ahead."""
    if not isinstance(value, np.ndarray) or value.dtype != result.dtype:
        return False
    return (value.ctypes.data, value.shape, value.strides) == (result.ctypes.data, result.shape, result.strides)


def _small(
    kernel: Kernel, key: Key, shape: Any, dtype: Any, compute: Any, parameters: tuple[ArrayLike, ...]
) -> Array | None:
    """A small draw of one key by what an earlier one found out; None if it needs the long road, or a check fails.

    It saves two thirds of the time of ``normal(key, (10,))``, which is that of Python.
    """
    found = native.dispatch_cache.get((kernel, compute, dtype, key._algorithm))
    if found is None:
        return None
    recipe, compute = found
    small: Callable[..., Array | None] = native.native.run_small
    if not parameters:
        return small(recipe, key._words, shape, dtype, np.empty)
    alike_arrays = matching_parameters(parameters, shape, compute, _SMALL) if type(key._words) is np.ndarray else None
    if alike_arrays is None:
        return None
    shape, values = alike_arrays
    return small(recipe, key._words, shape, dtype, np.empty, *values)


def _fill(
    kernel: Any,
    key: Key,
    result: Array,
    full: tuple[int, ...],
    values: list[Array],
    compute: Dtype,
    guards: tuple[Guard, ...],
) -> None:
    """Write the whole sample into ``result``."""
    count = result.size // key.size
    check_count(key, count)
    slab = ElementRange(0, count, count)
    if result.flags.c_contiguous:
        fill_range(kernel, key, result, full, values, compute, slab, guards)
        return
    here = device_of(key)
    whole = here.empty(full, result.dtype)
    fill_range(kernel, key, whole, full, values, compute, slab, guards)
    with here.current():
        result[...] = whole


def fill_range(
    kernel: Any,
    key: Key,
    out: Array,
    shape: tuple[int, ...],
    values: list[Array],
    compute: Dtype,
    slab: ElementRange,
    guards: tuple[Guard, ...] = (),
) -> None:
    """Write a slab of each key's sample into contiguous ``out``.

    ``shape`` is that of what is written, key axes first; ``values`` broadcast to it. ``guards`` are for values in the
    memory of a GPU: an element for which one does not hold is NaN, -1 (the largest of an unsigned dtype) or False.
    """
    dtype, algorithm = out.dtype, key._algorithm
    if not isinstance(out, np.ndarray):
        if isinstance(slab.start, np.ndarray):
            _fill_rows(kernel, key, out, shape, values, compute, slab, guards)
            return
        gpu_executor().fill(kernel, algorithm, key._words, slab, out, shape, values, compute, guards)
        return
    flat = out.view(np.uint16) if is_half(dtype) else out
    plan = _plan(kernel, compute, dtype, algorithm, native.enabled) if type(kernel) is Kernel else None
    if plan is not None:
        if flat is out and (kernel, compute, dtype, algorithm) not in native.dispatch_cache:
            native.remember(plan, kernel, compute, dtype, algorithm, compute == compute_dtype(dtype))
        parameters = tuple(native.parameter(v, shape, out.size) for v in values) if values else ()
        native.run(plan, key._words, slab, flat, shape, parameters)
        return
    flat = flat.reshape(-1)

    def take(first: int, stop: int, value: Array) -> None:
        stored = _stored(value, dtype)
        if stored.shape not in ((stop - first,), (1,)):
            raise ValueError(f"the kernel returned shape {stored.shape} for {stop - first} lanes")
        flat[first:stop] = stored

    words = key._words.reshape(-1, algorithm.key_words)
    direct.run(kernel, algorithm, words, slab, compute, [_flat(v, shape) for v in values], take)


def _fill_rows(
    kernel: Any,
    key: Key,
    out: Array,
    shape: tuple[int, ...],
    values: list[Array],
    compute: Dtype,
    slab: ElementRange,
    guards: tuple[Guard, ...],
) -> None:
    """The rows of a slab with a start for each key, one by one: its CUDA text has one start."""
    here = device_of(key)
    words = key._words.reshape(-1, key._algorithm.key_words)
    with here.current():
        rows = out.reshape(len(words), slab.count)
        values = [v if v.size == 1 else here.xp.broadcast_to(v, shape).reshape(rows.shape) for v in values]
    for i, start in enumerate(slab.start.tolist()):
        with here.current():
            row, own = rows[i], [v if v.size == 1 else v[i] for v in values]
        part = ElementRange(start, slab.count, slab.size)
        fill_range(kernel, wrap_words(key._algorithm, words[i]), row, row.shape, own, compute, part, guards)


def run_ranges(key: Key, total: int, piece: Callable[[int, int], None], size: int) -> None:
    """`run_pieces` for pieces that call `fill_range`: in threads only where that is compiled.

    On NumPy a slab is made in many short steps between which threads wait for Python's lock.
    """
    if native.algorithm_number(key._algorithm) is not None:
        run_pieces(total, piece, size)
        return
    for first in range(0, total, size):
        piece(first, min(first + size, total))


@lru_cache(maxsize=512)
def _plan(
    kernel: Kernel, compute: Dtype, dtype: Dtype, algorithm: Algorithm, enabled: bool
) -> tuple[int, int, int] | None:
    """The numbers of plan, conversion and algorithm on the compiled path; None for the NumPy path."""
    number = native.algorithm_number(algorithm)
    plan = native.plan(kernel, compute, dtype) if enabled and number is not None else None
    return None if plan is None or number is None else (*plan, number)


def _stored(value: Any, dtype: Dtype) -> Array:
    """A kernel's result as the dtype of the sample, in the form of its words for 16-bit floats."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"the kernel returned {type(value).__name__}, not an array of words or floats")
    if value.dtype == dtype:
        return value
    if np.bool_ in (value.dtype, dtype) or (value.dtype.kind == "f" and dtype.kind in "iu"):
        raise TypeError(f"the kernel returned {value.dtype}, asked for was {dtype}; cast() in the kernel")
    stored: Array = store(value, dtype)
    return stored


def _flat(value: Array, shape: tuple[int, ...]) -> Callable[[int, int], Array]:
    """A parameter by flat positions; an array of one value stands for all of them."""
    if value.size == 1:
        one = value.reshape(1)
        return lambda first, stop: one
    whole = np.broadcast_to(value, shape)
    if whole.flags.c_contiguous:
        flat = whole.reshape(-1)
        return lambda first, stop: flat[first:stop]
    return lambda first, stop: np.asarray(whole.flat[first:stop])
