"""Adapter of the rule compare_denoising."""

import tempfile
import time
from pathlib import Path

import pandas as pd

from damascene import tables
from damascene.config import Detection
from damascene.denoising import METHODS, denoise_panorama
from damascene.detection.matching import match_to_outlines
from damascene.detection.settings import find_candidates_of
from damascene.images.store import TiledImage, open_pair
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
settings = Detection.model_validate_json(params.detection)
rows = []
for name, image_path, valid_path, truth_path in zip(
    params.panoramas, source.images, source.valid, source.truth, strict=True
):
    truth = tables.read(truth_path, tables.TRUTH)
    truth = truth[truth["area_px"] > params.minimum_area_px]
    for method in ("none", *METHODS):
        with tempfile.TemporaryDirectory(dir=Path(snakemake.output.table).parent) as folder:
            started = time.perf_counter()
            path = image_path
            if method != "none":
                path = Path(folder) / "denoised.ome.tif"
                with TiledImage(image_path) as image:
                    denoise_panorama(
                        image,
                        method=method,
                        strength=params.strength,
                        path=path,
                        panorama=name,
                        threads=snakemake.threads,
                    )
            seconds = time.perf_counter() - started
            with open_pair(path, valid_path) as (image, valid):
                found = find_candidates_of(image, valid, panorama=name, settings=settings)
        matched = len(match_to_outlines(found, truth, tolerance_px=params.tolerance_px))
        row = {
            "panorama": name,
            "method": method,
            "true_sites": len(truth),
            "candidates": len(found),
            "matched": matched,
            "recall": matched / len(truth),
            "precision": matched / max(len(found), 1),
            "seconds": seconds,
        }
        logger.info("%s", row)
        rows.append(row)
tables.write_tsv(pd.DataFrame(rows), snakemake.output.table)
