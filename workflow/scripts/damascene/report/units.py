"""Units of columns, which their names end in, as a reader writes them."""

#: Ending of a name and unit, longer endings first.
UNITS = {
    "_per_mm2": "1/mm²",
    "_per_um2": "1/µm²",
    "_per_um": "1/µm",
    "_per_s": "1/s",
    "_percent": "%",
    "_um2": "µm²",
    "_mm2": "mm²",
    "_px2": "px²",
    "_mpx": "Mpx",
    "_deg": "°",
    "_grey": "grey levels",
    "_um": "µm",
    "_nm": "nm",
    "_px": "px",
    "_mb": "MB",
    "_s": "s",
}


def unit_of(column: str) -> str:
    """Return the unit of a column, empty for a number without one or for text."""
    return next((unit for end, unit in UNITS.items() if column.endswith(end)), "")


def words_of(column: str) -> str:
    """Return the name of a column as words, without its unit."""
    end = next((end for end in UNITS if column.endswith(end)), "")
    return column.removesuffix(end).replace("_", " ")


def heading(column: str) -> str:
    """Return the name of a column as words, with its unit."""
    unit = unit_of(column)
    return f"{words_of(column)} ({unit})" if unit else words_of(column)
