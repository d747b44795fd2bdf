"""All labels of a study: from the user's files and from simulations, tied to their candidates."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.label_source import LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.images.source_files import checksum
from damascene.images.sources import open_source
from damascene.labels.attach import attach_answers
from damascene.labels.read import read_answers
from damascene.labels.tiles import grid_tiles, placed_tiles
from damascene.labels.votes import choose_labels
from damascene.units import length_px

logger = logging.getLogger(__name__)


def collect_labels(
    files: Sequence[LabelSource],
    drawn: Sequence[pd.DataFrame],
    *,
    checksums: Sequence[str],
    records: Sequence[PanoramaRecord],
    candidates: Sequence[pd.DataFrame],
    grids: Mapping[str, tuple[str, str | None, dict]],
    frames: Mapping[str, str | Path],
    tolerance: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the label files of a study, give each answer the site it means, and let them vote.

    Parameters
    ----------
    files : sequence of LabelSource
        With the paths where they lie now.
    drawn : sequence of pandas.DataFrame
        `LABELS` drawn from the truth of simulated panoramas.
    checksums : sequence of str
        SHA-256 of each file when the study was planned, which the labels count as made from.
    records : sequence of PanoramaRecord
        Of all panoramas.
    candidates : sequence of pandas.DataFrame
        `CANDIDATES` of each, in the same order.
    grids : mapping of panorama to (path, tile folder, options)
        Grid files of panoramas whose labels may count from a tile; options as for `open_source`.
    frames : mapping of panorama to path
        Tables of frames of stitched panoramas.
    tolerance : str
        How far outside a candidate its label may lie, such as `0.4 um`.

    Returns
    -------
    answers : pandas.DataFrame
        `ANSWERS`.
    labels : pandas.DataFrame
        `LABELLED_SITES`.

    Raises
    ------
    InputError
        As `read_answers` and `open_source`, and if a file is not the one that was planned with.
    """
    _require_planned(files, checksums)
    tiles = {
        name: grid_tiles(
            open_source(Path(grid), tile_folder=Path(folder) if folder else None, **options)
        )
        for name, (grid, folder, options) in grids.items()
    } | {name: placed_tiles(path) for name, path in frames.items()}
    sizes_px = {one.panorama: (one.width_px, one.height_px) for one in records}
    parts = [_as_answers(labels) for labels in drawn]
    for source in files:
        read, left_out = read_answers(source, sizes_px=sizes_px, tiles=tiles)
        logger.info(
            "%s: %d answers, %d rows without one left out", source.path, len(read), left_out
        )
        parts.append(read)
    _require_planned(files, checksums)
    given = check_table(pd.concat(parts), GIVEN_ANSWERS, source="labels")
    found = dict(zip((one.panorama for one in records), candidates, strict=True))
    tolerance_px = {
        one.panorama: length_px(tolerance, pixel_size_nm=one.pixel_size_nm) for one in records
    }
    answers = attach_answers(given, found, tolerance_px=tolerance_px)
    return answers, choose_labels(answers, found)


def _as_answers(drawn):
    """Return labels drawn from the truth as the answers of a person."""
    return drawn.assign(answer=drawn["label"], agreed="", file="simulation", row=range(len(drawn)))


def _require_planned(files, checksums):
    for source, planned in zip(files, checksums, strict=True):
        if checksum(Path(source.path)) != planned:
            raise InputError(
                f"{source.path} changed since the run was planned. Run again, so that the labels "
                "are those of the file."
            )
