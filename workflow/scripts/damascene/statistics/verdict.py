"""Which numbers of a study may be used, with care or not at all, and why.

A reader of a table sees three digits and an interval, and neither how often the networks err nor
that parts of an image are blurred. Each kind of number is therefore judged by what is known of it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, INCLUSION, SITE_CLASSES
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.statistics.verdict_corrected import (
    FAIR_RECALL,
    GOOD_RECALL,
    TOO_WIDE,
    WIDE,
    found_labels,
    lowest_recall,
    widths,
)

YES, WITH_CARE, NO = "yes", "with_care", "no"
_ORDER = (YES, WITH_CARE, NO)
#: Recall and precision of a class from which its counts may be used, and may be with care.
GOOD_SCORE, FAIR_SCORE = 0.8, 0.6
#: Labels of a class below which a score says nothing: of ten, its interval spans half of 0 to 1.
FEWEST_LABELS = 10
# Blocks of a panorama that stand out; fewer change no count by more than its own interval.
_MANY_BLOCKS = 0.05
# Part of the sites that are labelled, from which the networks hardly matter.
_NEARLY_ALL = 0.9
_SHOWN = 3
#: Faults of a panorama after which its sites are not those of the steel.
_SPOILT = {"nothing_valid", "no_levels", "inverted", "much_dark"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of the numbers of a study; tables are None where a study has none.

    Attributes
    ----------
    densities : pandas.DataFrame
        `DENSITIES`.
    scores, confusion : pandas.DataFrame or None
        `SCORES` and `CONFUSION` of labels that the networks did not learn from.
    corrected : pandas.DataFrame or None
        `CORRECTED`.
    detection : pandas.DataFrame or None
        `DETECTION_RECALL`.
    labels : pandas.DataFrame or None
        `LABELLED_SITES`.
    change : str
        What the control says: `none`, `grows`, `falls` or `not_tested`.
    factor : str
        By which the density of the control changes, with its interval; empty where not tested.
    shift : pandas.DataFrame or None
        `DOMAIN_SHIFT`.
    quality : sequence of QualityRecord
    phases : sequence of PhaseRecord
    notes_of_networks : sequence of str
        What the cards of networks from elsewhere say of them.
    untested : str
        Why no labels test the networks; empty where some do.
    doubts : sequence of str
        Why the labels may be no test.
    """

    densities: pd.DataFrame
    scores: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    corrected: pd.DataFrame | None = None
    detection: pd.DataFrame | None = None
    labels: pd.DataFrame | None = None
    change: str = "not_tested"
    factor: str = ""
    shift: pd.DataFrame | None = None
    quality: Sequence[QualityRecord] = ()
    phases: Sequence[PhaseRecord] = ()
    notes_of_networks: Sequence[str] = ()
    untested: str = ""
    doubts: Sequence[str] = field(default=())


def verdict_table(facts: Facts) -> pd.DataFrame:
    """Judge each kind of number of a study.

    Returns
    -------
    pandas.DataFrame
        `VERDICT`: all sites, then counts by class, corrected counts, trend, sizes, phases.
    """
    rows = [_sites(facts)]
    rows += [_counts(facts, name) for name in (DAMAGE, *SITE_CLASSES)]
    if facts.corrected is not None:
        rows += _together([_corrected(facts, name) for name in _classes_of(facts.corrected)])
    rows += [_trend(facts), _sizes(facts)]
    if facts.phases:
        rows.append(_phases(facts))
    return pd.DataFrame(rows)


def _together(rows):
    """Say once what holds for all classes."""
    if len({(row["usable"], row["reason"]) for row in rows}) > 1:
        return rows
    return [{**row, "number": "corrected counts of all classes", "class": ""} for row in rows[:1]]


def _row(number, kind, label, usable, reason):
    return {
        "number": number,
        "kind": kind,
        "class": label,
        "usable": usable,
        "reason": reason + ("" if reason.endswith(".") else "."),
    }


def _worst(*verdicts):
    return max(verdicts, key=_ORDER.index)


def _sites(facts):
    usable, reason = _with_recall(facts, ALL, *_image_verdict(facts))
    return _row("all sites, whatever their class", "sites", "", usable, reason)


def _with_recall(facts, label, usable, reason):
    """Lower the answer for raw counts where the detector misses sites."""
    known = lowest_recall(facts.corrected, facts.detection, label)
    if known and known[0] < GOOD_RECALL:
        usable = _worst(usable, WITH_CARE if known[0] >= FAIR_RECALL else NO)
        reason = f"{reason}; {known[1]}: use corrected counts where they may be used"
    found, labelled = found_labels(facts.labels, label)
    if labelled and found < GOOD_RECALL * labelled:
        few = found < FAIR_RECALL * labelled and labelled >= FEWEST_LABELS
        usable = _worst(usable, NO if few else WITH_CARE)
        reason = f"{reason}; of {labelled} labelled sites the detector finds {found}"
    return usable, reason


