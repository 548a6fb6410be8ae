"""Calls with invalid arguments, and checks that their outcome is documented."""

from __future__ import annotations

import inspect
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from bad_values import KEY, Value
from calls import CALLS
from cases import CASES, Case
from surface import Target

import keyrng

#: CPU seconds after which a call is taken to hang; generous, because tests may run in parallel.
LONG = 5.0

#: Accepted in an error message in place of the argument's name.
ALSO = {
    "key": ("a key", "keys"),
    "keys": ("a key",),
    "seed_or_key": ("seed", "key", "keys"),
    "words": ("keys of", "array of"),
    "data": ("bytes", "a key"),
    "state": ("bytes",),
    "other": ("key", "keys"),
    "index": ("indices", "axis"),
    "device": ("cuda", "GPU"),
    "impl": ("algorithm",),
    "tree": ("trees",),
    "num": ("an int", "a number", "keys"),
    "n": ("an int", "number", "shape", "elements"),
    "delta": ("word",),
    "axis": ("axes",),
    "axes": ("axis", "transpose"),
    "lower": ("truncated",),
    "d": ("shape",),
    "logits": ("probability",),
    "p": ("probability", "positive"),
    "shape": ("reshape", "draws", "dimension", "axes", "elements"),
    "a": ("draws",),
    "parameters": ("parameter", "_unit", "scale"),
    "dtype": ("asked for",),
    "broadcast_dims": ("axis",),
    "replace": ("draws",),
    "shapes": ("names in a tree", "tree", "shape"),
    "seed": ("key",),
    "stddev": ("scale",),
    "out": ("sample's shape",),
    "count": ("threads",),
    "name": ("impl", "backend"),
    "algorithm": ("Algorithm",),
    "block_words": ("words of",),
    "m": ("shape",),
    "step": ("steps",),
    "epoch": ("shuffled_batches", "data to fold in"),
}

#: Documented errors other than ValueError and TypeError.
OTHER_ERRORS: dict[str, tuple[type[Exception], ...]] = {
    "Key.__getitem__": (IndexError,),
    "LazyArray.__getitem__": (IndexError,),
    "ShuffledBatches.__getitem__": (IndexError,),
    "EpochBatches.__getitem__": (IndexError,),
}

#: Methods that NumPy calls or that accept NumPy's arguments; they may raise NumPy's errors.
NUMPYS = {"Key.__getitem__", "LazyArray.__getitem__", "LazyArray.__array__"}

#: Arguments whose time is proportional to them, up to a limit that is documented.
SLOW = {("permutation", "x"), ("choice", "a")}

_ANY = (-np.inf, np.inf)
#: Bounds of the values for all parameters.
SUPPORT: dict[str, tuple[float, float]] = {
    "dirichlet": (0.0, 1.0),
    "rademacher": (-1.0, 1.0),
    **dict.fromkeys(("multinomial", "multivariate_hypergeometric", "categorical", "index_shuffle"), (0.0, np.inf)),
}


def _support(case: Case) -> tuple[float, float]:
    """Return the bounds that the supports for all parameters have in common."""
    laws = [case.distribution(case.dtypes[-1], **parameters) for parameters in case.parameters]
    lows, highs = (set(ends) for ends in zip(*(law.support() for law in laws), strict=True))
    return lows.pop() if len(lows) == 1 else -np.inf, highs.pop() if len(highs) == 1 else np.inf


for _case in CASES:
    SUPPORT.setdefault(_case.function or _case.name, _support(_case))

SUPPORT |= dict.fromkeys(("zipf", "logseries"), (1.0, np.inf))  # those of the rows end where the dtype does

#: Samplers whose values may be infinite, because they exceed the largest number of the dtype.
OVERFLOWS = {name for name, bounds in SUPPORT.items() if np.inf in bounds} | {"wishart", "multivariate_normal"}


