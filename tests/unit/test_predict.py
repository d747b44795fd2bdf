import numpy as np
import pandas as pd
import pytest
from made_records import model_card

from damascene import InputError
from damascene.classes import DAMAGE_CLASSES, INCLUSION_CLASSES, SITE_CLASSES
from damascene.classification import predict
from damascene.classification.predict import load_network, predict_clips, predict_sites
from damascene.clips.network_input import scale_grey
from damascene.clips.pictures import cut_clips
from damascene.contracts.calibration_record import Calibration
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import check_table, empty_table
from damascene.images.store import TiledImage, write_tiled
from damascene.networks.build import build_network

PIXEL_SIZE_NM = 50


def card_for(classes, window):
    return model_card(classes, window=window, grey_scaling="clip_median", average_flips=True)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    options = {"batch_size": 16, "inclusion_threshold": 0.5, "damage_threshold": 0.25}
    for stage, classes, window in (
        ("inclusion", INCLUSION_CLASSES, "4 um"),
        ("damage", DAMAGE_CLASSES, "40 px"),
    ):
        model = build_network("compact", class_count=len(classes), seed=3, input_px=32)
        model.save(folder / f"{stage}.keras")
        options[f"{stage}_model_path"] = folder / f"{stage}.keras"
        options[f"{stage}_card"] = card_for(classes, window)
    return options


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    path = tmp_path_factory.mktemp("panorama") / "p.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=PIXEL_SIZE_NM, name="p")
    with TiledImage(path) as opened:
        yield opened


def candidates(count):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({name: np.ones(count) for name in CANDIDATES.columns})
    table["panorama"] = "p"
    table["site_id"] = np.arange(count)
    table["x_px"] = rng.uniform(0, 399, count)
    table["y_px"] = rng.uniform(0, 299, count)
    table[["touches_border", "touches_mask"]] = False
    return check_table(table, CANDIDATES, source="test")


