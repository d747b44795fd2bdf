import numpy as np
import pytest

from damascene import InputError, config
from damascene.networks import NETWORKS
from damascene.networks.build import build_network


@pytest.mark.parametrize(
    ("name", "class_count", "input_px", "parameters"),
    [
        # Counts of the published networks, computed from their layer lists.
        ("inception_v3", 2, 250, 21_806_882),
        ("eeracn", 4, 100, 987_102),
    ],
)
def test_published_networks_have_their_published_size(name, class_count, input_px, parameters):
    model = build_network(name, class_count=class_count, seed=0)
    assert model.count_params() == parameters
    assert model.input_shape == (None, input_px, input_px, 1)


def test_compact_is_small():
    assert build_network("compact", class_count=4, seed=0).count_params() < 200_000


@pytest.mark.parametrize("name", ["compact", "eeracn"])
def test_output_is_a_probability_for_each_class(name):
    clips = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 1)).astype(np.float32)
    probabilities = build_network(name, class_count=3, seed=0, input_px=32).predict_on_batch(clips)
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


def test_the_configuration_offers_every_network():
    assert set(config.NETWORK_NAMES) == set(NETWORKS)
