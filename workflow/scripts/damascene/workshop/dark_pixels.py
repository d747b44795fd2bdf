"""Which pixels of a cut are dark, by the rule of the study, and how they cluster."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from damascene.config.detection import Detection
from damascene.detection.darkness import DarkLimit, dark_limit, dark_pixels_of, reference_histogram
from damascene.detection.settings import parameters_of
from damascene.images.store import TiledImage, Window, open_pair, write_tiled
from damascene.images.valid_area import VALID
from damascene.units import split_quantity
from damascene.workshop.pixel_clusters import pixel_roles

Pair = tuple[str | Path, str | Path]


@contextlib.contextmanager
def as_images(
    pixels: np.ndarray, valid: np.ndarray, *, pixel_um: float
) -> Iterator[tuple[TiledImage, TiledImage]]:
    """Lend a cut as the images that the research works on; they are gone afterwards.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    valid : numpy.ndarray, bool, same shape
    pixel_um : float
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.ome.tif" for name in ("image", "valid")]
        for path, values in zip(paths, (pixels, np.where(valid, VALID, 0)), strict=True):
            write_tiled(
                path,
                [values.astype(np.uint8)],
                shape=pixels.shape,
                pixel_size_nm=1000 * pixel_um,
                name="cut",
                pyramid=False,
            )
        with open_pair(*paths) as images:
            yield images


class DarkClusters(NamedTuple):
    """The dark pixels of a cut.

    Attributes
    ----------
    dark : numpy.ndarray, bool, shape (rows, columns)
    clusters, roles : numpy.ndarray, int64, same shape
        See `pixel_clusters.pixel_roles`.
    limit : DarkLimit
        The grey below which a pixel is dark, in blocks.
    eps_px : float
        Distance of DBSCAN.
    """

    dark: np.ndarray
    clusters: np.ndarray
    roles: np.ndarray
    limit: DarkLimit
    eps_px: float


def find_dark_clusters(
    pixels: np.ndarray,
    valid: np.ndarray,
    *,
    pixel_um: float | None,
    settings: Detection,
    reference: Pair | None = None,
) -> DarkClusters:
    """Find the dark pixels of a cut as the study does, and cluster them once.

    Greys of ferrite and martensite are measured in the cut alone.

    Parameters
    ----------
    pixels, valid
        See `as_images`.
    pixel_um : float or None
        None where nobody knows it: then the cut is one block, and a distance that is not given in
        pixels is 1 px.
    settings : Detection
        Of the study.
    reference : (path, path), optional
        Image and mask of the panorama that `matched` thresholds refer to.
    """
    if pixel_um is None:
        pixel_um, settings = 1.0, _without_scale(settings, block_px=max(pixels.shape))
    histogram = reference_histogram(reference)
    whole = Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1])
    with as_images(pixels, valid, pixel_um=pixel_um) as (image, mask):
        parameters = parameters_of(settings, pixel_size_nm=image.pixel_size_nm, reference=histogram)
        limit = dark_limit(image, mask, dark=parameters.dark)
        found = dark_pixels_of(pixels, mask, whole, limit)
    dark = np.zeros(pixels.shape, bool)
    dark[found.rows, found.columns] = True
    clusters, roles = pixel_roles(
        dark, eps=parameters.eps_px, min_samples=parameters.min_samples, metric=parameters.metric
    )
    return DarkClusters(dark, clusters, roles, limit, parameters.eps_px)


def _without_scale(settings, *, block_px):
    """Return a detection that needs no pixel size to find dark pixels and to cluster them."""
    _, unit = split_quantity(settings.eps, ("px", "nm", "um"), "1 px")
    threshold = settings.threshold.model_copy(update={"block": f"{block_px} px"})
    eps = settings.eps if unit == "px" else "1 px"
    return settings.model_copy(update={"threshold": threshold, "eps": eps})


def told_limit(limit: DarkLimit) -> str:
    """Say in a sentence or two which pixels are dark, and by which greys."""
    low, high = (f"{each:.0f}" for each in (limit.greys.min(), limit.greys.max()))
    told = f"Dark is what lies below grey {low}" + (f" to {high}" if high != low else "")
    levels = limit.levels
    if levels is None:
        return told + ", as the configuration says."
    ferrite, step = np.median(levels.ferrite), np.median(levels.step)
    if levels.measured.any():
        return told + f" (taken for ferrite: {ferrite:.0f}, for martensite: {ferrite + step:.0f})."
    return (
        told + f". No part of the image shows two phases: {ferrite:.0f} was taken for ferrite, and "
        f"{ferrite + step:.0f} assumed for martensite."
    )
