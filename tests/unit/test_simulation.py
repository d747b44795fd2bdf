from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats
from skimage.draw import polygon2mask

from damascene.classes import DAMAGE_MECHANISMS, INCLUSION, PHASE_VALUES, SITE_CLASSES
from damascene.contracts.table import check_table, empty_table
from damascene.contracts.truth import TRUTH
from damascene.images.store import TiledImage, Window
from damascene.simulation import acquisition, draw_labels, simulate_panorama
from damascene.simulation.fields import field_key, smooth_noise, white_noise
from damascene.simulation.microstructure import band_strength
from damascene.simulation.panorama import (
    DARK_GREY,
    DARKEST_MATRIX_GREY,
    draw_scene,
    find_truth,
    make_specimen,
)
from damascene.simulation.sites import (
    DENSITY_PER_MM2,
    EDGE_UM,
    GAP_UM,
    draw_counts,
    expected_density,
)

SHAPE = (1000, 1400)
PIXEL_SIZE_NM = 40.0
CAVITIES = [name for name in SITE_CLASSES if name != "shadowing"]


def simulate(folder, name, **changes):
    options = {
        "panorama": "p",
        "shape": SHAPE,
        "pixel_size_nm": PIXEL_SIZE_NM,
        "strain_percent": 12.0,
        "seed": 5,
        "dwell_time_ns": 10_000.0,
    } | changes
    image_path, phases_path = folder / f"{name}.ome.tif", folder / f"{name}.phases.ome.tif"
    truth, _ = simulate_panorama(image_path=image_path, phases_path=phases_path, **options)
    with TiledImage(image_path) as image, TiledImage(phases_path) as phases:
        assert image.pixel_size_nm == pytest.approx(options["pixel_size_nm"])
        return image.read(), phases.read(), truth


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("simulation")


@pytest.fixture(scope="module")
def simulated(folder):
    return simulate(folder, "whole")


@pytest.fixture(scope="module")
def scene():
    """The same surface without drift and noise."""
    specimen = make_specimen(shape=SHAPE, pixel_size_nm=PIXEL_SIZE_NM, strain_percent=12.0, seed=5)
    grey, _ = draw_scene(specimen, Window(top=0, left=0, bottom=SHAPE[0], right=SHAPE[1]))
    return grey


@pytest.fixture(scope="module")
def many_sites():
    """Truth of an area large enough for counts and angles."""
    shape = (2000, 3000)
    specimen = make_specimen(shape=shape, pixel_size_nm=50.0, strain_percent=12.0, seed=2)
    return find_truth(specimen, panorama="p")[0]


def inside(site, shape=SHAPE):
    return polygon2mask(shape, np.stack([site.outline_y_px, site.outline_x_px], axis=1))


def test_tile_size_and_threads_do_not_change_a_pixel(folder, simulated):
    image, phases, truth = simulate(folder, "tiles", tile_px=333, threads=2)
    np.testing.assert_array_equal(image, simulated[0])
    np.testing.assert_array_equal(phases, simulated[1])
    pd.testing.assert_frame_equal(truth, simulated[2])


def test_seed_decides_everything(folder):
    small = {"shape": (300, 400)}
    simulate(folder, "first", **small)
    simulate(folder, "again", **small)
    for end in (".ome.tif", ".phases.ome.tif"):
        assert (folder / f"first{end}").read_bytes() == (folder / f"again{end}").read_bytes()
    first, _, _ = simulate(folder, "first", **small)
    other, _, _ = simulate(folder, "other", seed=6, **small)
    assert (first != other).mean() > 0.9


def test_panorama_smaller_than_a_site(folder):
    image, phases, truth = simulate(folder, "tiny", shape=(40, 50))
    assert image.shape == phases.shape == (40, 50)
    assert truth.empty


def test_truth_is_a_valid_table_of_all_classes(simulated):
    image, _, truth = simulated
    check_table(truth, TRUTH, source="test")
    assert set(truth["true_class"]) == set(SITE_CLASSES)
    assert truth["area_px"].min() > 20
    np.testing.assert_allclose(truth["area_um2"], truth["area_px"] * 0.04**2)
    assert truth["x_px"].between(0, image.shape[1] - 1).all()
    assert truth["y_px"].between(0, image.shape[0] - 1).all()


