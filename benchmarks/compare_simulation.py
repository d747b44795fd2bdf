"""Compare a simulated panorama with real SEM tiles: grey values, power spectra and noise.

Usage: python benchmarks/compare_simulation.py --tiles FOLDER --output FOLDER

Writes `simulation_against_tiles.tsv` and a figure of the same name. The pixel size of the tiles is
assumed where they carry none; the simulation gets the same.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance
from skimage import io
from skimage.restoration import estimate_sigma

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.images.store import TiledImage, Window
from damascene.simulation import simulate_panorama

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}
# Structures larger than a quarter of a tile cannot be measured in it.
_LOWEST_BIN = 4


def main() -> None:
    """Run the comparison."""
    options = _parse()
    real = _real_tiles(options.tiles, size_px=options.tile_px)
    simulated = _simulated_tiles(options, count=options.simulated_tiles)
    table = compare(real, simulated, pixel_size_nm=options.pixel_size_nm)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "simulation_against_tiles.tsv"
    table.to_csv(path, sep="\t", index=False, float_format="%.9g")
    print(table.to_string(index=False))
    _draw(real, simulated, pixel_size_nm=options.pixel_size_nm, path=path.with_suffix(".png"))


def _parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=Path, required=True, help="folder of real grey tiles")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument("--pixel-size-nm", type=float, default=50.0, help="assumed for the tiles")
    parser.add_argument("--tile-px", type=int, default=1600, help="edge cut from each tile")
    parser.add_argument("--simulated-tiles", type=int, default=4)
    parser.add_argument("--strain-percent", type=float, default=6.0)
    parser.add_argument("--dwell-time-ns", type=float, default=10_000.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _real_tiles(folder, *, size_px):
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    tiles = [io.imread(path) for path in paths]
    tiles = [
        tile[:size_px, :size_px] for tile in tiles if tile.ndim == 2 and min(tile.shape) >= size_px
    ]
    if not tiles:
        raise SystemExit(f"{folder} holds no grey tile of at least {size_px} x {size_px} pixels.")
    return tiles


def _simulated_tiles(options, *, count):
    size = options.tile_px
    with tempfile.TemporaryDirectory() as folder:
        image_path = Path(folder) / "simulated.ome.tif"
        simulate_panorama(
            panorama="simulated",
            shape=(size, size * count),
            pixel_size_nm=options.pixel_size_nm,
            strain_percent=options.strain_percent,
            seed=options.seed,
            dwell_time_ns=options.dwell_time_ns,
            image_path=image_path,
            phases_path=Path(folder) / "phases.ome.tif",
        )
        with TiledImage(image_path) as image:
            return [
                image.read(Window(top=0, left=size * k, bottom=size, right=size * (k + 1)))
                for k in range(count)
            ]


def histogram(tiles: list[np.ndarray]) -> np.ndarray:
    """Return the shares of the 256 grey values in 8-bit tiles."""
    counts = sum(np.bincount(tile.ravel(), minlength=256) for tile in tiles)
    return counts / counts.sum()


def spectra(tiles: list[np.ndarray], *, pixel_size_nm: float) -> dict[str, np.ndarray]:
    """Return the mean power spectral density of square tiles, over circles and along the axes.

    Parameters
    ----------
    tiles : list of numpy.ndarray, uint8, shape (n, n)
    pixel_size_nm : float

    Returns
    -------
    dict
        `frequency` in cycles per micrometre (from the fourth bin to Nyquist) and the densities
        `radial`, `x` (frequencies along the columns axis; power summed over y) and `y`, in dB.
    """
    size = len(tiles[0])
    taper = np.hanning(size)
    power = np.mean([_power(tile, taper) for tile in tiles], axis=0)
    index = np.abs(np.fft.fftfreq(size, 1 / size)).astype(int)
    radius = np.rint(np.hypot(index[:, None], index[None, :])).astype(int).ravel()
    radial = np.bincount(radius, power.ravel()) / np.bincount(radius)
    bins = slice(_LOWEST_BIN, size // 2)
    along_x = np.bincount(index, power.mean(axis=0)) / np.bincount(index)
    along_y = np.bincount(index, power.mean(axis=1)) / np.bincount(index)
    return {
        "frequency": np.arange(size)[bins] / (size * pixel_size_nm / 1000),
        "radial": 10 * np.log10(radial[bins]),
        "x": 10 * np.log10(along_x[bins]),
        "y": 10 * np.log10(along_y[bins]),
    }


def _power(tile, taper):
    values = tile.astype(float) - tile.mean()
    window = taper[:, None] * taper[None, :]
    return np.abs(np.fft.fft2(values * window)) ** 2 / (window**2).sum()


def compare(
    real: list[np.ndarray], simulated: list[np.ndarray], *, pixel_size_nm: float
) -> pd.DataFrame:
    """Return a table of quantities: for real tiles, their spread, simulated, and the difference.

    For the grey histogram and the spectra there is one difference and no value of each side; the
    column `spread_real` then holds the same difference between one half of the real tiles and the
    other (every second tile), the best that can be asked for.
    """
    rows = [
        _values("median_grey", np.median, real, simulated),
        _values("mean_grey", np.mean, real, simulated),
        _values("standard_deviation_grey", np.std, real, simulated),
        _values(
            "noise_sigma_grey", lambda tile: estimate_sigma(tile.astype(float)), real, simulated
        ),
        _values("share_below_20", lambda tile: np.mean(tile < 20), real, simulated),
        _values("share_above_125", lambda tile: np.mean(tile > 125), real, simulated),
    ]
    halves = real[::2], real[1::2]
    for name, distance in _distances(pixel_size_nm).items():
        rows.append(
            {
                "quantity": name,
                "spread_real": distance(*halves) if halves[1] else np.nan,
                "difference": distance(real, simulated),
            }
        )
    columns = ["quantity", "real", "spread_real", "simulated", "difference"]
    return pd.DataFrame(rows)[columns]


def _values(name, measure, real, simulated):
    of_real = [measure(tile) for tile in real]
    of_simulated = np.mean([measure(tile) for tile in simulated])
    return {
        "quantity": name,
        "real": np.mean(of_real),
        "spread_real": np.std(of_real),
        "simulated": of_simulated,
        "difference": of_simulated - np.mean(of_real),
    }


def _distances(pixel_size_nm):
    greys = np.arange(256)

    def wasserstein(one, other):
        return wasserstein_distance(greys, greys, histogram(one), histogram(other))

    def overlap(one, other):
        return np.minimum(histogram(one), histogram(other)).sum()

    def spectral(axis):
        def difference(one, other):
            first, second = (spectra(tiles, pixel_size_nm=pixel_size_nm) for tiles in (one, other))
            # Every octave counts the same; by plain bins the highest octave would be half of all.
            weight = 1 / first["frequency"]
            return np.average(np.abs(first[axis] - second[axis]), weights=weight)

        return difference

    return {
        "histogram_wasserstein_grey": wasserstein,
        "histogram_overlap": overlap,
        "spectrum_radial_mean_difference_db": spectral("radial"),
        "spectrum_x_mean_difference_db": spectral("x"),
        "spectrum_y_mean_difference_db": spectral("y"),
    }


def _draw(real, simulated, *, pixel_size_nm, path):
    figure, axes = plt.subplots(2, 2, figsize=(14, 12), height_ratios=(2, 1), layout="constrained")
    medians = [np.median(tile) for tile in real]
    typical = real[int(np.argsort(medians)[len(real) // 2])]
    edge_um = len(typical) * pixel_size_nm / 1000
    for axis, tile, title in zip(
        axes[0], (typical, simulated[0]), ("real", "simulated"), strict=True
    ):
        axis.imshow(tile, cmap="gray", vmin=0, vmax=255, extent=(0, edge_um, edge_um, 0))
        axis.set(title=title, xlabel="x / µm", ylabel="y / µm")
    for tiles, name, colour in ((real, "real", "C0"), (simulated, "simulated", "C1")):
        axes[1, 0].plot(histogram(tiles), color=colour, label=name)
        curves = spectra(tiles, pixel_size_nm=pixel_size_nm)
        for key, style in (("radial", "-"), ("x", "--"), ("y", ":")):
            axes[1, 1].plot(
                curves["frequency"],
                curves[key],
                linestyle=style,
                color=colour,
                linewidth=0.8,
                label=f"{name}, {key}",
            )
    axes[1, 0].set(xlabel="grey value", ylabel="share of pixels")
    axes[1, 1].set(
        xscale="log", xlabel="frequency / cycles per µm", ylabel="power spectral density / dB"
    )
    for axis in axes[1]:
        axis.legend()
    figure.suptitle(f"{pixel_size_nm:g} nm per pixel (assumed for the real tiles)")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
