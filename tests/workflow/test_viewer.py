"""The viewer of whole studies holds every panorama and every site, whatever the study lacks."""

import json
import re

import pandas as pd
import pytest
from PIL import Image

from damascene.images.store import TiledImage
from damascene.viewer.tiles import VIEWER_TILE_PX
from tests.made_images import simulated
from tests.made_viewer import unpacked

from .conftest import BLANK, GRID


@pytest.fixture(scope="module")
def viewed(small_study, tmp_path_factory):
    """Return a copy of the small study with its report and its viewer, asked for in one run."""
    study = small_study.copied(tmp_path_factory.mktemp("viewed") / "study")
    return study.finish("--", "report", "viewer")


@pytest.fixture(scope="module")
def imported_viewed(imported_study, tmp_path_factory):
    """Return a copy of the study of a grid with gaps and a panorama without sites, viewed."""
    study = imported_study[0].copied(tmp_path_factory.mktemp("imported_viewed") / "study")
    return study.finish("--", "viewer")


def facts_of(study):
    page = study.path("viewer/index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'id="study">(.*?)</script>', page, re.DOTALL)[1])


def told_sites(study, name):
    script = study.path(f"viewer/sites/{name}.js").read_text(encoding="utf-8")
    text = re.search(r"JSON\.parse\('(.*)'\)", script, re.DOTALL)[1]
    return json.loads(re.sub(r"\\(.)", r"\1", text))


def assert_all_tiles(study, name):
    image = study.path(f"panoramas/{name}.ome.tif")
    with TiledImage(image) as opened:
        levels = opened.level_count
    for level in range(levels):
        with TiledImage(image, level=level) as opened:
            rows, columns = (-(-edge // VIEWER_TILE_PX) for edge in opened.shape)
        packs = study.path(f"viewer/tiles/{name}/{level}").iterdir()
        assert sum(len(unpacked(path.read_bytes())[1]) for path in packs) == rows * columns


def test_the_page_holds_all_panoramas_and_sites_of_the_study(viewed):
    facts = facts_of(viewed)
    assert [one["panorama"] for one in facts["panoramas"]] == ["unstrained", "strained"]
    for one in facts["panoramas"]:
        name = one["panorama"]
        sites = pd.read_parquet(viewed.path(f"sites/{name}.parquet"))
        counts = sites["class"].value_counts().to_dict()
        assert {key: n for key, n in one["counts"].items() if n} == counts
        found = told_sites(viewed, name)
        assert found["columns"]["site_id"] == sorted(sites["site_id"])
        answers = pd.read_parquet(viewed.path("labels/answers.parquet"))
        assert (
            len(found["answers"]) + len(found["astray"]) == (answers["panorama"] == name).sum() > 0
        )
        assert "distance_um" in found["columns"]
        _, outlines = unpacked(viewed.path(f"viewer/sites/{name}.outlines.js").read_bytes())
        assert len(outlines) == len(sites) and all(outlines)
        assert_all_tiles(viewed, name)
    assert facts["networks"].keys() == {"inclusion", "damage"}
    assert all(len(each["sha256"]) == 64 for each in facts["networks"].values())
    assert list(facts["phases"]) == ["ferrite", "martensite", "damage"]


def test_the_report_links_to_a_viewer_that_is_there(viewed):
    page = viewed.path("report/report.html").read_text(encoding="utf-8")
    (link,) = re.findall(r'href="(\.\./viewer/[^"]*)"', page)
    assert viewed.path("report").joinpath(link).resolve().is_file()


def test_nothing_is_left_to_do(viewed):
    said = viewed.run("--dry-run", "--", "report", "viewer").stdout
    assert "Nothing to be done" in said


def test_a_panorama_without_sites_and_one_with_gaps_are_viewed(imported_viewed):
    facts = {one["panorama"]: one for one in facts_of(imported_viewed)["panoramas"]}
    assert facts[BLANK]["candidates"] == 0 and facts[GRID]["candidates"] > 0
    assert facts[GRID]["valid_fraction"] < 1
    assert told_sites(imported_viewed, BLANK)["columns"]["x_px"] == []
    for name in facts:
        assert_all_tiles(imported_viewed, name)
    # A missing tile of the grid has no picture.
    pictures = [
        picture
        for path in imported_viewed.path(f"viewer/tiles/{GRID}/0").iterdir()
        for picture in unpacked(path.read_bytes())[1]
    ]
    assert b"" in pictures


def test_candidates_are_viewed_where_nothing_is_classified(study, tmp_path):
    _, pixels = simulated(
        tmp_path, shape=(900, 1300), pixel_size_nm=40, seed=5, dwell_time_ns=3000, threads=1
    )
    Image.fromarray(pixels).save(tmp_path / "a.png")
    settings = {"data_folder": str(tmp_path), "segmentation": {"method": "none"}}
    study.configure(settings, "a\ta.png\t\t40\t").finish("--", "viewer", "plan_resources")
    facts = facts_of(study)
    candidates = pd.read_parquet(study.path("candidates/a.parquet"))
    assert facts["panoramas"][0]["counts"] == {"candidate": len(candidates)}
    assert facts["networks"] == facts["phases"] == {} and len(candidates) > 3
    assert told_sites(study, "a")["words"] == {}
    assert not study.path("viewer/phases").exists()
    assert_all_tiles(study, "a")
    preview = study.path("planning/preview.txt").read_text()
    assert re.search(r"viewer +on request [\d.]+ core-hours and [\d.]+ GB more", preview)
