"""The denoising methods, their parameters from the measured noise, and the run over a panorama."""

import functools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pywt
from scipy import ndimage
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from damascene.config.denoising import CALIBRATED, CLASSICAL
from damascene.contracts.denoising_record import DenoisingRecord, Strength
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.files import written_whole
from damascene.images.blocks import blend_blocks, block_rows, to_grey
from damascene.images.store import TiledImage, write_tiled
from damascene.images.tiles import DEFAULT_TILE_PX, WHOLE, map_tiles, strip_slice
from damascene.restoration.learned_noise import UNMEASURED, doubts, noise_level
from damascene.restoration.noise import fine_noise, measure_noise
from damascene.restoration.strength import calibrated_strength
from damascene.versions import IMAGE_PACKAGES, NETWORK_PACKAGES, package_versions

METHODS = CLASSICAL

# The factors of the rules in `parameters` give about the lowest squared error on slow-scan images
# of etched dual-phase steel to which noise of 4 to 25 grey levels was added.
_GAUSSIAN_FACTOR = 0.12
_MEDIAN_FACTOR = 0.4
_FILTER_FACTOR = 0.8
_VARIATION_FACTOR = 0.6
_WIDEST_MEDIAN_PX = 9
_TRUNCATE = 4.0
_PATCH_PX = 5
_PATCH_DISTANCE_PX = 5
_TV_ITERATIONS = 30
_WAVELET = "sym4"
_WAVELET_LEVELS = 3


class Network(Protocol):
    """What is asked of `learned.Denoiser`, which is imported only where networks run."""

    card: ImageModelCard

    def strips(
        self, image: TiledImage, *, noise: float, threads: int, strip: tuple[int, int]
    ) -> Iterator[np.ndarray]:
        """Denoise a panorama with this noise and yield it as strips of full width."""


def denoise_panorama(
    image: TiledImage,
    *,
    panorama: str,
    method: str,
    path: str | Path,
    noise: NoiseRecord | None = None,
    strength: float | str = 1.0,
    network: Network | None = None,
    tile_px: int = DEFAULT_TILE_PX,
    threads: int = 1,
) -> DenoisingRecord:
    """Denoise a panorama and write it with the same geometry.

    Each method takes its parameter from the noise measured on the panorama (`parameters`). The
    result depends on neither the tile size nor the number of threads: Gaussian, median and total
    variation (which runs a fixed number of iterations) are local and work on tiles with a halo;
    non-local means and wavelet work on fixed blocks that are blended (`blocks.blend_blocks`), and
    networks on fixed blocks with a halo (`learned.denoise_blocks`).

    Parameters
    ----------
    image : TiledImage
    panorama : str
        Name of the image in the OME metadata.
    method : str
        One of `METHODS`, or by a network.
    path : path of the OME-TIFF to write
    noise : NoiseRecord, optional
        Of the panorama; measured on all of it if not given.
    strength : float or "calibrated", optional
        Multiplies the measured noise before the parameter is taken from it. Calibrated it is
        chosen on the panorama (`strength.calibrated_strength`).
    network : learned.Denoiser, optional
        Of a method that learned.
    tile_px : int, optional
        Edge of a tile of the local methods.
    threads : int, optional
        Tiles or blocks worked on at the same time.

    Returns
    -------
    DenoisingRecord

    Raises
    ------
    ValueError
        If the method is unknown or the strength is not positive.
    """
    chosen = _chosen(image, noise, method=method, strength=strength, card=network and network.card)
    strips = _denoised(
        image, chosen, method=method, network=network, tile_px=tile_px, threads=threads
    )
    return _written(image, strips, chosen, method=method, panorama=panorama, path=path)


def denoise_strip(
    image: TiledImage,
    *,
    method: str,
    path: str | Path,
    strip: tuple[int, int],
    noise: NoiseRecord | None = None,
    strength: float | str = 1.0,
    network: Network | None = None,
    tile_px: int = DEFAULT_TILE_PX,
    threads: int = 1,
) -> None:
    """Denoise a strip of a panorama and write its rows as an image of their own.

    Joined by `join_denoised`, the strips are what `denoise_panorama` writes.

    Parameters
    ----------
    image : TiledImage
        The whole panorama, whose noise the parameters are taken from.
    method, noise, strength, network, tile_px, threads
        See `denoise_panorama`.
    path : path of the OME-TIFF to write, without a pyramid
    strip : (int, int)
        Number of the strip, from 0, and how many there are. The strips of a small panorama may be
        empty: then the file is.
    """
    chosen = _chosen(image, noise, method=method, strength=strength, card=network and network.card)
    options = {"method": method, "tile_px": tile_px, "strip": strip}
    rows = _rows(image, chosen, **options)
    with written_whole(path) as (part,):
        if not rows:
            part.touch()
            return
        write_tiled(
            part,
            _denoised(image, chosen, **options, network=network, threads=threads),
            shape=(rows, image.shape[1]),
            pixel_size_nm=image.pixel_size_nm,
            name=f"strip {strip[0]} of {strip[1]}",
            pyramid=False,
        )


