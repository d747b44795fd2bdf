"""What the page of the viewer knows of a study before it loads anything else."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from damascene.classes import ANSWER_LETTERS, CLASSES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.shift_record import ShiftRecord
from damascene.images.source_files import checksum

#: In place of a class where networks have not spoken.
CANDIDATE = "candidate"


def study_facts(
    *,
    study: str,
    version: str,
    records: Iterable[PanoramaRecord],
    sites: Mapping[str, pd.DataFrame],
    sheet: Mapping[str, Mapping],
    quality: Iterable[QualityRecord] = (),
    shifts: Iterable[ShiftRecord] = (),
    withhold: bool = True,
    networks: Mapping[str, Mapping] | None = None,
    phases: Mapping[str, str] | None = None,
    hard_phase: str = "",
    figures: Iterable[Mapping[str, str]] = (),
) -> dict:
    """Return what the page says of a study.

    Parameters
    ----------
    study, version : str
        Name of the study; version of the workflow.
    records : iterable of PanoramaRecord
        Of all panoramas, in the order in which they are shown.
    sites : mapping of str to pandas.DataFrame
        `SITES` of each panorama, or `CANDIDATES` where nothing was classified.
    sheet : mapping of str to mapping
        Of each panorama what the sample sheet says: `strain_percent`, `condition`, `specimen`.
    quality : iterable of QualityRecord, optional
    shifts : iterable of ShiftRecord, optional
    withhold : bool, optional
        Whether classes of panoramas that are foreign to the networks are not counted.
    networks : mapping of str to mapping, optional
        Of each stage the network that classified: see `network_facts`.
    phases : mapping of str to str, optional
        Colours of the phases, where phase maps are shown.
    hard_phase : str, optional
        Phase round which sites are described.
    figures : iterable of mapping, optional
        Figures that show where networks look: `title`, and `path` from the folder of the page.

    Returns
    -------
    dict
        As JSON can hold it.
    """
    judged = {one.panorama: one for one in quality}
    shifted = {one.panorama: one for one in shifts}
    rows = []
    for record in records:
        name = record.panorama
        shift = shifted.get(name)
        about = sheet[name]
        withheld = shift.withheld if shift and withhold else ""
        rows.append(
            {
                "panorama": name,
                "strain_percent": _number(about["strain_percent"]),
                "condition": about["condition"],
                "specimen": about["specimen"],
                "width_px": record.width_px,
                "height_px": record.height_px,
                "pixel_size_nm": record.pixel_size_nm,
                "valid_area_mm2": record.valid_area_mm2,
                "valid_fraction": record.valid_fraction,
                "candidates": len(sites[name]),
                "counts": class_counts(sites[name]),
                "labelled": int((sites[name]["label"] != "").sum())
                if "label" in sites[name]
                else 0,
                "withheld": withheld,
                "warnings": _warnings(judged.get(name), shift),
            }
        )
    return {
        "study": study,
        "version": version,
        "classes": class_marks(),
        "letters": ANSWER_LETTERS,
        "panoramas": rows,
        "networks": dict(networks or {}),
        "phases": dict(phases or {}),
        "hard_phase": hard_phase,
        "attention": [dict(each) for each in figures],
    }


def network_facts(
    files: Mapping[str, str | Path], *, thresholds: Mapping[str, float]
) -> dict[str, dict]:
    """Return what the page says of the networks that classified, so that each can be found again.

    Parameters
    ----------
    files : mapping of str to path
        Network of each stage; its card lies beside it.
    thresholds : mapping of str to float
        Probability above which a stage names a class.

    Returns
    -------
    dict of str to dict
        `network`, `file`, `sha256` of the file, `threshold` and the `note` of the card.
    """
    facts = {}
    for stage, path in files.items():
        card = ModelCard.read(Path(path).with_suffix(".json"))
        facts[stage] = {
            "network": card.network,
            "file": Path(path).name,
            "sha256": checksum(Path(path)),
            "threshold": thresholds[stage],
            "note": card.note,
        }
    return facts


def class_counts(sites: pd.DataFrame) -> dict[str, int]:
    """Return the number of sites of each class, of all as candidates where none was classified."""
    if "class" not in sites:
        return {CANDIDATE: len(sites)}
    found = sites["class"].value_counts()
    return {each.name: int(found.get(each.name, 0)) for each in CLASSES}


def class_marks() -> list[dict[str, str]]:
    """Return name, colour and mark of each class as in all figures, and those of candidates."""
    marks = [{"name": each.name, "colour": each.colour, "marker": each.marker} for each in CLASSES]
    return [*marks, {"name": CANDIDATE, "colour": "#F0E442", "marker": "+"}]


def _warnings(quality, shift):
    """Return what speaks against the numbers of a panorama, in sentences."""
    said = [caveat.text for caveat in quality.caveats] + list(quality.notes) if quality else []
    if shift and shift.flag in ("beyond", "foreign"):
        said.insert(0, f"{shift.flag} the training set: {shift.reason}")
    return said


def _number(value):
    """Return a number of the sheet, None where it is not known."""
    return None if pd.isna(value) else float(value)
