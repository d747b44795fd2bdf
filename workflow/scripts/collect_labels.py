"""Adapter of the rule collect_labels."""

import json
from pathlib import Path

import pandas as pd

from damascene.config.label_source import LabelSource
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import LABELLED_SITES, LABELS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, read_table, read_tsv, write_table
from damascene.images.sources import open_source
from damascene.jobs.log import start_log
from damascene.labels.attach import attach_labels
from damascene.labels.read import frame_corners, read_labels, tile_corners
from damascene.units import length_px

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
records = {one.panorama: one for one in (PanoramaRecord.read(path) for path in source.records)}
candidates = dict(
    zip(records, (read_table(path, CANDIDATES) for path in source.candidates), strict=True)
)
parts = [read_tsv(path, LABELS) for path in source.drawn]
for path, text in zip(params.files, params.sources, strict=True):
    settings = LabelSource(path=path, **json.loads(text))
    labels, left_out = read_labels(
        Path(path),
        panorama=settings.panorama,
        columns=settings.columns,
        annotators=settings.annotators,
        sizes_px={name: (one.width_px, one.height_px) for name, one in records.items()},
        tile_corners_px={
            name: tile_corners(
                open_source(Path(grid), tile_folder=Path(folder) if folder else None, **options)
            )
            for name, (grid, folder, options) in params.grids.items()
        }
        | dict(zip(params.stitched, map(frame_corners, source.frames), strict=True)),
    )
    logger.info("%s: %d labels, %d rows without a label left out", path, len(labels), left_out)
    parts.append(labels)
labels = check_table(pd.concat(parts), LABELS, source="labels")
tied = attach_labels(
    labels,
    candidates,
    tolerance_px={
        name: length_px(params.tolerance, pixel_size_nm=one.pixel_size_nm)
        for name, one in records.items()
    },
)
write_table(tied, snakemake.output.labels, LABELLED_SITES)
logger.info("%d labels, %d left after one site got one label", len(labels), len(tied))
logger.info("%d of them lie on no candidate", (tied["site_id"] < 0).sum())