def join_denoised(
    image: TiledImage,
    parts: Sequence[str | Path],
    *,
    panorama: str,
    method: str,
    path: str | Path,
    noise: NoiseRecord | None = None,
    strength: float | str = 1.0,
    card: ImageModelCard | None = None,
) -> DenoisingRecord:
    """Write the denoised panorama from its strips; see `denoise_strip` and `denoise_panorama`.

    Strips that a network made need its `card`.
    """
    chosen = _chosen(image, noise, method=method, strength=strength, card=card)
    return _written(image, _rows_of(parts), chosen, method=method, panorama=panorama, path=path)


def _rows_of(parts):
    for part in parts:
        if Path(part).stat().st_size:
            with TiledImage(part) as strip:
                yield from map_tiles(_unchanged, strip, halo_px=0)


def _chosen(image, noise, *, method, strength, card):
    """Return the settings of a method for a panorama, and what they follow from."""
    noise = noise or measure_noise(image, panorama="")
    if card:
        return _of_network(noise, strength=strength, card=card)
    # Where it could not be measured, nothing is denoised.
    fine = noise.fine_grey or 0.0

    def at(pixels, strength):
        return _function(method)(pixels, **parameters(method, noise=strength * fine))

    if strength != CALIBRATED:
        if not strength > 0:
            raise ValueError(f"strength {strength} is not above 0")
        chosen = Strength(value=strength, chosen_by="study")
    elif noise.fine_grey is None:
        chosen = Strength(value=1.0, chosen_by="noise", reason=UNMEASURED)
    else:
        chosen = calibrated_strength(image, noise, denoise=at)
    return {
        "strength": chosen,
        "noise_grey_levels": noise.fine_grey,
        "parameters": parameters(method, noise=chosen.value * fine),
    }


def _of_network(noise, *, strength, card):
    return {
        "strength": Strength(value=strength, chosen_by="study"),
        "noise_grey_levels": noise.fine_grey,
        "parameters": {"noise_grey": strength * (noise_level(noise) or 0.0)},
        "network_sha256": card.data_sha256,
        "doubts": tuple(doubts(card, noise)),
    }


def _function(method):
    return _LOCAL[method][0] if method in _LOCAL else _ON_BLOCKS[method]


def _denoised(
    image, chosen, *, method, network=None, tile_px=DEFAULT_TILE_PX, threads, strip=WHOLE
):
    options = {"threads": threads, "strip": strip}
    if chosen["noise_grey_levels"] is None:
        return map_tiles(_unchanged, image, halo_px=0, tile_px=tile_px, **options)
    if network:
        return network.strips(image, noise=chosen["parameters"]["noise_grey"], **options)
    if method in _LOCAL:
        function, halo_px = _LOCAL[method]
        return map_tiles(
            functools.partial(function, **chosen["parameters"]),
            image,
            halo_px=halo_px(**chosen["parameters"]),
            tile_px=tile_px,
            **options,
        )
    function = functools.partial(_ON_BLOCKS[method], **chosen["parameters"])
    return blend_blocks(function, image, **options)


def _rows(image, chosen, *, method, tile_px, strip):
    """Return how many rows a job works on."""
    height = image.shape[0]
    if method not in _LOCAL and chosen["noise_grey_levels"] is not None:
        overlap = {} if method in _ON_BLOCKS else {"overlap_px": 0}
        return sum(block_rows(height, strip=strip, **overlap))
    tops = range(0, height, tile_px)
    return sum(min(tile_px, height - top) for top in tops[strip_slice(len(tops), strip=strip)])


def _written(image, strips, chosen, *, method, panorama, path):
    with written_whole(path) as (part,):
        write_tiled(
            part, strips, shape=image.shape, pixel_size_nm=image.pixel_size_nm, name=panorama
        )
    with TiledImage(path) as denoised:
        noise_after = fine_noise(denoised)
    return DenoisingRecord(
        panorama=panorama,
        method=method,
        noise_after_grey_levels=noise_after,
        versions=package_versions(*(IMAGE_PACKAGES if method in METHODS else NETWORK_PACKAGES)),
        **chosen,
    )


