"""What denoisers do to a panorama: the sites that are found, and the image."""

import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.metrics import structural_similarity

from damascene.config.denoiser_comparison import DenoiserComparison
from damascene.config.detection import Detection
from damascene.detection.darkness import reference_histogram
from damascene.detection.settings import find_candidates_of
from damascene.evaluation.denoised_sites import KEPT, compare_sites, damage_free
from damascene.evaluation.denoiser_scenes import Compared, origin_of_sites, scenes
from damascene.images.store import TiledImage, open_pair
from damascene.restoration import denoise_panorama
from damascene.units import length_px

logger = logging.getLogger(__name__)

#: The image without noise, among the methods: what a perfect denoiser would give.
CLEAN = "clean"
#: Area without damage begins at this distance from a site.
FREE_MARGIN = "1 um"
# Sites of a panorama whose classes are compared.
_CLASSIFIED = 100


def compare_on_panorama(
    compared: Compared,
    *,
    methods: Mapping[str, Mapping],
    comparison: DenoiserComparison,
    settings: Detection,
    tolerance: str,
    seed: int,
    reference: tuple[str | Path, str | Path] | None = None,
    classify: Callable | None = None,
    threads: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Denoise a panorama by each method and compare sites and images with what is there.

    Parameters
    ----------
    compared : Compared
    methods : mapping of str to mapping
        Names of denoisers, `none` among them, each with further arguments of `denoise_panorama`.
    comparison : DenoiserComparison
    settings : Detection
        Settings of the detection, the same for all denoisers.
    tolerance : str
        A length: how far a site may lie outside an outline and still be that site.
    seed : int
        Of the noise that is added.
    reference : (image, mask), optional
        Paths of the reference panorama, needed for matched thresholds.
    classify : callable, optional
        Takes image, candidates and their runs; returns the class of each candidate. Without it
        classes are not compared.
    threads : int, optional

    Returns
    -------
    sites : pandas.DataFrame
        `DENOISED_SITES`.
    images : pandas.DataFrame
        `DENOISED_IMAGES`.

    Raises
    ------
    InputError
        If nothing tells which sites are real, see `origin_of_sites`.
    """
    origin = origin_of_sites(compared, comparison)
    histogram = reference_histogram(reference, threads=threads)
    sites, images = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for scene in scenes(
            compared,
            folder=folder,
            comparison=comparison,
            settings=settings,
            histogram=histogram,
            seed=seed,
            threads=threads,
        ):
            free, pixel_size_nm = _free_area(scene)
            for method, options in {CLEAN: {}, **methods}.items():
                path, seconds = _denoised(scene, method, options, folder, threads=threads)
                with open_pair(path, scene.valid) as (image, valid):
                    found = find_candidates_of(
                        image,
                        valid,
                        panorama=compared.panorama,
                        settings=settings,
                        reference=histogram,
                        threads=threads,
                    )
                    part = compare_sites(
                        found.candidates,
                        scene.reference,
                        free=free,
                        inner=scene.inner,
                        tolerance_px=length_px(tolerance, pixel_size_nm=pixel_size_nm),
                        pixel_size_nm=pixel_size_nm,
                    )
                    classes = {}
                    if classify is not None and scene.number == 0:
                        classes = _classes(part, found, image, classify)
                about = {
                    "panorama": compared.panorama,
                    "method": method,
                    "window": scene.number,
                }
                sites.append(
                    part.assign(
                        **about, predicted_class=[classes.get(site, "") for site in part["site_id"]]
                    )
                )
                images.append(
                    {
                        **about,
                        "reference": origin,
                        "seconds": seconds,
                        "damage_free_mm2": int(free.sum()) * (pixel_size_nm * 1e-6) ** 2,
                        **_likeness(path, scene),
                    }
                )
                logger.info("%s %s", images[-1], part["outcome"].value_counts().to_dict())
    return pd.concat(sites, ignore_index=True), pd.DataFrame(images)


def _free_area(scene):
    with TiledImage(scene.valid) as valid:
        size_nm = valid.pixel_size_nm
        free = damage_free(
            scene.reference,
            valid.read() == 255,
            inner=scene.inner,
            margin_px=length_px(FREE_MARGIN, pixel_size_nm=size_nm),
        )
    return free, size_nm


def _denoised(scene, method, options, folder, *, threads):
    """Return the path of the denoised window, and the seconds that it took."""
    if method in (CLEAN, "none"):
        return (scene.clean if method == CLEAN else scene.image), 0.0
    path = folder / "denoised.ome.tif"
    started = time.perf_counter()
    with TiledImage(scene.image) as image:
        denoise_panorama(
            image, panorama=method, method=method, path=path, threads=threads, **options
        )
    return path, time.perf_counter() - started


def _classes(part, found, image, classify):
    """Return the classes of the kept sites, as far as they are compared, by site_id."""
    kept = part[part["outcome"] == KEPT].sort_values("truth_id").head(_CLASSIFIED)
    chosen = found.candidates[found.candidates["site_id"].isin(kept["site_id"])]
    if chosen.empty:
        return {}
    return dict(zip(chosen["site_id"], classify(image, chosen, found.runs), strict=True))


def _likeness(path, scene):
    """Compare an image with the one without noise, where both are valid."""
    with TiledImage(path) as image, TiledImage(scene.clean) as clean:
        one, other = image.read(), clean.read()
    with TiledImage(scene.valid) as mask:
        valid = mask.read() == 255
    # Half the memory of what would be taken for integers.
    one, other = one.astype(np.float32), other.astype(np.float32)
    squared = np.square(one[valid] - other[valid], dtype=np.float64)
    _, similar = structural_similarity(one, other, data_range=255, full=True)
    return {
        "compared_px": int(valid.sum()),
        "squared_error": float(squared.mean()) if len(squared) else float("nan"),
        "ssim": float(similar[valid].mean()) if valid.any() else float("nan"),
    }
