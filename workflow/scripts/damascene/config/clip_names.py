"""Names of clips that say where they were cut."""

import re

_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_PARTS = {
    "x": _NUMBER,
    "y": _NUMBER,
    "left": _NUMBER,
    "top": _NUMBER,
    "panorama": ".+?",
    "tile": ".+?",
    "any": ".*?",
}
_PLACES = ({"x", "y"}, {"left", "top"})


def name_pattern(pattern: str) -> re.Pattern[str]:
    """Return the expression of the names that a pattern such as `{tile}_{x}_{y}` describes.

    Raises
    ------
    ValueError
        If it does not give one position.
    """
    pieces = re.split(r"\{(\w*)\}", pattern)
    named = pieces[1::2]
    unknown = [name for name in named if name not in _PARTS]
    if unknown or "{" in "".join(pieces[::2]) or "}" in "".join(pieces[::2]):
        raise ValueError(
            f"'{pattern}': between braces stands one of {', '.join(_PARTS)}, as in "
            "'{tile}_{x}_{y}'"
        )
    places = [name for name in named if name in set.union(*_PLACES)]
    if set(places) not in _PLACES or len(places) != 2 or {"panorama", "tile"} <= set(named):
        raise ValueError(
            f"'{pattern}': give {{x}} and {{y}}, the centre of the clip, or {{left}} and {{top}}, "
            "its first column and row, each once; and {panorama} or {tile}, not both"
        )
    expression = "".join(
        re.escape(piece)
        if number % 2 == 0
        else (f"(?:{_PARTS[piece]})" if piece == "any" else f"(?P<{piece}>{_PARTS[piece]})")
        for number, piece in enumerate(pieces)
    )
    return re.compile(expression)
