"""``python -m keyrng selftest``: known answers, digests and laws, on every path of this machine.

The expected values are in keyrng/_cli/selftest.json, written by tests/data/make_values.py.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np

import keyrng
from keyrng import algorithms, initializers
from keyrng._cli.progress import Progress
from keyrng._core.fpenv import describe_fpenv
from keyrng._executors import gpu, native
from keyrng._executors.base import ElementRange
from keyrng._sampling.draw import fill_range
from keyrng.algorithms.base import Algorithm
from keyrng.kernels.lane import kernel_of
from keyrng.testing import available_backends, use_backend

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Check: TypeAlias = tuple[str, Callable[[], str]]  # label, and function that returns what is wrong

TABLE = files("keyrng._cli") / "selftest.json"  # not __file__, because the package may be in a zip file

_LARGE = 600_000  # elements: three pieces for threads, several chunks
_MOST = 10  # broken checks shown per path

# On a GPU, compiling a kernel takes up to seconds, so that only these run, with the default algorithm.
_ON_A_GPU = ("bits", "uniform", "normal", "gamma", "randint", "bernoulli", "poisson")


@dataclass
class Findings:
    """The results of a path: the number of checks by kind, and the failures."""

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run() -> int:
    """Check every path and print the results; return 0 if all checks pass."""
    table = json.loads(TABLE.read_text("utf-8"))
    print(f"keyrng {keyrng.__version__}, Python {platform.python_version()}, NumPy {np.__version__}", end=", ")
    print(f"{platform.system()} {platform.machine()}, {keyrng.get_num_threads()} threads")
    print(f"floating-point mode: {_mode()}\n")
    found = [_on_path(name, use_backend(name), _checks(table)) for name in available_backends()]
    if not native.instruction_sets():
        print(f"compiled   not checked: {native.missing_reason()}")
    if gpu.missing_reason():
        print(f"cuda       not checked: {gpu.missing_reason()}")
    else:
        found.append(_on_path("cuda", nullcontext(), _checks_on_a_gpu(table)))
    total, broken = sum(sum(path.counts.values()) for path in found), sum(len(path.broken) for path in found)
    seconds = sum(path.seconds for path in found)
    if broken:
        print(f"\n{broken} of {total:,} checks are BROKEN, in {seconds:.1f} s: samples on this machine are wrong.")
        print("Please report this text and the output of python -m keyrng info.")
        if not any(path.broken for path in found if path.name == "numpy"):
            print("The NumPy path is correct; set KEYRNG_BACKEND=numpy to use it alone.")
        return 1
    print(f"\n{total:,} checks hold, in {seconds:.1f} s")
    return 0


def _mode() -> str:
    on = describe_fpenv()
    return f"{on}, left on by another library; keyrng draws in the default" if on else "the default"


def _on_path(name: str, chosen: AbstractContextManager[None], checks: Iterator[Check]) -> Findings:
    """Run the checks on a path and print a summary line; the first word of a label is its kind."""
    findings, start = Findings(name), time.perf_counter()
    with chosen, Progress() as progress:
        every = list(checks)
        for number, (label, check) in enumerate(every):
            progress.show(f"{name:<10} {number / len(every):.0%} of {len(every)} checks")
            kind = label.partition(":")[0]
            findings.counts[kind] = findings.counts.get(kind, 0) + 1
            try:
                wrong = check()
            except Exception as error:  # a broken path may raise anything
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                findings.broken.append(f"  BROKEN  {name}: {label}: {wrong}")
    findings.seconds = time.perf_counter() - start
    counts = ", ".join(f"{count} {kind}s" for kind, count in findings.counts.items())
    result = f"{len(findings.broken)} BROKEN" if findings.broken else "all hold"
    print(f"{name:<10} {counts}: {result} ({findings.seconds:.1f} s)")
    print(*(f"{line}\n" for line in findings.broken[:_MOST]), sep="", end="", flush=True)
    if len(findings.broken) > _MOST:
        print(f"  and {len(findings.broken) - _MOST} more")
    return findings


def _checks(table: Any) -> Iterator[Check]:
    yield from _known_answers(table["answers"])
    for row in table["rows"]:
        yield from _digests(row, table["algorithms"], table["seed"])
    for row in table["rows"]:
        yield from _laws(row, table["seed"])
    yield from _laws_of_keys(table)
    yield from _pieces(table["seed"])


def _checks_on_a_gpu(table: Any) -> Iterator[Check]:
    for row in table["rows"]:
        if row["call"] in _ON_A_GPU and not row["name"].partition(" ")[2]:
            yield from _digests(row, table["algorithms"][:1], table["seed"], device="cuda")


# Known answers of Random123: block functions, and words and children on each path


def _known_answers(answers: Any) -> Iterator[Check]:
    for name, counter, key, block in answers:
        algorithm = algorithms.get(name)
        numbers = [[int(word, 16) for word in words] for words in (counter, key, block)]
        yield f"known answer: {name} of {key[0]}", partial(_block, algorithm, *numbers)
        if not any(numbers[0]):
            yield f"known answer: {name}, drawn", partial(_drawn, algorithm, *numbers[1:])
        yield f"known answer: {name} of {key[0]}, a child", partial(_child, algorithm, numbers[1])


def _words(algorithm: Algorithm, numbers: list[int]) -> list[Array]:
    return [np.array([number], algorithm.dtype) for number in numbers]


def _block(algorithm: Algorithm, counter: list[int], key: list[int], block: list[int]) -> str:
    made = [int(word[0]) for word in algorithm.block(_words(algorithm, key), _words(algorithm, counter))]
    return _differs(made, block)


def _drawn(algorithm: Algorithm, key: list[int], block: list[int]) -> str:
    bits = algorithm.word_bits
    wanted = [int(word[0]) for word in algorithm.values(_words(algorithm, block), bits)]
    words = keyrng.bits(_key(algorithm, key), (len(wanted),), algorithm.dtype)
    return _differs(words.tolist(), wanted)


def _child(algorithm: Algorithm, key: list[int]) -> str:
    index = 0x0123_4567_89AB_CDEF
    low, high = index & (2**algorithm.word_bits - 1), index >> algorithm.word_bits
    block = algorithm.at(_words(algorithm, key), *_words(algorithm, [low, high, 0, 1]))
    wanted = [int(word[0]) for word in block[: algorithm.key_words]]
    return _differs(keyrng.key_data(keyrng.fold_in(_key(algorithm, key), index)).tolist(), wanted)


def _key(algorithm: Algorithm, words: list[int]) -> keyrng.Key:
    return keyrng.wrap_key_data(np.array(words, algorithm.dtype), impl=algorithm.name)


# Digests


def _digests(row: Any, names: list[str], seed: int, device: str = "cpu") -> Iterator[Check]:
    for dtype, digests in zip(row["dtypes"], row["digests"], strict=True):
        for name, digest in zip(names, digests.split(), strict=False):
            yield (
                f"digest: {' '.join(filter(None, (row['name'], dtype, name)))}",
                partial(_digest, row, (seed, name, device), dtype, digest),
            )


def _digest(row: Any, key_of: tuple[int, str, str], dtype: str, wanted: str) -> str:
    seed, name, device = key_of
    key = keyrng.key(seed, impl=name, device=device)
    drawn = sample(row, key, row["shape"], dtype)
    host = drawn if key.device == "cpu" else drawn.get()
    return _differs(digest_of(host), wanted, f" (first values {host.ravel()[:3]})")


def digest_of(drawn: Array) -> str:
    """Return the digest of a sample's bytes, little-endian."""
    array = np.ascontiguousarray(drawn)
    return blake2b(array.astype(array.dtype.newbyteorder("<")).tobytes(), digest_size=8).hexdigest()


