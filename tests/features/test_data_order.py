"""Data order: each example once per epoch, division among ranks, resumption, and torch's DataLoader."""

from __future__ import annotations

import itertools
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest

import keyrng

KEY = keyrng.key(0)

SIZES = [
    # n, batch_size, world_size
    (1, 1, 1),
    (10, 4, 1),
    (12, 4, 3),
    (13, 4, 3),
    (14, 4, 3),
    (23, 4, 3),
    (2, 4, 3),
    (1000, 7, 4),
]
each_size = pytest.mark.parametrize(("n", "batch_size", "world_size"), SIZES)


def ranks(n: int, batch_size: int, world_size: int, **more: Any) -> list[keyrng._epochs.Epochs]:
    return [
        keyrng.shuffled_batches(KEY, n, batch_size, rank=r, world_size=world_size, **more) for r in range(world_size)
    ]


@each_size
def test_ranks_are_disjoint_and_complete(n, batch_size, world_size):
    for epoch in (0, 5):
        seen = np.concatenate([batch for order in ranks(n, batch_size, world_size) for batch in order[epoch]])

        assert seen.dtype == np.int64
        assert sorted(seen) == list(range(n))


@each_size
def test_every_rank_has_as_many_steps(n, batch_size, world_size):
    for drop_last in (False, True):
        orders = ranks(n, batch_size, world_size, drop_last=drop_last)
        lengths = [[len(batch) for batch in order[3]] for order in orders]

        assert {len(own) for own in lengths} == {len(orders[0][3])} == {orders[0].steps}
        for step in zip(*lengths, strict=True):
            assert max(step) - min(step) <= 1
        full = [own if drop_last else own[:-1] for own in lengths]
        assert set(itertools.chain(*full)) <= {batch_size}


@each_size
def test_what_drop_last_leaves_out_is_less_than_a_step(n, batch_size, world_size):
    kept = [b for order in ranks(n, batch_size, world_size, drop_last=True) for b in order[0]]
    steps = [b for order in ranks(n, batch_size, world_size) for b in order[0]]

    assert n - sum(map(len, kept)) == n % (batch_size * world_size)
    assert {b.tobytes() for b in kept} <= {b.tobytes() for b in steps}


