"""``python -m keyrng bits``: words of one stream, or of many word by word, for statistical test programs."""

from __future__ import annotations

import argparse
import os
import sys
from typing import IO, Any

import numpy as np

import keyrng
from keyrng._given import shown
from keyrng.backends import Slab
from keyrng.kernels.lane import kernel_of
from keyrng.sampling import fill_slab

_BUFFER = 1 << 20  # words at a time: 4 MiB, so that writing is nothing beside drawing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the subcommand."""
    parser.add_argument("--seed", type=int, default=0, help="an integer (default 0)")
    parser.add_argument("--impl", default="threefry2x32", help=f"one of {', '.join(keyrng.algorithms.names())}")
    parser.add_argument("--bytes", type=int, default=None, metavar="N", help="stop after N bytes (default: never)")
    parser.add_argument(
        "--streams",
        default=None,
        metavar="HOW:COUNT",
        help="interleave COUNT streams word by word: split:COUNT, fold_in:COUNT or seeds:COUNT",
    )


def run(given: argparse.Namespace) -> int:
    """Write words until ``--bytes`` or the reader is done."""
    if given.bytes is not None and given.bytes < 0:
        print(f"--bytes must not be negative, got {given.bytes}", file=sys.stderr)
        return 2
    try:
        keys = streams(given.seed, given.impl, given.streams)
    except (TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        write(keys, given.bytes, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has enough. Python would complain once more when it closes standard output: give it another.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def streams(seed: int, impl: str, how: str | None) -> keyrng.Key:
    """The keys of the streams: one, or those of ``split:n``, ``fold_in:n`` or ``seeds:n``."""
    if how is None:
        return keyrng.key(seed, impl=impl).reshape((1,))
    kind, _, text = how.partition(":")
    if kind not in ("split", "fold_in", "seeds") or not text.isdecimal() or len(text) > 8 or int(text) < 1:
        raise ValueError(f"--streams is split:COUNT, fold_in:COUNT or seeds:COUNT below 10**8, got {shown(how)}")
    count = int(text)
    if kind == "split":
        return keyrng.split(keyrng.key(seed, impl=impl), count)
    if kind == "fold_in":
        return keyrng.fold_in(keyrng.key(seed, impl=impl), np.arange(count))
    return keyrng.stack([keyrng.key(seed + i, impl=impl) for i in range(count)])


def write(keys: keyrng.Key, limit: int | None, to: IO[bytes]) -> None:
    """Words of 32 bits, little-endian, those of several keys interleaved one by one."""
    each = max(1, _BUFFER // keys.size)
    buffer = np.empty((keys.size, each), np.uint32)
    start, left = 0, limit
    while left is None or left > 0:
        fill_slab(kernel_of("bits"), keys, buffer, buffer.shape, [], np.dtype(np.uint32), Slab(start, each, each))
        words: np.ndarray[Any, np.dtype[Any]] = buffer if keys.size == 1 else np.ascontiguousarray(buffer.T)
        data = words.astype("<u4", copy=False).reshape(-1).view(np.uint8).data
        to.write(data if left is None else data[:left])
        start += each
        left = None if left is None else left - len(data)
