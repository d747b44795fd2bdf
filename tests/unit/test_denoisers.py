"""Denoisers judged by sites: what is kept, lost and invented, and which method follows."""

import re

import numpy as np
import pandas as pd
import pytest

from damascene import InputError
from damascene.config.denoiser_comparison import DenoiserComparison
from damascene.config.study import load_study
from damascene.contracts.denoising import DENOISED_IMAGES, DENOISED_SITES, DENOISING
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.contracts.table import check_table
from damascene.evaluation.denoised_sites import (
    compare_sites,
    damage_free,
    truth_as_reference,
)
from damascene.evaluation.denoiser_scenes import Compared, chosen_windows, origin_of_sites
from damascene.evaluation.denoiser_scores import ALL, recommend, score_denoisers
from damascene.evaluation.denoisers import CLEAN, compare_on_panorama
from damascene.figures.denoising import draw_denoising
from damascene.images.store import TiledImage, Window, write_all_valid, write_tiled
from damascene.simulation.added_noise import with_noise

SIZE_NM = 40.0
WHOLE = Window(top=0, left=0, bottom=200, right=300)


def square(x, y, edge):
    """Return a true site: the outline of a square of pixels round a centre."""
    half = edge / 2
    return {
        "x_px": float(x),
        "y_px": float(y),
        "area_px": edge * edge,
        "outline_x_px": np.array([x - half, x + half, x + half, x - half]),
        "outline_y_px": np.array([y - half, y - half, y + half, y + half]),
    }


def truth(*squares):
    return pd.DataFrame([square(*one) | {"truth_id": k} for k, one in enumerate(squares)])


def found(*squares):
    """Return candidates: squares by centre and edge, with the columns that matching looks at."""
    return pd.DataFrame(
        [
            {
                "site_id": k,
                "x_px": float(x),
                "y_px": float(y),
                "area_px": edge * edge,
                "left_px": x - edge // 2,
                "top_px": y - edge // 2,
                "width_px": edge,
                "height_px": edge,
            }
            for k, (x, y, edge) in enumerate(squares)
        ],
        columns=[
            "site_id",
            "x_px",
            "y_px",
            "area_px",
            "left_px",
            "top_px",
            "width_px",
            "height_px",
        ],
    )


def compared(candidates, true, *, inner=WHOLE, limit_px=20, margin_px=25):
    reference = truth_as_reference(true, limit_px=limit_px, window=WHOLE)
    free = damage_free(reference, np.ones((200, 300), bool), inner=inner, margin_px=margin_px)
    return compare_sites(
        candidates, reference, free=free, inner=inner, tolerance_px=10, pixel_size_nm=SIZE_NM
    )


def test_sites_are_kept_lost_and_invented():
    true = truth((50, 50, 10), (150, 50, 8), (250, 50, 3), (50, 150, 6))
    # One moved by 3 and 4 px and grown; one is lost; one on a small site that is not asked for;
    # one kept as it is; one beside a site and one far from all.
    sites = compared(
        found((53, 54, 12), (250, 50, 5), (50, 150, 6), (150, 70, 5), (220, 160, 7)), true
    )
    outcome = sites.groupby("outcome")
    assert outcome.size().to_dict() == {"kept": 2, "lost": 1, "invented": 2}
    kept = sites[sites["outcome"] == "kept"].set_index("truth_id")
    assert kept["shift_um"].to_dict() == pytest.approx({0: 0.2, 3: 0.0})
    assert (kept["found_area_um2"] / kept["area_um2"])[0] == pytest.approx(1.44)
    assert sites[sites["outcome"] == "lost"]["truth_id"].tolist() == [1]
    invented = sites[sites["outcome"] == "invented"].set_index("site_id")
    assert invented["is_damage_free"].to_dict() == {3: False, 4: True}
    # The diameter of the circle of the same area.
    assert invented["diameter_um"][4] == pytest.approx(2 * 7 * 0.04 / np.sqrt(np.pi))


