"""The first page: what was measured, which numbers may be used, the numbers, and the warnings."""

from dataclasses import dataclass

import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.problems import MARK
from damascene.report.facts import Study
from damascene.report.tables import with_interval
from damascene.statistics.caveats import shift_lines
from damascene.statistics.conditions import pooled_density
from damascene.statistics.headline import SHOWN

# Panoramas side by side; more are summed up by strain and condition.
_MOST_SIDE_BY_SIDE = 4
_MOST_GROUPS = 16
_WORDS = {"yes": "yes", "with_care": "with care", "no": "no"}
#: Figures for the first page, the first that a study has.
FIRST_FIGURES = (
    "figures/corrected_counts.svg",
    "figures/density_against_strain.svg",
    "figures/class_shares.svg",
    "figures/phases_against_strain.svg",
    "figures/phase_convergence.svg",
)


@dataclass(frozen=True)
class Headline:
    """The headline table as text.

    Attributes
    ----------
    groups : list of str
        Panoramas, or what stands for several of them.
    rows : list of tuple
        Class, then for each group the raw count and density, and the corrected density; empty
        where nothing is corrected.
    notes : list of str
    """

    groups: list[str]
    rows: list[tuple[str, list[tuple[str, str]]]]
    notes: list[str]


def headline(study: Study) -> Headline | None:
    """Return raw and corrected densities with intervals, None where no site is classified."""
    if not study.classifies:
        return None
    densities = study.densities
    corrected = study.table("statistics/corrected.tsv")
    notes = [
        "Raw count, then sites per mm² with their "
        f"{100 * densities['confidence'].iloc[0]:g} % interval in brackets: from blocks of the "
        "panorama, which know that sites gather, where there are enough."
    ]
    groups = {
        f"{name} ({_percent(study.strains_percent[name])})": [name] for name in study.panoramas
    }
    if len(groups) > _MOST_SIDE_BY_SIDE:
        groups = _grouped(study)
        notes.append(
            "Panoramas of one strain and condition are summed up here; each one is in the table of "
            "densities. Intervals are those of the table of conditions: from how panoramas differ, "
            "or blocks within them."
        )
    notes.append(_about_correction(corrected))
    rows = []
    for label in SHOWN:
        cells = [_cell(densities, corrected, names, label) for names in groups.values()]
        rows.append((label.replace("_", " "), cells))
    return Headline(list(groups), rows, notes)


def _percent(strain_percent):
    return "strain unknown" if pd.isna(strain_percent) else f"{strain_percent:g} %"


def _grouped(study):
    groups = {}
    for name in study.panoramas:
        strain = _percent(study.strains_percent[name])
        condition = study.conditions.get(name, "")
        groups.setdefault(f"{strain}{f', {condition}' if condition else ''}", []).append(name)
    if len(groups) > _MOST_GROUPS:
        groups = {"all": list(study.panoramas)}
    return {
        f"{key} ({len(names)} panorama{'s' * (len(names) > 1)})": names
        for key, names in groups.items()
    }


def _about_correction(corrected):
    """Say what the bold lines are, or why there are none."""
    if corrected is None:
        return "Raw counts only: this study has no counts corrected for the errors of the networks."
    missing = corrected[corrected["class"].isin(SITE_CLASSES) & (corrected["not_estimated"] != "")]
    said = "Bold: corrected for sites that the detection misses"
    if missing.empty:
        return f"{said} and for classes that the networks confuse."
    return f"{said}. Classes are not corrected where no bold line stands: " + " ".join(
        dict.fromkeys(missing["not_estimated"])
    )


def first_figure(study: Study) -> str | None:
    """Return the figure for the first page, below results/."""
    corrected = study.table("statistics/corrected.tsv")
    nothing = (
        corrected is None
        or not (corrected["class"].isin(SITE_CLASSES) & (corrected["not_estimated"] == "")).any()
    )
    names = FIRST_FIGURES[1:] if nothing else FIRST_FIGURES
    return next((name for name in names if study.has(name)), None)


def _cell(densities, corrected, names, label):
    """Return count and raw density, and the corrected density, of some panoramas."""
    own = densities[(densities["class"] == label) & densities["panorama"].isin(names)]
    known = own[own["not_estimated"] == ""]
    if known.empty:
        return "not estimated", ""
    if len(known) == 1:
        row = known.iloc[0]
        density, low, high = (row[f"density{bound}_per_mm2"] for bound in ("", "_low", "_high"))
        if not pd.isna(row["block_low_per_mm2"]):
            low, high = row["block_low_per_mm2"], row["block_high_per_mm2"]
        count = row["count"]
    else:
        found = pooled_density(known, confidence=known["confidence"].iloc[0])
        count = found["count"]
        density, low, high = (found[f"{name}_per_mm2"] for name in ("density", "low", "high"))
    raw = f"{int(count)}: {with_interval(density, low, high)}"
    if left_out := len(own) - len(known):
        raw += f" (without {left_out} panorama{'s' * (left_out > 1)})"
    return raw, _corrected(corrected, names, label)


def _corrected(corrected, names, label):
    if corrected is None or len(names) > 1:
        return ""
    own = corrected[(corrected["class"] == label) & corrected["panorama"].isin(names)]
    own = own[own["not_estimated"] == ""]
    if own.empty:
        return ""
    row = own.iloc[0]
    return with_interval(
        row["corrected_density_per_mm2"],
        row["corrected_low_per_mm2"],
        row["corrected_high_per_mm2"],
    )


def verdict(study: Study) -> list[dict[str, str]]:
    """Return which numbers may be used, in words; those that may not come last."""
    table = study.table("statistics/verdict.tsv")
    if table is None:
        return []
    return [
        {
            "number": row.number,
            "usable": row.usable,
            "words": _WORDS[row.usable],
            "reason": row.reason,
        }
        for row in table.itertuples()
    ]


def alerts(study: Study) -> list[str]:
    """Return what must be read before any number: panoramas unlike those that were learned from."""
    shift = study.table("statistics/domain_shift.tsv")
    return [] if shift is None else [line.removeprefix(MARK) for line in shift_lines(shift)]


def warnings(study: Study) -> list[str]:
    """Return what speaks against the numbers, a sentence each."""
    lines = study.text("statistics/headline.txt") or study.text("statistics/phase_notes.txt")
    told = [line.removeprefix(MARK) for line in lines.splitlines() if line.startswith(MARK)]
    told += [line for line in lines.splitlines() if line.startswith("Control:")]
    told += sorted({card.note for card in study.cards.values() if card.note})
    for one in study.quality:
        told += [f"{one.panorama}: {note}." for note in one.notes]
        if not study.classifies:
            told += [f"{one.panorama}: {caveat.text}." for caveat in one.caveats]
    told += list(study.facts.get("doubts", ()))
    shown = set(alerts(study))
    told = [line for line in dict.fromkeys(told) if line not in shown]
    if len(told) > _MOST_WARNINGS:
        more = len(told) - _MOST_WARNINGS
        told = [*told[:_MOST_WARNINGS], f"{more} more are told in the section on quality."]
    return told


_MOST_WARNINGS = 24
