"""All labels of a study: from the user's files and from simulations, tied to their candidates."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.label_source import LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS, UNCLEAR
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, empty_table
from damascene.images.source_files import checksum
from damascene.images.sources import open_source
from damascene.labels.attach import attach_answers
from damascene.labels.positions import check_positions, correction_notes, position_notes
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
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
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
    positions : pandas.DataFrame
        `POSITIONS` of the files.

    Raises
    ------
    InputError
        As `read_answers`, `check_positions` and `open_source`, and if a file is not the one that
        was planned with.
    """
    _require_planned(files, checksums)
    tiles = {
        name: grid_tiles(
            open_source(Path(grid), tile_folder=Path(folder) if folder else None, **options)
        )
        for name, (grid, folder, options) in grids.items()
    } | {name: placed_tiles(path) for name, path in frames.items()}
    sizes_px = {one.panorama: (one.width_px, one.height_px) for one in records}
    parts = []
    for source in files:
        read, left_out = read_answers(source, sizes_px=sizes_px, tiles=tiles)
        logger.info(
            "%s: %d answers, %d rows without one left out", source.path, len(read), left_out
        )
        parts.append(read)
    _require_planned(files, checksums)
    read = pd.concat([empty_table(GIVEN_ANSWERS), *parts])
    found = dict(zip((one.panorama for one in records), candidates, strict=True))
    tolerance_px = {
        one.panorama: length_px(tolerance, pixel_size_nm=one.pixel_size_nm) for one in records
    }
    # Those that were drawn from the truth lie where they are.
    positions = check_positions(read, found, records, tiles=tiles, tolerance_px=tolerance_px)
    given = pd.concat([*map(_as_answers, drawn), read])
    given = check_table(given, GIVEN_ANSWERS, source="labels")
    answers = attach_answers(given, found, tolerance_px=tolerance_px)
    return answers, choose_labels(answers, found), positions


def label_notes(
    answers: pd.DataFrame,
    labels: pd.DataFrame,
    positions: pd.DataFrame,
    *,
    only_correct: bool = False,
) -> list[str]:
    """Return what must be said of the labels of a study beside its numbers.

    Parameters
    ----------
    answers, labels, positions
        As `collect_labels` returns them.
    only_correct : bool, optional
        Whether nothing is trained on the labels or tested with them.
    """
    lines = correction_notes(answers, positions) if only_correct else position_notes(positions)
    key = ["panorama", "site_id"]
    # An answer that its person took back is no vote.
    last = answers[answers["counts"]]
    answered = len(last.drop_duplicates(key))
    voted = len(last[last["answer"] != UNCLEAR].drop_duplicates(key))
    for count, reason in (
        (voted - len(labels), "no class has most of the annotators' votes"),
        (answered - voted, f"all last answers are '{UNCLEAR}'"),
    ):
        if count:
            lines.append(
                f"{count} of {answered} answered sites have no label: {reason}. "
                "Nothing was learned from them."
            )
    return lines


def _as_answers(drawn):
    """Return labels drawn from the truth as the answers of a person."""
    return drawn.assign(
        answer=drawn["label"], agreed="", tile="", file="simulation", row=range(len(drawn))
    )


def _require_planned(files, checksums):
    for source, planned in zip(files, checksums, strict=True):
        if checksum(Path(source.path)) != planned:
            raise InputError(
                f"{source.path} changed since the run was planned. Run again, so that the labels "
                "are those of the file."
            )
