"""Column contracts of the tables that the stages hand to each other.

Every table is checked when it is written and when it is read, so that a stage never works on a
column that is missing, of the wrong type or out of range. Coordinates follow the image: `x_px` is
the column and `y_px` the row, both counted from the centre of the upper left pixel.
"""

from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pyarrow import ArrowInvalid

from damascene import InputError
from damascene.classes import (
    DAMAGE_CLASSES,
    INCLUSION,
    INCLUSION_CLASSES,
    NOT_CLASSIFIED,
    SITE_CLASSES,
    SITE_LABELS,
    STAGE_CLASSES,
)
from damascene.files import written_whole

# Whoever works on tables finds the names of the classes here as well.
__all__ = [
    "DAMAGE_CLASSES",
    "INCLUSION",
    "INCLUSION_CLASSES",
    "NOT_CLASSIFIED",
    "SITE_CLASSES",
    "SITE_LABELS",
    "STAGE_CLASSES",
]

# Between the answers of several annotators on one site, and the classes of a set.
ANSWER_SEPARATOR = "|"

PHASE_VALUES = {"outside": 0, "ferrite": 1, "martensite": 2, "damage": 3}


def _text(**options):
    return pa.Column(str, coerce=True, **options)


def _number(**options):
    return pa.Column(float, coerce=True, **options)


def _count(**options):
    return pa.Column("int64", pa.Check.ge(0), coerce=True, **options)


def _flag(**options):
    return pa.Column(bool, coerce=True, **options)


def _probability():
    return _number(checks=pa.Check.in_range(0, 1), nullable=True)


_POSITION = {
    "x_px": _number(checks=pa.Check.ge(-0.5)),
    "y_px": _number(checks=pa.Check.ge(-0.5)),
}
_POSITIVE = pa.Check.gt(0)

#: One row a dark site found in a panorama. `orientation_deg` is the angle of the longer axis
#: against the x axis, in [-90, 90), counted from x towards y (clockwise on the screen).
#: `convexity` is the area over that of the convex hull. `touches_border`: at the border of the
#: panorama; `touches_mask`: beside a pixel that is not valid. Both may be cut off.
CANDIDATES = pa.DataFrameSchema(
    {
        "panorama": _text(),
        "site_id": _count(),
        **_POSITION,
        "area_px": _count(),
        "area_um2": _number(checks=_POSITIVE),
        "equivalent_diameter_um": _number(checks=_POSITIVE),
        "aspect_ratio": _number(checks=pa.Check.ge(1)),
        "orientation_deg": _number(checks=pa.Check.in_range(-90, 90)),
        "convexity": _number(checks=pa.Check.in_range(0, 1, include_min=False)),
        "left_px": _count(),
        "top_px": _count(),
        "width_px": _count(),
        "height_px": _count(),
        "mean_grey": _number(),
        "minimum_grey": _number(),
        "touches_border": _flag(),
        "touches_mask": _flag(),
    },
    unique=["panorama", "site_id"],
    strict=True,
    ordered=True,
)

#: Candidates with the outputs of both networks and the class decided from them. The four damage
#: probabilities are those of the second network, given that the site is not an inclusion.
#: `confidence`: calibrated probability that the most probable class is right. `label_set`: the
#: classes that it may be at the chosen coverage, joined by `|`; empty where no labels could tell.
SITES = CANDIDATES.add_columns(
    {
        "p_inclusion": _probability(),
        **{f"p_{name}": _probability() for name in DAMAGE_CLASSES},
        "label": _text(checks=pa.Check.isin(SITE_LABELS)),
        "confidence": _probability(),
        "label_set": _text(),
    }
)

#: One row a site that the simulator put into a panorama. The outline is a closed polygon through
#: pixel positions, without repeating its first point.
TRUTH = pa.DataFrameSchema(
    {
        "panorama": _text(),
        "truth_id": _count(),
        "label": _text(checks=pa.Check.isin(SITE_CLASSES)),
        **_POSITION,
        "area_px": _count(),
        "area_um2": _number(checks=_POSITIVE),
        "outline_x_px": pa.Column(object),
        "outline_y_px": pa.Column(object),
    },
    unique=["panorama", "truth_id"],
    strict=True,
    ordered=True,
)

#: One row a label that a person (or the simulation's truth) gave to a position. `answers`: what
#: each annotator said, joined by `|`, empty between the bars where one said nothing; the label
#: itself where one person gave it.
LABELS = pa.DataFrameSchema(
    {
        "panorama": _text(),
        **_POSITION,
        "label": _text(checks=pa.Check.isin(SITE_CLASSES)),
        "annotator": _text(),
        "answers": _text(),
    },
    strict=True,
    ordered=True,
)

