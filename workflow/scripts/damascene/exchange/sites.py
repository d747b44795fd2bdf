"""Sites of a panorama as other tools are told of them: what people said apart from networks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene.classes import DAMAGE_CLASSES, INCLUSION, NOT_CLASSIFIED

PEOPLE = "people"
NETWORK = "network"


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """A site, or a place where people labelled and no candidate is.

    Attributes
    ----------
    panorama : str
    site_id : int
        Negative for places without a candidate.
    x_px, y_px : float
        Centroid, 0 at the centre of the upper left pixel.
    rows, columns : numpy.ndarray of int
        Of its pixels.
    label : str
        Class that people gave; empty without one.
    annotators : tuple of str
        Who labelled.
    predicted : str
        Class that the networks gave; empty for a place.
    score : float
        Probability of that class: the calibrated one, where there is one. NaN for a place.
    """

    panorama: str
    site_id: int
    x_px: float
    y_px: float
    rows: np.ndarray
    columns: np.ndarray
    label: str
    annotators: tuple[str, ...]
    predicted: str
    score: float

    @property
    def name(self) -> str:
        """Name by which it is found in other tools."""
        kind = "site" if self.site_id >= 0 else "place"
        return f"{self.panorama} {kind} {abs(self.site_id)}"

    @property
    def site_class(self) -> str:
        """The label, or without one the class of the networks."""
        return self.label or self.predicted

    @property
    def said_by(self) -> str:
        """Who said so: `people` or `network`."""
        return PEOPLE if self.label else NETWORK

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of its pixels; 0 is the corner of the upper left pixel."""
        left, top = int(self.columns.min()), int(self.rows.min())
        return left, top, int(self.columns.max()) - left + 1, int(self.rows.max()) - top + 1


def sites_of(
    panorama: str,
    sites: pd.DataFrame,
    runs: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    size_px: tuple[int, int],
    separator: str,
) -> list[Site]:
    """Return the sites of a panorama, and then the places that people labelled beside them.

    Parameters
    ----------
    panorama : str
    sites : pandas.DataFrame
        `SITES`.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS`.
    labels : pandas.DataFrame
        `LABELLED_SITES` of any panoramas.
    size_px : (int, int)
        Width and height of the panorama.
    separator : str
        Between the annotators of a label.
    """
    labels = labels[labels["panorama"] == panorama]
    people = labels.set_index("site_id")["annotator"].to_dict()
    pixels = {site_id: _pixels(rows) for site_id, rows in runs.groupby("site_id")}
    found = []
    for row in sites.to_dict("records"):
        rows, columns = pixels[row["site_id"]]
        found.append(
            Site(
                panorama=panorama,
                site_id=row["site_id"],
                x_px=row["x_px"],
                y_px=row["y_px"],
                rows=rows,
                columns=columns,
                label=row["label"],
                annotators=_people(people.get(row["site_id"], ""), separator),
                predicted=row["predicted_class"],
                score=_score(row),
            )
        )
    for row in labels[labels["site_id"] < 0].to_dict("records"):
        found.append(
            Site(
                panorama=panorama,
                site_id=row["site_id"],
                x_px=row["x_px"],
                y_px=row["y_px"],
                rows=_pixel_of(row["y_px"], size_px[1]),
                columns=_pixel_of(row["x_px"], size_px[0]),
                label=row["label"],
                annotators=_people(row["annotator"], separator),
                predicted="",
                score=float("nan"),
            )
        )
    return found


def _pixel_of(position, extent):
    """Return the pixel that a position lies in; on the last edge that before it."""
    return np.array([min(int(np.floor(position + 0.5)), extent - 1)])


def _pixels(runs):
    counts = (runs["right_px"] - runs["left_px"] + 1).to_numpy()
    rows = np.repeat(runs["y_px"].to_numpy(), counts)
    first = np.repeat(runs["left_px"].to_numpy() - np.r_[0, np.cumsum(counts)[:-1]], counts)
    return rows, first + np.arange(counts.sum())


def _people(text, separator):
    return tuple(name for name in text.split(separator) if name)


def _score(row):
    """Return the calibrated probability of the class, without one that of the networks."""
    if not np.isnan(row["confidence"]):
        return float(row["confidence"])
    predicted = row["predicted_class"]
    if predicted == INCLUSION:
        return float(row["p_inclusion"])
    if predicted in DAMAGE_CLASSES:
        return float((1 - row["p_inclusion"]) * row[f"p_{predicted}"])
    return float("nan")


def classified(site: Site) -> bool:
    """Tell whether the networks gave a class."""
    return site.predicted not in ("", NOT_CLASSIFIED)
