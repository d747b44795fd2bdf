"""The denoising network of a noise condition, learned from all panoramas that share it."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.contracts.image_model_card import ImageModelCard, LearnedNoise
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.files import written_whole
from damascene.images.store import TiledImage
from damascene.restoration.cells import LAYOUTS
from damascene.restoration.denoiser_training import EPOCH_BATCHES, asked_pixels, train_denoiser
from damascene.restoration.learned import WIDTHS, build_denoiser, halo_of
from damascene.restoration.learned_noise import (
    SIMULATED_MOST_CORRELATION,
    SIMULATED_NOISE_GREY,
    blind_layout,
    known_levels,
    usual_noise,
)
from damascene.restoration.simulated_scans import PIXEL_NM, draw_scenes, noisy_patches
from damascene.restoration.training_windows import Scan, read_scenes
from damascene.versions import NETWORK_PACKAGES, package_versions

# With more noise than this in what is asked, its dark pixels are no voids but noise.
_MOST_NOISE_OF_VOIDS = 8.0
# Voids are darker than this part of the median grey.
_DARK_PART = 0.33
# Noise of one condition differs by less than this factor.
_ALIKE = 1.5
_SIMULATED_SCENES = 48


def scans_of(
    panoramas: Sequence[str],
    images: Sequence[str],
    valid: Sequence[str],
    targets: Sequence[str] = (),
    targets_valid: Sequence[str] = (),
) -> dict[str, Scan]:
    """Return the scans by panorama from the files of each, in the same order."""
    pairs = list(zip(targets, targets_valid, strict=True)) or [(None, None)] * len(images)
    each = zip(panoramas, images, valid, pairs, strict=True)
    return {
        name: Scan(image=image, valid=mask, target=target, target_valid=target_mask)
        for name, image, mask, (target, target_mask) in each
    }


def train_condition(
    scans: Mapping[str, Scan],
    noises: Sequence[NoiseRecord],
    *,
    method: str,
    paired: Sequence[PairedScanRecord] = (),
    epochs: int,
    seed: int,
    model_path: str | Path,
    device: str = "CPU",
    **training,
) -> tuple[pd.DataFrame, ImageModelCard]:
    """Train the network that denoises the panoramas of a noise condition, and write it.

    Parameters
    ----------
    scans : mapping of panorama to Scan
        With targets for `paired`.
    noises : sequence of NoiseRecord
        Of the same panoramas.
    method : {"self_supervised", "paired"}
    paired : sequence of PairedScanRecord
        Of the same panoramas, for `paired`.
    epochs, seed, model_path, **training
        See `denoiser_training.train_denoiser`.
    device : str, optional
        For the card.

    Returns
    -------
    history : pandas.DataFrame
        `HISTORY`.
    card : ImageModelCard
    """
    scenes = read_scenes(list(scans.values()), seed=seed)
    dark_grey = _DARK_PART * _median_grey(scenes)
    if method == "paired":
        layout, seen_noise = "whole", usual_noise(noises)
        noise = max(float(np.median([record.noise_grey_levels for record in paired])), 1.0)
        weighed = dark_grey if noise <= _MOST_NOISE_OF_VOIDS else None
        note = f"learned from second scans with noise of {noise:.3g} grey levels"
    else:
        layout, noise = blind_layout(noises), usual_noise(noises)
        # Errors in voids are weighed when the pixel itself is, in `likelihood.posterior_mean`.
        seen_noise = weighed = None
        hidden = "the row of the pixel" if layout == "line" else "the pixel"
        note = f"learned from the noisy scans alone; it does not see {hidden} that it answers"
    sizes_nm = [_pixel_size_nm(scan.image) for scan in scans.values()]
    levels = known_levels(noises)
    return _trained(
        scenes,
        asked_pixels(LAYOUTS[layout], noise=noise, seen_noise=seen_noise, dark_grey=weighed),
        method=method,
        layout=layout,
        seen_noise=seen_noise,
        dark_grey=dark_grey,
        panoramas=tuple(scans),
        pixel_size_nm=(min(sizes_nm), max(sizes_nm)),
        noise=LearnedNoise(
            description=f"measured in the panoramas of the condition; {note}",
            sigma_grey_levels=(min(levels) / _ALIKE, max(levels) * _ALIKE),
        ),
        epochs=epochs,
        seed=seed,
        model_path=model_path,
        device=device,
        **training,
    )


def train_on_simulated_steel(
    *,
    epochs: int,
    seed: int,
    model_path: str | Path,
    device: str = "CPU",
    threads: int = 1,
    **training,
) -> tuple[pd.DataFrame, ImageModelCard]:
    """Train the network for scans of any noise on simulated steel, and write it.

    Parameters
    ----------
    epochs, seed, model_path, **training
        See `denoiser_training.train_denoiser`.
    device : str, optional
        For the card.
    threads : int, optional
        Of the drawing of steel.

    Returns
    -------
    history : pandas.DataFrame
        `HISTORY`.
    card : ImageModelCard
    """
    return _trained(
        draw_scenes(_SIMULATED_SCENES, seed=seed, threads=threads),
        noisy_patches(),
        method="simulated",
        layout="whole",
        noise_channel=True,
        panoramas=(),
        pixel_size_nm=PIXEL_NM,
        noise=LearnedNoise(
            description="Gaussian and Gamma-like noise with offsets of lines, correlated along the "
            f"lines by at most {SIMULATED_MOST_CORRELATION}",
            sigma_grey_levels=SIMULATED_NOISE_GREY,
        ),
        epochs=epochs,
        seed=seed,
        model_path=model_path,
        device=device,
        **training,
    )


def _trained(
    scenes,
    prepare,
    *,
    method,
    layout,
    noise_channel=False,
    seen_noise=None,
    dark_grey=None,
    epochs,
    seed,
    model_path,
    widths=WIDTHS,
    epoch_batches=EPOCH_BATCHES,
    **facts,
):
    started = time.perf_counter()
    model_path = Path(model_path)
    network = {"layout": LAYOUTS[layout], "noise_channel": noise_channel, "widths": widths}
    model, history, sha256 = train_denoiser(
        scenes,
        prepare,
        network=network,
        epochs=epochs,
        epoch_batches=epoch_batches,
        seed=seed,
        model_path=model_path,
    )
    # Without the state of the optimiser.
    stored = build_denoiser(**network)
    stored.set_weights(model.get_weights())
    with written_whole(model_path) as (part,):
        # Keras insists on the ending.
        whole = part.with_suffix(".keras")
        stored.save(whole)
        whole.replace(part)
    for path in model_path.parent.glob(f".{model_path.stem}*.checkpoint.npz"):
        path.unlink()
    best = int(history["validation_loss"].idxmin())
    card = ImageModelCard(
        task="denoiser",
        method=method,
        network="unet",
        network_options={
            "layout": layout,
            "noise_channel": noise_channel,
            "seen_noise": seen_noise,
            "dark_grey": dark_grey,
            "widths": tuple(widths),
        },
        halo_px=halo_of(stored),
        overlap_px=0,
        parameters=stored.count_params(),
        data_sha256=sha256,
        settings={"epochs": epochs, "epoch_batches": epoch_batches},
        seed=seed,
        epochs_run=len(history),
        best_epoch=int(history["epoch"][best]),
        scores={"validation_loss": float(history["validation_loss"][best])},
        training_s=round(time.perf_counter() - started, 1),
        versions=package_versions(*NETWORK_PACKAGES),
        **facts,
    )
    return history, card


def _pixel_size_nm(path):
    with TiledImage(path) as image:
        return image.pixel_size_nm


def _median_grey(scenes):
    counts = sum(
        np.bincount(scene.target[scene.valid > 0].ravel(), minlength=256) for scene in scenes
    )
    return float(np.searchsorted(counts.cumsum(), counts.sum() / 2))