def test_outlines_hold_the_dark_pixels(simulated, scene):
    dark = scene < DARK_GREY
    for site in simulated[2].itertuples():
        rows, columns = np.nonzero(inside(site) & dark)
        assert len(rows) == site.area_px
        assert columns.mean() == pytest.approx(site.x_px)
        assert rows.mean() == pytest.approx(site.y_px)


def test_nothing_else_is_dark(simulated, scene):
    image, _, truth = simulated
    covered = np.any([inside(site) for site in truth.itertuples()], axis=0)
    # Splinters of a site are allowed, far below the 20 pixels that a detector asks for.
    splinters, _ = ndimage.label((scene < DARK_GREY) & ~covered, np.ones((3, 3)))
    assert np.bincount(splinters.ravel())[1:].max(initial=0) < 15
    # Away from the soft borders of the sites the matrix keeps its distance from black. One grey
    # level is left for the blur's rounding; shadows fade over more than a micrometre.
    far = ndimage.distance_transform_edt(~covered) > 60
    assert scene[far].min() > DARKEST_MATRIX_GREY - 1
    # And so it is in the image with drift and noise: no dark group that a detector would take.
    near = ndimage.binary_dilation(covered, iterations=5)
    groups, _ = ndimage.label((image < 15) & ~near, np.ones((3, 3)))
    assert np.bincount(groups.ravel())[1:].max(initial=0) < 5


def test_sites_are_found_by_a_plain_threshold(simulated):
    image, _, truth = simulated
    dark = image < 0.22 * np.median(image)
    for site in truth.itertuples():
        found = np.count_nonzero(dark & ndimage.binary_dilation(inside(site), iterations=2))
        # Drift moves the border of a soft shadow far; that of a void by less than a pixel.
        assert 0.3 * site.area_px < found < 1.7 * site.area_px


def test_phases_agree_with_truth_and_image(simulated):
    image, phases, truth = simulated
    values = PHASE_VALUES
    damage = phases == values["damage"]
    assert damage.sum() == truth.loc[truth["true_class"].isin(CAVITIES), "area_px"].sum()
    for site in truth.itertuples():
        share = damage[inside(site)].sum()
        assert share == (site.area_px if site.true_class in CAVITIES else 0)
    ferrite, martensite = (
        np.median(image[phases == values[name]]) for name in ("ferrite", "martensite")
    )
    assert martensite > ferrite + 60
    assert 0.1 < (phases == values["martensite"]).mean() < 0.6


def test_classes_lie_where_they_belong(simulated):
    _, phases, truth = simulated
    martensite = phases == PHASE_VALUES["martensite"]
    shares = {}
    for site in truth.itertuples():
        ring = ndimage.binary_dilation(inside(site), iterations=6) & ~inside(site)
        shares.setdefault(site.true_class, []).append(martensite[ring].mean())
    means = {label: np.mean(values) for label, values in shares.items()}
    # A crack has martensite on both sides, a decohesion on one, a shadow next to none.
    assert means["martensite"] > 0.6
    assert 0.2 < means["interface"] < 0.7
    assert means["shadowing"] < 0.3


def test_sites_keep_their_distance(many_sites):
    outlines = [
        np.stack([site.outline_x_px, site.outline_y_px], axis=1) for site in many_sites.itertuples()
    ]
    centres = many_sites[["x_px", "y_px"]].to_numpy()
    for index, outline in enumerate(outlines):
        distance = np.hypot(*(centres - centres[index]).T)
        for other in np.flatnonzero((distance < 400) & (np.arange(len(centres)) > index)):
            gaps = np.hypot(*(outline[:, None] - outlines[other][None]).transpose(2, 0, 1))
            assert gaps.min() * 0.05 > GAP_UM


def test_sites_of_a_class_are_not_all_alike(many_sites):
    sizes = many_sites.groupby("true_class")["area_um2"]
    assert (sizes.std() / sizes.mean() > 0.25).all()


