"""A label sheet: numbered clips to print, and a table to fill in beside them."""

from collections.abc import Sequence

import jinja2
import pandas as pd

from damascene.contracts.labels import ANSWER_LETTERS
from damascene.review import SHEET_TEMPLATE
from damascene.review.clips import Clip, encoded

#: Clips of a sheet: four pages.
MOST = 100
_PER_PAGE = 25
# Edge of the smallest frame, in percent of the clip.
_LEAST = 4


def sheet_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a sheet, `LABEL_SHEET`, with no label yet.

    Parameters
    ----------
    table : pandas.DataFrame
        From `clips.review_sites`.
    """
    rows = table.head(MOST)
    return rows.assign(number=rows["rank"], label="")


def sheet_page(rows: pd.DataFrame, clips: Sequence[Clip], *, study: str) -> str:
    """Return the page of a sheet as HTML, to be printed on A4.

    It says nothing of what networks or other people make of a site.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `sheet_rows`.
    clips : sequence of Clip
        Of at least these sites, in their order.
    study : str
        Its name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SHEET_TEMPLATE.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    cells = [
        {
            "number": row.number,
            "place": f"{row.panorama} {row.site_id}",
            "width": f"{clip.edge_um:.3g} µm",
            "picture": encoded(clip.picture),
            "outline": _outline(row, clip),
        }
        for row, clip in zip(rows.itertuples(), clips, strict=False)
    ]
    pages = [cells[start : start + _PER_PAGE] for start in range(0, len(cells), _PER_PAGE)]
    return environment.get_template(SHEET_TEMPLATE.name).render(
        study=study, pages=pages, letters=ANSWER_LETTERS
    )


def _outline(row, clip):
    """Return the box of a site within its clip, in percent: left, top, width and height."""
    scale = 100 / clip.edge_px
    # A little room, so that the line does not lie on the site; none beyond the border of the clip.
    left, top = row.left_px - clip.left_px, row.top_px - clip.top_px
    edges = [left - 2, top - 2, left + row.width_px + 2, top + row.height_px + 2]
    left, top, right, bottom = (min(max(each * scale, 0), 100) for each in edges)
    # Of a small site at a border little is left, which must be seen on paper.
    left, top = min(left, 100 - _LEAST), min(top, 100 - _LEAST)
    right, bottom = max(right, left + _LEAST), max(bottom, top + _LEAST)
    return [round(each, 2) for each in (left, top, right - left, bottom - top)]
