"""Sizes and directions: against scipy, simulated areas, and spheres cut by a plane."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from scipy import stats

from damascene.contracts.orientations import ORIENTATIONS, SIZES_3D
from damascene.contracts.size_fits import SIZE_FITS, SIZE_TRENDS
from damascene.contracts.sizes import SIZES
from damascene.contracts.table import check_table
from damascene.sizes.lognormal import LEAST_SITES, fit_lognormal
from damascene.sizes.measure import _Blocks, measure_sizes, size_trends
from damascene.sizes.orientations import mean_direction
from damascene.sizes.saltykov import class_edges, section_lengths, unfold

PIXEL_UM2 = 0.04**2


def areas(count, *, median_px, deviation, limit_px=20, seed=0):
    """Draw areas in whole pixels, those above the limit."""
    rng = np.random.default_rng(seed)
    drawn = np.exp(rng.normal(np.log(median_px), np.log(deviation), 20 * count))
    drawn = np.rint(drawn).astype(int)
    return drawn[drawn > limit_px][:count]


# The lognormal distribution ----------------------------------------------------------------------


def test_a_sample_far_above_the_limit_gives_the_moments_of_scipy():
    """Without truncation, maximum likelihood is the mean and the deviation of the logarithms."""
    sample = areas(2000, median_px=2000, deviation=1.5)
    fit = fit_lognormal(sample, pixel_um2=PIXEL_UM2, limit_px=20)
    shape, _, scale = stats.lognorm.fit(sample, floc=0)
    # A pixel is 5e-4 of the median: so much may discretisation change.
    assert fit.median_um2 == pytest.approx(scale * PIXEL_UM2, rel=2e-4)
    assert np.log(fit.deviation) == pytest.approx(shape, rel=1e-3)
    assert fit.hidden < 1e-9
    # Large samples: the profile is the normal interval.
    half = 1.96 * shape / np.sqrt(2000)
    assert np.log(fit.median_high_um2 / fit.median_um2) == pytest.approx(half, rel=0.03)


def test_the_truncated_fit_finds_what_lies_below_the_limit():
    sample = areas(4000, median_px=40, deviation=2.5)
    fit = fit_lognormal(sample, pixel_um2=1.0, limit_px=20)
    assert fit.median_um2 == pytest.approx(40, rel=0.15)
    assert fit.median_low_um2 < 40 < fit.median_high_um2
    assert fit.deviation_low < 2.5 < fit.deviation_high
    assert fit.hidden == pytest.approx(stats.norm.cdf(np.log(20.5 / 40) / np.log(2.5)), abs=0.06)
    assert fit.p_value > 0.01
    # Whoever forgets the limit is off by a third.
    assert stats.lognorm.fit(sample, floc=0)[2] > 1.3 * 40


def test_the_likelihood_is_that_of_scipy():
    from damascene.sizes.lognormal import _Likelihood

    found, counts = np.unique(areas(60, median_px=60, deviation=2), return_counts=True)
    mean, spread = np.log(55), 0.7
    law = stats.norm(mean, spread)
    cells = law.cdf(np.log(found + 0.5)) - law.cdf(np.log(found - 0.5))
    expected = -(counts * np.log(cells / law.sf(np.log(20.5)))).sum()
    assert _Likelihood(found, counts, 20).loss((mean, np.log(spread))) == pytest.approx(expected)


def test_intervals_hold_the_median_as_often_as_they_say():
    held = []
    for seed in range(80):
        sample = areas(80, median_px=90, deviation=2.2, seed=seed)
        fit = fit_lognormal(sample, pixel_um2=1.0, limit_px=20)
        if not fit.not_estimated:
            held.append(fit.median_low_um2 <= 90 <= fit.median_high_um2)
    # 95 % of 80: fewer than 70 happen by chance once in 300 times.
    assert len(held) > 70 and np.mean(held) > 0.88


def test_units_and_order_change_nothing_but_the_unit():
    sample = areas(200, median_px=80, deviation=2)
    one = fit_lognormal(sample, pixel_um2=1.0, limit_px=20)
    other = fit_lognormal(sample[::-1], pixel_um2=PIXEL_UM2, limit_px=20)
    assert other.median_um2 == pytest.approx(one.median_um2 * PIXEL_UM2, rel=1e-9)
    assert other.deviation == pytest.approx(one.deviation) and other.hidden == one.hidden


def test_another_law_is_found_out():
    rng = np.random.default_rng(1)
    two_kinds = np.concatenate([rng.integers(30, 40, 300), rng.integers(900, 1100, 300)])
    assert fit_lognormal(two_kinds, pixel_um2=1.0, limit_px=20).p_value < 1e-6


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (areas(LEAST_SITES - 1, median_px=80, deviation=2), "fewer than 30 sites"),
        (np.full(100, 40), "fewer than three sizes"),
        # A power law: nothing says where its middle is.
        (
            np.rint(20.5 * np.random.default_rng(0).pareto(2.0, 60) + 21).astype(int),
            "below the detection limit",
        ),
    ],
    ids=["few", "one size", "no peak"],
)
def test_what_cannot_be_fitted_has_a_reason_and_no_number(sample, reason):
    fit = fit_lognormal(sample, pixel_um2=1.0, limit_px=20)
    assert reason in fit.not_estimated and np.isnan(fit.median_um2)


# Directions --------------------------------------------------------------------------------------


def von_mises(count, mean_deg, kappa, seed=0):
    rng = np.random.default_rng(seed)
    return (np.degrees(rng.vonmises(np.radians(2 * mean_deg), kappa, count)) / 2 + 90) % 180 - 90


def test_the_mean_direction_is_that_of_scipy_whatever_the_head():
    angles = von_mises(80, 85, 2.0)
    found = mean_direction(angles)
    expected = stats.circmean(angles, high=90, low=-90)
    assert found.mean_deg == pytest.approx(expected, abs=1e-9)
    scattered = stats.circvar(angles, high=90, low=-90)
    assert found.resultant == pytest.approx(1 - scattered)
    turned = mean_direction(angles + 180)
    assert turned.mean_deg == pytest.approx(found.mean_deg)
    assert turned.kuiper_p == pytest.approx(found.kuiper_p)
    rotated = mean_direction(angles + 30)
    assert (rotated.mean_deg - found.mean_deg - 30) % 180 == pytest.approx(0, abs=1e-9)
    assert rotated.rayleigh_p == pytest.approx(found.rayleigh_p)
    assert found.rayleigh_p < 1e-6 and found.kuiper_p < 1e-3


def test_the_direction_across_the_load_is_ninety_and_intervals_hold_it():
    held = []
    for seed in range(150):
        found = mean_direction(von_mises(60, 90, 1.5, seed=seed))
        away = (found.mean_deg - 90 + 90) % 180 - 90
        held.append(abs(away) <= found.half_width_deg)
    assert 0.9 < np.mean(held) <= 1
    assert mean_direction([90.0] * 12 + [-90.0] * 12).mean_deg == 90


def test_tests_of_direction_keep_their_level_and_find_two_directions():
    rng = np.random.default_rng(2)
    found = [mean_direction(rng.uniform(-90, 90, 40)) for _ in range(400)]
    for name in ("rayleigh_p", "kuiper_p"):
        values = np.array([getattr(each, name) for each in found])
        # 5 % of 400, within three standard deviations.
        assert 0.017 < (values <= 0.05).mean() < 0.083, name
    assert np.mean([np.isnan(each.mean_deg) for each in found]) > 0.9
    # Two directions at right angles have no mean, and only Kuiper's test sees them.
    crossed = mean_direction(np.concatenate([rng.normal(0, 4, 60), rng.normal(90, 4, 60)]))
    assert crossed.rayleigh_p > 0.05 and crossed.kuiper_p < 1e-3 and np.isnan(crossed.mean_deg)


# Three dimensions --------------------------------------------------------------------------------


def sections_of_spheres(diameters, *, per_mm3, area_mm2, seed=0):
    """Cut spheres by a plane: their middles lie at random in a slab as thick as the largest."""
    rng = np.random.default_rng(seed)
    thick_um = diameters.max()
    count = rng.poisson(per_mm3 * area_mm2 * thick_um / 1000)
    chosen = rng.choice(diameters, count)
    distance = rng.uniform(-thick_um / 2, thick_um / 2, count)
    cut = np.abs(distance) < chosen / 2
    return np.sqrt(chosen[cut] ** 2 - 4 * distance[cut] ** 2)


def test_spheres_of_known_sizes_are_found_again_from_their_sections():
    edges = np.linspace(0.4, 2.0, 9)
    # Spheres of three of the classes.
    spheres = np.repeat(edges[[3, 5, 8]], [3, 2, 1])
    sections = sections_of_spheres(spheres, per_mm3=3e6, area_mm2=2.0)
    counts = np.histogram(sections, edges)[0]
    found, low, high = unfold(counts, edges, area_mm2=2.0)
    truth = np.zeros(8)
    truth[[2, 4, 7]] = np.array([3, 2, 1]) / 6 * 3e6
    assert ((low <= truth) & (truth <= high)).all()
    assert found[[2, 4, 7]] == pytest.approx(truth[[2, 4, 7]], rel=0.1)
    # Sections below the limit are not needed.
    fewer = unfold(counts[2:], edges[2:], area_mm2=2.0)[0]
    assert fewer == pytest.approx(found[2:])


def test_lengths_add_up_and_one_size_is_not_taken_for_many():
    edges = np.linspace(0, 1, 6)
    lengths = section_lengths(edges)
    # All sections of a sphere: the plane lies within its diameter.
    assert lengths.sum(axis=0) == pytest.approx(edges[1:])
    assert (np.tril(lengths, -1) == 0).all()
    per_mm3 = unfold([0, 0, 0, 0, 100], edges, area_mm2=1.0)[0]
    assert per_mm3[-1] > 0 > per_mm3[-2]


def test_classes_start_at_the_limit():
    edges = class_edges(np.linspace(0.3, 2, 100), limit_um=0.25)
    assert edges[0] == 0.25 and edges[-1] >= 2 and len(edges) == 6
    assert np.ptp(edges[1:] / edges[:-1]) < 1e-9


# All together ------------------------------------------------------------------------------------


def made_sites(panorama, count, *, median_px=150, seed=0, label="martensite", **columns):
    rng = np.random.default_rng(seed)
    area_px = areas(count, median_px=median_px, deviation=2, seed=seed)
    return pd.DataFrame(
        {
            "panorama": panorama,
            "x_px": rng.uniform(0, 3000, count),
            "y_px": rng.uniform(0, 2000, count),
            "area_px": area_px,
            "area_um2": area_px * PIXEL_UM2,
            "equivalent_diameter_um": 2 * np.sqrt(area_px * PIXEL_UM2 / np.pi),
            "aspect_ratio": rng.uniform(1, 4, count),
            "orientation_deg": von_mises(count, 90, 3.0, seed=seed),
            "touches_border": False,
            "touches_mask": False,
            "label": "",
            "class": label,
        }
        | columns
    )


def made_blocks(*panoramas):
    lefts, tops = np.meshgrid(np.arange(0, 3000, 500), np.arange(0, 2000, 500))
    frames = [
        pd.DataFrame(
            {
                "panorama": name,
                "left_px": lefts.ravel(),
                "top_px": tops.ravel(),
                "width_px": 500,
                "height_px": 500,
                "valid_fraction": 1.0,
            }
        )
        for name in panoramas
    ]
    return pd.concat(frames)


def measured(sites, names, **sheet):
    sheet = {
        name: {"strain_percent": 5.0 * place, "triaxiality": np.nan}
        for place, name in enumerate(names)
    } | sheet
    return measure_sizes(
        sites,
        [panorama_record(name, pixel_size_nm=40.0, shape=(2000, 3000)) for name in names],
        blocks=made_blocks(*names),
        sheet=sheet,
        minimum_area="20 px2",
    )


def test_tables_keep_their_contracts_and_say_what_was_not_estimated():
    names = ["a", "b", "c"]
    sites = pd.concat(
        [
            made_sites(name, 120, median_px=150 * 1.3**place, seed=place)
            for place, name in enumerate(names)
        ]
    )
    found = measured(sites, names)
    for table, contract in (
        (found.sizes, SIZES),
        (found.fits, SIZE_FITS),
        (found.trends, SIZE_TRENDS),
        (found.orientations, ORIENTATIONS),
        (found.in_space, SIZES_3D),
    ):
        check_table(table, contract, source="test")
    fit = found.fits.set_index(["panorama", "class"]).loc[("a", "martensite")]
    assert fit["sites"] == 120 and fit["not_estimated"] == ""
    assert fit["median_area_um2"] == pytest.approx(150 * PIXEL_UM2, rel=0.25)
    own = sites[sites["panorama"] == "a"]
    assert fit["area_fraction"] == pytest.approx(own["area_um2"].sum() / 9600)
    assert fit["area_fraction_low"] < fit["area_fraction"] < fit["area_fraction_high"]
    direction = found.orientations.set_index(["panorama", "class"])
    across = direction.loc[("all panoramas", "damage")]
    assert abs(abs(across["mean_deg"]) - 90) < 5 and across["rayleigh_p"] < 1e-3
    assert across["elongated"] < across["sites"] == 360
    assert direction.loc[("a", "notch"), "not_estimated"] == "fewer than 10 elongated sites"
    trend = found.trends.set_index("class")
    # 1.3 in area for each 5 %.
    assert trend.loc["martensite", "change"] == pytest.approx(1.3 ** (0.5 / 5), rel=0.05)
    assert "fewer than 3 values" in trend.loc["notch", "not_estimated"]
    few = found.in_space[found.in_space["class"] == "notch"]
    assert len(few) == 3 and (few["not_estimated"] == "fewer than 50 sites").all()
    unfolded = found.in_space[found.in_space["class"] == "martensite"]
    assert unfolded["sections"].sum() == 360 and (unfolded["per_mm3"] >= 0).all()


def test_the_direction_is_that_seen_and_cut_off_sites_have_none():
    sites = made_sites("a", 60, orientation_deg=30.0, aspect_ratio=3.0)
    cut = sites.assign(touches_border=True, orientation_deg=-80.0)
    found = measured(pd.concat([sites, cut]), ["a"])
    direction = found.orientations.set_index("class").loc["martensite"]
    # Clockwise on the screen in the table of sites, counter-clockwise here.
    assert direction["mean_deg"] == pytest.approx(-30) and direction["sites"] == 60
    fit = found.fits.set_index("class").loc["martensite"]
    assert (fit["sites"], fit["fitted"]) == (120, 60)


def test_triaxiality_is_a_predictor_where_the_sheet_gives_it():
    names = ["a", "b", "c", "d"]
    sites = pd.concat([made_sites(name, 40, seed=place) for place, name in enumerate(names)])
    sheet = {
        name: {"strain_percent": 10.0, "triaxiality": 0.3 + 0.1 * place}
        for place, name in enumerate(names)
    }
    found = measured(sites, names, **sheet)
    trend = found.trends.set_index(["class", "predictor"])
    assert np.isfinite(trend.loc[("martensite", "triaxiality"), "change"])
    assert "fewer than 3" in trend.loc[("martensite", "strain_percent"), "not_estimated"]
    assert found.trends["panoramas"].max() == 4


def test_a_trend_is_that_of_scipy_and_five_sites_give_none():
    fits = pd.DataFrame(
        {
            "class": "notch",
            "strain_percent": [0.0, 5, 10, 15],
            "triaxiality": np.nan,
            "seen_median_diameter_um": [0.5, 0.6, 0.66, 0.8],
            "seen_median_diameter_low_um": [0.4, 0.5, 0.6, np.nan],
        }
    )
    trend = size_trends(fits).iloc[0]
    line = stats.linregress([0, 5, 10], np.log([0.5, 0.6, 0.66]))
    assert trend["panoramas"] == 3 and trend["change"] == pytest.approx(np.exp(line.slope))
    assert trend["p_value"] == pytest.approx(line.pvalue)


def test_a_foreign_panorama_has_reasons_and_no_part_in_the_whole():
    names = ["a", "b"]
    sites = pd.concat([made_sites(name, 60, seed=at) for at, name in enumerate(names)])
    found = measure_sizes(
        sites,
        [panorama_record(name, pixel_size_nm=40.0, shape=(2000, 3000)) for name in names],
        blocks=made_blocks(*names),
        sheet={name: {"strain_percent": 5.0, "triaxiality": np.nan} for name in names},
        minimum_area="20 px2",
        withheld={"b": "foreign to the networks"},
    )
    for table, contract in (
        (found.fits, SIZE_FITS),
        (found.orientations, ORIENTATIONS),
        (found.in_space, SIZES_3D),
    ):
        own = check_table(table, contract, source="test").query("panorama == 'b'")
        assert len(own) == 7 and (own["not_estimated"] == "foreign to the networks").all()
        assert (
            own.select_dtypes("number")
            .drop(columns=["limit_um2", "confidence", "strain_percent"], errors="ignore")
            .isna()
            .all(axis=None)
        )
    together = found.orientations.query("panorama == 'all panoramas' and `class` == 'martensite'")
    assert together["sites"].tolist() == [60] and set(found.sizes["panorama"]) == {"a"}


def test_a_study_without_any_site_has_tables_without_numbers():
    found = measured(made_sites("a", 1).iloc[:0], ["a", "b"])
    assert (found.fits["not_estimated"] == "fewer than 30 sites").all()
    assert (found.orientations["not_estimated"] != "").all()
    assert (found.fits["area_fraction"] == 0).all()
    for table, contract in ((found.fits, SIZE_FITS), (found.in_space, SIZES_3D)):
        check_table(table, contract, source="test")


def test_an_area_fraction_has_no_bound_above_one():
    areas = np.append(np.random.default_rng(0).integers(21, 100, 100), 3_000_000)
    blocks = pd.DataFrame(
        {"left_px": 400 * (np.arange(25) % 5), "top_px": 400 * (np.arange(25) // 5)}
    ).assign(width_px=400, height_px=400, valid_fraction=1.0)
    places = np.random.default_rng(1).uniform(0, 1999, (101, 2))
    sites = pd.DataFrame(places, columns=["x_px", "y_px"]).assign(area_px=areas)
    found = _Blocks(blocks).area_fraction(sites, 0.95)
    assert found["area_fraction_low"] <= found["area_fraction"] <= found["area_fraction_high"] <= 1
