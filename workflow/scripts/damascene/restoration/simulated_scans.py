"""Simulated steel with noise of any level, from which a network learns to denoise other scans."""

import functools
from collections.abc import Callable

import numpy as np
from scipy import ndimage, signal

from damascene.images.store import Window
from damascene.learning.patches import Scene
from damascene.restoration.cells import LAYOUTS
from damascene.restoration.denoiser_training import prepared
from damascene.restoration.learned_noise import (
    SIMULATED_MOST_CORRELATION,
    SIMULATED_NOISE_GREY,
)
from damascene.simulation.acquisition import gamma_like, shaded
from damascene.simulation.panorama import draw_scene, make_specimen

#: Finest and coarsest pixels of the simulated scans.
PIXEL_NM = (20.0, 80.0)
_STRAIN_PERCENT = (2.0, 40.0)
# Offset of the lines as a part of the noise; change of the noise from black to white.
_LINES = 0.15
_GREY_DEPENDENCE = 0.3
# Changes of the steel, so that real images are among what was learned from: logarithm of the
# contrast and of the exponent of the greys, offset in grey levels, blur in pixels.
_GAIN, _GAMMA, _OFFSET, _BLUR_PX = 0.35, 0.35, 15.0, 1.5
_SCENE_PX = 768
# What a pixel may be off in a good answer, in grey levels and as a part of the noise: errors count
# against it. Without the first, scans of little noise, in which little can be gained, count most.
_TOLERANCE_GREY, _TOLERANCE = 3.0, 0.3


def draw_scenes(count: int, *, seed: int, threads: int = 1) -> list[Scene]:
    """Draw windows of simulated steel without noise, each of another specimen.

    Parameters
    ----------
    count : int
    seed : int
    threads : int, optional

    Returns
    -------
    list of Scene
        Greys as float32; image and target are the same.
    """
    rng = np.random.default_rng(seed)
    window = Window(top=0, left=0, bottom=_SCENE_PX, right=_SCENE_PX)
    places = np.arange(_SCENE_PX)
    scenes = []
    for _ in range(count):
        pixel_nm = float(np.exp(rng.uniform(*np.log(PIXEL_NM))))
        own_seed = int(rng.integers(2**31))
        specimen = make_specimen(
            shape=window.shape,
            pixel_size_nm=pixel_nm,
            strain_percent=rng.uniform(*_STRAIN_PERCENT),
            seed=own_seed,
            threads=threads,
        )
        steel = shaded(
            draw_scene(specimen, window)[0],
            rows=places,
            columns=places,
            pixel_size_nm=pixel_nm,
            seed=own_seed,
        )
        scenes.append(Scene(image=steel, target=steel, labels=False))
    return scenes


def noisy_patches() -> Callable:
    """Return a function that prepares patches of `draw_scenes`, for `patches.Patches`."""
    return functools.partial(_noisy, layout=LAYOUTS["whole"])


def _noisy(grey, target, counts, rng, *, layout):
    # Patches of the validation are always the same.
    rng = rng or np.random.default_rng(int(1e3 * float(grey.mean())))
    steel = _changed(target, rng)
    noise = float(np.exp(rng.uniform(*np.log(SIMULATED_NOISE_GREY))))
    recorded = np.rint(steel + _noise(steel, rng, noise=noise)).clip(0, 255)
    return prepared(
        recorded,
        steel,
        counts,
        rng,
        layout=layout,
        noise=float(np.hypot(_TOLERANCE_GREY, _TOLERANCE * noise)),
        seen_noise=noise,
        told=noise,
    )


def _changed(steel, rng):
    """Change contrast, brightness and sharpness."""
    steel = ndimage.gaussian_filter(steel, _BLUR_PX * rng.random() ** 2)
    gain, gamma = np.exp(rng.uniform(-1, 1, 2) * (_GAIN, _GAMMA))
    steel = 255 * gain * (steel.clip(0, 255) / 255) ** gamma + _OFFSET * rng.uniform(-1, 1)
    return steel.clip(0, 255)


def _noise(steel, rng, *, noise):
    values = rng.standard_normal(steel.shape)
    # Half of the detectors are slower than the scan.
    correlation = SIMULATED_MOST_CORRELATION * max(rng.uniform(-1, 1), 0)
    # The first values of a line have no neighbour before them; the mirrored line stands for it.
    ahead = np.concatenate([values[:, 8:0:-1], values], axis=1)
    values = signal.lfilter([np.sqrt(1 - correlation**2)], [1, -correlation], ahead)[:, 8:]
    if rng.random() < 0.5:
        values = gamma_like(values)
    values *= 1 + rng.uniform(-1, 1) * _GREY_DEPENDENCE * (steel / 127.5 - 1)
    lines = rng.standard_normal((len(steel), 1))
    return noise * (values + _LINES * rng.random() * lines)
