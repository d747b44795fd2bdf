"""What the page on steel computes: sites of a cut step by step, and the bias of raw counts."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from damascene.classes import INCLUSION, SITE_CLASSES
from damascene.clips.pictures import cut_shown_clips
from damascene.clips.windows import clip_window, common_window_um
from damascene.config.detection import Detection
from damascene.config.segmentation import Segmentation
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.correction.estimates import adjusted_shares
from damascene.detection.candidates import Found
from damascene.detection.darkness import reference_histogram
from damascene.detection.settings import find_candidates_of
from damascene.images.store import TiledImage, Window, open_pair
from damascene.workshop.cut import Cut, cut_panorama
from damascene.workshop.dark_pixels import Pair, as_images, find_dark_clusters
from damascene.workshop.pixel_clusters import NOISE
from damascene.workshop.start import Page

# Edge of the clips that are shown.
_CLIP_PX = 96


def study_cut(page: Page) -> Cut:
    """Return the cut of the study's panorama, also where other pages look at a user's picture.

    Parameters
    ----------
    page : Page
        With `image` and `valid` of the panorama among its files.
    """
    if not page.settings.workshop.image:
        return Cut(
            grey=page.image,
            valid=page.valid,
            colour=None,
            pixel_um=page.pixel_um,
            place=page.place,
        )
    image, valid = page.files["image"], page.files["valid"]
    with TiledImage(image) as greys:
        pixel_size_nm = greys.pixel_size_nm
    edge_px = page.settings.workshop.cut
    # The place is one in the user's picture.
    return cut_panorama(image, valid, pixel_size_nm=pixel_size_nm, edge_px=edge_px, wanted=None)


def panorama_of(page: Page) -> str:
    """Return the name of the study's panorama that the page on steel looks at."""
    return Path(page.files["image"]).name.removesuffix(".ome.tif")


def window_of(cut: Cut) -> Window:
    """Return where a cut lies in the whole image."""
    (top, left), (rows, columns) = cut.place, cut.grey.shape
    return Window(top=top, left=left, bottom=top + rows, right=left + columns)


def window_at(x_px: float, y_px: float, *, edge_px: int, shape: tuple[int, int]) -> Window:
    """Return the square window round a place, shifted inside, and no larger than the image."""
    edge_px = min(edge_px, *shape)
    return clip_window(x_px, y_px, window_px=edge_px, shape=shape)


class Steps(NamedTuple):
    """What each step of the detection makes of a cut.

    Attributes
    ----------
    dark : numpy.ndarray, bool, shape (rows, columns)
        Pixels darker than the threshold.
    clusters : numpy.ndarray, int, shape (rows, columns)
        0 for pixels that are not dark, -1 for noise, else the number of the cluster from 1.
    sites : numpy.ndarray, int, shape (rows, columns)
        0 outside of sites, else `site_id` + 1.
    found : Found
        The candidates, as the study finds them.
    """

    dark: np.ndarray
    clusters: np.ndarray
    sites: np.ndarray
    found: Found


def detection_steps(
    pixels: np.ndarray,
    valid: np.ndarray,
    *,
    pixel_um: float,
    settings: Detection,
    reference: Pair | None = None,
) -> Steps:
    """Find the dark sites of a cut and keep what each step made.

    The cut is searched as if it were a panorama: greys of ferrite and martensite are measured in
    the cut alone, and sites at its border are cut off.

    Parameters
    ----------
    pixels, valid, pixel_um
        See `dark_pixels.as_images`.
    settings : Detection
        Of the study.
    reference : (path, path), optional
        Image and mask of the panorama that `matched` thresholds refer to.
    """
    histogram = reference_histogram(reference)
    with as_images(pixels, valid, pixel_um=pixel_um) as (image, mask):
        found = find_candidates_of(
            image, mask, panorama="cut", settings=settings, reference=histogram
        )
    dark, clusters, roles, *_ = find_dark_clusters(
        pixels, valid, pixel_um=pixel_um, settings=settings, reference=reference
    )
    # -1 for noise, 0 outside, and clusters from 1.
    numbered = np.where(roles == NOISE, -1, clusters + 1)
    return Steps(dark, numbered, sites_of_runs(found.runs, shape=pixels.shape), found)


