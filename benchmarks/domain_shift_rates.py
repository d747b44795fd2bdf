"""How often panoramas are flagged that should be, and that should not be.

Usage: python benchmarks/domain_shift_rates.py --study FOLDER --tiles FOLDER --out FOLDER
           [--foreign FOLDER] [--seeds 11 12 13 14 15 16]

`--study` is the folder of a finished default study: its network looks at the sites, and its own
panoramas and labels are the training set of simulated steel. Simulated panoramas of other seeds
and strains, some of them blurred, noisy, enlarged and reduced, are held against it. `--tiles` is a
folder of real 8-bit tiles of 50 nm a pixel: half of them, drawn at random four times, are a
training set, and the others are tested in the same way. `--foreign` holds 8-bit images of other
steel or microscopes, taken as if they had 50 nm a pixel. What each image is like is kept in
`--out`, so that a second call is quick. It prints flagged of all, and in brackets the foreign.
"""

import argparse
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage import io, transform

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import STAGE_CLASSES
from damascene.classification.compared_sites import sampled_rows
from damascene.classification.embedding import view_of
from damascene.classification.predict import load_network
from damascene.config.detection import Detection
from damascene.config.study import load_study
from damascene.contracts.model_card import ModelCard
from damascene.contracts.training_condition import TrainingCondition
from damascene.detection.settings import find_candidates_of
from damascene.images.store import TiledImage, open_pair, write_all_valid, write_tiled
from damascene.shift.compare import judge_panorama, read_condition
from damascene.shift.image_measures import measure_windows
from damascene.shift.measures import panorama_values, training_ranges
from damascene.shift.space import fit_space
from damascene.simulation import simulate_panorama

SHAPE, SIMULATED_NM, TILE_NM = (2048, 3072), 40.0, 50.0
STRAINS, SHIFTED_STRAIN = (0, 6, 12, 20), 12
DIVISIONS = 4


def noisy(pixels, sigma):
    """Add white noise."""
    noise = np.random.default_rng(1).normal(0, sigma, pixels.shape)
    return np.rint(pixels + noise).clip(0, 255).astype(np.uint8)


def blurred(pixels, sigma):
    """Blur as a defocus does."""
    return np.rint(ndimage.gaussian_filter(pixels.astype(np.float32), sigma)).astype(np.uint8)


def scaled(pixels, factor):
    """Enlarge or reduce; of an enlarged image one corner is kept."""
    part = pixels[:1000, :1000] if factor > 1 else pixels
    resized = transform.rescale(part / 255.0, factor, order=1, anti_aliasing=factor < 1)
    return np.rint(255 * resized).astype(np.uint8)


#: What is done to an image, and the factor by which its stated pixel size changes.
CHANGES = {
    "none": (lambda pixels: pixels, 1),
    "blur 1.5 px": (lambda pixels: blurred(pixels, 1.5), 1),
    "blur 3 px": (lambda pixels: blurred(pixels, 3), 1),
    "noise 12": (lambda pixels: noisy(pixels, 12), 1),
    "noise 25": (lambda pixels: noisy(pixels, 25), 1),
    "x 2, right pixel size": (lambda pixels: scaled(pixels, 2), 0.5),
    "x 2, wrong pixel size": (lambda pixels: scaled(pixels, 2), 1),
    "x 0.5, right pixel size": (lambda pixels: scaled(pixels, 0.5), 2),
    "x 0.5, wrong pixel size": (lambda pixels: scaled(pixels, 0.5), 1),
}


class Looker:
    """Looks at images, and remembers what they are like."""

    def __init__(self, study, out):
        self.out = out
        out.mkdir(parents=True, exist_ok=True)
        path = study / "results/models/damage.keras"
        card = ModelCard.read(path.with_suffix(".json"))
        self.view = view_of(load_network(path, card=card, classes=STAGE_CLASSES["damage"]), card)

    def look(self, name, make, *, pixel_size_nm, detection):
        """Return values, features, windows and candidates of an image."""
        kept = self.out / f"{name}.pickle"
        if not kept.exists():
            kept.write_bytes(pickle.dumps(self._look(make(), pixel_size_nm, detection)))
        return pickle.loads(kept.read_bytes())

    def _look(self, pixels, pixel_size_nm, detection):
        size = {"shape": pixels.shape, "pixel_size_nm": pixel_size_nm}
        with tempfile.TemporaryDirectory() as place:
            paths = Path(place, "image.tif"), Path(place, "valid.tif")
            write_tiled(paths[0], [pixels], name="image", **size)
            write_all_valid(paths[1], name="valid", **size)
            with open_pair(*paths, by_windows=True) as (image, valid):
                windows = measure_windows(image, valid)
                found = find_candidates_of(image, valid, panorama="p", settings=detection)
                sites = found.candidates.iloc[sampled_rows(len(found.candidates))]
                features = self.view.features(
                    sites["x_px"], sites["y_px"], image, valid, batch_size=64
                )
        area_mm2 = pixels.size * (pixel_size_nm * 1e-6) ** 2
        values = panorama_values(
            windows,
            pixel_size_nm=pixel_size_nm,
            candidates=len(found.candidates),
            area_mm2=area_mm2,
        )
        return {
            "values": values,
            "windows": windows,
            "features": features.astype(np.float16),
            "candidates": len(found.candidates),
            "area_mm2": area_mm2,
        }


