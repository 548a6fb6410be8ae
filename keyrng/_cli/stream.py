"""``python -m keyrng bits``: words of one or several interleaved streams, for statistical test programs."""

from __future__ import annotations

import argparse
import os
import sys
from time import perf_counter
from typing import IO

import numpy as np

import keyrng
from keyrng._cli import stream_layouts
from keyrng._cli.progress import Progress

_BUFFER = 1 << 20  # words at a time: 4 MiB, so that writing is cheap relative to drawing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    parser.add_argument("--seed", type=int, default=0, help="an integer (default 0)")
    parser.add_argument("--impl", default="threefry2x32", help=f"one of {', '.join(keyrng.algorithms.names())}")
    parser.add_argument("--bytes", type=int, default=None, metavar="N", help="stop after N bytes (default: never)")
    parser.add_argument(
        "--stream-layout",
        default="one",
        metavar="NAME[:N]",
        help=f"the streams to interleave word by word, or what to draw: {stream_layouts.FORMS} (default one)",
    )


def run(given: argparse.Namespace) -> int:
    """Write words until ``--bytes`` is reached or the reader closes the pipe."""
    if given.bytes is not None and given.bytes < 0:
        print(f"--bytes must not be negative, got {given.bytes}", file=sys.stderr)
        return 2
    try:
        layout, number = stream_layouts.parse(given.stream_layout)
        keys = stream_layouts.keys_of(layout, number, given.seed, given.impl)
    except (TypeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with Progress(enabled=not sys.stdout.isatty()) as progress:
            write(layout, keys, given.bytes, sys.stdout.buffer, progress)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has closed the pipe. Replace standard output, because Python would report the error again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def write(
    layout: stream_layouts.StreamLayout, keys: keyrng.Key, limit: int | None, to: IO[bytes], progress: Progress
) -> None:
    """Write 32-bit words, little-endian."""
    each = max(1, _BUFFER // keys.size)
    start, left = 0, limit
    began, written, of = perf_counter(), 0, "" if limit is None else f" of {limit:,}"
    while left is None or left > 0:
        data = stream_layouts.words(layout, keys, start, each).astype("<u4", copy=False).view(np.uint8).data
        written += to.write(data if left is None else data[:left])
        start += each
        left = None if left is None else left - len(data)
        progress.show(f"{written:,}{of} bytes, {written / 1e6 / (perf_counter() - began):,.0f} MB/s")
