"""Fractions of phases of the whole study, and what must be said beside them."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pandas as pd

from damascene.contracts.phase_record import PhaseRecord
from damascene.problems import MARK
from damascene.statistics.caveats import caveat_lines
from damascene.statistics.jackknife import LEAST_GROUPS
from damascene.statistics.phases.fractions import interval_or_reason

#: Half an interval, in percentage points, beyond which a fraction is not known for its panorama.
WIDEST_POINTS = 2.0
# Panoramas with their own words; of more, the first ones.
_SHOWN = 3
# Bands side by side, below which their spacing in one panorama says little.
_LEAST_BANDS = 5


def with_study(phases: pd.DataFrame, *, damage_phase: str, confidence: float) -> pd.DataFrame:
    """Put the fractions of all panoramas together below those of each.

    Fractions are areas over areas, so that a panorama weighs by its size; intervals rest on
    panoramas, each of which is left out once. The damage of panoramas at different strains is
    nothing to be averaged: it has no row.

    Parameters
    ----------
    phases : pandas.DataFrame
        `PHASES` of the panoramas.
    damage_phase : str
        Empty for none.
    confidence : float
    """
    rows = []
    for phase, each in phases[phases["phase"] != damage_phase].groupby("phase", sort=False):
        part, whole = each["area_um2"].to_numpy(float), each["whole_area_um2"].to_numpy(float)
        mapped = int((whole > 0).sum())
        low, high, reason = interval_or_reason(part, whole, confidence=confidence)
        if not reason and np.isnan(low):
            number = "1 panorama" if mapped == 1 else f"{mapped} panoramas"
            reason = f"{number}, and {LEAST_GROUPS} are the fewest"
        rows.append(
            {
                "panorama": "",
                "strain_percent": np.nan,
                "phase": phase,
                "area_um2": part.sum(),
                "whole_area_um2": whole.sum(),
                "fraction": part.sum() / whole.sum() if mapped else np.nan,
                "low": low,
                "high": high,
                "no_interval": reason,
                "groups": mapped,
                "confidence": confidence,
            }
        )
    return pd.concat([phases, pd.DataFrame(rows, columns=phases.columns)], ignore_index=True)


def phase_notes(
    phases: pd.DataFrame,
    shapes: pd.DataFrame,
    records: Iterable[PhaseRecord],
    *,
    damage_phase: str,
    hard_phase: str,
) -> str:
    """Return what the maps say in a few lines, and what speaks against them, a line each.

    Parameters
    ----------
    phases : pandas.DataFrame
        Result of `with_study`.
    shapes : pandas.DataFrame
        `PHASE_SHAPES`.
    records : iterable of PhaseRecord
        Of the maps, with what speaks against them.
    damage_phase, hard_phase : str
        Empty for none.
    """
    steel = phases[phases["phase"] != damage_phase]
    fractions = _fractions(steel[steel["panorama"] == ""])
    number = _number(steel["panorama"].nunique() - 1)
    said = [
        f"Phase maps: {fractions} of the steel, in {number}."
        if fractions
        else f"Phase maps: nothing is mapped, in {number}."
    ]
    if hard_phase:
        said.append(_bands(shapes[shapes["phase"] == hard_phase], name=hard_phase))
    else:
        said.append("No phase is named as the hard one, so that no bands were sought.")
    if not damage_phase:
        said.append("No phase is named as damage, so that none was compared with candidates.")
    of_each = steel[steel["panorama"] != ""]
    doubts = [*caveat_lines(records), *_of_fractions(of_each, hard_phase=hard_phase)]
    return "\n".join([*said, *doubts]) + "\n"


def _fractions(rows):
    return ", ".join(
        f"{row.phase} {100 * row.fraction:.1f} %"
        + ("" if np.isnan(row.low) else f" [{100 * row.low:.1f}, {100 * row.high:.1f}]")
        for row in rows.itertuples()
        if not np.isnan(row.fraction)
    )


def _number(count):
    return "1 panorama" if count == 1 else f"{count} panoramas"


def _bands(rows, *, name):
    found = rows[rows["bands"] == "bands"]
    unknown = int((rows["bands"] == "not_measured").sum())
    measured = len(rows) - unknown
    # Where none can be seen, nobody may read that there is none.
    beside = f"; {_number(unknown)} too small, or of one phase" if unknown else ""
    if not measured:
        return f"Bands of {name} were not measured: {_number(unknown)} too small, or of one phase."
    if found.empty:
        return f"Bands of {name}: none in {_number(measured)}{beside}."
    median = found[["band_spacing_um", "band_width_um", "band_strength"]].median()
    return (
        f"Bands of {name} in {len(found)} of {_number(measured)}, median spacing "
        f"{median['band_spacing_um']:.1f} um, width {median['band_width_um']:.1f} um, strength "
        f"{median['band_strength']:.2f}{beside}." + _few_bands(found)
    )


def _few_bands(found):
    few = int((found["bands_across"] < _LEAST_BANDS).sum())
    if not few:
        return ""
    return (
        f" In {_number(few)} fewer than {_LEAST_BANDS} lie side by side, so that the spacing there "
        "says little."
    )


def _of_fractions(rows, *, hard_phase):
    """Say which panoramas are too small for their fractions."""
    found = defaultdict(list)
    for panorama, each in rows.groupby("panorama", sort=False):
        if each["fraction"].isna().all():
            found["nothing is mapped"].append(panorama)
            continue
        asked = each[each["phase"] == hard_phase]
        row = (asked if len(asked) else each.sort_values("fraction")).iloc[-1]
        said = f"{row['phase']} {100 * row['fraction']:.1f} %"
        if row["fraction"] in (0, 1):
            found["nothing is known of how sure this is"].append(f"{panorama} ({said})")
        elif np.isnan(row["low"]):
            found[
                "too small to say how sure that is (see no_interval in statistics/phases.tsv)"
            ].append(f"{panorama} ({said})")
        elif 50 * (row["high"] - row["low"]) > WIDEST_POINTS:
            found[
                f"not known to {WIDEST_POINTS:g} percentage points, as the structure is coarse for "
                "a map of this size: use the interval, or map more area"
            ].append(f"{panorama} ({said} [{100 * row['low']:.1f}, {100 * row['high']:.1f}])")
    for doubt, cases in found.items():
        more = f" and {len(cases) - _SHOWN} more" if len(cases) > _SHOWN else ""
        yield f"{MARK}Phase map of {', '.join(cases[:_SHOWN])}{more}: {doubt}."
