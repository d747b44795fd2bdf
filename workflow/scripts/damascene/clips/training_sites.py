"""The sites that networks were trained on, and whether a study tests them on the same steel."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.clips.fingerprints import OVERLAP_PX, Fingerprints, fingerprint, is_telling
from damascene.clips.pictures import cut_clip, images_of_sites
from damascene.clips.windows import clip_window, window_px
from damascene.contracts.held_out_check import HELD_OUT, HELD_OUT_CHECK, NOT_KNOWN
from damascene.contracts.model_card import TrainingSite, known_training_sites
from damascene.contracts.table import check_table
from damascene.images.store import Window

logger = logging.getLogger(__name__)

# Edge of the parts of a panorama that are searched one after the other.
_PART_PX = 256
# Labels that a message lists.
_SHOWN = 20
_SITE = ["panorama", "site_id"]
_SHARED = (
    *("network", "panorama", "site_id", "x_px", "y_px", "label"),
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
    rows, listed = [], {}
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
        listed[str(path)] = sites
    shared = shared_with_training(labels, images, sites=listed, windows=windows)
    _require_none(shared, answers, label_count=len(labels))
    return check_table(pd.DataFrame(rows), HELD_OUT_CHECK, source="check of held-out labels")


def shared_with_training(
    labels: pd.DataFrame,
    images: Mapping[str, str | Path],
    *,
    sites: Mapping[str, Sequence[TrainingSite]],
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
    sites : mapping of network to sequence of TrainingSite
        Networks mostly learn from the same sites: each site is sought once.
    windows : sequence of str
        All windows of this study, such as `5 um`; the widest counts.

    Returns
    -------
    pandas.DataFrame
        network, panorama, site_id, x_px, y_px and label of each such label, with
        training_panorama, training_x_px and training_y_px of the training site of this network
        that shares most.
    """
    every = dict.fromkeys(site for each in sites.values() for site in each)
    known = [site for site in every if is_telling(site.fingerprint)]
    numbers = {site: number for number, site in enumerate(known)}
    edges_px = np.array([site.window_px for site in known], int)
    fingerprints = Fingerprints([site.fingerprint for site in known], windows_px=edges_px)
    learned_by = {
        network: np.isin(np.arange(len(known)), [numbers[site] for site in each if site in numbers])
        for network, each in sites.items()
    }
    rows = []
    for of_image, image in _images(labels, images) if known else ():
        edge_px = _widest_px(windows, image)
        own = [
            clip_window(x_px, y_px, window_px=edge_px, shape=image.shape)
            for x_px, y_px in labels.loc[of_image, ["clip_x_px", "clip_y_px"]].to_numpy()
        ]
        around = [window.grown(margin=edges_px.max(), within=image.shape) for window in own]
        found = fingerprints.find(
            (part.top, part.left, image.read(part)) for part in _parts(around, image.shape)
        )
        for row, window in zip(np.flatnonzero(of_image), own, strict=True):
            label = labels.iloc[row]
            given = {name: label[name] for name in (*_SITE, "x_px", "y_px", "label")}
            shared_px = _shared_px(window, found, edges_px)
            for network, learned in learned_by.items():
                of_network = np.where(learned[found[:, 0]], shared_px, 0)
                if of_network.any():
                    site = known[found[of_network.argmax(), 0]]
                    there = {name: getattr(site, name) for name in ("panorama", "x_px", "y_px")}
                    there = {f"training_{name}": value for name, value in there.items()}
                    rows.append({"network": network} | given | there)
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


def _parts(windows: Iterable[Window], shape: tuple[int, int]) -> Iterator[Window]:
    """Yield the parts of an image, in the order in which it is stored, that windows lie in."""
    wanted = np.zeros([-(-edge // _PART_PX) for edge in shape], bool)
    for window in windows:
        bottom, right = -(-window.bottom // _PART_PX), -(-window.right // _PART_PX)
        wanted[window.top // _PART_PX : bottom, window.left // _PART_PX : right] = True
    for top, left in (_PART_PX * np.argwhere(wanted)).tolist():
        yield Window(
            top=top,
            left=left,
            bottom=min(top + _PART_PX + OVERLAP_PX, shape[0]),
            right=min(left + _PART_PX + OVERLAP_PX, shape[1]),
        )


def _shared_px(window: Window, found: np.ndarray, edges_px: np.ndarray) -> np.ndarray:
    """Return how many pixels of a window lie in each window of training sites that was found."""
    site, top, left = found.T
    rows = np.minimum(top + edges_px[site], window.bottom) - np.maximum(top, window.top)
    columns = np.minimum(left + edges_px[site], window.right) - np.maximum(left, window.left)
    return rows.clip(0) * columns.clip(0)
