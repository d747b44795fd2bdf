"""The small study with every panorama shared among several jobs."""

import shutil

import pytest

STRIPS = 3
#: What is made anew, and from which of the products it is made.
PARTS = {
    "candidates": (
        ("denoised", "candidates"),
        ("denoise_strip", "join_denoised", "find_dark_pixels", "cluster_strips", "describe_strip"),
        (
            "denoised/strained.ome.tif",
            *(f"candidates/strained.{kind}" for kind in ("parquet", "runs.parquet", "json")),
        ),
        "candidates/strained.descriptors.parquet",
    ),
    "predictions": (
        ("predictions",),
        ("classify_strip", "join_sites"),
        (),
        "predictions/strained.parquet",
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_strips_change_nothing(small_study, tmp_path, part):
    """Byte for byte, with the networks of the default study."""
    removed, rules, between, target = PARTS[part]
    again = small_study.copied(tmp_path / "study")
    for folder in removed:
        shutil.rmtree(again.path(folder))
    # Other rules than those that made the rest of the study would else be a reason to make it anew.
    options = ("--config", f"strips={STRIPS}", "--rerun-triggers", "mtime")
    done = again.run(f"results/{target}", *options)
    assert done.returncode == 0, done.stdout[-6000:]
    for rule in rules:
        expected = STRIPS if rule.endswith(("strip", "pixels")) else 1
        assert len(list(again.path(f"logs/{rule}").glob("*.log"))) == expected, rule
    for product in (*between, target):
        assert again.path(product).read_bytes() == small_study.path(product).read_bytes(), product
    # What lay in between is gone.
    assert not list(again.path("strips").glob("*"))
