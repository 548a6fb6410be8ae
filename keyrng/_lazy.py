"""Lazy arrays: random values that are computed when an index asks for them, and never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from keyrng import distributions
from keyrng._core.arguments import short_repr
from keyrng._core.dtypes import Dtype, DTypeLike
from keyrng._core.indexing import runs
from keyrng._executors.base import DrawSpec, ElementRange
from keyrng._executors.device import device_at, drop_broadcast_axes
from keyrng._keys.derive import Key, check_key, clone
from keyrng._sampling.draw import fill
from keyrng._sampling.parameters import Array
from keyrng._sampling.shapes import Shape, dimensions
from keyrng._sampling.spec import RecordingKey

_LIMIT = 2**30

_ROWS = "values along the last axis depend on each other"
_BY_NAME = {
    "permutation": "all elements along an axis are permuted together; use keyrng.index_shuffle",
    "choice": "all draws of a key are computed together; index with keyrng.lazy_array(keyrng.randint, ...)",
    "categorical": "each draw searches the axis of classes",
    "index_shuffle": "it is lazy already; call it with the indices",
    "sample_without_replacement": "use keyrng.index_shuffle with the indices of the draws",
    "ball": _ROWS,
    "dirichlet": _ROWS,
    "multinomial": _ROWS,
    "multivariate_hypergeometric": _ROWS,
    "multivariate_normal": _ROWS,
    "orthogonal": "values along the last two axes depend on each other",
    "wishart": "values along the last two axes depend on each other",
}
_TOGETHER = {getattr(distributions, name): why for name, why in _BY_NAME.items()}


def lazy_array(
    sampler: Callable[..., Any],
    key: Key,
    shape: Shape,
    *,
    dtype: DTypeLike = None,
    limit: int = _LIMIT,
    **parameters: Any,
) -> LazyArray:
    """Return an array of random numbers that is not stored: indexing computes the requested elements.

    Parameters
    ----------
    sampler : callable
        A sampler whose elements are independent of each other, such as `normal`, or a function of your own that passes
        its ``out`` to `sample_kernel`.
    key : Key
        A key, or an array of keys.
    shape : int or tuple of ints
        Shape of the array of one key.
    dtype : dtype_like, optional
        Dtype of the array; the default of the sampler by default.
    limit : int, optional
        Number of bytes up to which ``np.asarray`` and other implicit conversions compute all elements; 1 GiB by
        default. Indexing has no limit.
    **parameters : array_like
        Parameters of the sampler, by name. Arrays are kept without a copy and must not be modified afterwards. They use
        no memory along axes of length 1 or axes that they lack.

    Returns
    -------
    LazyArray
        An array of shape ``key.shape + shape``, whose elements are those of ``sampler(key, ..., shape)``, bit for bit.

    Raises
    ------
    TypeError
        If the elements of the sampler are drawn jointly (`permutation`, `choice`, `categorical`, `dirichlet` and other
        samplers of vectors), or the sampler raises TypeError.
    ValueError
        If the sampler raises ValueError.

    See Also
    --------
    index_shuffle : Elements of a permutation that is never stored.
    keyrng.interop.dask.from_lazy_array : A dask array of the same values.
    keyrng.interop.xarray.from_lazy_array : A DataArray of the same values.

    Notes
    -----
    Indexing follows NumPy: integers, slices, ``...``, None, arrays of integers and of booleans, and combinations. Time
    and memory are proportional to the number of elements requested. For a key on a GPU the elements are computed there.

    Examples
    --------
    >>> import keyrng
    >>> x = keyrng.lazy_array(keyrng.normal, keyrng.key(0), (10**9, 1000))
    >>> x
    LazyArray(normal, shape=(1000000000, 1000), dtype=float32)
    >>> x[123_456_789, 5:8]
    array([-0.48642132, -0.20447634,  0.9183136 ], dtype=float32)
    >>> y = keyrng.lazy_array(keyrng.gamma, keyrng.key(1), (100, 3), a=[0.5, 1.0, 2.0])
    >>> bool((y[::-2, 1] == keyrng.gamma(keyrng.key(1), [0.5, 1.0, 2.0], (100, 3))[::-2, 1]).all())
    True
    """
    return LazyArray(sampler, check_key(key), tuple(dimensions(shape)), dtype, limit, parameters)


class LazyArray:
    """An array that is not stored; made by `lazy_array`."""

    def __init__(
        self,
        sampler: Callable[..., Any],
        key: Key,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        limit: int,
        parameters: dict[str, Any],
    ) -> None:
        self._limit = limit
        self._made_of = sampler, key, shape, dtype, limit, parameters
        self._spec = _specified(sampler, key, shape, dtype, parameters)
        if self.size >= 2**63:
            raise ValueError(f"shape must have less than 2**63 elements, got {self.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, the axes of the array of keys first."""
        return self._spec.shape

    @property
    def dtype(self) -> Dtype:
        """Dtype of the elements."""
        return self._spec.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes that all elements would use."""
        return self.size * self.dtype.itemsize

    @property
    def device(self) -> str:
        """Device of the elements, which is that of the key."""
        return device_at(self._spec.words).name

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        name = getattr(self._made_of[0], "__name__", repr(self._made_of[0]))
        device = device_at(self._spec.words).pick("", f", device={self.device!r}")
        return f"LazyArray({name}, shape={self.shape}, dtype={self.dtype}{device})"

    def __getitem__(self, index: Any) -> Any:
        # NumPy validates the index and determines the shape of the result.
        try:
            asked = np.broadcast_to(False, self.shape)[index]
        except OverflowError:
            raise IndexError(f"index {short_repr(index)} is out of bounds for shape {self.shape}") from None
        spec = self._spec
        if not asked.size:
            return device_at(spec.words).empty(asked.shape, self.dtype)
        starts, count = runs(index, self.shape, spec.words.ndim - 1)
        values = tuple([v if v.size == 1 else _at(v, self.shape, index) for v in spec.values])
        made = _make(spec, starts, count, asked.shape, values)
        return made if isinstance(asked, np.ndarray) else made[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        limit = self._limit
        if self.device != "cpu":
            raise TypeError(f"the values are on {self.device}; cupy.asnumpy(x[...]) copies them to the host")
        if copy is False:
            raise ValueError("a lazy array cannot be converted without a copy; use np.asarray(x)")
        if self.nbytes > limit:
            raise ValueError(
                f"shape {self.shape} takes {self.nbytes} bytes, more than the limit of {limit}; "
                "use x[...], a part x[start:stop], or another keyrng.lazy_array(..., limit=)"
            )
        whole: Array = np.asarray(self[...], dtype)
        return whole

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, self._made_of

    def __dask_tokenize__(self) -> object:
        from dask.base import normalize_token

        sampler, key, shape, dtype, _, parameters = self._made_of
        return "keyrng.Lazy", normalize_token((sampler, key.to_bytes(), self.device, shape, dtype, parameters))


def _restored(sampler: Callable[..., Any], key: Key, *others: Any) -> LazyArray:
    """Load a lazy array from a pickle; it does not count as a use of the key."""
    return LazyArray(sampler, clone(key), *others)


def _specified(
    sampler: Callable[..., Any], key: Key, shape: tuple[int, ...], dtype: DTypeLike, parameters: dict[str, Any]
) -> DrawSpec:
    """Return the draw that the sampler would make; TypeError if its elements are not independent."""
    name = getattr(sampler, "__name__", short_repr(sampler))
    if not callable(sampler):
        raise TypeError(f"sampler must be a function such as keyrng.normal, got {short_repr(sampler)}")
    if sampler in _TOGETHER:
        raise TypeError(f"{name} cannot compute single elements: {_TOGETHER[sampler]}")
    if "out" in parameters:
        raise TypeError("lazy arrays do not support out; use x[...] for all values")
    given = parameters if dtype is None else {**parameters, "dtype": dtype}
    recorder = RecordingKey.of(key)
    spec: object = sampler(recorder, shape=shape, **given)
    if not isinstance(spec, DrawSpec) or spec is not recorder.spec:
        raise TypeError(f"{name} cannot compute single elements: it must return the result of sample_kernel")
    return spec


def _at(value: Array, shape: tuple[int, ...], index: Any) -> Array:
    """Index a parameter like the result; axes along which it is constant keep length 1."""
    device = device_at(value)
    parts = index if isinstance(index, tuple) else (index,)
    index = tuple(device.receive(np.asarray(p)) if isinstance(p, (list, np.ndarray)) else p for p in parts)
    with device.current():
        return drop_broadcast_axes(device.xp.asarray(device.xp.broadcast_to(value, shape)[index]))


def _make(spec: DrawSpec, starts: Array, count: int, shape: tuple[int, ...], values: tuple[Array, ...]) -> Array:
    """Compute runs of elements, in a shape to which the parameters broadcast."""
    device, algorithm = device_at(spec.words), spec.algorithm
    size = spec.elements.total
    words = spec.words.reshape(-1, algorithm.key_words)
    with device.current():
        if len(words) == 1:  # avoids a division, which takes longer than a value
            words = device.xp.broadcast_to(words, (starts.size, algorithm.key_words))
        else:
            number, starts = np.divmod(starts, size)
            words = words[device.receive(number)]
        words = device.contiguous(words)
    start = int(starts[0]) if (starts == starts[0]).all() else starts.view(np.uint64)
    out = device.empty(shape, spec.dtype)
    fill(spec._replace(words=words, shape=shape, values=values), ElementRange(start, count, size), out)
    return out
