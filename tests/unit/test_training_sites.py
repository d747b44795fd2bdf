"""The steel that networks were trained on is known again, whatever it is called now."""

import io

import numpy as np
import pandas as pd
import pytest
from made_records import model_card
from PIL import Image
from scipy.ndimage import gaussian_filter

from damascene import InputError
from damascene.classes import STAGES
from damascene.clips import fingerprints
from damascene.clips.fingerprints import OVERLAP_PX, Fingerprints, fingerprint, is_telling
from damascene.clips.training_sites import (
    check_held_out,
    describe_training_sites,
    shared_with_training,
)
from damascene.contracts.model_card import ModelCard
from damascene.images.store import write_tiled

WINDOW = "4 um"
EDGE_PX = 100
SHAPE = (700, 900)
#: Columns and rows of sites, three of them near a border.
PLACES = ((100, 90), (60, 400), (450, 350), (640, 20), (700, 600), (880, 500))


def steel(seed, shape=SHAPE):
    """Return an image with bright and dark regions, cavities and the noise of a detector."""
    rng = np.random.default_rng(seed)
    regions = gaussian_filter(rng.normal(size=shape), 12) > 0.02
    cavities = gaussian_filter(rng.normal(size=shape), 5) > 0.12
    grey = gaussian_filter(np.where(cavities, 20, np.where(regions, 150, 90)).astype(float), 1)
    return np.clip(grey + rng.normal(0, 8, shape), 0, 255).astype(np.uint8)


def store(folder, **images):
    """Write images as panoramas with pixels of 40 nm; return their paths by name."""
    paths = {}
    for name, pixels in images.items():
        paths[name] = folder / f"{name}.ome.tif"
        options = {"shape": pixels.shape, "pixel_size_nm": 40, "name": name}
        write_tiled(paths[name], [np.ascontiguousarray(pixels)], **options)
    return paths


def at(panorama, places, label="notch"):
    table = pd.DataFrame(places, columns=["clip_x_px", "clip_y_px"], dtype=float)
    table = table.assign(panorama=panorama, label=label, site_id=range(len(table)))
    return table.assign(x_px=table["clip_x_px"], y_px=table["clip_y_px"])