def test_one_site_is_no_partner_of_two():
    sites = compared(found((55, 50, 14)), truth((50, 50, 6), (60, 50, 6)))
    assert sites["outcome"].value_counts().to_dict() == {"kept": 1, "lost": 1}


def test_nothing_found_and_nothing_there():
    assert compared(found(), truth((50, 50, 10)))["outcome"].tolist() == ["lost"]
    nothing = truth((50, 50, 10)).iloc[:0]
    sites = compared(found((50, 50, 10)), nothing)
    assert sites["outcome"].tolist() == ["invented"] and sites["is_damage_free"].tolist() == [True]
    assert compared(found(), nothing).empty


def test_sites_at_a_cut_are_partners_and_not_scored():
    inner = Window(top=0, left=64, bottom=200, right=300)
    # The centre of the true site lies in the margin, that of the found one does not.
    sites = compared(
        found((66, 50, 10), (20, 100, 8)), truth((62, 50, 10), (200, 50, 8)), inner=inner
    )
    assert sites["outcome"].tolist() == ["lost"]


def test_the_area_without_damage_is_what_is_far_from_sites():
    reference = truth_as_reference(truth((150, 100, 11)), limit_px=20, window=WHOLE)
    valid = np.ones((200, 300), bool)
    valid[:, :50] = False
    inner = Window(top=10, left=0, bottom=200, right=300)
    free = damage_free(reference, valid, inner=inner, margin_px=20)
    rows, columns = np.indices(valid.shape)
    away = np.hypot(np.maximum(abs(rows - 100) - 5, 0), np.maximum(abs(columns - 150) - 5, 0))
    expected = valid & (rows >= 10) & (away > 20)
    # The outline runs through pixels.
    assert (free != expected).mean() < 0.004


def panorama_windows(folder, shape, invalid=()):
    """Return the windows of a panorama of which some rows are invalid."""
    path = folder / "valid.ome.tif"
    mask = np.full(shape, 255, np.uint8)
    for rows in invalid:
        mask[rows] = 0
    write_tiled(path, [mask], shape=shape, pixel_size_nm=SIZE_NM, name="a", pyramid=False)
    with TiledImage(path) as valid:
        return chosen_windows(valid)


def test_large_panoramas_are_compared_by_windows_spread_over_them(tmp_path):
    assert len(panorama_windows(tmp_path, (1500, 2500))) == 1
    windows = panorama_windows(tmp_path, (4100, 9000))
    assert [window.shape for window in windows] == [(2048, 2048)] * 4
    assert {window.top for window in windows} == {2, 2050}
    assert len({window.left for window in windows}) > 2
    # Nothing is to be learned where there is no image.
    windows = panorama_windows(tmp_path, (4100, 9000), invalid=[slice(0, 2050)])
    assert {window.top for window in windows} == {2050} and len(windows) == 4
    # A long strip.
    assert len(panorama_windows(tmp_path, (700, 16000))) == 4


def test_added_noise_belongs_to_a_place():
    pixels = np.full((300, 400), 120, np.uint8)
    whole = Window(top=0, left=0, bottom=300, right=400)
    part = Window(top=100, left=50, bottom=200, right=150)
    for kind in ("gaussian", "gamma"):
        options = {"kind": kind, "noise_grey": 20.0, "seed": 5}
        noisy = with_noise(pixels, window=whole, **options)
        assert noisy.std() == pytest.approx(20, rel=0.02)
        assert noisy.mean() == pytest.approx(120, abs=0.3)
        cut = with_noise(pixels[part.slices()], window=part, **options)
        np.testing.assert_array_equal(cut, noisy[part.slices()])
    skew = ((noisy - noisy.mean()) ** 3).mean() / noisy.std() ** 3
    # Of a Gamma variable of shape 6.
    assert skew == pytest.approx(2 / np.sqrt(6), rel=0.1)
    with pytest.raises(ValueError, match="unknown noise"):
        with_noise(pixels, window=whole, kind="salt", noise_grey=1.0, seed=1)


