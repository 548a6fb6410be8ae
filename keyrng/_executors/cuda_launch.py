"""Compiled functions of the current GPU, and the grids that they are launched with."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, TypeAlias

from keyrng._executors import gpu

Sizes: TypeAlias = tuple[tuple[int, int], tuple[int, int]]  # grid in blocks, block in threads

THREADS = 256  # per block
_ROWS = 65535  # limit of a grid's y dimension
_MOST = 8  # blocks per multiprocessor: the most threads it can hold

# Options cannot change results (see keyrng._codegen.cuda_prelude); this one states the intention.
_OPTIONS = ("--std=c++17", "--fmad=false")

_HERE: AbstractContextManager[Any] = nullcontext()


def on(device: int) -> AbstractContextManager[Any]:
    """Context manager: make a device current and restore the previous one."""
    cuda = gpu.cupy().cuda
    there: AbstractContextManager[Any] = _HERE if cuda.runtime.getDevice() == device else cuda.Device(device)
    return there


class Compiled(NamedTuple):
    """A function to call with grid, block and arguments, and how many of its blocks the device holds at once."""

    launch: Any
    blocks: int


def compiled(source: str, *names: str) -> list[Compiled]:
    """Compile a source for the current device and return its functions."""
    module = gpu.cupy().RawModule(code=source, options=_OPTIONS)
    functions = map(module.get_function, names)
    # A kernel of CuPy's looks its function up for the current device at each call, which takes longer than a launch.
    return [Compiled(f, _resident(f)) for f in (getattr(function, "kernel", function) for function in functions)]


def _resident(function: Any) -> int:
    """Return how many blocks of a function the current device holds at once, which depends on its registers."""
    cuda = gpu.cupy().cuda
    multiprocessors = int(cuda.Device().attributes["MultiProcessorCount"])
    if not hasattr(function, "ptr"):  # a test's double
        return _MOST * multiprocessors
    fit = int(cuda.driver.occupancyMaxActiveBlocksPerMultiprocessor(function.ptr, THREADS, 0))
    return max(1, fit) * multiprocessors


def grid_of(width: int, rows: int, most: int) -> Sizes:
    """Return grid and block for ``rows`` rows of ``width`` threads; a block is as wide as a row, or has several rows.

    The grid has at most ``most`` blocks; threads loop over the rest.
    """
    wide = min(THREADS, 1 << (width - 1).bit_length())
    high = THREADS // wide
    across = min(-(-width // wide), most)
    return (across, min(-(-rows // high), max(1, most // across), _ROWS)), (wide, high)