def test_ranks_together_are_one_rank_with_larger_batches():
    one = keyrng.shuffled_batches(KEY, 103, 12)
    for world_size in (2, 3, 4):
        orders = ranks(103, 12 // world_size, world_size)
        for step in range(one.steps):
            together = np.concatenate([order[2][step] for order in orders])

            assert together.tolist() == one[2][step].tolist()


def test_the_places_are_those_of_index_shuffle():
    key = keyrng.key("order")
    batch = keyrng.shuffled_batches(key, 1000, 10)[7][3]

    assert batch.tolist() == keyrng.index_shuffle(keyrng.fold_in(key, 7), np.arange(30, 40), 1000).tolist()


def test_epochs_differ():
    order = keyrng.shuffled_batches(KEY, 100, 100)
    first = [epoch[0].tolist() for epoch in itertools.islice(order, 5)]

    assert len({tuple(batch) for batch in first}) == 5
    assert [epoch.number for epoch in itertools.islice(order, 3)] == [0, 1, 2]
    assert first == [order[e][0].tolist() for e in range(5)]


def test_any_step_without_replay():
    # Longer than what is made at a time.
    epoch = keyrng.shuffled_batches(KEY, 20_000, 3, rank=1, world_size=2)[4]
    all_steps = list(epoch)

    assert len(all_steps) == len(epoch) == 3334
    for step in (0, 1, 1364, 1365, 3333, -1):
        assert epoch[step].tolist() == all_steps[step].tolist()
    assert [b.tolist() for b in epoch[3000:]] == [b.tolist() for b in all_steps[3000:]]
    assert [b.tolist() for b in epoch[3000:][5:8]] == [b.tolist() for b in all_steps[3005:3008]]
    assert epoch[3000:][0].tolist() == all_steps[3000].tolist()
    assert list(epoch[3334:]) == []


def test_nothing_of_the_length_is_made():
    order = keyrng.shuffled_batches(KEY, 2**63, 64)
    order[0][0]
    tracemalloc.start()
    batch = order[10**6][2**50]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 100_000
    assert len(set(batch.tolist())) == 64
    assert order[3][-1].tolist() == order[3][order.steps - 1].tolist()


def test_it_pickles():
    order = pickle.loads(pickle.dumps(keyrng.shuffled_batches(KEY, 100, 7)))

    assert order[3][2].tolist() == keyrng.shuffled_batches(KEY, 100, 7)[3][2].tolist()


# torch


@pytest.fixture(scope="module")
def torch_data() -> Any:
    pytest.importorskip("torch")
    from keyrng.interop import torch_data

    return torch_data


def batches(loader: Any) -> list[list[int]]:
    return [batch.tolist() for batch in loader]


def lists(epoch: Any) -> list[list[int]]:
    return [batch.tolist() for batch in epoch]


def test_a_loader_with_workers_has_the_order(torch_data):
    from torch.utils.data import DataLoader

    order = keyrng.shuffled_batches(KEY, 50, 4, rank=1, world_size=2)
    sampler = torch_data.KeyedBatchSampler(order)
    loader = DataLoader(range(50), batch_sampler=sampler, num_workers=2)

    assert len(loader) == len(sampler) == order.steps
    assert batches(loader) == lists(order[0])
    assert sampler.state_dict(3)["epoch"] == 0


def test_each_iteration_is_the_next_epoch(torch_data):
    from torch.utils.data import DataLoader

    order = keyrng.shuffled_batches(KEY, 50, 4)
    sampler = torch_data.KeyedBatchSampler(order)
    loader = DataLoader(range(50), batch_sampler=sampler)

    assert [batches(loader) for _ in range(3)] == [lists(order[e]) for e in range(3)]
    sampler.set_epoch(7, step=5)
    assert batches(loader) == lists(order[7][5:])
    assert batches(loader) == lists(order[8])


def test_indices_one_by_one(torch_data):
    from torch.utils.data import DataLoader

    for order in (
        keyrng.shuffled_batches(KEY, 50, 4),
        *ranks(51, 4, 3),
        *ranks(51, 4, 3, drop_last=True),
        *ranks(2, 4, 3),
    ):
        sampler = torch_data.KeyedSampler(order)

        assert len(sampler) == sum(map(len, order[0]))
        assert batches(DataLoader(range(51), 4, sampler=sampler)) == [b for b in lists(order[0]) if b]


def test_training_goes_on_where_it_stopped(torch_data):
    from torch.utils.data import DataLoader

    order = keyrng.shuffled_batches(KEY, 50, 4)
    before = torch_data.KeyedBatchSampler(order)
    loader = DataLoader(range(50), batch_sampler=before, num_workers=2)
    next(iter(loader))
    taken = batches(itertools.islice(loader, 5))  # epoch 1; the workers are ahead
    state = pickle.loads(pickle.dumps(before.state_dict(step=5)))
    after = torch_data.KeyedBatchSampler(keyrng.shuffled_batches(KEY, 50, 4))
    after.load_state_dict(state)
    rest = batches(DataLoader(range(50), batch_sampler=after))

    assert taken + rest == lists(order[1])


def test_a_state_at_the_end_is_the_next_epoch(torch_data):
    sampler = torch_data.KeyedBatchSampler(keyrng.shuffled_batches(KEY, 50, 4))
    list(sampler)
    sampler.load_state_dict(sampler.state_dict(13))

    assert list(sampler) == lists(sampler.order[1])


def test_a_state_goes_to_other_ranks_but_no_other_order(torch_data):
    state = torch_data.KeyedBatchSampler(keyrng.shuffled_batches(KEY, 48, 12)).state_dict(2)
    torch_data.KeyedBatchSampler(keyrng.shuffled_batches(KEY, 48, 4, rank=2, world_size=3)).load_state_dict(state)
    for other in (
        keyrng.shuffled_batches(KEY, 49, 12),
        keyrng.shuffled_batches(keyrng.key(1), 48, 12),
        keyrng.shuffled_batches(KEY, 48, 6),
    ):
        with pytest.raises(ValueError, match="state must have "):
            torch_data.KeyedBatchSampler(other).load_state_dict(state)


def test_what_torch_cannot_do_is_said(torch_data):
    with pytest.raises(TypeError, match=r"the result of keyrng.shuffled_batches"):
        torch_data.KeyedBatchSampler([1, 2])
    with pytest.raises(ValueError, match="the last step has 2 examples for 3 ranks"):
        torch_data.KeyedBatchSampler(keyrng.shuffled_batches(KEY, 14, 4, world_size=3))
    with pytest.raises(IndexError):
        torch_data.KeyedSampler(keyrng.shuffled_batches(KEY, 14, 4)).set_epoch(-1)
