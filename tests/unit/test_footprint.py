"""The pieces of one broken particle are one site, and damage beside it is not one of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial import KDTree

from damascene.clustering.pixels import Pixels
from damascene.clustering.runs import runs_of
from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.detection.clusters import clusters_of_strips
from damascene.detection.darkness import FixedThreshold
from damascene.detection.footprint import footprint_owners, gap_px
from damascene.detection.parameters import DetectionParameters
from damascene.detection.settings import find_candidates_of, parameters_of
from damascene.images.store import open_pair, write_all_valid, write_tiled

FERRITE, MARTENSITE = 70, 160
MASK = arrays(bool, (14, 14), fill=st.nothing()).filter(np.any)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(one=MASK, other=MASK, right=st.integers(0, 30), most=st.sampled_from([3, 8, 50]))
def test_gaps_are_those_of_the_nearest_pixels(one, other, right, most):
    places = np.argwhere(one), np.argwhere(other) + np.array([3, right])
    expected = KDTree(places[0]).query(places[1])[0].min()
    found = gap_px(runs_of(*places[0].T), runs_of(*places[1].T), most=most)
    assert found == pytest.approx(expected if expected <= most else np.inf)


def clusters_of(mask):
    rows, columns = np.nonzero(mask)
    pixels = Pixels(
        rows=rows,
        columns=columns,
        greys=np.zeros(len(rows), np.int16),
        beside_invalid=np.zeros(len(rows), bool),
    )
    parameters = DetectionParameters(
        dark=FixedThreshold(grey=20), eps_px=1, min_samples=1, fill_holes="never"
    )
    return clusters_of_strips(iter([(pixels, len(mask))]), shape=mask.shape, parameters=parameters)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("distance_px", [4, 9])
def test_sites_grow_as_in_a_plain_loop(seed, distance_px):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(220, 240)), 3)
    mask = field > np.quantile(field, 0.86)
    clusters = clusters_of(mask)
    alone = np.arange(clusters.found)
    owner = footprint_owners(clusters, alone, distance_px=distance_px)

    labels, count = ndimage.label(mask)
    places = [np.argwhere(labels == number + 1) for number in range(count)]
    # Clusters are in the order of their first pixels, and so are these labels.
    expected = np.arange(count)
    for lead in sorted(range(count), key=lambda number: (-len(places[number]), number)):
        if expected[lead] != lead:
            continue
        grew = True
        while grew:
            grew = False
            pieces = [places[one] for one in range(count) if expected[one] == lead]
            area = sum(len(piece) for piece in pieces)
            widest = min(0.25 * np.sqrt(4 * area / np.pi), distance_px)
            site = np.concatenate([one for one in pieces if len(one) >= 0.1 * len(places[lead])])
            for other in range(count):
                smaller = (-len(places[other]), other) > (-len(places[lead]), lead)
                apart = places[other].mean(axis=0) - places[lead].mean(axis=0)
                reach = 2 * np.sqrt(4 * len(places[lead]) / np.pi)
                if expected[other] == other and smaller and np.hypot(*apart) <= reach:
                    gap = KDTree(site).query(places[other])[0].min()
                    if gap <= widest:
                        expected[other], grew = lead, True
                        break
    np.testing.assert_array_equal(owner, expected)
    assert 3 < (owner != alone).sum() < count - 3


def test_clusters_that_are_dropped_stay_so_and_fragments_follow():
    mask = np.zeros((60, 120), bool)
    mask[20:40, 10:30] = True
    mask[20:40, 33:43] = True
    mask[20:40, 46:50] = True
    mask[20:40, 100:104] = True
    clusters = clusters_of(mask)
    # The third is a fragment of the second, the fourth was dropped.
    owner = footprint_owners(clusters, np.array([0, 1, 1, -1]), distance_px=6)
    assert owner.tolist() == [0, 0, 0, -1]


def broken_inclusion(*, pixel_um, length_um, turn, seed):
    """Paint a broken particle in a charged cavity, and damage beside it; return image and damage.

    The cavity is an ellipse round three remnants that reach from rim to rim.
    """
    random = np.random.default_rng(seed)
    side = round(24 / pixel_um)
    y, x = (np.indices((side, side)) + 0.5) * pixel_um
    phases = ndimage.gaussian_filter(random.normal(size=(side, side)), 0.8 / pixel_um)
    image = np.where(phases > np.quantile(phases, 0.75), MARTENSITE, FERRITE).astype(float)
    cos, sin = np.cos(turn), np.sin(turn)
    along, across = (x - 12) * cos + (y - 12) * sin, (y - 12) * cos - (x - 12) * sin
    radius = np.hypot(along / (length_um / 2), across / (length_um / 4))
    cavity = radius < 1
    outside_um = ndimage.distance_transform_edt(~cavity) * pixel_um
    image = np.minimum(image + 180 * np.exp(-outside_um / 0.3), 255)
    image[cavity] = 4
    for place in (-0.22, 0.08, 0.3):
        # As bright as the steel, or charged.
        remnant = abs(along - place * length_um) < 0.03 * length_um
        image[cavity & remnant] = random.uniform(90, 240)
    damage = []
    # A notch past the end, a crack along the flank: 0.8 um and more away.
    for far, off, long, wide in ((0.5, 0.0, 0.9, 0.4), (0.0, 0.25, 1.6, 0.3)):
        centre_along = far * length_um + (0.85 + long / 2 if far else 0)
        centre_across = off * length_um + (0.85 + wide / 2 if off else 0)
        void = (abs(along - centre_along) < long / 2) & (abs(across - centre_across) < wide / 2)
        image[void] = 4
        damage.append((x[void].mean() / pixel_um - 0.5, y[void].mean() / pixel_um - 0.5))
    image = ndimage.gaussian_filter(image, 0.03 / pixel_um) + random.normal(0, 3, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), damage


def find(folder, pixels, *, pixel_um, **detection):
    paths = folder / "image.tif", folder / "valid.tif"
    about = {"shape": pixels.shape, "pixel_size_nm": pixel_um * 1000, "name": "p"}
    write_tiled(paths[0], [pixels], **about)
    write_all_valid(paths[1], **about)
    with open_pair(*paths) as pair:
        return find_candidates_of(
            *pair, panorama="p", settings=load_study({"detection": detection}).detection
        ).candidates


@pytest.mark.parametrize("pixel_um", [0.03, 0.05])
@pytest.mark.parametrize(("length_um", "turn"), [(3, 0.0), (4.5, 0.9), (7, 2.1)])
@pytest.mark.parametrize(
    "threshold", [{}, {"threshold": {"rule": "fixed", "grey": 40}}], ids=["relative", "fixed"]
)
def test_a_broken_particle_is_one_site_and_damage_beside_it_another(
    tmp_path, pixel_um, length_um, turn, threshold
):
    pixels, damage = broken_inclusion(
        pixel_um=pixel_um, length_um=length_um, turn=turn, seed=round(10 * length_um)
    )
    found = find(tmp_path, pixels, pixel_um=pixel_um, **threshold)
    # Without the rule the cavity falls into its pieces.
    apart = find(tmp_path, pixels, pixel_um=pixel_um, drop_rim_fragments=False, **threshold)
    middle = pixels.shape[0] / 2

    def near_particle(sites):
        return sites[np.hypot(sites["x_px"] - middle, sites["y_px"] - middle) < middle / 3]

    particle = found.loc[found["area_px"].idxmax()]
    cavity_um2 = np.pi / 8 * length_um**2 * (1 - 3 * 0.06 * 4 / np.pi)
    assert particle["fragments"] >= 3
    assert particle["area_um2"] == pytest.approx(cavity_um2, rel=0.2)
    assert len(near_particle(apart)) > len(near_particle(found))
    assert np.hypot(particle["x_px"] - middle, particle["y_px"] - middle) < 0.08 * length_um / (
        pixel_um
    )
    for x, y in damage:
        distance = np.hypot(found["x_px"] - x, found["y_px"] - y)
        assert distance.min() < 0.15 / pixel_um
        assert found["site_id"][distance.idxmin()] != particle["site_id"]
        assert found["fragments"][distance.idxmin()] == 1
    assert len(found) == 1 + len(damage)


@pytest.mark.parametrize("preset", PRESETS)
def test_published_settings_keep_pieces_apart(preset):
    parameters = parameters_of(
        load_study({"preset": preset}).detection,
        pixel_size_nm=40,
        reference=np.ones(256, np.int64),
    )
    assert parameters.drop_rim_fragments == (preset == "default")


def test_without_rim_fragments_there_is_no_footprint(tmp_path):
    pixels = np.full((200, 300), 100, np.uint8)
    pixels[50:110, 50:110] = pixels[50:110, 115:150] = 0
    assert len(find(tmp_path, pixels, pixel_um=0.04)) == 1
    options = {"drop_rim_fragments": False, "merge": "none"}
    assert len(find(tmp_path, pixels, pixel_um=0.04, **options)) == 2