def written(labels):
    """Return the answers that labels were made from, a file for each panorama."""
    return labels.assign(file=labels["panorama"] + ".tsv", row=labels["site_id"] + 2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return an image and what the card of a network trained on it says of its sites."""
    pixels = steel(1)
    paths = store(tmp_path_factory.mktemp("trained"), first=pixels)
    return pixels, describe_training_sites(at("first", PLACES), paths, windows=["1 um", WINDOW])


def found_in(tmp_path, pixels, places, sites, window=WINDOW):
    """Return the training sites that places of a new panorama share pixels with, None without."""
    images = store(tmp_path, renamed=pixels)
    # A whole study of other steel beside it, the order of labels and their classes changed.
    images |= store(tmp_path, other=steel(2))
    labels = pd.concat([at("other", PLACES), at("renamed", places[::-1], "inclusion")])
    shared = shared_with_training(labels, images, sites={"a": sites}, windows=[window])
    assert set(shared["panorama"]) <= {"renamed"}
    met = {
        (one.x_px, one.y_px): (one.training_x_px, one.training_y_px) for one in shared.itertuples()
    }
    return [met.get(place) for place in places]


def jpeg(pixels, quality=95):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


@pytest.mark.parametrize(
    "changed",
    [
        lambda pixels: pixels,
        lambda pixels: (pixels * 0.8 + 10).astype(np.uint8),
        lambda pixels: np.rint(255 * (pixels / 255) ** 0.7).astype(np.uint8),
        jpeg,
    ],
    ids=["the same", "stretched", "gamma", "jpeg"],
)
def test_training_sites_are_known_in_an_image_of_another_name(tmp_path, trained, changed):
    pixels, sites = trained
    assert [site.window_px for site in sites] == [EDGE_PX] * len(PLACES)
    moved = [(x - 2.0, y + 1.0) for x, y in PLACES]
    assert found_in(tmp_path, changed(pixels), moved, sites) == list(PLACES)


def test_training_sites_are_known_in_a_part_of_the_image_and_in_a_grid(tmp_path, trained):
    pixels, sites = trained
    whole = steel(3, (1000, 1200))
    whole[250:950, 200:1100] = pixels
    moved = [(x + 200.0, y + 250.0) for x, y in PLACES]
    assert found_in(tmp_path, whole, moved, sites) == list(PLACES)
    part = pixels[300:, 20:]
    inside = [(x - 20.0, y - 300.0) for x, y in PLACES if y > 300]
    assert found_in(tmp_path, part, inside, sites) == [place for place in PLACES if place[1] > 300]


def test_training_sites_are_known_in_a_turned_and_mirrored_image(tmp_path, trained):
    pixels, sites = trained
    x, y = PLACES[2]
    assert found_in(tmp_path, np.rot90(pixels), [(y, 899.0 - x)], sites) == [PLACES[2]]
    assert found_in(tmp_path, pixels.T, [(y, x)], sites) == [PLACES[2]]


@pytest.mark.parametrize(("apart_px", "shares"), [(99, True), (100, False), (101, False)])
def test_windows_that_share_a_pixel_are_told_from_windows_that_touch(
    tmp_path, trained, apart_px, shares
):
    pixels, sites = trained
    x, y = PLACES[2]
    for place in ((x + apart_px, y), (x, y - apart_px), (x + apart_px, y + 50)):
        found = found_in(tmp_path, pixels, [tuple(map(float, place))], sites)
        assert found == [PLACES[2] if shares else None]


def test_of_several_training_sites_the_one_that_shares_most_is_told(tmp_path, trained):
    pixels, _ = trained
    places = [(300, 300), (340, 300), (380, 300)]
    images = store(tmp_path, first=pixels)
    sites = describe_training_sites(at("first", places), images, windows=[WINDOW])
    assert found_in(tmp_path, pixels, [(377.0, 301.0), (345.0, 290.0)], sites) == places[:0:-1]


def test_a_wider_window_of_this_study_reaches_further(tmp_path, trained):
    pixels, sites = trained
    place = (float(PLACES[2][0] + 149), float(PLACES[2][1]))
    assert found_in(tmp_path, pixels, [place], sites, "8 um") == [PLACES[2]]
    assert found_in(tmp_path, pixels, [place], sites, "7.8 um") == [None]


def test_steel_without_a_training_site_is_not_taken_for_it(tmp_path, trained):
    _, sites = trained
    grid = [(float(x), float(y)) for x in range(50, 900, 100) for y in range(50, 700, 100)]
    assert found_in(tmp_path, steel(4), grid, sites) == [None] * len(grid)


def found_by(texts, pixels, at_once_px=1000, window_px=EDGE_PX):
    """Return the windows that fingerprints find in an image cut into parts."""
    fingerprints = Fingerprints(texts, windows_px=[window_px] * len(texts))
    edges = [range(0, edge, at_once_px) for edge in pixels.shape]
    ends = at_once_px + OVERLAP_PX
    parts = [
        (top, left, pixels[top : top + ends, left : left + ends])
        for top in edges[0]
        for left in edges[1]
    ]
    return fingerprints.find(parts).tolist()


@pytest.mark.parametrize("window_px", [99, 100])
def test_windows_are_found_to_the_pixel_in_all_turns_and_however_an_image_is_cut(window_px):
    pixels = steel(6, (350, 400))
    top, left = 120, 210
    text = fingerprint(pixels[top : top + window_px, left : left + window_px])
    bottom, right = 350 - top - window_px, 400 - left - window_px
    for seen, place in (
        (pixels, (top, left)),
        (pixels[::-1], (bottom, left)),
        (pixels[:, ::-1], (top, right)),
        (pixels[::-1, ::-1], (bottom, right)),
        (pixels.T, (left, top)),
        (pixels.T[::-1], (right, top)),
        (pixels.T[:, ::-1], (left, bottom)),
        (pixels.T[::-1, ::-1], (right, bottom)),
        # Only a part of the window is there.
        (pixels[top + 20 :], (-20, left)),
        (pixels[:, left + 30 :], (top, -30)),
    ):
        for at_once_px in (1000, 97):
            assert found_by([text], seen, at_once_px, window_px) == [[0, *place]]


def spots(*seeds):
    """Return a window of one grey with textured spots a little wider than a code describes."""
    pixels = np.full((EDGE_PX, EDGE_PX), 90, np.uint8)
    for corner, seed in zip((10, 60), seeds, strict=True):
        spot = np.random.default_rng(seed).integers(0, 255, (28, 28))
        pixels[corner : corner + 28, corner : corner + 28] = spot
    return pixels


def test_marks_that_agree_in_one_spot_alone_do_not_make_a_window_found(monkeypatch):
    text = fingerprint(spots(1, 2))
    assert found_by([text], spots(1, 2)) == [[0, 0, 0]]
    others = spots(1, 3), spots(3, 2)
    assert [found_by([text], other) for other in others] == [[], []]
    # Neighbouring marks do agree there, and would be enough if each of them counted.
    monkeypatch.setattr(fingerprints, "_APART_PX", 0)
    assert [found_by([text], other) for other in others] == [[[0, 0, 0]]] * 2


def test_areas_of_one_grey_tell_nothing():
    blank = fingerprint(np.full((EDGE_PX, EDGE_PX), 90, np.uint8))
    assert not is_telling(blank) and is_telling(fingerprint(steel(5)[:EDGE_PX, :EDGE_PX]))
    assert len(found_by([blank], np.zeros((300, 300), np.uint8))) == 0
    assert len(found_by([], steel(5))) == 0
    # A window smaller than what a code describes has none.
    assert fingerprint(steel(5)[:10, :10]) == ""


FORMER = (
    "lxAO7gUAIQAIkB1hIAAZAEvqIZEgACIAPMvz2w8AGgDvZ1aYGwARAGmv8lcFABoAiC05iw4AFAAcC54W"
    "BQAMAJwS2EQfABcAEVePbAAADQBHiAoXGAAYAH1UyVENAB0A"
)


def test_fingerprints_written_before_are_found_again():
    """Cards outlive versions: were codes made in another way, none would be known again."""
    rows, columns = np.indices((60, 60), dtype=np.uint32)
    pixels = ((rows * 2654435761 ^ columns * 40503) >> 7).astype(np.uint8)
    assert fingerprint(pixels) == FORMER


@pytest.fixture
def networks(tmp_path, trained):
    """Return the files of two networks, the second of which was trained on the sites."""
    _, sites = trained
    model_card(training_sites=()).write(tmp_path / "inclusion.json")
    model_card(training_sites=tuple(sites)).write(tmp_path / "damage.json")
    return {stage: tmp_path / f"{stage}.keras" for stage in STAGES}


def test_labels_on_training_sites_are_refused_and_listed(tmp_path, trained, networks):
    images = store(tmp_path, again=trained[0], other=steel(2))
    labels = pd.concat([at("other", PLACES), at("again", [(451, 349), (300, 200), (60, 399)])])
    with pytest.raises(InputError) as error:
        check_held_out(labels, written(labels), images, networks=networks, windows=[WINDOW])
    message = str(error.value)
    words = [
        "2 of 9 labelled sites",
        "again.tsv, row 2: again, x 451, y 349 px",
        "first, x 450, y 350",
    ]
    assert all(word in message for word in [*words, "damage.keras", "models: train"])
    assert "x 300" not in message and "other.tsv" not in message


def test_what_is_not_known_is_said(tmp_path, networks):
    images = store(tmp_path, other=steel(2))
    labels = at("other", PLACES)
    options = {"networks": networks, "windows": [WINDOW]}
    checked = check_held_out(labels, written(labels), images, **options).set_index("stage")
    assert checked.loc["damage", ["training_sites", "labels", "held_out"]].tolist() == [6, 6, "yes"]
    # An earlier version, a network that began with unknown weights, and no card at all.
    card = ModelCard.read(tmp_path / "damage.json")
    for changes, reason in (
        ({"training_sites": None}, "does not list the sites"),
        ({"unlisted_sites": "it began with weights"}, "it began with weights"),
    ):
        card.model_copy(update=changes).write(tmp_path / "damage.json")
        row = (
            check_held_out(labels, written(labels), images, **options)
            .set_index("stage")
            .loc["damage"]
        )
        assert row["held_out"] == "not known" and reason in row["reason"]
    (tmp_path / "damage.json").unlink()
    row = (
        check_held_out(labels, written(labels), images, **options).set_index("stage").loc["damage"]
    )
    assert row["held_out"] == "not known" and "no card" in row["reason"]
