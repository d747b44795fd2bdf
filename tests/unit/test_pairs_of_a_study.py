"""Second scans and the comparison of denoisers in a study: what is told before any work."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from damascene import InputError
from damascene.config.study import load_study
from damascene.study import models
from damascene.study.check import check_study
from damascene.study.plan import plan_study
from damascene.study.sheet import read_sheet
from damascene.study.sources import note_sources

HEADER = "panorama\tpath\tpixel_size_nm\tstrain_percent\tpaired_scan"
GIVEN = {"panoramas": "sheet.tsv", "models": "simulated", "data_folder": "data"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    draw("fast.png", (900, 700))
    draw("slow.png", (900, 700))
    return tmp_path


def draw(name, size):
    grey = np.random.default_rng(sum(name.encode())).integers(60, 160, size[::-1], np.uint8)
    Image.fromarray(grey).save(f"data/{name}")


def sheet(*rows):
    path = Path("sheet.tsv")
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return read_sheet(path).set_index("panorama", drop=False)


def test_a_pair_that_fits_is_accepted(folder):
    assert check_study(load_study(GIVEN), sheet("a\tfast.png\t40\t1\tslow.png"))


def test_all_that_headers_tell_of_pairs_is_told_at_once(folder):
    draw("small.png", (400, 300))
    rows = (
        "a\tfast.png\t40\t1\tnone.png",
        "b\tfast.png\t40\t1\tsmall.png",
        "c\tfast.png\t40\t1\tslow.png",
        "d\tfast.png\t40\t1\ttext.png",
    )
    (folder / "data/text.png").write_text("no image")
    with pytest.raises(InputError) as error:
        check_study(load_study(GIVEN), sheet(*rows))
    lines = str(error.value).splitlines()
    for words in (
        ("row 2, column 'paired_scan': there is no file data/none.png"),
        ("row 3, column 'paired_scan': data/small.png has 400 x 300 px"),
        ("row 5, column 'paired_scan': data/text.png"),
    ):
        assert any(words in line for line in lines), lines
    assert not any("row 4" in line for line in lines)


def test_a_copy_of_the_panorama_is_no_second_scan(folder):
    (folder / "data/copy.png").write_bytes((folder / "data/fast.png").read_bytes())
    for name in ("copy.png", "./fast.png"):
        with pytest.raises(InputError, match=r"row 2, column 'paired_scan': .* holds the same as"):
            check_study(load_study(GIVEN), sheet(f"a\tfast.png\t40\t1\t{name}"))


@pytest.mark.parametrize(
    ("module", "name"),
    [("phase_labels", "SHIPPED_PHASE_MODEL"), ("denoising_plan", "SHIPPED_DENOISER")],
)
def test_a_ready_made_network_that_is_missing_or_damaged_is_told(folder, monkeypatch, module, name):
    shipped = getattr(models, name)
    copy = folder / shipped.name
    monkeypatch.setattr(f"damascene.study.{module}.{name}", copy)
    rows = sheet("a\tfast.png\t40\t1\tslow.png")
    with pytest.raises(InputError, match=f"there is no file .*{copy.name}, which comes with"):
        check_study(load_study(GIVEN), rows)
    copy.with_suffix(".json").write_bytes(shipped.with_suffix(".json").read_bytes())
    copy.write_bytes(shipped.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"{copy.name} is damaged or incomplete"):
        check_study(load_study(GIVEN), rows)
    copy.write_bytes(shipped.read_bytes())
    assert check_study(load_study(GIVEN), rows)


def test_a_second_scan_that_was_replaced_is_read_again(folder):
    study = load_study(GIVEN)
    plan = plan_study(study, sheet("a\tfast.png\t40\t1\tslow.png").reset_index(drop=True))
    assert plan.paired == plan.paired_imported == ("a",) and plan.paired_simulated == ()
    assert note_sources(plan) == []
    note = folder / "results/sources/paired/a.json"
    before = note.read_bytes()
    assert note_sources(plan) == [] and note.read_bytes() == before
    draw("slow.png", (900, 701))
    note_sources(plan)
    assert note.read_bytes() != before


def compared(rows, **given):
    study = load_study(GIVEN | given)
    return plan_study(study, sheet(*rows).reset_index(drop=True)).comparison


def test_denoisers_are_compared_where_it_is_known_what_is_there(folder):
    rows = (
        "sim\tsimulated\t40\t1\t",
        "pair\tfast.png\t40\t2\tslow.png",
        "alone\tfast.png\t40\t3\t",
    )
    assert compared(rows).names == ("sim", "pair")
    noise = {"compare_denoising": {"added_noise": "gamma"}}
    assert compared(rows, **noise).names == ("sim", "pair", "alone")
    assert compared(rows[2:]).names == ()
    many = [f"p{number:03}\tsimulated\t40\t{number}\t" for number in range(100)]
    names = compared(many).names
    assert len(names) == 12 and (names[0], names[-1]) == ("p000", "p099")
    assert compared(rows).models.endswith("resources/models")
    assert len(compared(rows).model_files) == 4


def test_methods_are_those_named_and_that_of_the_study(folder):
    rows = ("sim\tsimulated\t40\t1\t",)
    plan = compared(rows)
    assert plan.methods[0] == "none" and "self_supervised" not in plan.methods
    assert "simulated" in plan.methods
    assert all(Path(file).is_file() for file in plan.given_networks) and plan.given_networks
    few = {"methods": ["median"]}
    assert compared(rows, compare_denoising=few).methods == ["none", "median"]
    assert compared(rows, compare_denoising=few).given_networks == []
    own = {"denoise": {"method": "self_supervised"}}
    assert compared(rows, compare_denoising=few, **own).methods[-1] == "self_supervised"
    # It learned from the noise of the panorama, and not from what is added.
    added = few | {"added_noise": "gaussian"}
    assert "self_supervised" not in compared(rows, compare_denoising=added, **own).methods
    with pytest.raises(InputError, match=r"self_supervised learn from the noise of the panoramas"):
        compared(rows, compare_denoising=added | {"methods": ["self_supervised"]})