def test_cracks_are_mostly_perpendicular_to_the_load(many_sites):
    angles = []
    for site in many_sites[many_sites["true_class"] == "martensite"].itertuples():
        x, y = site.outline_x_px - site.x_px, site.outline_y_px - site.y_px
        axis = np.linalg.eigh(np.cov(x, y))[1][:, -1]
        angles.append(np.degrees(np.arctan2(abs(axis[1]), abs(axis[0]))))
    assert len(angles) >= 20
    assert np.median(angles) > 65
    assert np.mean(np.array(angles) > 45) > 0.85


SHAPE_UM = (80.0, 120.0)


def drawn(strain_percent, *, shape_um=SHAPE_UM, seeds=range(1500)):
    """Counts of many panoramas, one row each."""
    return pd.DataFrame(
        draw_counts(shape_um=shape_um, strain_percent=strain_percent, seed=seed) for seed in seeds
    )


def area_mm2(shape_um):
    return np.prod([length + 2 * EDGE_UM for length in shape_um]) / 1e6


@pytest.mark.parametrize("strain_percent", [0.0, 12.0])
def test_counts_are_drawn_about_the_expected_density(strain_percent):
    counts = drawn(strain_percent)
    for label, density in expected_density(strain_percent).items():
        wanted = density * area_mm2(SHAPE_UM)
        error = counts[label].std() / np.sqrt(len(counts))
        assert counts[label].mean() == pytest.approx(wanted, abs=4 * error)
        dispersion = counts[label].var() / counts[label].mean()
        # The dispersion of a Poisson count scatters by sqrt(2/n) about 1.
        if label in DAMAGE_MECHANISMS:
            assert dispersion > 1 + 6 * np.sqrt(2 / len(counts))
        else:
            assert dispersion == pytest.approx(1, abs=4 * np.sqrt(2 / len(counts)))


def test_inclusions_and_shadows_have_one_density_at_every_strain_and_damage_grows():
    for label, (base, slope) in DENSITY_PER_MM2.items():
        assert (slope > 0) == (label in DAMAGE_MECHANISMS)
        assert expected_density(0.0)[label] == base
    # Two panoramas have seeds of their own, and then counts of their own.
    first, second = drawn(0.0, seeds=range(60)), drawn(0.0, seeds=range(60, 120))
    for label in (INCLUSION, "shadowing"):
        assert (first[label] != second[label]).mean() > 0.7


def test_damage_counts_share_the_bands_of_their_panorama():
    counts = drawn(12.0, seeds=range(800))
    related = counts.corr()
    for one, other in pairwise(DAMAGE_MECHANISMS):
        assert related.loc[one, other] > 0.3
    # 3.5 standard errors of a correlation of nothing.
    assert abs(related.loc[INCLUSION, "martensite"]) < 3.5 / np.sqrt(800)


@pytest.fixture(scope="module")
def placed():
    """Sites of a larger panorama at two strains, with one seed."""
    return {
        strain: make_specimen(
            shape=(2000, 3000), pixel_size_nm=40.0, strain_percent=strain, seed=1
        ).sites
        for strain in (0.0, 12.0)
    }


def test_all_sites_that_were_drawn_are_placed(placed):
    for strain, sites in placed.items():
        wanted = draw_counts(shape_um=SHAPE_UM, strain_percent=strain, seed=1)
        got = pd.Series([site.label for site in sites]).value_counts()
        inside = np.prod(SHAPE_UM) / 1e6 / area_mm2(SHAPE_UM)
        for label, count in wanted.items():
            # Some lie in the margin, out of sight.
            assert count * inside - 4 * np.sqrt(count) < got[label] <= count
    inclusions = [
        [(site.y_um, site.x_um) for site in sites if site.label == INCLUSION]
        for sites in placed.values()
    ]
    # Nothing else decides about inclusions.
    assert inclusions[0] == inclusions[1]


