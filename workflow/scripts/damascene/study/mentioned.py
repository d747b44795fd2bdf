"""Which panoramas label files name, before anything is checked."""

import contextlib
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.label_source import TABLES
from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.images.grids import is_table
from damascene.images.microscopes.side_files import side_file
from damascene.images.source_files import source_files
from damascene.labels.raw import mentioned_in


def mentioned_in_labels(study: Study, sheet: pd.DataFrame) -> set[str]:
    """Return the panoramas that the label files name, whether the study knows them or not.

    Only labelled panoramas are waited for by trainings. Files that cannot be read mention nothing
    here; the check of the study says what is wrong with them.

    Parameters
    ----------
    study : Study
    sheet : pandas.DataFrame
        `PANORAMAS`, indexed by panorama.
    """
    found = set()
    folder = Path(study.data_folder)
    tiles = {}
    if any(one.format not in TABLES and one.panorama is None for one in study.labels):
        tiles = {name: _images(row, folder) for name, row in sheet.iterrows()}
    for source in study.labels:
        with contextlib.suppress(InputError):
            found |= mentioned_in(source, folder=folder, tiles=tiles)
    return found


def _images(row, folder):
    """Return the names of the images of a panorama, none where the list cannot be read."""
    if row["path"] == SIMULATED:
        return ()
    with contextlib.suppress(InputError):
        path = folder / row["path"]
        tile_folder = folder / row["tile_folder"] if row["tile_folder"] else None
        files = source_files(path, tile_folder=tile_folder)
        # A list is none of the images that it names, nor are texts that lie beside them.
        images = files[1:] if is_table(path) else files
        beside = {side_file(each) for _, each in images}
        return tuple(name for name, each in images if each not in beside)
    return ()
