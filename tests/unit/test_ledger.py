"""The ledger: right numbers pass, wrong ones fail, and missing data are no failure."""

import numpy as np
import pandas as pd
import pytest
from made_records import model_card
from PIL import Image

from damascene import InputError
from damascene.classes import STAGE_CLASSES
from damascene.config.workshop import PICTURE_SETS
from damascene.contracts.digit_scores import DIGIT_NETWORKS, DIGIT_SCORES
from damascene.contracts.ledger import FAIL, NO_DATA, PASS
from damascene.contracts.table import check_table
from damascene.figures.ledger import draw_ledger, draw_versions
from damascene.ledger import SHIPPED, fetch
from damascene.ledger.compare import ledger_lines, reproduce
from damascene.ledger.fetch import PublicFile, have_file, public_files
from damascene.ledger.publications import read_publications
from damascene.ledger.quantities import SCORES, needed_for
from damascene.ledger.reference_run import count_parameters
from damascene.networks.build import build_network
from damascene.networks.weights import checksum
from damascene.problems import MARK

HEADER = "quantity\tvalue\ttolerance\tunit\tsource\tdoi\tpreset\timage\tnote"
SPOTS = 4


@pytest.fixture
def stand_in(tmp_path):
    """Return folder and public files of a small image with four dark spots, and small networks."""
    pixels = np.full((400, 600), 120, np.uint8)
    for number in range(SPOTS):
        pixels[100 : 100 + 8, 100 + 110 * number : 110 + 110 * number] = 2
    # Pixels too few for a core are noise.
    pixels[300, 300:303] = 2
    folder = tmp_path / "published"
    folder.mkdir()
    Image.fromarray(pixels).save(folder / "crop.png")
    networks = tmp_path / "networks"
    networks.mkdir()
    for stage, classes in STAGE_CLASSES.items():
        model = build_network("lenet5", class_count=len(classes), seed=1)
        model.save(networks / f"{stage}.keras")
        card = model_card(classes, network="lenet5", window="40 px", parameters=1)
        card.write(networks / f"{stage}.json")
    files = [
        PublicFile(name="crop.png", sha256=checksum(folder / "crop.png", "sha256"), doi="10.1/2")
    ]
    return folder, files, networks


def ledger_file(folder, *rows):
    folder.mkdir(exist_ok=True)
    (folder / "paper.tsv").write_text("\n".join([HEADER, *rows]) + "\n")
    return folder


def row(quantity, value, tolerance="0", *, source="Table 1", image="crop.png", note=""):
    preset = "kerzel2024" if image else ""
    return f"{quantity}\t{value}\t{tolerance}\t\t{source}\t10.1/2\t{preset}\t{image}\t{note}"


def results(table):
    return table.set_index("quantity")["result"].to_dict()


def run(published, stand_in, **options):
    folder, files, networks = stand_in
    given = {"files": files, "folder": folder, "fetch": False, "networks": networks}
    return reproduce(published, **(given | options))


def test_a_right_number_passes_and_a_wrong_one_fails(stand_in, tmp_path):
    # The published merging keeps all: no two spots are within 50 px.
    published = read_publications(
        ledger_file(
            tmp_path / "ledger",
            row("candidates", SPOTS),
            row("clusters", SPOTS + 1),
            row("noise_pixels", 20, 1),
            row("inclusion_9_row", 5),
            row("median_area", "", "", note="not read", image=""),
        )
    )
    table = run(published, stand_in)
    assert results(table) == {
        "candidates": PASS,
        "clusters": FAIL,
        # Three alone and four corners of each spot, whose neighbours are no cores: 19, within 1.
        "noise_pixels": PASS,
        # There is no ninth inclusion, which is no missing file.
        "inclusion_9_row": FAIL,
        "median_area": NO_DATA,
    }
    reasons = table.set_index("quantity")["reason"]
    assert "4 is 1 from the published 5" in reasons["clusters"]
    lines = ledger_lines(table)
    assert [line.startswith(MARK) for line in lines[:3]] == [True, True, False]
    assert "2 reproduced, 2 not, 1 not compared" in lines[2]
    draw_ledger(table)


