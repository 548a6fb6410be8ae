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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import unwrap
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeAlias

from keyrng import distributions, keys, sampling
from keyrng.algorithms.base import Algorithm
from keyrng.backends.memory import HOST
from keyrng.backends.mode import in_default_mode
from keyrng.dropout import dropout, dropout_mask
from keyrng.keys import Key

__all__ = ["KeyReuseError", "check_reuse"]

# The name of the function that used a key, and the file and line that called it.
Place: TypeAlias = tuple[str, str, int]

# As code objects name it: in a zip file and in a frozen application, too, where __file__ may be missing.
_PACKAGE = os.path.dirname((lambda: None).__code__.co_filename) + os.sep


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
        """A key is used; a `KeyReuseError` if that is once too often."""
        uses, once = self.uses, self._once.get(place)
        if once is None:
            once = self._once[place] = (place,)
        used = len(uses)
        for name in names:
            before = uses.setdefault(name, once)
            if len(uses) > used:
                used += 1
            elif len(before) < self.limits.get(name, 1):
                uses[name] = (*before, place)
            else:
                raise _error(key.ravel()[names.index(name)], (place, *before))

    def permit(self, names: list[bytes]) -> None:
        """A key is cloned."""
        for name in names:
            self.limits[name] = self.limits.get(name, 1) + 1

    def pass_on(self, names: list[bytes], children: list[bytes]) -> None:
        """Keys are made of a cloned key, for each use another time."""
        # The most of any parent: to ask which child is whose is not worth it.
        limit = max((self.limits.get(name, 1) for name in names), default=1)
        if limit > 1:
            self.limits.update((name, max(limit, self.limits.get(name, 1))) for name in children)


def _error(key: Key, places: tuple[Place, ...]) -> KeyReuseError:
    times = "twice" if len(places) == 2 else f"{len(places)} times"
    lines = "\n".join(f"  by {name} at {file}:{line}" for name, file, line in places)
    return KeyReuseError(
        f"{key!r} is used {times}:\n{lines}\n"
        "keyrng.split(key) makes keys to use instead; keyrng.clone(key) says that the same bits are meant"
    )


def _names(key: Key) -> list[bytes]:
    """What tells keys apart: for each one the algorithm, and its words."""
    kind, words = _kind(key._algorithm), HOST.receive(key._words)
    data, size = words.tobytes(), words.itemsize * words.shape[-1]
    return [kind + data] if words.ndim == 1 else [kind + data[i : i + size] for i in range(0, len(data), size)]


@cache
def _kind(algorithm: Algorithm) -> bytes:
    return algorithm.name.encode() + b"\0"


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
    for function, original, code in _functions():
        function.__code__ = code if on else original.__code__
        if on:
            function.__dict__["__wrapped__"] = original  # for inspect.signature
        else:
            del function.__dict__["__wrapped__"]


@cache
def _functions() -> list[tuple[Any, FunctionType, CodeType]]:
    """The functions, each with a copy that keeps its code, and with the code for a check."""
    found: list[Any] = [
        sampling.draw,
        sampling.draw_complex,
        dropout,
        dropout_mask,
        keys.split,
        keys.fold_in,
        keys.clone,
    ]
    found += [getattr(distributions, name) for name in distributions.__all__]
    # Of those that `in_default_mode` wraps, what is inside: a wrapper's code is that of all wrappers.
    return [(function, *_exchanged(function)) for function in map(unwrap, found)]


def _exchanged(function: Any) -> tuple[FunctionType, CodeType]:
    code: CodeType = function.__code__
    original = FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
    original.__kwdefaults__, original.__annotations__ = function.__kwdefaults__, function.__annotations__
    run = _runner(function.__name__, original, code.co_varnames.index("key"))
    watched = _watched.__code__
    constants = tuple(run if constant == "run" else constant for constant in watched.co_consts)
    return original, watched.replace(co_name=code.co_name, co_qualname=code.co_qualname, co_consts=constants)


def _watched(*args: Any, **kwargs: Any) -> Any:
    """The code for a check; a constant, for the names that it sees are those of the function's own module."""
    run: Any = "run"
    return run(args, kwargs)


def _runner(name: str, function: FunctionType, position: int) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """What runs a function as it is, then notes what it did to its key."""
    note = {"fold_in": _note_fold, "clone": _note_clone, "split": _note_split}.get(name, _note_use)

    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        key = args[position] if len(args) > position else kwargs.get("key")
        if _thread.inside or type(key) is not Key:
            return function(*args, **kwargs)
        _thread.inside = True
        try:
            result = function(*args, **kwargs)
        finally:
            _thread.inside = False
        note(name, key, result, _caller(sys._getframe(2)))
        return result

    return run


def _caller(frame: FrameType) -> FrameType:
    """The frame that called a function, be it wrapped or not."""
    outer = frame.f_back if frame.f_globals.get("__name__") == in_default_mode.__module__ else frame
    return outer or frame


def _note_use(name: str, key: Key, result: object, frame: FrameType | None) -> None:
    names = _names(key)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    place = (name, frame.f_code.co_filename, frame.f_lineno) if frame is not None else (name, "", 0)
    with _lock:
        for record in _records:
            record.use(key, names, place)


def _note_split(name: str, key: Key, result: Key, frame: FrameType) -> None:
    _note_use(name, key, result, frame)
    _note_fold(name, key, result, frame)


def _note_fold(name: str, key: Key, result: Key, frame: FrameType) -> None:
    if any(record.limits for record in _records):
        names, children = _names(key), _names(result)
        with _lock:
            for record in _records:
                record.pass_on(names, children)


def _note_clone(name: str, key: Key, result: Key, frame: FrameType) -> None:
    with _lock:
        for record in _records:
            record.permit(_names(key))


_wanted = os.environ.get("KEYRNG_DEBUG_REUSE", "")
if _wanted not in ("", "0", "1"):
    raise ValueError(f"KEYRNG_DEBUG_REUSE is 1, 0 or not set, got {_wanted!r}; type: unset KEYRNG_DEBUG_REUSE")
if _wanted == "1":
    _begin()