@dataclass(frozen=True)
class Call:
    """A target with some of its arguments changed."""

    target: Target
    changed: Mapping[str, Value]

    def __str__(self) -> str:
        return f"{self.target}({', '.join(f'{name}={value!r}' for name, value in self.changed.items())})"

    def arguments(self) -> dict[str, Any]:
        """Return all arguments by name, newly created."""
        return {name: value.make() for name, value in {**self.target.good, **self.changed}.items()}


def _run(target: Target, given: dict[str, Any]) -> Any:
    given = dict(given)
    more: list[Any] = []
    if target.var_positional in given:
        value = given.pop(target.var_positional)
        more = [value]
    if target.var_keyword in given:
        given["scale"] = given.pop(target.var_keyword)
    if more and target.positional | set(target.good):
        return target.make()(*(given.pop(name) for name in list(target.good) if name in given), *more, **given)
    first = [given.pop(name) for name in list(given) if name in target.positional]
    return target.make()(*first, *more, **given)


def wrong(call: Call) -> str | None:
    """Return a description of what a call did wrong, or None."""
    target, given = call.target, call.arguments()
    if any((target.name.removeprefix("Generator."), name) in SLOW and _is_huge(given[name]) for name in call.changed):
        return None
    if any(callable(given.get(name)) and name in call.changed for name in ("kernel", "sampler", "initializer")):
        return None  # the user's function may raise any error
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = _run(target, given)
    except (ValueError, TypeError) as error:
        return _wrong_message(call, error)
    except MemoryError as error:
        if not any(map(_is_huge, (given[name] for name in call.changed))):
            return f"MemoryError for what is not huge: {error}"
        return (
            None
            if re.search(r"[Uu]nable to allocate", str(error)) or target.name in NUMPYS
            else f"MemoryError says {error}"
        )
    except OTHER_ERRORS.get(target.name, ()):
        return None
    except RuntimeError as error:
        if ("device" in call.changed and "GPU" in str(error)) or "CuPy" in str(error):
            return None
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    took = time.process_time() - started
    if took > LONG:
        return f"took {took:.1f} s of CPU"
    return _wrong_result(call, given, result)


def _wrong_message(call: Call, error: Exception) -> str | None:
    text = str(error)
    if call.target.name in NUMPYS:
        return None
    if len(text) > 1000:
        return f"an error of {len(text)} characters: {text[:100]}"
    if isinstance(error, UnicodeError) or (isinstance(error, np.exceptions.AxisError) and not _raised_here(error)):
        return f"{type(error).__name__}: {text[:200]}"
    for name in call.changed:
        for word in (name, *ALSO.get(name, ())):
            if re.search(rf"\b{re.escape(word)}\b", text):
                return None
    return f"{type(error).__name__} that does not name {' or '.join(call.changed)}: {text[:300]}"


def _raised_here(error: Exception) -> bool:
    """Whether an error comes from keyrng, and not from a function of NumPy that it called."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals["__name__"].startswith("keyrng.")


def _is_huge(value: Any) -> bool:
    """Whether a value asks for more than a gigabyte, or is one."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64)):
        return int(value) >= 2**27
    if isinstance(value, range):
        return len(value) >= 2**27
    if isinstance(value, (tuple, list)):
        return len(value) > 1000 or any(_is_huge(part) for part in value if part is not value)
    if isinstance(value, (np.ndarray, keyrng.lazy_array(keyrng.normal, KEY, ()).__class__)):
        return value.size >= 2**27 or (value.dtype.kind in "iu" and value.size < 100 and any(map(_is_huge, value.flat)))
    if isinstance(value, str):
        return len(value) > 10_000
    return False


@cache
def _usual(target: Target) -> Any:
    """Return the result of a target for its valid arguments."""
    return _run(target, {name: value.make() for name, value in target.good.items()})


