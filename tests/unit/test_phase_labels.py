"""Label images of phases: what is read from them, and what is refused before any work."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from damascene import InputError
from damascene.classes import PHASE_VALUES
from damascene.config.study import load_study
from damascene.images.store import TiledImage, write_tiled
from damascene.segmentation.label_images import (
    count_labels,
    import_labels,
    import_true_phases,
    label_header,
    require_legend,
    require_size,
)
from damascene.study.check import check_study
from damascene.study.phase_labels import note_phase_labels
from damascene.study.phase_plan import PhasePlan
from damascene.study.sheet import read_sheet

LEGEND = {"matrix": 0, "network": 85, "needles": 255}
PHASES = {name: {"label": grey, "colour": "#112233"} for name, grey in LEGEND.items()}


def labels(shape=(300, 200), seed=0):
    return np.random.default_rng(seed).choice(list(LEGEND.values()), shape).astype(np.uint8)


def saved(path, pixels, **options):
    Image.fromarray(pixels, **options).save(path)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_values_are_counted_with_the_place_of_the_first(tmp_path, name):
    pixels = labels()
    pixels[pixels == 85] = 0
    pixels[150, 7] = pixels[290, 3] = 85
    counts = count_labels(saved(tmp_path / name, pixels))
    assert counts.shape == (300, 200)
    assert counts.greys[85] == (2, 150, 7)
    for grey, (number, row, column) in counts.greys.items():
        assert number == (pixels == grey).sum()
        assert tuple(np.argwhere(pixels == grey)[0]) == (row, column)


def test_colours_and_lossy_files_are_refused(tmp_path):
    colour = np.zeros((20, 30, 3), np.uint8)
    colour[..., 0] = 200
    with pytest.raises(InputError, match=r"a\.png is a colour image"):
        count_labels(saved(tmp_path / "a.png", colour))
    # Three equal channels are a grey image.
    grey = np.repeat(labels()[..., None], 3, axis=-1)
    assert set(count_labels(saved(tmp_path / "b.png", grey)).greys) == set(LEGEND.values())
    with pytest.raises(InputError, match=r"a\.jpg is a JPEG"):
        label_header(saved(tmp_path / "a.jpg", labels()))
    (tmp_path / "c.png").write_text("no image")
    with pytest.raises(InputError, match="neither TIFF, PNG nor JPEG"):
        label_header(tmp_path / "c.png")


def test_a_strange_value_is_told_with_its_number_and_place(tmp_path):
    pixels = labels()
    pixels[10, 20] = pixels[200, 3] = 86
    pixels[299, 199] = 7
    path = saved(tmp_path / "a.png", pixels)
    with pytest.raises(InputError) as error:
        require_legend(count_labels(path), LEGEND, unlabelled=None, path=path)
    told = str(error.value)
    assert str(path) in told
    assert "86 in 2 pixels, the first at row 10, column 20" in told
    assert "7 in 1 pixels, the first at row 299, column 199" in told
    assert "matrix 0, network 85, needles 255" in told
    pixels[299, 199] = 86
    saved(path, pixels)
    require_legend(count_labels(path), LEGEND, unlabelled=86, path=path)


def test_sixteen_bits_are_not_cut_to_eight(tmp_path):
    """Otherwise 256 would be taken for 0."""
    pixels = labels().astype(np.uint16)
    pixels[5, 6] = 256
    path = saved(tmp_path / "a.png", pixels)
    with pytest.raises(InputError, match="256 in 1 pixels, the first at row 5, column 6"):
        require_legend(count_labels(path), LEGEND, unlabelled=None, path=path)


def test_phases_are_numbered_in_the_order_of_the_legend(tmp_path):
    pixels = labels()
    pixels[:50] = 9
    path = saved(tmp_path / "a.png", pixels)
    options = {"panorama": "a", "pixel_size_nm": 40.0, "path": tmp_path / "a.ome.tif"}
    counts = import_labels(path, shape=(300, 200), legend=LEGEND, unlabelled=9, **options)
    with TiledImage(tmp_path / "a.ome.tif") as stored:
        written = stored.read()
        assert stored.pixel_size_nm == pytest.approx(40)
    expected = np.zeros(pixels.shape, np.uint8)
    for number, (name, grey) in enumerate(LEGEND.items(), 1):
        expected[pixels == grey] = number
        assert counts[name] == (pixels == grey).sum()
    np.testing.assert_array_equal(written, expected)
    with pytest.raises(InputError, match=r"has 200 x 300 pixels, but panorama 'a' has 201 x 300"):
        import_labels(path, shape=(300, 201), legend=LEGEND, unlabelled=9, **options)
    require_size((3, 4), (3, 4), panorama="a", path=path)


def test_true_phases_take_the_order_of_the_study(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 4, (200, 300)).astype(np.uint8)
    path = saved_tiled(tmp_path / "truth.ome.tif", pixels)
    with TiledImage(path) as truth:
        import_true_phases(
            truth,
            panorama="a",
            values=PHASE_VALUES,
            phases=("damage", "ferrite"),
            path=tmp_path / "a.ome.tif",
        )
    with TiledImage(tmp_path / "a.ome.tif") as stored:
        written = stored.read()
    # Outside and martensite, which the study does not name, are nothing.
    np.testing.assert_array_equal(written, np.array([0, 2, 0, 1], np.uint8)[pixels])


def saved_tiled(path, pixels):
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=40.0, name="a", labels=True)
    return path


@pytest.fixture
def study_folder(tmp_path, monkeypatch):
    """Two panoramas of one size, the first with labels."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        saved(
            tmp_path / f"{name}.png",
            np.random.default_rng(2).integers(60, 140, (300, 400), np.uint8),
        )
    saved(tmp_path / "a_labels.png", labels((300, 400)))
    sheet(tmp_path, {"a": "a_labels.png"})
    return tmp_path


