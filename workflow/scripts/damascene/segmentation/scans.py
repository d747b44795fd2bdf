"""Changes of training patches that a microscope makes, for networks that learn from clean steel."""

import numpy as np
from scipy import ndimage

from damascene.learning.patch_augmentation import PatchChanges

#: Changes that come before those of this module.
SCAN_CHANGES = PatchChanges(
    quarter_turns=True, zoom=0.22, gain=0.4, gamma=0.45, offset=15, blur=1.4
)
#: Least and largest standard deviation of the noise in grey levels: slow and fast scans.
NOISE_GREYS = (1.0, 30.0)
_FAST_GREYS = 6.0
_MISSING = 0.08
_CHARGED = 0.5


def scanned(
    grey: np.ndarray, damage: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a patch as some microscope would give it: charged, incomplete, noisy.

    Parameters
    ----------
    grey : numpy.ndarray, float32, shape (rows, columns), in [0, 255]
    damage : numpy.ndarray of bool, same shape
        Cavities, whose rims charge.
    rng : numpy.random.Generator

    Returns
    -------
    grey : numpy.ndarray, float32, in [0, 255], whole numbers
    covered : numpy.ndarray of bool
        Where the image was not cut off.
    """
    if damage.any() and rng.random() < _CHARGED:
        grey = grey + _rim(damage, rng)
    covered = np.ones(grey.shape, bool)
    if rng.random() < _MISSING:
        side, part = rng.integers(4), rng.uniform(0.1, 0.5)
        # A view: the rows of the turned patch are those of one of its sides.
        np.rot90(covered, side)[: int(part * len(covered))] = False
    grey = np.clip(grey, 0, 255) + _noise(grey, rng)
    return np.where(covered, np.clip(np.rint(grey), 0, 255), 0).astype(np.float32), covered


def _rim(damage, rng):
    """Return the light of charged edges of cavities, here more and there less."""
    reach = np.exp(rng.uniform(np.log(1.0), np.log(6.0)))
    light = ndimage.gaussian_filter(damage.astype(np.float32), reach, truncate=3)
    uneven = ndimage.gaussian_filter(rng.standard_normal(damage.shape, dtype=np.float32), 12)
    strength = 0.6 + 0.6 * uneven / max(float(uneven.std()), 1e-6)
    rim = np.minimum(2 * light, 1) * rng.uniform(10, 130) * np.clip(strength, 0, 1.6)
    return np.where(damage, 0, rim)


def _noise(grey, rng):
    """Return noise of a kind and a strength that are drawn, along the lines often correlated."""
    low, high = NOISE_GREYS
    slow = rng.random() < 0.5
    sigma = rng.uniform(low, _FAST_GREYS) if slow else rng.uniform(_FAST_GREYS, high)
    noise = rng.standard_normal(grey.shape, dtype=np.float32)
    if rng.random() < 0.25:
        shape = rng.uniform(4, 12)
        noise = ((rng.gamma(shape, size=grey.shape) - shape) / np.sqrt(shape)).astype(np.float32)
    if rng.random() < 0.2:
        noise = ndimage.gaussian_filter1d(noise, rng.uniform(0.4, 0.9), axis=1)
        noise /= noise.std()
    if rng.random() < 0.3:
        noise *= np.sqrt(np.clip(grey, 5, 255) / 100)
    if rng.random() < 0.3:
        noise = noise + rng.uniform(0, 0.35) * rng.standard_normal((len(grey), 1))
    return sigma * noise