def made_panorama(folder, sigma, seed=0):
    """Write a grey panorama with 40 dark discs, some of them small."""
    rng = np.random.default_rng(seed)
    image = np.full((600, 800), 120.0)
    rows, columns = np.indices(image.shape)
    for number in range(40):
        row, column = 40 + 75 * (number // 8), 50 + 100 * (number % 8)
        image[np.hypot(rows - row, columns - column) < 3 + number % 5] = 20
    image = np.clip(np.rint(image + rng.normal(0, sigma, image.shape)), 0, 255).astype(np.uint8)
    paths = folder / "image.ome.tif", folder / "valid.ome.tif"
    write_tiled(paths[0], [image], shape=image.shape, pixel_size_nm=SIZE_NM, name="a")
    write_all_valid(paths[1], shape=image.shape, pixel_size_nm=SIZE_NM, name="a")
    return paths


FIXED = load_study(
    {
        "detection": {
            "threshold": {"rule": "fixed", "grey": 75},
            "minimum_area": "8 px2",
            "merge": "none",
            "minimum_edge": 0,
            "drop_rim_fragments": False,
        }
    }
).detection


def test_a_clean_panorama_tells_which_sites_noise_hides_and_invents(tmp_path):
    image, valid = made_panorama(tmp_path, 2)
    options = {
        "methods": {"none": {}, "gaussian": {"strength": 1.0}},
        "comparison": DenoiserComparison(added_noise="gaussian", noise_grey=45.0),
        "settings": FIXED,
        "tolerance": "0.4 um",
        "seed": 7,
    }
    panorama = Compared(panorama="a", image=image, valid=valid)
    sites, images = compare_on_panorama(panorama, **options)
    check_table(sites, DENOISED_SITES, source="sites")
    check_table(images, DENOISED_IMAGES, source="images")
    scores = score_denoisers(sites, images, confidence=0.95)
    check_table(scores, DENOISING, source="scores")
    row = scores[(scores["panorama"] == "a") & (scores["size"] == ALL)].set_index("method")
    assert row["reference"].eq("clean panorama").all()
    # Without noise the sites are those that are to be found.
    assert row.loc[CLEAN, ["kept", "lost", "invented"]].tolist() == [40, 0, 0]
    assert row.loc[CLEAN, "total_area_ratio"] == 1 and np.isnan(row.loc[CLEAN, "psnr_db"])
    # Noise of 45 puts pixels below 75 everywhere, of which some lie together.
    assert row.loc["none", "invented"] > 5 > row.loc["gaussian", "invented"]
    assert row.loc["none", "psnr_db"] == pytest.approx(20 * np.log10(255 / 45), abs=0.6)
    assert row.loc["gaussian", "psnr_db"] > row.loc["none", "psnr_db"] + 4
    assert row.loc["gaussian", "median_shift_um"] < 0.1
    again, _ = compare_on_panorama(panorama, **options, threads=2)
    pd.testing.assert_frame_equal(sites, again)


def test_nothing_is_compared_where_nobody_knows_what_is_there(tmp_path):
    image, valid = made_panorama(tmp_path, 20)
    panorama = Compared(panorama="a", image=image, valid=valid)
    with pytest.raises(InputError, match="Name a slow scan of it under 'paired_scan'"):
        origin_of_sites(panorama, DenoiserComparison())
    with pytest.raises(InputError, match=r"noise of 19\.9 grey levels itself.*at least 33"):
        origin_of_sites(panorama, DenoiserComparison(added_noise="gaussian"))


@pytest.mark.parametrize(("noise", "word"), [(5.0, "second scan"), (15.0, None)])
def test_a_second_scan_must_have_clearly_less_noise(tmp_path, noise, word):
    numbers = dict.fromkeys(PairedScanRecord.model_fields, 1)
    record = PairedScanRecord(
        **numbers
        | {
            "panorama": "a",
            "source": "slow.tif",
            "sources": (),
            "versions": {},
            "noise_grey_levels": noise,
            "panorama_noise_grey_levels": 20.0,
        }
    )
    record.write(tmp_path / "a.json")
    panorama = Compared(panorama="a", image="a", valid="a", paired=("b", "b", tmp_path / "a.json"))
    if word:
        assert origin_of_sites(panorama, DenoiserComparison()) == word
    else:
        with pytest.raises(InputError, match=r"noise of 15\.0 grey levels, the panorama 20\.0"):
            origin_of_sites(panorama, DenoiserComparison())


def sites_of(method, *, kept=0, lost=0, invented=0, free=0, panorama="a", area_um2=1.0):
    rows = [
        {"outcome": "kept", "site_id": k, "truth_id": k, "found_area_um2": 2.0, "shift_um": 0.1}
        for k in range(kept)
    ]
    rows += [{"outcome": "lost", "site_id": -1, "truth_id": kept + k} for k in range(lost)]
    rows += [
        {"outcome": "invented", "site_id": kept + k, "truth_id": -1, "is_damage_free": k < free}
        for k in range(invented)
    ]
    columns = ["outcome", "site_id", "truth_id", "found_area_um2", "shift_um", "is_damage_free"]
    return (
        pd.DataFrame(rows, columns=columns)
        .astype({"found_area_um2": float, "shift_um": float})
        .assign(
            panorama=panorama,
            method=method,
            window=0,
            area_um2=area_um2,
            diameter_um=2 * np.sqrt(area_um2 / np.pi),
            predicted_class="",
            is_damage_free=lambda table: table["is_damage_free"].eq(True),
        )
    )


def images_of(method, *, panorama="a", free_mm2=0.01, error=100.0):
    return {
        "panorama": panorama,
        "method": method,
        "window": 0,
        "reference": "truth",
        "seconds": 2.0,
        "damage_free_mm2": free_mm2,
        "compared_px": 4_000_000,
        "squared_error": error,
        "ssim": 0.5,
    }


def scores_of(free_mm2=0.01, **methods):
    """Return scores of methods by their numbers of sites: kept, lost, invented, away from sites."""
    names = ("kept", "lost", "invented", "free")
    return score_denoisers(
        pd.concat([sites_of(m, **dict(zip(names, n, strict=True))) for m, n in methods.items()]),
        pd.DataFrame([images_of(method, free_mm2=free_mm2) for method in methods]),
        confidence=0.95,
    )


def test_scores_are_those_of_the_sites_counted():
    sites = pd.concat(
        [
            sites_of("none", kept=30, lost=10, invented=20, free=5),
            sites_of("none", kept=10, invented=4, free=1, panorama="b", area_um2=0.1),
        ]
    )
    images = pd.DataFrame([images_of("none"), images_of("none", panorama="b", error=300.0)])
    scores = score_denoisers(sites, images, confidence=0.95)
    check_table(scores, DENOISING, source="scores")
    row = scores[(scores["panorama"] == ALL) & (scores["size"] == ALL)].iloc[0]
    assert row[["reference_sites", "kept", "lost", "invented"]].tolist() == [50, 40, 10, 24]
    assert (row["recall"], row["precision"]) == (0.8, 40 / 64)
    assert row["f_score"] == pytest.approx(2 * 0.8 * 0.625 / 1.425)
    # Clopper and Pearson for 40 of 50, Garwood for 6, from tables.
    assert (row["recall_low"], row["recall_high"]) == pytest.approx((0.6628, 0.8997), abs=1e-4)
    assert row["false_per_mm2"] == 6 / 0.02
    assert row["false_per_mm2_low"] == pytest.approx(2.2019 / 0.02, rel=1e-4)
    assert row["false_per_mm2_high"] == pytest.approx(13.0595 / 0.02, rel=1e-4)
    assert row["psnr_db"] == pytest.approx(10 * np.log10(255**2 / 200))
    assert row["megapixels_per_s"] == 2.0
    small = scores[(scores["panorama"] == ALL) & (scores["size"] == "below 0.5 um")].iloc[0]
    assert small[["kept", "lost", "invented"]].tolist() == [10, 0, 4]
    assert np.isnan(small["psnr_db"]) and small["total_area_ratio"] == pytest.approx(20)
    # The order of panoramas changes no sum.
    other = score_denoisers(sites[::-1], images[::-1], confidence=0.95)
    pd.testing.assert_series_equal(other[(other["panorama"] == ALL)].iloc[0], row)


def test_classes_are_compared_with_those_without_noise():
    sites = pd.concat([sites_of(method, kept=4, invented=1) for method in (CLEAN, "none")])
    sites = sites.assign(
        predicted_class=[
            *("notch", "notch", "martensite", "", ""),
            *("notch", "shadowing", "martensite", "notch", "notch"),
        ]
    )
    images = pd.DataFrame([images_of(method) for method in (CLEAN, "none")])
    scores = score_denoisers(sites, images, confidence=0.95)
    row = scores[(scores["panorama"] == "a") & (scores["size"] == ALL)].set_index("method")
    assert row.loc["none", "classes_compared"] == 3
    assert row.loc["none", "class_changes"] == pytest.approx(1 / 3)
    assert row.loc[CLEAN, "class_changes"] == 0


def test_the_best_of_the_honest_is_recommended():
    scores = scores_of(
        none=(150, 50, 60, 8),
        gaussian=(160, 40, 20, 3),
        non_local_means=(190, 10, 6, 2),
        # The best by far, if inventing were no fault.
        simulated=(199, 1, 9, 9),
    )
    method, sentence = recommend(scores)
    assert method == "non_local_means"
    assert "keeps 190 of 200 sites and invents 6" in sentence
    assert "2 sites are false, 8 without denoising" in sentence
    assert "Left out for more false sites than without denoising: simulated." in sentence


def test_of_equals_the_simplest_is_recommended():
    scores = scores_of(none=(196, 4, 6, 2), wavelet=(198, 2, 5, 2), paired=(199, 1, 4, 1))
    method, sentence = recommend(scores)
    assert method == "none"
    assert "paired has the highest F score" in sentence and "no more than chance" in sentence
    # What learned from the panoramas on which it is judged is said to have.
    assert "paired learned from these panoramas and their second scans" in sentence


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"none": (30, 19, 3, 0)}, "only 49 sites to be found, at least 50"),
        ({"gaussian": (300, 19, 3, 0)}, "without denoising was not measured"),
        ({"none": (100, 2, 3, 0), "free_mm2": 0.001}, r"only 0\.0010 mm² lie away"),
    ],
)
def test_too_few_data_recommend_nothing(numbers, words):
    method, sentence = recommend(scores_of(**numbers))
    assert method is None
    assert sentence.startswith("No method is recommended")
    assert re.search(words, sentence)


def test_the_figure_has_a_mark_for_each_method_and_none_is_hidden():
    numbers = {name: (100, 2, 3, 1) for name in ("none", "gaussian", "median", "paired", CLEAN)}
    figure = draw_denoising(scores_of(**numbers, other=(90, 12, 8, 2)))
    left, right = figure.axes
    figure.canvas.draw()
    places = [
        line.get_transform().transform(line.get_xydata()[0])
        for line in left.lines
        if line.get_marker() not in ("None", None, "")
    ]
    assert len(places) == 6
    apart = [np.hypot(*(a - b)) for k, a in enumerate(places) for b in places[:k]]
    assert min(apart) > 5
    names = [label.get_text() for label in right.get_yticklabels()]
    assert names == ["without noise", "not denoised", "gaussian", "median", "paired", "other"]


def test_a_figure_without_sites_says_so():
    figure = draw_denoising(scores_of(none=(0, 0, 0, 0)))
    assert "no sites to compare" in [text.get_text() for text in figure.axes[0].texts]
