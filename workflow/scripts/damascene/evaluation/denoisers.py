"""What denoising does to the sites that are found: kept, lost, invented."""

import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.config.detection import Detection
from damascene.detection.darkness import reference_histogram
from damascene.detection.matching import match_to_outlines
from damascene.detection.settings import find_candidates_of
from damascene.images.store import TiledImage, open_pair
from damascene.restoration import METHODS, denoise_panorama
from damascene.units import area_px, length_px

logger = logging.getLogger(__name__)


def compare_denoising(
    panoramas: Sequence[tuple[str, str | Path, str | Path]],
    truths: Sequence[pd.DataFrame],
    *,
    settings: Detection,
    reference: tuple[str | Path, str | Path] | None = None,
    threads: int = 1,
    **options,
) -> pd.DataFrame:
    """Find the sites of simulated panoramas as they are and after each denoiser.

    Parameters
    ----------
    panoramas : sequence of (name, image, mask)
        With the paths of image and mask.
    truths : sequence of pandas.DataFrame
        `TRUTH` of each, in the same order.
    reference : (image, mask), optional
        Paths of the reference panorama, needed for matched thresholds.
    settings, threads, **options
        See `sites_after_denoising`.

    Returns
    -------
    pandas.DataFrame
        The rows of `sites_after_denoising` of all panoramas.
    """
    histogram = reference_histogram(reference, threads=threads)
    parts = []
    for (name, image, valid), truth in zip(panoramas, truths, strict=True):
        part = sites_after_denoising(
            Path(image),
            Path(valid),
            truth,
            panorama=name,
            settings=settings,
            reference=histogram,
            threads=threads,
            **options,
        )
        logger.info("%s\n%s", name, part.to_string())
        parts.append(part)
    return pd.concat(parts)


def sites_after_denoising(
    image_path: Path,
    valid_path: Path,
    truth: pd.DataFrame,
    *,
    panorama: str,
    settings: Detection,
    reference: np.ndarray | None = None,
    strength: float,
    tolerance: str,
    threads: int = 1,
) -> pd.DataFrame:
    """Find the sites of a simulated panorama as it is and after each denoiser.

    Parameters
    ----------
    image_path, valid_path : path of the panorama and of its mask
    truth : pandas.DataFrame
        `TRUTH`; sites up to the minimum area of the detection are not asked for.
    panorama : str
    settings : Detection
        Settings of the detection, the same for all denoisers.
    reference : numpy.ndarray, int64, shape (256,), optional
        See `detection.settings.parameters_of`.
    strength : float
        See `denoising.denoise_panorama`.
    tolerance : str
        A length: how far a site may lie outside a true outline and still be that site.
    threads : int, optional

    Returns
    -------
    pandas.DataFrame
        panorama, method, true_sites, candidates, kept (true sites found), lost, invented,
        recall, precision, seconds of the denoising.
    """
    with TiledImage(image_path) as image:
        limit_px = area_px(settings.minimum_area, pixel_size_nm=image.pixel_size_nm)
        tolerance_px = length_px(tolerance, pixel_size_nm=image.pixel_size_nm)
    asked = truth[truth["area_px"] > limit_px]
    rows = []
    for method in ("none", *METHODS):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            path = image_path
            if method != "none":
                path = Path(folder) / "denoised.ome.tif"
                with TiledImage(image_path) as image:
                    denoise_panorama(
                        image,
                        panorama=panorama,
                        method=method,
                        path=path,
                        strength=strength,
                        threads=threads,
                    )
            seconds = time.perf_counter() - started
            with open_pair(path, valid_path) as (image, valid):
                found = find_candidates_of(
                    image,
                    valid,
                    panorama=panorama,
                    settings=settings,
                    reference=reference,
                    threads=threads,
                ).candidates
        kept = len(match_to_outlines(found, asked, tolerance_px=tolerance_px))
        # A site on a true one below the limit is neither kept nor invented.
        real = len(match_to_outlines(found, truth, tolerance_px=tolerance_px))
        rows.append(
            {
                "panorama": panorama,
                "method": method,
                "true_sites": len(asked),
                "candidates": len(found),
                "kept": kept,
                "lost": len(asked) - kept,
                "invented": len(found) - real,
                "recall": kept / len(asked) if len(asked) else float("nan"),
                "precision": real / len(found) if len(found) else float("nan"),
                "seconds": seconds,
            }
        )
    return pd.DataFrame(rows)
