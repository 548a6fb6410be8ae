"""The rows of the GPU benchmark: calls of keyrng and of other libraries, as users write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import keyrng

Call = Callable[..., Any]

ALGORITHMS = ("threefry2x32", "philox4x32", "threefry4x32")
#: Names in the tables, by library.
NAMES = {
    "cupy": ("cupy XORWOW", "cupy Philox"),
    "curand": ("cupy cuRAND XORWOW", "cupy cuRAND Philox"),
    "torch": ("torch",),
    "jax": ("jax jitted", "jax eager"),
    "fill": ("memset", "cupy fill"),
}


@dataclass(frozen=True)
class Row:
    """A function of keyrng and its equivalents in other libraries. ``out`` is flat, of dtype ``dtype``.

    keyrng(key, out), cupy(Generator, out), curand(RandomState, out), torch(torch, generator, out),
    jax(jax.random, key, number of values). CuPy's out= only copies, so its calls return a new array, as jax's do.
    """

    name: str
    dtype: str
    judged: int  # number of values for the targets
    sizes: tuple[int, ...]  # other sizes
    keyrng: Call
    cupy: Call | None = None
    curand: Call | None = None
    torch: Call | None = None
    jax: Call | None = None
    algorithms: tuple[str, ...] = ALGORITHMS
    single_calls: bool = False

    def subjects(self) -> list[str]:
        """The names of all subjects."""
        libraries = [library for library in ("cupy", "curand", "torch", "jax") if getattr(self, library)]
        peers = [name for library in (*libraries, "fill") for name in NAMES[library]]
        return [f"keyrng {algorithm}" for algorithm in self.algorithms] + peers


ALL = (2**10, 2**14, 2**18, 2**22, 2**26, 2**30)
SOME = (2**10, 2**16, 2**20)
SMALL = 2**10


@cache
def _everywhere(torch: Any, value: float, device: Any) -> Any:
    return torch.tensor(value, device=device)


def _like(torch: Any, value: float, out: Any) -> Any:
    """Return a parameter expanded to the shape of ``out`` without memory, for functions that require tensors."""
    return _everywhere(torch, value, out.device).expand(out.numel())


ROWS = (
    Row(
        "uniform float32",
        "float32",
        2**28,
        ALL,
        keyrng=lambda key, out: keyrng.uniform(key, out.shape, out=out),
        cupy=lambda generator, out: generator.random(out.size, "float32"),
        curand=lambda state, out: state.random_sample(out.size, "float32"),
        torch=lambda torch, generator, out: torch.rand(out.numel(), generator=generator, out=out),
        jax=lambda random, key, n: random.uniform(key, (n,), "float32"),
        single_calls=True,
    ),
    Row(
        "normal float32",
        "float32",
        2**28,
        ALL,
        keyrng=lambda key, out: keyrng.normal(key, out.shape, out=out),
        cupy=lambda generator, out: generator.standard_normal(out.size, "float32"),
        curand=lambda state, out: state.standard_normal(out.size, "float32"),
        torch=lambda torch, generator, out: torch.randn(out.numel(), generator=generator, out=out),
        jax=lambda random, key, n: random.normal(key, (n,), "float32"),
        single_calls=True,
    ),
    Row(
        "gamma(2.0) float32",
        "float32",
        2**24,
        SOME,
        keyrng=lambda key, out: keyrng.gamma(key, 2.0, out.shape, out=out),
        cupy=lambda generator, out: generator.standard_gamma(2.0, out.size, "float32"),
        torch=lambda torch, generator, out: torch._standard_gamma(_like(torch, 2.0, out), generator=generator),
        jax=lambda random, key, n: random.gamma(key, 2.0, (n,), "float32"),
    ),
    Row(
        "poisson(5.0)",
        "int32",
        2**24,
        SOME,
        keyrng=lambda key, out: keyrng.poisson(key, 5.0, out.shape, out=out),
        cupy=lambda generator, out: generator.poisson(5.0, out.size),
        torch=lambda torch, generator, out: torch.poisson(_like(torch, 5.0, out), generator=generator),
        jax=lambda random, key, n: random.poisson(key, 5.0, (n,), "int32"),
    ),
    Row(
        "bits",
        "uint32",
        2**28,
        ALL,
        keyrng=lambda key, out: keyrng.bits(key, out.shape, out=out),
        jax=lambda random, key, n: random.bits(key, (n,), "uint32"),
    ),
    Row(
        "randint(0, 1000)",
        "int32",
        2**28,
        ALL,
        keyrng=lambda key, out: keyrng.randint(key, out.shape, 0, 1000, out=out),
        cupy=lambda generator, out: generator.integers(0, 1000, out.size, "int32"),
        torch=lambda torch, generator, out: torch.randint(0, 1000, out.shape, generator=generator, out=out),
        jax=lambda random, key, n: random.randint(key, (n,), 0, 1000, "int32"),
    ),
    Row(
        "uniform float64",
        "float64",
        2**28,
        ALL,
        keyrng=lambda key, out: keyrng.uniform(key, out.shape, "float64", out=out),
        cupy=lambda generator, out: generator.random(out.size, "float64"),
        curand=lambda state, out: state.random_sample(out.size, "float64"),
        torch=lambda torch, generator, out: torch.rand(out.numel(), generator=generator, out=out),
        jax=lambda random, key, n: random.uniform(key, (n,), "float64"),
    ),
    Row(
        "split",
        "uint64",  # a key of these algorithms has 8 bytes
        1_000_000,
        (),
        keyrng=lambda key, out: keyrng.split(key, out.size),
        jax=lambda random, key, n: random.split(key, n),
        algorithms=("threefry2x32", "philox4x32"),
    ),
)


def size_name(size: int) -> str:
    """Return 2**20 for a power of two, else the digits."""
    return f"2**{size.bit_length() - 1}" if size & (size - 1) == 0 else f"{size:,}"
