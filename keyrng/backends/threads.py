"""Threads over large arrays: how many, and pieces of work for them.

The number changes no value: a piece is a range of indices, and what is in it depends on nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyrng._given import shown

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# Elements a piece: long enough that starting it is nothing, short enough that Ctrl-C is heard between two of them.
PIECE = 1 << 18

_count: int | None = None
_pool: ThreadPoolExecutor | None = None


def get_num_threads() -> int:
    """How many threads a large draw uses: by default as many as cores the process may run on.

    >>> import keyrng
    >>> keyrng.get_num_threads() >= 1
    True
    """
    if _count is not None:
        return _count
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def set_num_threads(count: int | None) -> None:
    """Set how many threads a large draw uses; None goes back to the number of cores. No value depends on it.

    ValueError below 1, TypeError for what is not an int.

    >>> import keyrng
    >>> keyrng.set_num_threads(1)
    >>> keyrng.set_num_threads(None)
    """
    global _count
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"the number of threads is an int or None, got {shown(count)}")
        if count < 1:
            raise ValueError(f"the number of threads is 1 or more, got {count}")
    _count = count
    _drop_pool()


def _drop_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    # The child of a fork has the pool's object but none of its threads: waiting for them would be for ever.
    os.register_at_fork(after_in_child=_drop_pool)


def run_pieces(total: int, piece: Callable[[int, int], None], size: int = PIECE) -> None:
    """Call ``piece(first, stop)`` for ranges that cover 0 to ``total``, on several threads if there is more than one.

    A piece may call this in turn, for no more than one range: pieces that wait for pieces would fill the pool.
    """
    global _pool
    if total <= size:
        piece(0, total)
        return
    threads = min(get_num_threads(), (total + size - 1) // size)
    if threads <= 1:
        for first in range(0, total, size):
            piece(first, min(first + size, total))
        return
    from concurrent.futures import ThreadPoolExecutor, wait  # not at the top: it costs 5 ms of every import keyrng

    starts = iter(range(0, total, size))  # shared: next() on a range iterator is atomic

    stop = False

    def work() -> None:
        for first in starts:
            if stop:
                return
            piece(first, min(first + size, total))

    if _pool is None:
        _pool = ThreadPoolExecutor(max_workers=get_num_threads(), thread_name_prefix="keyrng")
    others = [_pool.submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        # Also when interrupted: nobody may write to the output after this call.
        stop = True
        wait(others)
    for other in others:
        other.result()
