"""The one place that chooses an executor."""

from __future__ import annotations

import numpy as np

from keyrng._executors import native
from keyrng._executors.base import Array, Executor
from keyrng._executors.device import gpu_executor
from keyrng._executors.numpy import NUMPY
from keyrng.algorithms.base import Algorithm


def executor_for(algorithm: Algorithm, words: Array) -> Executor:
    """Return the executor for keys of an algorithm: that of the GPU their words are on, or the best of the CPU."""
    if type(words) is not np.ndarray:
        cuda: Executor = gpu_executor()
        return cuda
    return native.NATIVE if native.enabled and algorithm.name in native.algorithms else NUMPY
