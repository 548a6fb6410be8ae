"""All public callables, found by inspection, with valid arguments for each."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bad_values import KEY, Value, values
from calls import CALLS

import keyrng
import keyrng.interop.numpy
import keyrng.testing
from keyrng._epochs import EpochBatches, ShuffledBatches
from keyrng._lazy import LazyArray
from keyrng.kernels import uniform_co


def _unit(lane: Any) -> Any:
    return uniform_co(lane)


#: A valid value for each argument name, for calls that are not listed explicitly.
GOOD: dict[str, Callable[[], Any]] = {
    "algorithm": lambda: keyrng.algorithms.philox4x32,
    "axis": lambda: 0,
    "batch_size": lambda: 2,
    "column_axis": lambda: -1,
    "count": lambda: 1,
    "data": lambda: 3,
    "delta": lambda: 3,
    "device": lambda: "cpu",
    "distribution": lambda: "normal",
    "dtype": lambda: None,
    "initializer": lambda: keyrng.initializers.zeros,
    "kernel": lambda: _unit,
    "key": lambda: KEY,
    "keys": lambda: keyrng.split(KEY, 2),
    "limit": lambda: 1000,
    "mode": lambda: "fan_in",
    "n": lambda: 10,
    "n_children": lambda: 2,
    "n_words": lambda: 2,
    "name": lambda: "numpy",
    "num": lambda: 2,
    "rate": lambda: 0.5,
    "sampler": lambda: keyrng.normal,
    "scale": lambda: 1.0,
    "seed": lambda: 0,
    "shape": lambda: (3,),
    "shapes": lambda: {"a": (2, 3)},
    "sparsity": lambda: 0.5,
    "state": lambda: keyrng.Generator(0).get_state(),
    "tree": lambda: {"a": 1},
    "value": lambda: 1.0,
    "words": lambda: np.zeros(2, np.uint32),
    "x": lambda: np.ones((2, 3), np.float32),
}

#: Where that does not do: by the name of the callable.
CALLED: dict[str, dict[str, Callable[[], Any]]] = {
    "Key.from_bytes": {"data": lambda: KEY.to_bytes()},
    "concatenate": {"keys": lambda: [keyrng.split(KEY, 2), keyrng.split(KEY, 3)]},
    "stack": {"keys": lambda: [KEY, KEY]},
    "algorithms.get": {"name": lambda: "philox4x32"},
    "Key.reshape": {"shape": lambda: (3, 2)},
    "sample_kernel": {"dtype": lambda: "float32"},
    "LazyArray.__getitem__": {"index": lambda: 1},
    "Key.__getitem__": {"index": lambda: 0},
    "ShuffledBatches.__getitem__": {"epoch": lambda: 0},
    "EpochBatches.__getitem__": {"step": lambda: 0},
    "initializers.delta_orthogonal()": {"shape": lambda: (3, 2, 2)},
    "initializers.dirac()": {"shape": lambda: (2, 2, 3)},
    "Algorithm": {
        "name": lambda: "mine",
        "tag": lambda: "m",
        "word_bits": lambda: 32,
        "key_words": lambda: 2,
        "block_words": lambda: 4,
        "block": lambda: keyrng.algorithms.philox4x32.block,
    },
    "interop.numpy.KeyBitGenerator": {"seed": lambda: KEY},
}
for _name in ("orthogonal", "sparse", "identity", *(n for n in keyrng.initializers.__all__ if "_" in n)):
    CALLED.setdefault(f"initializers.{_name}()", {"shape": lambda: (2, 3)})

#: The public classes, and how to have one of each.
OBJECTS: dict[type, Callable[[], Any]] = {
    keyrng.Key: lambda: keyrng.split(KEY, (2, 3)),
    keyrng.Generator: lambda: keyrng.Generator(0),
    LazyArray: lambda: keyrng.lazy_array(keyrng.normal, KEY, (3, 4)),
    ShuffledBatches: lambda: keyrng.shuffled_batches(KEY, 10, 3),
    EpochBatches: lambda: keyrng.shuffled_batches(KEY, 10, 3)[1],
    keyrng.interop.numpy.KeySeedSequence: lambda: keyrng.interop.numpy.KeySeedSequence(KEY),
    keyrng.interop.numpy.KeyBitGenerator: lambda: keyrng.interop.numpy.KeyBitGenerator(KEY),
}
SINGLE = {"generate_state", "spawn", "__bool__"}  # methods of one key

#: Public, and not tried with bad values; each for a reason.
EXCEPTED = {
    "kernels": "the kernel language, which checks only dtypes; see docs/bad-input.md",
    "interop.torch": "needs torch; refusals.txt has its bad arguments",
    "interop.torch_data": "needs torch; test_data_order.py has its bad arguments",
    "interop.jax": "needs jax; refusals.txt has its bad arguments",
    "interop.dask": "needs dask; test_dask.py has its bad arguments",
    "interop.xarray": "needs xarray; test_dask.py has its bad arguments",
    "distributions": "the functions of keyrng itself",
}
#: Names that are tested in another way.
EXCEPTED_NAMES = {
    "initializers.Initializer": "a protocol, which is not called",
    "LazyArray": "made by lazy_array, and tried as an object",
    "ShuffledBatches": "made by shuffled_batches, and tried as an object",
    "EpochBatches": "made by shuffled_batches, and tried as an object",
    "algorithms.Domain": "an enum",
    "debug.KeyReuseError": "an exception",
}


@dataclass(frozen=True, eq=False)
class Target:
    """A callable: what makes it, and arguments that it takes, by name."""

    name: str
    make: Callable[[], Callable[..., Any]]
    good: Mapping[str, Value]
    #: More that may be given; their defaults are good.
    optional: tuple[str, ...] = ()
    positional: frozenset[str] = field(default_factory=frozenset)
    var_positional: str = ""
    var_keyword: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All arguments that may be given."""
        return (*self.good, *self.optional, *filter(None, (self.var_positional, self.var_keyword)))

    def __str__(self) -> str:
        return self.name


