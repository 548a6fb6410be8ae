"""Equivalent calls of other libraries, as users write them; those not installed are skipped with a note."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np
from timing import Subject

Array = np.ndarray[Any, np.dtype[Any]]

skipped: list[str] = []

# Parameters of a small draw.
TEN = np.linspace(1.0, 10.0, 10, dtype=np.float32)


@cache
def library(name: str) -> Any:
    """Import a module; None if it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        skipped.append(f"{name}: {error}")
        return None


def _generators() -> dict[str, Any]:
    """Return generators that fill float32 arrays, by name."""
    bits: dict[str, Any] = {f"numpy {n}": getattr(np.random, n)(0) for n in ("PCG64", "Philox", "SFC64")}
    if randomgen := library("randomgen"):
        bits["randomgen ThreeFry"] = randomgen.ThreeFry(0)
        bits["randomgen Philox"] = randomgen.Philox(0)
    return {name: np.random.Generator(bit_generator) for name, bit_generator in bits.items()}


def jax_random(function: str, *arguments: Any, **named: Any) -> list[Subject]:
    """Call a function of jax.random eagerly and wait for its result; "k" among the arguments is replaced by a key."""
    if not (jax := library("jax")):
        return []
    call = getattr(jax.random, function)
    key = jax.random.key(0)
    given = tuple(key if isinstance(a, str) and a == "k" else a for a in arguments)
    return [Subject("jax", lambda: call(*given, **named).block_until_ready())]


def _torch_call(function: str, *arguments: Any) -> list[Subject]:
    if not (torch := library("torch")):
        return []
    return [Subject("torch", partial(getattr(torch, function), *arguments))]


def _torch(function: str, out: Array) -> list[Subject]:
    if not (torch := library("torch")):
        return []
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return [Subject("torch", partial(getattr(torch, function), out.size, out=torch.from_numpy(out)))]


def dropout(x: Array, rate: float) -> list[Subject]:
    """Return torch's dropout; jax has no dropout function."""
    if not (torch := library("torch")):
        return []
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return [Subject("torch", partial(torch.nn.functional.dropout, torch.from_numpy(x), rate, True))]


def large(out: Array) -> dict[str, list[Subject]]:
    """Return draws that fill ``out``, a flat float32 array; jax has no out and returns a new array."""
    shape, generators = out.shape, _generators()

    def fill(method: str, *arguments: Any) -> list[Subject]:
        calls: dict[str, Callable[..., Any]] = {name: getattr(g, method) for name, g in generators.items()}
        return [Subject(n, partial(c, *arguments, dtype=np.float32, out=out)) for n, c in calls.items()]

    return {
        "uniform": fill("random") + jax_random("uniform", "k", shape) + _torch("rand", out),
        "normal": fill("standard_normal") + jax_random("normal", "k", shape) + _torch("randn", out),
        "gamma(2.0)": fill("standard_gamma", 2.0) + jax_random("gamma", "k", 2.0, shape),
        "bits": [*jax_random("bits", "k", shape), Subject("numpy fill, the memory alone", partial(out.fill, 1.0))],
    }


def calls() -> dict[str, list[Subject]]:
    """Return single calls; NumPy's where it has an equivalent without keys."""
    generator = np.random.default_rng(0)

    def numpy(function: str, *arguments: Any) -> list[Subject]:
        return [Subject("numpy PCG64", partial(getattr(generator, function), *arguments, dtype=np.float32))]

    return {
        "key(0)": jax_random("key", 0),
        "split(k)": jax_random("split", "k"),
        "fold_in(k, 1)": jax_random("fold_in", "k", 1),
        "uniform(k)": numpy("random") + jax_random("uniform", "k") + _torch_call("rand", ()),
        "normal(k, (10,))": numpy("standard_normal", 10)
        + jax_random("normal", "k", (10,))
        + _torch_call("randn", (10,)),
        "gamma(k, 2.0, (10,))": numpy("standard_gamma", 2.0, 10) + jax_random("gamma", "k", 2.0, (10,)),
        "gamma(k, a), 10 values": numpy("standard_gamma", TEN) + jax_random("gamma", "k", TEN),
        "randint(k, (10,), 0, 1000)": [
            Subject("numpy PCG64", partial(generator.integers, 0, 1000, 10, np.int32)),
            *jax_random("randint", "k", (10,), 0, 1000),
            *_torch_call("randint", 0, 1000, (10,)),
        ],
        "split(k, 1_000_000)": jax_random("split", "k", 1_000_000),
    }
