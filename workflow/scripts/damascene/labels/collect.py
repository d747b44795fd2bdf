"""All labels of a study: from the user's files and from simulations, tied to their candidates."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.label_source import LabelSource
from damascene.contracts.labels import LABELS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.images.source_files import checksum
from damascene.images.sources import open_source
from damascene.labels.attach import attach_labels
from damascene.labels.read import frame_corners, read_labels, tile_corners
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
) -> pd.DataFrame:
    """Read the label files of a study and give each label the candidate it means.

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
    pandas.DataFrame
        `LABELLED_SITES`.

    Raises
    ------
    InputError
        As `read_labels` and `open_source`, and if a file is not the one that was planned with.
    """
    _require_planned(files, checksums)
    corners_px = {
        name: tile_corners(
            open_source(Path(grid), tile_folder=Path(folder) if folder else None, **options)
        )
        for name, (grid, folder, options) in grids.items()
    } | {name: frame_corners(path) for name, path in frames.items()}
    parts = list(drawn)
    for source in files:
        labels, left_out = read_labels(
            Path(source.path),
            panorama=source.panorama,
            columns=source.columns,
            annotators=source.annotators,
            sizes_px={one.panorama: (one.width_px, one.height_px) for one in records},
            tile_corners_px=corners_px,
        )
        logger.info(
            "%s: %d labels, %d rows without a label left out", source.path, len(labels), left_out
        )
        parts.append(labels)
    _require_planned(files, checksums)
    labels = check_table(pd.concat(parts), LABELS, source="labels")
    names = [one.panorama for one in records]
    tied = attach_labels(
        labels,
        dict(zip(names, candidates, strict=True)),
        tolerance_px={
            one.panorama: length_px(tolerance, pixel_size_nm=one.pixel_size_nm) for one in records
        },
    )
    logger.info("%d labels, %d left after one site got one label", len(labels), len(tied))
    logger.info("%d of them lie on no candidate", (tied["site_id"] < 0).sum())
    return tied


def _require_planned(files, checksums):
    for source, planned in zip(files, checksums, strict=True):
        if checksum(Path(source.path)) != planned:
            raise InputError(
                f"{source.path} changed since the run was planned. Run again, so that the labels "
                "are those of the file."
            )
