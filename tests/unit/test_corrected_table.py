"""Raw and corrected counts of a study in one table; bad input gives reasons, not numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_correction import made_answers
from test_planting import made_voids

from damascene.classes import DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES
from damascene.contracts.corrected import CORRECTED
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.correction.table import NO_SITE, ROWS, Tables, correct_counts
from damascene.figures.corrected import MOST_PANORAMAS, draw_corrected_counts
from damascene.statistics.density import density_table
from damascene.statistics.panorama_blocks import blocks_of

PIXEL_NM = 40.0
SHAPE = (2000, 3000)
SHARES = np.array([0.1, 0.3, 0.15, 0.25, 0.2])


def made_sites(name, count, *, seed, labelled=0):
    random = np.random.default_rng(seed)
    table = made_answers(sites=count, shares=SHARES, seed=seed)
    truth = table.pop("label")
    label = np.where(np.arange(count) < labelled, truth, "")
    return table.assign(
        panorama=name,
        site_id=np.arange(count),
        x_px=random.uniform(0, SHAPE[1] - 1, count),
        y_px=random.uniform(0, SHAPE[0] - 1, count),
        area_um2=np.exp(random.normal(-1.5, 0.6, count)),
        label=label,
        touches_border=False,
        touches_mask=False,
        **{"class": np.where(label != "", label, table["predicted_class"])},
    )


def made_study(*, counts=(120, 60), labelled=0, held_out=600, withheld=None, voids=300, **changes):
    """Return the tables and records of a study."""
    names = [f"p{place}" for place in range(len(counts))]
    sites = pd.concat(
        [
            made_sites(name, count, seed=place, labelled=labelled)
            for place, (name, count) in enumerate(zip(names, counts, strict=True))
        ]
    )
    tops, lefts = np.meshgrid(range(0, SHAPE[0], 500), range(0, SHAPE[1], 500), indexing="ij")
    cells = {"left_px": lefts.ravel(), "top_px": tops.ravel(), "width_px": 500, "height_px": 500}
    quality = pd.concat(
        [pd.DataFrame(cells | {"panorama": name, "valid_fraction": 1.0}) for name in names]
    )
    area_mm2 = SHAPE[0] * SHAPE[1] * (PIXEL_NM * 1e-6) ** 2
    records = [
        PanoramaRecord.model_construct(
            panorama=name, pixel_size_nm=PIXEL_NM, valid_area_mm2=area_mm2
        )
        for name in names
    ]
    densities = density_table(
        sites,
        records,
        strains_percent=[5.0] * len(names),
        withheld=withheld or {},
        found={
            name: blocks_of(
                sites[sites["panorama"] == name],
                quality[quality["panorama"] == name],
                pixel_size_nm=PIXEL_NM,
            )
            for name in names
        },
    )
    random = np.random.default_rng(1)
    tables = {
        "sites": sites,
        "quality": quality,
        "densities": densities,
        "planted": pd.concat([made_voids(voids).assign(panorama=name) for name in names]),
        "contrasts": sites[["panorama", "site_id"]].assign(
            contrast=random.uniform(0.6, 0.8, len(sites))
        ),
        "held_out": made_answers(sites=held_out, shares=np.full(5, 0.2), seed=9),
    }
    return Tables(**tables | changes), records


def corrected(tables, records, **changes):
    options = {"conditions": {"p0": "hot"}, "minimum_area": "20 px2", "confidence": 0.95, "seed": 3}
    table, recall = correct_counts(tables, records, replicates=200, **options | changes)
    assert list(table.columns) == list(CORRECTED.columns)
    assert (table.groupby("panorama").size() == len(ROWS)).all()
    # A number or a reason, never both and never neither.
    assert (table["corrected_count"].isna() == (table["not_estimated"] != "")).all()
    return table.set_index(["panorama", "class"]), recall


def test_raw_and_corrected_stand_side_by_side():
    tables, records = made_study()
    table, recall = corrected(tables, records)
    assert (table["not_estimated"] == "").all() and (table["note"] == "").all()
    assert set(table["method"]) == {"pacc and recall", "recall"}
    assert table.loc["p0", "condition"].eq("hot").all() and recall["panorama"].nunique() == 2
    for name in ("p0", "p1"):
        own = table.loc[name]
        classes = own.loc[list(SITE_CLASSES)]
        assert classes["pacc_count"].sum() == pytest.approx(own.loc["all", "count"])
        counts = classes["corrected_count"]
        assert own.loc[DAMAGE, "corrected_count"] == pytest.approx(
            counts[list(DAMAGE_MECHANISMS)].sum(), rel=1e-9
        )
        assert own.loc["all", "corrected_count"] == pytest.approx(counts.sum(), rel=1e-9)
        for row in (DAMAGE, "all"):
            low, recall_of_sum, high = own.loc[row, ["recall_low", "recall", "recall_high"]]
            assert low < recall_of_sum < high
            assert classes["recall"].min() <= recall_of_sum <= classes["recall"].max()
        assert (own["corrected_low_per_mm2"] <= own["corrected_density_per_mm2"]).all()
        assert (own["corrected_density_per_mm2"] <= own["corrected_high_per_mm2"]).all()
        assert own["recall"].between(0.3, 1).all()
    assert (table["corrected_count"] >= 0).all()


def test_neither_the_order_nor_other_panoramas_change_a_count():
    tables, records = made_study()
    table, _ = corrected(tables, records)
    alone, _ = corrected(tables, records[:1])
    pd.testing.assert_frame_equal(alone, table.loc[["p0"]])
    shuffled = Tables(
        **{
            name: getattr(tables, name).sample(frac=1, random_state=2)
            for name in ("sites", "quality", "densities", "planted", "contrasts", "held_out")
        }
    )
    again, _ = corrected(shuffled, records)
    columns = ["corrected_count", "acc_count", "pacc_count", "recall"]
    assert np.allclose(again[columns], table[columns], rtol=1e-3, equal_nan=True)
    lows = again["corrected_low_per_mm2"] / table["corrected_low_per_mm2"]
    # Bounds of 200 drawings, in another order of groups.
    assert lows[table["corrected_low_per_mm2"] > 0].between(0.7, 1.4).all()


def test_classes_need_labels_but_all_sites_do_not():
    for held_out in (None, made_answers(sites=30, shares=np.full(5, 0.2), seed=1)):
        tables, records = made_study(held_out=600)
        tables = Tables(**vars(tables) | {"held_out": held_out})
        table, _ = corrected(tables, records)
        classes = table.drop("all", level="class")
        assert (classes["not_estimated"] != "").all() and (classes["method"] == "").all()
        assert classes["count"].notna().all() and classes["low_per_mm2"].notna().all()
        every = table.xs("all", level="class")
        assert (every["not_estimated"] == "").all() and (every["method"] == "recall").all()
        assert (every["corrected_count"] > every["count"]).all()


def test_withheld_panoramas_are_not_corrected():
    tables, records = made_study(withheld={"p1": "foreign to the networks"})
    table, _ = corrected(tables, records)
    assert (table.loc["p0", "not_estimated"] == "").all()
    own = table.loc["p1"].drop("all")
    assert (own["not_estimated"] == "foreign to the networks").all()
    assert own["count"].isna().all() and own["corrected_count"].isna().all()
    assert own["pacc_count"].isna().all()


def test_sites_that_people_named_count_as_named():
    tables, records = made_study(counts=(60,), labelled=60, held_out=600)
    tables = Tables(**vars(tables) | {"held_out": None})
    table, _ = corrected(tables, records)
    own = table.loc["p0"]
    assert (own["not_estimated"] == "").all()
    named = tables.sites["label"].value_counts().reindex(SITE_CLASSES)
    assert np.allclose(own.loc[list(SITE_CLASSES), "pacc_count"], named)
    assert own.loc["notch", "method"] == "labels and recall"


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("counts", [(0, 50), (0,)])
def test_a_panorama_without_sites_is_not_corrected(counts, labels):
    tables, records = made_study(counts=counts)
    table, recall = corrected(
        tables if labels else replace(tables, held_out=None),
        records,
    )
    own = table.loc["p0"]
    assert (own["not_estimated"] == NO_SITE).all() and (own["method"] == "").all()
    columns = ["corrected_count", "corrected_high_per_mm2", "recall", "recall_low", "recall_high"]
    assert own[columns].isna().all(axis=None)
    assert (own["count"] == 0).all() and (own["high_per_mm2"] > 0).all()
    # What was found of the planted voids is told where it belongs.
    assert (recall["planted"] > 0).all()


def relative_width(table, low, high):
    return np.log(table[high].astype(float) / table[low].astype(float))


@pytest.mark.parametrize("labelled", [0, 60])
def test_a_corrected_interval_is_no_narrower_than_a_raw_one(labelled):
    tables, records = made_study(counts=(60, 250), labelled=labelled)
    table, _ = corrected(tables, records)
    known = table[(table["low_per_mm2"] > 0) & (table["corrected_low_per_mm2"] > 0)]
    assert len(known) > 7
    raw = relative_width(known, "low_per_mm2", "high_per_mm2")
    own = relative_width(known, "corrected_low_per_mm2", "corrected_high_per_mm2")
    assert (own >= raw - 1e-9).all()
    one = known.iloc[0]
    assert one["corrected_high_per_mm2"] / one["corrected_density_per_mm2"] >= (
        one["high_per_mm2"] / one["density_per_mm2"] - 1e-9
    )


def test_without_room_for_voids_classes_are_corrected_and_the_detector_is_not():
    tables, records = made_study(voids=20)
    table, recall = corrected(tables, records)
    every = table.xs("all", level="class")
    assert every["not_estimated"].str.contains("room for 20 planted voids").all()
    classes = table.drop("all", level="class")
    assert (classes["method"] == "pacc").all() and classes["recall"].isna().all()
    assert classes["note"].str.contains("not corrected for what the detector misses").all()
    assert (recall["not_estimated"] != "").all()


@pytest.mark.parametrize("counts", [(150,), (30,) * 8])
def test_the_figure_shows_each_panorama_or_says_how_many(counts):
    tables, records = made_study(counts=counts)
    table, _ = corrected(tables, records)
    figure = draw_corrected_counts(table.reset_index())
    assert figure.get_figwidth() * 25.4 == pytest.approx(85)
    assert len(figure.axes) == min(len(counts), MOST_PANORAMAS)
    tables = Tables(**vars(tables) | {"held_out": None})
    table, _ = corrected(tables, records)
    panels = draw_corrected_counts(table.reset_index()).axes
    assert "no labels test" in " ".join(panels[-1].get_xlabel().split())
    # What holds for all panoramas is said once, and no point lies outside.
    assert all("no labels test" not in panel.get_xlabel() for panel in panels[:-1])
    drawn = [max(line.get_xdata(), default=0) for panel in panels for line in panel.lines]
    assert max(drawn) <= panels[0].get_xlim()[1]


@pytest.mark.parametrize("change", ["missing", "nan"])
def test_a_site_without_contrast_leaves_the_detector_uncorrected(change):
    tables, records = made_study(counts=(80,))
    contrasts = tables.contrasts.copy()
    if change == "missing":
        contrasts = contrasts.iloc[:-1]
    else:
        contrasts.loc[contrasts.index[0], "contrast"] = np.nan
    table, _ = corrected(replace(tables, contrasts=contrasts), records)
    assert "contrast of 1 of 80 sites" in table.loc[("p0", "notch"), "note"]
    assert "contrast of 1 of 80 sites" in table.loc[("p0", "all"), "not_estimated"]


def test_held_out_labels_without_probabilities_have_a_reason():
    tables, records = made_study(counts=(80,))
    held_out = tables.held_out.copy()
    held_out.loc[held_out.index[:5], "p_notch"] = np.nan
    table, _ = corrected(replace(tables, held_out=held_out), records)
    assert "5 of 600 held-out labels no probability" in table.loc[("p0", "notch"), "not_estimated"]
