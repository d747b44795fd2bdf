"""What a section of the report is made of."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

#: Figures of the counted sites.
_COUNTED = {
    *("density_against_strain", "corrected_counts", "class_shares", "gallery"),
    *("space_{panorama}", "density_map_{panorama}", "phase_surroundings"),
    *("size_distributions", "median_sizes", "crack_directions", "sizes_3d"),
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A table.

    Attributes
    ----------
    path : str
        Below results/.
    title : str
    caption : str
        Name of the file in workflow/report, without `.rst`.
    columns : tuple of str, optional
        Those that the page shows, all if empty; the data beside the report have all of them.
    prepare : callable, optional
        Takes the table and returns the one that the page shows.
    analysis : str, optional
        Target that makes it, where the default target does not.
    rows_only : bool, optional
        Whether it is left out where it has no row, as where nothing went wrong.
    """

    path: str
    title: str
    caption: str
    columns: tuple[str, ...] = ()
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    analysis: str = ""
    rows_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A figure; one for each panorama where its name holds {panorama}.

    Attributes
    ----------
    name : str
        In results/figures, without suffix.
    title, caption, analysis
        As of `Shown`.
    notes : str, optional
        Path below results/ of a text that stands above the figure, under a heading.
    """

    name: str
    title: str
    caption: str
    analysis: str = ""
    notes: str = ""

    @property
    def path(self) -> str:
        """Path below results/."""
        return f"figures/{self.name}.svg"

    @property
    def counted(self) -> bool:
        """Whether it shows the counted sites, whose number its caption says."""
        return self.name in _COUNTED


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report; it is left out where a study has none of its items."""

    key: str
    title: str
    items: tuple[Shown | Drawn, ...]
