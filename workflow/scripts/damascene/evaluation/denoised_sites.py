"""Sites found after denoising, beside those that are really there."""

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.draw import polygon
from skimage.measure import find_contours

from damascene.detection.candidates import Found
from damascene.detection.matching import match_to_outlines
from damascene.images.store import Window

#: What became of a site.
KEPT, LOST, INVENTED = "kept", "lost", "invented"


def sites_as_reference(found: Found, *, limit_px: float) -> pd.DataFrame:
    """Return what was found without noise, as the sites that are to be found with it.

    Parameters
    ----------
    found : Found
        By the same detection, with a smaller minimum area.
    limit_px : float
        Sites up to this area are not asked for: whether they are found is decided by a pixel.

    Returns
    -------
    pandas.DataFrame
        The columns of `TRUTH` that matching needs, and `is_asked`.
    """
    runs = {site: rows for site, rows in found.runs.groupby("site_id")}
    outlines = [_outline(runs[site]) for site in found.candidates["site_id"]]
    return pd.DataFrame(
        {
            "truth_id": found.candidates["site_id"].to_numpy(np.int64),
            "x_px": found.candidates["x_px"].to_numpy(float),
            "y_px": found.candidates["y_px"].to_numpy(float),
            "area_px": found.candidates["area_px"].to_numpy(float),
            "outline_x_px": [x for x, _ in outlines],
            "outline_y_px": [y for _, y in outlines],
            "is_asked": found.candidates["area_px"].to_numpy(float) > limit_px,
        }
    )


def truth_as_reference(truth: pd.DataFrame, *, limit_px: float, window: Window) -> pd.DataFrame:
    """Return the true sites of a window of a simulated panorama; see `sites_as_reference`."""
    inside = truth["x_px"].between(window.left, window.right) & truth["y_px"].between(
        window.top, window.bottom
    )
    truth = truth[inside]
    return pd.DataFrame(
        {
            "truth_id": truth["truth_id"].to_numpy(np.int64),
            "x_px": truth["x_px"].to_numpy(float) - window.left,
            "y_px": truth["y_px"].to_numpy(float) - window.top,
            "area_px": truth["area_px"].to_numpy(float),
            "outline_x_px": [np.asarray(x) - window.left for x in truth["outline_x_px"]],
            "outline_y_px": [np.asarray(y) - window.top for y in truth["outline_y_px"]],
            "is_asked": truth["area_px"].to_numpy(float) > limit_px,
        }
    )


def _outline(runs):
    top, left = runs["y_px"].min(), runs["left_px"].min()
    mask = np.zeros((runs["y_px"].max() - top + 3, runs["right_px"].max() - left + 3))
    for row, first, last in runs[["y_px", "left_px", "right_px"]].to_numpy():
        mask[row - top + 1, first - left + 1 : last - left + 2] = 1
    contour = max(find_contours(mask, 0.5, fully_connected="high"), key=len)[:-1] - 1
    return contour[:, 1] + left, contour[:, 0] + top


def damage_free(
    reference: pd.DataFrame, valid: np.ndarray, *, inner: Window, margin_px: float
) -> np.ndarray:
    """Return where there is no site, and none near.

    Parameters
    ----------
    reference : pandas.DataFrame
        All sites that there are, whether asked for or not.
    valid : numpy.ndarray of bool, shape (rows, columns)
    inner : Window
        The scored part; False outside.
    margin_px : float
        Least distance from a site.

    Returns
    -------
    numpy.ndarray of bool, shape (rows, columns)
    """
    without = np.ones(valid.shape, bool)
    for x, y in zip(reference["outline_x_px"], reference["outline_y_px"], strict=True):
        rows, columns = polygon(y, x, shape=valid.shape)
        without[rows, columns] = False
        # Outlines thinner than a pixel have no inside.
        middle = np.rint([np.mean(y), np.mean(x)]).astype(int)
        without[tuple(np.clip(middle, 0, np.array(valid.shape) - 1))] = False
    if not without.all():
        without = ndimage.distance_transform_edt(without) > margin_px
    scored = np.zeros(valid.shape, bool)
    scored[inner.slices()] = True
    return without & valid & scored


def compare_sites(
    found: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    free: np.ndarray,
    inner: Window,
    tolerance_px: float,
    pixel_size_nm: float,
) -> pd.DataFrame:
    """Say of every site whether it was kept, lost or invented.

    Found sites are paired with those asked for one to one (`match_to_outlines`). One that has no
    partner is invented, unless it lies on a site that is too small to be asked for. Sites are
    scored whose centre lies in the inner part; all of them may be partners.

    Parameters
    ----------
    found : pandas.DataFrame
        `CANDIDATES`.
    reference : pandas.DataFrame
        From `sites_as_reference` or `truth_as_reference`.
    free : numpy.ndarray of bool, shape (rows, columns)
        From `damage_free`.
    inner : Window
    tolerance_px : float
        How far a site may lie outside an outline and still be that site.
    pixel_size_nm : float

    Returns
    -------
    pandas.DataFrame
        outcome; site_id of the found and truth_id of the other site (-1 without); diameter_um of
        the circle of the same area and area_um2 (of the reference, of the found site if invented),
        found_area_um2 and shift_um (NaN if lost or invented), is_damage_free (of invented sites:
        the centre lies where no site is near).
    """
    pixel_um = pixel_size_nm / 1000
    asked = reference[reference["is_asked"] & _inside(reference, inner)]
    pairs = match_to_outlines(found, reference[reference["is_asked"]], tolerance_px=tolerance_px)
    pairs = pairs[pairs["truth_id"].isin(asked["truth_id"])]
    known = match_to_outlines(found, reference, tolerance_px=tolerance_px)["site_id"]
    true = asked.set_index("truth_id")["area_px"]
    areas = found.set_index("site_id")["area_px"]
    gone = asked[~asked["truth_id"].isin(pairs["truth_id"])]
    new = found[~found["site_id"].isin(known) & ~found["site_id"].isin(pairs["site_id"])]
    new = new[_inside(new, inner)]
    rows, columns = np.rint(new[["y_px", "x_px"]].to_numpy(float)).astype(int).T
    nothing = {"site_id": -1, "truth_id": -1, "found_area_px": np.nan, "distance_px": np.nan}
    parts = [
        pairs.assign(
            outcome=KEPT,
            area_px=true.loc[pairs["truth_id"]].to_numpy(float),
            found_area_px=areas.loc[pairs["site_id"]].to_numpy(float),
            is_damage_free=False,
        ),
        gone[["truth_id", "area_px"]].assign(
            **_without(nothing, "truth_id"), outcome=LOST, is_damage_free=False
        ),
        new[["site_id", "area_px"]].assign(
            **_without(nothing, "site_id"), outcome=INVENTED, is_damage_free=free[rows, columns]
        ),
    ]
    # Parts without rows would turn flags and numbers into objects.
    sites = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    area_um2 = sites["area_px"] * pixel_um**2
    return sites.assign(
        area_um2=area_um2,
        diameter_um=2 * np.sqrt(area_um2 / np.pi),
        found_area_um2=sites["found_area_px"] * pixel_um**2,
        shift_um=sites["distance_px"] * pixel_um,
    ).drop(columns=["area_px", "found_area_px", "distance_px"])


def _without(values, name):
    return {key: value for key, value in values.items() if key != name}


def _inside(sites, inner):
    return sites["x_px"].between(inner.left - 0.5, inner.right - 0.5) & sites["y_px"].between(
        inner.top - 0.5, inner.bottom - 0.5
    )
