"""Cut an image into overlapping frames with known errors, stitch them, and compare.

Usage: python benchmarks/compare_stitching.py --grid GRID.tsv --tile-folder FOLDER --output FOLDER

The source is an image or a grid file; of a grid with a column `in_full_block` only the cells
marked there are used. Frames lie on a grid, displaced by whole pixels; noise and a factor on the
brightness are added to each. Writes `stitching.tsv`: one row per case, with the error of the
positions after removing the common shift, and how far the blended image is from the source, in
overlaps and outside. `--keep` keeps the panoramas.
"""

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.contracts.stitching import FRAMES, PAIRS
from damascene.contracts.table import write_tsv
from damascene.images.importing import import_panorama
from damascene.images.stitching.frames import open_frames
from damascene.images.stitching.panorama import stitch_frames
from damascene.images.store import TiledImage

_PIXEL_SIZE_NM = 50.0


def main() -> None:
    """Run all cases."""
    options = _parse()
    options.output.mkdir(parents=True, exist_ok=True)
    source = _read_source(options)
    rows = []
    for overlap in options.overlap_percent:
        for noise in options.noise:
            with tempfile.TemporaryDirectory(dir=options.output) as folder:
                rows.append(_case(source, Path(folder), overlap, noise, options))
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    pd.DataFrame(rows).to_csv(
        options.output / "stitching.tsv", sep="\t", index=False, float_format="%.9g"
    )


def _parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", type=Path, required=True, help="image or grid file")
    parser.add_argument("--tile-folder", type=Path, help="folder of the tiles of the grid")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument("--frame-px", type=int, nargs=2, default=(1024, 884))
    parser.add_argument("--overlap-percent", type=float, nargs="+", default=[10, 15])
    parser.add_argument("--noise", type=float, nargs="+", default=[0, 5, 15, 25])
    parser.add_argument("--jitter-px", type=float, default=12, help="standard deviation in x and y")
    parser.add_argument("--brightness", type=float, default=0.1, help="largest change, as a part")
    parser.add_argument("--missing", type=int, default=2, help="frames left out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the stitched panoramas")
    return parser.parse_args()


def _read_source(options):
    with tempfile.TemporaryDirectory(dir=options.output) as folder:
        path, tile_folder = options.grid, options.tile_folder
        if path.suffix == ".tsv":
            grid = pd.read_csv(path, sep="\t")
            if "in_full_block" in grid:
                grid = grid[grid["in_full_block"]]
                grid[["column", "row"]] -= grid[["column", "row"]].min()
            tile_folder = (tile_folder or path.parent).absolute()
            path = Path(folder) / "grid.tsv"
            grid[["file", "column", "row"]].to_csv(path, sep="\t", index=False)
        image_path = Path(folder) / "source.ome.tif"
        import_panorama(
            panorama="source",
            source=path,
            tile_folder=tile_folder,
            pixel_size_nm=_PIXEL_SIZE_NM,
            image_path=image_path,
            valid_path=Path(folder) / "valid.ome.tif",
            threads=options.threads,
        )
        with TiledImage(image_path) as image:
            return image.read()


