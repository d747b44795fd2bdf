"""Tables as the page shows them: an interval beside its value, a unit in the heading."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from damascene.report.units import heading

#: Rows of a table that the page shows; all are in the data beside it.
MOST_ROWS = 40
#: What stands where a number is missing; the caption or a column says why.
MISSING = "–"
# What is legible across a page.
_MOST_COLUMNS, _MOST_SIDE_BY_SIDE = 13, 10
# Below this a probability is said to be smaller.
_SMALLEST_P = 0.001
# A bound below this is one of two panoramas or blocks, and the digits of its exponent say nothing.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Laid:
    """A table for the page.

    Attributes
    ----------
    headings : list of str
    rows : list of list of str
    numeric : list of bool
        Columns that are aligned to the right.
    notes : list of str
        What all rows share, and how many are not shown.
    """

    headings: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    notes: list[str] = field(default_factory=list)


def lay_out(
    table: pd.DataFrame, *, columns: Sequence[str] = (), most_rows: int = MOST_ROWS
) -> Laid:
    """Return a table as text.

    Columns in which all rows are alike become a note, so that the others have room. Bounds of an
    interval stand in brackets behind their value. Empty columns of text are left out.

    Parameters
    ----------
    table : pandas.DataFrame
    columns : sequence of str, optional
        Those to show, all if empty. Names that the table lacks are left out.
    most_rows : int, optional
    """
    chosen = [name for name in columns if name in table] or list(table)
    table = table[chosen]
    notes = []
    if len(table) > most_rows:
        notes.append(
            f"{most_rows} of {len(table)} rows are shown; all are in the data beside the report."
        )
        shown = table.head(most_rows)
    else:
        shown = table
    joined, bounds = intervals_of(chosen)
    headings, cells, numeric = [], [], []
    for name in chosen:
        if name in bounds:
            continue
        values = shown[name]
        of_text = not pd.api.types.is_numeric_dtype(values) or values.dtype == bool
        if of_text and (table[name].astype(str) == "").all():
            continue
        if (
            name not in joined
            and len(table) > 2
            and table[name].duplicated().sum() == len(table) - 1
        ):
            value = text_of(table[name].iloc[0], name)
            if value != MISSING:
                notes.append(f"In all rows {heading(name)} is {value}.")
            continue
        if name in joined:
            low, high = joined[name]
            column = [
                with_interval(*each, name=name)
                for each in zip(values, shown[low], shown[high], strict=True)
            ]
        else:
            column = [text_of(value, name) for value in values]
        headings.append(heading(name))
        cells.append(column)
        numeric.append(not of_text)
    rows = [list(row) for row in zip(*cells, strict=True)]
    if len(headings) <= _MOST_COLUMNS:
        return Laid(headings, rows, numeric, notes)
    if len(rows) <= _MOST_SIDE_BY_SIDE:
        # What is too wide for a page is laid on its side.
        turned = [list(column) for column in zip(headings, *rows, strict=True)]
        return Laid(turned[0], turned[1:], [False] + [True] * len(rows), notes)
    left = headings[_MOST_COLUMNS:]
    notes.append(f"In the data beside the report only: {', '.join(left)}.")
    kept = [row[:_MOST_COLUMNS] for row in rows]
    return Laid(headings[:_MOST_COLUMNS], kept, numeric[:_MOST_COLUMNS], notes)


def intervals_of(columns: Sequence[str]) -> tuple[dict[str, tuple[str, str]], set[str]]:
    """Find values with their bounds among the names of columns.

    Bounds have the name of their value with `low` and `high` in it (`density_low_per_mm2` of
    `density_per_mm2`, `low_per_mm2` of the value before it, `low` of the value before it).

    Returns
    -------
    joined : dict of str to tuple of str
        Names of the bounds by that of the value.
    bounds : set of str
    """
    joined, bounds = {}, set()
    for place, low in enumerate(columns):
        parts = low.split("_")
        if parts.count("low") != 1:
            continue
        at = parts.index("low")
        high = "_".join([*parts[:at], "high", *parts[at + 1 :]])
        value = "_".join([*parts[:at], *parts[at + 1 :]])
        if value not in columns and at == 0 and place:
            value = columns[place - 1]
        if high in columns and value in columns and value not in joined:
            joined[value] = (low, high)
            bounds |= {low, high}
    return joined, bounds


def with_interval(value: float, low: float, high: float, *, name: str = "") -> str:
    """Write a value with its bounds in brackets, alone where they are missing."""
    if pd.isna(value):
        return MISSING
    said = text_of(value, name)
    if pd.isna(low) or pd.isna(high):
        return said
    return f"{said} [{text_of(low, name)}, {text_of(high, name)}]"


def with_one_interval(densities: pd.DataFrame) -> pd.DataFrame:
    """Return densities with the interval that the first page shows, and the Poisson one as text.

    Two intervals of one density on a page would leave the choice to the reader. Poisson's law
    takes sites to be independent, which bands are not, so that it stands only where blocks say
    nothing.

    Parameters
    ----------
    densities : pandas.DataFrame
        `DENSITIES`.

    Returns
    -------
    pandas.DataFrame
        With the interval of the blocks in `density_low_per_mm2` and `density_high_per_mm2` where
        there is one, and another column `poisson_interval_per_mm2`.
    """
    low, high = densities["density_low_per_mm2"], densities["density_high_per_mm2"]
    poisson = [
        MISSING if pd.isna(first) else f"[{text_of(first)}, {text_of(second)}]"
        for first, second in zip(low, high, strict=True)
    ]
    return densities.assign(
        density_low_per_mm2=densities["block_low_per_mm2"].fillna(low),
        density_high_per_mm2=densities["block_high_per_mm2"].fillna(high),
        poisson_interval_per_mm2=poisson,
    )


def text_of(value: object, name: str = "") -> str:
    """Write a cell: three digits of a number, whole numbers whole, yes and no in words."""
    if isinstance(value, str):
        return value.replace("_", " ") if name in ("class", "kind", "usable", "score") else value
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if _of_chance(name) and value < _SMALLEST_P:
        return f"< {_SMALLEST_P:g}"
    number = float(value)
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if abs(number) < _NOTHING:
        return "0"
    if number == int(number) and abs(number) < 1e7:
        return f"{int(number)}"
    # From there on three digits would be written with a power of ten.
    return f"{number:.0f}" if abs(number) >= 999.5 else f"{number:.3g}"


def _of_chance(name):
    """Tell whether a column holds p values, by its name."""
    return name.startswith(("p_value", "p_holm", "p_adjusted")) or name.endswith(("_p", "_p_value"))
