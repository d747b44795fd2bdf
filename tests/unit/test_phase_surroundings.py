"""Densities near the hard phase: sites thrown at random are as dense everywhere."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats

from damascene import InputError
from damascene.contracts.phase_descriptors import (
    ALL_PANORAMAS,
    DENSITY_BY_PHASE,
    PHASE_DESCRIPTOR_NAMES,
    PHASE_PROFILES,
    REACH_UM,
    RING_UM,
)
from damascene.descriptors.phase_areas import phase_areas
from damascene.figures.phase_surroundings import draw_phase_surroundings
from damascene.images.store import TiledImage, write_tiled
from damascene.statistics.phase_surroundings import (
    density_by_phase,
    phase_profiles,
    with_phases,
)

PIXEL_NM = 50
BY_DISTANCE = "distance"


@pytest.fixture(scope="module")
def steel(tmp_path_factory):
    """A map with a third of hard phase in islands of some um, and its areas."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(900, 1000)), 30)
    phases = np.where(smooth > np.quantile(smooth, 0.67), 2, 1).astype(np.uint8)
    path = tmp_path_factory.mktemp("steel") / "phases.tif"
    write_tiled(path, [phases], shape=phases.shape, pixel_size_nm=PIXEL_NM, name="p", pyramid=False)
    with TiledImage(path) as image:
        return phases, phase_areas(image, panorama="p", hard=2, damage=3)


def thrown(phases, *, count, radius_um, name="inclusion", seed=1):
    """Discs at random places: their distance is that of their middle less their radius."""
    rows, columns = np.random.default_rng(seed).uniform((0, 0), phases.shape, (count, 2)).T
    away = (ndimage.distance_transform_edt(phases != 2) - 0.5) * PIXEL_NM / 1000
    outline = away[rows.astype(int), columns.astype(int)] - radius_um
    return pd.DataFrame(
        {
            "panorama": "p",
            "class": name,
            "equivalent_diameter_um": 2 * radius_um,
            "distance_um": np.clip(outline, 0, REACH_UM),
            "hard_square": 0.3,
            **{f"hard_{um:g}um": 0.5 for um in RING_UM},
        }
    )


@pytest.mark.parametrize("radius_um", [0.2, 1.0])
def test_discs_thrown_at_random_are_as_dense_in_all_bands(steel, radius_um):
    phases, areas = steel
    count = 20_000
    sites = thrown(phases, count=count, radius_um=radius_um)
    table = DENSITY_BY_PHASE.validate(density_by_phase(sites, areas, confidence=0.999))
    bands = table[(table["class"] == "inclusion") & (table["measure"] == BY_DISTANCE)]
    mean = count / (phases.size * (PIXEL_NM / 1e6) ** 2)
    assert bands["count"].sum() == count
    assert bands["area_mm2"].sum() == pytest.approx(phases.size * (PIXEL_NM / 1e6) ** 2)
    assert (bands["count"] > 30).all()
    # Each of six bands, at 99.9 %.
    assert (bands["density_low_per_mm2"] < mean).all()
    assert (bands["density_high_per_mm2"] > mean).all()


def test_counts_areas_and_intervals_of_known_sites(steel):
    _, areas = steel
    sites = thrown(steel[0], count=7, radius_um=0.3, name="martensite").assign(
        distance_um=[0, 0.1, 0.11, 0.5, 1.99, 2.0, np.nan],
        hard_square=[0, 0.2, 0.39, 0.6, 1.0, np.nan, 1.0],
    )
    table = density_by_phase(sites, areas)
    own = table[table["class"] == "martensite"]
    assert own["count"][own["measure"] == BY_DISTANCE].tolist() == [2, 1, 1, 0, 1, 1]
    assert own["count"][own["measure"] == "fraction"].tolist() == [1, 2, 0, 1, 2]
    # The sum of the damage classes, and one class without a site: an upper bound all the same.
    damage = table[table["class"] == "damage"]
    assert damage["count"].tolist() == own["count"].tolist()
    none = table[table["class"] == "notch"]
    assert (none["density_per_mm2"] == 0).all()
    one = own.iloc[0]
    low, high = stats.chi2.ppf(0.025, 4) / 2, stats.chi2.ppf(0.975, 6) / 2
    assert one.density_low_per_mm2 == pytest.approx(low / one.area_mm2)
    assert one.density_high_per_mm2 == pytest.approx(high / one.area_mm2)
    square = areas[areas["measure"] == "fraction"]
    assert np.allclose(own["area_mm2"][own["measure"] == "fraction"], square["area_mm2"])


