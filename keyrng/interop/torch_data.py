"""Data order for torch's DataLoader: samplers made of `keyrng.shuffled_batches`.

Must not be imported by anything in keyrng: it imports what most programs do not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.utils.data

from keyrng._epochs import EpochBatches, ShuffledBatches


class _Place:
    """Which epoch comes next, and from which step on: what both samplers share."""

    def __init__(self, order: ShuffledBatches) -> None:
        if not isinstance(order, ShuffledBatches):
            raise TypeError(f"order is what keyrng.shuffled_batches makes, got {type(order).__name__}")
        self.order = order
        self._epoch = -1  # the one begun last
        self._next = 0, 0

    def set_epoch(self, epoch: int, step: int = 0) -> None:
        """Have the next iteration be an epoch, from a step on; without it each is the epoch after the last."""
        self.order[epoch][step:]  # checked
        self._next = epoch, step

    def state_dict(self, step: int) -> dict[str, Any]:
        """Where training stands, for `load_state_dict`.

        ``step`` is the number of batches taken in this epoch: workers read ahead, so only the loop knows it.
        """
        return {"epoch": max(self._epoch, 0), "step": step, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was called; ValueError if that was in another order."""
        for name, own in self._identity().items():
            if state[name] != own:
                raise ValueError(f"the state is of an order with {name} {state[name]!r}, this one has {own!r}")
        epoch, step = state["epoch"], state["step"]
        self.set_epoch(epoch + 1) if step >= self.order.steps else self.set_epoch(epoch, step)

    def _identity(self) -> dict[str, Any]:
        order = self.order
        return {
            "key": order.key.to_bytes().hex(),
            "n": order.n,
            "step_size": order.batch_size * order.world_size,
            "drop_last": order.drop_last,
        }

    def _begin(self) -> EpochBatches:
        # Called by generators, so by the first index: a loader with workers makes an iterator that it does not use.
        self._epoch, step = self._next
        self._next = self._epoch + 1, 0
        return self.order[self._epoch][step:]


class KeyedBatchSampler(_Place, torch.utils.data.Sampler[list[int]]):
    """Batches of indices, for ``DataLoader(dataset, batch_sampler=...)``.

    Each iteration is the next epoch. ValueError if the last step leaves ranks without an example, which torch cannot
    collate.

    >>> import keyrng
    >>> from torch.utils.data import DataLoader
    >>> sampler = KeyedBatchSampler(keyrng.shuffled_batches(keyrng.key(0), 10, 4))
    >>> loader = DataLoader(list(range(10)), batch_sampler=sampler)
    >>> [batch.tolist() for batch in loader]
    [[7, 4, 6, 2], [0, 5, 8, 3], [9, 1]]
    """

    def __init__(self, order: ShuffledBatches) -> None:
        super().__init__(order)
        rest = order.n % (order.batch_size * order.world_size)
        if not order.drop_last and 0 < rest < order.world_size:
            raise ValueError(
                f"the last step has {rest} examples for {order.world_size} ranks, and torch collates no empty batch; "
                f"type drop_last=True, or choose another batch_size"
            )

    def __len__(self) -> int:
        return self.order.steps

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._begin():
            yield batch.tolist()


class KeyedSampler(_Place, torch.utils.data.Sampler[int]):
    """Indices one by one, for ``DataLoader(dataset, batch_size, sampler=...)`` with the order's ``batch_size``.

    Each iteration is the next epoch.

    >>> import keyrng
    >>> sampler = KeyedSampler(keyrng.shuffled_batches(keyrng.key(0), 10, 4))
    >>> list(sampler)
    [7, 4, 6, 2, 0, 5, 8, 3, 9, 1]
    """

    def __len__(self) -> int:
        before = max(0, self.order.steps - 1)
        return before * self.order.batch_size + sum(map(len, self.order[0][before:]))

    def __iter__(self) -> Iterator[int]:
        for batch in self._begin():
            yield from batch.tolist()
