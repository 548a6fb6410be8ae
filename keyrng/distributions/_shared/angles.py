"""Reduction of angles to [-pi, pi], accurate for every float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keyrng._core.dtypes import FLOAT32, FLOAT64
from keyrng._executors.device import Device, may_hold
from keyrng._sampling.parameters import Array
from keyrng.kernels.elementary import rint, upper_half
from keyrng.kernels.ops import bitcast, cast, mulhi, where

# The largest float not above pi, the float nearest to 2 pi, and 2 pi minus that float.
CIRCLE = {
    FLOAT32: (3.1415925, 6.2831855, -1.7484555e-07),
    FLOAT64: (3.141592653589793, 6.283185307179586, 2.4492935982947064e-16),
}

# The binary digits of 1 / (2 pi), from mpmath, in words of 64 bits, after one word of zeros before the point.
_DIGITS = (
    "28be60db9391054a7f09d5f47d4d377036d8a5664f10e4107f9458eaf7aef1586dc91b8e9093"
    "74b801924bba827464873f877ac72c4a69cfba208d7d4baed1213a671c09ad17df904e64758e"
    "60d4ce7d272117e2ef7e4a0ec7fe25fff7816603fbcbc462d6829b47db4d9fb3c9f2c26dd3d1"
    "8fd9a797fa8b5d49eeb1faf97c5ecf41ce7de294a4ba9afed7ec47e357421580cc11bf1edaea"
)
_WORDS = (0, *(int(_DIGITS[i : i + 16], 16) for i in range(0, len(_DIGITS), 16)))

# 2 pi in two parts; the first has few digits, so that its product with half a significand is exact.
_TURN = (6.283185243606567, 6.357301909411278e-08)

# Up to this angle a turn in two parts is enough. Beyond, the number of turns can have more digits than the product with
# the second part represents.
_LARGE = 2.0**20

_BEGIN = CIRCLE[FLOAT64][1] // 2.0**-32 * 2.0**-32  # the first 35 digits of the float64 nearest to 2 pi


def within_a_turn(device: Device, given: Array) -> Array:
    """Reduce float64 angles by the nearest multiple of 2 pi."""
    function = _reduced if may_hold(_is_large, given) else _reduced_small
    flat = given.reshape(-1) if isinstance(given, np.ndarray) else given  # the language needs an axis
    return device.apply(function, flat).reshape(given.shape)


def _is_large(angle: Any) -> Any:
    return abs(angle) >= _LARGE


def _reduced(angle: Any) -> Any:
    exact = _large_angle(bitcast(angle, np.uint64))
    return where((abs(angle) >= _LARGE) & (abs(angle) < math.inf), exact, _reduced_small(angle))


def _reduced_small(angle: Any) -> Any:
    """Reduce an angle below 2**20."""
    _, turn, rest = CIRCLE[FLOAT64]
    begin = _nearest(angle)
    return _nearest(begin - rint((angle - begin) / turn) * rest)


def _nearest(angle: Any) -> Any:
    """Reduce an angle below 2**20 by a multiple of the float64 nearest to 2 pi, to at most half of it; exact.

    The float64 is the sum of two parts whose products with the number of turns, which is below 2**18, are exact.
    """
    pi, turn, _ = CIRCLE[FLOAT64]
    turns = rint(abs(angle) / turn)
    rest = abs(angle) - turns * _BEGIN - turns * (turn - _BEGIN)
    rest = where(rest > pi, rest - turn, where(rest <= -pi, rest + turn, rest))
    return where(bitcast(angle, np.uint64) >> 63 != 0, -rest, rest)


def _large_angle(word: Any) -> Any:
    """Reduce an angle of at least 2**20, a float64 given by its bits, by the nearest multiple of 2 pi.

    M. H. Payne, R. N. Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18 (1983), 19-24: only
    those digits of the product with 1 / (2 pi) are computed that matter, the ones after the point. Here there are 192.
    """
    mantissa = (word & (2**52 - 1)) | 2**52
    place = ((word >> 52) & 0x7FF) - (1075 - 64)  # the first digit of 1 / (2 pi) whose product is not a whole turn
    first = place >> 6
    part = [word] * 4  # overwritten: every finite angle matches one start
    for start in range(len(_WORDS) - 3):
        part = [where(first == start, _WORDS[start + i], part[i]) for i in range(4)]
    shift = cast(bitcast(((place & 63) + 1023) << 52, np.float64), np.uint64)  # by a product: 2**(place % 64)
    high, middle, low = (part[i] * shift + mulhi(part[i + 1], shift) for i in range(3))
    # The product without the whole turns before the point and the digits after the last word.
    last = mulhi(low, mantissa)
    second = middle * mantissa + last
    top = high * mantissa + mulhi(middle, mantissa) + cast(second < last, np.uint64)
    # From half a turn on the angle is negative; the rest to a whole turn is the fraction with all digits inverted.
    over_half = top >> 63 != 0
    turns, lost = _sum([where(over_half, ~digits, digits) for digits in (top, second, low * mantissa)])
    begin = upper_half(turns)
    angle = begin * _TURN[0] + (begin * _TURN[1] + (turns - begin + lost) * (_TURN[0] + _TURN[1]))
    return where(over_half ^ (word >> 63 != 0), -angle, angle)


def _sum(words: list[Any]) -> tuple[Any, Any]:
    """Return a fraction, given by its words, as the sum of two floats; the second is the error of the first."""
    halves = [cast(half, np.float64) for word in words for half in (word >> 32, word & 0xFFFFFFFF)]
    parts = [half * 2.0 ** (-32 * i) for i, half in enumerate(halves, 1)]
    total = parts[-1]
    for part in parts[-2::-1]:
        total = part + total
    lost = parts[0] - total
    for part in parts[1:]:
        lost = lost + part
    return total, lost
