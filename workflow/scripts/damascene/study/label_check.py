"""Check the label files of a study before any work starts."""

import difflib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.classes import SITE_CLASSES
from damascene.config.study import Study
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import empty_table
from damascene.labels import LABEL_TOLERANCE
from damascene.labels.attach import attach_answers
from damascene.labels.counts import number_of
from damascene.labels.divide import Extent, divide_labels, grouped_labels
from damascene.labels.dropped import in_order, read_source
from damascene.labels.few import FewLabels
from damascene.labels.kept import iso_time
from damascene.labels.split import require_enough
from damascene.labels.tiles import Tiles
from damascene.labels.votes import choose_labels
from damascene.problems import named_rows, told_together
from damascene.seeds import derive_seed
from damascene.study.models import learned_windows, model_folder, tested_folds
from damascene.units import length_px

# Of each class; so many need not be divided to know that they can be.
_PLENTY = 300
# Reasons that are told on the terminal.
_SHOWN = 3
# Times without a zone may be those of a place whose day begins earlier.
_AHEAD = pd.Timedelta("1 day")


@dataclass(frozen=True, kw_only=True)
class GivenLabels:
    """What the label files of a study hold, as far as can be told before sites have been found.

    Attributes
    ----------
    labels : pandas.DataFrame
        `LABELLED_SITES`.
    answers, left_out : int
        Answers that were read, and rows without one.
    astray : Counter
        Reasons why answers have no place in a panorama, and how many for each.
    """

    labels: pd.DataFrame
    answers: int
    left_out: int
    astray: Counter

    def lines(self, *, simulated: bool) -> list[str]:
        """Return what is told of them on the terminal.

        Parameters
        ----------
        simulated : bool
            Whether simulated panoramas have labels of their own, which are not drawn yet.
        """
        counts = self.labels["label"].value_counts()
        each = ", ".join(f"{counts.get(name, 0)} {name}" for name in SITE_CLASSES)
        more = ", beside those of the simulation" if simulated else ""
        without = f"; {self.left_out} rows without an answer" if self.left_out else ""
        lines = [
            f"Label files: {number_of(self.answers, 'answer')}{more}, "
            f"{number_of(len(self.labels), 'labelled site')} ({each}){without}."
        ]
        if self.astray:
            total = self.astray.total()
            told = [f"{reason} ({count})" for reason, count in self.astray.most_common(_SHOWN)]
            more = len(self.astray) - len(told)
            told += [f"{more} more reasons"] if more else []
            lines.append(
                f"Left aside: {number_of(total, 'answer')}, listed in "
                f"results/labels/orphans.tsv when labels are collected: {'; '.join(told)}."
            )
        return lines


def check_labels(
    study: Study,
    *,
    sizes_px: Mapping[str, tuple[int, int]],
    tiles: Mapping[str, Tiles],
    pixel_sizes_nm: Mapping[str, float],
    exact: set[str],
) -> GivenLabels | None:
    """Read and check all label files; all that is wrong in them is told together.

    Parameters
    ----------
    study : Study
        With the files of the folder of labels.
    sizes_px, tiles, pixel_sizes_nm : mapping of panorama to its size, tiles and pixel size
    exact : set of str
        Panoramas whose size is known, as others are still to be stitched.

    Returns
    -------
    GivenLabels
        None for a study without label files.

    Raises
    ------
    InputError
        As by `labels.dropped.read_source` and `in_order`, and for answers of the future.
    """
    if not study.labels:
        return None
    images = {name: (*sizes_px[name], pixel_sizes_nm[name]) for name in exact}
    parts, left_out, astray = [], 0, Counter()
    with told_together() as problems:
        for source in study.labels:
            with problems.kept():
                answers, without, orphans = read_source(
                    source,
                    folder=Path(study.data_folder),
                    sizes_px=sizes_px,
                    tiles=tiles,
                    images=images,
                )
                parts.append(answers)
                left_out += without
                astray.update(orphans["reason"])
    given = in_order(study.labels, parts)
    _refuse_future(given)
    nothing_found = dict.fromkeys(pixel_sizes_nm, empty_table(CANDIDATES))
    tolerance_px = {
        name: length_px(LABEL_TOLERANCE, pixel_size_nm=size)
        for name, size in pixel_sizes_nm.items()
    }
    answers = attach_answers(given, nothing_found, tolerance_px=tolerance_px)
    labels = choose_labels(answers, nothing_found)
    return GivenLabels(labels=labels, answers=len(given), left_out=left_out, astray=astray)


def few_labels(study: Study, labels: pd.DataFrame, sizes: Mapping[str, Extent]) -> FewLabels | None:
    """Try to divide the labelled sites of a study as its trainings and tests need them.

    Parameters
    ----------
    study : Study
    labels : pandas.DataFrame
        `LABELLED_SITES`.
    sizes : mapping of panorama to Extent

    Returns
    -------
    FewLabels or None
        None where the labels suffice.
    """
    counts = labels["label"].value_counts()
    places = {"group_by": study.split.group_by, "block": study.split.block}
    try:
        if min(counts.get(name, 0) for name in SITE_CLASSES) >= _PLENTY:
            # What remains to be tried takes long of so many, and goes well.
            grouped = grouped_labels(labels, list(sizes.values()), **places)
            require_enough(grouped, folds=study.split.folds)
            return None
        divide_labels(
            labels,
            list(sizes.values()),
            **places,
            folds=study.split.folds,
            test_folds=tested_folds(study) if model_folder(study) is None else None,
            windows=learned_windows(study),
            seed=derive_seed(study.seed, "split"),
        )
    except InputError as error:
        return FewLabels({name: int(counts.get(name, 0)) for name in SITE_CLASSES}, str(error))
    return None


def _refuse_future(given):
    """Refuse answers of the future: no correction that a person gives now would beat them."""
    latest = iso_time(pd.Timestamp.now("UTC") + _AHEAD)
    ahead = given[(given["time"] != "") & (given["time"] > latest)]
    with told_together() as problems:
        for file, part in ahead.groupby("file", sort=False):
            problems.add(
                f"{file}, {named_rows(part['row'].tolist())}: the time {part['time'].iloc[0]} lies "
                "in the future, so that no later answer of this person would count. Correct it, "
                "or the clock of this computer."
            )


def check_label_panoramas(study: Study, sheet: pd.DataFrame) -> None:
    """Refuse sources whose key `panorama` names none of the sample sheet."""
    with told_together() as problems:
        for number, source in enumerate(study.labels):
            if source.panorama is not None and source.panorama not in sheet.index:
                problems.add(
                    f"labels.{number}.panorama: there is no panorama '{source.panorama}' in "
                    f"{study.panoramas}. {nearest_panorama(source.panorama, sheet)}"
                )


def nearest_panorama(name: str, sheet: pd.DataFrame) -> str:
    """Return what may be meant by a name that the sample sheet does not have."""
    near = difflib.get_close_matches(name, list(sheet.index), n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Choose one of: {', '.join(sheet.index)}."
