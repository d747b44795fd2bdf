"""Sites under other directions of load."""

import numpy as np
import pandas as pd
import pytest
from made_records import model_card

from damascene.classes import DAMAGE_CLASSES, INCLUSION
from damascene.clips.pictures import cut_pictures
from damascene.evaluation.rotation import (
    compare_load_directions,
    cut_rotated_pictures,
    direction_scores,
)
from damascene.figures.evaluation import draw_load_directions
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage, write_tiled
from damascene.networks.build import build_network


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    path = tmp_path_factory.mktemp("panorama") / "p.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=50, name="p")
    with TiledImage(path) as opened:
        yield opened


@pytest.mark.parametrize("window_px", [40, 41])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_right_angles_turn_the_upright_clip(image, window_px, quarters):
    where = {"window_px": window_px, "centre": 0.5, "size_px": 32}
    upright = cut_pictures(image, [150, 200.3], [120, 99.8], **where)
    rotated = cut_rotated_pictures(
        image, [150, 200.3], [120, 99.8], angle_deg=90 * quarters, **where
    )
    assert rotated.shape == upright.shape == (2, 32, 32, 2)
    if window_px * 0.5 == round(window_px * 0.5):
        # Resampling to 32 pixels rounds a rotated clip as it rounds the upright one.
        expected = np.rot90(upright, quarters, axes=(1, 2))
        assert np.abs(rotated.astype(int) - expected).max() <= 1
    else:
        expected = np.rot90(upright[..., 0], quarters, axes=(1, 2))
        assert np.abs(rotated[..., 0].astype(int) - expected).max() <= 1


def test_corners_come_from_the_steel_around(tmp_path):
    y, x = np.mgrid[:300, :300] - 150
    pixels = np.where(np.hypot(x, y) < 60, 200, 40).astype(np.uint8)
    write_tiled(tmp_path / "r.ome.tif", [pixels], shape=(300, 300), pixel_size_nm=50, name="r")
    with TiledImage(tmp_path / "r.ome.tif") as ring:
        where = {"window_px": 100, "centre": None, "size_px": 100}
        upright = cut_pictures(ring, [150], [150], **where).astype(int)
        rotated = cut_rotated_pictures(ring, [150], [150], angle_deg=45, **where).astype(int)
    # A disc looks the same from every side, but for the pixels on its edge.
    assert (np.abs(rotated - upright) > 10).mean() < 0.05
    assert rotated[0, 0, 0, 0] == upright[0, 0, 0, 0] == 40


def test_scores_and_figure_by_angle(tmp_path):
    labels = np.resize(DAMAGE_CLASSES, 24)
    model = build_network("lenet5", class_count=4, seed=0)
    card = model_card()
    rng = np.random.default_rng(0)
    clips = {angle: rng.integers(0, 256, (24, 32, 32, 1), dtype=np.uint8) for angle in (0, 90)}
    groups = np.arange(24) // 2
    parts = [
        direction_scores(labels, groups, clips, model, card=card, confidence=0.9).assign(
            trained_turns_deg=turn
        )
        for turn in (15, 180)
    ]
    assert parts[0].groupby("angle_deg").size().nunique() == 1
    assert set(parts[0]["class"]) == {"all", *DAMAGE_CLASSES}
    figure = draw_load_directions(pd.concat(parts))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[1:] == ["(b) recall, trained within 15°", "(c) recall, trained at all angles"]
    save_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")


def test_networks_are_compared_on_the_damage_sites_of_the_fold_they_never_saw(tmp_path):
    """Numbers are those of clips that are cut and scored step by step."""
    rng = np.random.default_rng(3)
    paths = [tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"]
    for path in paths:
        pixels = rng.integers(0, 256, (200, 200), dtype=np.uint8)
        write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=50, name="p")
    split = pd.DataFrame(
        {
            "panorama": np.resize(["b", "a", "a"], 60),
            "clip_x_px": rng.uniform(0, 199, 60),
            "clip_y_px": rng.uniform(0, 199, 60),
            "label": np.resize([*DAMAGE_CLASSES, INCLUSION], 60),
            "group": np.arange(60) // 3,
            "fold": np.arange(60) // 3 % 2,
        }
    )
    card = model_card(window="2 um")
    models = [build_network("lenet5", class_count=4, seed=seed) for seed in (0, 1)]
    for seed, model in enumerate(models):
        model.save(tmp_path / f"{seed}.keras")
    scoring = {"confidence": 0.9}
    table = compare_load_directions(
        split,
        [(15, tmp_path / "0.keras", card), (180, tmp_path / "1.keras", card)],
        test_fold=1,
        angles_deg=[0, 30],
        panoramas=["a", "b"],
        images=paths,
        **scoring,
    )
    tested = split[(split["fold"] == 1) & (split["label"] != INCLUSION)]
    clips = {angle: np.empty((len(tested), 32, 32, 1), np.uint8) for angle in (0, 30)}
    for row, site in enumerate(tested.itertuples()):
        with TiledImage(paths["ab".index(site.panorama)]) as image:
            for angle, cut in clips.items():
                place = [site.clip_x_px], [site.clip_y_px]
                where = {"window_px": 40, "centre": None, "size_px": 32}
                cut[row] = cut_rotated_pictures(image, *place, angle_deg=angle, **where)[0]
    for rotation_deg, model in zip((15, 180), models, strict=True):
        expected = direction_scores(
            tested["label"], tested["group"], clips, model, card=card, **scoring
        )
        found = table[table["trained_turns_deg"] == rotation_deg].drop(columns="trained_turns_deg")
        pd.testing.assert_frame_equal(found, expected)
