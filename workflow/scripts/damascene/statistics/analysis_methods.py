"""How counts were corrected and what was calculated of them, in words for a paper."""

import pandas as pd

from damascene.classes import ALL

_BLOCKS = (
    "Densities are sites over valid area; their {level:g} % intervals come from how numbers of "
    "sites differ between blocks of a panorama (block bootstrap in its limit; Hall, 1985, doi "
    "10.1016/0304-4149(85)90212-1), never narrower than exact Poisson intervals, which stand "
    "where a panorama has no blocks."
)
_PACC = (
    "Counts of classes were corrected for the errors of the networks by adjusted mean "
    "probabilities (PACC; Bella et al., 2010, doi 10.1109/ICDM.2010.75), from the answers to "
    "labels that the networks did not learn from"
)
_VOIDS = (
    "Counts were corrected for what the detector misses by the recall of simulated voids that were "
    "planted into the panoramas: a found site stands for one over the recall of its size and "
    "contrast (Horvitz and Thompson, 1952, doi 10.1080/01621459.1952.10483446)"
)
_SPACE = (
    "Where sites lie was tested against random sites that keep the least distance, by global "
    "envelopes (Myllymäki et al., 2017, doi 10.1111/rssb.12172). Areas of sites were fitted by "
    "lognormal distributions that are cut off at the detection limit, by maximum likelihood. Where "
    "sites are too few, the tables say so in place of these numbers."
)


def analysis_in_words(corrected: pd.DataFrame) -> str:
    """Return a paragraph in reStructuredText that says which corrections were made.

    Parameters
    ----------
    corrected : pandas.DataFrame
        `CORRECTED` of a study, at least one panorama.
    """
    said = [_BLOCKS.format(level=100 * corrected["confidence"].iloc[0])]
    classes = corrected[corrected["class"] != ALL]
    for text, rows, word, what in (
        (_PACC, classes, "pacc", "Classes were not corrected for the errors of the networks"),
        (_VOIDS, corrected, "recall", "Counts were not corrected for what the detector misses"),
    ):
        done = rows["method"].str.contains(word)
        names = rows.loc[done, "panorama"].nunique()
        every = rows["panorama"].nunique()
        if names:
            said.append(f"{text}{f' (in {names} of {every} panoramas)' if names < every else ''}.")
        else:
            said.append(f"{what}{_because(rows)}.")
    return " ".join(["**What was calculated.**", *said, _SPACE])


def is_corrected(corrected: pd.DataFrame) -> bool:
    """Return whether a class of any panorama was corrected for the errors of the networks."""
    return bool(corrected["method"].str.contains("pacc").any())


def _because(rows):
    if rows["method"].str.contains("labels").any():
        return ""
    reasons = [each for column in ("not_estimated", "note") for each in rows[column] if each]
    return f", because {reasons[0].rstrip('.')}" if reasons else ""
