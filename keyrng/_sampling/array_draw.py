"""Draws with arrays as parameters that C checks in one pass; csrc/array_draw.h has those that one call of C takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from keyrng._core.arguments import cast_array
from keyrng._core.dtypes import FLOAT32, FLOAT64, Dtype
from keyrng._core.fpenv import in_default_fpenv
from keyrng._core.migration import argument_names
from keyrng._executors import native
from keyrng._keys.key import Key
from keyrng._sampling.draw import sample_kernel
from keyrng._sampling.parameters import NUMBERS, Array, number_array
from keyrng._sampling.plan import Plan, UnknownNumber, interval_of, is_kept, relation_of
from keyrng.algorithms.base import get
from keyrng.kernels.lane import Kernel
from keyrng.kernels.requirements import Interval, Parameter

# For csrc/rules.h: a kind, and the ends, which belong to the interval.
ClosedInterval: TypeAlias = tuple[int, float, float]


class Source(NamedTuple):
    """A parameter: its argument, or None for a constant, and the interval that it must be in, or None for any."""

    argument: str | None
    parameter: Parameter
    interval: Interval | None


class ArrayPlan(NamedTuple):
    """A draw with arrays as parameters, and the rules for them.

    The kernel has the first ``inputs`` parameters; the relation of the rules may have more.
    """

    kernel: Kernel
    inputs: int
    dtype: Dtype
    compute: Dtype
    sources: tuple[Source, ...]
    rules: native.Rules

    def draw(self, key: Key, shape: Any, out: Any, given: Mapping[str, Any]) -> Array | None:
        """Return the sample; None if the arguments are not as planned, which the sampler then reports or draws."""
        parameters = []
        for source in self.sources:
            value = self._value(source, given)
            if value is None:
                return None
            parameters.append(Parameter(source.parameter.name, value))
        try:
            if not native.arrays_hold(self.rules, [value for _, value, _ in parameters]):
                return None
            used = parameters[: self.inputs]
            return sample_kernel(self.kernel, key, shape, self.dtype, *used, compute=self.compute, out=out)
        except (TypeError, ValueError):
            return None

    def _value(self, source: Source, given: Mapping[str, Any]) -> Array | None:
        """Return a parameter in the dtype of the computation; None for an array that has to be checked otherwise."""
        name, value, requirement = source.parameter
        if source.argument is not None:
            value = given[source.argument]
        if type(value) in NUMBERS:
            try:
                return number_array(name, value, requirement, self.compute)
            except (TypeError, ValueError):
                return None
        if type(value) is not np.ndarray or value.dtype not in (FLOAT32, FLOAT64) or not value.flags.aligned:
            return None
        if value.dtype == self.compute:
            return value
        if not native.arrays_hold((-1, (closed(source.interval, value.dtype),)), [value]):
            return None
        return _cast(name, value, self.compute)


_cast = in_default_fpenv(cast_array)


@lru_cache(maxsize=512)
def closed(interval: Interval | None, dtype: Dtype) -> ClosedInterval:
    """Return an interval of the numbers of a dtype; None is not checked."""
    if interval is None:
        return 0, 0.0, 0.0
    low, high = (np.array(end, dtype) for end in (interval.low, interval.high))
    low = low if interval.ends[0] == "[" else np.nextafter(low, np.array(np.inf, dtype))
    high = high if interval.ends[1] == "]" else np.nextafter(high, np.array(-np.inf, dtype))
    return 1 + interval.whole, float(low), float(high)


def array_sampler(
    function: Callable[..., Any], plans: Callable[..., Iterable[Plan]]
) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return a function of a call's arguments: the sample if they contain arrays and a plan draws it, else None."""
    names, code = argument_names(function), function.__code__
    positional = names[: code.co_argcount]
    defaults = function.__defaults__ or ()
    shape_if_none_given = dict(zip(reversed(positional), reversed(defaults), strict=False)).get("shape")

    @lru_cache(maxsize=64)
    def planned(dtype: Any, given: tuple[str, ...]) -> tuple[ArrayPlan, ...]:
        numbers = {name: UnknownNumber.of(names.index(name)) for name in given}
        try:
            return tuple(_of_arrays(plan, names) for plan in plans(dtype, **numbers) if plan.for_arrays)
        except Exception:  # of any kind, as for an entry
            return ()

    def draw(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if native.native is None or native.paused:
            return None
        given = dict(zip(positional, args, strict=False), **kwargs)
        if len(given) < len(args) + len(kwargs):
            return None
        shape, out = given.pop("shape", shape_if_none_given), given.pop("out", None)
        if not any(type(value) is np.ndarray for value in given.values()):
            return None
        key, dtype = given.pop("key", None), given.pop("dtype", None)
        if dtype is None and type(out) is np.ndarray and "dtype" in names:
            dtype = out.dtype
        if type(key) is not Key or type(key._words) is not np.ndarray or not is_kept(dtype):
            return None
        for plan in planned(dtype, tuple(given)):
            sample = plan.draw(key, shape, out, given)
            if sample is not None:
                return sample
        return None

    return draw


def _of_arrays(plan: Plan, names: tuple[str, ...]) -> ArrayPlan:
    """Return a plan for arrays; TypeError if C cannot check them."""
    sources = []
    for parameter in plan.parameters:
        if type(parameter) is not Parameter or plan.compute.kind != "f":
            raise TypeError("C checks arrays of floats only")
        _, value, requirement = parameter
        argument = names[value.argument] if type(value) is UnknownNumber else None
        sources.append(Source(argument, parameter, None if requirement is None else interval_of(requirement)))
    kernel, dtype, compute, relation = plan.kernel, plan.dtype, plan.compute, relation_of(plan, get("threefry2x32"))
    intervals = tuple(closed(source.interval, compute) for source in sources)
    return ArrayPlan(kernel, len(kernel.parameters), dtype, compute, tuple(sources), (relation, intervals))
