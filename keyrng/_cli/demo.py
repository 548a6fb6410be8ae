"""``python -m keyrng``: draw samples for several devices from one seed, and check the laws."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import keyrng
from keyrng._executors import native
from keyrng._executors.base import ElementRange
from keyrng._sampling.draw import fill_range
from keyrng.kernels.lane import kernel_of

_COUNT = 4_000_000
_DEVICES = 4

# BLAKE2b of all samples of this program; equal on every machine.
_DIGEST = "5412294e0d3844dc"


def run() -> int:
    """Draw and check the samples; return 0 if every law holds."""
    laws: list[tuple[str, bool]] = []
    path = f"compiled ({native.instruction_set()})" if native.enabled else "NumPy only"
    print(f"keyrng {keyrng.__version__}, {path}, {keyrng.get_num_threads()} threads\n")

    key = keyrng.key(42)
    keys = keyrng.split(key, _DEVICES)
    print(f"key(42)          {key!r}")
    print(f"split over {_DEVICES}     one key for each device (here all of them the CPU)")
    laws.append(
        ("split(key, n)[i] == fold_in(key, i)", all((keys[i] == keyrng.fold_in(key, i)) for i in range(_DEVICES)))
    )

    noise = keyrng.fold_in(key, "noise")
    print(f'fold_in "noise"  {noise!r}\n')
    digest = hashlib.blake2b(digest_size=8)
    for name, sampler in (("uniform", keyrng.uniform), ("normal", keyrng.normal)):
        whole = sampler(noise, (_COUNT,))
        laws.append((f"{name}: the pieces are the whole", _same(whole, _in_pieces(name, noise))))
        laws.append((f"{name}: a short draw begins a long one", _same(whole[:1000], sampler(noise, (1000,)))))
        sharded = np.concatenate([sampler(k, (_COUNT // 100,)) for k in keys])
        laws.append((f"{name}: a batch of keys is its keys", _same(sampler(keys, (_COUNT // 100,)).ravel(), sharded)))
        digest.update(whole.tobytes())
        digest.update(sharded.tobytes())
        print(f"{_COUNT:,} {name}s: first {whole[:3]}, mean {whole.mean(dtype=np.float64):+.5f}")
    laws.append(("the digest is that of every machine", digest.hexdigest() == _DIGEST))
    print(f"digest           {digest.hexdigest()}\n")
    _timing(noise)
    for law, holds in laws:
        print(f"{'holds ' if holds else 'BROKEN'}  {law}")
    return 0 if all(holds for _, holds in laws) else 1


def _same(a: Any, b: Any) -> bool:
    return bool(a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _in_pieces(name: str, key: keyrng.Key) -> np.ndarray[Any, np.dtype[Any]]:
    """Draw the same sample in seven parts, last part first."""
    out = np.empty(_COUNT, np.float32)
    edges = np.linspace(0, _COUNT, 8).astype(int).tolist()
    for start, stop in reversed(list(pairwise(edges))):
        part = out[start:stop]
        kernel = kernel_of("unit" if name == "uniform" else name)
        fill_range(kernel, key, part, ElementRange(start, stop - start, _COUNT))
    return out


def _timing(key: keyrng.Key) -> None:
    """Compare the speed with NumPy's Generator: alternating runs, the best of five."""
    generator = np.random.default_rng(0)
    out = np.empty(_COUNT, np.float32)
    rows: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        ("uniform", lambda: keyrng.uniform(key, out=out), lambda: generator.random(dtype=np.float32, out=out)),
        ("normal", lambda: keyrng.normal(key, out=out), lambda: generator.standard_normal(dtype=np.float32, out=out)),
    ]
    print("ns per value     keyrng   numpy Generator")
    for name, ours, theirs in rows:
        times = [(_seconds(ours), _seconds(theirs)) for _ in range(5)]
        mine, others = (min(t[i] for t in times) / _COUNT * 1e9 for i in (0, 1))
        print(f"{name:<12} {mine:10.2f}   {others:10.2f}      {others / mine:.1f}x")
    print()


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
