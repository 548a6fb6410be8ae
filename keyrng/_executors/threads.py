"""Threads for large arrays.

The number of threads does not change values: a piece of work is a range of indices, independent of the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, local
from typing import TYPE_CHECKING

from keyrng._core.arguments import short_repr
from keyrng._core.fpenv import default_fpenv

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# Elements of the largest piece: few enough for Ctrl-C to be handled between pieces.
PIECE = 1 << 18

# Fewer elements are computed before another thread has started, and counting processors takes 1 us.
_MANY = 1 << 12


class _Here(local):
    is_busy = False  # whether this thread runs a piece


_here = _Here()
_count: int | None = None
_pool: ThreadPoolExecutor | None = None


def get_num_threads() -> int:
    """Return the number of threads that a large draw uses.

    Returns
    -------
    int
        By default the number of cores that the process can run on.

    See Also
    --------
    set_num_threads : Sets the number.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.get_num_threads() >= 1
    True
    """
    if _count is not None:
        return _count
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # missing on macOS and Windows
        return os.cpu_count() or 1


def set_num_threads(count: int | None) -> None:
    """Set the number of threads that a large draw uses.

    Parameters
    ----------
    count : int or None
        Number of threads, 1 or more; None is the number of cores that the process can run on.

    Raises
    ------
    TypeError
        If ``count`` is not an int or None.
    ValueError
        If ``count`` is below 1.

    See Also
    --------
    get_num_threads : Returns the number.

    Notes
    -----
    No value depends on the number of threads.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.set_num_threads(1)
    >>> keyrng.get_num_threads()
    1
    >>> keyrng.set_num_threads(None)
    """
    global _count
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"number of threads must be an int or None, got {short_repr(count)}")
        if count < 1:
            raise ValueError(f"number of threads must be at least 1, got {count}")
    _count = count
    _drop_pool()


def _drop_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    # After a fork, the child has the pool object but none of its threads, and would wait for them forever.
    os.register_at_fork(after_in_child=_drop_pool)


def threads_here(elements: int) -> int:
    """Return how many threads a call of C may use: 1 for few elements, or where `run_pieces` keeps all threads busy."""
    return 1 if elements < _MANY or _here.is_busy else get_num_threads()


def run_pieces(total: int, piece: Callable[[int, int], None], size: int = PIECE) -> None:
    """Call ``piece(first, stop)`` for ranges that cover 0 to ``total``, on several threads if there are several.

    Pieces have ``size`` elements, or more if each thread runs many of them. When it returns, or raises because of a
    piece or Ctrl-C, no thread is running a piece.
    """
    if total <= size:
        piece(0, total)
        return
    threads = min(get_num_threads(), (total + size - 1) // size)
    size *= max(1, min(PIECE, total // (8 * threads)) // size)
    if threads <= 1:
        for first in range(0, total, size):
            piece(first, min(first + size, total))
        return
    pieces = _Pieces(total, piece, size)
    busy = _here.is_busy
    try:
        _call_helpers(pieces.help, threads - 1)
        _here.is_busy = True
        pieces.work()
    finally:
        _here.is_busy = busy
        pieces.settle()
    if pieces.failures:
        raise pieces.failures[0]


def _call_helpers(act: Callable[[], None], count: int) -> None:
    """Submit ``count`` calls to the pool; the caller never waits for a call that has not started."""
    global _pool
    try:
        from concurrent.futures import ThreadPoolExecutor  # would add 5 ms to import keyrng

        pool = _pool  # another thread may reset it
        if pool is None:
            pool = _pool = ThreadPoolExecutor(max_workers=get_num_threads(), thread_name_prefix="keyrng")
        for _ in range(count):
            pool.submit(act)
    except RuntimeError:  # the interpreter is shutting down, or the limit of threads is reached
        _drop_pool()


class _Pieces:
    """The pieces of one call, taken in turn by the calling thread and helpers.

    Ctrl-C may interrupt the calling thread between any two steps, and must not leave a helper waiting or running.
    Therefore that thread does not count anything, and state is stored before waiting threads are notified.
    """

    def __init__(self, total: int, piece: Callable[[int, int], None], size: int) -> None:
        self._total, self._piece, self._size = total, piece, size
        self._starts = iter(range(0, total, size))
        self._lock = Lock()
        self._helping = 0
        self._left: SimpleQueue[None] = SimpleQueue()
        self._stop = False
        self.failures: list[BaseException] = []

    def work(self) -> None:
        """Run pieces until none is left or the call is over."""
        while not self._stop:
            with self._lock:
                first = next(self._starts, None)
            if first is None:
                return
            self._piece(first, min(first + self._size, self._total))

    def help(self) -> None:
        """Run pieces in another thread."""
        _here.is_busy = True
        with self._lock:
            self._helping += 1
        try:
            with default_fpenv():  # threads inherit the environment of their creator
                self.work()
        except BaseException as error:
            self.failures.append(error)
            self._stop = True
        with self._lock:
            self._helping -= 1
        self._left.put(None)

    def settle(self) -> None:
        """End the call: wait for helpers that are running a piece, even if Ctrl-C is pressed again."""
        self._stop = True
        try:
            while self._helpers():
                self._left.get()
        except BaseException:
            self.settle()
            raise

    def _helpers(self) -> int:
        with self._lock:
            return self._helping
