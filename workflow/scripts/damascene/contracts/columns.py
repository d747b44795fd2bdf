"""Kinds of columns that contracts are made of; each says what it means."""

from collections.abc import Iterable, Mapping

import pandera.pandas as pa

POSITIVE = pa.Check.gt(0)
NOT_NEGATIVE = pa.Check.ge(0)
#: Sums and means of fractions may pass their bounds by rounding, which is no fault of a table.
ROUNDING = 1e-6
FRACTION = pa.Check.in_range(-ROUNDING, 1 + ROUNDING)


def contract(
    columns: Mapping[str, pa.Column],
    *,
    description: str,
    key: Iterable[str] = (),
) -> pa.DataFrameSchema:
    """Return the contract of a table.

    Parameters
    ----------
    columns : mapping of str to pandera.Column
        In their order in the file; made by the functions of this module.
    description : str
        What one row is.
    key : iterable of str, optional
        Columns that together name a row.
    """
    return pa.DataFrameSchema(
        dict(columns),
        unique=list(key) or None,
        strict=True,
        ordered=True,
        description=description,
    )


def text(
    description: str, *, among: Iterable[str] | None = None, required: bool = True
) -> pa.Column:
    """Return a column of text, which may be empty, or must be one of some words."""
    checks = None if among is None else pa.Check.isin(list(among))
    return pa.Column(str, checks, coerce=True, required=required, description=description)


def number(
    description: str,
    check: pa.Check | None = None,
    *,
    missing: bool = False,
    required: bool = True,
    single: bool = False,
) -> pa.Column:
    """Return a column of numbers, float64 or with `single` float32; NaN where `missing` allows."""
    return pa.Column(
        "float32" if single else float,
        check,
        nullable=missing,
        required=required,
        coerce=True,
        description=description,
    )


def whole(
    description: str, check: pa.Check | None = NOT_NEGATIVE, *, missing: bool = False
) -> pa.Column:
    """Return a column of whole numbers, from 0 if nothing else is said."""
    return pa.Column(
        "Int64" if missing else "int64",
        check,
        nullable=missing,
        coerce=True,
        description=description,
    )


def flag(description: str) -> pa.Column:
    """Return a column of yes and no."""
    return pa.Column(bool, coerce=True, description=description)


def values(description: str) -> pa.Column:
    """Return a column that holds a list of numbers in each row."""
    return pa.Column(object, description=description)


def probability(description: str) -> pa.Column:
    """Return a column of probabilities, missing where none could be given."""
    return number(description, FRACTION, missing=True)


def interval(of: str) -> dict[str, pa.Column]:
    """Return the columns `low` and `high` of an interval, missing where it cannot be given."""
    return {
        "low": number(f"lower bound of the confidence interval of {of}", missing=True),
        "high": number(f"upper bound of the confidence interval of {of}", missing=True),
    }


def interval_over_groups(of: str) -> dict[str, pa.Column]:
    """Return the columns of an interval from leaving out each group of sites, and their number."""
    return {
        **interval(f"{of}, from leaving out each group of sites; missing below three groups"),
        "groups": whole("groups of sites, alike within a group, on which the interval rests"),
    }