def sample(row: Any, key: keyrng.Key, shape: Any, dtype: str) -> Any:
    """Draw a row's sample; arguments that the function does not have are omitted."""
    named = dict(row["with"])
    if shape is not None:
        named["shape"] = tuple(shape)
    if dtype:
        named["dtype"] = dtype
    if row["call"].startswith("initializers."):
        return getattr(initializers, row["call"].partition(".")[2])()(key, **named)
    return getattr(keyrng, row["call"])(key, **named)


# Laws


def _laws(row: Any, seed: int) -> Iterator[Check]:
    """Yield the laws of element-wise samplers: an element depends on its key and index only."""
    if not row["elements"]:
        return
    key, dtype = keyrng.key(seed), row["dtypes"][-1]

    def made(k: keyrng.Key, *shape: int) -> Array:
        drawn: Array = sample(row, k, shape, dtype)
        return drawn

    def batch() -> str:
        keys = keyrng.split(key, 5)
        return _unlike(made(keys, 40), np.stack([made(k, 40) for k in keys]))

    if row["prefix"]:
        yield f"law: {row['name']}: a short draw begins a long one", lambda: _unlike(made(key, 300)[:37], made(key, 37))
    yield f"law: {row['name']}: a shape is a view", lambda: _unlike(made(key, 6, 50).ravel(), made(key, 300))
    yield f"law: {row['name']}: a batch of keys is its keys", batch