def test_probabilities_and_counts_of_classes_are_those_of_the_networks(stand_in, tmp_path):
    names = ["inclusions", "stage2_sites", "identified", "not_classified", "stage1_1_inclusion"]
    names.append("stage1_1_rest")
    rows = [row(name, 0, 1e9) for name in names]
    table = run(read_publications(ledger_file(tmp_path / "l", *rows)), stand_in)
    found = table.set_index("quantity")["measured"]
    assert found["inclusions"] + found["stage2_sites"] == SPOTS
    assert found["identified"] + found["not_classified"] == found["stage2_sites"]
    assert found["stage1_1_inclusion"] + found["stage1_1_rest"] == pytest.approx(1)
    assert set(results(table).values()) == {PASS}


def test_a_missing_file_is_no_failure_and_says_what_to_do(stand_in, tmp_path):
    folder, files, _ = stand_in
    published = read_publications(
        ledger_file(tmp_path / "ledger", row("candidates", SPOTS), row("inclusions", 0))
    )
    # Without networks the search is still compared.
    networks = [PublicFile(name="net.h5", sha256="0" * 64, doi="10.1/2", stage="inclusion")]
    table = run(published, stand_in, files=files + networks, networks=None)
    assert results(table) == {"candidates": PASS, "inclusions": NO_DATA}
    (folder / "crop.png").unlink()
    table = run(published, stand_in)
    assert set(results(table).values()) == {NO_DATA}
    assert "https://doi.org/10.1/2" in table["reason"].iloc[0]
    # Another image under the name of the public one is not taken for it.
    Image.fromarray(np.zeros((400, 600), np.uint8)).save(folder / "crop.png")
    table = run(published, stand_in)
    assert set(results(table).values()) == {NO_DATA}
    assert "is another file" in table["reason"].iloc[0]


def test_a_network_that_is_away_gives_a_reason(stand_in, monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(fetch.urllib.request, "urlopen", refuse)
    file = PublicFile(name="away.png", sha256="0" * 64, doi="10.5281/zenodo.1")
    found = have_file(file, folder=tmp_path / "new", fetch=True)
    assert found.path is None and "no route to host" in found.reason and "by hand" in found.reason


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (row("candidates", 3, source=""), "row 2, column 'source': empty"),
        (row("candidates", "three"), "row 2, column 'value': 'three' is not a number"),
        (row("candidate", 3), "Did you mean 'candidates'?"),
        (row("candidates", 3, "-1"), "row 2, column 'tolerance': below 0"),
        (row("candidates", 3, ""), "row 2, column 'tolerance': empty"),
        (row("candidates", ""), "row 2, column 'note': empty beside an empty value"),
        (row("candidates", 3).replace("10.1/2", "here"), "row 2, column 'doi'"),
        (row("candidates", 3).replace("kerzel2024", "kerzel"), "row 2, column 'preset'"),
        ("\n".join([row("candidates", 3)] * 2), "row 3, column 'quantity': given twice"),
    ],
)
def test_wrong_rows_are_told_with_file_row_and_column(tmp_path, wrong, told):
    with pytest.raises(InputError) as error:
        read_publications(ledger_file(tmp_path / "ledger", wrong))
    assert told in str(error.value) and "paper.tsv" in str(error.value)