def test_damage_gathers_in_bands_and_inclusions_do_not():
    away, blocks = {True: [], False: []}, {True: [], False: []}
    for seed in range(4):
        sites = make_specimen(
            shape=(2000, 3000), pixel_size_nm=40.0, strain_percent=12.0, seed=seed
        ).sites
        grid = band_strength(np.arange(0, 80, 1.0), np.arange(0, 120, 1.0), seed=seed)
        for is_damage in (True, False):
            places = np.array(
                [(s.y_um, s.x_um) for s in sites if (s.label in DAMAGE_MECHANISMS) == is_damage]
            )
            rows, columns = places.clip(0, (79, 119)).astype(int).T
            away[is_damage].extend(grid[rows, columns] - grid.mean())
            edges = np.arange(0, 81, 20), np.arange(0, 121, 40)
            blocks[is_damage].extend(np.histogram2d(*places.T, bins=edges)[0].ravel())
    assert np.mean(away[True]) > 0.3
    # The grid has the variance 1; standard errors of a mean and of the dispersion of 48 blocks.
    assert abs(np.mean(away[False])) < 4 / np.sqrt(len(away[False]))
    dispersion = {key: np.var(values, ddof=1) / np.mean(values) for key, values in blocks.items()}
    assert dispersion[True] > 1 + 2 * np.sqrt(2 / 48)
    # Sites that keep their distance scatter less than Poisson counts, not more.
    assert 0.4 < dispersion[False] < 1 + 2 * np.sqrt(2 / 48)


def test_the_border_cuts_sites_as_often_as_it_does_in_steel():
    shape = (900, 1400)
    cut, whole = 0, []
    for seed in range(2):
        specimen = make_specimen(shape=shape, pixel_size_nm=40.0, strain_percent=12.0, seed=seed)
        truth, regions = find_truth(specimen, panorama="p")
        for site, region in zip(truth.itertuples(), regions, strict=True):
            rows, columns = np.nonzero(region.mask)
            rows, columns = rows + region.window.top, columns + region.window.left
            assert len(rows) == site.area_px
            assert rows.min() >= 0 and columns.min() >= 0
            assert rows.max() < shape[0] and columns.max() < shape[1]
            if (
                0 in (rows.min(), columns.min())
                or shape[0] - 1 == rows.max()
                or columns.max() == shape[1] - 1
            ):
                cut += 1
            else:
                whole.append((np.ptp(rows) + 1, np.ptp(columns) + 1))
    # A horizontal line crosses the sites whose centre is nearer than half their height, a
    # vertical one those nearer than half their width: density x length x height or width.
    height, width = np.mean(whole, axis=0)
    density = len(whole) / 2 / ((shape[0] - height) * (shape[1] - width))
    expected = 2 * 2 * density * (shape[1] * height + shape[0] * width)
    assert abs(cut - expected) < 4 * np.sqrt(expected)


def test_cracks_open_with_strain():
    widths = []
    for strain in (0.0, 12.0):
        sites = make_specimen(
            shape=(1500, 2000), pixel_size_nm=50.0, strain_percent=strain, seed=1
        ).sites
        widths.append(np.mean([site.width_um for site in sites if site.label == "martensite"]))
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize("dwell_time_ns", [100.0, 500.0, 2000.0, 10_000.0])
def test_noise_follows_the_dwell_time(dwell_time_ns):
    rows, columns = np.arange(200), np.arange(300)
    image = acquisition.record(
        np.full((200, 300), 128, np.float32),
        rows=rows,
        columns=columns,
        # So small that the drift stays the same all over.
        pixel_size_nm=0.01,
        dwell_time_ns=dwell_time_ns,
        seed=3,
    )
    noise = image - image.astype(float).mean()
    # Lines and rounding add to the noise; 60,000 values give its level to 0.3 %.
    expected = np.sqrt(25**2 * 100 / dwell_time_ns + 1.5**2 + 0.5**2 + 1 / 12)
    assert noise.std() == pytest.approx(expected, rel=0.03)
    skewness = stats.skew(noise.ravel())
    if dwell_time_ns <= 500:
        # A Gamma distribution of shape 6 has the skewness 2/√6 = 0.82.
        assert 0.7 < skewness < 0.9
    else:
        assert abs(skewness) < 0.05


