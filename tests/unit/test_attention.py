"""What networks look at in labelled sites, from the network to what the page is told."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from tests.made_viewer import unpacked
from tests.unit.made_records import model_card
from tests.unit.test_viewer_sites import candidates, told

from damascene import InputError
from damascene.classes import DAMAGE_CLASSES
from damascene.clips.network_input import network_inputs
from damascene.contracts.attention import CELLS, Attention
from damascene.evaluation.attention import attention_of_sites, in_cells
from damascene.evaluation.explanation import grad_cam
from damascene.networks.build import build_network
from damascene.viewer.sites import attention_script, sites_script


def made(**changes):
    """Return the maps of three sites of two panoramas, and of a place without a candidate."""
    ids = np.array([4, 1, -1, 2])
    options = {
        "stage": "damage",
        "window_um": 10.0,
        "window_px": np.nan,
        "centre": 0.5,
        "panorama": np.array(["a", "b", "a", "a"]),
        "site_id": ids,
        "x_px": ids + 0.25,
        "y_px": ids + 0.5,
        "named": np.array(["notch", "interface", "notch", "shadowing"]),
        "probability": np.array([0.91234, 0.5, 0.6, 0.7]),
        "heat": np.random.default_rng(1).integers(0, 256, (4, 2, CELLS, CELLS), dtype=np.uint8),
    }
    return Attention(**options | changes)


def test_maps_are_means_of_cells_and_the_brightest_has_full_scale():
    heat = np.zeros((2, 48, 48, 2), np.float32)
    heat[0, 10:12, 20:22, 0] = 0.5
    heat[0, 0, 0, 1] = 1
    cells = in_cells(heat, scales=2)
    assert cells.shape == (2, 2, CELLS, CELLS) and cells[1].max() == 0
    assert cells[0, 0, 5, 10] == 255 and (cells[0, 0] > 0).sum() == 1
    # A quarter of the cell, twice as bright.
    assert cells[0, 1, 0, 0] == round(255 * 0.25 / 0.5)


def test_cells_share_the_pixels_of_maps_of_any_size_and_scales_share_one_map():
    rng = np.random.default_rng(0)
    heat = rng.uniform(0.2, 1, (1, 100, 100, 1))
    cells = in_cells(heat, scales=2)
    assert np.array_equal(cells[:, 0], cells[:, 1])
    # Every pixel counts once: of an even map all cells are alike.
    assert (in_cells(np.full((1, 50, 50, 1), 0.3), scales=1) == 255).all()
    upper = np.repeat(np.repeat(heat[0, ..., 0], 6, axis=0), 6, axis=1)
    expected = upper.reshape(CELLS, 25, CELLS, 25).mean(axis=(1, 3))
    assert np.abs(cells[0, 0] - 255 * expected / expected.max()).max() <= 0.51


@pytest.mark.parametrize("window", ["10 um", "64 px"])
def test_each_site_has_the_support_of_the_class_that_the_network_gives(tmp_path, window):
    model = build_network("compact", class_count=4, seed=0, input_px=32, scales=2)
    path = tmp_path / "damage.keras"
    model.save(path)
    card = model_card(
        network="compact",
        classes=DAMAGE_CLASSES,
        input_px=32,
        scales=2,
        window=window,
        centre=0.5,
        descriptors=False,
    )
    clips = np.random.default_rng(3).integers(0, 256, (40, 32, 32, 2), dtype=np.uint8)
    sites = pd.DataFrame(
        {
            "panorama": "a",
            "site_id": np.arange(40),
            "clip_x_px": np.arange(40) * 10.5,
            "clip_y_px": 7.0,
        }
    )
    found = attention_of_sites(
        path, card=card, classes=DAMAGE_CLASSES, sites=sites, clips=clips, stage="damage"
    )
    inputs = network_inputs(clips, grey_scaling=card.grey_scaling)
    p = model.predict(inputs, verbose=0)
    assert found.named.tolist() == [DAMAGE_CLASSES[each] for each in p.argmax(axis=1)]
    assert np.allclose(found.probability, p.max(axis=1), atol=1e-5)
    for row in (0, 17, 39):
        heat = grad_cam(model, inputs[[row]], class_index=int(p[row].argmax()))
        expected = in_cells(heat, scales=2)[0].astype(int)
        assert np.abs(found.heat[row].astype(int) - expected).max() <= 2
    in_um = window.endswith("um")
    assert np.isnan(found.window_px) == in_um and np.isnan(found.window_um) != in_um
    assert found.x_px.tolist() == sites["clip_x_px"].tolist()


def test_what_is_written_is_read_and_a_damaged_file_is_told(tmp_path):
    path, given = tmp_path / "attention_damage.npz", made()
    given.write(path)
    found = Attention.read(path)
    for name, value in vars(given).items():
        same = np.array_equal(value, getattr(found, name), equal_nan=isinstance(value, float))
        assert same, name
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="snakemake explanation"):
        Attention.read(path)


def test_the_page_is_told_of_the_sites_of_its_panorama():
    of_a = made().of_panorama("a")
    assert of_a.site_id.tolist() == [4, 2]
    nobody = made(stage="inclusion").of_panorama("c")
    _, found = told(sites_script("sites/a.js", candidates([2, 4]), attention=[nobody, of_a]))
    (stage,) = found["attention"]
    assert stage["stage"] == "damage" and stage["site_id"] == [4, 2]
    assert stage["named"] == ["notch", "shadowing"] and stage["probability"] == [0.912, 0.7]
    assert stage["window_um"] == 10 and stage["window_px"] is None and stage["x_px"] == [4.25, 2.25]
    key, entries = unpacked(attention_script("sites/a.attention.js", [nobody, of_a]))
    assert key == "sites/a.attention.js" and len(entries) == 2
    maps = np.frombuffer(entries[1], np.uint8).reshape(2, CELLS, CELLS)
    assert np.array_equal(maps, made().heat[3])
    empty = attention_script("sites/a.attention.js", [])
    assert json.loads(re.search(rb'"at":(\[[^]]*\])', empty)[1]) == [0]
