import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import panorama_record
from scipy import stats

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES, SITE_LABELS
from damascene.contracts.sites import SITES
from damascene.contracts.table import check_table, empty_table
from damascene.contracts.truth_control import TRUTH_CONTROL
from damascene.evaluation.truth import compare_with_truth, detection_scores, matched_classes
from damascene.evaluation.truth_control import control_errors
from damascene.sizes.distribution import size_distribution
from damascene.statistics.density import ROW_LABELS, density_table
from damascene.statistics.headline import headline_table, headline_text
from damascene.statistics.intervals import median_interval, poisson_interval, proportion_interval
from damascene.statistics.panorama_blocks import COUNTED


def make_sites(rows):
    """Build a table of sites from (panorama, label, area_um2, touches_border)."""
    table = pd.DataFrame(rows, columns=["panorama", "class", "area_um2", "touches_border"])
    table = table.assign(predicted_class=table["class"], label="")
    table["site_id"] = table.groupby("panorama").cumcount()
    table["area_px"] = (table["area_um2"] / 0.0016).round().astype("int64")
    filled = {
        name: 1.0
        for name in SITES.columns
        if name not in table.columns and not name.startswith("p_")
    }
    probabilities = {name: math.nan for name in SITES.columns if name.startswith("p_")}
    filled["touches_mask"] = False
    if table.empty:
        return empty_table(SITES)
    return check_table(table.assign(**filled, **probabilities), SITES, source="test")


def densities_of(sites, panoramas, **options):
    """Return the density table of panoramas given as (name, strain, valid area)."""
    records = [panorama_record(name, valid_area_mm2=area) for name, _, area in panoramas]
    strains = [strain for _, strain, _ in panoramas]
    return density_table(sites, records, strains_percent=strains, **options)


def test_poisson_interval_equals_published_values():
    # Garwood's 95 % bounds as tabulated in textbooks (for instance Johnson, Kotz, Kemp 1992).
    low, high = poisson_interval([0, 1, 5, 10, 100])
    np.testing.assert_allclose(low, [0, 0.0253, 1.6235, 4.7954, 81.364], rtol=2e-3)
    np.testing.assert_allclose(high, [3.6889, 5.5716, 11.6683, 18.3904, 121.627], rtol=2e-5)


@given(
    count=st.integers(1, 5000),
    confidence=st.sampled_from([0.5, 0.8, 0.95, 0.99]),
)
@settings(max_examples=50, deadline=None)
def test_poisson_bounds_leave_half_the_error_on_each_side(count, confidence):
    low, high = poisson_interval(count, confidence=confidence)
    tail = (1 - confidence) / 2
    # The definition, through the Poisson law and not the chi-square law it is computed from.
    assert stats.poisson.sf(count - 1, low) == pytest.approx(tail, rel=1e-6)
    assert stats.poisson.cdf(count, high) == pytest.approx(tail, rel=1e-6)


def test_poisson_interval_reaches_its_coverage():
    for mean in (0.3, 2.0, 7.7, 40.0):
        counts = np.arange(stats.poisson.isf(1e-12, mean) + 1)
        low, high = poisson_interval(counts, confidence=0.9)
        covered = stats.poisson.pmf(counts, mean)[(low <= mean) & (mean <= high)].sum()
        assert covered >= 0.9


def test_poisson_interval_refuses_nonsense():
    with pytest.raises(ValueError, match="negative"):
        poisson_interval([3, -1])
    with pytest.raises(ValueError, match="confidence"):
        poisson_interval(3, confidence=95)


