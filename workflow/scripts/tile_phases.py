"""Adapter of the rule tile_phases."""

from pathlib import Path

from damascene.jobs.log import start_log
from damascene.viewer.tiles import whole_folder, write_phase_tiles

logger = start_log(snakemake.log[0])
colours = dict(enumerate(snakemake.params.colours, start=1))
with whole_folder(snakemake.output.tiles) as folder:
    size = write_phase_tiles(
        Path(snakemake.input.phases),
        folder,
        key=f"phases/{snakemake.wildcards.panorama}",
        colours=colours,
        threads=snakemake.threads,
    )
logger.info("%.1f MB", size / 1e6)
