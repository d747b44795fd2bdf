"""Compare thresholds for dark pixels: on real tiles, and on simulated steel with drift and noise.

Usage: python benchmarks/compare_thresholds.py --tiles FOLDER --out FOLDER [--pixel-size-nm 50]
       python benchmarks/compare_thresholds.py --simulated --out FOLDER

The first form needs a folder with `grid.tsv` (column `file`), `labels.tsv` (columns `file`, `x_px`,
`y_px`, `majority`: a class or nothing) and `tiles/` with 8-bit grey images. Their pixel size is
assumed. It writes `tiles.tsv` (candidates of each tile), `labels.tsv` (labelled sites that are
found, by class) and a figure of both. The second form simulates three panoramas, the same steel
scanned faster and faster, changes their brightness and contrast, and writes recall and precision
against the truth to `simulated.tsv`.

All parameters but the threshold are the defaults: `fixed` is below grey 20, `matched` below 30.6
after matching the histogram to that of a typical tile or of the unchanged slow scan, `relative` the
default, and `relative with edge` the default with a minimum edge of 0.25.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from skimage import io

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import NOT_CLASSIFIED
from damascene.config.detection import Detection
from damascene.detection.matching import match_points, match_to_outlines
from damascene.detection.settings import find_candidates_of
from damascene.evaluation.truth import detection_scores
from damascene.figures import style
from damascene.images.store import open_pair, write_all_valid, write_tiled
from damascene.simulation import simulate_panorama

RULES = {
    "fixed": Detection(threshold={"rule": "fixed", "grey": 20}),
    "matched": Detection(threshold={"rule": "matched", "grey": 30.6}),
    "relative": Detection(),
    "relative with edge": Detection(minimum_edge=0.25),
}
COLOURS = {
    "fixed": "#D55E00",
    "matched": "#009E73",
    "relative": "#0072B2",
    "relative with edge": "#E69F00",
}
# Tiles in which the fixed threshold reaches into ferrite.
DARK_SHARE = 0.01
NO_MAJORITY = "no majority"
TOLERANCE_PX = 3

SIMULATED_SHAPE = (3072, 4096)
SIMULATED_PIXEL_NM = 40.0
DWELL_TIMES_NS = (3000, 1000, 300)
SEED = 20190514


def _ramp(image):
    return np.linspace(-1, 1, image.shape[1])


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda image: image,
    "brightness ramp, factor 0.7 to 1.3": lambda image: image * (1 + 0.3 * _ramp(image)),
    "offset ramp, -20 to +20": lambda image: image + 20 * _ramp(image),
    "contrast x 0.7": lambda image: 128 + 0.7 * (image - 128),
    "contrast x 1.3": lambda image: 128 + 1.3 * (image - 128),
    "offset +20": lambda image: image + 20,
    "offset -20": lambda image: image - 20,
}


def main() -> None:
    """Run one of the two comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--tiles", type=Path, help="folder with grid.tsv, labels.tsv and tiles/")
    what.add_argument("--simulated", action="store_true", help="simulated steel instead")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--pixel-size-nm", type=float, default=50.0, help="assumed for the tiles")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.simulated:
        scores = compare_simulated()
        scores.to_csv(options.out / "simulated.tsv", sep="\t", index=False, float_format="%.9g")
        print(scores.to_string(index=False))
        return
    tiles, labels = compare_tiles(options.tiles, pixel_size_nm=options.pixel_size_nm)
    found = labels.groupby("label")[list(RULES)].sum()
    found.insert(0, "labelled", labels.groupby("label").size())
    found = found.reset_index()
    tiles.to_csv(options.out / "tiles.tsv", sep="\t", index=False, float_format="%.9g")
    found.to_csv(options.out / "labels.tsv", sep="\t", index=False, float_format="%.9g")
    print(tiles.to_string(index=False), found.to_string(index=False), sep="\n\n")
    print(tiles[list(RULES)].describe().to_string())
    draw(tiles, found, options.out / "thresholds.png")


def find(pixels: np.ndarray, *, pixel_size_nm: float, reference: np.ndarray) -> dict:
    """Return the candidates in an image under each rule."""
    with tempfile.TemporaryDirectory() as folder:
        image_path, valid_path = Path(folder) / "image.ome.tif", Path(folder) / "valid.ome.tif"
        about = {"shape": pixels.shape, "pixel_size_nm": pixel_size_nm, "name": "image"}
        write_tiled(image_path, [pixels], **about)
        write_all_valid(valid_path, **about)
        with open_pair(image_path, valid_path) as (image, valid):
            return {
                name: find_candidates_of(
                    image, valid, panorama="image", settings=settings, reference=reference
                ).candidates
                for name, settings in RULES.items()
            }


def histogram(pixels: np.ndarray) -> np.ndarray:
    """Count the grey values of an image."""
    return np.bincount(pixels.ravel(), minlength=256)