@given(total=st.integers(1, 300), part=st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_proportion_interval_equals_scipy(total, part):
    successes = round(part * total)
    low, high = proportion_interval(successes, total)
    expected = stats.binomtest(successes, total).proportion_ci(0.95, method="exact")
    # scipy finds the bounds by root search with an absolute tolerance of about 1e-12.
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_proportion_of_nothing_is_unknown():
    low, high = proportion_interval([0, 0], [0, 10])
    assert (low[0], high[0]) == (0, 1)
    assert low[1] == 0
    assert 0 < high[1] < 0.4
    with pytest.raises(ValueError, match="between 0 and"):
        proportion_interval(3, 2)


@pytest.mark.parametrize(
    ("count", "rank"), [(5, None), (6, 1), (8, 1), (9, 2), (20, 6), (30, 10), (100, 40)]
)
def test_median_interval_takes_the_tabulated_ranks(count, rank):
    # Ranks of the 95 % sign-test interval as tabulated in textbooks (Conover, for instance).
    values = np.random.default_rng(3).permutation(np.arange(1.0, count + 1))
    low, high = median_interval(values)
    if rank is None:
        assert math.isnan(low)
        assert math.isnan(high)
    else:
        assert (low, high) == (rank, count + 1 - rank)


@pytest.mark.parametrize("count", [6, 13, 50, 201])
def test_median_interval_has_the_coverage_and_no_narrower_one_does(count):
    low, _ = median_interval(np.arange(1.0, count + 1), confidence=0.95)
    rank = int(low)
    assert 1 - 2 * stats.binom.cdf(rank - 1, count, 0.5) >= 0.95
    assert 1 - 2 * stats.binom.cdf(rank, count, 0.5) < 0.95


def test_median_interval_of_nothing():
    assert all(math.isnan(bound) for bound in median_interval([]))


@pytest.fixture
def sites():
    return make_sites(
        [
            ("b", "martensite", 1.0, False),
            ("b", "martensite", 3.0, True),
            ("b", "notch", 0.5, False),
            ("b", "shadowing", 2.0, False),
            ("b", "not_classified", 0.25, False),
            ("a", "inclusion", 10.0, False),
        ]
    )


@pytest.fixture
def panoramas():
    return [("b", 6.0, 0.01), ("empty", math.nan, 0.02), ("a", 0.0, 0.04)]


def test_density_table_has_every_panorama_and_label_in_order(sites, panoramas):
    density = densities_of(sites, panoramas)
    assert list(density["panorama"]) == [
        name for name in ("b", "empty", "a") for _ in range(len(COUNTED))
    ]
    assert list(density["class"]) == list(COUNTED) * 3
    assert set(ROW_LABELS) == {*SITE_LABELS, DAMAGE}


def test_density_table_counts(sites, panoramas):
    density = densities_of(sites, panoramas).set_index(["panorama", "class"])
    martensite = density.loc[("b", "martensite")]
    assert martensite["count"] == 2
    assert martensite["count_cut_off"] == 1
    assert martensite["density_per_mm2"] == pytest.approx(200)
    # 0.2422 and 7.2247: Garwood's bounds of a count of two.
    assert martensite["density_low_per_mm2"] == pytest.approx(24.22, abs=0.01)
    assert martensite["density_high_per_mm2"] == pytest.approx(722.47, abs=0.01)
    assert martensite["share"] == pytest.approx(2 / 5)
    assert martensite["median_area_um2"] == pytest.approx(2)
    assert math.isnan(martensite["median_area_low_um2"])
    assert martensite["area_fraction"] == pytest.approx(4 / 10_000)
    assert martensite["strain_percent"] == 6
    assert density.loc[("a", "inclusion"), "share"] == 1
    assert density.loc[("a", "inclusion"), "density_per_mm2"] == pytest.approx(25)


def test_damage_is_the_sum_of_its_mechanisms_and_shares_add_up(sites, panoramas):
    density = densities_of(sites, panoramas)
    for name, group in density.groupby("panorama"):
        by_label = group.set_index("class")
        for column in ("count", "density_per_mm2", "area_fraction"):
            parts = by_label.loc[list(DAMAGE_MECHANISMS), column].sum()
            assert by_label.loc[DAMAGE, column] == pytest.approx(parts)
        if name != "empty":
            assert by_label.loc[list(SITE_LABELS), "share"].sum() == pytest.approx(1)
    assert "shadowing" not in DAMAGE_MECHANISMS
    assert "inclusion" not in DAMAGE_MECHANISMS


def test_panorama_without_sites_has_zeros_and_intervals(panoramas):
    density = densities_of(make_sites([]), panoramas)
    assert (density["count"] == 0).all()
    assert (density["density_low_per_mm2"] == 0).all()
    np.testing.assert_allclose(
        density["density_high_per_mm2"] * density["area_mm2"], 3.6889, rtol=1e-4
    )
    assert density["share"].isna().all()
    assert density["median_area_um2"].isna().all()
    assert (density["area_fraction"] == 0).all()


def test_confidence_reaches_all_intervals(panoramas):
    sites = make_sites([("a", "notch", size, False) for size in np.arange(1.0, 31.0)])
    wide = densities_of(sites, panoramas, confidence=0.99)
    narrow = densities_of(sites, panoramas, confidence=0.8)
    row = (wide["panorama"] == "a") & (wide["class"] == "notch")
    for low, high in (
        ("density_low_per_mm2", "density_high_per_mm2"),
        ("median_area_low_um2", "median_area_high_um2"),
    ):
        assert (wide.loc[row, low] < narrow.loc[row, low]).all()
        assert (wide.loc[row, high] > narrow.loc[row, high]).all()
    assert (wide["confidence"] == 0.99).all()


@pytest.mark.parametrize("area", [0.0, math.nan])
def test_a_panorama_without_area_has_a_reason_and_no_density(sites, area):
    density = densities_of(sites, [("a", 0.0, 0.1), ("b", 1.0, area)])
    rows = density[density["panorama"] == "b"]
    assert set(rows["not_estimated"]) == {"the panorama has no valid area"}
    assert rows[["count", "density_per_mm2", "block_low_per_mm2"]].isna().all(axis=None)
    assert (density.loc[density["panorama"] == "a", "not_estimated"] == "").all()


def test_sites_of_unlisted_panoramas_are_refused(sites):
    with pytest.raises(ValueError, match="not listed: b"):
        densities_of(sites, [("a", 0.0, 0.1)])
    with pytest.raises(ValueError, match="not listed: b"):
        size_distribution(sites, panoramas=["a"])


def test_headline_table_is_text_for_people(sites, panoramas):
    headline = headline_table(densities_of(sites, panoramas))
    assert list(headline["panorama"]) == ["b", "empty", "a"]
    assert list(headline["strain_percent"]) == ["6", "unknown", "0"]
    assert set(headline.columns) == {"panorama", "strain_percent", *COUNTED}
    assert headline.loc[0, "martensite"] == "2 (200 [24.2, 722])"
    assert headline.loc[1, "damage"] == "0 (0 [0, 184])"


def test_withheld_classes_have_a_reason_and_all_sites_stay_counted(sites, panoramas):
    density = densities_of(sites, panoramas, withheld={"b": "the steel is foreign"})
    rows = density.set_index(["panorama", "class"])
    assert set(rows.loc["b"].drop(ALL)["not_estimated"]) == {"the steel is foreign"}
    assert rows.loc["b"].drop(ALL)[["count", "density_per_mm2", "share"]].isna().all(axis=None)
    assert rows.loc[("b", ALL), ["count", "not_estimated"]].tolist() == [5, ""]
    assert rows.loc["a", "count"].sum() == 2 and rows.loc[("a", "inclusion"), "count"] == 1
    assert headline_table(density).loc[0, "martensite"] == "not estimated"
    text = headline_text(density, notes=[])
    assert "! Classes of b are not estimated, because the steel is foreign." in text
    assert "nan" not in text.lower()


def test_size_distribution_equals_numpy(panoramas):
    areas = np.random.default_rng(5).lognormal(0.3, 0.8, 200)
    sites = make_sites([("a", "notch", area, False) for area in areas])
    sizes = size_distribution(sites, panoramas=["a", "b"]).set_index(["panorama", "class"])
    row = sizes.loc[("a", "notch")]
    names = [name for name in sizes.columns if name.endswith("_um2") and "geometric" not in name]
    np.testing.assert_allclose(
        row[names].to_numpy(float), np.quantile(areas, [0.1, 0.25, 0.5, 0.75, 0.9])
    )
    assert row["geometric_mean_um2"] == pytest.approx(stats.gmean(areas))
    assert row["geometric_standard_deviation"] == pytest.approx(stats.gstd(areas))
    assert sizes.loc[("a", DAMAGE), "median_um2"] == row["median_um2"]
    assert sizes.loc[("b", "notch"), "count"] == 0
    assert sizes.loc[("b", "notch"), names].isna().all()
    assert len(sizes) == 2 * len(ROW_LABELS)


def test_geometric_deviation_needs_two_sites():
    sizes = size_distribution(make_sites([("a", "notch", 2.0, False)]), panoramas=["a"])
    row = sizes.set_index("class").loc["notch"]
    assert row["geometric_mean_um2"] == pytest.approx(2)
    assert math.isnan(row["geometric_standard_deviation"])


@pytest.fixture
def scene():
    """Sites, truth and matches of two panoramas whose site numbers are the same."""
    sites = pd.DataFrame(
        [
            ("a", 0, "martensite", False),
            ("a", 1, "notch", False),  # a second piece of true site 0
            ("a", 2, "interface", True),  # a small true site
            ("a", 3, "shadowing", False),  # nothing there
            ("b", 0, "not_classified", True),
        ],
        columns=["panorama", "site_id", "predicted_class", "in_labelled_area"],
    ).assign(group="g")
    truth = pd.DataFrame(
        [
            ("a", 0, "martensite", 150, False),
            ("a", 1, "interface", 20, True),  # at the limit, not above it
            ("a", 2, "notch", 60, False),  # missed
            ("a", 3, "notch", 5, False),  # missed, too small to be scored
            ("a", 4, "inclusion", 160, False),  # under site 0, larger than true site 0
            ("b", 0, "shadowing", 21, True),
        ],
        columns=["panorama", "truth_id", "true_class", "area_px", "in_labelled_area"],
    )
    truth["is_scored"] = truth["area_px"] > 20
    matches = pd.DataFrame(
        [("b", 0, 0), ("a", 0, 0), ("a", 1, 0), ("a", 0, 4), ("a", 2, 1)],
        columns=["panorama", "site_id", "truth_id"],
    )
    return sites, truth, matches


def test_detection_scores_of_a_known_scene(scene):
    scores = detection_scores(*scene).set_index(["scope", "score", "class"])
    fractions = {
        index: (row["matched"], row["total"]) for index, row in scores.iterrows() if row["total"]
    }
    assert fractions == {
        ("all", "recall", "martensite"): (1, 1),
        ("all", "recall", "notch"): (0, 1),
        ("all", "recall", "inclusion"): (1, 1),
        ("all", "recall", "shadowing"): (1, 1),
        ("all", "recall", "all"): (3, 4),
        ("all", "precision", "martensite"): (1, 1),
        ("all", "precision", "notch"): (1, 1),
        ("all", "precision", "shadowing"): (0, 1),
        ("all", "precision", "not_classified"): (1, 1),
        ("all", "precision", "all"): (3, 4),
        ("outside_labelled_area", "recall", "martensite"): (1, 1),
        ("outside_labelled_area", "recall", "notch"): (0, 1),
        ("outside_labelled_area", "recall", "inclusion"): (1, 1),
        ("outside_labelled_area", "recall", "all"): (2, 3),
        ("outside_labelled_area", "precision", "martensite"): (1, 1),
        ("outside_labelled_area", "precision", "notch"): (1, 1),
        ("outside_labelled_area", "precision", "shadowing"): (0, 1),
        ("outside_labelled_area", "precision", "all"): (2, 3),
    }
    row = scores.loc[("all", "recall", "all")]
    assert row["value"] == pytest.approx(0.75)
    interval = stats.binomtest(3, 4).proportion_ci(0.95, method="exact")
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    unknown = scores.loc[("all", "recall", "interface")]
    assert math.isnan(unknown["value"])
    assert (unknown["low"], unknown["high"]) == (0, 1)


def test_matched_classes_take_the_largest_true_site(scene):
    sites, truth, matches = scene
    matched = matched_classes(sites, truth.assign(is_scored=True), matches)
    assert matched.to_dict("list") == {
        "panorama": ["a", "a", "a", "b"],
        "site_id": [0, 1, 2, 0],
        "truth_id": [4, 0, 1, 0],
        "true_class": ["inclusion", "martensite", "interface", "shadowing"],
        "predicted_class": ["martensite", "notch", "interface", "not_classified"],
        "in_labelled_area": [False, False, True, True],
        "group": ["g"] * 4,
    }
    large = matched_classes(*scene)
    pd.testing.assert_frame_equal(large, matched.drop(2).reset_index(drop=True))


def test_order_of_matches_does_not_matter(scene):
    sites, truth, matches = scene
    expected = matched_classes(sites, truth, matches)
    shuffled = matches.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(matched_classes(sites, truth, shuffled), expected)


def test_no_matches_at_all(scene):
    sites, truth, _ = scene
    nothing = pd.DataFrame(columns=["panorama", "site_id", "truth_id"])
    scores = detection_scores(sites, truth, nothing)
    assert (scores["matched"] == 0).all()
    assert matched_classes(sites, truth, nothing).empty


def test_tables_without_rows(scene):
    sites, truth, matches = scene
    scores = detection_scores(sites[:0], truth[:0], matches[:0])
    assert (scores["total"] == 0).all()
    assert scores["value"].isna().all()


def study_of(pixel_size_nm, *, seed):
    """A panorama, its true sites, and what was found of them: one moved, one lost, one small."""
    rng = np.random.default_rng(seed)
    scale = 40 / pixel_size_nm
    sites, truth = [], []
    for number in range(12):
        x, y = 60 + 100 * (number % 4), 60 + 100 * (number // 4)
        edge_um = 0.12 if number % 5 == 4 else 0.6
        edge, x, y = edge_um * 1000 / pixel_size_nm, x * scale, y * scale
        truth.append(
            {
                "truth_id": number,
                "true_class": SITE_CLASSES[number % 5],
                "x_px": x,
                "y_px": y,
                "area_px": edge**2,
                "outline_x_px": x + np.array([-0.5, 0.5, 0.5, -0.5]) * edge,
                "outline_y_px": y + np.array([-0.5, -0.5, 0.5, 0.5]) * edge,
            }
        )
        if number == 3:
            continue
        # In micrometres the same: 0.35 um outside the outline is near enough, 0.55 um is not.
        apart = {5: 0.65, 6: 0.85}.get(number, 0.0) * 1000 / pixel_size_nm
        sites.append(
            {
                "site_id": number,
                "predicted_class": SITE_CLASSES[rng.integers(5)],
                "x_px": x + apart,
                "y_px": y,
                "left_px": x + apart - 1,
                "top_px": y - 1,
                "width_px": 2,
                "height_px": 2,
            }
        )
    return pd.DataFrame(sites), pd.DataFrame(truth)


def test_panoramas_of_two_pixel_sizes_are_matched_as_each_alone():
    parts = {"fine": (20.0, *study_of(20.0, seed=1)), "coarse": (40.0, *study_of(40.0, seed=2))}

    def compare(*names):
        detection, confusion, _, errors = compare_with_truth(
            [parts[name][1].assign(panorama=name) for name in names],
            [parts[name][2].assign(panorama=name) for name in names],
            panoramas=names,
            pixel_sizes_nm=[parts[name][0] for name in names],
            strains_percent=[6.0] * len(names),
            labelled_px=100,
            windows=["3 um"],
            tolerance="0.4 um",
            minimum_area="0.03 um2",
            confidence=0.95,
        )
        assert len(check_table(errors, TRUTH_CONTROL, source="test")) == 5 * len(names)
        return detection[["matched", "total"]].to_numpy(), confusion["count"].to_numpy()

    alone = [compare(name) for name in parts]
    together = compare(*parts)
    for index in range(2):
        np.testing.assert_array_equal(together[index], alone[0][index] + alone[1][index])
    # What is found does not depend on the pixel size, the steel being the same.
    np.testing.assert_array_equal(alone[0][0][:6], alone[1][0][:6])
    # Of ten true sites above the limit one was lost and one lies too far away.
    assert alone[0][0][5].tolist() == alone[1][0][5].tolist() == [8, 10]


def test_nothing_is_scored_near_what_people_labelled():
    sites, truth = study_of(20.0, seed=1)

    def scored(**labels):
        _, confusion, *_ = compare_with_truth(
            [sites.assign(panorama="a")],
            [truth.assign(panorama="a")],
            panoramas=["a"],
            pixel_sizes_nm=[20.0],
            strains_percent=[6.0],
            labelled_px=-1000,
            windows=["3 um"],
            tolerance="0.4 um",
            minimum_area="0.03 um2",
            confidence=0.95,
            **labels,
        )
        return int(confusion["count"].sum())

    places = sites[["x_px", "y_px"]].to_numpy()
    labelled = pd.DataFrame(places[:1], columns=["clip_x_px", "clip_y_px"])
    # Windows of 150 px share a pixel where centres are nearer than that along both axes.
    near = (np.abs(places - places[0]) < 150).all(axis=1).sum()
    assert 0 < near < len(sites)
    everywhere = scored()
    assert scored(labels=labelled.assign(panorama="b")) == everywhere
    less = everywhere - scored(labels=labelled.assign(panorama="a"))
    assert 0 < less <= near


def test_errors_that_change_the_number_of_inclusions_are_counted_by_panorama():
    truth = pd.DataFrame(
        [(0, "inclusion"), (1, "inclusion"), (2, "inclusion"), (3, "notch"), (4, "interface")],
        columns=["truth_id", "true_class"],
    ).assign(panorama="a", area_px=100, is_scored=True, in_labelled_area=False)
    sites = pd.DataFrame(
        [(0, "inclusion"), (1, "notch"), (3, "inclusion"), (4, "interface"), (9, "inclusion")],
        columns=["site_id", "predicted_class"],
    ).assign(panorama="a", in_labelled_area=False, group="g")
    matches = pd.DataFrame({"panorama": "a", "site_id": [0, 1, 3, 4], "truth_id": [0, 1, 3, 4]})
    errors = control_errors(
        sites,
        truth,
        matches,
        matched_classes(sites, truth, matches),
        strains_percent={"a": 6.0, "b": 12.0},
        confidence=0.95,
    ).set_index(["panorama", "error"])
    counted = errors.loc["a", ["count", "total"]].apply(tuple, axis=1).to_dict()
    assert counted == {
        "damage_called_inclusion": (1, 2),
        "shadow_called_inclusion": (0, 0),
        "nothing_called_inclusion": (1, 3),
        "inclusion_missed": (1, 3),
        "inclusion_called_otherwise": (1, 2),
    }
    assert errors.loc["b", "total"].sum() == 0 and errors.loc["b", "value"].isna().all()