def test_each_site_has_the_predictions_of_its_own_clips(models, image):
    table = candidates(20)
    sites = predict_sites(table, image, **models)
    pd.testing.assert_frame_equal(sites[list(CANDIDATES.columns)], table)
    for stage, classes in (("inclusion", INCLUSION_CLASSES), ("damage", DAMAGE_CLASSES)):
        card = models[f"{stage}_card"]
        model = load_network(models[f"{stage}_model_path"], card=card, classes=classes)
        window_px = {"inclusion": 4000 // PIXEL_SIZE_NM, "damage": 40}[stage]
        clips = cut_clips(image, table.x_px, table.y_px, window_px=window_px, size_px=32)
        expected = predict_clips(model, clips, card=card, batch_size=20)
        columns = [f"p_{name}" for name in classes if name != "rest"]
        np.testing.assert_allclose(sites[columns], expected[:, : len(columns)], atol=1e-6)
    damage = sites[[f"p_{name}" for name in DAMAGE_CLASSES]].to_numpy()
    np.testing.assert_allclose(damage.sum(axis=1), 1, atol=1e-5)
    rest = sites.p_inclusion <= 0.5
    assert (sites.predicted_class[~rest] == "inclusion").all()
    assert (
        sites.predicted_class[rest] == np.array(DAMAGE_CLASSES)[damage.argmax(axis=1)][rest]
    ).all()


def test_size_of_batches_does_not_matter(models, image):
    table = candidates(11)
    first = predict_sites(table, image, **models)
    second = predict_sites(table, image, **(models | {"batch_size": 3}))
    assert (first.predicted_class == second.predicted_class).all()
    # float32 sums may run in another order.
    np.testing.assert_allclose(first.p_inclusion, second.p_inclusion, atol=1e-5)


def test_the_log_says_how_far_it_is(models, image, monkeypatch, caplog):
    monkeypatch.setattr(predict, "_TOLD_SITES", 4)
    with caplog.at_level("INFO"):
        predict_sites(candidates(11), image, **(models | {"batch_size": 3}))
    told = [each for each in caplog.messages if each.startswith("inclusion: ")]
    assert [each.split(": ")[1] for each in told] == ["6 of 11 candidates", "9 of 11 candidates"]


def test_no_candidates_give_no_sites(models, image):
    sites = predict_sites(empty_table(CANDIDATES), image, **models)
    assert len(sites) == 0 and list(sites.columns) == list(PREDICTIONS.columns)


def test_mirrored_clips_are_averaged(models):
    clips = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
    card = models["damage_card"]
    model = load_network(models["damage_model_path"], card=card, classes=DAMAGE_CLASSES)
    single = card.model_copy(update={"average_flips": False})
    expected = np.mean(
        [
            predict_clips(model, clips[:, ::down, ::right], card=single, batch_size=8)
            for down in (1, -1)
            for right in (1, -1)
        ],
        axis=0,
    )
    result = predict_clips(model, clips, card=card, batch_size=8)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert not np.allclose(result, predict_clips(model, clips, card=single, batch_size=8))
    direct = model(scale_grey(clips, grey_scaling="clip_median")).numpy()
    np.testing.assert_allclose(
        predict_clips(model, clips, card=single, batch_size=2), direct, atol=1e-6
    )


def test_models_of_the_wrong_stage_or_size_are_refused(models, image):
    swapped = models | {
        "inclusion_model_path": models["damage_model_path"],
        "inclusion_card": models["damage_card"],
    }
    with pytest.raises(InputError, match=r"needed are inclusion, rest.*other stage"):
        predict_sites(candidates(2), image, **swapped)
    card = models["damage_card"].model_copy(update={"input_px": 64})
    with pytest.raises(InputError, match=r"card says 64 pixels.*train again"):
        predict_sites(candidates(2), image, **(models | {"damage_card": card}))


def test_broken_model_file_is_named(tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"not a model")
    with pytest.raises(InputError, match=r"broken\.keras cannot be read as a trained network"):
        load_network(
            tmp_path / "broken.keras", card=card_for(DAMAGE_CLASSES, "2 um"), classes=DAMAGE_CLASSES
        )


@pytest.mark.parametrize("fault", ["truncated", "flipped"])
def test_damaged_model_file_is_named(tmp_path, models, fault):
    content = bytearray(models["damage_model_path"].read_bytes())
    if fault == "truncated":
        content = content[: len(content) // 2]
    else:
        # Among the weights, where Keras would read another number.
        content[len(content) // 2] ^= 0x40
    path = tmp_path / "damage.keras"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damage\.keras cannot be read.*Delete it and run again"):
        load_network(path, card=models["damage_card"], classes=DAMAGE_CLASSES)


def test_window_larger_than_the_panorama_is_refused(models, image):
    card = models["inclusion_card"].model_copy(update={"window": "40 um"})
    with pytest.raises(InputError, match="800 px does not fit into a panorama of 400 x 300"):
        predict_sites(candidates(2), image, **(models | {"inclusion_card": card}))


def test_confidence_stands_beside_the_class(models, image):
    table = candidates(12)
    plain = predict_sites(table, image, **models)
    assert (plain["prediction_set"] == "").all()
    assert plain["confidence"].isna().all()
    thresholds = (0.4, 0.1, 0.0, None, 0.15)
    given = Calibration(
        temperature=2.0,
        tested="all labels",
        labels=100,
        groups=40,
        coverage=0.9,
        classes={
            name: {"labels": 20, "groups": 8, "share": 0.2, "set_threshold": threshold}
            for name, threshold in zip(SITE_CLASSES, thresholds, strict=True)
        },
        versions={},
    )
    sites = predict_sites(table, image, **models, calibration=given)
    pd.testing.assert_frame_equal(
        plain.drop(columns=["confidence", "prediction_set"]),
        sites.drop(columns=["confidence", "prediction_set"]),
    )
    joined = {"inclusion": sites.p_inclusion} | {
        name: (1 - sites.p_inclusion) * sites[f"p_{name}"] for name in DAMAGE_CLASSES
    }
    joined = pd.DataFrame(joined)
    joined = joined.div(joined.sum(axis=1), axis=0)
    shown_sets = sites[["predicted_class", "prediction_set"]].to_numpy()
    for row, (own, shown) in zip(joined.to_dict("records"), shown_sets, strict=True):
        within = zip(row.items(), thresholds, strict=True)
        expected = {name for (name, p), limit in within if limit is not None and p >= limit}
        assert set(shown.split("|")) == expected | {own}
    softened = joined[list(SITE_CLASSES)] ** 0.5
    softened = softened.div(softened.sum(axis=1), axis=0)
    own = [softened.loc[index, name] for index, name in sites["predicted_class"].items()]
    np.testing.assert_allclose(sites["confidence"], own, atol=1e-6)