def test_several_panoramas_have_their_own_rows_and_those_of_all(steel):
    phases, areas = steel
    sites = thrown(phases, count=400, radius_um=0.3)
    both = pd.concat([sites, sites.assign(panorama="q")])
    areas_of_both = pd.concat([areas, areas.assign(panorama="q")])
    table = DENSITY_BY_PHASE.validate(density_by_phase(both, areas_of_both))
    one, other, together = (
        table[table["panorama"] == name].reset_index(drop=True)
        for name in ("p", "q", ALL_PANORAMAS)
    )
    for name in ("count", "area_mm2"):
        assert np.allclose(one[name] + other[name], together[name])
    alone = density_by_phase(sites, areas)
    assert set(alone["panorama"]) == {"p"}


def test_profiles_are_means_with_intervals_of_student(steel):
    _, areas = steel
    sites = thrown(steel[0], count=5, radius_um=0.3, name="notch")
    sites["hard_0.5um"] = values = [0.1, 0.4, 0.5, 0.6, np.nan]
    table = PHASE_PROFILES.validate(phase_profiles(sites, areas))
    row = table[(table["class"] == "notch") & (table["high_um"] == 0.5)].iloc[0]
    assert row.sites == 4
    expected = stats.ttest_1samp(values[:4], 0).confidence_interval(0.95)
    assert row.hard_fraction == pytest.approx(0.4)
    assert row[["low", "high"]].tolist() == pytest.approx([*expected])
    assert row.panorama_fraction == pytest.approx((steel[0] == 2).mean())
    few = phase_profiles(sites.iloc[:2], areas)
    assert few["low"].isna().all()
    assert few.loc[few["class"] == "interface", "hard_fraction"].isna().all()


def test_a_panorama_without_a_map_has_rows_without_fractions(steel, tmp_path):
    """Beside another one, whose numbers stay what they are."""
    path = tmp_path / "empty.tif"
    nothing = np.zeros((40, 50), np.uint8)
    write_tiled(path, [nothing], shape=(40, 50), pixel_size_nm=PIXEL_NM, name="q", pyramid=False)
    with TiledImage(path) as image:
        areas = pd.concat([steel[1], phase_areas(image, panorama="q", hard=2, damage=3)])
    sites = thrown(steel[0], count=50, radius_um=0.3)
    profiles = PHASE_PROFILES.validate(phase_profiles(sites, areas))
    density = DENSITY_BY_PHASE.validate(density_by_phase(sites, areas))
    empty = density[density["panorama"] == "q"]
    assert (empty["count"] == 0).all() and (empty["area_mm2"] == 0).all()
    assert empty["density_per_mm2"].isna().all()
    fractions = profiles.groupby("panorama")["panorama_fraction"].first()
    assert np.isnan(fractions["q"])
    assert fractions["p"] == fractions[ALL_PANORAMAS] == pytest.approx((steel[0] == 2).mean())
    draw_phase_surroundings(profiles, density, hard_phase="martensite")


def test_a_table_of_another_run_is_refused():
    sites = pd.DataFrame({"panorama": "p", "site_id": [0, 1, 2], "class": "notch"})
    described = pd.DataFrame({"panorama": "p", "site_id": [0, 1], "place": "apart"})
    with pytest.raises(InputError, match="only one table has site 2"):
        with_phases(sites, described)
    assert len(with_phases(sites[:2], described)) == 2


def test_the_figure_shows_each_class_and_the_mean_of_the_area(steel):
    phases, areas = steel
    names = ("martensite", "notch", "shadowing")
    sites = pd.concat([thrown(phases, count=90, radius_um=0.3, name=name) for name in names])
    tables = phase_profiles(sites, areas), density_by_phase(sites, areas)
    figure = draw_phase_surroundings(*tables, hard_phase="martensite")
    profile, distance, fraction = figure.axes
    assert len(profile.containers) == len(names)
    # Damage is the sum of two of them.
    assert len(distance.containers) == len(fraction.containers) == len(names) + 1
    (line,) = [one for one in profile.lines if one.get_linestyle() == "--"]
    assert line.get_ydata()[0] == pytest.approx((phases == 2).mean())
    drawn = next(one for one in profile.containers if "notch" in one.get_label())
    assert np.allclose(drawn[0].get_ydata(), 0.5)
    empty = draw_phase_surroundings(
        phase_profiles(sites[:0], areas), density_by_phase(sites[:0], areas), hard_phase="cementite"
    )
    assert "cementite" in empty.axes[0].get_ylabel()


def test_all_columns_that_are_used_are_descriptors():
    used = {"distance_um", "hard_square", *(f"hard_{um:g}um" for um in RING_UM)}
    assert used <= set(PHASE_DESCRIPTOR_NAMES)
