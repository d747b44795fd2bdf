"""Hold the recall of planted voids against the truth of simulated images.

Usage: python benchmarks/recall_on_images.py [--images N] [--dwell-time-ns NS]

Small panoramas are simulated and searched, and voids are planted into them. Beside the recall that
planted voids give (found sites over the voids that they stand for) stands that of the true sites
which are larger than the least area of a site, and how many found sites are none of these.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.config.detection import Detection
from damascene.correction.planting import plant_voids
from damascene.correction.recall import fit_recall, recall_replicates, sites_of, why_no_curve
from damascene.detection.matching import match_to_outlines
from damascene.detection.settings import find_candidates_of, parameters_of
from damascene.images.store import open_pair, write_all_valid
from damascene.simulation.panorama import simulate_panorama

SHAPE = (1536, 2048)
PIXEL_NM = 40.0
_TOLERANCE_PX = 10


def measure(folder, *, seed, dwell_time_ns, strain_percent, minimum_area, voids):
    """Return what was found in one simulated image, and what planted voids say of it."""
    settings = Detection(minimum_area=minimum_area)
    image_path, valid_path = folder / "image.ome.tif", folder / "valid.ome.tif"
    truth, _ = simulate_panorama(
        panorama="p",
        shape=SHAPE,
        pixel_size_nm=PIXEL_NM,
        strain_percent=strain_percent,
        seed=seed,
        dwell_time_ns=dwell_time_ns,
        image_path=image_path,
        phases_path=folder / "phases.ome.tif",
    )
    write_all_valid(valid_path, shape=SHAPE, pixel_size_nm=PIXEL_NM, name="valid")
    with open_pair(image_path, valid_path, by_windows=True) as (image, valid):
        found = find_candidates_of(image, valid, panorama="p", settings=settings)
        planted, contrasts = plant_voids(
            image,
            valid,
            found.candidates,
            found.runs,
            panorama="p",
            settings=settings,
            seed=seed,
            voids=voids,
        )
    least_px = parameters_of(settings, pixel_size_nm=PIXEL_NM).minimum_area_px
    scored = truth[truth["area_px"] > least_px]
    matches = match_to_outlines(found.candidates, truth, tolerance_px=_TOLERANCE_PX)
    hit = scored["truth_id"].isin(matches["truth_id"])
    row = {
        "true_sites": len(scored),
        "true_found": int(hit.sum()),
        "found": len(found.candidates),
        "not_true": len(found.candidates) - len(matches),
        "planted": len(planted),
        "planted_found": int(planted["found"].sum()),
    }
    least_um2 = least_px * (PIXEL_NM / 1000) ** 2
    if why_no_curve(planted, least_um2):
        return row
    recall, drawn = recall_replicates(
        fit_recall(sites_of(planted, least_um2)),
        found.candidates["area_um2"].to_numpy(),
        contrasts["contrast"].to_numpy(),
        np.ones((len(found.candidates), 1)),
        replicates=500,
        seed=seed,
    )
    low, high = np.quantile(drawn, [0.025, 0.975])
    return row | {"recall": recall[0], "recall_low": low, "recall_high": high}


def main() -> None:
    """Measure all images and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--dwell-time-ns", type=float, default=3000)
    parser.add_argument("--strain-percent", type=float, default=12)
    parser.add_argument("--minimum-area", default="20 px2")
    parser.add_argument("--voids", type=int, default=300)
    options = parser.parse_args()
    rows = []
    for seed in range(options.images):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(
                measure(
                    Path(folder),
                    seed=seed,
                    dwell_time_ns=options.dwell_time_ns,
                    strain_percent=options.strain_percent,
                    minimum_area=options.minimum_area,
                    voids=options.voids,
                )
            )
        print(pd.DataFrame(rows[-1:]).round(3).to_string(header=seed == 0), flush=True)
    table = pd.DataFrame(rows)
    total = table.sum()
    print(f"recall of true sites {total['true_found'] / total['true_sites']:.4f}")
    stands_for = (table["found"] / table["recall"]).sum()
    print(f"recall by planted voids {total['found'] / stands_for:.4f}")
    print(f"found sites that are no true ones {total['not_true'] / total['found']:.4f}")


if __name__ == "__main__":
    main()
