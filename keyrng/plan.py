"""What a sampler asks of `draw`, checked; and how to have it taken down instead of done.

Must not import sampling or anything above it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng.dtypes import Dtype
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, ArrayLike, Parameter, number, parameter_array
from keyrng.shapes import Shape, check_broadcast, sample_shape

Guard: TypeAlias = Callable[[Any], Any] | None


@dataclass
class Plan:
    """What a sampler would draw: given to it as ``out``, a plan takes that down, and nothing is drawn.

    Of a complex sample there are two kernels, for its real and its imaginary parts.
    """

    kernels: tuple[Any, ...] = ()
    key: Key = field(init=False)
    shape: tuple[int, ...] = field(init=False)
    dtype: Dtype = field(init=False)
    values: list[Array] = field(init=False)
    compute: Dtype = field(init=False)
    guards: tuple[Guard, ...] = field(init=False)

    def take(
        self,
        kernels: tuple[Any, ...],
        key: Key,
        shape: Shape | None,
        dtype: Dtype,
        parameters: tuple[ArrayLike, ...],
        compute: Dtype,
    ) -> Any:
        """What `draw` was asked for, checked."""
        if self.kernels:
            raise TypeError("a sampler that draws twice into out makes no element by itself")
        self.shape, self.values = checked(key, shape, parameters, compute, None)
        check_count(key, prod(self.shape[key.ndim :]))
        self.kernels, self.key, self.dtype, self.compute = kernels, key, dtype, compute
        self.guards = guards_of(parameters, self.values)
        return self


def checked(
    key: Key, shape: Shape | None, parameters: tuple[ArrayLike, ...], compute: Dtype, out: Array | None
) -> tuple[tuple[int, ...], list[Array]]:
    """The shape of the sample, and the parameters as arrays that broadcast to it."""
    here = memory_of(key)
    values = [parameter_array(here, p, i, compute) for i, p in enumerate(parameters)] if parameters else []
    full = sample_shape(key, shape, values, out)
    if values:
        check_broadcast(parameters, values, full)
    return full, values


def check_count(key: Key, count: int) -> None:
    """ValueError unless a key has so many elements."""
    limit = 2**56 if key._algorithm.jax_layout else 2**62
    if count > limit:
        raise ValueError(f"a key of {key.impl} has {limit} elements, asked for {count}; split it")


def guards_of(parameters: tuple[ArrayLike, ...], values: list[Array]) -> tuple[Guard, ...]:
    """What must hold of the values that nobody has checked, for they lie in the memory of a GPU."""
    if all(type(value) is np.ndarray for value in values):
        return ()
    return tuple(map(_guard, parameters, values))


def _guard(parameter: ArrayLike, value: Array) -> Guard:
    if isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return None
    requirement = parameter.requirement if isinstance(parameter, Parameter) else None
    return number.holds if requirement is None else requirement.holds
