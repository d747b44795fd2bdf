"""Images that tests simulate or import."""

from pathlib import Path

import numpy as np
import pandas as pd

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.images.importing import import_panorama
from damascene.images.store import TiledImage
from damascene.simulation import simulate_panorama


def simulated(
    folder: Path, *, panorama: str = "scene", **options
) -> tuple[pd.DataFrame, np.ndarray]:
    """Simulate a panorama at 12 % strain; return its true sites and its grey values."""
    image_path = folder / f"{panorama}.ome.tif"
    truth, _ = simulate_panorama(
        panorama=panorama,
        strain_percent=12,
        image_path=image_path,
        phases_path=folder / f"{panorama}.phases.ome.tif",
        **options,
    )
    with TiledImage(image_path) as image:
        return truth, image.read()


def imported(
    source: Path,
    folder: Path,
    *,
    pixel_size_nm: float | None = 40.0,
    tile_folder: Path | None = None,
    **options,
) -> tuple[np.ndarray, np.ndarray, PanoramaRecord]:
    """Import an image as panorama P1; return its grey values, its valid area and its record."""
    image_path, valid_path = folder / "P1.ome.tif", folder / "P1.valid.ome.tif"
    record = import_panorama(
        panorama="P1",
        source=source,
        tile_folder=tile_folder,
        pixel_size_nm=pixel_size_nm,
        image_path=image_path,
        valid_path=valid_path,
        **options,
    )
    with TiledImage(image_path) as image, TiledImage(valid_path) as valid:
        return image.read(), valid.read(), record
