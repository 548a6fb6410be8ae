"""Words of 64 bits that the printer of C replaces by their first halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keyrng._codegen.halves import halved
from keyrng._codegen.trace import trace
from keyrng.kernels import cast


def first(word: Any, shift: int) -> Any:
    return cast(word >> shift, np.uint32)


def whole_too(lane: Any) -> Any:
    word = lane.bits(64)
    return first(word, 32) + cast(word, np.uint32)


def shifted_once(lane: Any) -> Any:
    high = lane.bits(64) >> 32
    return cast(high, np.uint32) ^ cast(high + 1, np.uint32)


def two_words(lane: Any) -> Any:
    words = lane.strided_words(2, 64)
    return first(words[0], 40) + cast(words[1], np.uint32)


@pytest.mark.parametrize(
    ("kernel", "halves"),
    [
        (lambda lane: first(lane.bits(64), 32), [1]),
        (lambda lane: first(lane.bits(64), 45) | 1, [1]),
        (two_words, [1, 0]),
        (lambda lane: first(lane.bits(64), 31), [0]),
        (lambda lane: lane.bits(64), [0]),
        (lambda lane: lane.bits(64) >> 40, [0]),
        (whole_too, [0]),
        (shifted_once, [0]),
        (lambda lane: lane.bits(32), [0]),
    ],
)
def test_halves_replace_words_that_are_narrowed_everywhere(kernel: Callable[..., Any], halves: list[int]) -> None:
    traced = halved(trace(kernel, np.dtype(np.uint32), 0))
    assert [source.half for source in traced.sources] == halves
    assert all(source.bits == 32 for source in traced.sources if source.half)
