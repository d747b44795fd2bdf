"""Simulated steel seen once more: by a slow scan, or without any noise."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from damascene.files import written_whole
from damascene.images.store import Window, write_tiled
from damascene.images.tiles import tile_windows
from damascene.simulation import acquisition
from damascene.simulation.panorama import DEFAULT_TILE_PX, Specimen, draw_scene, make_specimen

#: Time of the beam on a pixel of the slow scan.
SLOW_DWELL_NS = 10_000.0


def simulate_second_scan(
    *,
    path: str | Path,
    panorama: str,
    shape: tuple[int, int],
    pixel_size_nm: float,
    strain_percent: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Scan the steel of a simulated panorama once more, slowly and with other noise.

    Parameters
    ----------
    path : path of the tiled OME-TIFF to write
    panorama, shape, pixel_size_nm, strain_percent, seed, threads
        See `simulation.simulate_panorama`.
    """
    specimen = make_specimen(
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        strain_percent=strain_percent,
        seed=seed,
        threads=threads,
    )
    with written_whole(path) as (part,):
        write_tiled(
            part,
            _strips(specimen, threads=threads),
            shape=shape,
            pixel_size_nm=pixel_size_nm,
            name=f"{panorama} slow scan",
        )


def _strips(specimen, *, threads) -> Iterator[np.ndarray]:
    def draw(window):
        return acquisition.record(
            draw_scene(specimen, window)[0],
            dwell_time_ns=SLOW_DWELL_NS,
            scan="slow ",
            **_places(specimen, window),
        )

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for windows in tile_windows(specimen.shape, tile_px=DEFAULT_TILE_PX):
            yield np.concatenate(list(pool.map(draw, windows)), axis=1)


def without_noise(specimen: Specimen, window: Window) -> np.ndarray:
    """Return a window of a simulated panorama as it would be without noise, float32."""
    return acquisition.shaded(draw_scene(specimen, window)[0], **_places(specimen, window))


def _places(specimen, window):
    return {
        "rows": np.arange(window.top, window.bottom),
        "columns": np.arange(window.left, window.right),
        "pixel_size_nm": specimen.pixel_size_nm,
        "seed": specimen.seed,
    }
