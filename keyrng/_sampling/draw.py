"""Drawing a sample: specify the draw, then fill the result with an executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keyrng._core.dtypes import Dtype, compute_dtype, kernel_compute, kernel_result
from keyrng._executors import native
from keyrng._executors.base import DrawSpec, ElementRange
from keyrng._executors.device import CPU, device_at
from keyrng._executors.gpu_repeats import repeated
from keyrng._executors.select import executor_for
from keyrng._executors.threads import run_pieces
from keyrng._keys.derive import Key, check_key
from keyrng._sampling.parameters import Array, ArrayLike, matching_parameters
from keyrng._sampling.shapes import Shape, empty_sample
from keyrng._sampling.spec import destination, specify
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import Kernel

SMALL = 4096  # elements of a small draw, equal to GIL_WORTH in csrc/module.c


def sample_kernel(
    kernel: Kernel | Callable[..., Any],
    key: Key,
    shape: Shape | None,
    dtype: Any,
    *parameters: ArrayLike,
    compute: Any = None,
    out: Array | None = None,
) -> Array:
    """Return a sample of a kernel: element ``i`` depends on the key, ``i`` and the parameters only.

    Parameters
    ----------
    kernel : callable
        ``kernel(lane, *parameters)``, written in the kernel language (docs/writing-a-sampler.md). A function of your
        own runs on NumPy; the kernels of keyrng run compiled where the compiled part is installed.
    key : Key
        A key, or an array of keys, each of which gives a separate sample.
    shape : int or tuple of ints or None
        Shape of the sample of one key. None is the shape to which the parameters broadcast.
    dtype : dtype_like
        Dtype of the result. None is the dtype of ``out``, which must then be given.
    *parameters : array_like
        Numbers or arrays that broadcast to ``key.shape + shape``. They are rounded to the dtype of the computation.
    compute : dtype_like, optional
        Dtype of the computation: by default float32, or float64 for a ``dtype`` of 64 bits; for integers uint32 or
        uint64 likewise.
    out : ndarray or torch.Tensor, optional
        Array to write to and return, of the shape and dtype of the result. With it, ``shape`` can be left out. A
        PyTorch tensor on the CPU is accepted.

    Returns
    -------
    ndarray
        The sample, of shape ``key.shape + shape``, on the device of the key; ``out`` if it is given.

    Raises
    ------
    TypeError
        If the key, shape, dtype, a parameter or ``out`` is of a wrong kind.
    ValueError
        If a parameter is outside its range, or shapes do not fit together.

    See Also
    --------
    lazy_array : An array whose elements are computed when they are indexed.
    keyrng.kernels : The language of kernels.

    Examples
    --------
    >>> import keyrng
    >>> from keyrng.kernels import log1p, uniform_co
    >>> def exponential(lane):
    ...     return -log1p(-uniform_co(lane))
    >>> key = keyrng.key(0)
    >>> keyrng.sample_kernel(exponential, key, (3,), "float32")
    array([2.950128  , 3.8434246 , 0.40390354], dtype=float32)
    >>> keyrng.exponential(keyrng.key(0), (3,))
    array([2.950128  , 3.8434246 , 0.40390354], dtype=float32)
    """
    if type(key) is Key and isinstance(dtype, np.dtype):
        again = _fast_path if type(key._words) is np.ndarray else _repeated
        sample = again(kernel, key, shape, dtype, parameters, compute, out)
        if sample is not None:
            return sample
    check_key(key)
    if not callable(kernel):
        raise TypeError(f"kernel must be a function kernel(lane, *parameters), got {type(kernel).__name__}")
    dtype = kernel_result(dtype, out)
    compute = compute_dtype(dtype) if compute is None else kernel_compute(compute)
    return _draw((kernel,), key, shape, dtype, parameters, compute, out)


def sample_complex_kernel(
    real: Kernel,
    imag: Kernel,
    key: Key,
    shape: Shape | None,
    dtype: Dtype,
    *parameters: ArrayLike,
    out: Array | None = None,
) -> Array:
    """Draw complex samples, like `sample_kernel` with one kernel for each part and the same parameters for both."""
    check_key(key)
    compute = np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
    return _draw((real, imag), key, shape, dtype, parameters, compute, out)


def _draw(
    kernels: tuple[Any, ...],
    key: Key,
    shape: Shape | None,
    dtype: Dtype,
    parameters: tuple[ArrayLike, ...],
    compute: Dtype,
    out: Array | None,
) -> Array:
    if type(key) is not Key:
        return key.record(kernels, shape, dtype, parameters, compute, out)  # type: ignore[attr-defined, no-any-return]
    spec = specify(kernels, key, shape, dtype, parameters, compute, out)
    if out is None:
        result = empty_sample(device_at(spec.words), key, spec.shape, dtype, spec.values)
    else:
        spec, result = destination(spec, key, out)
    if result.size > SMALL and device_at(spec.words) is CPU:
        spec = spec._replace(kernels=tuple(_usual(kernel, spec.values) for kernel in kernels))
    if result.size:
        fill(spec, spec.elements, result)
    return result if out is None else out


def _usual(kernel: Any, values: tuple[Array, ...]) -> Any:
    """Return the kernel that draws the same in less time, if the parameters are numbers that it takes."""
    if type(kernel) is not Kernel or kernel.usual is None or any(x.size > 1 for x in values):
        return kernel
    usual, low, high = kernel.usual
    return usual if all((x >= low).all() and (x < high).all() for x in values) else kernel


def fill(spec: DrawSpec, elements: ElementRange, out: Array) -> None:
    """Write elements of each key's sample to ``out``, an array of shape ``spec.shape``."""
    if len(spec.kernels) == 1 and out.flags.c_contiguous:
        executor_for(spec.algorithm, spec.words).fill(spec, elements, out)
        return
    device = device_at(spec.words)
    parts = (out,) if len(spec.kernels) == 1 else (out.real, out.imag)
    for kernel, part in zip(spec.kernels, parts, strict=True):
        whole = device.empty(spec.shape, part.dtype)
        fill(spec._replace(kernels=(kernel,), dtype=part.dtype), elements, whole)
        with device.current():
            part[...] = whole


