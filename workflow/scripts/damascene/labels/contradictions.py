"""Sites that people called by different classes, and how it was decided."""

from collections import Counter

import pandas as pd

from damascene.contracts.labels import (
    ADJUDICATED,
    AGREED,
    ANSWER_SEPARATOR,
    CONTRADICTIONS,
    LAST_WORD,
    MAJORITY,
    UNCLEAR,
    UNDECIDED,
)
from damascene.contracts.table import check_table, empty_table
from damascene.labels.kept import BOX, has_box
from damascene.labels.outlines import box_overlap

_SITE = ["panorama", "site_id"]


def contradictions(answers: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """List the sites of which people said different classes.

    The last vote of each person, and the last answer that was given to decide, are compared;
    `unclear` contradicts nothing. One person who changed their mind contradicts nobody, but who
    called two sites by two classes which are now one site does.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    labels : pandas.DataFrame
        `LABELLED_SITES`.

    Returns
    -------
    pandas.DataFrame
        `CONTRADICTIONS`, by panorama and site.
    """
    chosen = labels.set_index(_SITE)["label"].to_dict()
    # Who decided may have found that nobody can tell.
    settled = set(answers.loc[answers["decides"], _SITE].itertuples(index=False, name=None))
    said = answers[answers["answer"] != UNCLEAR].sort_values("order")
    several = said.groupby(_SITE)["answer"].transform("nunique") > 1
    rows = []
    for site, of_site in said[several].groupby(_SITE):
        last = of_site.drop_duplicates(["annotator", "decides"], keep="last")
        label = chosen.get(site, "")
        decided = ADJUDICATED if site in settled else _decided(last, label)
        if last["answer"].nunique() < 2:
            last = _of_other_sites(of_site)
            decided = LAST_WORD
        if last["answer"].nunique() < 2:
            continue
        rows.append(
            {
                **dict(zip(_SITE, site, strict=True)),
                "x_px": last["x_px"].mean(),
                "y_px": last["y_px"].mean(),
                "annotators": ANSWER_SEPARATOR.join(last["annotator"]),
                "answers": ANSWER_SEPARATOR.join(last["answer"]),
                "times": ANSWER_SEPARATOR.join(last["time"]) if last["time"].any() else "",
                "label": label,
                "decided": decided,
            }
        )
    if not rows:
        return empty_table(CONTRADICTIONS)
    return check_table(pd.DataFrame(rows), CONTRADICTIONS, source="contradictions")


def _decided(last, label):
    if not label:
        return UNDECIDED
    return MAJORITY if len(last["answer"].mode()) == 1 else AGREED


def _of_other_sites(answers):
    """Return the answers of each person to outlines apart from each other, the last to each."""
    kept = []
    for _, of_one in answers[has_box(answers)].groupby("annotator"):
        apart = []
        for row in of_one.index[::-1]:
            boxes = of_one.loc[apart, BOX].to_numpy(float)
            if not (box_overlap(of_one.loc[row, BOX].to_numpy(float), boxes) > 0).any():
                apart.append(row)
        kept += apart
    return answers.loc[sorted(kept)]


def contradiction_notes(table: pd.DataFrame) -> list[str]:
    """Return a sentence on the sites of which people said different classes, if there are any.

    Parameters
    ----------
    table : pandas.DataFrame
        `CONTRADICTIONS`.
    """
    if table.empty:
        return []
    words = {
        ADJUDICATED: "decided by an answer given to decide",
        MAJORITY: "by the majority",
        AGREED: "by the label column",
        UNDECIDED: "by nobody, so that they have no label",
        LAST_WORD: "one person's answers to what is now one site, of which the later counts",
    }
    counts = Counter(table["decided"])
    how = "; ".join(f"{counts[kind]} {text}" for kind, text in words.items() if counts[kind])
    number = "1 site is" if len(table) == 1 else f"{len(table)} sites are"
    return [
        f"{number} called by different classes: {how}. See labels/contradictions.tsv; an answer "
        "with 'yes' in the column 'decides' settles a site."
    ]
