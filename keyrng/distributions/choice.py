"""Random elements: choice, with and without replacement, all alike or by weight.

Must not import anything above the distributions.
"""

from __future__ import annotations

from math import prod
from typing import Any, SupportsIndex

import numpy as np

from keyrng.backends.memory import is_on_device
from keyrng.backends.mode import in_default_mode
from keyrng.distributions.categorical import check_enough
from keyrng.distributions.gumbel import gumbel_kernel
from keyrng.distributions.permutation import beginning
from keyrng.distributions.population import population
from keyrng.distributions.race import winners
from keyrng.distributions.rows import workplace
from keyrng.distributions.weights import by_weight, logarithms, weights
from keyrng.distributions.words import randint
from keyrng.dtypes import float_of, index_dtype
from keyrng.keys import Key, memory_of
from keyrng.parameters import Array, ArrayLike, placed, truth
from keyrng.shapes import Shape


@in_default_mode
def choice(
    key: Key,
    a: ArrayLike | Key,
    shape: Shape = (),
    replace: bool = True,
    p: ArrayLike | None = None,
    axis: SupportsIndex = 0,
    mode: str | None = None,
    *,
    out: Array | None = None,
) -> Any:
    """Random elements of the numbers 0 to a - 1, or of an array or of keys along an axis.

    Parameters
    ----------
    key, shape
        As for `draw`; in the result, ``shape`` takes the place of the axis: it is ``key.shape + shape`` for numbers,
        ``key.shape + a.shape[:axis] + shape + a.shape[axis + 1 :]`` for an array.
    a
        A number, an array of any dtype, or an array of keys.
    replace
        If False, no element of ``a`` is drawn twice by one key.
    p
        A weight for each element: finite, not negative, not all 0; they need not sum to 1. Computed in float64 if they
        are an array of float64, else in float32. By default all elements are as likely.
    axis
        The axis of the elements.
    mode
        With ``p`` and without replacement, the random bits of a gumbel, as for `gumbel`.
    out
        An array to write to and return. With it, ``shape`` may be left out.

    Returns
    -------
    Numbers are int32, or int64 if ``a`` is more than 2**31; anything else keeps its dtype.

    Raises
    ------
    TypeError
        For an ``a`` that is neither a whole number nor has an axis.
    ValueError
        For draws from nothing, more draws without replacement than elements, or than elements with a positive weight,
        weights outside their range or not as many as elements, and, as an AxisError, an axis that is out of range.

    Notes
    -----
    With replacement `randint`, or by ``p`` a search in its cumulative sum; without, the beginning of `permutation`, or
    by ``p`` the largest of gumbels plus ``log(p)``, which is drawing one after the other (see `categorical`). The
    values of ``jax.random.choice``: equal without ``p``, where those of randint are; with ``p`` but where rounding
    decides between two neighbours. An element of weight 0 is never drawn.

    Examples
    --------
    >>> import keyrng
    >>> keyrng.choice(keyrng.key(2), 10, (5,), replace=False)
    array([2, 9, 4, 7, 1], dtype=int32)
    >>> keyrng.choice(keyrng.key(2), ["red", "green"], (4,), p=[0.7, 0.3]).tolist()
    ['red', 'red', 'green', 'red']
    """
    here = memory_of(key)
    source = population(here, "a", a, axis)
    size = source.size
    given = None if p is None else weights(workplace(here, p), p, size)
    kernel = gumbel_kernel(mode, float_of(p))
    full = source.draws(key, shape, out)
    source.check_out(key, full, out)
    own = full[key.ndim :]
    count = prod(own)
    again = truth("replace", replace)
    if count and not size:
        raise ValueError("a has no elements to draw from")
    if count > size and not again:
        raise ValueError(f"{count} draws without replacement need as many elements, a has {size}")
    if given is not None and not again:
        given = logarithms(given)
        check_enough(given, 0, count)

    if not prod(full):
        places = here.empty(full, index_dtype(size))
    elif given is None:
        places = randint(key, own, 0, size, index_dtype(size)) if again else beginning(key, size, count)
    elif again:
        places = by_weight(key, full, given, p)
    else:
        with here.current():
            table, rows = placed(here, "p", given, p)[np.newaxis], here.xp.zeros((key.size, 1, 1), np.intp)
        places = winners(kernel, key, table, rows, count)
    return source.take(key, places.reshape(full), out, some_missing=is_on_device(p))
