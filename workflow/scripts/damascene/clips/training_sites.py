"""The sites that networks were trained on, and whether a study tests them on the same steel."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.clips.fingerprints import Fingerprints, fingerprint, is_telling
from damascene.clips.pictures import cut_clip, images_of_sites
from damascene.clips.windows import clip_window, window_px
from damascene.contracts.held_out_check import HELD_OUT, HELD_OUT_CHECK, NOT_KNOWN
from damascene.contracts.model_card import TrainingSite, known_training_sites
from damascene.contracts.table import check_table

logger = logging.getLogger(__name__)

# Labels that a message lists.
_SHOWN = 20
_SITE = ["panorama", "site_id"]
_SHARED = (
    *("panorama", "site_id", "x_px", "y_px", "label"),
    *("training_panorama", "training_x_px", "training_y_px"),
)


def describe_training_sites(
    sites: pd.DataFrame, images: Mapping[str, str | Path], *, windows: Sequence[str]
) -> list[TrainingSite]:
    """Return what the card of a network says of each site it was trained on.

    Parameters
    ----------
    sites : pandas.DataFrame
        With `panorama`, `clip_x_px` and `clip_y_px`.
    images : mapping of panorama to path
        Before denoising, which may be another one in another study.
    windows : sequence of str
        All windows from which something is learned, such as `5 um`; the widest counts.
    """
    described = np.empty(len(sites), object)
    for rows, image in _images(sites, images):
        edge_px = _widest_px(windows, image)
        for row in np.flatnonzero(rows):
            site = sites.iloc[row]
            x_px, y_px = site["clip_x_px"], site["clip_y_px"]
            described[row] = TrainingSite(
                panorama=site["panorama"],
                x_px=x_px,
                y_px=y_px,
                window_px=edge_px,
                fingerprint=fingerprint(cut_clip(image, x_px, y_px, window_px=edge_px)),
            )
    return list(described)


def check_held_out(
    labels: pd.DataFrame,
    answers: pd.DataFrame,
    images: Mapping[str, str | Path],
    *,
    networks: Mapping[str, str | Path],
    windows: Sequence[str],
) -> pd.DataFrame:
    """Check that no label lies where the networks that a study starts from were trained.

    Only pixels count, see `shared_with_training`.

    Parameters
    ----------
    labels, images, windows
        See `shared_with_training`.
    answers : pandas.DataFrame
        `ANSWERS`, which know the files and rows of the labels.
    networks : mapping of stage to path
        Files of networks; their cards lie beside them.

    Returns
    -------
    pandas.DataFrame
        `HELD_OUT_CHECK`.

    Raises
    ------
    InputError
        If windows of labels share pixels with training sites; the message lists the labels.
    """
    rows, shared = [], []
    for stage, path in networks.items():
        sites, reason = known_training_sites(path)
        blank = sum(not is_telling(site.fingerprint) for site in sites)
        if blank and not reason:
            reason = f"{blank} of its training sites are too uniform to be found again"
        rows.append(
            {
                "stage": stage,
                "network": str(path),
                "training_sites": pd.NA if not sites else len(sites),
                "labels": len(labels) if sites else 0,
                "held_out": NOT_KNOWN if reason else HELD_OUT,
                "reason": reason,
            }
        )
        found = shared_with_training(labels, images, sites=sites, windows=windows)
        shared.append(found.assign(network=str(path)))
    _require_none(pd.concat(shared), answers, label_count=len(labels))
    return check_table(pd.DataFrame(rows), HELD_OUT_CHECK, source="check of held-out labels")


def shared_with_training(
    labels: pd.DataFrame,
    images: Mapping[str, str | Path],
    *,
    sites: Sequence[TrainingSite],
    windows: Sequence[str],
) -> pd.DataFrame:
    """Find the labels whose window shares a pixel with the window of a training site.

    Only pixels count. A training site is found under other names of files and panoramas, in
    another grid or part of an image, turned or mirrored, in other greys, and however it is
    labelled now; not in an image that was resampled to another pixel size or much denoised.

    Parameters
    ----------
    labels : pandas.DataFrame
        `LABELLED_SITES`.
    images : mapping of panorama to path
        Before denoising.
    sites : sequence of TrainingSite
    windows : sequence of str
        All windows of this study, such as `5 um`; the widest counts.

    Returns
    -------
    pandas.DataFrame
        panorama, site_id, x_px, y_px and label of each such label, with training_panorama,
        training_x_px and training_y_px of the training site that shares most.
    """
    known = [site for site in sites if is_telling(site.fingerprint)]
    fingerprints = Fingerprints([site.fingerprint for site in known])
    widest_px = max((site.window_px for site in known), default=0)
    rows = []
    for of_image, image in _images(labels, images) if known else ():
        edge_px = _widest_px(windows, image)
        for row in np.flatnonzero(of_image):
            label = labels.iloc[row]
            window = clip_window(
                label["clip_x_px"], label["clip_y_px"], window_px=edge_px, shape=image.shape
            )
            around = window.grown(margin=widest_px, within=image.shape)
            inside = window.slices(origin=around)
            site = _most_shared(image.read(around), inside, fingerprints, known)
            if site is not None:
                given = {name: label[name] for name in (*_SITE, "x_px", "y_px", "label")}
                there = {name: getattr(site, name) for name in ("panorama", "x_px", "y_px")}
                rows.append(given | {f"training_{name}": there[name] for name in there})
    return pd.DataFrame(rows, columns=_SHARED)


def _require_none(shared, answers, *, label_count):
    if shared.empty:
        return
    places = answers["file"] + ", row " + answers["row"].astype(str)
    given = places.groupby([answers[name] for name in _SITE]).agg("; ".join)
    shared = shared.join(given.rename("given"), on=_SITE)
    logger.info("labels where networks were trained:\n%s", shared.to_string(index=False))
    sites = shared.drop_duplicates(_SITE)
    lines = [
        f"  {one.given}: {one.panorama}, x {one.x_px:.0f}, y {one.y_px:.0f} px; {one.network} was "
        f"trained at {one.training_panorama}, x {one.training_x_px:.0f}, y {one.training_y_px:.0f}"
        for one in sites.head(_SHOWN).itertuples()
    ]
    if len(sites) > len(lines):
        lines.append(f"  and {len(sites) - len(lines)} more, listed in the log of this rule.")
    listed = "\n".join(lines)
    raise InputError(
        f"{len(sites)} of {label_count} labelled sites are no test of the networks that this "
        "study starts from: their windows share pixels with sites on which these were trained.\n"
        f"{listed}\nTake these labels out of the label files, or the files out of 'labels' where "
        "all are concerned: networks named under 'models' need none. Or train anew on the labels "
        "(models: train, weights: none). Simulated panoramas: choose another 'seed'."
    )


def _images(sites, images):
    return images_of_sites(sites, panoramas=list(images), paths=list(images.values()))


def _widest_px(windows, image):
    return max(window_px(window, pixel_size_nm=image.pixel_size_nm) for window in windows)


def _most_shared(pixels, inside, fingerprints, known):
    """Return the training site whose window shares most pixels with a part of an image, or None."""
    own = np.zeros(pixels.shape, bool)
    own[inside] = True
    shared = {}
    for turns in range(4):
        for step in (1, -1):
            seen, within = (np.rot90(each, turns)[:, ::step] for each in (pixels, own))
            for index, top, left in fingerprints.find(seen):
                edge_px = known[index].window_px
                # The corner of the window may lie outside.
                rows = slice(max(top, 0), max(top + edge_px, 0))
                columns = slice(max(left, 0), max(left + edge_px, 0))
                shared[index] = within[rows, columns].sum()
    most = max(shared, key=shared.get, default=None)
    return known[most] if shared.get(most) else None
