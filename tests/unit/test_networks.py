import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.classification.train import train_network
from damascene.config.networks import DamageNetwork, Network
from damascene.config.study import load_study
from damascene.config.training import Training
from damascene.networks import NETWORKS
from damascene.networks import Network as Specification
from damascene.networks.build import build_network
from damascene.networks.last_layer import FEATURES, softmax_layer

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


@pytest.mark.parametrize(
    ("name", "class_count", "input_px", "parameters"),
    [
        # Counts of the published networks, computed from their layer lists.
        ("inception_v3", 2, 250, 21_806_882),
        ("eeracn", 4, 100, 987_102),
        # The bases as published, each with a head of this project's own.
        ("xception", 4, 100, 20_861_480 + 2048 * 4 + 4),
        ("vgg16", 4, 100, 14_714_688 + (512 * 256 + 256) + (256 * 4 + 4)),
        ("lenet5", 4, 32, (25 * 6 + 6) + (25 * 6 * 16 + 16) + 401 * 120 + 121 * 84 + 85 * 4),
        # 227 px leave 6 x 6 x 256 values to the first of the two layers of 1024 units.
        (
            "alexnet",
            4,
            227,
            (121 * 3 * 96 + 96)
            + (25 * 96 * 256 + 256)
            + (9 * 256 * 384 + 384)
            + (9 * 384 * 384 + 384)
            + (9 * 384 * 256 + 256)
            + 9217 * 1024
            + 1025 * 1024
            + 1025 * 4,
        ),
    ],
)
def test_published_networks_have_their_published_size(name, class_count, input_px, parameters):
    model = build_network(name, class_count=class_count, seed=0)
    assert model.count_params() == parameters
    assert model.input_shape == (None, input_px, input_px, 1)


def test_compact_is_small():
    assert build_network("compact", class_count=4, seed=0).count_params() < 200_000


@pytest.mark.parametrize("name", list(NETWORKS))
def test_output_is_a_probability_for_each_class(name):
    size = NETWORKS[name].smallest_px
    clips = np.random.default_rng(0).uniform(-1, 1, (2, size, size, 1)).astype(np.float32)
    model = build_network(name, class_count=3, seed=0, input_px=size)
    probabilities = model.predict_on_batch(clips)
    assert probabilities.shape == (2, 3)
    # float32 rounding of a softmax over three classes
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_seed_decides_the_weights():
    def weights(seed):
        return build_network("compact", class_count=2, seed=seed, input_px=32).get_weights()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_prediction_of_a_clip_does_not_depend_on_the_batch():
    clips = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 1)).astype(np.float32)
    model = build_network("compact", class_count=2, seed=0, input_px=32)
    # Sums may run in another order in a larger batch.
    np.testing.assert_allclose(model(clips)[:1], model(clips[:1]), atol=1e-5)


def test_weights_come_from_a_file(tmp_path):
    source = build_network("compact", class_count=2, seed=1, input_px=32)
    source.save_weights(tmp_path / "a.weights.h5")
    model = build_network(
        "compact", class_count=2, seed=2, input_px=32, weights=tmp_path / "a.weights.h5"
    )
    assert all(
        np.array_equal(a, b) for a, b in zip(source.get_weights(), model.get_weights(), strict=True)
    )
    with pytest.raises(InputError, match=r"a\.weights\.h5 does not fit the network compact"):
        build_network(
            "compact", class_count=4, seed=2, input_px=32, weights=tmp_path / "a.weights.h5"
        )


def test_unknown_network_and_small_clips_are_refused():
    with pytest.raises(InputError, match=r"no network 'vgg'.*compact"):
        build_network("vgg", class_count=2, seed=0)
    for name, network in NETWORKS.items():
        with pytest.raises(InputError, match=f"{name} needs clips of at least"):
            build_network(name, class_count=2, seed=0, input_px=network.smallest_px - 1)