def sites_of_runs(runs: pd.DataFrame, *, shape: tuple[int, int]) -> np.ndarray:
    """Return an image of sites from their pixels, int, 0 outside and `site_id` + 1 inside.

    Parameters
    ----------
    runs : pandas.DataFrame
        `CANDIDATE_RUNS`.
    shape : tuple of int
        Rows and columns.
    """
    sites = np.zeros(shape, int)
    for site, row, left, right in runs[list(CANDIDATE_RUNS.columns)].itertuples(index=False):
        sites[row, left : right + 1] = site + 1
    return sites


def threshold_of(settings: Detection) -> tuple[str, float]:
    """Return the key of the threshold that a study goes by, `depth` or `grey`, and its value."""
    name = "depth" if settings.threshold.rule == "relative" else "grey"
    return name, getattr(settings.threshold, name)


def with_threshold(settings: Detection, *, factor: float = 1.0, eps: str | None = None):
    """Return a detection with its threshold times a factor, and perhaps another `eps`.

    Parameters
    ----------
    settings : Detection
    factor : float, optional
        A depth ends at 0.95, a grey at 255.
    eps : str, optional
        A length, such as `2 px`.

    Returns
    -------
    Detection
    """
    name, value = threshold_of(settings)
    most = 0.95 if name == "depth" else 255
    changed = settings.threshold.model_copy(update={name: min(value * factor, most)})
    update = {"threshold": changed} | ({"eps": eps} if eps else {})
    return settings.model_copy(update=update)


def sweep_detection(
    pixels: np.ndarray,
    valid: np.ndarray,
    *,
    pixel_um: float,
    settings: Detection,
    factors: Sequence[float] = (0.6, 0.8, 1.0, 1.2, 1.5),
    eps_px: Sequence[float] = (1, 2, 4),
    reference: Pair | None = None,
) -> pd.DataFrame:
    """Find the sites of a cut with other thresholds and other distances of DBSCAN.

    Parameters
    ----------
    pixels, valid, pixel_um, settings, reference
        See `detection_steps`.
    factors : sequence of float
        On the threshold of the study.
    eps_px : sequence of float
        Distances within which dark pixels are neighbours.

    Returns
    -------
    pandas.DataFrame
        `threshold` (its value), `eps_px`, `dark_pixels`, `clusters`, `candidates`; a row for each
        pair.
    """
    histogram = reference_histogram(reference)
    rows = []
    with as_images(pixels, valid, pixel_um=pixel_um) as (image, mask):
        for factor in factors:
            for eps in eps_px:
                changed = with_threshold(settings, factor=factor, eps=f"{eps} px")
                found = find_candidates_of(
                    image, mask, panorama="cut", settings=changed, reference=histogram
                )
                rows.append(
                    {
                        "threshold": threshold_of(changed)[1],
                        "eps_px": eps,
                        "dark_pixels": found.counts.dark_pixels,
                        "clusters": found.counts.clusters,
                        "candidates": found.counts.candidates,
                    }
                )
    return pd.DataFrame(rows)


def floor_of(sweep: pd.DataFrame) -> float | None:
    """Return the least threshold from which on all give the same dark pixels.

    Parameters
    ----------
    sweep : pandas.DataFrame
        From `sweep_detection`, of depths: from here on the floor alone says what is dark.

    Returns
    -------
    float or None
        None where the last two thresholds still differ, or the last leaves no dark pixel.
    """
    dark = sweep.groupby("threshold")["dark_pixels"].first()
    same = dark[::-1].eq(dark.iloc[-1]).cummin()
    return float(same[same].index[-1]) if same.sum() > 1 and dark.iloc[-1] else None


