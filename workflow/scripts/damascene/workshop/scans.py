"""A fast and a slow scan of one place, and what denoising does to the fast one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.config.denoiser_comparison import DenoiserComparison
from damascene.config.detection import Detection
from damascene.evaluation.denoised_classes import compare_with_classes
from damascene.evaluation.denoiser_scenes import Compared, origin_of_sites
from damascene.evaluation.denoiser_scores import ALL, score_denoisers
from damascene.images.store import TiledImage, Window, open_pair
from damascene.images.valid_area import VALID
from damascene.restoration import denoise_panorama, fine_noise, measure_noise
from damascene.restoration.learned import read_denoiser
from damascene.simulation.acquisition import noise_level
from damascene.simulation.added_noise import with_noise
from damascene.study.models import SHIPPED_DENOISER
from damascene.study.plan import TRUTH_TOLERANCE
from damascene.workshop.cut import Cut
from damascene.workshop.dark_pixels import Pair, as_images
from damascene.workshop.start import Page
from damascene.workshop.steel import detection_steps, window_at, window_of

#: Time of the beam on a pixel of the fast scan that is simulated.
FAST_DWELL_NS = 100.0
#: What is compared: nothing, a filter, and the network that comes with the workflow.
METHODS = ("none", "gaussian", "simulated")
# The noise that is added drowns that of the image: this many times as much.
_DROWNS = 1 / 0.55
_MOST_NOISE = 100.0
_EDGE_PX, _LEAST_EDGE_PX = 2048, 64
# Of the intervals, which the page does not show.
_CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Scans:
    """A fast scan and a slow one, which show the same place.

    Attributes
    ----------
    fast, slow : numpy.ndarray, uint8, shape (rows, columns)
    valid : numpy.ndarray, bool, same shape
    pixel_um : float
    noise_grey : float
        Noise that was added to the slow scan to make the fast one; 0 where both are real.
    record : path or None
        Of the second scan, where both are real.
    """

    fast: np.ndarray
    slow: np.ndarray
    valid: np.ndarray
    pixel_um: float
    noise_grey: float
    record: str | Path | None = None


def fast_scan_of(
    pixels: np.ndarray, valid: np.ndarray, *, pixel_um: float, seed: int
) -> Scans | None:
    """Simulate a fast scan of a place: the noise of 100 ns a pixel, skewed and with lines.

    Parameters
    ----------
    pixels, valid, pixel_um
        See `dark_pixels.as_images`: the slow scan.
    seed : int

    Returns
    -------
    Scans or None
        An image that is noisy itself gets so much noise that its own is drowned; None where that
        is more than 100 grey levels.
    """
    with as_images(pixels, valid, pixel_um=pixel_um) as (image, _):
        own = fine_noise(image)
    noise_grey = max(noise_level(FAST_DWELL_NS), _DROWNS * own)
    if noise_grey > _MOST_NOISE:
        return None
    fast = with_noise(
        pixels,
        window=Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1]),
        kind="gamma",
        noise_grey=noise_grey,
        seed=seed,
    )
    return Scans(fast=fast, slow=pixels, valid=valid, pixel_um=pixel_um, noise_grey=noise_grey)


def real_scans(image: Pair, paired: Sequence[str | Path], *, window: Window) -> Scans | None:
    """Return a panorama and its second scan, where the study has one with clearly less noise.

    Parameters
    ----------
    image : (path, path)
        The panorama and its mask.
    paired : sequence of path
        Image, mask and record of the second scan; empty without one.
    window : Window
        What is looked at.
    """
    if not paired:
        return None
    compared = Compared(panorama="", image=image[0], valid=image[1], paired=tuple(paired))
    try:
        origin_of_sites(compared, DenoiserComparison())
    except InputError:
        # It does not tell better than the panorama which sites are real.
        return None
    with open_pair(*image) as (fast, valid), open_pair(*paired[:2]) as (slow, slow_valid):
        return Scans(
            fast=fast.read(window),
            slow=slow.read(window),
            valid=(valid.read(window) & slow_valid.read(window)) == VALID,
            pixel_um=fast.pixel_size_nm / 1000,
            noise_grey=0.0,
            record=paired[2],
        )


def scans_of_study(page: Page, cut: Cut) -> Scans | None:
    """Return two scans of what lies round the cut: real ones, or a fast one that is simulated.

    Parameters
    ----------
    page : Page
        With `scan`, the panorama before any denoising, `valid` and `paired` among its files.
    cut : Cut
        Of this panorama; up to 2048 pixels round it are looked at, as sites are few.

    Returns
    -------
    Scans or None
        See `fast_scan_of`.
    """
    image = page.files["scan"], page.files["valid"]
    with open_pair(*image) as (pixels, valid):
        place = window_of(cut)
        x_px, y_px = (place.left + place.right) / 2, (place.top + place.bottom) / 2
        edge_px = max(_EDGE_PX, *cut.grey.shape)
        window = window_at(x_px, y_px, edge_px=edge_px, shape=pixels.shape)
        real = real_scans(image, page.files["paired"], window=window)
        if real is not None:
            return real
        return fast_scan_of(
            pixels.read(window),
            valid.read(window) == VALID,
            pixel_um=pixels.pixel_size_nm / 1000,
            seed=page.seed,
        )


def part_with_sites(
    scans: Scans, *, settings: Detection, edge_um: float = 9.0, reference: Pair | None = None
) -> Window:
    """Return the part of the slow scan with most sites; its middle where there are none.

    Parameters
    ----------
    scans : Scans
    settings : Detection
    edge_um : float, optional
        Edge of the part.
    reference : (path, path), optional
        See `steel.detection_steps`.
    """
    steps = detection_steps(
        scans.slow, scans.valid, pixel_um=scans.pixel_um, settings=settings, reference=reference
    )
    edge_px = max(round(edge_um / scans.pixel_um), _LEAST_EDGE_PX)
    rows, columns = scans.slow.shape
    places = steps.found.candidates[["x_px", "y_px"]].to_numpy(float)
    if not len(places):
        return window_at(columns / 2, rows / 2, edge_px=edge_px, shape=scans.slow.shape)
    near = np.abs(places[:, None] - places).max(axis=-1) < edge_px / 2
    best = near.sum(axis=1).argmax()
    return window_at(*places[near[best]].mean(axis=0), edge_px=edge_px, shape=scans.slow.shape)


def denoised_detail(
    scans: Scans, window: Window, *, methods: Sequence[str] = METHODS
) -> dict[str, np.ndarray]:
    """Denoise a part of a fast scan by each method, by the noise of all of it.

    Parameters
    ----------
    scans : Scans
    window : Window
    methods : sequence of str, optional
        See `compare_denoisers`.

    Returns
    -------
    dict of str to numpy.ndarray
        uint8, of the shape of the window.
    """
    seen = {"valid": scans.valid, "pixel_um": scans.pixel_um}
    with as_images(scans.fast, **seen) as (image, _):
        noise = measure_noise(image, panorama="")
    part = {"valid": scans.valid[window.slices()], "pixel_um": scans.pixel_um}
    shown = {}
    with as_images(scans.fast[window.slices()], **part) as (image, _):
        for name in methods:
            if name == "none":
                shown[name] = image.read()
                continue
            network = read_denoiser(SHIPPED_DENOISER) if name == "simulated" else None
            path = image.path.with_name(f"{name}.ome.tif")
            denoise_panorama(
                image, panorama=name, method=name, path=path, noise=noise, network=network
            )
            with TiledImage(path) as result:
                shown[name] = result.read()
    return shown


def compare_denoisers(
    scans: Scans,
    *,
    settings: Detection,
    seed: int,
    methods: Sequence[str] = METHODS,
    reference: Pair | None = None,
) -> pd.DataFrame:
    """Denoise a fast scan by some methods and compare sites and pixels with the slow one.

    Parameters
    ----------
    scans : Scans
    settings : Detection
        Of the study: the sites that it finds in the slow scan are those to be found.
    seed : int
        That of `fast_scan_of`.
    methods : sequence of str, optional
        `none`, filters, or `simulated`: the network that comes with the workflow.
    reference : (path, path), optional
        See `steel.detection_steps`.

    Returns
    -------
    pandas.DataFrame
        `method`, `psnr_db`, `ssim`, `reference_sites`, `kept`, `lost`, `invented`.
    """
    comparison = DenoiserComparison()
    if scans.noise_grey:
        comparison = DenoiserComparison(added_noise="gamma", noise_grey=scans.noise_grey)
    options = {name: {} for name in methods}
    if "simulated" in options:
        options["simulated"] = {"network": SHIPPED_DENOISER}
    seen = {"valid": scans.valid, "pixel_um": scans.pixel_um}
    first = scans.slow if scans.noise_grey else scans.fast
    with (
        as_images(first, **seen) as (image, mask),
        as_images(scans.slow, **seen) as (slow, slow_mask),
    ):
        paired = None if scans.noise_grey else (slow.path, slow_mask.path, scans.record)
        sites, images = compare_with_classes(
            Compared(panorama="cut", image=image.path, valid=mask.path, paired=paired),
            models=("", 0.0, 0.0),
            methods=options,
            comparison=comparison,
            settings=settings,
            tolerance=TRUTH_TOLERANCE,
            seed=seed,
            reference=reference,
        )
    scores = score_denoisers(sites, images, confidence=_CONFIDENCE)
    chosen = scores[(scores["panorama"] == ALL) & (scores["size"] == ALL)].set_index("method")
    columns = ["psnr_db", "ssim", "reference_sites", "kept", "lost", "invented"]
    return chosen.loc[list(methods), columns].reset_index()