def test_brightness_drifts_slowly_and_within_limits():
    rows, columns = np.arange(0, 6000, 20), np.arange(0, 6000, 20)
    image = (
        acquisition.record(
            np.full((300, 300), 128, np.float32),
            rows=rows,
            columns=columns,
            pixel_size_nm=40.0,
            dwell_time_ns=1e9,
            seed=3,
        )
        / 128
    )
    smooth = ndimage.uniform_filter(image, 9)
    # Noise and lines averaged over 9 x 9 pixels add 0.3 grey levels (one sigma) to 12 %.
    assert np.ptp(smooth) > 0.05
    assert np.abs(smooth - 1).max() < 0.13
    # Over 2 µm the brightness hardly changes.
    assert np.abs(np.diff(smooth[:, ::5], axis=1)).max() < 0.03


def test_white_noise_is_normal_and_independent():
    noise = white_noise(np.arange(-150, 150), np.arange(-200, 200), key=field_key(1, "test"))
    assert noise.mean() == pytest.approx(0, abs=4 / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(1, abs=0.01)
    # A sum of eight uniform values has the excess kurtosis -1.2/8.
    assert stats.kurtosis(noise.ravel()) == pytest.approx(-0.15, abs=0.05)
    for shifted in (noise[1:, :-1], noise[:-1, 1:], noise[1:, 1:]):
        assert np.corrcoef(noise[:-1, :-1].ravel(), shifted.ravel())[0, 1] == pytest.approx(
            0, abs=0.012
        )


def test_smooth_noise_is_the_same_in_every_window():
    y_um, x_um = np.arange(-50, 300) * 0.04, np.arange(700, 1300) * 0.04
    options = {"cell_um": (0.7, 1.3), "key": field_key(1, "test")}
    whole = smooth_noise(y_um, x_um, **options)
    np.testing.assert_array_equal(
        smooth_noise(y_um[37:91], x_um[201:502], **options), whole[37:91, 201:502]
    )
    assert np.abs(np.diff(whole, axis=0)).max() < 0.3


def made_truth():
    count = 60
    return check_table(
        pd.DataFrame(
            {
                "panorama": "p",
                "truth_id": range(count),
                "true_class": [SITE_CLASSES[k % 5] for k in range(count)],
                "x_px": np.linspace(0, 990, count),
                "y_px": 10.0,
                "area_px": 30,
                "area_um2": 0.1,
                "outline_x_px": [[0.0]] * count,
                "outline_y_px": [[0.0]] * count,
            }
        ),
        TRUTH,
        source="test",
    )


def test_labels_keep_their_limits():
    truth = made_truth()
    options = {"panorama_width_px": 1000, "labelled_fraction": 0.5, "seed": 1}
    labels = draw_labels(truth, labels_per_class=4, **options)
    assert labels["label"].value_counts().to_dict() == dict.fromkeys(SITE_CLASSES, 4)
    assert labels["x_px"].max() < 499.5
    assert set(labels["annotator"]) == {"simulation_truth"}
    drawn = labels.rename(columns={"label": "true_class"}).merge(
        truth, on=["x_px", "y_px", "true_class"]
    )
    assert len(drawn) == len(labels)
    everything = draw_labels(truth, labels_per_class=99, **options)
    assert len(everything) == (truth["x_px"] < 499.5).sum()
    # Nobody labels what is too small to be found.
    assert draw_labels(truth, labels_per_class=99, minimum_area_px=30, **options).empty


def test_labels_depend_on_the_seed_alone():
    options = {"panorama_width_px": 1000, "labelled_fraction": 1.0, "labels_per_class": 3}
    first, again, other = (draw_labels(made_truth(), seed=seed, **options) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_labels_of_an_empty_truth():
    labels = draw_labels(
        empty_table(TRUTH),
        panorama_width_px=100,
        labelled_fraction=0.5,
        labels_per_class=3,
        seed=1,
    )
    assert labels.empty
