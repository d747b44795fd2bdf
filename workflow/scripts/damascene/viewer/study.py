"""What the page of the viewer knows of a study before it loads anything else."""

from collections.abc import Iterable, Mapping

import pandas as pd

from damascene.classes import CLASSES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.shift_record import ShiftRecord

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

    Returns
    -------
    dict
        As JSON can hold it: `study`, `version`, `classes` and `panoramas`.
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
    return {"study": study, "version": version, "classes": class_marks(), "panoramas": rows}


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
