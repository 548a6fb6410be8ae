"""Weights, keys and checkpoints of PyTorch modules: the axes of torch weights, layers with keys by name, torch.load."""

from __future__ import annotations

import copy
import io
import warnings

import numpy as np
import pytest

import keyrng
from keyrng import initializers
from keyrng.algorithms import names
from keyrng.debug import check_reuse

torch = pytest.importorskip("torch")

import keyrng.interop.torch as interop  # noqa: E402 (only where PyTorch is)

nn = torch.nn
KEY = keyrng.key(42)


def weight_of(module, initializer, name="weight"):
    interop.init_module_(KEY, module, {f"*{name}": initializer, "*": None})
    return module.get_parameter(name).detach()


# The axes of weights: how many inputs an output has, and how many outputs an input

FANS = {
    "Linear": (lambda: nn.Linear(1024, 16), 1024, 16),
    "Conv1d": (lambda: nn.Conv1d(64, 32, 5), 64 * 5, 32 * 5),
    "Conv2d": (lambda: nn.Conv2d(64, 32, 3), 64 * 9, 32 * 9),
    "Conv3d": (lambda: nn.Conv3d(32, 16, (3, 3, 2)), 32 * 18, 16 * 18),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(64, 32, 5), 64 * 5, 32 * 5),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(64, 32, 3), 64 * 9, 32 * 9),
    "ConvTranspose3d": (lambda: nn.ConvTranspose3d(32, 16, (3, 3, 2)), 32 * 18, 16 * 18),
    "grouped Conv2d": (lambda: nn.Conv2d(64, 128, 3, groups=4), 16 * 9, 32 * 9),
    "depthwise Conv1d": (lambda: nn.Conv1d(512, 1024, 5, groups=512), 5, 2 * 5),
    "grouped ConvTranspose2d": (lambda: nn.ConvTranspose2d(64, 128, 3, groups=4), 16 * 9, 32 * 9),
    "Embedding": (lambda: nn.Embedding(200, 64), 64, 200),
    "Bilinear": (lambda: nn.Bilinear(20, 30, 16), 20 * 30, 16 * 30),
    "bfloat16": (lambda: nn.Linear(1024, 16, dtype=torch.bfloat16), 1024, 16),
    "a parametrized ConvTranspose2d": (
        lambda: nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(64, 16, 3)),
        64 * 9,
        16 * 9,
    ),
}
SPREADS = {
    "he_normal": lambda inputs, outputs: (2 / inputs) ** 0.5,
    "he_uniform": lambda inputs, outputs: (2 / inputs) ** 0.5,
    "lecun_normal": lambda inputs, outputs: (1 / inputs) ** 0.5,
    "lecun_uniform": lambda inputs, outputs: (1 / inputs) ** 0.5,
    "glorot_normal": lambda inputs, outputs: (2 / (inputs + outputs)) ** 0.5,
    "glorot_uniform": lambda inputs, outputs: (2 / (inputs + outputs)) ** 0.5,
}


@pytest.mark.parametrize("initializer", SPREADS)
@pytest.mark.parametrize("layer", FANS)
def test_weights_have_the_spread_of_their_inputs_and_outputs(layer, initializer):
    make, inputs, outputs = FANS[layer]
    module = make()
    name = "parametrizations.weight.original1" if hasattr(module, "parametrizations") else "weight"
    weight = weight_of(module, getattr(initializers, initializer)(), name).double()
    due = SPREADS[initializer](inputs, outputs)

    assert abs(weight.std() / due - 1) < 5 / weight.numel() ** 0.5


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
def test_every_mode_of_variance_scaling(mode):
    weight = weight_of(nn.Linear(900, 100), initializers.variance_scaling(3.0, mode, "normal"))
    fan = {"fan_in": 900, "fan_out": 100, "fan_avg": 500, "fan_geo_avg": 300}[mode]

    assert abs(weight.std() / (3 / fan) ** 0.5 - 1) < 0.02


def test_the_projections_of_attention():
    module = nn.MultiheadAttention(64, 4)
    interop.init_module_(KEY, module, {"*weight": initializers.he_normal(), "*": None})

    assert abs(module.in_proj_weight.detach().std() / (2 / 64) ** 0.5 - 1) < 0.03
    assert abs(module.out_proj.weight.detach().std() / (2 / 64) ** 0.5 - 1) < 0.05