def simulated(seed, strain):
    """Return a simulated panorama with the settings of the default study."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "image.ome.tif")
        simulate_panorama(
            panorama="p",
            shape=SHAPE,
            pixel_size_nm=SIMULATED_NM,
            strain_percent=strain,
            seed=seed,
            dwell_time_ns=load_study({}).simulation.dwell_time_ns,
            image_path=path,
            phases_path=Path(place, "phases.ome.tif"),
        )
        with TiledImage(path) as image:
            return image.read()


def condition_of(looks):
    """Return the training condition of tiles, each of them a group."""
    features = np.concatenate([one["features"] for one in looks.values()])
    groups = np.repeat(np.arange(len(looks)), [len(one["features"]) for one in looks.values()])
    values = {name: one["values"] for name, one in looks.items()}
    known = TrainingCondition(
        panoramas=tuple(looks),
        sites=len(features),
        groups=len(looks),
        embedding="steel_lite0",
        window="5 um",
        measures=training_ranges(pd.concat([one["windows"] for one in looks.values()]), values),
        versions={},
    )
    return known, fit_space(features, groups)


def flag_of(look, condition):
    """Return the verdict of an image."""
    measures = judge_panorama(
        look["values"],
        candidates=look["candidates"],
        area_mm2=look["area_mm2"],
        features=look["features"],
        condition=condition,
    )
    flags = {one.flag for one in measures}
    return next((flag for flag in ("foreign", "beyond") if flag in flags), "within")


def told(flags):
    """Write a rate."""
    flagged = sum(flag != "within" for flag in flags)
    return f"{flagged} of {len(flags)} ({sum(flag == 'foreign' for flag in flags)})"


def main() -> None:
    """Measure and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--tiles", type=Path, required=True)
    parser.add_argument("--foreign", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[*range(11, 17)])
    given = parser.parse_args()
    looker = Looker(given.study, given.out)
    steel = read_condition(given.study / "results/models/condition.json")
    rows = {change: {} for change in CHANGES}
    for change, (make, factor) in CHANGES.items():
        rows[change]["simulated"] = told(
            [
                flag_of(
                    looker.look(
                        f"simulated_{seed}_{strain}_{change}",
                        lambda seed=seed, strain=strain, make=make: make(simulated(seed, strain)),
                        pixel_size_nm=SIMULATED_NM * factor,
                        detection=Detection(),
                    ),
                    steel,
                )
                for seed in given.seeds
                for strain in (STRAINS if change == "none" else (SHIFTED_STRAIN,))
            ]
        )
    tiles = sorted(given.tiles.glob("*.jpg"))
    real = {"detection": Detection(minimum_edge=0.25)}

    def tile(path, change):
        make, factor = CHANGES[change]
        return looker.look(
            f"tile_{path.stem}_{change}",
            lambda: make(io.imread(path, as_gray=True).astype(np.uint8)),
            pixel_size_nm=TILE_NM * factor,
            **real,
        )

    flags = {change: [] for change in CHANGES}
    foreign = []
    for division in range(DIVISIONS):
        order = np.random.default_rng(division).permutation(len(tiles))
        learned, kept = order[: len(tiles) // 2], order[len(tiles) // 2 :]
        condition = condition_of({tiles[one].stem: tile(tiles[one], "none") for one in learned})
        for change in CHANGES:
            flags[change] += [flag_of(tile(tiles[one], change), condition) for one in kept]
        for path in sorted(given.foreign.glob("*.tif")) if given.foreign else ():
            look = looker.look(
                f"foreign_{path.stem}",
                lambda path=path: io.imread(path),
                pixel_size_nm=TILE_NM,
                **real,
            )
            foreign.append(flag_of(look, condition))
    for change, found in flags.items():
        rows[change]["real tiles"] = told(found)
    print(pd.DataFrame(rows).T.to_string())
    if foreign:
        print(f"foreign images: {told(foreign)}")


if __name__ == "__main__":
    main()