def cut_fractions(numbers: np.ndarray, settings: Segmentation) -> dict[str, float]:
    """Return the fractions of the phases in a cut of a phase map; damage is left out.

    Parameters
    ----------
    numbers : numpy.ndarray, uint8, shape (rows, columns)
        0 outside, then the phases in their order from 1.
    settings : Segmentation

    Returns
    -------
    dict of str to float
        They add up to 1; empty where the cut holds no phase.
    """
    pixels = {
        name: int((numbers == value).sum())
        for value, name in enumerate(settings.phases, 1)
        if name != settings.damage_phase
    }
    every = sum(pixels.values())
    return {name: count / every for name, count in pixels.items()} if every else {}


def sure_and_unsure(sites: pd.DataFrame, *, each: int = 3) -> pd.DataFrame:
    """Choose the sites of each class of which the networks are most and least sure.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of one panorama.
    each : int, optional
        How many of either kind; a class of fewer sites is shown whole.

    Returns
    -------
    pandas.DataFrame
        Rows of `sites` with `sureness`, the probability of the class that the networks named, from
        the surest to the least sure within each class.
    """
    sure = np.full(len(sites), np.nan)
    for name in SITE_CLASSES:
        of_class = (sites["predicted_class"] == name).to_numpy()
        sure[of_class] = sites[f"p_{name}"].to_numpy(float)[of_class]
    ordered = sites.assign(sureness=sure).sort_values(
        "sureness", ascending=False, kind="stable", na_position="last"
    )
    parts = [
        rows if len(rows) <= 2 * each else pd.concat([rows.head(each), rows.tail(each)])
        for _, rows in ordered.groupby("predicted_class", sort=False)
    ]
    return pd.concat(parts) if parts else ordered


def class_clips(
    sites: pd.DataFrame, image: str | Path, valid: str | Path, *, window: str
) -> tuple[dict[str, tuple[np.ndarray, list[str]]], float]:
    """Cut clips of sites with the probabilities of both networks, class by class.

    Parameters
    ----------
    sites : pandas.DataFrame
        From `sure_and_unsure`.
    image, valid : path
        The panorama of these sites, and its mask.
    window : str
        Edge of the windows, such as `5 um`.

    Returns
    -------
    clips : dict of str to (numpy.ndarray uint8 (n, 96, 96), list of str)
        For `figures.gallery.draw_gallery`: class, clips and their captions.
    window_um : float
    """
    clips = {}
    with open_pair(image, valid) as (greys, mask):
        panorama = sites["panorama"].iloc[0] if len(sites) else ""
        window_um = common_window_um(window, {panorama: greys})
        for name, rows in sites.groupby("predicted_class", sort=False):
            cut = cut_shown_clips(
                rows[["panorama", "x_px", "y_px"]].itertuples(index=False),
                {panorama: greys},
                window_um=window_um,
                size_px=_CLIP_PX,
                masks={panorama: mask},
            )
            clips[name] = cut, [_told(row) for row in rows.to_dict(orient="records")]
    return clips, window_um


def _told(row):
    """Return the probabilities of both networks in a few characters."""
    first = f"1st {row['p_inclusion']:.2f}"
    if row["predicted_class"] == INCLUSION or np.isnan(row["sureness"]):
        return first
    return f"{first}, 2nd {row['sureness']:.2f}"


def raw_share(true_share: float, *, recall: float, false_rate: float) -> float:
    """Return which share of all sites a network gives a class.

    Parameters
    ----------
    true_share : float
        Share of the class among the sites.
    recall : float
        Share of its sites that get the class.
    false_rate : float
        Share of all other sites that get it, too.
    """
    return recall * true_share + false_rate * (1 - true_share)


def corrected_share(share: float, *, recall: float, false_rate: float) -> float:
    """Return the share of a class from the share that a network gives it: the adjusted count.

    Two equations, solved as the study solves them for all its classes (`adjusted_shares`).
    Parameters as for `raw_share`, which this undoes where the answer lies between 0 and 1.
    """
    matrix = np.array([[recall, false_rate], [1 - recall, 1 - false_rate]])
    return float(adjusted_shares(matrix, np.array([share, 1 - share]))[0])
