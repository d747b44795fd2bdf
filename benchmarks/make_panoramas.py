"""Make panoramas of 25, 100, 400 and 1000 megapixels for the benchmarks.

Usage: python benchmarks/make_panoramas.py --output FOLDER [--megapixels 25 100 400 1000]

Two kinds, `simulated_*` and `synthetic_*`. Simulated steel is what the tool is for: the largest
panorama is rendered (about a quarter of an hour a gigapixel on two cores) and the smaller ones are
its upper left corner. Synthetic panoramas are dark discs on noise at a fixed density; they are made
in minutes, and their number of sites grows exactly with the area. Panoramas that exist are kept.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.contracts.table import write_table
from damascene.contracts.truth import TRUTH
from damascene.files import written_whole
from damascene.images.store import TiledImage, Window, write_all_valid, write_tiled
from damascene.simulation import simulate_panorama

MEGAPIXELS = (25, 100, 400, 1000)
PIXEL_SIZE_NM = 40.0
SEED = 20190514
STRIP_ROWS = 512
# Densities as in simulated steel at 12 % strain.
SYNTHETIC_SITES_PER_MEGAPIXEL = 11
SYNTHETIC_SPECKS_PER_MEGAPIXEL = 60
_GREY, _NOISE, _LARGEST_RADIUS_PX = 90, 8, 60


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for the panoramas")
    parser.add_argument("--megapixels", type=int, nargs="+", default=MEGAPIXELS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    sizes = sorted(options.megapixels, reverse=True)
    for megapixels in sizes:
        make_synthetic(options.output, megapixels)
    for megapixels in sizes:
        make_simulated(options.output, megapixels, largest=sizes[0], threads=options.threads)


def image_path(folder: Path, kind: str, megapixels: int) -> Path:
    """Return the path of a panorama; its mask ends in `.valid.ome.tif`."""
    return folder / f"{kind}_{megapixels}.ome.tif"


def side_px(megapixels: int) -> int:
    """Return the edge of a square panorama of this size."""
    return round((megapixels * 1e6) ** 0.5)


def make_simulated(folder: Path, megapixels: int, *, largest: int, threads: int) -> None:
    """Render simulated steel, or cut it from the largest panorama."""
    path, side = image_path(folder, "simulated", megapixels), side_px(megapixels)
    with _timed(path) as missing:
        if not missing:
            return
        if megapixels == largest:
            with written_whole(path, path.with_suffix(".phases")) as (part, phases):
                truth, _ = simulate_panorama(
                    panorama=path.stem,
                    shape=(side, side),
                    pixel_size_nm=PIXEL_SIZE_NM,
                    strain_percent=12,
                    seed=SEED,
                    dwell_time_ns=3000,
                    image_path=part,
                    phases_path=phases,
                    threads=threads,
                )
            write_table(truth, folder / f"simulated_{megapixels}.truth.parquet", TRUTH)
        else:
            with TiledImage(image_path(folder, "simulated", largest)) as image:
                _write(path, _strips_of(image, side), side)
        _write_mask(path, side)


def make_synthetic(folder: Path, megapixels: int) -> None:
    """Draw dark discs and specks on noise."""
    path, side = image_path(folder, "synthetic", megapixels), side_px(megapixels)
    with _timed(path) as missing:
        if missing:
            _write(path, _synthetic_strips(side, megapixels), side)
            _write_mask(path, side)


@contextlib.contextmanager
def _timed(path) -> Iterator[bool]:
    """Hand out whether a panorama is missing, and say how long it took to make."""
    start = time.perf_counter()
    missing = not path.exists()
    yield missing
    if missing:
        print(f"{path.name}: {time.perf_counter() - start:.0f} s", flush=True)


def _strips_of(image, side) -> Iterator[np.ndarray]:
    for top in range(0, side, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, side)
        yield image.read(Window(top=top, left=0, bottom=bottom, right=side))


def _synthetic_strips(side, megapixels) -> Iterator[np.ndarray]:
    random = np.random.default_rng(SEED + megapixels)
    sites = SYNTHETIC_SITES_PER_MEGAPIXEL * megapixels
    specks = SYNTHETIC_SPECKS_PER_MEGAPIXEL * megapixels
    radius = np.concatenate(
        [np.clip(random.lognormal(1.9, 0.5, sites), 2.6, _LARGEST_RADIUS_PX), np.ones(specks)]
    )
    x, y = random.uniform(0, side, (2, sites + specks))
    order = np.argsort(y)
    radius, x, y = radius[order], x[order], y[order]
    for top in range(0, side, STRIP_ROWS):
        rows = min(STRIP_ROWS, side - top)
        noise = random.standard_normal((rows, side), dtype=np.float32)
        strip = np.clip(noise * _NOISE + _GREY, 45, 255).astype(np.uint8)
        first, last = np.searchsorted(
            y, [top - _LARGEST_RADIUS_PX, top + rows + _LARGEST_RADIUS_PX]
        )
        for cx, cy, r in zip(x[first:last], y[first:last] - top, radius[first:last], strict=True):
            up, left = max(int(cy - r), 0), max(int(cx - r), 0)
            block = strip[up : max(int(cy + r) + 2, 0), left : int(cx + r) + 2]
            row, column = np.ogrid[up : up + block.shape[0], left : left + block.shape[1]]
            block[(row - cy) ** 2 + (column - cx) ** 2 <= r * r] = 5
        yield strip


def _write(path, strips, side):
    with written_whole(path) as (part,):
        write_tiled(part, strips, shape=(side, side), pixel_size_nm=PIXEL_SIZE_NM, name=path.name)


def _write_mask(path, side):
    mask = path.with_name(path.name.replace(".ome.tif", ".valid.ome.tif"))
    write_all_valid(mask, shape=(side, side), pixel_size_nm=PIXEL_SIZE_NM, name=mask.name)


if __name__ == "__main__":
    main()
