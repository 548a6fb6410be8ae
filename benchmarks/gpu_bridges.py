"""Checks of gpu_smoke.py that need torch or jax: conversion of arrays, gradients and streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from gpu_checks import SHAPES, Place, SkippedError, check, same

import keyrng


def library(name: str, place: Place) -> Any:
    """Import torch or jax; they must have a GPU unless the keys are on the CPU."""
    if place.small and place.device != "cpu":
        raise SkippedError(f"{name} is not used with --small")
    if find_spec(name) is None:
        raise SkippedError(f"{name} is not installed")
    module = import_module(name)
    if place.device != "cpu":
        sees = module.cuda.is_available() if name == "torch" else module.devices()[0].platform in ("gpu", "cuda")
        if not sees:
            raise SkippedError(f"{name} {module.__version__} finds no GPU")
    return module


@check("torch by DLPack, both ways")
def torch_arrays(place: Place) -> None:
    torch, key = library("torch", place), keyrng.key(3)
    bridge, there, n = import_module("keyrng.interop.torch"), key.to(place.device), 1003
    expected = keyrng.normal(key, (n,))
    same(torch.from_dlpack(keyrng.normal(there, (n,))).cpu().numpy(), expected)
    tensor = torch.zeros(n, device=place.device)
    keyrng.normal(there, out=bridge.from_torch(tensor) if place.device == "cpu" else tensor)
    same(tensor.cpu().numpy(), expected)
    wide = keyrng.normal(key, (n,), "bfloat16").astype(np.float32)
    tensor = bridge.to_torch(keyrng.normal(there, (n,), "bfloat16"))
    assert tensor.dtype == torch.bfloat16
    same(tensor.float().cpu().numpy(), wide)
    tensor = torch.zeros(n, dtype=torch.bfloat16, device=place.device)
    keyrng.normal(there, dtype="bfloat16", out=bridge.from_torch(tensor))
    same(tensor.float().cpu().numpy(), wide)


@check("torch's gradient of dropout")
def torch_dropout(place: Place) -> None:
    torch, key = library("torch", place), keyrng.key(3)
    bridge = import_module("keyrng.interop.torch")
    results = []
    for device in ("cpu", place.device):
        x = torch.linspace(-1, 1, 1003).to(device).requires_grad_()
        y = bridge.dropout(key.to(device), x, 0.3)
        (y * y).sum().backward()
        results.append([part.detach().cpu().numpy() for part in (y, x.grad)])
    for actual, expected in zip(results[1], results[0], strict=True):
        same(actual, expected)


@contextmanager
def busy(torch: Any, stream: Any) -> Iterator[None]:
    """Make a torch stream current, with work queued on it that takes some time."""
    with torch.cuda.stream(stream):
        torch.cuda._sleep(50_000_000)
        yield


def into_tensors(place: Place, stream: Callable[[Any], Any]) -> None:
    """Draw with ``out=`` to a tensor that torch zeroes before and copies after, on a torch stream."""
    torch, key, n = library("torch", place), keyrng.key(3), place.size(10_000_000, 1_003)
    there = key.to(place.device)
    tensor = torch.ones(n, device=place.device)
    bridge = import_module("keyrng.interop.torch")
    torch.cuda.synchronize()
    with busy(torch, torch.cuda.Stream()), stream(torch):
        tensor.zero_()
        keyrng.normal(there, out=bridge.from_torch(tensor))
        copy = tensor * 1
    torch.cuda.synchronize()
    same(copy.cpu().numpy(), keyrng.normal(key, (n,)))


@check("torch's stream, made CuPy's by the user")
def torch_stream(place: Place) -> None:
    def entered(torch: Any) -> Any:
        return place.cupy.cuda.Stream.from_external(torch.cuda.current_stream())

    into_tensors(place, entered)


@check("torch's stream, CuPy's left as it is")
def torch_stream_alone(place: Place) -> None:
    try:
        into_tensors(place, lambda torch: place.cupy.cuda.get_current_stream())
    except AssertionError as error:
        raise SkippedError(f"torch does not wait for CuPy's stream: {error}") from None


@check("a jax array as a parameter")
def jax_parameter(place: Place) -> None:
    jax, key = library("jax", place), keyrng.key(3)
    shapes = jax.numpy.asarray(SHAPES).block_until_ready()
    same(place.host(keyrng.gamma(key.to(place.device), shapes)), keyrng.gamma(key, SHAPES))
