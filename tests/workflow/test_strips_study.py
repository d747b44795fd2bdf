"""The small study with every panorama shared among several jobs."""

import shutil

import pytest

from .conftest import Study


@pytest.mark.parametrize("strips", [3])
def test_strips_change_nothing(small_study, tmp_path, strips):
    """Tables and denoised panoramas, byte for byte, the networks trained on them included."""
    again = Study(tmp_path / "study")
    shutil.copytree(small_study.folder, again.folder)
    shutil.rmtree(again.path("denoised"))
    done = again.run("--config", f"strips={strips}")
    assert done.returncode == 0, done.stdout[-6000:]
    for rule in ("join_denoised", "cluster_strips", "join_descriptors", "join_sites"):
        assert f"rule {rule}:" in done.stdout
    assert f"results/logs/classify_strip/strained.{strips - 1}.log" in done.stdout
    first, second = small_study.files(), again.files()
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    for name in ("unstrained", "strained"):
        for product in (f"denoised/{name}.ome.tif", f"candidates/{name}.descriptors.npy"):
            assert again.path(product).read_bytes() == small_study.path(product).read_bytes()
    # What lay in between is gone.
    assert not list(again.path("strips").glob("*"))
