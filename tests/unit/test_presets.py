"""Published parameter sets: one key selects them, single keys override them."""

import numpy as np
import pandas as pd
import pytest
from made_panoramas import write_pair

from damascene.config import written_files
from damascene.config.presets import (
    PRESET_FOLDER,
    PRESETS,
    TRAINING_PRESETS,
    read_preset,
    read_training_preset,
)
from damascene.config.study import Study, load_study
from damascene.detection.settings import find_candidates_of
from damascene.images.store import open_pair

PUBLISHED = PRESETS[1:]


def test_every_file_is_a_preset_and_every_preset_a_file():
    folder = PRESET_FOLDER
    assert {path.name for path in folder.glob("*.*")} == {f"{name}.yaml" for name in PRESETS}
    assert {path.name for path in (folder / "training").iterdir()} == {
        f"{name}.yaml" for name in TRAINING_PRESETS
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_every_key_it_governs_and_no_other(name):
    given = read_preset(name)
    assert {section: set(values) for section, values in given.items()} == {
        section: set(keys) for section, keys in written_files.GOVERNED.items()
    }


@pytest.mark.parametrize("name", TRAINING_PRESETS)
def test_a_training_preset_gives_every_key_it_governs_and_no_other(name):
    given = read_training_preset(name)
    assert {section: set(values) for section, values in given.items()} == {
        section: set(keys) for section, keys in written_files.GOVERNED_BY_TRAINING.items()
    }


def test_values_of_the_published_trainings():
    """The published settings, written down a second time."""
    kusche = load_study({"training_preset": "kusche2018", "preset": "kusche2019"})
    medghalchi = load_study({"training_preset": "medghalchi2019"})
    for study, rate, epochs, folds in ((kusche, 1e-3, 150, 5), (medghalchi, 3e-4, 90, 3)):
        assert (study.inclusion.network, study.damage.network) == ("inception_v3", "eeracn")
        training = study.training
        assert (training.learning_rate, training.epochs, training.batch_size) == (rate, epochs, 10)
        assert training.schedule == "constant" and training.weight_decay == 0
        assert study.split.folds == folds and training.class_shares == "natural"
    assert (kusche.training.patience, kusche.training.augmentation) == (8, "none")
    assert (kusche.inclusion.window, kusche.damage.window) == ("250 px", "50 px")
    inclusion = medghalchi.inclusion
    assert (inclusion.weights, inclusion.frozen_layers, inclusion.head_rate_factor) == (
        "imagenet",
        10,
        10,
    )


def test_the_default_presets_hold_the_defaults_of_the_models():
    assert load_study({}) == load_study({"preset": "default"}) == Study()
    assert load_study({"training_preset": "default"}) == Study()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_presets_name_their_source_and_stay_in_pixels(name):
    head = (PRESET_FOLDER / f"{name}.yaml").read_text().split("detection:")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "doi 10." in head and "Left open" in head
    given = read_preset(name)
    lengths = [given["detection"][key] for key in ("eps", "merge_distance")]
    lengths += [given[stage]["window"] for stage in ("inclusion", "damage")]
    assert all(length.endswith(" px") for length in lengths)
    assert given["detection"]["minimum_area"].endswith(" px2")


@pytest.mark.parametrize("name", PRESETS)
def test_a_checked_study_is_checked_again_without_a_change(name):
    """Jobs check the study that the first process completed."""
    study = load_study({"preset": name, "detection": {"min_samples": 7}})
    assert load_study(study.model_dump()) == study


def test_single_keys_override_a_preset():
    preset = load_study({"preset": "kerzel2024"})
    study = load_study(
        {
            "preset": "kerzel2024",
            "detection": {"threshold": {"grey": 25}, "merge": "corrected"},
            "damage": {"threshold": 0.6},
            "training": {"class_shares": "natural"},
        }
    )
    changed = {"merge": "corrected", "threshold": preset.detection.threshold}
    assert study.detection.model_copy(update=changed) == preset.detection.model_copy(update=changed)
    assert study.detection.merge == "corrected"
    assert study.detection.threshold == preset.detection.threshold.model_copy(update={"grey": 25})
    assert (study.damage.threshold, study.damage.window) == (0.6, "100 px")
    assert study.training.class_shares == "natural"
    assert study.inclusion == preset.inclusion


def test_values_of_the_published_presets():
    """The table of published parameter sets, written down a second time."""
    stated = {
        "reclik2017": ("fixed", 20, True, "never", "4 px", 10, 1, "0 px2", "none", "0 px"),
        "kusche2019": ("fixed", 20, True, "never", "4 px", 20, 1, "0 px2", "none", "0 px"),
        "medghalchi2020": ("matched", 30.6, False, "never", "1 px", 5, 2, "0 px2", "none", "0 px"),
        "kerzel2024": ("fixed", 20, False, "before", "1 px", 5, 1, "20 px2", "published", "50 px"),
    }
    networks = {
        "reclik2017": ("80 px", 0.5, "80 px", 0),
        "kusche2019": ("250 px", 0.7, "50 px", 0.7),
        "medghalchi2020": ("250 px", 0.5, "250 px", 0),
        "kerzel2024": ("250 px", 0.7, "100 px", 0.5),
    }
    for name in PUBLISHED:
        study = load_study({"preset": name})
        rule = study.detection
        assert (
            *(rule.threshold.rule, rule.threshold.grey, rule.threshold.inclusive, rule.fill_holes),
            *(rule.eps, rule.min_samples, rule.passes, rule.minimum_area),
            *(rule.merge, rule.merge_distance),
        ) == stated[name]
        assert rule.sites == ("blobs" if name == "medghalchi2020" else "clusters")
        assert rule.metric == "euclidean" and not rule.drop_rim_fragments
        assert (
            *(study.inclusion.window, study.inclusion.threshold),
            *(study.damage.window, study.damage.threshold),
        ) == networks[name]


BRIGHT = 200


@pytest.fixture
def find(tmp_path):
    """Return a function that finds the candidates of an array with a preset, keys overridden."""

    def find_with(name, pixels, *, pixel_size_nm=40, reference=None, **detection):
        settings = load_study({"preset": name, "detection": detection}).detection
        if settings.threshold.rule == "matched" and reference is None:
            # Matched to itself, a panorama stays as it is.
            reference = np.bincount(pixels.ravel(), minlength=256)
        with open_pair(*write_pair(tmp_path, pixels, pixel_size_nm=pixel_size_nm)) as pair:
            return find_candidates_of(
                *pair, panorama="p", settings=settings, reference=reference
            ).candidates

    return find_with


def painted(*shapes, size=(60, 120)):
    """Return a bright image with shapes: text with # for dark, at a row and column, of a grey."""
    pixels = np.full(size, BRIGHT, np.uint8)
    for row, column, grey, text in shapes:
        for line, signs in enumerate(text.split()):
            for place, sign in enumerate(signs):
                if sign == "#":
                    pixels[row + line, column + place] = grey
    return pixels


def block(height, width):
    return " ".join(["#" * width] * height)


RING = "##### #...# #...# #...# #####"
PLUS = ".#. ### .#."
HOLLOW = ".###. ##### ##.## ##### .###."


@pytest.mark.parametrize(
    ("name", "darkest_bright"),
    [("reclik2017", 21), ("kusche2019", 21), ("medghalchi2020", 31), ("kerzel2024", 20)],
)
def test_the_threshold_takes_its_own_grey_as_published(find, name, darkest_bright):
    for grey, sites in ((darkest_bright - 1, 1), (darkest_bright, 0)):
        assert len(find(name, painted((20, 20, grey, block(7, 7))))) == sites


@pytest.mark.parametrize(
    ("name", "too_few", "enough", "kept"),
    [
        # Within 4 px of the middle of the line lie 9 pixels, or 10 with the one above.
        ("reclik2017", "......... #########", "....#.... #########", 10),
        # Distance 4 is within eps, 5 is not.
        ("reclik2017", "###.... ###....# ###....", "###... ###...# ###...", 10),
        ("kusche2019", "####. ##### ##### #####", block(4, 5), 20),
        # All four neighbours make a core; corners stay noise.
        ("medghalchi2020", block(2, 9), PLUS, 5),
        ("medghalchi2020", "### ##. ###", "### ### ###", 5),
        # 20 px are no site, 21 are: the corners do not count.
        ("kerzel2024", block(4, 6), block(5, 5), 21),
        # Holes are filled before clustering: the ring alone has no core.
        ("kerzel2024", "##.## #...# #...# #...# #####", RING, 21),
        # Three of four neighbours make a core; 20 px are no site, holes count.
        ("default", block(4, 5), block(3, 7), 21),
        ("default", HOLLOW.replace(".#", "..", 1), HOLLOW, 21),
    ],
)
def test_pixels_that_decide_a_site(find, name, too_few, enough, kept):
    pixels = painted((20, 10, 5, too_few), (20, 90, 5, enough))
    found = find(name, pixels)
    assert found["left_px"].tolist() == [90]
    assert found["area_px"].tolist() == [kept]


def test_holes_stay_open_where_they_were_not_filled(find):
    ring = painted((20, 20, 5, "######## ######## ##....## ##....## ######## ########"))
    for name in ("reclik2017", "kusche2019"):
        assert find(name, ring)["area_px"].tolist() == [40]
    # Corners are noise.
    assert find("medghalchi2020", ring)["area_px"].max() < 40
    assert find("kerzel2024", ring)["area_px"].tolist() == [44]
    assert find("default", ring)["area_px"].tolist() == [48]


def test_a_second_run_keeps_what_the_first_kept(find):
    """All neighbours of a core belong to its cluster, so it stays a core when the rest is gone."""
    random = np.random.default_rng(4)
    pixels = np.where(random.random((60, 120)) < 0.6, 5, BRIGHT).astype(np.uint8)
    for sites in ("blobs", "clusters"):
        once, twice = (find("medghalchi2020", pixels, passes=n, sites=sites) for n in (1, 2))
        assert len(once) > 50
        pd.testing.assert_frame_equal(once, twice)


def test_blobs_join_across_corners(find):
    touching = painted((20, 20, 5, ".#... ###.. .#.#. ..### ...#."))
    assert find("medghalchi2020", touching)["area_px"].tolist() == [10]
    assert find("medghalchi2020", touching, sites="clusters")["area_px"].tolist() == [5, 5]


def test_a_panorama_is_matched_to_the_reference(find):
    pixels = painted((20, 20, 60, block(7, 7)))
    reference = np.zeros(256, np.int64)
    assert len(find("medghalchi2020", pixels)) == 0
    reference[[25, 180]] = [49, pixels.size - 49]
    assert len(find("medghalchi2020", pixels, reference=reference)) == 1
    reference[[25, 35]] = reference[[35, 25]]
    assert len(find("medghalchi2020", pixels, reference=reference)) == 0


def test_published_merging_takes_the_first_of_a_pair_up_to_its_distance(find):
    apart = [painted((20, 10, 5, block(9, 9)), (22, 10 + gap, 5, block(5, 7))) for gap in (51, 52)]
    # Centroids 50 px apart are a pair and the first one goes, though it is larger.
    assert find("kerzel2024", apart[0])["left_px"].tolist() == [61]
    assert find("kerzel2024", apart[1])["left_px"].tolist() == [10, 62]
    assert find("kerzel2024", apart[0], merge="corrected")["left_px"].tolist() == [10, 61]
    nearer = find("kerzel2024", apart[0], merge="corrected", merge_distance="51 px")
    assert nearer["left_px"].tolist() == [10]
    for name in ("reclik2017", "kusche2019", "medghalchi2020"):
        assert len(find(name, apart[0])) == 2


def test_close_sites_are_merged_below_the_distance_of_the_default(find):
    # 0.8 um are 20 px.
    for gap, left in ((20, [10, 31]), (19, [10])):
        pixels = painted((20, 10, 5, block(9, 9)), (22, 11 + gap, 5, block(5, 7)))
        assert find("default", pixels)["left_px"].tolist() == left


def test_rim_fragments_are_sites_to_all_but_the_default(find):
    pixels = np.full((300, 400), BRIGHT, np.uint8)
    pixels[10:110, 10:30] = pixels[10:30, 10:150] = pixels[90:110, 10:150] = 5
    pixels[55:64, 90:99] = 5
    for name, sites in zip(PRESETS, (1, 2, 2, 2, 2), strict=True):
        detection = {"merge": "none"} if name == "kerzel2024" else {}
        assert len(find(name, pixels, **detection)) == sites


def test_published_rules_do_not_follow_the_pixel_size(find):
    pixels = painted((10, 10, 5, block(7, 7)), (10, 40, 5, block(4, 6)), (40, 30, 20, block(5, 5)))
    for name in PUBLISHED:
        coarse, fine = (find(name, pixels, pixel_size_nm=size) for size in (80, 20))
        assert coarse["area_px"].tolist() == fine["area_px"].tolist() != []
