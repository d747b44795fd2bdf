"""Windows of a panorama with noise, and what is really there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.config.denoiser_comparison import DenoiserComparison
from damascene.config.detection import Detection
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.contracts.table import read_table
from damascene.contracts.truth import TRUTH as TRUTH_TABLE
from damascene.detection.settings import find_candidates_of
from damascene.evaluation.denoised_sites import sites_as_reference, truth_as_reference
from damascene.images.store import TiledImage, Window, open_pair, write_tiled
from damascene.images.tiles import tile_windows
from damascene.restoration.noise import fine_noise
from damascene.simulation.added_noise import with_noise
from damascene.simulation.panorama import make_specimen
from damascene.simulation.second_scan import without_noise
from damascene.units import area_px

#: Where the sites come from that are to be found.
TRUTH, SECOND_SCAN, CLEAN_PANORAMA = "truth", "second scan", "clean panorama"
# Panoramas up to this size are compared whole, larger ones by windows.
_WHOLE_PX = 9_000_000
_WINDOW_PX = 2048
_WINDOWS = 4
# Sites this near to a cut are partners of others but are not scored themselves.
_MARGIN_PX = 64
# Noise of the second scan, or of a panorama to which noise is added, against that of the other.
_CLEARLY_LESS = 0.6
_DRAWN_PX = 1024


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A panorama on which denoisers are compared.

    Attributes
    ----------
    panorama : str
    image, valid : path
        The panorama and its mask.
    truth : pandas.DataFrame, optional
        `TRUTH` of a simulated panorama, with
    specimen : dict, optional
        the arguments of `make_specimen`.
    paired : (image, mask, record), optional
        Paths of a second scan that lies over the panorama.
    """

    panorama: str
    image: str | Path
    valid: str | Path
    truth: pd.DataFrame | None = None
    specimen: dict | None = None
    paired: tuple[str | Path, str | Path, str | Path] | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A window as images of its own, and the sites that are to be found in it.

    Attributes
    ----------
    number : int
    image, valid, clean : pathlib.Path
        With noise, the mask of what is compared, and without noise.
    reference : pandas.DataFrame
        See `denoised_sites.sites_as_reference`.
    inner : Window
        The scored part.
    """

    number: int
    image: Path
    valid: Path
    clean: Path
    reference: pd.DataFrame
    inner: Window


def compared_panorama(
    panorama: str,
    image: str | Path,
    valid: str | Path,
    *,
    truth: str | Path | None,
    paired: Sequence[str | Path],
    **specimen,
) -> Compared:
    """Return a panorama to compare on.

    Parameters
    ----------
    panorama : str
    image, valid : path
    truth : path, optional
        `TRUTH`, empty or None for a panorama that is not simulated.
    paired : sequence of path
        Image, mask and record of a second scan; empty without one.
    **specimen
        Arguments of `make_specimen` for a simulated panorama.
    """
    return Compared(
        panorama=panorama,
        image=image,
        valid=valid,
        truth=read_table(truth, TRUTH_TABLE) if truth else None,
        specimen=specimen if truth else None,
        paired=tuple(paired) or None,
    )


def origin_of_sites(compared: Compared, comparison: DenoiserComparison) -> str:
    """Return where the sites of a panorama come from that are to be found.

    Raises
    ------
    InputError
        If nothing tells which sites are really there.
    """
    name = compared.panorama
    if compared.truth is not None:
        return TRUTH
    if comparison.added_noise != "none":
        with TiledImage(compared.image) as image:
            noise = fine_noise(image)
        if noise > _CLEARLY_LESS * comparison.noise_grey:
            raise InputError(
                f"compare_denoising.noise_grey: panorama '{name}' has a noise of {noise:.1f} grey "
                f"levels itself. Noise of {comparison.noise_grey:g} added to it does not tell "
                f"what denoising does: add at least {noise / _CLEARLY_LESS:.0f}, or none."
            )
        return CLEAN_PANORAMA
    if compared.paired is None:
        raise InputError(
            f"Nothing tells which sites of panorama '{name}' are real. Name a slow scan of it "
            "under 'paired_scan', or, if it has little noise itself, set "
            "'compare_denoising: added_noise: gamma'."
        )
    record = PairedScanRecord.read(compared.paired[2])
    ours, theirs = record.panorama_noise_grey_levels, record.noise_grey_levels
    if theirs > _CLEARLY_LESS * ours:
        raise InputError(
            f"The second scan of panorama '{name}' has a noise of {theirs:.1f} grey levels, the "
            f"panorama {ours:.1f}: it does not tell better which sites are real. Name a slower "
            "scan under 'paired_scan', or leave the cell empty and add noise to a clean panorama."
        )
    return SECOND_SCAN


def chosen_windows(valid: TiledImage) -> list[Window]:
    """Return the windows that stand for a panorama: itself, or four of 2048 px spread over it.

    They are taken at equal distances from all windows of a grid, row by row, that are at least
    half valid.
    """
    height, width = valid.shape
    if height * width <= _WHOLE_PX:
        return [valid.whole]
    heights, widths = (min(_WINDOW_PX, length) for length in valid.shape)
    # What the grid leaves over is left out on both sides.
    tops = height % heights // 2 + np.arange(height // heights) * heights
    lefts = width % widths // 2 + np.arange(width // widths) * widths
    windows = [
        Window(top=int(top), left=int(left), bottom=int(top) + heights, right=int(left) + widths)
        for top in tops
        for left in lefts
    ]
    usable = [window for window in windows if _is_mostly_valid(valid, window)] or windows
    chosen = np.linspace(0, len(usable) - 1, min(_WINDOWS, len(usable))).round().astype(int)
    return [usable[number] for number in chosen]


def _is_mostly_valid(valid, window):
    return valid.holds_only(window, 255) or (valid.read(window) == 255).mean() >= 0.5


def scenes(
    compared: Compared,
    *,
    folder: Path,
    comparison: DenoiserComparison,
    settings: Detection,
    histogram: np.ndarray | None,
    seed: int,
    threads: int,
) -> Iterator[Scene]:
    """Write the windows of a panorama as images of their own, one after the other.

    Parameters
    ----------
    compared : Compared
    folder : pathlib.Path
        For the images; overwritten by each window.
    comparison : DenoiserComparison
        What is added.
    settings : Detection
    histogram : numpy.ndarray, int64, shape (256,), or None
        See `detection.settings.parameters_of`.
    seed : int
        Of the added noise.
    threads : int

    Raises
    ------
    InputError
        See `origin_of_sites`.
    """
    origin = origin_of_sites(compared, comparison)
    specimen = make_specimen(**compared.specimen, threads=threads) if origin == TRUTH else None
    clean_paths = compared.paired[:2] if origin == SECOND_SCAN else (compared.image, compared.valid)
    with (
        open_pair(compared.image, compared.valid) as (image, valid),
        open_pair(*clean_paths) as (other, other_valid),
    ):
        size_nm = image.pixel_size_nm
        limit_px = area_px(settings.minimum_area, pixel_size_nm=size_nm)
        for number, window in enumerate(chosen_windows(other_valid)):
            pixels, mask = image.read(window), valid.read(window) & other_valid.read(window)
            clean = _drawn(specimen, window) if origin == TRUTH else other.read(window)
            if comparison.added_noise != "none":
                pixels = with_noise(
                    clean,
                    window=window,
                    kind=comparison.added_noise,
                    noise_grey=comparison.noise_grey,
                    seed=seed,
                )
            paths = {name: folder / f"{name}.ome.tif" for name in ("image", "valid", "clean")}
            for name, values in (("image", pixels), ("valid", mask), ("clean", clean)):
                write_tiled(
                    paths[name],
                    [values],
                    shape=values.shape,
                    pixel_size_nm=size_nm,
                    name=name,
                    pyramid=False,
                )
            if origin == TRUTH:
                reference = truth_as_reference(compared.truth, limit_px=limit_px, window=window)
            else:
                reference = _found_in_clean(
                    paths, compared.panorama, settings, histogram, limit_px, threads
                )
            yield Scene(
                number=number,
                reference=reference,
                inner=_inner(window, image.shape),
                **paths,
            )


def _drawn(specimen, window):
    """Return what a simulated panorama would be without noise, piece by piece."""
    drawn = np.empty(window.shape, np.uint8)
    for row in tile_windows(window.shape, tile_px=_DRAWN_PX):
        for part in row:
            place = Window(
                top=window.top + part.top,
                left=window.left + part.left,
                bottom=window.top + part.bottom,
                right=window.left + part.right,
            )
            drawn[part.slices()] = np.rint(without_noise(specimen, place)).clip(0, 255)
    return drawn


def _found_in_clean(paths, panorama, settings, histogram, limit_px, threads):
    """Find the sites without noise, and smaller ones, which may grow to the limit by noise."""
    with open_pair(paths["clean"], paths["valid"]) as (image, valid):
        found = find_candidates_of(
            image,
            valid,
            panorama=panorama,
            settings=settings.model_copy(update={"minimum_area": f"{limit_px / 2:.6f} px2"}),
            reference=histogram,
            threads=threads,
        )
    return sites_as_reference(found, limit_px=limit_px)


def _inner(window, shape):
    """Return the scored part of a window, in its own pixels: away from where it was cut."""
    height, width = window.shape
    return Window(
        top=_MARGIN_PX if window.top else 0,
        left=_MARGIN_PX if window.left else 0,
        bottom=height - (_MARGIN_PX if window.bottom < shape[0] else 0),
        right=width - (_MARGIN_PX if window.right < shape[1] else 0),
    )
