"""Published numbers beside one's own, and published parameter sets side by side."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.contracts.ledger import FAIL, NO_DATA, PASS
from damascene.figures import style
from damascene.figures.sensitivity import PRESET_MARKS

# Colours of Okabe and Ito; hatches and marks say the same without any colour.
_RESULTS = {
    PASS: {"color": "#009E73"},
    FAIL: {"color": "#D55E00", "hatch": "////"},
    NO_DATA: {"color": "0.85", "hatch": "...."},
}


@matplotlib.rc_context(style.STYLE)
def draw_ledger(ledger: pd.DataFrame) -> Figure:
    """Draw how many published numbers pass, fail or could not be compared, by publication.

    Parameters
    ----------
    ledger : pandas.DataFrame
        `LEDGER`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    names = list(dict.fromkeys(ledger["publication"]))
    counts = pd.crosstab(ledger["publication"], ledger["result"]).loc[names]
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=28 + 6 * max(len(names), 2))
    axes = figure.add_subplot()
    left = np.zeros(len(names))
    for result, look in _RESULTS.items():
        widths = counts.get(result, pd.Series(0, counts.index)).to_numpy()
        axes.barh(
            range(len(names)),
            widths,
            left=left,
            height=0.7,
            edgecolor="black",
            linewidth=0.4,
            label=f"{result} ({widths.sum()})",
            **look,
        )
        left += widths
    axes.set_yticks(range(len(names)), [style.wrapped(name, width=20) for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("Published numbers")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_versions(versions: pd.DataFrame) -> Figure:
    """Draw the density of candidates of each panorama with each parameter set.

    Parameters
    ----------
    versions : pandas.DataFrame
        `VERSIONS`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide: a row a parameter set, a mark a panorama.
    """
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=62)
    axes = figure.add_subplot()
    rows = [name for name in PRESET_MARKS if name in set(versions["version"])]
    panoramas = list(dict.fromkeys(versions["panorama"]))
    spread = np.linspace(-0.28, 0.28, len(panoramas)) if len(panoramas) > 1 else [0.0]
    places = dict(zip(panoramas, spread, strict=True))
    for place, name in enumerate(rows):
        own = versions[versions["version"] == name]
        known = own[own["candidates_per_mm2"].notna()]
        axes.plot(
            known["candidates_per_mm2"],
            place + known["panorama"].map(places),
            linestyle="none",
            **PRESET_MARKS[name],
        )
    axes.set_yticks(range(len(rows)), [_with_gaps(name, versions) for name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("Candidates per mm²")
    if len(panoramas) > 1:
        axes.set_title(f"{len(panoramas)} panoramas, from above as in the table")
    return figure


def _with_gaps(name, versions):
    """Return the name of a parameter set, and of how many panoramas it gives no count."""
    gaps = versions.loc[versions["version"] == name, "candidates_per_mm2"].isna().sum()
    return f"{name}\n({gaps} without a count)" if gaps else name