def test_the_default_axes_are_those_of_a_call_that_names_them():
    for make, axes in (
        (lambda: nn.Linear(5, 3), {"in_axis": 1, "out_axis": 0}),
        (lambda: nn.Conv2d(5, 3, 2), {"in_axis": 1, "out_axis": 0}),
        (lambda: nn.ConvTranspose2d(5, 3, 2), {"in_axis": 0, "out_axis": 1}),
    ):
        by_default = weight_of(make(), initializers.glorot_normal())

        assert torch.equal(by_default, weight_of(make(), initializers.glorot_normal(**axes)))
        expected = initializers.glorot_normal(**axes)(keyrng.fold_in(KEY, "weight"), tuple(by_default.shape))
        assert np.array_equal(by_default.numpy(), expected)


def test_axes_that_are_named_are_kept():
    # jax's defaults, but named: they are meant.
    named = weight_of(nn.Linear(1024, 16), initializers.he_normal(in_axis=-2, out_axis=-1))
    one = weight_of(nn.ConvTranspose2d(64, 16, 3), initializers.glorot_normal(in_axis=1))

    assert abs(named.std() / (2 / 16) ** 0.5 - 1) < 0.05
    assert torch.equal(one, weight_of(nn.ConvTranspose2d(64, 16, 3), initializers.glorot_normal(1, 0)))


@pytest.mark.parametrize(
    ("make", "matrix"),
    [
        (lambda: nn.Linear(8, 4), lambda w: w),
        (lambda: nn.Linear(4, 8), lambda w: w.T),
        (lambda: nn.Conv2d(8, 16, 3), lambda w: w.reshape(16, -1)),
        (lambda: nn.ConvTranspose2d(8, 16, 3), lambda w: w.transpose(0, 1).reshape(16, -1)),
    ],
)
def test_orthogonal_weights(make, matrix):
    rows = matrix(weight_of(make(), initializers.orthogonal(2.0)))

    assert torch.allclose(rows @ rows.T, 4 * torch.eye(len(rows)), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "matrix"),
    [(lambda: nn.Conv1d(4, 8, 3), lambda w: w.T), (lambda: nn.ConvTranspose1d(4, 8, 3), lambda w: w)],
)
def test_delta_orthogonal_weights(make, matrix):
    weight = weight_of(make(), initializers.delta_orthogonal())
    rows = matrix(weight[:, :, 1])

    assert torch.allclose(rows @ rows.T, torch.eye(4), atol=1e-6)
    assert not weight[:, :, ::2].any()
    with pytest.raises(ValueError, match="at least as many outputs as inputs"):
        weight_of(nn.Conv1d(8, 4, 3), initializers.delta_orthogonal())


def test_other_functions_get_the_shape_of_torch():
    shapes = []

    def mine(key, shape, dtype):
        shapes.append((shape, dtype))
        return np.zeros(shape, dtype)

    weight_of(nn.Conv2d(5, 3, 2), mine)

    assert shapes == [((3, 5, 2, 2), np.dtype("float32"))]


# Layers with keys


def dropped(layer, size=256):
    return interop.from_torch(layer(torch.ones(size))) == 0


def layers_of(module):
    return {name: layer for name, layer in module.named_modules() if isinstance(layer, interop.Dropout)}


class Net(nn.Module):
    def __init__(self, key=None, depth=2):
        super().__init__()
        self.drop = interop.Dropout(key, 0.5)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), interop.Dropout(key, 0.5)) for _ in range(depth)])

    def forward(self, x):
        x = self.drop(x)
        for block in self.blocks:
            x = block(x)
        return x


def test_layers_get_keys_by_name():
    net = interop.assign_keys(Net(KEY), KEY)
    expected = {name: keyrng.fold_in(KEY, name.replace(".", "/")) for name in ("drop", "blocks.0.1", "blocks.1.1")}

    assert {name: layer.key for name, layer in layers_of(net).items()} == expected
    assert len({dropped(layer).tobytes() for layer in layers_of(net).values()}) == 3


