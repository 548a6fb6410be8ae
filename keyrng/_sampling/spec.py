"""What a sampler asks of `sample_kernel`, checked; and how to have it taken down instead of done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

from keyrng._core.dtypes import Dtype
from keyrng._executors.device import CPU, Device
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array, ArrayLike, Parameter, not_nan, parameter_array, unconstrained
from keyrng._sampling.shapes import Shape, check_broadcast, sample_shape

Guard: TypeAlias = Callable[[Any], Any] | None


@dataclass
class DrawSpec:
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
        """What `sample_kernel` was asked for, checked."""
        if self.kernels:
            raise TypeError("a sampler that draws twice into out makes no element by itself")
        here = device_of(key)
        self.shape, self.values = checked(here, key, shape, parameters, compute, None)
        check_count(key, prod(self.shape[key.ndim :]))
        self.kernels, self.key, self.dtype, self.compute = kernels, key, dtype, compute
        self.guards = kernel_guards(here, parameters, self.values)
        return self


def checked(
    here: Device,
    key: Key,
    shape: Shape | None,
    parameters: tuple[ArrayLike, ...],
    compute: Dtype,
    out: Array | None,
) -> tuple[tuple[int, ...], list[Array]]:
    """The shape of the sample, and the parameters as arrays that broadcast to it."""
    values = [parameter_array(here, parameter, i, compute) for i, parameter in enumerate(parameters)]
    full = sample_shape(key, shape, values, out)
    if values:
        check_broadcast(parameters, values, full)
    return full, values


def check_nothing(error: str, key: Key, shape: Shape | None, out: Any, parameters: Sequence[Parameter]) -> None:
    """ValueError unless a sample has no elements: nothing is drawn from an empty interval, so it is allowed there."""
    values = [parameter.value for parameter in parameters]
    if prod(sample_shape(key, shape, values, None if isinstance(out, DrawSpec) else out)):
        raise ValueError(error)


def check_count(key: Key, count: int) -> None:
    """ValueError unless a key has so many elements."""
    limit = key._algorithm.elements
    if count > limit:
        raise ValueError(f"a key of {key.impl} has {limit} elements, asked for {count}; split it")


def kernel_guards(here: Device, parameters: tuple[ArrayLike, ...], values: list[Array]) -> tuple[Guard, ...]:
    """What must hold of the values that nobody has checked, for they lie in the memory of a GPU."""
    return () if here is CPU else tuple(map(_guard, parameters, values))


def _guard(parameter: ArrayLike, value: Array) -> Guard:
    """A named parameter is at least a number; one without a name may be anything, NaN too."""
    if isinstance(value, np.ndarray) or value.dtype.kind != "f" or not isinstance(parameter, Parameter):
        return None
    return None if parameter.requirement is unconstrained else (parameter.requirement or not_nan).predicate