def modules() -> Iterator[tuple[str, Any]]:
    """The modules that say what they have to offer, by their names within keyrng."""
    yield "", keyrng
    for found in pkgutil.walk_packages(keyrng.__path__, "keyrng."):
        short = found.name.removeprefix("keyrng.")
        if short == "testing":
            yield short, keyrng.testing
            continue
        if any(part[0] == "_" for part in short.split(".")) or {short, short.partition(".")[0]} & set(EXCEPTED):
            continue
        module = importlib.import_module(found.name)
        if hasattr(module, "__all__"):
            yield short, module


def _public(module: Any) -> list[str]:
    own = [n for n, v in vars(module).items() if n[0] != "_" and getattr(v, "__module__", "") == module.__name__]
    return list(getattr(module, "__all__", own))


def _target(name: str, make: Callable[[], Any], skipped: int = 0, good: Mapping[str, Any] | None = None) -> Target:
    """Return a target with valid values for arguments without a default; KeyError if none is known."""
    parameters = list(inspect.signature(make()).parameters.values())[skipped:]
    required: dict[str, Value] = {}
    optional, positional, var_positional, var_keyword = [], set(), "", ""
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            var_positional = p.name
            if p.name in CALLED.get(name, {}):
                required[p.name] = Value(repr(CALLED[name][p.name]()), CALLED[name][p.name])
        elif p.kind is p.VAR_KEYWORD:
            var_keyword = p.name
        elif good is not None and p.name in good:
            required[p.name] = Value(repr(good[p.name]), lambda value=good[p.name]: value)
        elif p.default is p.empty:
            known = CALLED.get(name, {})
            make_it = known[p.name] if p.name in known else GOOD[p.name]
            required[p.name] = Value(repr(make_it()), make_it)
        else:
            optional.append(p.name)
        if p.kind is p.POSITIONAL_ONLY:
            positional.add(p.name)
    return Target(name, make, required, tuple(optional), frozenset(positional), var_positional, var_keyword)


def _sampler(name: str, make: Callable[[], Any], method: bool) -> Target:
    function = getattr(keyrng, name)
    bound = inspect.signature(function).bind(KEY, *CALLS[name]).arguments
    if method:
        del bound["key"]
    return _target(f"Generator.{name}" if method else name, make, good=bound)


def _methods(kind: type, make: Callable[[], Any]) -> Iterator[Target]:
    public = [n for n, v in vars(kind).items() if n[0] != "_" and not isinstance(v, property)]
    for name in [*public, *(n for n in ("__getitem__", "__eq__", "__array__") if n in vars(kind))]:
        full = f"{kind.__name__}.{name}"
        if kind is keyrng.Generator and name in CALLS:
            yield _sampler(name, lambda name=name: getattr(make(), name), method=True)
        elif (full, name) != ("Key.__array__", "__array__"):
            one = kind is keyrng.Key and name in SINGLE
            good = {"other": KEY, "other_": KEY} if name == "__eq__" else None
            yield _target(full, lambda name=name, one=one: getattr(KEY if one else make(), name), good=good)


def targets() -> list[Target]:
    """Return all targets; KeyError for a parameter without a known valid value."""
    found: list[Target] = []
    for short, module in modules():
        for name in _public(module):
            full = f"{short}.{name}" if short else name
            value = getattr(module, name)
            if full in EXCEPTED_NAMES or inspect.ismodule(value) or isinstance(value, keyrng.algorithms.Algorithm):
                continue
            if name in CALLS and not short:
                found.append(_sampler(name, lambda value=value: value, method=False))
            elif inspect.isclass(value) and value is not keyrng.Key:
                found.append(_target(full.removeprefix("algorithms."), lambda value=value: value))
            elif value is not keyrng.Key:
                found.append(_target(full, lambda value=value: value))
                if short == "initializers" and name not in ("zeros", "ones", "init_tree"):
                    found.append(_initializer(full, value))
    for kind, make in OBJECTS.items():
        found.extend(_methods(kind, make))
    return found


def _initializer(name: str, factory: Callable[..., Any]) -> Target:
    """Return the initializer of a factory as a target."""
    given = {p.name: GOOD[p.name]() for p in inspect.signature(factory).parameters.values() if p.default is p.empty}
    made = factory(**given)
    hidden = len(list(inspect.signature(made).parameters)) - 4  # arguments that functools.partial binds
    return _target(f"{name}()", lambda: made, skipped=max(hidden, 0))


__all__ = ["EXCEPTED", "EXCEPTED_NAMES", "GOOD", "Target", "modules", "targets", "values"]
