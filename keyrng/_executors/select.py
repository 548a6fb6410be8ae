"""The choice of an executor."""

from __future__ import annotations

import numpy as np

from keyrng._executors import native
from keyrng._executors.base import Array, Executor
from keyrng._executors.device import gpu_executor
from keyrng._executors.numpy import NUMPY
from keyrng.algorithms.base import Algorithm


def executor_for(algorithm: Algorithm, words: Array) -> Executor:
    """Return the executor for an algorithm's words: CUDA for words on a GPU, else the fastest on the CPU."""
    if type(words) is not np.ndarray:
        cuda: Executor = gpu_executor()
        return cuda
    return native.NATIVE if native.enabled and algorithm.name in native.algorithms else NUMPY
