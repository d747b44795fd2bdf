"""Records: what is written is read again, and what cannot be read is said with what to do."""

import json
from importlib import metadata
from pathlib import Path

import pydantic
import pytest
from made_records import model_card, panorama_record

from damascene import InputError
from damascene.classes import STAGES
from damascene.contracts.calibration_record import Calibration
from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.denoising_record import DenoisingRecord
from damascene.contracts.model_card import ModelCard, TrainingSite
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.versions import IMAGE_PACKAGES, NETWORK_PACKAGES, package_versions

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    panorama_record("p", shape=(30, 20), notes=["one", "two"]).write(tmp_path / "p.json")
    return tmp_path / "p.json"


def change(path, **values):
    content = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: each for key, each in content.items() if each != "drop"}))


def test_a_record_is_read_as_it_was_written(path):
    record = PanoramaRecord.read(path)
    assert (record.width_px, record.height_px, record.notes) == (20, 30, ("one", "two"))
    assert record == panorama_record("p", shape=(30, 20), notes=["one", "two"])
    record.write(path.with_name("again.json"))
    assert path.with_name("again.json").read_bytes() == path.read_bytes()


def test_a_training_site_takes_one_line_of_a_card(tmp_path):
    places = {"x_px": 3.5, "y_px": 2.0, "window_px": 100, "fingerprint": "a\n  ]}"}
    sites = tuple(TrainingSite(panorama=f"p{number}", **places) for number in range(3))
    cards = [model_card(training_sites=some) for some in (sites, (), None)]
    lines = []
    for card in cards:
        card.write(tmp_path / "card.json")
        assert ModelCard.read(tmp_path / "card.json") == card
        assert json.loads((tmp_path / "card.json").read_text()) == json.loads(
            card.model_dump_json()
        )
        lines.append(len((tmp_path / "card.json").read_text().splitlines()))
    # Beside the sites, a line closes the list.
    assert [count - lines[-1] for count in lines] == [len(sites) + 1, 0, 0]


@pytest.mark.parametrize("stage", STAGES)
def test_shipped_cards_stay_as_they_are_written_now(tmp_path, stage):
    shipped = ROOT / f"resources/models/{stage}.json"
    ModelCard.read(shipped).write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == shipped.read_bytes()


def test_a_record_does_not_change(path):
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        PanoramaRecord.read(path).width_px = 3


@pytest.mark.parametrize(
    "record",
    [
        Calibration,
        CandidateCounts,
        DenoisingRecord,
        ModelCard,
        PanoramaRecord,
        QualityRecord,
    ],
)
def test_every_field_has_a_description(record):
    def undescribed(schema):
        parts = [schema, *schema.get("$defs", {}).values()]
        return [
            name
            for part in parts
            for name, field in part["properties"].items()
            if not field.get("description")
        ]

    assert undescribed(record.model_json_schema()) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"width_px": "drop", "notes": "drop"}, ["does not say width_px, notes"]),
        ({"colour": 3}, ["holds the unknown colour", "another version"]),
        ({"width_px": "wide"}, ["field width_px", "'wide'"]),
        ({"valid_area": {"valid": 1}}, ["does not say valid_area.no_image"]),
    ],
)
def test_fields_that_do_not_fit_are_named_with_what_to_do(path, values, words):
    change(path, **values)
    with pytest.raises(InputError) as error:
        PanoramaRecord.read(path)
    assert all(word in str(error.value) for word in [str(path), "imports", *words])


@pytest.mark.parametrize("content", [None, "{", "\0"])
def test_a_file_that_is_missing_or_damaged_is_named(path, content):
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(InputError, match=r"p\.json cannot be read as the record of a panorama"):
        PanoramaRecord.read(path)


def test_versions_are_those_of_the_imported_packages():
    import numpy
    import skimage

    versions = package_versions(*IMAGE_PACKAGES)
    assert versions["numpy"] == numpy.__version__
    assert versions["scikit-image"] == skimage.__version__
    assert panorama_record().versions == versions
    assert set(package_versions(*NETWORK_PACKAGES)) == set(NETWORK_PACKAGES)


def test_packages_that_are_not_installed_are_left_out():
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("not-installed-here")
    assert package_versions("numpy", "not-installed-here").keys() == {"numpy"}
