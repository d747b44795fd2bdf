"""The quality of a panorama: its blocks, and their summary."""

from pathlib import Path

import pandas as pd

from damascene.config.denoising import Denoise
from damascene.config.detection import Detection
from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.detection.darkness import dark_limit, reference_histogram
from damascene.detection.settings import dark_rule
from damascene.images.store import TiledImage
from damascene.quality.blocks import measure_blocks, with_detection
from damascene.quality.caveats import caveats
from damascene.quality.noise import noise_caveats
from damascene.quality.summary import summarise


def measure_quality(
    image: TiledImage,
    valid: TiledImage,
    searched: TiledImage,
    candidates: pd.DataFrame,
    counts: CandidateCounts,
    noise: NoiseRecord,
    *,
    panorama: str,
    detection: Detection,
    denoise: Denoise,
    card: ImageModelCard | None = None,
    reference: tuple[str | Path, str | Path] | None = None,
    threads: int = 1,
) -> tuple[pd.DataFrame, QualityRecord]:
    """Measure the quality of a panorama, and how its detection went along with it.

    Parameters
    ----------
    image, valid : TiledImage
        The panorama and its mask.
    searched : TiledImage
        The panorama in which candidates were searched, denoised or not.
    candidates : pandas.DataFrame
        `CANDIDATES`.
    counts : CandidateCounts
        Of the same search.
    noise : NoiseRecord
        Of the panorama before denoising.
    panorama : str
    detection : Detection
        The settings of the search.
    denoise : Denoise
        How the searched panorama was denoised.
    card : ImageModelCard, optional
        Of the network that did it.
    reference : (image, mask), optional
        Paths of the reference panorama, needed for matched thresholds.
    threads : int, optional

    Returns
    -------
    blocks : pandas.DataFrame
        `QUALITY`.
    summary : QualityRecord
    """
    quality = measure_blocks(image, valid, panorama=panorama, threads=threads)
    dark = dark_rule(
        detection,
        pixel_size_nm=image.pixel_size_nm,
        reference=reference_histogram(reference, threads=threads),
    )
    limit = dark_limit(searched, valid, dark=dark, threads=threads)
    size = {"pixel_size_nm": image.pixel_size_nm}
    blocks = with_detection(quality.blocks, candidates, limit=limit, **size)
    doubts = caveats(quality, blocks, limit=limit, dark_pixels=counts.dark_pixels, **size)
    doubts += noise_caveats(noise, denoise=denoise, card=card)
    return blocks, summarise(quality, blocks=blocks, limit=limit, caveats=doubts)
