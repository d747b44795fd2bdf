"""Adapter of the rule stitch_frames."""

from pathlib import Path

from damascene.contracts.stitching import FRAMES, PAIRS
from damascene.contracts.table import write_tsv
from damascene.images.stitching.frames import open_frames
from damascene.images.stitching.panorama import stitch_frames
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
opened = open_frames(
    Path(params.source),
    panorama=snakemake.wildcards.panorama,
    tile_folder=Path(params.tile_folder) if params.tile_folder else None,
    overlap_percent=params.overlap_percent,
    pixel_size_nm=params.pixel_size_nm,
    pixel_size_overrides_header=params.pixel_size_overrides_header,
    **params.options,
)
record, pairs, frames = stitch_frames(
    opened,
    panorama=snakemake.wildcards.panorama,
    image_path=output.image,
    valid_path=output.valid,
    threads=snakemake.threads,
)
for note in record.notes:
    logger.info("%s: %s", record.panorama, note)
write_tsv(pairs, output.pairs, PAIRS)
write_tsv(frames, output.frames, FRAMES)
record.write(output.record)