def _image_verdict(facts):
    """Judge the images: what speaks against them speaks against every number."""
    spoilt = [one.panorama for one in facts.quality if _kinds(one) & _SPOILT]
    # What is spoilt needs no further doubts.
    doubtful = [
        one.panorama
        for one in facts.quality
        if _kinds(one) - _SPOILT and one.panorama not in spoilt
    ]
    blocks = {one.panorama: _blocks_that_stand_out(one) for one in facts.quality}
    measured = {one.panorama: one.measured_blocks for one in facts.quality}
    many = [name for name, n in blocks.items() if n > _MANY_BLOCKS * measured[name]]
    said, usable = [], YES
    if spoilt:
        usable = NO if len(spoilt) == len(facts.quality) else WITH_CARE
        said.append(f"the image speaks against the sites of {named(spoilt)}")
    if doubtful:
        usable = _worst(usable, WITH_CARE)
        said.append(f"there are doubts about the image of {named(doubtful)}")
    if many:
        usable = _worst(usable, WITH_CARE)
        said.append(f"many blocks stand out in {named(many)}")
    total = sum(blocks.values())
    if total:
        said.append(
            f"{total} of {sum(measured.values())} blocks stand out in all, see the warnings"
        )
    elif said:
        said.append("see the warnings")
    return usable, "; ".join(said) or "nothing in the images speaks against them"


def _kinds(record):
    return {caveat.kind for caveat in record.caveats}


def _blocks_that_stand_out(record):
    """Read the largest number of blocks in a note, which starts with it; they may overlap."""
    numbers = (re.match(r"\d+", note) for note in record.notes)
    return max((int(each[0]) for each in numbers if each), default=0)


def _counts(facts, label):
    number = "counts of all damage" if label == DAMAGE else f"counts of {label.replace('_', ' ')}"
    usable, reason = _class_verdict(facts, label)
    own = facts.densities[facts.densities["class"] == label]
    missing = own[own["not_estimated"] != ""]
    withheld = missing["panorama"].tolist()
    foreign, beyond = _shifted(facts)
    if withheld:
        usable = NO if len(withheld) == len(own) else _worst(usable, WITH_CARE)
        reason = f"withheld in {named(withheld)}: {missing['not_estimated'].iloc[0]}; {reason}"
    elif foreign:
        usable = NO if len(foreign) == len(own) else _worst(usable, WITH_CARE)
        reason = f"{named(foreign)}: foreign to the networks; {reason}"
    elif beyond:
        usable = _worst(usable, WITH_CARE)
        reason = f"{named(beyond)}: unlike what the networks learned from; {reason}"
    spoilt, _ = _image_verdict(facts)
    if spoilt != YES and usable != NO:
        usable, reason = _worst(usable, spoilt), f"{reason}; see all sites"
    usable, reason = _with_recall(facts, label, usable, reason)
    return _row(number, "counts", label, usable, reason)


def _class_verdict(facts, label):
    own = facts.densities[facts.densities["class"] == label]
    count, labelled = int(own["count"].sum()), int(own["labelled"].sum())
    if count and labelled >= _NEARLY_ALL * count:
        return YES, f"{labelled} of {count} sites have the class of their label"
    if facts.scores is None:
        why = facts.untested or "no labels test the networks"
        if facts.notes_of_networks:
            return NO, f"{why}. {' '.join(facts.notes_of_networks)}"
        return WITH_CARE, f"{why}: how often they err on this steel is not known"
    recall, precision, support = _scores_of(facts, label)
    if not support:
        return NO, "no label of this class tests the networks"
    found = "none of the sites given it is right" if precision is None else ""
    lowest = min(recall, precision or 0)
    said = found or (
        f"of {support} labelled sites {_percent(recall)} are recognised, and {_percent(precision)} "
        "of the sites given this class belong to it"
    )
    if support < FEWEST_LABELS:
        return NO, f"{said}; {support} labels are too few to tell"
    if lowest < FAIR_SCORE:
        return NO, f"{said}: use corrected counts where they may be used, or add labels"
    usable = WITH_CARE if lowest < GOOD_SCORE or facts.doubts else YES
    if facts.doubts:
        said += "; these labels may have been among those that were learned from"
    return usable, said


def _scores_of(facts, label):
    """Return recall, precision (None where it is given to no site) and support of a class."""
    if label != DAMAGE:
        rows = facts.scores[facts.scores["class"] == label].set_index("score")
        value, support = rows["value"], int(rows["support"].iloc[0])
        precision = None if pd.isna(value["precision"]) else float(value["precision"])
        return (float(value["recall"]) if support else 0.0), precision, support
    table = facts.confusion
    true = table["true_class"].isin(DAMAGE_MECHANISMS)
    given = table["predicted_class"].isin(DAMAGE_MECHANISMS)
    both, support = table.loc[true & given, "count"].sum(), int(table.loc[true, "count"].sum())
    answers = table.loc[given, "count"].sum()
    return (both / support if support else 0.0), (both / answers if answers else None), support


