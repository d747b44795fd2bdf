"""All labels of a study: from the user's files and from simulations, tied to their candidates."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.label_source import DroppedLabels, LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS, ORPHANS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.review_order import RANDOM
from damascene.contracts.table import check_table, empty_table
from damascene.images.source_files import folder_checksum
from damascene.labels.attach import attach_answers
from damascene.labels.contradictions import contradiction_notes, contradictions
from damascene.labels.counts import LabelCounts, label_counts
from damascene.labels.dropped import in_order, read_source
from damascene.labels.kept import complete
from damascene.labels.orphans import SIMULATION, mark_outside, orphan_notes, orphans_of
from damascene.labels.positions import check_positions, correction_notes, position_notes
from damascene.labels.tiles import opened_tiles, placed_tiles
from damascene.labels.votes import choose_labels, counting
from damascene.units import length_px

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Collected:
    """All that people said of the sites of a study, and what became of it.

    Attributes
    ----------
    answers, labels, positions, orphans, contradictions : pandas.DataFrame
        `ANSWERS`, `LABELLED_SITES`, `POSITIONS` of the files, `ORPHANS` and `CONTRADICTIONS`.
    dropped : frozenset of str
        Names of the files that lie in the folder of labels.
    """

    answers: pd.DataFrame
    labels: pd.DataFrame
    positions: pd.DataFrame
    orphans: pd.DataFrame
    contradictions: pd.DataFrame
    dropped: frozenset[str]

    @property
    def counts(self) -> LabelCounts:
        """How many there are."""
        return label_counts(self.answers, self.labels)


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
    masks: Mapping[str, str | Path] | None = None,
    pictures: Mapping[str, str | Path] | None = None,
) -> Collected:
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
    masks : mapping of panorama to path, optional
        Masks of the valid pixels, by which answers outside the valid area are told from others.
    pictures : mapping of panorama to path, optional
        Images as they were imported, by which answers on another image are told.

    Returns
    -------
    Collected

    Raises
    ------
    InputError
        As `read_source`, `check_positions` and `open_source`, and if a file is not the one that
        was planned with.
    """
    _require_planned(files, checksums)
    tiles = {name: opened_tiles(grid) for name, grid in grids.items()}
    tiles |= {name: placed_tiles(path) for name, path in frames.items()}
    sizes_px = {one.panorama: (one.width_px, one.height_px) for one in records}
    images = {one.panorama: (one.width_px, one.height_px, one.pixel_size_nm) for one in records}
    parts, astray = [], []
    for source in files:
        read, left_out, without_place = read_source(
            source, sizes_px=sizes_px, tiles=tiles, images=images, pictures=pictures
        )
        logger.info(
            "%s: %d answers, %d of them without a place, %d rows without an answer left out",
            *(source.path, len(read), len(without_place), left_out),
        )
        parts.append(read)
        astray.append(without_place)
    _require_planned(files, checksums)
    read = in_order(files, parts)
    found = dict(zip((one.panorama for one in records), candidates, strict=True))
    tolerance_px = {
        one.panorama: length_px(tolerance, pixel_size_nm=one.pixel_size_nm) for one in records
    }
    # Those that were drawn from the truth lie where they are.
    positions = check_positions(read, found, records, tiles=tiles, tolerance_px=tolerance_px)
    given = pd.concat([*map(_as_answers, drawn), read])
    given = check_table(given, GIVEN_ANSWERS, source="labels")
    answers = attach_answers(given, found, tolerance_px=tolerance_px)
    answers = mark_outside(answers, masks or {})
    labels = choose_labels(answers, found)
    orphans = [empty_table(ORPHANS), orphans_of(answers, labels), *astray]
    return Collected(
        answers=answers,
        labels=labels,
        positions=positions,
        orphans=check_table(pd.concat(orphans), ORPHANS, source="labels without a site"),
        contradictions=contradictions(answers, labels),
        dropped=frozenset(
            Path(each.path).name for each in files if isinstance(each, DroppedLabels)
        ),
    )


def label_notes(collected: Collected, *, only_correct: bool = False) -> list[str]:
    """Return what must be said of the labels of a study beside its numbers.

    Parameters
    ----------
    collected : Collected
    only_correct : bool, optional
        Whether nothing is trained on the labels or tested with them.
    """
    answers, labels, positions = collected.answers, collected.labels, collected.positions
    lines = correction_notes(answers, positions) if only_correct else position_notes(positions)
    lines += orphan_notes(collected.orphans, files=collected.dropped)
    lines += contradiction_notes(collected.contradictions)
    return [*lines, *_chosen_notes(counting(answers), labels, only_correct=only_correct)]


def _chosen_notes(counting_answers, labels, *, only_correct):
    """Say how many labelled sites a review chose for another reason than chance, if there are any.

    Sites that networks cannot tell are harder than others, and those of rare classes more frequent
    among the labels: scores, and what follows from them, are not those of all sites.
    """
    chosen = counting_answers[~counting_answers["drawn_by"].isin(["", RANDOM])]
    key = ["panorama", "site_id"]
    sites, of_review = (pd.MultiIndex.from_frame(each[key]) for each in (labels, chosen))
    count = int(sites.isin(of_review).sum())
    if not count or only_correct:
        return []
    return [
        f"Of {len(labels)} labelled sites {count} {'was' if count == 1 else 'were'} not drawn at "
        "random, but chosen in a review, as sites that the networks cannot tell are. Scores, "
        "probabilities and corrected counts rest on them, too, and may be those of harder sites "
        "than most. Shares of classes from the random sites alone: target 'review'."
    ]


def _as_answers(drawn):
    """Return labels drawn from the truth as the answers of a person."""
    return complete(
        drawn.assign(
            answer=drawn["label"], agreed="", tile="", file=SIMULATION, row=range(len(drawn))
        )
    )


def _require_planned(files, checksums):
    if len(files) != len(checksums):
        raise InputError(
            "Label files were added or removed since the run was planned. Run again, so that the "
            "labels are those of all files."
        )
    for source, planned in zip(files, checksums, strict=True):
        if folder_checksum(Path(source.path)) != planned:
            raise InputError(
                f"{source.path} changed since the run was planned. Run again, so that the labels "
                "are those of the file."
            )