def parameters(method: str, *, noise: float) -> dict[str, float]:
    """Return the parameters of a method for a noise in grey levels.

    The rules:

    gaussian
        `width_px`, the standard deviation of the filter: 0.12 noise^(2/3). A filter of width w
        leaves a noise variance that falls as 1 / w^2, and blurs edges to a squared error that
        grows as w; their sum is least at a width that grows as noise^(2/3).
    median
        `size_px`, the edge of the window: 0.4 noise^(2/3), by the same argument, rounded to an
        odd number from 3 to 9.
    non_local_means
        `filter_grey`, the decay of the weights: 0.8 noise. Expected noise is subtracted from the
        distances between patches of 5 x 5 pixels, searched up to 5 pixels away [1]_, [2]_.
    total_variation
        `weight_grey`, the weight of the total variation: 0.6 noise [3]_, 30 iterations.
    wavelet
        `noise_grey`, from which BayesShrink takes a threshold for each level and direction [4]_.

    References
    ----------
    .. [1] A. Buades, B. Coll, J.-M. Morel, A non-local algorithm for image denoising, CVPR (2005),
       doi:10.1109/CVPR.2005.38
    .. [2] J. Darbon et al., Fast nonlocal filtering applied to electron cryomicroscopy, ISBI
       (2008), doi:10.1109/ISBI.2008.4541250
    .. [3] A. Chambolle, An algorithm for total variation minimization and applications, Journal of
       Mathematical Imaging and Vision 20 (2004) 89, doi:10.1023/B:JMIV.0000011325.36760.1e
    .. [4] S. G. Chang, B. Yu, M. Vetterli, Adaptive wavelet thresholding for image denoising and
       compression, IEEE Transactions on Image Processing 9 (2000) 1532, doi:10.1109/83.862633
    """
    if method == "gaussian":
        return {"width_px": _GAUSSIAN_FACTOR * noise ** (2 / 3)}
    if method == "median":
        half = round((_MEDIAN_FACTOR * noise ** (2 / 3) - 1) / 2)
        return {"size_px": min(max(2 * half + 1, 3), _WIDEST_MEDIAN_PX)}
    if method == "non_local_means":
        return {"filter_grey": _FILTER_FACTOR * noise, "noise_grey": noise}
    if method == "total_variation":
        return {"weight_grey": _VARIATION_FACTOR * noise}
    if method == "wavelet":
        return {"noise_grey": noise}
    raise ValueError(f"unknown method {method!r}, one of {', '.join(METHODS)}")


def _unchanged(pixels):
    return pixels


def _gaussian(pixels, *, width_px):
    return to_grey(ndimage.gaussian_filter(pixels.astype(np.float32), width_px, truncate=_TRUNCATE))


def _median(pixels, *, size_px):
    return ndimage.median_filter(pixels, size=size_px)


def _total_variation(pixels, *, weight_grey):
    # Without a criterion for stopping, every pixel depends on as many neighbours as iterations.
    return to_grey(
        denoise_tv_chambolle(
            pixels.astype(np.float32), weight=weight_grey, eps=0, max_num_iter=_TV_ITERATIONS
        )
    )


def _non_local_means(pixels, *, filter_grey, noise_grey):
    return denoise_nl_means(
        pixels.astype(np.float32),
        patch_size=_PATCH_PX,
        patch_distance=_PATCH_DISTANCE_PX,
        h=filter_grey,
        sigma=noise_grey,
        fast_mode=True,
        preserve_range=True,
    )


def _wavelet(pixels, *, noise_grey):
    # The levels are fixed: chosen by the size of a block, they would differ at the lower right.
    # Only a whole panorama smaller than 56 pixels has fewer.
    levels = min(_WAVELET_LEVELS, pywt.dwtn_max_level(pixels.shape, _WAVELET))
    return (
        denoise_wavelet(
            pixels.astype(np.float32) / 255,
            sigma=noise_grey / 255,
            wavelet=_WAVELET,
            wavelet_levels=levels,
            method="BayesShrink",
            mode="soft",
        )
        * 255
    )


#: Function and reach in pixels of the methods whose result at a pixel depends on its surroundings.
_LOCAL = {
    "gaussian": (_gaussian, lambda width_px: math.ceil(_TRUNCATE * width_px + 0.5)),
    "median": (_median, lambda size_px: size_px // 2),
    "total_variation": (_total_variation, lambda weight_grey: _TV_ITERATIONS + 2),
}
_ON_BLOCKS = {"non_local_means": _non_local_means, "wavelet": _wavelet}
