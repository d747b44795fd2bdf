"""Adapter of the rule tile_panorama."""

from pathlib import Path

from damascene.jobs.log import start_log
from damascene.viewer.tiles import whole_folder, write_image_tiles, write_overviews

logger = start_log(snakemake.log[0])
image, valid = Path(snakemake.input.image), Path(snakemake.input.valid)
key = f"tiles/{snakemake.wildcards.panorama}"
with whole_folder(snakemake.output.tiles) as folder:
    size = write_image_tiles(image, folder, key=key, threads=snakemake.threads)
    write_overviews(image, valid, folder, key=key)
logger.info("%.1f MB, %.1f %% of the panorama", size / 1e6, 100 * size / image.stat().st_size)
