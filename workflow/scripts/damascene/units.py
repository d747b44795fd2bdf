"""Lengths and areas with a unit, as the configuration gives them, in pixels of a panorama."""

import re

from damascene.text_files import in_keyboard_letters

_QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(px2|um2|px|nm|um)\s*")
# Micro signs, and units that are one letter.
_UNITS = str.maketrans({"\xb5": "u", "\u03bc": "u", "\u339b": "um", "\u339a": "nm"})
_SQUARE = re.compile("(?<=[mx])\xb2")


def plain_quantity(text: str) -> str:
    """Return a quantity in the letters of the keyboard: 'u' for either micro sign, '2' for '²'.

    Elsewhere than in a unit, '²' and other raised or ringed digits stay what they are.
    """
    return _SQUARE.sub("2", " ".join(in_keyboard_letters(text).translate(_UNITS).split()))


def split_quantity(text: str, units: tuple[str, ...], example: str) -> tuple[float, str]:
    """Return number and unit of a quantity such as `0.4 um`.

    Raises
    ------
    ValueError
        If the text is not a number with one of the units; the message shows the example.
    """
    match = _QUANTITY.fullmatch(plain_quantity(text))
    if not match or match[2] not in units:
        point = ", with a point for decimals" if "," in text else ""
        raise ValueError(
            f"give a number and one of the units {', '.join(units)}{point}, as in '{example}'"
        )
    return float(match[1]), match[2]


def length_px(text: str, *, pixel_size_nm: float) -> float:
    """Return a length such as `0.4 um`, `40 nm` or `10 px` in pixels."""
    value, unit = split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return {"px": value, "nm": value / pixel_size_nm, "um": value * 1000 / pixel_size_nm}[unit]


def area_px(text: str, *, pixel_size_nm: float) -> float:
    """Return an area such as `0.03 um2` or `20 px2` in pixels."""
    value, unit = split_quantity(text, ("px2", "um2"), "0.03 um2")
    return value if unit == "px2" else value * 1e6 / pixel_size_nm**2


def scaled_length(text: str, factor: float) -> str:
    """Return a length such as `6 um` times a factor, in its unit, to three digits."""
    value, unit = split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return f"{value * factor:.3g} {unit}"
