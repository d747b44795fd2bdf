"""Answers of people that belong to no site: listed with the reason, and never dropped."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.contracts.labels import NO_CANDIDATE, ORPHANS, OUTSIDE
from damascene.contracts.table import check_table, empty_table
from damascene.images.store import TiledImage, Window

_SITE = ["panorama", "site_id"]
#: File of the answers that nobody gave: the truth of simulated steel.
SIMULATION = "simulation"


def mark_outside(answers: pd.DataFrame, masks: Mapping[str, str | Path]) -> pd.DataFrame:
    """Say of answers without a candidate whether they lie outside the valid area.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    masks : mapping of panorama to path
        Masks of the valid pixels.

    Returns
    -------
    pandas.DataFrame
        `ANSWERS`.
    """
    tied_by = answers["tied_by"].copy()
    without = answers[tied_by == NO_CANDIDATE]
    for name, part in without[without["panorama"].isin(list(masks))].groupby("panorama"):
        with TiledImage(masks[name]) as mask:
            places = np.rint(part[["y_px", "x_px"]].to_numpy()).astype(int)
            places = np.clip(places, 0, np.array(mask.shape) - 1)
            for index, (row, column) in zip(part.index, places.tolist(), strict=True):
                pixel = Window(top=row, left=column, bottom=row + 1, right=column + 1)
                if not mask.read(pixel).any():
                    tied_by[index] = OUTSIDE
    return answers.assign(tied_by=tied_by)


def orphans_of(answers: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """List the answers of people that belong to no candidate.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    labels : pandas.DataFrame
        `LABELLED_SITES`: those at a place of their own are still learned from.

    Returns
    -------
    pandas.DataFrame
        `ORPHANS`, in the order of the answers.
    """
    off = answers[(answers["site_id"] < 0) & (answers["file"] != SIMULATION)]
    if off.empty:
        return empty_table(ORPHANS)
    learned = pd.MultiIndex.from_frame(off[_SITE]).isin(pd.MultiIndex.from_frame(labels[_SITE]))
    found = off.rename(columns={"answer": "label", "tied_by": "reason"})
    found = found.assign(learned_from=learned & off["counts"])
    return check_table(found, ORPHANS, source="labels without a site")


def orphan_notes(orphans: pd.DataFrame, *, files: Collection[str]) -> list[str]:
    """Return a sentence for each reason why answers belong to no site.

    Parameters
    ----------
    orphans : pandas.DataFrame
        `ORPHANS`.
    files : collection of str
        Names of files in the folder of labels. Of other files, `position_notes` tells of positions
        near no candidate.
    """
    told = orphans[orphans["file"].isin(list(files)) | (orphans["reason"] != NO_CANDIDATE)]
    return [
        f"{count} {'answer' if count == 1 else 'answers'} of people belong{'s' * (count == 1)} to "
        f"no site: {reason}. See labels/orphans.tsv; the label files stay as they are."
        for reason, count in Counter(told["reason"]).items()
    ]