#: Labels tied to the candidate they mean. `site_id` is -1 where no candidate was near: the label
#: still trains the networks, from its own position. `clip_x_px`, `clip_y_px`: centre of the clip.
LABELLED_SITES = LABELS.add_columns(
    {
        "site_id": pa.Column("int64", pa.Check.ge(-1), coerce=True),
        "clip_x_px": _number(),
        "clip_y_px": _number(),
    }
)

#: Labelled sites with the group that keeps overlapping windows together and the fold it fell in.
SPLIT = LABELLED_SITES.add_columns({"group": _text(), "fold": _count()})

#: Candidates without a label that networks may label by themselves, with the group as in a split.
UNLABELLED = pa.DataFrameSchema(
    {
        "panorama": _text(),
        "site_id": _count(),
        "clip_x_px": _number(),
        "clip_y_px": _number(),
        "group": _text(),
    },
    unique=["panorama", "site_id"],
    strict=True,
    ordered=True,
)

#: Panoramas as listed in the sample sheet, one row each. `page` counts from 1.
PANORAMAS = pa.DataFrameSchema(
    {
        "panorama": _text(),
        "path": _text(),
        "tile_folder": _text(),
        "page": _number(checks=pa.Check.ge(1), nullable=True),
        "data_bar_px": _number(checks=pa.Check.ge(0), nullable=True),
        "overlap_percent": _number(
            checks=pa.Check.in_range(0, 90, include_min=False, include_max=False), nullable=True
        ),
        "pixel_size_nm": _number(nullable=True),
        "strain_percent": _number(nullable=True),
        "specimen": _text(),
        "steel": _text(),
        "condition": _text(),
        "notes": _text(),
    },
    unique=["panorama"],
    strict=True,
    ordered=True,
)


def _grey():
    return _number(checks=pa.Check.in_range(0, 255), nullable=True)


#: One row a block of a panorama, by rows of blocks. Without a value where less than a quarter of
#: the block is valid. A block holds the candidates whose centroid lies in it.
QUALITY = pa.DataFrameSchema(
    {
        "panorama": _text(),
        "left_px": _count(),
        "top_px": _count(),
        "width_px": _count(),
        "height_px": _count(),
        "valid_fraction": _number(checks=pa.Check.in_range(0, 1)),
        "median_grey": _grey(),
        "ferrite_grey": _grey(),
        "martensite_grey": _grey(),
        "noise_grey": _number(checks=pa.Check.ge(0), nullable=True),
        "sharpness": _number(nullable=True),
        "threshold_grey": _grey(),
        "candidates": _count(),
        "candidates_per_mm2": _number(checks=pa.Check.ge(0), nullable=True),
    },
    unique=["panorama", "left_px", "top_px"],
    strict=True,
    ordered=True,
)


def empty(schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return a table without rows that has the columns and types of a contract."""
    return schema.validate(
        pd.DataFrame({name: pd.Series(dtype="object") for name in schema.columns})
    )


def check(table: pd.DataFrame, schema: pa.DataFrameSchema, *, source: str) -> pd.DataFrame:
    """Return the table with the contract's types, columns in order and a fresh index.

    Parameters
    ----------
    table : pandas.DataFrame
    schema : pandera.DataFrameSchema
        One of the contracts of this module.
    source : str
        File or stage the table comes from, for the message.

    Raises
    ------
    InputError
        If a column is missing, of a wrong type or out of range; the message names the first ten.
    """
    missing = [name for name in schema.columns if name not in table.columns]
    if missing:
        raise InputError(f"{source}: columns missing: {', '.join(missing)}.")
    ordered = table[list(schema.columns)].reset_index(drop=True)
    try:
        return schema.validate(ordered, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.head(10)
        rows = "; ".join(
            f"row {case['index']}, column {case['column']}: {case['failure_case']!r} "
            f"fails {case['check']}"
            for _, case in cases.iterrows()
        )
        raise InputError(f"{source}: {rows}.") from error


def write(table: pd.DataFrame, path: str | Path, schema: pa.DataFrameSchema) -> None:
    """Check a table and write it as Parquet."""
    write_parquet(check(table, schema, source=str(path)), path)


def write_parquet(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table without a contract as Parquet."""
    with written_whole(path) as (part,):
        table.to_parquet(part, index=False)


def read(path: str | Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a Parquet table and check it.

    Raises
    ------
    InputError
        As `check`, and if the file is damaged.
    """
    try:
        table = pd.read_parquet(path)
    except (ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path} cannot be read as a table: {error}. Delete it and run again."
        ) from error
    return check(table, schema, source=str(path))


def write_tsv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table for people: tabs, a header, nine significant digits."""
    with written_whole(path) as (part,):
        table.to_csv(part, sep="\t", index=False, float_format="%.9g")
