"""Samples as tensors of PyTorch, and tensors as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np
import torch

from keyrng._core.dtypes import floating_dtype
from keyrng._executors import gpu
from keyrng._executors.device import as_cupy, is_on_gpu
from keyrng._sampling.parameters import Array

Tensor: TypeAlias = torch.Tensor


def to_torch(sample: Array) -> Tensor:
    """Return an array as a tensor that shares its memory.

    Parameters
    ----------
    sample : ndarray
        An array of NumPy or CuPy, such as a sample.

    Returns
    -------
    torch.Tensor
        A tensor on the device of the array. A read-only array is copied, because tensors are always writable.

    Raises
    ------
    TypeError
        If ``sample`` is not an array, or PyTorch does not have its dtype.

    See Also
    --------
    from_torch : The inverse.

    Notes
    -----
    Arrays of CuPy are exchanged by DLPack, which orders the streams of both libraries.

    Examples
    --------
    >>> import keyrng, keyrng.interop.torch
    >>> keyrng.interop.torch.to_torch(keyrng.uniform(keyrng.key(0), (3,)))
    tensor([0.9477, 0.9786, 0.3323])
    """
    if is_on_gpu(sample):
        return torch.from_dlpack(as_cupy(sample))
    if not isinstance(sample, (np.ndarray, np.generic)):
        raise TypeError(f"expected a NumPy or CuPy array, got {type(sample).__name__}")
    shared = np.asarray(sample)
    if not shared.flags.writeable:
        shared = shared.copy()
    if shared.dtype.name == "bfloat16":  # torch does not know ml_dtypes
        return torch.from_numpy(shared.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(shared)


def from_torch(tensor: Tensor) -> Array:
    """Return a tensor as an array of NumPy or CuPy that shares its memory.

    Parameters
    ----------
    tensor : torch.Tensor
        A tensor on the CPU or a CUDA GPU.

    Returns
    -------
    ndarray
        An array, for ``out=`` and for the parameters of samplers.

    Raises
    ------
    TypeError
        If the argument is not a tensor, or is on another device.

    See Also
    --------
    tensor : The inverse.

    Notes
    -----
    Autograd does not record writes to the array, so the values of a parameter can be replaced by a sample.

    Examples
    --------
    >>> import torch, keyrng, keyrng.interop.torch
    >>> weight = torch.empty(3)
    >>> _ = keyrng.uniform(keyrng.key(0), out=keyrng.interop.torch.from_torch(weight))
    >>> weight
    tensor([0.9477, 0.9786, 0.3323])
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"expected a tensor, got {type(tensor).__name__}")
    kind, values = tensor.device.type, tensor.detach()
    if kind == "cuda":
        return as_cupy(values)
    if kind != "cpu":
        raise TypeError(f"a tensor on {kind} cannot be shared with NumPy or CuPy; use tensor.cpu()")
    if values.dtype == torch.bfloat16:
        halves: Array = values.view(torch.int16).numpy()
        return halves.view(floating_dtype("bfloat16"))
    shared: Array = values.numpy()
    return shared


def stream_of(tensor: Tensor) -> AbstractContextManager[Any]:
    """PyTorch's current stream of a tensor's device, made the one on which keyrng draws.

    DLPack orders a stream that reads after the one that wrote, and not what is done with the memory afterwards.
    """
    if tensor.device.type != "cuda":
        return nullcontext()
    return _on_stream(tensor.device)


@contextmanager
def _on_stream(device: torch.device) -> Iterator[None]:
    cuda = gpu.cupy().cuda
    with cuda.Device(device.index), cuda.Stream.from_external(torch.cuda.current_stream(device)):
        yield
