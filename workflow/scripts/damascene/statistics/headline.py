"""The page of text with the headline numbers: what may be used, the numbers, and their caveats."""

import textwrap
from collections.abc import Sequence

import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_LABELS
from damascene.problems import MARK
from damascene.statistics.conditions import pooled_density

#: Columns of the table: the sum of the damage, its parts, and what is no damage.
SHOWN = (
    *(DAMAGE, *DAMAGE_MECHANISMS),
    *(label for label in SITE_LABELS if label not in DAMAGE_MECHANISMS),
    ALL,
)
# More panoramas than this are summed up by strain: nobody reads a thousand columns.
_MOST_PANORAMAS = 12
_WORDS = {"yes": "yes", "with_care": "with care", "no": "no"}
_LINE = 100


def headline_table(density: pd.DataFrame) -> pd.DataFrame:
    """Lay a density table out for people: one row per panorama, one column a class.

    Parameters
    ----------
    density : pandas.DataFrame
        Result of `density.density_table`.

    Returns
    -------
    pandas.DataFrame
        panorama, strain_percent and a column for each class, all text. A cell reads
        "count (density [low, high])", densities in sites per mm², with the interval of the block
        bootstrap, or the exact Poisson one where there is none. Of many panoramas those of one
        strain are one row, with counts and areas summed up.
    """
    if density["panorama"].nunique() > _MOST_PANORAMAS:
        density = _by_strain(density)
    rows = []
    for panorama, group in density.groupby("panorama", sort=False):
        by_class = group.set_index("class")
        rows.append(
            {
                "panorama": panorama,
                "strain_percent": strain_text(group["strain_percent"].iloc[0]),
                **{label: _cell(by_class.loc[label]) for label in SHOWN},
            }
        )
    return pd.DataFrame(rows, columns=["panorama", "strain_percent", *SHOWN])


def headline_text(
    density: pd.DataFrame,
    *,
    notes: Sequence[str],
    verdict: pd.DataFrame | None = None,
    alerts: Sequence[str] = (),
    corrected: pd.DataFrame | None = None,
) -> str:
    """Return the page: which numbers may be used, the numbers, how to read them, and the notes.

    Parameters
    ----------
    density : pandas.DataFrame
        Result of `density.density_table`.
    notes : sequence of str
        A line each.
    verdict : pandas.DataFrame, optional
        `VERDICT`.
    alerts : sequence of str, optional
        Lines that stand before everything else.
    corrected : pandas.DataFrame, optional
        `CORRECTED`, shown of twelve panoramas at most.
    """
    # Panoramas side by side: a series is read along a row.
    table = headline_table(density).set_index("panorama").T.to_string()
    confidence = density["confidence"].iloc[0]
    lines = [
        *alerts,
        *([] if verdict is None else [*verdict_lines(verdict), ""]),
        table,
        f"Raw counts; in brackets sites per mm² with their {100 * confidence:g} % interval "
        + _kind_of_interval(density),
        *_corrected_lines(corrected),
    ]
    every = density[density["class"] == ALL]
    if labelled := every["labelled"].sum():
        lines.append(
            f"{labelled} of {every['count'].sum()} sites have the class of their label, the "
            "others that of the networks."
        )
    for reason, rows in density[density["not_estimated"] != ""].groupby("not_estimated"):
        named = ", ".join(dict.fromkeys(rows["panorama"]))
        lines.append(f"{MARK}Classes of {named} are not estimated, because {reason}.")
    return "\n".join([*lines, *notes]) + "\n"


def verdict_lines(verdict: pd.DataFrame) -> list[str]:
    """Return which numbers may be used, and why, as lines for a terminal."""
    lines = ["Which numbers may be used:"]
    for row in verdict.itertuples():
        head = f"  {_WORDS[row.usable]:<10} {row.number}: "
        lines += textwrap.wrap(row.reason, _LINE, initial_indent=head, subsequent_indent=" " * 13)
    return lines


def strain_text(strain_percent: float) -> str:
    """Write a strain, which may be missing."""
    return "unknown" if pd.isna(strain_percent) else f"{strain_percent:g}"


def rounded(value: float) -> str:
    """Write a density with three digits."""
    return f"{value:.0f}" if value >= 100 or value < 1e-12 else f"{value:.3g}"


def _by_strain(density):
    rows = []
    confidence = density["confidence"].iloc[0]
    for strain, group in density.groupby("strain_percent", sort=True, dropna=False):
        number = group["panorama"].nunique()
        for label, each in group.groupby("class", sort=False):
            found = pooled_density(each, confidence=confidence)
            rows.append(
                {
                    "panorama": f"{number} panorama{'s' * (number > 1)}, {strain_text(strain)} %",
                    "strain_percent": strain,
                    "class": label,
                    "count": None if found["not_estimated"] else found["count"],
                    "not_estimated": found["not_estimated"],
                    "density_per_mm2": found.get("density_per_mm2"),
                    "block_low_per_mm2": found.get("low_per_mm2"),
                    "block_high_per_mm2": found.get("high_per_mm2"),
                }
            )
    return pd.DataFrame(rows)


def _kind_of_interval(density):
    if density["panorama"].nunique() > _MOST_PANORAMAS:
        return "(from how panoramas of one strain differ, or blocks within them)."
    of_blocks = density["block_low_per_mm2"].notna() & (density["block_note"] == "")
    if not of_blocks.any():
        return "(exact Poisson: too narrow where sites gather in bands)."
    return "(from blocks of the panorama, because sites gather in bands)."


def _corrected_lines(corrected):
    """Return the corrected counts as a table like that of the raw ones."""
    if corrected is None or corrected["panorama"].nunique() > _MOST_PANORAMAS:
        return []
    known = corrected["corrected_count"].notna() & (corrected["not_estimated"] == "")
    if not known.any():
        return []
    table = {}
    for panorama, rows in corrected.groupby("panorama", sort=False):
        by_class = rows.set_index("class")
        names = [label for label in SHOWN if label in by_class.index]
        table[panorama] = {label: _corrected_cell(by_class.loc[label]) for label in names}
    return [
        pd.DataFrame(table).to_string(),
        "Corrected counts, for classes that the networks confuse and sites that the detector "
        "misses, with the interval of the correction.",
    ]


def _corrected_cell(row):
    if row["not_estimated"] or pd.isna(row["corrected_count"]):
        return "not estimated"
    density, low, high = (
        rounded(row[f"corrected_{name}_per_mm2"]) for name in ("density", "low", "high")
    )
    return f"{row['corrected_count']:.0f} ({density} [{low}, {high}])"


def _cell(row):
    if pd.isna(row["count"]):
        return "not estimated"
    kind = "density" if pd.isna(row["block_low_per_mm2"]) else "block"
    low, high = (rounded(row[f"{kind}_{bound}_per_mm2"]) for bound in ("low", "high"))
    return f"{int(row['count'])} ({rounded(row['density_per_mm2'])} [{low}, {high}])"
