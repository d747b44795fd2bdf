"""Products are whole or absent, whatever stops the writing, and a full disk is told as such."""

import errno
import os
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from damascene import InputError, files
from damascene.contracts.sites import SITES
from damascene.contracts.table import empty_table, read_table, write_table
from damascene.files import (
    file_states,
    files_below,
    require_unchanged,
    temporary_path,
    write_array,
    write_json,
    write_text,
    written_whole,
)

ROOT = Path(__file__).parents[2]
# Each write is real, but for one call in the middle of it that ends the process.
KILLED = {
    "text": "monkey(pathlib.Path, 'write_text'); files.write_text(path, 'text')",
    "json": "monkey(pathlib.Path, 'write_text'); files.write_json(path, {'a': 1})",
    "array": "monkey(np.lib.format, 'write_array'); monkey(np, 'save');"
    "files.write_array(path, np.ones(9))",
    "parquet": "monkey(pd.DataFrame, 'to_parquet'); write_table(sites, path, SITES)",
    "tsv": "monkey(pd.DataFrame, 'to_csv'); write_tsv(sites, path, SITES)",
    "figure": "monkey(Figure, 'savefig');"
    "style.save_figure(style.new_figure(width_mm=50, height_mm=50), path, path + '.png')",
    "mask": "monkey(store, 'write_tiled');"
    "store.write_all_valid(path, shape=(9, 9), pixel_size_nm=40, name='m')",
}
PROGRAM = """
import os, pathlib, signal, sys
import numpy as np, pandas as pd
from matplotlib.figure import Figure
from damascene import files
from damascene.contracts.sites import SITES
from damascene.contracts.table import empty_table, write_table, write_tsv
from damascene.figures import style
from damascene.images import store
path, sites = sys.argv[1], empty_table(SITES)
def monkey(owner, name):
    def half(*given, **options):
        place = next(pathlib.Path(one) for one in given if isinstance(one, (str, os.PathLike)))
        with open(place, "wb") as file:
            file.write(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, half)
"""


@pytest.mark.parametrize("kind", KILLED)
def test_a_kill_in_the_middle_leaves_nothing_at_the_name(tmp_path, kind):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + KILLED[kind], str(tmp_path / "product")],
        cwd=ROOT / "workflow/scripts",
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = list(tmp_path.iterdir())
    assert [path.read_bytes() for path in left] == [b"half of it"]
    assert left[0].name.startswith(".partial.") and left[0].name.endswith(".product")
    # The next writer knows that this one is gone.
    write_text(tmp_path / "product", "whole")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]


def test_products_are_written(tmp_path):
    write_text(tmp_path / "a.txt", "words\n")
    write_json(tmp_path / "b.json", {"c": 1})
    write_array(tmp_path / "d.npy", np.arange(4))
    assert (tmp_path / "a.txt").read_text() == "words\n"
    assert (tmp_path / "b.json").read_text() == '{\n  "c": 1\n}\n'
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), np.arange(4))
    assert len(list(tmp_path.iterdir())) == 3


