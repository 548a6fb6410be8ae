"""Samples, keys and modules in PyTorch."""

from __future__ import annotations

import io

import numpy as np
import pytest

import keyrng

torch = pytest.importorskip("torch")

import keyrng.interop.torch as interop  # noqa: E402 (only where PyTorch is)
from keyrng.initializers import he_normal, zeros  # noqa: E402

KEY = keyrng.key(42)

FLOATS = ("float16", "bfloat16", "float32", "float64")


# Tensors and arrays


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64", *FLOATS])
def test_a_tensor_is_the_memory_of_the_sample(dtype):
    sample = keyrng.randint(KEY, (3, 4), 0, 2, "uint8").astype(keyrng.normal(KEY, (), "bfloat16").dtype)
    sample = sample if dtype == "bfloat16" else sample.astype(dtype)
    tensor = interop.to_torch(sample)

    assert (tensor.shape, tensor.dtype) == ((3, 4), getattr(torch, dtype))
    assert tensor.data_ptr() == sample.ctypes.data
    assert tensor.to(torch.float64).numpy().tolist() == sample.astype("float64").tolist()
    assert interop.from_torch(tensor).dtype == sample.dtype
    assert interop.from_torch(tensor).ctypes.data == sample.ctypes.data


def test_a_read_only_array_is_copied():
    sample = keyrng.normal(KEY, (3,))
    sample.setflags(write=False)
    tensor = interop.to_torch(sample)
    tensor += 1

    assert np.array_equal(sample, keyrng.normal(KEY, (3,)))


def test_strides_and_scalars():
    sample = keyrng.normal(KEY, (4, 6))

    assert interop.to_torch(sample.T[::2]).tolist() == sample.T[::2].tolist()
    assert interop.to_torch(keyrng.normal(KEY)).shape == ()


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_sample_goes_straight_to_a_tensor(dtype):
    weight = torch.nn.Parameter(torch.empty(3, 5, dtype=getattr(torch, dtype)))
    keyrng.normal(KEY, (3, 5), dtype, out=interop.from_torch(weight))

    assert torch.equal(weight.detach(), interop.to_torch(keyrng.normal(KEY, (3, 5), dtype)))


# Generators


@pytest.mark.parametrize("impl", ["threefry2x32", "philox4x64"])
def test_all_of_a_generator_s_twister_is_the_key_s(impl):
    key = keyrng.key(42, impl=impl)
    twister, state = np.random.MT19937(), key.generate_state(624)
    state[0] |= 2**31
    twister.state = {"bit_generator": "MT19937", "state": {"key": state, "pos": 624}}
    words = twister.random_raw(1500)
    generator = interop.torch_generator(key)
    found = torch.empty(1500, dtype=torch.int64).random_(0, 2**16, generator=generator)

    assert np.array_equal(found, words % 2**16)
    assert generator.initial_seed() == key.generate_state(1, "uint64")[0]


def test_generators_of_keys_that_manual_seed_takes_for_one():
    one, other = (keyrng.key(seed) for seed in (1, 1 + 2**32))  # their low 32 bits are equal

    assert torch.equal(*(torch.rand(9, generator=interop.torch_generator(one)) for _ in range(2)))
    assert not torch.equal(*(torch.rand(9, generator=interop.torch_generator(key)) for key in (one, other)))


def test_a_generator_s_normals_begin_anew():
    generator = interop.torch_generator(KEY)
    state = generator.get_state()
    first = torch.randn(5, generator=generator)
    generator.set_state(state)

    assert torch.equal(torch.randn(5, generator=generator), first)


# Initialization


class Net(torch.nn.Module):
    def __init__(self, *, wide: bool = False) -> None:
        super().__init__()
        self.first = torch.nn.Linear(3, 4)
        if wide:
            self.middle = torch.nn.Linear(4, 4)
        self.heads = torch.nn.ModuleList([torch.nn.Linear(4, 2, dtype=torch.bfloat16)])


normal = he_normal(in_axis=1, out_axis=0)

RULES = {"*.bias": zeros, "*.weight": normal}


