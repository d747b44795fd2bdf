"""Denoising of panoramas before detection, driven by the noise that is measured on them."""

from damascene.restoration.methods import (
    METHODS,
    denoise_panorama,
    denoise_strip,
    join_denoised,
    parameters,
)
from damascene.restoration.noise import fine_noise, measure_noise

__all__ = [
    "METHODS",
    "denoise_panorama",
    "denoise_strip",
    "fine_noise",
    "join_denoised",
    "measure_noise",
    "parameters",
]