def _laws_of_keys(table: Any) -> Iterator[Check]:
    for name in table["algorithms"]:
        key = keyrng.key(table["seed"], impl=name)

        def children(k: keyrng.Key = key) -> str:
            many, data = keyrng.split(k, 300), keyrng.key_data
            one_by_one = np.stack([data(keyrng.fold_in(k, i)) for i in range(0, 300, 17)])
            by_array = data(keyrng.fold_in(k, np.arange(300)))
            return _unlike(data(many[::17]), one_by_one) or _unlike(by_array, data(many))

        yield f"law: split(key, n)[i] == fold_in(key, i) with {name}", children


def _pieces(seed: int) -> Iterator[Check]:
    """Yield the checks that parts equal the whole, and that threads do not change values."""
    key = keyrng.key(seed)
    for name in ("normal", "uniform"):
        kernel = kernel_of("unit" if name == "uniform" else name)

        def slabs(name: str = name, kernel: Any = kernel) -> str:
            whole, part = getattr(keyrng, name)(key, (_LARGE,)), np.empty(50_001, np.float32)
            for start in (0, 12_345, _LARGE - part.size):
                fill_range(kernel, key, part, ElementRange(start, part.size, _LARGE))
                wrong = _unlike(part, whole[start : start + part.size])
                if wrong:
                    return wrong
            return ""

        def threads(name: str = name) -> str:
            samples = []
            try:
                for count in (1, 3):
                    keyrng.set_num_threads(count)
                    samples.append(getattr(keyrng, name)(key, (_LARGE,)))
            finally:
                keyrng.set_num_threads(None)
            return _unlike(*samples)

        yield f"law: {name}: a slab is a part of the whole", slabs
        yield f"law: {name}: threads change nothing", threads


# Descriptions of failures; empty if there is none


def _differs(found: Any, wanted: Any, more: str = "") -> str:
    return "" if found == wanted else f"got {found}{more}, must be {wanted}"


def _unlike(a: Array, b: Array) -> str:
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"got {a.dtype} {a.shape} and {b.dtype} {b.shape}"
    x, y = (np.ascontiguousarray(array).view(np.uint8).reshape(a.size, -1) for array in (a, b))
    at = np.flatnonzero((x != y).any(axis=1))
    if not at.size:
        return ""
    return f"{at.size} of {a.size} elements differ, the first at {at[0]}: {a.flat[at[0]]!r} and {b.flat[at[0]]!r}"