def test_other_modules_with_a_key_get_one_too():
    class Noise(nn.Module):
        def __init__(self):
            super().__init__()
            self.key = keyrng.key(0)

    net = interop.assign_keys(nn.Sequential(Noise(), nn.Linear(2, 2)), KEY)

    assert net[0].key == keyrng.fold_in(KEY, "0")
    assert not hasattr(net[1], "key")


def test_a_layer_without_a_key():
    layer = interop.Dropout(rate=0.5)
    x = torch.ones(8)

    with pytest.raises(ValueError, match=r"has no key; use keyrng.interop.torch.assign_keys\(module, key\)"):
        layer(x)
    assert torch.equal(layer(x, key=KEY), interop.dropout(KEY, x, 0.5))
    assert layer.eval()(x) is x
    assert copy.deepcopy(layer).key is None


def test_copies_have_keys_of_their_own():
    layer = interop.Dropout(KEY, 0.5)
    layer(torch.ones(1))
    once = copy.deepcopy(layer)
    family = [layer, once, copy.deepcopy(layer), copy.copy(layer), copy.deepcopy(once)]

    assert len({each.key.to_bytes() for each in family}) == len(family)
    assert len({dropped(each).tobytes() for each in family}) == len(family)
    assert layer.key is KEY
    assert once.key == keyrng.fold_in(KEY, ("dropout copy", 0))
    assert {each.step for each in family} == {2}


def test_layers_of_a_copied_module_have_keys_of_their_own():
    encoder = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    encoder.dropout1 = interop.Dropout(KEY, 0.5)
    whole = nn.TransformerEncoder(encoder, 3, enable_nested_tensor=False)
    keys = [layer.key.to_bytes() for layer in layers_of(whole).values()]

    assert len(set(keys)) == len(keys) == 3


def test_layers_that_share_a_key_are_a_warning():
    net, x = Net(KEY), torch.ones(4, 8)
    message = r"layers drop, blocks.0.1, blocks.1.1 of Net share a key.*assign_keys\(module, key\)"
    with pytest.warns(UserWarning, match=message) as found:
        net(x)
    assert len(found) == 1

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net(x)  # said once
        interop.assign_keys(net, KEY)(x)


def test_layers_of_two_modules_may_share_a_key():
    x = torch.ones(4, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (interop.assign_keys(Net(), KEY) for _ in range(2))
        one(x), other(x)
        layer = interop.Dropout(KEY)
        nn.Sequential(layer, layer)(x)  # one layer, called in two separate passes
        Net(KEY).eval()(x)


def test_dropout_is_no_reuse():
    with check_reuse():
        net = interop.assign_keys(Net(), KEY)
        for _ in range(2):
            x = torch.ones(4, 8, requires_grad=True)
            net(x).sum().backward()
        copy.deepcopy(net)(x).sum().backward()


# Checkpoints


def loaded(value, **options):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, **options)


@pytest.mark.parametrize("impl", names())
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (100, 50)])
def test_a_checkpoint_with_keys_loads(impl, shape):
    keys = keyrng.split(keyrng.key("saved", impl=impl), shape)
    found = loaded({"keys": keys, "nested": {"list": [keys, (keys, 3)]}, "weight": torch.ones(2)})

    for key in (found["keys"], found["nested"]["list"][0], found["nested"]["list"][1][0]):
        assert (key.impl, key.shape) == (impl, shape)
        assert (key == keys).all()
    assert torch.equal(found["weight"], torch.ones(2))


def test_a_checkpoint_with_a_generator_loads():
    g = keyrng.Generator(3)
    found = loaded({"g": g}, weights_only=True)["g"]

    assert found.next_key() == keyrng.fold_in(keyrng.key(3), ("generator spawn", 0, 0))


def test_a_checkpoint_of_a_training_run_resumes():
    net, x = interop.assign_keys(Net(), KEY), torch.ones(4, 8)
    net(x)
    found = loaded({"model": net.state_dict(), "key": keyrng.fold_in(KEY, "data"), "step": 1})
    again = interop.assign_keys(Net(), KEY)
    again.load_state_dict(found["model"])

    assert torch.equal(again(x), net(x))
    assert found["key"] == keyrng.fold_in(KEY, "data")