def test_parameters_get_keys_by_name():
    net = interop.init_module_(KEY, Net(), RULES)

    assert torch.equal(
        net.first.weight.detach(), interop.to_torch(normal(keyrng.fold_in(KEY, "first/weight"), (4, 3), "float32"))
    )
    expected = normal(keyrng.fold_in(KEY, "heads/0/weight"), (2, 4), "bfloat16")
    assert torch.equal(net.heads[0].weight.detach(), interop.to_torch(expected))
    assert not net.first.bias.any()
    assert net.first.weight.requires_grad


def test_none_leaves_a_parameter_and_the_first_rule_wins():
    net = Net()
    before = net.first.weight.detach().clone()
    interop.init_module_(KEY, net, {"first.weight": None, "*.bias": zeros, "*": normal})

    assert torch.equal(net.first.weight, before)
    assert not net.first.bias.any()


@pytest.mark.parametrize(
    ("make", "rules", "message"),
    [
        (Net, {"*.weight": normal}, "no rule matches first.bias, heads.0.bias"),
        (Net, {"*": normal, "*.wieght": zeros}, "no parameter matches '*.wieght'"),
        (Net, {"*": lambda key, shape, dtype: np.zeros(2)}, "of first.weight returned shape (2,), expected (4, 3)"),
        (lambda: Net().to("meta"), RULES, "first.weight is on the meta device"),
    ],
)
def test_rules_that_do_not_fit_are_refused(make, rules, message):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is compared below)
        interop.init_module_(KEY, make(), rules)

    assert message in str(raised.value)


# Dropout


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("dims", [(), (0,)])
def test_dropout_has_the_bits_of_keyrng_s(dtype, dims):
    x = keyrng.normal(KEY, (5, 7), dtype)
    expected = keyrng.dropout(KEY, x, 0.3, broadcast_dims=dims)
    found = interop.dropout(KEY, interop.to_torch(x), 0.3, broadcast_dims=dims)

    assert interop.from_torch(found).tobytes() == expected.tobytes()


def test_the_layout_in_memory_does_not_decide():
    x = torch.randn(5, 7)

    assert torch.equal(interop.dropout(KEY, x.T.contiguous().T), interop.dropout(KEY, x))


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("dims", [(), (1,)])
def test_gradients_of_dropout(rate, dims):
    x = interop.to_torch(keyrng.normal(KEY, (3, 4), "float64")).requires_grad_()

    def dropped(x):
        return interop.dropout(KEY, x, rate, broadcast_dims=dims)

    assert torch.autograd.gradcheck(dropped, x)
    assert torch.autograd.gradgradcheck(dropped, x)


def test_the_module_drops_by_its_step_and_resumes():
    layer, x = interop.Dropout(KEY, 0.5), torch.ones(100)
    first, second = layer(x), layer(x)
    for step, found in enumerate((first, second)):
        assert torch.equal(found, interop.dropout(keyrng.fold_in(KEY, step), x, 0.5))

    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    resumed = interop.Dropout(KEY, 0.5)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(resumed(x), layer(x))
    assert repr(resumed) == "Dropout(rate=0.5, step=3)"


def test_the_module_does_nothing_in_evaluation():
    layer, x = interop.Dropout(KEY, 0.5).eval(), torch.ones(100)

    assert layer(x) is x
    assert layer.step == 0


def test_the_module_s_gradient_and_a_key_of_the_caller():
    layer = interop.Dropout(KEY, 0.5)
    x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(lambda x: layer(x, key=keyrng.key(7)), x)
    assert layer.step == 0
    out = layer(x)
    out.sum().backward()
    assert torch.equal(x.grad != 0, out != 0)


def test_a_call_that_is_checkpointed_drops_the_same_twice():
    layer = interop.Dropout(KEY, 0.5)
    x = torch.ones(100, requires_grad=True)
    out = torch.utils.checkpoint.checkpoint(lambda x: layer(x * 1, key=KEY), x, use_reentrant=False)
    out.sum().backward()

    assert torch.equal(x.grad, out.detach())
