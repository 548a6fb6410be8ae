"""The order of training data: a permutation for each epoch, computed batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, overload

import numpy as np

from keyrng._core.arguments import Int, short_repr
from keyrng._keys.derive import Key, check_key, fold_in, is_integer
from keyrng._sampling.parameters import Array, as_bool
from keyrng.distributions.index_shuffle import index_shuffle

_TOGETHER = 1 << 12  # examples


def shuffled_batches(
    key: Key,
    n: Int,
    batch_size: Int,
    *,
    drop_last: bool = False,
    rank: Int = 0,
    world_size: Int = 1,
) -> ShuffledBatches:
    """Return the shuffled order of ``n`` examples in each epoch, as batches of indices.

    The result ``order`` is indexed by epoch and step: ``order[e][s]`` is the batch of step ``s`` in epoch ``e``, an
    int64 array that is computed from ``(key, e, s)`` alone when it is indexed. Training can therefore resume at any
    step, as ``order[e][s:]``, without replay, and no array of length ``n`` is made.

    Parameters
    ----------
    key : Key
        One key.
    n : int
        Number of examples, from 1 to 2**63.
    batch_size : int
        Number of examples per rank and step.
    drop_last : bool, optional
        Whether to leave out the examples of an epoch that do not fill a step of all ranks. False by default.
    rank, world_size : int, optional
        Number of this process and number of processes, which share the examples of a step; 0 and 1 by default.

    Returns
    -------
    ShuffledBatches
        The order, indexed by epoch and then by step.

    Raises
    ------
    TypeError
        If an argument is of a wrong kind.
    ValueError
        If ``key`` is an array of keys, a size is below 1, or ``rank`` is not below ``world_size``.

    See Also
    --------
    index_shuffle : Elements of a permutation that is never stored.
    keyrng.interop.torch_data.KeyedBatchSampler : The same order for a DataLoader of PyTorch.

    Notes
    -----
    With ``m = batch_size * world_size``, step ``s`` has the elements ``s * m`` to ``(s + 1) * m`` of the permutation
    ``index_shuffle(fold_in(key, e), ..., n)``, distributed to the ranks in order. The ranks are disjoint and together
    complete: 2 ranks with batches of 32 read the same examples in each step as 1 rank with batches of 64.

    Every rank has the same number of steps. The examples of an incomplete last step are distributed evenly: batches
    differ in length by at most one, and are empty on some ranks if there are fewer examples than ranks. With
    ``drop_last`` all batches are full.

    Examples
    --------
    >>> import keyrng
    >>> order = keyrng.shuffled_batches(keyrng.key(0), 10, 4)
    >>> [batch.tolist() for batch in order[0]]
    [[7, 4, 6, 2], [0, 5, 8, 3], [9, 1]]
    >>> len(order[7]), order[7][2]
    (3, array([5, 4]))
    """
    if check_key(key).shape:
        raise ValueError(f"shuffled_batches requires a single key, got keys of shape {key.shape}; use keys[i]")
    sizes = {"n": n, "batch_size": batch_size, "world_size": world_size, "rank": rank}
    for name, value in sizes.items():
        if not is_integer(value):
            raise TypeError(f"{name} must be an int, got {short_repr(value)}")
        if value < (name != "rank"):
            raise ValueError(f"{name} must be {'0' if name == 'rank' else '1'} or more, got {short_repr(value)}")
    if n > 2**63:
        raise ValueError(f"n must be from 1 to 2**63, got {short_repr(n)}")
    if rank >= world_size:
        raise ValueError(f"rank must be less than world_size, got {short_repr(rank)} of {short_repr(world_size)}")
    last = as_bool("drop_last", drop_last)
    return ShuffledBatches(key.to("cpu"), int(n), int(batch_size), last, int(rank), int(world_size))


@dataclass(frozen=True, eq=False)
class ShuffledBatches:
    """Epochs of shuffled batches by number, without end; made by `shuffled_batches`.

    ``order[e]`` is epoch ``e``, an `EpochBatches`. Iteration yields the epochs from 0 on.
    """

    key: Key
    n: int
    batch_size: int
    drop_last: bool
    rank: int
    world_size: int

    @property
    def steps(self) -> int:
        """Number of steps of an epoch, the same for every rank."""
        step = self.batch_size * self.world_size
        return self.n // step if self.drop_last else -(-self.n // step)

    def __getitem__(self, epoch: int) -> EpochBatches:
        if not is_integer(epoch):
            raise TypeError(f"epoch must be an int, got {short_repr(epoch)}")
        if epoch < 0:
            raise IndexError(f"epoch must be non-negative, got {short_repr(epoch)}")
        return EpochBatches(self, int(epoch), fold_in(self.key, int(epoch)), range(self.steps))

    def __iter__(self) -> Iterator[EpochBatches]:
        return (self[epoch] for epoch in count())


@dataclass(frozen=True, eq=False)
class EpochBatches(Sequence[Array]):
    """The batches of an epoch, or of some of its steps; made by `shuffled_batches`.

    ``epoch[s]`` is the batch of step ``s``, an int64 array. A slice has the batches of those steps.
    """

    order: ShuffledBatches
    number: int
    key: Key
    steps: range

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, step: int) -> Array: ...
    @overload
    def __getitem__(self, step: slice) -> EpochBatches: ...
    def __getitem__(self, step: Any) -> Any:
        """The batch of a step, or the batches of a slice of steps."""
        if isinstance(step, slice):
            return EpochBatches(self.order, self.number, self.key, self.steps[step])
        if not is_integer(step):
            raise TypeError(f"step must be an int or a slice, got {short_repr(step)}")
        if not -len(self) <= step < len(self):
            raise IndexError(f"step {short_repr(step)} is out of bounds for epoch {self.number} of {len(self)} steps")
        return index_shuffle(self.key, self._positions(self.steps[int(step)]), self.order.n)

    def __iter__(self) -> Iterator[Array]:
        # Several steps at a time, because the overhead of a call exceeds a short batch.
        together = max(1, _TOGETHER // self.order.batch_size)
        for first in range(0, len(self), together):
            positions = [self._positions(step) for step in self.steps[first : first + together]]
            batches = index_shuffle(self.key, np.concatenate(positions), self.order.n)
            yield from np.split(batches, np.cumsum([len(part) for part in positions[:-1]]))

    def _positions(self, step: int) -> Array:
        """Return the positions in the epoch's permutation that a step has on this rank."""
        order = self.order
        whole = order.batch_size * order.world_size
        size = min(whole, order.n - step * whole)
        start, stop = (size * rank // order.world_size for rank in (order.rank, order.rank + 1))
        return np.arange(start, stop, dtype=np.uint64) + np.uint64(step * whole)
