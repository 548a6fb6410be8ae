"""What benchmarks use of CuPy besides keyrng: its generators, by NumPy's, and kernels that only a GPU can run."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from cupy_double import devices
from cupy_double.arrays import computed, ndarray


class XORWOW:
    """A kind of words; the double's are all NumPy's."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


class Philox4x3210(XORWOW):
    """Another."""


def _method(name: str) -> Callable[..., ndarray]:
    def method(self: Any, *args: Any) -> ndarray:
        draw = getattr(self._numpy, name)
        made: ndarray = computed(lambda: np.asarray(draw(*args)))
        return made

    return method


class Generator:
    """``cupy.random.Generator``."""

    def __init__(self, bit_generator: XORWOW) -> None:
        self._numpy = np.random.default_rng(bit_generator.seed)


for _name in ("random", "standard_normal", "standard_gamma", "poisson", "integers"):
    setattr(Generator, _name, _method(_name))


class RandomState:
    """``cupy.random.RandomState``, which fills by cuRAND."""

    def __init__(self, seed: int, method: int) -> None:
        generator = np.random.default_rng([seed, method])
        self._numpy = SimpleNamespace(random_sample=generator.random, standard_normal=generator.standard_normal)

    random_sample = _method("random_sample")
    standard_normal = _method("standard_normal")


CURAND = {"CURAND_RNG_PSEUDO_XORWOW": 101, "CURAND_RNG_PSEUDO_PHILOX4_32_10": 161}


class RawKernel:
    """A kernel for GPUs alone: its launches are counted and do nothing."""

    def __init__(self, code: str, name: str, options: tuple[str, ...] = ()) -> None:
        assert name in code
        self.launches = 0

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        assert all(isinstance(value, np.generic | ndarray) for value in args)
        devices.get_device()
        self.launches += 1