def _shifted(facts):
    if facts.shift is None:
        return [], []
    # The row that sums up the others of a panorama.
    summed = facts.shift[facts.shift["measure"] == "verdict"]
    by_flag = {
        flag: sorted(set(summed.loc[summed["flag"] == flag, "panorama"]))
        for flag in ("foreign", "beyond")
    }
    return by_flag["foreign"], by_flag["beyond"]


def _classes_of(table):
    present = set(table["class"])
    return [name for name in (DAMAGE, *SITE_CLASSES) if name in present]


def _corrected(facts, label):
    number = f"corrected counts of {'all damage' if label == DAMAGE else label.replace('_', ' ')}"
    own = facts.corrected[facts.corrected["class"] == label]
    missing = own[own["not_estimated"] != ""]
    if len(missing) == len(own):
        return _row(number, "corrected", label, NO, missing["not_estimated"].iloc[0])
    usable, reason = _corrected_verdict(facts, own, missing)
    spoilt, _ = _image_verdict(facts)
    if _worst(usable, spoilt) != usable:
        usable, reason = spoilt, f"{reason}; see all sites"
    return _row(number, "corrected", label, usable, reason)


def _corrected_verdict(facts, own, missing):
    """Judge corrected counts of a class of which some panorama has one."""
    known = own[(own["not_estimated"] == "") & own["corrected_count"].notna()]
    if not known["count"].sum():
        return NO, "no such site was found, so that there is nothing to correct"
    said = []
    if len(missing):
        said.append(f"missing in {named(missing['panorama'])}: {missing['not_estimated'].iloc[0]}")
    foreign, beyond = _shifted(facts)
    if foreign or beyond:
        said.append(f"{named([*foreign, *beyond])}: unlike what the networks learned from")
    usable = WITH_CARE if said else YES
    width = widths(known)
    if (width > WIDE).any():
        usable = NO if (width > TOO_WIDE).all() else WITH_CARE
        where = f" in {named(known.loc[width > WIDE, 'panorama'])}" if len(own) > 1 else ""
        most = "without limit" if np.isinf(width.max()) else f"by a factor of {width.max():.3g}"
        said.append(f"the interval is wide{where}: its bounds differ {most}")
    said = said or [
        "corrected for the errors of the networks and the detector; the interval holds those of "
        "the correction, too"
    ]
    return usable, "; ".join(said)


def _trend(facts):
    number = "change of damage with strain"
    strains = facts.densities["strain_percent"].dropna().nunique()
    if strains < 2:
        reason = (
            "not estimated, because the strain of the panoramas is not known"
            if not strains
            else "not estimated, because all panoramas have one strain"
        )
        return _row(number, "trend", DAMAGE, NO, reason)
    usable, _ = _class_verdict(facts, DAMAGE)
    reason = {
        "none": "no change of inclusions, the built-in control, with strain was shown"
        + (f" (factor {facts.factor})" if facts.factor else ""),
        "grows": "the density of inclusions grows with strain, which deformation does not make: "
        "damage is taken for inclusions, or the panoramas differ",
        "falls": "the density of inclusions falls with strain: inclusions are taken for damage or "
        "are not found, or the panoramas differ",
        "not_tested": f"whether the density of {INCLUSION}s stays the same was not tested",
    }[facts.change]
    usable = _worst(usable, _image_verdict(facts)[0])
    if facts.change != "none":
        usable = _worst(usable, WITH_CARE)
    if usable == NO:
        reason += "; but the counts of damage may not be used"
    return _row(number, "trend", DAMAGE, usable, reason)


def _sizes(facts):
    usable, reason = _image_verdict(facts)
    every = facts.densities[facts.densities["class"] == ALL]
    if not every["count"].sum():
        return _row("sizes of sites", "sizes", "", NO, "not estimated, because there is no site")
    reason = f"areas above the detection limit only; {reason}"
    return _row("sizes of sites", "sizes", "", usable, reason)


def _phases(facts):
    doubtful = [one.panorama for one in facts.phases if one.caveats]
    learned = sorted({one.trained_on for one in facts.phases if "simulated" in one.trained_on})
    blank = [one.panorama for one in facts.phases if "one_phase" in _kinds(one)]
    if blank and len(blank) == len(facts.phases):
        reason = f"{named(blank)}: nearly all of the map is one phase, see the warnings"
        return _row("phase fractions and shapes", "phases", "", NO, reason)
    if doubtful:
        reason = f"{named(doubtful)}: there are doubts about the map, see the warnings"
        return _row("phase fractions and shapes", "phases", "", WITH_CARE, reason)
    if learned:
        reason = "the network learned from simulated steel: compare its maps with the images"
        return _row("phase fractions and shapes", "phases", "", WITH_CARE, reason)
    return _row("phase fractions and shapes", "phases", "", YES, "nothing speaks against the maps")


def named(panoramas: Iterable[str]) -> str:
    """Name some panoramas, the first of them where they are many."""
    names = list(dict.fromkeys(panoramas))
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{len(names)} panoramas ({', '.join(names[:_SHOWN])}, ...)"


def _percent(value):
    return f"{100 * value:.0f} %"
