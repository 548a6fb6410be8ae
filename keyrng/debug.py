"""Keys that are used twice, found while a program runs.

While a check is on, the functions that use keys run `_watched` instead of their own code. Their code is exchanged, not
their names, for ``from keyrng import normal``, closures and the methods of generators hold the functions themselves;
and off, nothing is left that could cost anything.

Must not be imported by anything but the face.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeAlias

from keyrng import distributions, keys, sampling
from keyrng.backends.memory import HOST
from keyrng.keys import Key

__all__ = ["KeyReuseError", "check_reuse"]

# The name of the function that used a key, and the file and line that called it.
Place: TypeAlias = tuple[str, str, int]

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class KeyReuseError(RuntimeError):
    """A key is used a second time, which `check_reuse` was asked to find."""


@contextmanager
def check_reuse() -> Iterator[None]:
    """For a ``with``: a key that is used twice inside is a `KeyReuseError`, which says where it was used.

    Samplers, ``draw`` and ``split`` use a key, each key of an array. Keys are told apart by algorithm and words, so it
    does not matter how a key came to be in two places. ``fold_in`` uses no key, but the keys that it makes count like
    those of ``split``. After ``keyrng.clone(key)`` the key, and every key that is made of it then, may be used once
    more.

    The check sees all threads of the process, begins with no key used, and changes no value. It costs under 5
    microseconds a call and about 200 bytes for each key that is used, until it ends. Of keys on a GPU it copies the
    words to the host, which waits for the device.

    ``KEYRNG_DEBUG_REUSE=1`` in the environment checks a whole run.

    >>> key = keyrng.key(42)
    >>> with keyrng.debug.check_reuse():
    ...     a = keyrng.normal(key, (3,))
    ...     b = keyrng.uniform(key, (3,))
    Traceback (most recent call last):
        ...
    keyrng.debug.KeyReuseError: Key((), key<fry>, [0x00000000 0x0000002a]) is used twice:
      by uniform at <doctest keyrng.debug.check_reuse[1]>:3
      by normal at <doctest keyrng.debug.check_reuse[1]>:2
    keyrng.split(key) makes keys to use instead; keyrng.clone(key) says that the same bits are meant
    """
    record = _begin()
    try:
        yield
    finally:
        _end(record)


class _Record:
    """What one check has seen."""

    def __init__(self) -> None:
        self.uses: dict[bytes, tuple[Place, ...]] = {}
        self.limits: dict[bytes, int] = {}  # how often a key may be used, where that is more than once
        self._once: dict[Place, tuple[Place]] = {}  # one object for all keys that are used at a place

    def use(self, key: Key, names: list[bytes], place: Place) -> None:
        once = self._once.setdefault(place, (place,))
        for i, name in enumerate(names):
            before = self.uses.get(name, ())
            if len(before) >= self.limits.get(name, 1):
                raise _error(key.ravel()[i], (place, *before))
            self.uses[name] = (*before, place) if before else once


def _error(key: Key, places: tuple[Place, ...]) -> KeyReuseError:
    times = "twice" if len(places) == 2 else f"{len(places)} times"
    lines = "\n".join(f"  by {name} at {file}:{line}" for name, file, line in places)
    return KeyReuseError(
        f"{key!r} is used {times}:\n{lines}\n"
        "keyrng.split(key) makes keys to use instead; keyrng.clone(key) says that the same bits are meant"
    )


def _names(key: Key) -> list[bytes]:
    """What tells keys apart: for each one the algorithm, and its words."""
    algorithm = key._algorithm
    kind, words = algorithm.name.encode() + b"\0", HOST.receive(key._words).tobytes()
    size = algorithm.key_bits // 8
    if len(words) == size:
        return [kind + words]
    return [kind + words[i : i + size] for i in range(0, len(words), size)]


# The checks that are on; what they have seen is read and written under the lock.

_records: list[_Record] = []
_lock = threading.Lock()


def _new_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)  # the thread that held it is not in the child


def _begin() -> _Record:
    record = _Record()
    with _lock:
        if not _records:
            _exchange(True)
        _records.append(record)
    return record


def _end(record: _Record) -> None:
    with _lock:
        _records.remove(record)
        if not _records:
            _exchange(False)


# The functions, and the code that they run while a check is on


class _Thread(threading.local):
    inside = False  # whether a function runs that uses a key: what it calls in turn is its own affair


_thread = _Thread()


def _exchange(on: bool) -> None:
    for function, original, _, code in _functions().values():
        function.__code__ = code if on else original.__code__
        if on:
            function.__dict__["__wrapped__"] = original  # for inspect.signature
        else:
            del function.__dict__["__wrapped__"]


@cache
def _functions() -> dict[str, tuple[FunctionType, FunctionType, int, CodeType]]:
    """By name: a function, the same with a code of its own, the place of its key, and the code for a check."""
    found: list[Any] = [sampling.draw, keys.split, keys.fold_in, keys.clone]
    found += [getattr(distributions, name) for name in distributions.__all__]
    return {f.__name__: (f, _copy(f), f.__code__.co_varnames.index("key"), _code(f)) for f in found}


def _copy(function: Any) -> FunctionType:
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    copy.__kwdefaults__, copy.__annotations__ = function.__kwdefaults__, function.__annotations__
    return copy


def _code(function: Any) -> CodeType:
    name: str = function.__name__
    return _watched.__code__.replace(co_name=name, co_qualname=name)


def _watched(*args: Any, **kwargs: Any) -> Any:
    from keyrng.debug import _run  # here: the names it sees are those of the module whose function runs it

    return _run(args, kwargs)


def _run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function as it is, then note what it did to its key."""
    caller = sys._getframe(1)
    name = caller.f_code.co_name
    _, function, position, _ = _functions()[name]
    key = args[position] if len(args) > position else kwargs.get("key")
    if _thread.inside or type(key) is not Key:
        return function(*args, **kwargs)
    _thread.inside = True
    try:
        result = function(*args, **kwargs)
        _note(name, key, result, caller)
    finally:
        _thread.inside = False
    return result


def _note(name: str, key: Key, result: Any, caller: FrameType) -> None:
    names, place = _names(key), (name, *_line(caller))
    with _lock:
        for record in _records:
            if name == "clone":
                for one in names:
                    record.limits[one] = record.limits.get(one, 1) + 1
            elif name != "fold_in":
                record.use(key, names, place)
            if record.limits and name in ("split", "fold_in"):
                # The most of any: to ask which child is whose is not worth it.
                limit = max(record.limits.get(one, 1) for one in names)
                record.limits.update((one, max(limit, record.limits.get(one, 1))) for one in _names(result))


def _line(frame: FrameType) -> tuple[str, int]:
    """The file and line that called into keyrng."""
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


_wanted = os.environ.get("KEYRNG_DEBUG_REUSE", "")
if _wanted not in ("", "0", "1"):
    raise ValueError(f"KEYRNG_DEBUG_REUSE is 1, 0 or not set, got {_wanted!r}; type: unset KEYRNG_DEBUG_REUSE")
if _wanted == "1":
    _begin()
