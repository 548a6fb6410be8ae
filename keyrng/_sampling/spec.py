"""From the arguments of a sampler to a `DrawSpec`: every check of a draw is made here, once."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from keyrng._core.dtypes import Dtype
from keyrng._executors.base import DrawSpec, Guard
from keyrng._executors.device import CPU, device_at
from keyrng._keys.derive import Key, device_of
from keyrng._sampling.parameters import Array, ArrayLike, Parameter, not_nan, parameter_array, unconstrained
from keyrng._sampling.shapes import Shape, check_broadcast, check_out, sample_shape


def specify(
    kernels: tuple[Any, ...],
    key: Key,
    shape: Shape | None,
    dtype: Dtype,
    parameters: tuple[ArrayLike, ...],
    compute: Dtype,
    out: Array | None = None,
) -> DrawSpec:
    """Check the arguments of a draw and return what it is; ``out`` decides the shape where none is given."""
    here = device_at(key._words)
    values: tuple[Array, ...] = ()
    for i, parameter in enumerate(parameters):
        values += (parameter_array(here, parameter, i, compute),)
    full = sample_shape(key, shape, values, out)
    if values:
        check_broadcast(parameters, values, full)
    check_count(key, prod(full[key._words.ndim - 1 :]))
    guards = () if here is CPU else tuple(map(_guard, parameters, values))
    return DrawSpec(kernels, key._algorithm, key._words, full, dtype, compute, values, guards)


def destination(spec: DrawSpec, key: Key, out: Array) -> tuple[DrawSpec, Array]:
    """``out`` as an array to write to, and the draw with copies of those parameters that would change meanwhile."""
    here, result = device_of(key), check_out(key, out, spec.shape, spec.dtype)
    values = [here.copy(v) if here.must_copy(v, result) else v for v in spec.values]
    return spec._replace(values=tuple(values)), result


class RecordingKey(Key):
    """A key whose sample is described and not drawn: a sampler called with it returns the `DrawSpec`.

    Keys that are derived from it are plain keys, so a sampler that draws from these returns an array.
    """

    __slots__ = ("spec",)

    spec: DrawSpec | None

    @classmethod
    def of(cls, key: Key) -> RecordingKey:
        """A recording key with the words of a key."""
        made = object.__new__(cls)
        for name, value in (("_algorithm", key._algorithm), ("_words", key._words), ("spec", None)):
            object.__setattr__(made, name, value)
        return made

    def record(self, spec: DrawSpec) -> DrawSpec:
        """Keep the one draw of this key and return it."""
        if self.spec is not None:
            raise TypeError("a sampler that draws twice with one key makes no element by itself")
        object.__setattr__(self, "spec", spec)
        return spec


def check_nothing(error: str, key: Key, shape: Shape | None, out: Any, parameters: Sequence[Parameter]) -> None:
    """ValueError unless a sample has no elements: nothing is drawn from an empty interval, so it is allowed there."""
    values = [parameter.value for parameter in parameters]
    if prod(sample_shape(key, shape, values, out)):
        raise ValueError(error)


def check_count(key: Key, count: int) -> None:
    """ValueError unless a key has so many elements."""
    limit = key._algorithm.elements
    if count > limit:
        raise ValueError(f"a key of {key.impl} has {limit} elements, asked for {count}; split it")


def _guard(parameter: ArrayLike, value: Array) -> Guard:
    """The predicate of a value in GPU memory: a named parameter is at least a number, one without a name may be NaN."""
    if value.dtype.kind != "f" or not isinstance(parameter, Parameter) or parameter.requirement is unconstrained:
        return None
    requirement = device_at(value).unread(parameter.requirement or not_nan)
    return None if requirement is None else requirement.predicate