def test_the_configuration_names_every_network():
    for name in NETWORKS:
        assert load_study({"damage": {"network": name}}).damage.network == name
        assert f"`{name}`" in Network.model_fields["network"].description


def test_two_scales_and_descriptors_are_for_the_compact_network():
    both = {"scales": 2, "descriptor_count": 5}
    model = build_network("compact", class_count=2, seed=0, input_px=32, **both)
    rng = np.random.default_rng(0)
    inputs = {
        "grey": rng.uniform(-1, 1, (3, 32, 32, 2)).astype(np.float32),
        "descriptors": rng.normal(0, 1, (3, 5)).astype(np.float32),
    }
    answer = model.predict_on_batch(inputs)
    for name in inputs:
        changed = inputs | {name: inputs[name][::-1]}
        assert not np.allclose(model.predict_on_batch(changed), answer, atol=1e-4), name
    for scale in (0, 1):
        grey = inputs["grey"].copy()
        grey[..., scale] = 0
        assert not np.allclose(model.predict_on_batch(inputs | {"grey": grey}), answer, atol=1e-5)
    for name in ("eeracn", "INPUT -> CONV -> POOL -> FC"):
        with pytest.raises(ValueError, match="takes one scale, not 2"):
            build_network(name, class_count=2, seed=0, **both)


def test_only_compact_takes_descriptors_itself():
    for name in NETWORKS:
        if name != "compact":
            with pytest.raises(ValueError, match=f"{name} itself takes no descriptors"):
                build_network(name, class_count=2, seed=0, descriptor_count=5)


def build_toy(*, input_px, class_count):
    """Return a frozen network whose only features are sums over three columns of the clip."""
    grey = keras.Input((input_px, input_px, 1), name="grey")
    sums = keras.layers.Conv2D(
        3, (input_px, 1), strides=(1, input_px // 3), trainable=False, name="columns"
    )(grey)
    features = keras.layers.Reshape((9,), name=FEATURES)(sums)
    return keras.Model(grey, softmax_layer(class_count)(features), name="toy")


def set_toy_weights(model):
    layer = model.get_layer("columns")
    layer.set_weights([np.full_like(one, 0.25) for one in layer.get_weights()])


@pytest.fixture
def toy(monkeypatch):
    specification = Specification(
        builder=f"{__name__}:build_toy",
        weights_loader=f"{__name__}:set_toy_weights",
        input_px=12,
        smallest_px=12,
        channels=1,
        frozen=True,
        grey_scaling="full_range",
        average_flips=False,
        cost_kind="frozen",
    )
    monkeypatch.setitem(NETWORKS, "toy", specification)


def test_one_entry_makes_a_frozen_network_with_its_own_weights(toy, tmp_path):
    assert load_study({"damage": {"network": "toy"}}).damage.network == "toy"
    with pytest.raises(InputError, match="toy always has its pre-trained weights"):
        load_study({"damage": {"network": "toy", "weights": "imagenet"}})
    rng = np.random.default_rng(0)
    labels = np.resize(["notch", "shadowing", "interface", "martensite"], 40)
    clips = rng.integers(0, 256, (40, 12, 12, 1), dtype=np.uint8)
    _, card = train_network(
        clips=clips,
        labels=labels,
        roles=np.repeat(["train", "validation"], 20),
        classes=("notch", "shadowing", "interface", "martensite"),
        settings=DamageNetwork(network="toy"),
        training=Training(augmentation="none"),
        seed=3,
        model_path=tmp_path / "toy.keras",
        pixel_size_nm=(50, 50),
    )
    assert card.network == "toy"
    model = keras.models.load_model(tmp_path / "toy.keras")
    for one in model.get_layer("columns").get_weights():
        assert np.all(one == np.float32(0.25))


def test_only_the_module_of_the_asked_network_is_imported():
    program = (
        "import sys; from damascene.networks.build import build_network; "
        "build_network('lenet5', class_count=2, seed=0); "
        "print('damascene.networks.imagenet' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False"]
