"""Speed by number of blocks per launch: python benchmarks/gpu_blocks.py [--values N]

Times five kernels with grids of 4 to 32 blocks per multiprocessor, and prints the registers that each uses.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import report
from gpu_timing import Gpu, Subject
from timing import Result, alternate

import keyrng
from keyrng._executors import cuda
from keyrng._executors import gpu as found

BLOCKS = (4, 5, 6, 8, 16, 32)
THREADS = 256
REGISTERS = 4  # CUDA's number of a function's attribute

#: Kernels, named by their samplers, and the largest number of values.
KERNELS: dict[str, tuple[Callable[[keyrng.Key, Any], Any], str, int]] = {
    "normal": (lambda key, out: keyrng.normal(key, out=out), "float32", 2**26),
    "unit": (lambda key, out: keyrng.uniform(key, out=out), "float32", 2**26),
    "gamma": (lambda key, out: keyrng.gamma(key, 2.0, out.shape, out=out), "float32", 2**24),
    "poisson": (lambda key, out: keyrng.poisson(key, 5.0, out.shape, out=out), "int32", 2**24),
    "bernoulli": (lambda key, out: keyrng.bernoulli(key, 0.3, out.shape, out=out), "bool", 2**26),
}


@contextmanager
def launched() -> Iterator[list[Any]]:
    """Record the compiled functions that are launched in the block."""
    functions, fill = [], cuda._fill

    def noted(*request: Any) -> Any:
        made = fill(*request)
        functions.append(made[0].launch)
        return made

    cuda._fill = noted  # type: ignore[assignment]
    try:
        yield functions
    finally:
        cuda._fill = fill


@contextmanager
def grid(number: int) -> Iterator[None]:
    """Launch this number of blocks per multiprocessor in the ``with`` block."""
    fill, multiprocessors = cuda._fill, found.cupy().cuda.Device().attributes["MultiProcessorCount"]

    def resized(*request: Any) -> Any:
        function, group = fill(*request)
        return function._replace(blocks=number * multiprocessors), group

    cuda._fill = resized  # type: ignore[assignment]
    try:
        yield
    finally:
        cuda._fill = fill


def resources(function: Any) -> str:
    """Return the registers of a kernel and the number of its blocks that fit on a multiprocessor."""
    try:
        driver = __import__("cupy_backends.cuda.api.driver", fromlist=["driver"])
        fit = driver.occupancyMaxActiveBlocksPerMultiprocessor(function.ptr, THREADS, 0)
        return f"{driver.funcGetAttribute(REGISTERS, function.ptr)} registers, {fit} blocks fit"
    except Exception as error:
        return f"registers unknown, {type(error).__name__}: {error}"


def measure(gpu: Gpu, name: str, values: int, rounds: int = 15, least: float = 0.01) -> list[Result]:
    """Time a kernel for each number of blocks; AssertionError if one of them changes a value."""
    draw, dtype, most = KERNELS[name]
    values = min(values, most)
    key, buffers = gpu.key("threefry2x32"), gpu.buffers(values, dtype)
    expected = None

    def with_blocks(number: int, out: Any) -> Any:
        with grid(number):
            return draw(key, out)

    with launched() as functions:
        draw(key, buffers[0])
    print(f"{name}, {values:,} values: {resources(functions[0])}", flush=True)
    for number in BLOCKS:
        sample = with_blocks(number, buffers[0]).copy()
        expected = sample if expected is None else expected
        assert bool((sample == expected).all()), f"{number} blocks change values of {name}"
    subjects = [
        Subject(f"{number} blocks", partial(with_blocks, number), buffers, gpu.by_events, gpu.wait) for number in BLOCKS
    ]
    return alternate(name, values, subjects, rounds, budget=4.0, least=least)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="speed of kernels by blocks per multiprocessor")
    parser.add_argument("--values", type=int, default=2**26, help="largest number of values per draw")
    options = parser.parse_args(arguments)
    if reason := found.missing_reason():
        print(f"benchmarks/gpu_blocks.py needs a GPU: {reason}", file=sys.stderr)
        return 2
    gpu, failed = Gpu(found.cupy()), False
    for name in KERNELS:
        try:
            results = measure(gpu, name, options.values)
            best = min(result.median for result in results)
            print("\n| blocks per multiprocessor | Gvalues/s | of the best |\n|---|---:|---:|")
            for result in results:
                print(f"| {result.subject} | {report.three(1 / result.median)} | {best / result.median:.3f} |")
            print(flush=True)
        except Exception as error:
            failed = True
            print(f"{name}: FAILED, {type(error).__name__}: {error}\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