def test_two_writers_of_one_product_do_not_meet(tmp_path):
    """As of a job that was queued again while its predecessor goes on."""
    path = tmp_path / "a.txt"
    with written_whole(path) as (first,):
        first.write_text("first, half")
        with written_whole(path) as (second,):
            assert second != first
            second.write_text("second")
            # A process of its own: it leaves what living ones write.
            write = f"from damascene.files import write_text; write_text({str(path)!r}, 'third')"
            done = [sys.executable, "-c", write]
            subprocess.run(done, cwd=ROOT / "workflow/scripts", check=True)
            assert path.read_text() == "third"
        assert path.read_text() == "second" and first.read_text() == "first, half"
        first.write_text("first")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_path_of_a_temporary_path_names_one_writer(tmp_path):
    once = temporary_path(tmp_path / "a.txt")
    twice = temporary_path(once)
    assert twice != once and twice.name.count(".partial.") == 1
    assert twice.name.endswith(".a.txt") and len(twice.name) == len(once.name)


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    of_this = temporary_path(tmp_path / "a.txt").name
    gone = of_this.replace(f"~{os.getpid()}~", f"~{ended}~")
    host = of_this.split(".")[2].split("~")[0]
    elsewhere = of_this.replace(f".{host}~", ".elsewhere~")
    names = [of_this, gone, elsewhere, gone.replace("a.txt", "b.txt"), ".partial.other.a.txt"]
    for name in names:
        (tmp_path / name).write_text("half")
    (tmp_path / gone.replace("a.txt", "a.txt.cover")).mkdir()
    write_text(tmp_path / "a.txt", "whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names, "a.txt", gone.replace("a.txt", "a.txt.cover")} - {gone}
    # What nobody touched for a day has no writer on another machine either.
    os.utime(tmp_path / elsewhere, (1e9, 1e9))
    temporary_path(tmp_path / "a.txt.cover")
    write_text(tmp_path / "a.txt", "whole")
    left -= {elsewhere, gone.replace("a.txt", "a.txt.cover")}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_an_error_keeps_the_earlier_product(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("earlier")
    with pytest.raises(ValueError, match="wrong"), written_whole(path) as (part,):
        part.write_text("half")
        raise ValueError("wrong")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    words = r"a\.txt: the disk is full\. Free some space and run again; finished products are kept"
    with pytest.raises(InputError, match=words), written_whole(tmp_path / "a.txt") as (part,):
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    # NumPy says only how many values it could write.
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: namedtuple("U", "free")(0))
    with pytest.raises(InputError, match=words), written_whole(tmp_path / "a.txt"):
        raise OSError("5000 requested and 432 written")
    assert not list(tmp_path.iterdir())


def test_other_errors_of_the_disk_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), written_whole(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_files_that_change_while_they_are_read_are_named(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"first half")
    states = file_states([path])
    require_unchanged(states)
    path.write_bytes(b"first half and second half")
    with pytest.raises(InputError, match=r"a\.tif changed while it was read.*copy is complete"):
        require_unchanged(states)
    path.unlink()
    with pytest.raises(InputError, match="changed while it was read"):
        require_unchanged(states)


def test_a_damaged_table_is_named(tmp_path):
    path = tmp_path / "sites.parquet"
    write_table(empty_table(SITES), path, SITES)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"sites\.parquet cannot be read as a table.*Delete it"):
        read_table(path, SITES)


def test_text_is_utf_8_whatever_the_language_of_the_machine(tmp_path):
    """Units and infinity must not stop a job, nor become other signs, on an old cluster."""
    path = tmp_path / "text.txt"
    text = "5 µm, ∞, ≤"
    code = f"import sys; from damascene import files; files.write_text(sys.argv[1], {text!a})"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, **plain, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        check=True,
    )
    assert path.read_bytes().decode("utf-8") == text


def test_files_in_folders_and_links_to_folders_are_found_once(tmp_path):
    inner, elsewhere = tmp_path / "top/b", tmp_path / "elsewhere"
    for folder in (inner, elsewhere):
        folder.mkdir(parents=True)
    for path in (inner / "1.xml", elsewhere / "2.xml", tmp_path / "top/0.xml"):
        path.touch()
    (tmp_path / "top/link").symlink_to(elsewhere)
    (inner / "round").symlink_to(tmp_path / "top")
    (inner / "nowhere").symlink_to(tmp_path / "none")
    found = [
        path.relative_to(tmp_path / "top").as_posix() for path in files_below(tmp_path / "top")
    ]
    assert found == ["0.xml", "b/1.xml", "link/2.xml"]


def test_a_folder_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refused)
    with pytest.raises(InputError, match=r"Permission denied\. Make it readable"):
        files_below(tmp_path)
