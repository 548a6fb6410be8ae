"""Samplers for torch's DataLoader, based on `keyrng.shuffled_batches`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.utils.data

from keyrng._epochs import EpochBatches, ShuffledBatches


class _Place:
    """The next epoch and step, common to both samplers."""

    def __init__(self, order: ShuffledBatches) -> None:
        if not isinstance(order, ShuffledBatches):
            raise TypeError(f"order must be the result of keyrng.shuffled_batches, got {type(order).__name__}")
        self.order = order
        self._epoch = -1  # the last one started
        self._next = 0, 0

    def set_epoch(self, epoch: int, step: int = 0) -> None:
        """Make the next iteration an epoch, from a step on; without a call each is the epoch after the last.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0 on.
        step : int, optional
            First step; 0 by default.
        """
        self.order[epoch][step:]  # checked
        self._next = epoch, step

    def state_dict(self, step: int) -> dict[str, Any]:
        """Return the position in training, for `load_state_dict`.

        Parameters
        ----------
        step : int
            Number of batches taken in this epoch. Only the training loop knows it, because workers read ahead.

        Returns
        -------
        dict
            Epoch, step and the parameters of the order.
        """
        return {"epoch": max(self._epoch, 0), "step": step, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume at the position where `state_dict` was called.

        Parameters
        ----------
        state : dict
            The result of `state_dict`.

        Raises
        ------
        ValueError
            If it is the state of another order.
        """
        for name, own in self._identity().items():
            if state[name] != own:
                raise ValueError(f"state must have {name} {own!r}, got {state[name]!r}")
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
        # Runs in the generators' first step, because a loader with workers creates an iterator that it does not use.
        self._epoch, step = self._next
        self._next = self._epoch + 1, 0
        return self.order[self._epoch][step:]


class KeyedBatchSampler(_Place, torch.utils.data.Sampler[list[int]]):
    """Batches of indices for ``DataLoader(dataset, batch_sampler=...)``; each iteration is the next epoch.

    Parameters
    ----------
    order : ShuffledBatches
        The result of `keyrng.shuffled_batches`.

    Raises
    ------
    TypeError
        If ``order`` is of another type.
    ValueError
        If the last step leaves ranks without an example, which torch cannot collate.

    See Also
    --------
    KeyedSampler : Single indices.
    keyrng.shuffled_batches : The order.

    Examples
    --------
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
                f"the last step has {rest} examples for {order.world_size} ranks, and torch cannot collate empty "
                "batches; use drop_last=True or another batch_size"
            )

    def __len__(self) -> int:
        return self.order.steps

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self._begin():
            yield batch.tolist()


class KeyedSampler(_Place, torch.utils.data.Sampler[int]):
    """Single indices for ``DataLoader(dataset, batch_size, sampler=...)``; each iteration is the next epoch.

    Parameters
    ----------
    order : ShuffledBatches
        The result of `keyrng.shuffled_batches`, with the same ``batch_size``.

    Raises
    ------
    TypeError
        If ``order`` is of another type.

    See Also
    --------
    KeyedBatchSampler : Batches of indices.
    keyrng.shuffled_batches : The order.

    Examples
    --------
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
