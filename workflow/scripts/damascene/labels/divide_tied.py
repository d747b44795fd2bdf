"""Divide labels that have met the candidates, and may be fewer than the files hold.

The check of a study counts them before; only here it is found out. The job fails once, and leaves a
note by which the next check knows the same.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from damascene import InputError
from damascene.classes import SITE_CLASSES
from damascene.contracts.labels import UNDECIDED
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.files import write_json
from damascene.labels.counts import number_of
from damascene.labels.divide import divide_labels
from damascene.labels.few import FewLabels

#: The note, below the folder of results.
NOTE = "sources/few_tied_labels.json"


def divide_tied_labels(
    labels: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    orphans: pd.DataFrame,
    contradictions: pd.DataFrame,
    key: str,
    results: Path = Path("results"),
    **options: Any,
) -> pd.DataFrame:
    """Divide labels that have met the candidates; note it if they do not suffice.

    Parameters
    ----------
    labels, records
        As for `divide_labels`.
    orphans, contradictions : pandas.DataFrame
        `ORPHANS` and `CONTRADICTIONS`: where the other answers are.
    key : str
        Of all that labels, candidates and the division follow from; empty where a study cannot
        go on without these labels.
    results : pathlib.Path, optional
    **options
        Of `divide_labels`.

    Returns
    -------
    pandas.DataFrame
        `SPLIT`.

    Raises
    ------
    InputError
        If the labels do not suffice, with their counts, what became of the others, and what to do.
    """
    try:
        split = divide_labels(labels, records, **options)
    except InputError as error:
        counts = labels["label"].value_counts()
        few = FewLabels(
            {name: int(counts.get(name, 0)) for name in SITE_CLASSES},
            " ".join([str(error), *_lost(orphans, contradictions)]),
        )
        told = f"Labelled sites, once candidates were found: {few.counted}. {few.reason}"
        if not key:
            raise InputError(told) from error
        (results / NOTE).parent.mkdir(parents=True, exist_ok=True)
        write_json(results / NOTE, {"key": key, **asdict(few)})
        without = "training networks" if options["test_folds"] is not None else "testing networks"
        raise InputError(
            f"{told} Run again: the study then goes on without {without}, and keeps and shows "
            "every answer."
        ) from error
    (results / NOTE).unlink(missing_ok=True)
    return split


def _lost(orphans, contradictions):
    """Return sentences on the answers of which no labelled site came."""
    lines = []
    without = orphans[~orphans["learned_from"].astype(bool)]
    if len(without):
        # Sizes and names of images would make a reason of each.
        kinds = Counter(reason.split(":")[0] for reason in without["reason"])
        told = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
        lines.append(
            f"{number_of(len(without), 'answer')} of people without a site: {told}; see "
            "labels/orphans.tsv."
        )
    undecided = int((contradictions["decided"] == UNDECIDED).sum())
    if undecided:
        lines.append(
            f"{number_of(undecided, 'site')} without a label, as people contradict each other; see "
            "labels/contradictions.tsv."
        )
    return lines
