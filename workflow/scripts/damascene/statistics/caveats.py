"""What must be said beside the numbers of a study, so that nobody takes them for more."""

from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from damascene.contracts.domain_shift import VERDICT
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.problems import MARK

# Panoramas with their own words; of more, what they have in common.
_SHOWN = 3
_IN_COMMON = {
    "nothing_valid": "nothing in them is valid, so that nothing was searched",
    "no_levels": "no two grey levels of ferrite and martensite, so that the threshold is a guess",
    "few_levels": "less than half of the blocks show ferrite and martensite",
    "inverted": "the brighter phase seems to be the larger one: is the contrast inverted?",
    "much_dark": "more of the area is dark than cavities take up",
    "dark_ferrite": "ferrite may have been taken for dark in some blocks",
    "no_candidates": "no dark site was found",
    "correlated_noise": "noise is correlated, so that the strength of denoising was not calibrated",
    "unknown_noise": "whether noise is correlated is not known, so that the strength of denoising "
    "was not calibrated",
    "other_noise": "noise is other than the denoising network is made for",
    "unmeasured_noise": "noise could not be measured, so that nothing was denoised",
    "foreign_pixel_size": "the network of their phase maps learned from other pixel sizes",
    "one_phase": "a phase takes up nearly nothing of their phase maps, or nearly all",
    "much_of_minor_phase": "more of their phase maps is martensite than dual-phase steel has",
    "unsure": "the phases in their maps have low probabilities",
}
# What is said of many panoramas that are unlike the training set.
_SHIFT = {
    "foreign": "foreign to the networks. The reasons stand in statistics/domain_shift.tsv.",
    "beyond": "beyond what the networks learned from: label some of their sites before their "
    "classes are used. The reasons stand in statistics/domain_shift.tsv.",
    "not_tested": "whether they are like what the networks learned from is not tested, because",
}
# Where all of them are told, by the kind of record.
_PLACES = {
    QualityRecord: "results/quality/*.json and on the pages of their quality",
    PhaseRecord: "results/phases/*.json",
}


def caveat_lines(
    records: Iterable[QualityRecord | PhaseRecord], *, others: Iterable[str] = ()
) -> list[str]:
    """Return what speaks against candidates and phase maps of panoramas, and other remarks.

    Where more than three panoramas have the same fault, one line names the first of them.
    """
    found = defaultdict(list)
    for record in records:
        for caveat in record.caveats:
            found[type(record), caveat.kind].append((record.panorama, caveat.text))
    lines = [f"{MARK}{other}" for other in others]
    for (source, kind), each in found.items():
        if len(each) <= _SHOWN:
            lines += [f"{MARK}{panorama}: {text}." for panorama, text in each]
            continue
        names = ", ".join(panorama for panorama, _ in each[:_SHOWN])
        lines.append(
            f"{MARK}{len(each)} panoramas ({names}, ...): {_IN_COMMON[kind]}. What to do stands in "
            f"{_PLACES[source]}."
        )
    return lines


def shift_lines(shift: pd.DataFrame) -> list[str]:
    """Return which panoramas are unlike those that the networks learned from, the worst first.

    Parameters
    ----------
    shift : pandas.DataFrame
        `DOMAIN_SHIFT`.
    """
    verdicts = shift[shift["measure"] == VERDICT]
    lines = []
    for flag, more in _SHIFT.items():
        own = verdicts[verdicts["flag"] == flag]
        names = own["panorama"].tolist()
        if not names:
            continue
        if len(names) <= _SHOWN and flag != "not_tested":
            lines += [f"{MARK}{one.panorama}: {one.meaning}." for one in own.itertuples()]
            continue
        listed = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        lines.append(f"{MARK}{len(names)} of {len(verdicts)} panoramas ({listed}): {more}")
        if flag == "not_tested":
            lines[-1] += f" {own['meaning'].iloc[0]}."
    return lines