def _case(source, folder, overlap, noise, options):
    rng = np.random.default_rng([options.seed, round(overlap), round(noise)])
    true, gains = _cut_frames(source, folder, overlap, noise, rng, options)
    image_path = (options.output if options.keep else folder) / f"{overlap:g}_{noise:g}.ome.tif"
    # A process of its own, whose peak memory is that of the stitching alone.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        (record, pairs, frames), seconds, peak_mb = pool.submit(
            _stitch, folder, image_path, options.threads
        ).result()
    if options.keep:
        write_tsv(pairs, options.output / f"{overlap:g}_{noise:g}.pairs.tsv", PAIRS)
        write_tsv(frames, options.output / f"{overlap:g}_{noise:g}.frames.tsv", FRAMES)
    wrong = frames[["x_px", "y_px"]].to_numpy() - true
    wrong -= wrong.mean(axis=0)
    left = pairs["second"].map(dict(zip(frames["file"], range(len(frames)), strict=True)))
    first = pairs["first"].map(dict(zip(frames["file"], range(len(frames)), strict=True)))
    measured = pairs[["measured_dx_px", "measured_dy_px"]].to_numpy()
    pair_error = np.linalg.norm(measured - (true[left] - true[first]), axis=1)
    accepted = pairs["accepted"].to_numpy()
    with TiledImage(image_path) as image:
        inside, outside = _differences(source, image.read(), true, frames)
    gain_error = np.log(frames["gain"].to_numpy() * gains)
    return {
        "overlap_percent": overlap,
        "noise": noise,
        **{name: record["stitching"][name] for name in ("frames", "pairs", "accepted_pairs")},
        "false_pairs": int((pair_error[accepted] > 2).sum()),
        "nominal_frames": record["stitching"]["nominal_frames"],
        "position_error_rms_px": float(np.sqrt((wrong**2).sum(axis=1).mean())),
        "position_error_largest_px": float(np.linalg.norm(wrong, axis=1).max()),
        "residual_rms_px": record["stitching"]["rms_residual_px"],
        "gain_error_rms_percent": 100 * float(gain_error.std()),
        "rmse_in_overlaps": inside,
        "rmse_outside": outside,
        "seconds": seconds,
        "peak_mb": peak_mb,
    }


def _stitch(folder, image_path, threads):
    before = time.perf_counter()
    opened = open_frames(folder / "frames.tsv", panorama="stitched", pixel_size_nm=_PIXEL_SIZE_NM)
    products = stitch_frames(
        opened,
        panorama="stitched",
        image_path=image_path,
        valid_path=folder / "valid.ome.tif",
        threads=threads,
    )
    return products, time.perf_counter() - before, _peak_mb()


def _peak_mb():
    # getrusage would count the parent as well, whose peak a new process inherits.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


def _cut_frames(source, folder, overlap, noise, rng, options):
    width, height = options.frame_px
    step = np.array([width, height]) * (1 - overlap / 100)
    room = 4 * options.jitter_px
    counts = [
        int((length - edge - 2 * room) // one) + 1
        for length, edge, one in zip(source.shape[::-1], (width, height), step, strict=True)
    ]
    places = [(column, row) for row in range(counts[1]) for column in range(counts[0])]
    gone = rng.choice(len(places), options.missing, replace=False)
    true, gains, lines = [], [], ["file\tx_px\ty_px"]
    for index, place in enumerate(places):
        nominal = np.array(place) * step
        jitter = np.clip(rng.normal(0, options.jitter_px, 2), -room, room)
        x, y = np.rint(nominal + jitter + room).astype(int)
        gain = 1 + rng.uniform(-1, 1) * options.brightness
        frame = source[y : y + height, x : x + width] * gain + rng.normal(0, noise, (height, width))
        if index in gone:
            continue
        name = f"frame{place[0]:02}_{place[1]:02}.png"
        pixels = np.clip(np.rint(frame), 0, 255).astype(np.uint8)
        (folder / name).write_bytes(imagecodecs.png_encode(pixels, level=1))
        lines.append(f"{name}\t{nominal[0]:.1f}\t{nominal[1]:.1f}")
        true.append((x, y))
        gains.append(gain)
    (folder / "frames.tsv").write_text("\n".join(lines) + "\n")
    return np.array(true, float), np.array(gains)


def _differences(source, stitched, true, frames):
    """Return the root mean square difference to the source where frames overlap, and elsewhere."""
    placed = frames[["placed_x_px", "placed_y_px"]].to_numpy()
    width, height = frames[["width_px", "height_px"]].iloc[0]
    shift = np.rint(np.median(true - placed, axis=0)).astype(int)
    covers = np.zeros(stitched.shape, np.uint8)
    for x, y in placed:
        covers[y : y + height, x : x + width] += 1
    # Rounded positions can reach a little beyond the source.
    low = np.maximum(-shift, 0)
    high = np.minimum(stitched.shape[::-1], np.array(source.shape[::-1]) - shift)
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    original = source[
        low[1] + shift[1] : high[1] + shift[1], low[0] + shift[0] : high[0] + shift[0]
    ]
    squares = (stitched[part].astype(np.float32) - original) ** 2
    return [
        float(np.sqrt(squares[where].mean())) for where in (covers[part] > 1, covers[part] == 1)
    ]


if __name__ == "__main__":
    main()
