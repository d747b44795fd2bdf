"""Notes about the user's files: written anew where what the files hold has changed."""

import os
import shutil

import pytest
from made_records import panorama_record

from damascene import InputError
from damascene.config.study import load_study
from damascene.images.source_files import source_files, source_states
from damascene.study.dropped import with_dropped_labels
from damascene.study.plan import plan_study
from damascene.study.sheet import read_sheet
from damascene.study.sources import label_digest, note_sources

NOTE = "sources/panoramas/a.json"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.tif").write_bytes(b"the first image")
    (tmp_path / "data/l.tsv").write_text("panorama\tx_px\ty_px\tlabel\na\t1\t2\tnotch\n")
    head = "panorama\tpath\tpixel_size_nm\tstrain_percent\n"
    (tmp_path / "sheet.tsv").write_text(f"{head}a\ta.tif\t40\t0\n")
    return tmp_path


def note(folder, data="data"):
    study = load_study({"data_folder": data, "labels": [{"path": "l.tsv"}]})
    return note_sources(plan_study(study, read_sheet(folder / "sheet.tsv")))


def imported(folder):
    """Write the record and the image that an import would leave, an hour old."""
    (folder / "results/panoramas").mkdir(parents=True, exist_ok=True)
    states = source_states(source_files(folder / "data/a.tif"))
    panorama_record("a", sources=states).write(folder / "results/panoramas/a.json")
    (folder / "results/panoramas/a.ome.tif").write_bytes(b"pixels")
    then = (folder / "data/a.tif").stat().st_mtime - 3600
    for path in (folder / "results/panoramas").iterdir():
        os.utime(path, (then, then))


def test_a_replaced_image_changes_its_note_and_a_moved_one_does_not(folder):
    assert note(folder) == []
    first = (folder / "results" / NOTE).read_bytes()
    imported(folder)
    shutil.copytree("data", "elsewhere")
    assert note(folder, "elsewhere") == [] == note(folder)
    assert (folder / "results" / NOTE).read_bytes() == first
    before = (folder / "data/a.tif").stat()
    (folder / "data/a.tif").write_bytes(b"another image!!")
    os.utime("data/a.tif", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert note(folder) == ["Panorama 'a' is imported again: a.tif changed."]
    assert (folder / "results" / NOTE).read_bytes() != first


def test_an_image_that_was_replaced_before_its_import_is_not_imported_twice(folder):
    note(folder)
    (folder / "data/a.tif").write_bytes(b"replaced while the run had begun")
    imported(folder)
    assert note(folder) == []
    product = folder / "results/panoramas/a.ome.tif"
    assert (folder / "results" / NOTE).stat().st_mtime <= product.stat().st_mtime


def test_labels_are_known_by_their_content(folder):
    note(folder)
    os.utime("data/l.tsv", (0, 0))
    assert note(folder) == []
    (folder / "data/l.tsv").write_text("panorama\tx_px\ty_px\tlabel\na\t1\t2\tinterface\n")
    assert note(folder) == ["Labels are collected again: 1 l.tsv changed."]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"1 l.tsv": ["x"]}', '{"p": null}'])
def test_notes_that_were_damaged_are_written_anew(folder, content):
    note(folder)
    whole = {path: path.read_bytes() for path in (folder / "results/sources").rglob("*.json")}
    assert len(whole) == 2
    for path in [*whole, folder / "results/sources/checksums.json"]:
        path.write_text(content)
    note(folder)
    assert {path: path.read_bytes() for path in whole} == whole


def test_a_note_that_cannot_be_written_is_told(folder):
    (folder / "results/sources/panoramas/a.json").mkdir(parents=True)
    with pytest.raises(InputError, match=r"a\.json cannot be written"):
        note(folder)


def test_labels_have_a_name_by_what_they_say_and_who_said_it(folder):
    labels = folder / "config/labels"
    labels.mkdir(parents=True)
    first = (folder / "data/l.tsv").read_text()
    (labels / "sheet_ada.tsv").write_text(first)
    (labels / "sheet_bob.tsv").write_text(first.replace("notch", "interface"))
    (folder / "data/m.tsv").write_text(first.replace("notch", "martensite"))

    def name(*listed):
        study = load_study({"data_folder": "data", "labels": [{"path": path} for path in listed]})
        plan = plan_study(with_dropped_labels(study), read_sheet(folder / "sheet.tsv"))
        note_sources(plan)
        return label_digest(plan)

    before = name("l.tsv", "m.tsv")
    # The later of two answers counts.
    assert name("m.tsv", "l.tsv") != before
    (labels / "sheet_ada.tsv").rename(labels / "zz_ada_20260501.tsv")
    assert len({before, name("l.tsv", "m.tsv")}) == 2
    (labels / "zz_ada_20260501.tsv").rename(labels / "ada_20260501.tsv")
    assert name("l.tsv", "m.tsv") == before
    # The answers of two people become those of one.
    (labels / "ada_20260501.tsv").rename(labels / "bob_20260501.tsv")
    assert name("l.tsv", "m.tsv") != before
