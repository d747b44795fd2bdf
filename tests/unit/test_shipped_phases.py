"""The network for phase maps that is shipped, on steel and noise that it has never seen."""

import numpy as np
import pytest

from damascene.contracts.image_model_card import ImageModelCard
from damascene.images.store import TiledImage, write_all_valid
from damascene.segmentation.segment import segment_panorama
from damascene.simulation import simulate_panorama
from damascene.study.models import SHIPPED_PHASE_MODEL
from damascene.study.phase_labels import SIMULATED_PHASES

MOST_BYTES = 5_000_000


def test_it_is_small_and_its_card_says_what_it_learned_from():
    assert SHIPPED_PHASE_MODEL.stat().st_size <= MOST_BYTES
    card = ImageModelCard.read(SHIPPED_PHASE_MODEL.with_suffix(".json"))
    assert card.task == "segmentation" and card.phases == SIMULATED_PHASES
    assert card.pixel_size_nm == (25, 80)
    assert card.note == "simulated steel only"
    assert card.scores["calibration_error_after"] < min(
        0.02, card.scores["calibration_error_before"]
    )
    assert len(card.panoramas) == 24


@pytest.fixture(scope="module")
def panorama(tmp_path_factory):
    """Simulate a panorama at a pixel size between those of the training, scanned in 300 ns."""
    folder = tmp_path_factory.mktemp("steel")
    options = {"shape": (700, 900), "pixel_size_nm": 49.0}
    simulate_panorama(
        panorama="a",
        strain_percent=14,
        seed=987_654,
        dwell_time_ns=300,
        image_path=folder / "image.ome.tif",
        phases_path=folder / "truth.ome.tif",
        **options,
    )
    write_all_valid(folder / "valid.ome.tif", name="valid", **options)
    return folder


def mapped(folder, image, path):
    with TiledImage(image) as grey, TiledImage(folder / "valid.ome.tif") as valid:
        record = segment_panorama(
            grey,
            valid,
            panorama="a",
            model_path=SHIPPED_PHASE_MODEL,
            phases=SIMULATED_PHASES,
            method="simulated",
            damage_phase="damage",
            path=path,
        )
    with TiledImage(path) as stored:
        return stored.read(), record


def test_it_knows_phases_in_the_noise_of_a_fast_scan(panorama, tmp_path):
    found, record = mapped(panorama, panorama / "image.ome.tif", tmp_path / "a.ome.tif")
    with TiledImage(panorama / "truth.ome.tif") as stored:
        true = stored.read()
    iou = [
        ((found == number) & (true == number)).sum() / ((found == number) | (true == number)).sum()
        for number in (1, 2, 3)
    ]
    assert np.mean(iou) >= 0.9 and iou[2] >= 0.8
    assert record.fractions["martensite"] == pytest.approx((true == 2).mean(), abs=0.015)
    assert not record.caveats
    assert record.confidence == pytest.approx((found == true).mean(), abs=0.03)


def test_a_negative_is_doubted(panorama, tmp_path):
    from damascene.images.store import write_tiled

    with TiledImage(panorama / "image.ome.tif") as stored:
        negative = 255 - stored.read()
    write_tiled(
        tmp_path / "negative.ome.tif",
        [negative],
        shape=negative.shape,
        pixel_size_nm=49.0,
        name="negative",
    )
    _, record = mapped(panorama, tmp_path / "negative.ome.tif", tmp_path / "a.ome.tif")
    assert [caveat.kind for caveat in record.caveats] == ["much_of_minor_phase"]
