"""The strength of a denoiser, chosen on the noisy image itself."""

from collections.abc import Callable

import numpy as np
from skimage.restoration import calibrate_denoiser

from damascene.contracts.denoising_record import Strength
from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.restoration.noise import spread_windows

#: Factors on the measured noise that are tried.
TRIED = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
_WINDOW_PX = 128
_MOST_WINDOWS = 12
_LEAST_USABLE = 0.95


def calibrated_strength(
    image: TiledImage,
    noise: NoiseRecord,
    *,
    denoise: Callable[[np.ndarray, float], np.ndarray],
) -> Strength:
    """Choose the strength of a denoiser by how well it foretells pixels that it does not see.

    In up to 12 windows of 128 x 128 pixels, spread over the panorama, every sixteenth pixel is
    replaced by the mean of its four neighbours, and the denoised image is compared with what was
    recorded there. If the noise of a pixel says nothing of that of its neighbours, the strength of
    least error is that of least error against the unknown clean image [1]_. Otherwise the noise is
    foretold as well, and the least smoothing would win: then, and where correlation could not be
    measured, the strength that fits the measured noise is returned.

    Parameters
    ----------
    image : TiledImage
    noise : NoiseRecord
        Of the image.
    denoise : callable
        Takes float (rows, columns) and a strength, returns the same shape.

    Returns
    -------
    Strength
        It depends on the panorama alone, and not on the part of it that a job denoises.

    References
    ----------
    .. [1] J. Batson, L. Royer, Noise2Self: blind denoising by self-supervision, ICML (2019),
       arXiv:1901.11365
    """
    if noise.is_correlated is None:
        return Strength(value=1.0, chosen_by="noise", reason="no area is flat enough to tell")
    if noise.is_correlated:
        reason = f"the noise is correlated: {noise.largest_correlation:.2f} with a neighbour"
        return Strength(value=1.0, chosen_by="noise", reason=reason)
    windows = _windows(image)
    if not windows:
        return Strength(value=1.0, chosen_by="noise", reason="no window has enough pixels")
    losses = np.sum([_losses(pixels, denoise) for pixels in windows], axis=0) / len(windows)
    # Strengths that give a filter of one size are equal; then the usual one is the choice.
    least = [strength for strength, loss in zip(TRIED, losses, strict=True) if loss == losses.min()]
    return Strength(
        value=min(least, key=lambda strength: abs(np.log(strength))),
        chosen_by="calibration",
        reason=f"least error at hidden pixels of {len(windows)} windows",
        tried=TRIED,
        errors_grey=tuple(round(float(np.sqrt(loss)), 4) for loss in losses),
    )


def _windows(image):
    """Return the middles of usable windows, evenly chosen."""
    found = []
    for pixels, usable in spread_windows(image):
        top, left = (max(length - _WINDOW_PX, 0) // 2 for length in pixels.shape)
        place = np.s_[top : top + _WINDOW_PX, left : left + _WINDOW_PX]
        if usable[place].mean() >= _LEAST_USABLE and min(pixels[place].shape) >= _WINDOW_PX // 2:
            found.append(pixels[place].astype(np.float32))
    chosen = np.linspace(0, len(found) - 1, min(len(found), _MOST_WINDOWS)).round().astype(int)
    return [found[index] for index in chosen]


def _losses(pixels, denoise):
    _, (_, losses) = calibrate_denoiser(pixels, denoise, {"strength": TRIED}, extra_output=True)
    return losses