def sheet(folder, images):
    (folder / "config").mkdir(exist_ok=True)
    rows = [f"{name}\t{name}.png\t40\t\t{images.get(name, '')}" for name in "ab"]
    head = "panorama\tpath\tpixel_size_nm\tstrain_percent\tphase_labels"
    (folder / "config/panoramas.tsv").write_text("\n".join([head, *rows]) + "\n")


def phase_study(**given):
    segmentation = {"method": "train", "phases": PHASES, "hard_phase": "network"}
    return load_study({"segmentation": segmentation | {"damage_phase": ""} | given})


def told(study):
    rows = read_sheet(Path(study.panoramas)).set_index("panorama", drop=False)
    try:
        check_study(study, rows)
    except InputError as error:
        return str(error)
    return ""


def test_a_sound_study_is_accepted_and_its_images_are_decoded_once(study_folder, monkeypatch):
    assert told(phase_study()) == ""
    kept = json.loads((study_folder / "results/sources/phase_labels.json").read_text())
    assert len(kept) == 1
    monkeypatch.setattr("damascene.study.phase_labels.count_labels", lambda path: 1 / 0)
    assert told(phase_study()) == ""
    saved(study_folder / "a_labels.png", labels((300, 400), seed=5))
    with pytest.raises(ZeroDivisionError):
        told(phase_study())


def test_all_that_is_wrong_is_told_at_once(study_folder):
    pixels = labels((300, 400))
    pixels[3, 4] = 77
    saved(study_folder / "a_labels.png", pixels)
    saved(study_folder / "b_labels.png", labels((300, 399)))
    sheet(study_folder, {"a": "a_labels.png", "b": "b_labels.png"})
    message = told(phase_study())
    assert "row 2, column 'phase_labels'" in message and "77 in 1 pixels" in message
    assert "row 3, column 'phase_labels'" in message and "399 x 300 pixels" in message
    sheet(study_folder, {"a": "none.png"})
    assert "there is no file none.png" in told(phase_study())


def test_a_training_without_labels_or_without_a_phase_is_refused(study_folder):
    sheet(study_folder, {})
    assert "'train' learns from label images, and the study has none" in told(phase_study())
    pixels = labels((300, 400))
    pixels[pixels == 85] = 0
    saved(study_folder / "a_labels.png", pixels)
    sheet(study_folder, {"a": "a_labels.png"})
    assert "cannot learn network: no pixel of a label image has it" in told(phase_study())


def test_a_phase_in_held_panoramas_alone_is_refused(study_folder):
    """One of two panoramas only decides when to stop, whichever it is."""
    pixels = labels((300, 400))
    saved(study_folder / "a_labels.png", pixels)
    pixels[pixels == 85] = 0
    saved(study_folder / "b_labels.png", pixels)
    sheet(study_folder, {"a": "a_labels.png", "b": "b_labels.png"})
    messages = []
    for seed in range(8):
        study = phase_study(folds=2).model_copy(update={"seed": seed})
        messages.append(told(study))
    assert any("the part that trains has no network" in message for message in messages)
    assert "" in messages


def test_the_shipped_network_is_refused_for_other_phases(study_folder):
    sheet(study_folder, {})
    message = told(phase_study(method="simulated"))
    assert "knows ferrite, martensite, damage; the phases of this study are matrix" in message


def test_a_simulated_panorama_takes_no_label_image(study_folder):
    (study_folder / "config/panoramas.tsv").write_text(
        "panorama\tpath\tpixel_size_nm\tstrain_percent\tphase_labels\n"
        "a\tsimulated\t40\t5\ta_labels.png\n"
    )
    with pytest.raises(InputError, match="the phases of a simulated panorama are known"):
        told(phase_study())


def test_notes_change_with_what_the_images_hold(study_folder):
    study = phase_study()
    rows = read_sheet(study_folder / study.panoramas).set_index("panorama", drop=False)
    note = study_folder / "results/sources/phase_labels/a.json"
    assert note_phase_labels(study, rows) == []
    before = note.read_text(), note.stat().st_mtime_ns
    assert note_phase_labels(study, rows) == []
    assert (note.read_text(), note.stat().st_mtime_ns) == before
    saved(study_folder / "a_labels.png", labels((300, 400), seed=5))
    assert "panorama 'a' are read again" in note_phase_labels(study, rows)[0]
    assert note.read_text() != before[0]


def test_the_plan_knows_what_is_learned_from(study_folder):
    study = phase_study()
    rows = read_sheet(study_folder / study.panoramas).set_index("panorama", drop=False)
    plan = PhasePlan(study=study, sheet=rows, panoramas=("a", "b"), simulated=())
    assert plan.labelled == ("a",) and plan.mapped == ("a", "b")
    assert plan.trained_on == "1 label image"
    assert plan.trained_files == ["results/models/phases.keras", "results/models/phases.json"]
    assert plan.given_files == []