def _wrong_result(call: Call, given: dict[str, Any], result: Any) -> str | None:
    target = call.target
    name = target.name.removeprefix("Generator.")
    out = given.get("out")
    if "out" in given and out is not None:
        if result is not out and not isinstance(out, keyrng.lazy_array(keyrng.normal, KEY, ()).__class__):
            return f"out is {type(out).__name__}, returned was another {type(result).__name__}"
        return None if not isinstance(result, np.ma.MaskedArray) else "wrote to a masked array"
    usual = _usual(target)
    kinds: tuple[Any, ...] = (type(usual),)
    if name in ("permutation", "choice"):
        kinds = (np.ndarray, keyrng.Key)
    if target.name in ("LazyArray.__getitem__", "Key.__eq__"):
        kinds = (np.ndarray, np.generic, bool, type(NotImplemented))
    if type(result) not in kinds and not (np.generic in kinds and isinstance(result, kinds)):
        if target.name in (
            "keys_like",
            "initializers.init_tree",
            "EpochBatches.__getitem__",
            "algorithms.get",
            "Algorithm",
        ):
            return None
        if type(result) is not type(usual):
            return f"gave a {type(result).__name__}, not a {type(usual).__name__}"
    if name in CALLS or name in ("dropout", "dropout_mask", "sample_kernel") or target.name.endswith("()"):
        return _wrong_sample(name, given, result, usual)
    return None


#: How many axes of a sample are not in ``shape``.
ROWS = {
    "ball": 1,
    "dirichlet": 1,
    "multivariate_hypergeometric": 1,
    "multivariate_normal": 1,
    "orthogonal": 2,
    "wishart": 2,
}


def _wrong_sample(name: str, given: dict[str, Any], sample: Any, usual: Any) -> str | None:
    key = given.get("key", KEY)
    if isinstance(sample, keyrng.Key):
        return None if sample.shape[: key.ndim] == key.shape else f"keys of shape {sample.shape} for {key.shape}"
    if type(sample) is not np.ndarray:
        return f"a sample is a {type(sample).__name__}"
    if sample.shape[: key.ndim] != key.shape:
        return f"shape {sample.shape} for keys of shape {key.shape}"
    shape = given.get("shape")
    if shape is not None and name not in ("choice", "dropout_mask"):
        sizes = tuple(int(n) for n in (shape if np.ndim(shape) or isinstance(shape, (tuple, list)) else (shape,)))
        after = sample.ndim - ROWS.get(name, 0)
        if name == "multinomial" or after < 0:
            after = sample.ndim
        found = sample.shape[key.ndim : after]
        if found != sizes and sizes and np.broadcast_shapes(found[-30:], sizes[-30:]) != found[-30:]:
            return f"shape {sample.shape} for shape={shape!r:.80}"
    dtype = given.get("dtype")
    if name in ("permutation", "choice"):
        return None
    if dtype is not None:
        try:
            wanted = "bfloat16" if isinstance(dtype, str) and dtype == "bfloat16" else np.dtype(dtype).name
        except TypeError:
            return f"{sample.dtype} for dtype={dtype!r:.80}"
        if sample.dtype.name != wanted:
            return f"{sample.dtype} for dtype={dtype!r:.80}"
    elif (
        name not in ("multivariate_normal", "wishart", "dropout")
        and sample.dtype != usual.dtype
        and (
            {sample.dtype.name, usual.dtype.name} != {"int32", "int64"}  # of places, as many as there are
        )
    ):
        return f"{sample.dtype} by default, usually {usual.dtype}"
    if not sample.dtype.isnative:
        return f"foreign byte order: {sample.dtype.str}"
    if sample.size > 10**6 or (sample.dtype.kind not in "fcbiu" and sample.dtype.name != "bfloat16"):
        return None if sample.size > 10**6 else f"a sample of {sample.dtype}"
    if sample.dtype.kind == "b" or name in ("dropout", "initializers.constant()"):
        return None
    values = sample.astype(np.complex128) if sample.dtype.kind == "c" else sample.astype(np.float64)
    if np.isnan(values).any():
        return "NaN in a sample"
    if np.isinf(values).any() and name not in OVERFLOWS:
        return "infinite values in a sample"
    low, high = SUPPORT.get(name, _ANY)
    if values.dtype.kind == "f" and values.size and not (values.min() >= low and values.max() <= high):
        return f"values from {values.min()} to {values.max()}, not in [{low}, {high}]"
    return None


__all__ = ["Call", "inspect", "wrong"]
