"""Conversion of a sampler's arguments to a `DrawSpec`, with all checks of a draw."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from keyrng._core.dtypes import Dtype
from keyrng._executors.base import DrawSpec, Guard
from keyrng._executors.device import CPU, device_at
from keyrng._keys.key import Key, device_of, wrap_words
from keyrng._sampling.parameters import Array, ArrayLike, parameter_array
from keyrng._sampling.shapes import Shape, check_broadcast, check_out, sample_shape
from keyrng.kernels.requirements import Parameter, not_nan, unconstrained


def specify(
    kernels: tuple[Any, ...],
    key: Key,
    shape: Shape | None,
    dtype: Dtype,
    parameters: tuple[ArrayLike, ...],
    compute: Dtype,
    out: Array | None = None,
) -> DrawSpec:
    """Check the arguments of a draw and return its description; ``out`` determines the shape if it is not given."""
    device = device_at(key._words)
    values: tuple[Array, ...] = ()
    for i, parameter in enumerate(parameters):
        values += (parameter_array(device, parameter, i, compute),)
    full = sample_shape(key, shape, values, out)
    if values:
        check_broadcast(parameters, values, full)
    check_count(key, prod(full[key._words.ndim - 1 :]))
    guards = () if device is CPU else tuple(map(_guard, parameters, values))
    return DrawSpec(kernels, key._algorithm, key._words, full, dtype, compute, values, guards)


def destination(spec: DrawSpec, key: Key, out: Array) -> tuple[DrawSpec, Array]:
    """Return ``out`` as a writable array, and the draw with copies of parameters that share memory with it."""
    device, result = device_of(key), check_out(key, out, spec.shape, spec.dtype)
    values = [device.copy(v) if device.must_copy(v, result) else v for v in spec.values]
    return spec._replace(values=tuple(values)), result


class RecordingKey(Key):
    """A key that records a draw: a sampler called with it returns the `DrawSpec` instead of a sample.

    Keys derived from it are plain keys, so that a sampler that draws from them returns an array.
    """

    __slots__ = ("spec",)

    spec: DrawSpec | None

    @classmethod
    def of(cls, key: Key) -> RecordingKey:
        """Return a recording key with the words of a key."""
        made = wrap_words(key._algorithm, key._words, cls)
        object.__setattr__(made, "spec", None)
        return made

    def record(self, kernels: tuple[Any, ...], *arguments: Any) -> DrawSpec:
        """Store the single draw of this key and return it."""
        if self.spec is not None:
            raise TypeError("a sampler that draws twice with one key cannot compute single elements")
        spec = specify(kernels, self, *arguments)
        spec = spec._replace(values=tuple(map(device_at(spec.words).now, spec.values)))
        object.__setattr__(self, "spec", spec)
        return spec


def check_nothing(error: str, key: Key, shape: Shape | None, out: Any, parameters: Sequence[Parameter]) -> None:
    """Raise ValueError unless the sample is empty: an empty interval is allowed if nothing is drawn from it."""
    values = [parameter.value for parameter in parameters]
    if prod(sample_shape(key, shape, values, out)):
        raise ValueError(error)


def check_count(key: Key, count: int) -> None:
    """Raise ValueError if a key does not have ``count`` elements."""
    limit = key._algorithm.elements
    if count > limit:
        raise ValueError(f"a key of {key.impl} has at most {limit} elements, got {count}; use keyrng.split")


def _guard(parameter: ArrayLike, value: Array) -> Guard:
    """Return the predicate of a value in GPU memory; by default a named parameter must not be NaN."""
    if value.dtype.kind != "f" or not isinstance(parameter, Parameter) or parameter.requirement is unconstrained:
        return None
    requirement = device_at(value).unread(parameter.requirement or not_nan)
    return None if requirement is None else requirement.predicate