def compare_tiles(folder: Path, *, pixel_size_nm: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count the candidates of each tile, and tell which labelled sites are among them.

    Returns
    -------
    tiles : pandas.DataFrame
        file, median_grey, dark_tile, and the number of candidates by rule; by median grey.
    labels : pandas.DataFrame
        file, label, and found or not by rule.
    """
    labelled = pd.read_csv(folder / "labels.tsv", sep="\t")
    labelled["label"] = labelled["majority"].fillna(NO_MAJORITY)
    images = {
        file: io.imread(folder / "tiles" / file)
        for file in pd.read_csv(folder / "grid.tsv", sep="\t")["file"]
    }
    greys = {file: np.median(pixels) for file, pixels in images.items()}
    typical = min(greys, key=lambda file: abs(greys[file] - np.median(list(greys.values()))))
    reference = histogram(images[typical])
    rows, found = [], []
    for file, pixels in images.items():
        candidates = find(pixels, pixel_size_nm=pixel_size_nm, reference=reference)
        rows.append(
            {
                "file": file,
                "median_grey": greys[file],
                "dark_tile": (pixels < RULES["fixed"].threshold.grey).mean() > DARK_SHARE,
                **{name: len(table) for name, table in candidates.items()},
            }
        )
        here = labelled[labelled["file"] == file]
        hits = {
            name: match_points(here[["x_px", "y_px"]], table, tolerance_px=TOLERANCE_PX) >= 0
            for name, table in candidates.items()
        }
        found.append(here[["file", "label"]].assign(**hits))
    return pd.DataFrame(rows).sort_values("median_grey", ignore_index=True), pd.concat(found)


def draw(tiles: pd.DataFrame, found: pd.DataFrame, path: Path) -> None:
    """Draw candidates by tile, and the share of labelled sites found by class."""
    with plt.rc_context(style.STYLE):
        figure, (left, right) = plt.subplots(
            1,
            2,
            figsize=(style.FULL_WIDTH_MM / style.MM_PER_INCH, 75 / style.MM_PER_INCH),
            width_ratios=(2, 1),
            layout="constrained",
        )
        place = np.arange(len(tiles))
        for row in np.flatnonzero(tiles["dark_tile"]):
            left.axvspan(row - 0.5, row + 0.5, color="0.88", zorder=0)
            name = Path(tiles["file"][row]).stem
            where = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
            left.annotate(name, (row, 0.02), rotation=90, fontsize=5, **where)
        for marker, name in zip("os^v", RULES, strict=True):
            left.plot(place, tiles[name], marker, color=COLOURS[name], markersize=3, label=name)
        left.set_yscale("log")
        step = max(1, len(tiles) // 8)
        left.set_xticks(place[::step], [f"{grey:.0f}" for grey in tiles["median_grey"][::step]])
        left.set_xlabel("Tile, by median grey (dark tiles shaded)")
        left.set_ylabel("Candidates per tile")
        figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4)
        rows = np.arange(len(found))
        for offset, name in zip((-0.3, -0.1, 0.1, 0.3), RULES, strict=True):
            share = found[name] / found["labelled"]
            right.barh(rows + offset, share, height=0.18, color=COLOURS[name])
        names = [f"{row.label} ({row.labelled})" for row in found.itertuples()]
        right.set_yticks(rows, names)
        right.invert_yaxis()
        right.set_xlim(0, 1)
        right.set_xlabel("Share of labelled sites found")
        figure.savefig(path, dpi=style.PNG_DPI)
        plt.close(figure)


def changed_panoramas() -> Iterator[tuple[dict, np.ndarray, pd.DataFrame]]:
    """Simulate the panoramas and yield them with each change of brightness and contrast."""
    for dwell_time_ns in DWELL_TIMES_NS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image.ome.tif"
            truth, _ = simulate_panorama(
                panorama="image",
                shape=SIMULATED_SHAPE,
                pixel_size_nm=SIMULATED_PIXEL_NM,
                strain_percent=12,
                seed=SEED,
                dwell_time_ns=dwell_time_ns,
                image_path=path,
                phases_path=Path(folder) / "phases.ome.tif",
                threads=2,
            )
            pixels = io.imread(path).astype(float)
        for name, change in CHANGES.items():
            image = np.rint(change(pixels)).clip(0, 255).astype(np.uint8)
            yield {"dwell_time_ns": dwell_time_ns, "change": name}, image, truth


def compare_simulated() -> pd.DataFrame:
    """Return recall and precision by dwell time, change and rule."""
    rows, reference = [], None
    for about, pixels, truth in changed_panoramas():
        reference = histogram(pixels) if reference is None else reference
        candidates = find(pixels, pixel_size_nm=SIMULATED_PIXEL_NM, reference=reference)
        for name, table in candidates.items():
            pairs = match_to_outlines(table, truth, tolerance_px=TOLERANCE_PX)
            scores = detection_scores(
                table.assign(predicted_class=NOT_CLASSIFIED, in_labelled_area=False),
                truth.assign(in_labelled_area=False),
                pairs.assign(panorama="image"),
                minimum_area_px=20,
            )
            overall = scores[(scores["scope"] == "all") & (scores["class"] == "all")]
            values = overall.set_index("score")["value"]
            rows.append(
                {
                    **about,
                    "threshold": name,
                    "candidates": len(table),
                    "recall": round(values["recall"], 3),
                    "precision": round(values["precision"], 3),
                }
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
