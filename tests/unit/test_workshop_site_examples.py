"""What the page on learning without labels groups, for studies with and without labels."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.test_workshop_clips import made_files

from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import empty_table, write_table
from damascene.images.store import write_all_valid, write_tiled
from damascene.workshop.site_examples import EDGE_PX, examples_of

NOTHING = {"split": [], "clips": [], "descriptors": [], "candidates": [], "image": [], "valid": []}


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 255, size=(200, 240), dtype=np.uint8)


def candidates(folder, picture, count):
    """Write a panorama with candidates whose area tells where they are."""
    rng = np.random.default_rng(2)
    sites = empty_table(CANDIDATES).reindex(range(count))
    text = [name for name in sites if sites[name].dtype in (object, "string", "str")]
    sites[text] = ""
    rest = [name for name in sites if name not in text]
    sites[rest] = sites[rest].fillna(1)
    sites = sites.astype(empty_table(CANDIDATES).dtypes.to_dict())
    sites["panorama"], sites["site_id"] = "a", range(count)
    sites["x_px"], sites["y_px"] = rng.uniform(30, 200, count), rng.uniform(30, 170, count)
    sites["area_px"] = np.arange(count) + 1
    write_table(sites, folder / "a.parquet", CANDIDATES)
    known = {"shape": picture.shape, "pixel_size_nm": 40, "name": "a"}
    write_tiled(folder / "a.ome.tif", [picture], **known)
    write_all_valid(folder / "a.valid.ome.tif", **known)
    files = {"candidates": "a.parquet", "image": "a.ome.tif", "valid": "a.valid.ome.tif"}
    return {name: folder / path for name, path in files.items()}


def test_labelled_sites_come_first_with_the_middle_of_their_clips(tmp_path, picture):
    files = NOTHING | made_files(tmp_path)
    found = examples_of(files, picture, window="5 um", seed=1, least=2)
    assert found.kind == "labelled sites"
    assert found.labelled
    assert found.classes.tolist() == ["notch", "inclusion", "notch"]
    assert found.clips.shape == (3, EDGE_PX, EDGE_PX)
    # The upper half of each clip is bright, and so of its middle.
    assert np.allclose(found.clips[:, :16].mean(axis=(1, 2)), [0.2, 0.4, 1])
    assert not found.clips[:, 16:].any()
    assert found.measures["log_area"].tolist() == [0, 1, 2]


def test_candidates_stand_in_for_few_labels(tmp_path, picture):
    files = NOTHING | made_files(tmp_path) | candidates(tmp_path, picture, 40)
    # 64 pixels of 40 nm, of which clips show the middle half.
    found = examples_of(files, picture, window="2.56 um", seed=1)
    assert found.kind == "candidates without labels"
    assert not found.labelled
    assert len(found.clips) == len(found.measures) == 40
    sites = pd.read_parquet(files["candidates"])
    x, y = round(sites["x_px"][7]), round(sites["y_px"][7])
    middle = found.clips[7][14:18, 14:18] * 255
    around = picture[y - 4 : y + 5, x - 4 : x + 5]
    # The clip is a window of the picture around the site.
    assert any(
        np.array_equal(middle.round(), around[i : i + 4, j : j + 4])
        for i in range(6)
        for j in range(6)
    )
    assert found.measures["area_px"].tolist() == list(range(1, 41))


@pytest.mark.parametrize("count", [0, 5])
def test_pieces_of_the_image_stand_in_where_there_are_few_candidates(tmp_path, picture, count):
    files = NOTHING | candidates(tmp_path, picture, count) if count else NOTHING
    found = examples_of(files, picture, window="5 um", seed=1)
    assert found.kind == "pieces of the image"
    assert not found.labelled
    assert len(found.clips) == len(found.measures) == len(found.classes) >= 30
    assert found.clips.shape[1:] == (EDGE_PX, EDGE_PX)
    means = found.clips.mean(axis=(1, 2)) * 255
    assert np.allclose(found.measures["mean_grey"], means, atol=1e-3)


def test_one_seed_gives_the_same_pieces(picture):
    first, again = (examples_of(NOTHING, picture, window="5 um", seed=4) for _ in range(2))
    assert np.array_equal(first.clips, again.clips)