def test_shipped_ledgers_hold_and_every_image_has_a_checksum():
    published = read_publications()
    names = {one.name for one in public_files()}
    assert set(published["image"]) - {""} <= names
    assert published["quantity"].map(needed_for).notna().all()
    notebook = published[published["publication"] == "kerzel2024_notebook"].set_index("quantity")
    assert notebook["value"]["candidates"] == 50 and notebook["value"]["identified"] == 38
    # The printed probabilities of a site add up to one.
    for stage, count in (("stage1", 5), ("stage2", 5)):
        for number in range(1, count + 1):
            own = notebook.filter(regex=f"^{stage}_{number}_", axis=0)
            assert own["value"].sum() == pytest.approx(1, abs=2e-5)
    assert len(list(SHIPPED.glob("*.tsv"))) == published["publication"].nunique() >= 7


def test_parameter_counts_are_reproduced_without_any_data(tmp_path):
    published = read_publications()
    own = published[published["publication"] == "networks"]
    table = reproduce(own, files=[], folder=tmp_path, fetch=False)
    assert len(table) == 2 and set(results(table).values()) == {PASS}
    assert count_parameters()["eeracn_parameters"] == 987_102


def test_versions_without_a_count_are_drawn_with_words():
    versions = pd.DataFrame(
        {
            "panorama": ["a", "a", "b", "b"],
            "version": ["study", "kerzel2024"] * 2,
            "candidates_per_mm2": [100.0, np.nan, 200.0, 150.0],
        }
    )
    figure = draw_versions(versions)
    told = [each.get_text() for each in figure.axes[0].get_yticklabels()]
    assert told == ["study", "kerzel2024\n(1 without a count)"]


@pytest.mark.parametrize(
    ("measured", "result"), [(0.513, PASS), (0.511, PASS), (0.5131, FAIL), (float("nan"), FAIL)]
)
def test_a_number_at_its_tolerance_passes_and_no_number_fails(tmp_path, measured, result):
    line = row("eeracn_parameters", "0.512", "0.001", image="")
    published = read_publications(ledger_file(tmp_path, line))
    found = reproduce(
        published,
        files=[],
        folder=tmp_path,
        fetch=False,
        parameters=lambda: {"eeracn_parameters": measured},
    )
    assert found["result"].tolist() == [result] and "nan" not in found["reason"].iloc[0]


def scores_of(accuracy, reason=""):
    row = dict.fromkeys(DIGIT_SCORES.columns) | {"dataset": "fashion_mnist", "network": "lenet5"}
    row |= {"accuracy": accuracy, "not_scored": reason}
    return check_table(pd.DataFrame([row]), DIGIT_SCORES, source="scores")


@pytest.mark.parametrize(
    ("value", "scores", "result", "words"),
    [
        ("0.9", scores_of(0.89), PASS, ""),
        ("0.9", scores_of(0.95), FAIL, "0.05 from the published 0.9"),
        ("", scores_of(0.89), NO_DATA, "the published value is not known: nobody did it"),
        ("0.9", scores_of(None, "put the files there"), NO_DATA, "put the files there"),
        # `fashion_mnist` was not scored, and is not taken for `mnist`.
        ("0.9", None, NO_DATA, "no network was trained on fashion_mnist: add it to 'reproduce"),
    ],
)
def test_scores_on_small_pictures_stand_beside_published_ones(
    tmp_path, value, scores, result, words
):
    line = row("accuracy_lenet5_fashion_mnist", value, "0.02", image="", note="nobody did it")
    published = read_publications(ledger_file(tmp_path, line))
    table = reproduce(published, files=[], folder=tmp_path, fetch=False, scores=scores)
    assert table["result"].tolist() == [result] and words in table["reason"].iloc[0]
    if scores is not None and scores["accuracy"].notna().all():
        # Measured also where nobody published a number.
        assert table["measured"].iloc[0] == scores["accuracy"].iloc[0]


def test_every_network_has_a_row_for_every_set_of_pictures():
    published = read_publications()
    own = published[published["quantity"].map(needed_for) == SCORES]
    expected = {f"accuracy_{net}_{name}" for net in DIGIT_NETWORKS for name in PICTURE_SETS}
    assert set(own["quantity"]) == expected and own["quantity"].is_unique
