"""How pages of the workshop show figures and tables: with a caption, and for screen readers."""

import base64
import html
import io
import numbers

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, display
from matplotlib.figure import Figure

# About as many pixels as a page is wide on a screen, and some more for fine print.
_DPI = 160


def show(figure: Figure, *, caption: str, description: str) -> None:
    """Put a figure on the page, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    caption : str
        What to see in it, for all readers.
    description : str
        What it shows, in words, for those who cannot see it.
    """
    display(HTML(figure_html(figure, caption=caption, description=description)))
    plt.close(figure)


def show_table(table: pd.DataFrame, *, caption: str, digits: int = 3) -> None:
    """Put a table on the page, without its index.

    Parameters
    ----------
    table : pandas.DataFrame
    caption : str
    digits : int, optional
        Significant digits of numbers that are not whole.
    """
    display(HTML(table_html(table, caption=caption, digits=digits)))


def figure_html(figure: Figure, *, caption: str, description: str) -> str:
    """Return a figure as HTML that needs no other file.

    Raises
    ------
    ValueError
        If there is no caption or no description.
    """
    if not (caption.strip() and description.strip()):
        raise ValueError("a figure needs a caption, and a description for those who cannot see it")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=_DPI, metadata={"Software": None})
    data = base64.b64encode(picture.getvalue()).decode()
    return (
        f'<figure><img alt="{html.escape(description)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def table_html(table: pd.DataFrame, *, caption: str, digits: int = 3) -> str:
    """Return a table as HTML; whatever stands in it is text and never markup."""
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in table.columns)
    rows = "".join(
        f"<tr>{''.join(_cell(value, digits) for value in row)}</tr>"
        for row in table.itertuples(index=False, name=None)
    )
    return (
        f'<div class="scroll"><table><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value, digits):
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Number):
        return f"<td>{html.escape(str(value))}</td>"
    return f'<td class="n">{_number(value, digits)}</td>'


def _number(value, digits):
    if pd.isna(value):
        return "\N{EN DASH}"
    if isinstance(value, numbers.Integral) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.{digits}g}" if abs(value) < 1e6 else f"{value:.{digits - 1}e}"
