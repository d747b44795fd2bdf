import numpy as np
import pytest

from damascene import InputError
from damascene.config.networks import Network
from damascene.config.study import load_study
from damascene.networks import NETWORKS
from damascene.networks.build import build_network


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
