"""Which files a panorama is made from, and whether they changed since it was imported."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from damascene import InputError
from damascene.images.source_files import changed_files, source_files, source_states


@pytest.fixture
def grid(tmp_path):
    """Return a grid file of three tiles in a folder of their own."""
    folder = tmp_path / "data"
    (folder / "tiles/left").mkdir(parents=True)
    for name in ("left/a.tif", "b.tif", "c.tif"):
        (folder / "tiles" / name).write_bytes(name.encode() * 1000)
    (folder / "grid.tsv").write_text(
        "file\tcolumn\trow\nleft/a.tif\t0\t0\nb.tif\t1\t0\nc.tif\t2\t0\n"
    )
    return folder / "grid.tsv"


def files_of(grid):
    return source_files(grid, tile_folder=grid.parent / "tiles")


def replace(path, content, *, seconds_later):
    """Replace a file by another of the same size, whose time may be earlier."""
    assert len(content) == path.stat().st_size
    time_ns = path.stat().st_mtime_ns + int(seconds_later * 1e9)
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(time_ns, time_ns))
    other.replace(path)


def test_a_panorama_of_one_image_has_one_file(tmp_path):
    path = tmp_path / "image.tif"
    path.write_bytes(b"pixels")
    assert source_files(path) == [("image.tif", path)]
    (state,) = source_states(source_files(path))
    assert (state.file, state.size_bytes) == ("image.tif", 6)
    assert state.modified_ns == path.stat().st_mtime_ns
    assert state.sha256 == hashlib.sha256(b"pixels").hexdigest()


def test_a_grid_has_its_tiles_by_the_names_in_its_list(grid):
    names = ["grid.tsv", "left/a.tif", "b.tif", "c.tif"]
    assert [name for name, _ in files_of(grid)] == names
    assert files_of(grid)[1][1] == grid.parent / "tiles/left/a.tif"
    assert [state.file for state in source_states(files_of(grid), threads=3)] == names


def test_frames_lie_beside_their_list_and_no_name_is_an_absolute_path(tmp_path):
    listed = tmp_path / "frames.tsv"
    listed.write_text(f"\ufefffile\tx_um\ty_um\nf1.png\t0\t0\n{tmp_path}/elsewhere/f2.png\t5\t0\n")
    files = source_files(listed)
    assert files[1] == ("f1.png", tmp_path / "f1.png")
    assert files[2][1] == tmp_path / "elsewhere/f2.png"
    assert files[2][0] == f"{tmp_path}/elsewhere/f2.png".removeprefix("/")


def test_a_list_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"grid\.tsv: no such grid file"):
        source_files(tmp_path / "grid.tsv")


def test_nothing_has_changed_at_first(grid):
    assert changed_files(source_states(files_of(grid)), files_of(grid)) == []


@pytest.mark.parametrize("seconds_later", [-3600, 3600])
def test_a_tile_that_was_replaced_is_found_also_with_an_older_time(grid, seconds_later):
    before = source_states(files_of(grid))
    tile = grid.parent / "tiles/b.tif"
    replace(tile, b"x" * tile.stat().st_size, seconds_later=seconds_later)
    assert changed_files(before, files_of(grid)) == ["b.tif"]


def test_a_file_of_another_size_has_changed_whatever_its_time(grid):
    before = source_states(files_of(grid))
    tile = grid.parent / "tiles/c.tif"
    time_ns = tile.stat().st_mtime_ns
    tile.write_bytes(b"shorter")
    os.utime(tile, ns=(time_ns, time_ns))
    assert changed_files(before, files_of(grid)) == ["c.tif"]


def test_files_that_were_only_touched_have_not_changed(grid):
    before = source_states(files_of(grid))
    for _, path in files_of(grid):
        os.utime(path, ns=(1, 1))
    assert changed_files(before, files_of(grid)) == []


def test_a_folder_that_was_moved_or_copied_has_not_changed(grid, tmp_path):
    before = source_states(files_of(grid))
    moved = shutil.move(grid.parent, tmp_path / "moved")
    assert changed_files(before, files_of(moved / "grid.tsv")) == []
    # A copy has the time of the copying.
    copied = shutil.copytree(moved, tmp_path / "copied", copy_function=shutil.copyfile)
    os.utime(copied / "tiles/b.tif", ns=(7, 7))
    assert changed_files(before, files_of(copied / "grid.tsv")) == []


def test_only_files_of_another_time_are_read(grid, monkeypatch):
    before = source_states(files_of(grid))
    os.utime(grid.parent / "tiles/b.tif", ns=(1, 1))
    read = []
    digest = hashlib.file_digest

    def noted(file, name):
        read.append(Path(file.name).name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    assert changed_files(before, files_of(grid)) == [] and read == ["b.tif"]


def test_tiles_that_are_new_gone_or_missing_are_named(grid):
    before = source_states(files_of(grid))
    tiles = grid.parent / "tiles"
    (tiles / "d.tif").write_bytes(b"new")
    (tiles / "b.tif").unlink()
    grid.write_text("file\tcolumn\trow\nleft/a.tif\t0\t0\nb.tif\t1\t0\nd.tif\t2\t0\n")
    assert changed_files(before, files_of(grid)) == ["grid.tsv", "b.tif", "d.tif", "c.tif"]
