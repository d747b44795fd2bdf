"""Panoramas for tests: arrays written as an image and the mask of what is valid of it."""

from pathlib import Path

import numpy as np

from damascene.images.store import write_tiled
from damascene.images.valid_area import VALID


def write_pair(
    folder: Path,
    image: np.ndarray,
    valid: np.ndarray | None = None,
    *,
    pixel_size_nm: float = 40,
    pyramid: bool = False,
) -> tuple[Path, Path]:
    """Write an image and its mask, codes or bool, all valid without; return their paths."""
    valid = np.ones(image.shape, bool) if valid is None else valid
    mask = valid * np.uint8(VALID) if valid.dtype == bool else valid
    folder.mkdir(exist_ok=True)
    paths = folder / "image.ome.tif", folder / "valid.ome.tif"
    for path, pixels, smaller in zip(paths, (image, mask), (pyramid, False), strict=True):
        name = path.name.removesuffix(".ome.tif")
        options = {"shape": pixels.shape, "pixel_size_nm": pixel_size_nm, "name": name}
        write_tiled(path, [pixels], pyramid=smaller, **options)
    return paths
