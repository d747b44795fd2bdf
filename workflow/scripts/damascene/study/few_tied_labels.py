"""Whether a job found that labels do not suffice once they have met the candidates.

They suffice by number, so that only the job finds it out (`labels.divide_tied`). What it noted
holds for these labels, images, settings and this code alone.
"""

import hashlib
import json
from pathlib import Path

import pandas as pd

from damascene.config.study import Study
from damascene.images.source_files import checksum, folder_checksum, source_files
from damascene.labels.divide_tied import NOTE
from damascene.labels.few import FewLabels
from damascene.study.notes import read_note
from damascene.study.plan import Plan, plan_study

# Rooms of the library that import images, find candidates, and give them their labels.
_ROOMS = ("images", "clips", "detection", "labels")
# What neither candidates nor the division of labels follow from; labels are told by what they hold.
_IDLE = {
    *("study", "data_folder", "labels", "simulation", "statistics", "sensitivity"),
    *("compare_denoising", "reproduce", "workshop"),
}


def tied_labels_key(plan: Plan) -> str:
    """Return a name of all that decides which labels find a candidate, and how they are divided.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    str
        Empty for a study with simulated panoramas: it draws labels by itself, and needs them.
    """
    if plan.simulated:
        return ""
    files = [
        each
        for name in plan.read
        for each in source_files(plan.source_file(name), tile_folder=plan.tile_folder(name))
    ]
    for name in plan.paired_imported:
        files += source_files(plan.paired_file(name))
    told = {
        "library": [checksum(path) for path in _modules()],
        "settings": plan.study.model_dump_json(exclude=_IDLE),
        "sheet": plan.sheet.to_json(orient="split"),
        "images": [(name, *_state(path)) for name, path in files],
        # The name of a file may say who labelled.
        "labels": [(path.name, folder_checksum(path)) for path in plan.label_files],
        "read_as": plan.label_settings,
    }
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def few_tied_labels(
    study: Study, sheet: pd.DataFrame, *, results: Path = Path("results")
) -> FewLabels | None:
    """Return what a job found of these labels; None if it found nothing, or of others.

    Parameters
    ----------
    study : Study
    sheet : pandas.DataFrame
        `PANORAMAS`, indexed by panorama.
    results : pathlib.Path, optional
    """
    note = read_note(results / NOTE) or {}
    if note.keys() != {"key", "counts", "reason"}:
        return None
    plan = plan_study(study, sheet.reset_index(drop=True), results=results)
    if note["key"] != tied_labels_key(plan):
        return None
    return FewLabels(note["counts"], note["reason"])


def _state(path):
    about = path.stat()
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _modules():
    library = Path(__file__).parents[1]
    return sorted(path for room in _ROOMS for path in (library / room).rglob("*.py"))