def fill_range(
    kernel: Kernel,
    key: Key,
    out: Array,
    elements: ElementRange,
    values: tuple[Array, ...] = (),
    guards: tuple[Any, ...] = (),
    compute: Dtype | None = None,
) -> None:
    """Write elements of each key to contiguous ``out``, whose first axes are those of the keys.

    For algorithms that draw words in pieces; arguments are not checked.
    """
    dtype = out.dtype
    compute = compute_dtype(dtype) if compute is None else compute
    fill(DrawSpec((kernel,), key._algorithm, key._words, out.shape, dtype, compute, values, guards), elements, out)


def _repeated(
    kernel: Any, key: Key, shape: Any, dtype: Dtype, parameters: tuple[ArrayLike, ...], compute: Any, out: Any
) -> Array | None:
    """Return a sample of a key on a GPU, if an earlier draw was like it and the parameters are numbers."""
    computed = compute_dtype(dtype) if compute is None else kernel_compute(compute)
    numbers: tuple[Any, ...] = ()
    if parameters:
        matching = matching_parameters(parameters, (), computed, 1)
        if matching is None:
            return None
        numbers = tuple(value[()] for value in matching[1])
    return repeated(kernel, computed, dtype, key._algorithm, key._words, shape, out, numbers)


def _fast_path(
    kernel: Any, key: Key, shape: Any, dtype: Dtype, parameters: tuple[ArrayLike, ...], compute: Any, out: Any
) -> Array | None:
    """Return a small draw of one key by one call of C, if an earlier draw of the same kind was compiled.

    Returns None if the draw is not small, its parameters need more than a comparison, or a check fails. This takes half
    of the time of the general path, most of which is Python's.
    """
    words = key._words
    entry = native.dispatch_cache.get((kernel, compute, dtype, key._algorithm)) if type(kernel) is Kernel else None
    if entry is None:
        return None
    run_small, program, computed, plain = entry
    target: Any = np.empty
    if out is not None:
        if type(out) is not np.ndarray or out.dtype != dtype or not (out.flags.c_contiguous and out.flags.writeable):
            return None
        asked = (shape,) if type(shape) is int else shape
        if asked is not None and not (type(asked) is tuple and asked in ((), out.shape)):
            return None
        shape, target = out.shape, out
    values: tuple[Array, ...] = ()
    if parameters:
        matching = matching_parameters(parameters, shape, computed, SMALL)
        if matching is None:
            return None
        shape, values = matching
        if out is not None and any(v.ndim and np.may_share_memory(v, out) for v in values):
            return None
    if plain:
        sample: Array | None = run_small(program, words, shape, dtype, target, *values)
        return sample
    # Arrays of ml_dtypes' bfloat16 have no buffer protocol, so their bits are written.
    bits = run_small(program, words, shape, np.uint16, np.empty if out is None else out.view(np.uint16), *values)
    if bits is None:
        return None
    return np.asarray(bits.view(dtype)) if out is None else out


def run_ranges(algorithm: Algorithm, total: int, piece: Callable[[int, int], None], size: int) -> None:
    """Run pieces that call `fill_range`, in threads only if it is compiled.

    With NumPy, the steps are short, and threads would wait for the GIL between them.
    """
    if native.algorithm_number(algorithm) is not None:
        run_pieces(total, piece, size)
        return
    for first in range(0, total, size):
        piece(first, min(first + size, total))
