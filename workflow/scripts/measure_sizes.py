"""Adapter of the rule measure_sizes."""

from damascene.contracts.orientations import ORIENTATIONS, SIZES_3D
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality import QUALITY
from damascene.contracts.shift_record import withheld_in
from damascene.contracts.sites import SITES
from damascene.contracts.size_fits import SIZE_FITS, SIZE_TRENDS
from damascene.contracts.sizes import SIZES
from damascene.contracts.table import read_tables, read_tsvs, write_tsv
from damascene.jobs.log import start_log
from damascene.sizes.measure import measure_sizes

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
found = measure_sizes(
    read_tables(source.sites, SITES),
    [PanoramaRecord.read(path) for path in source.records],
    blocks=read_tsvs(source.blocks, QUALITY),
    sheet=params.sheet,
    minimum_area=params.minimum_area,
    confidence=params.confidence,
    withheld=withheld_in(source.shifts) if params.withhold else {},
)
write_tsv(found.sizes, output.sizes, SIZES)
write_tsv(found.fits, output.fits, SIZE_FITS)
write_tsv(found.trends, output.trends, SIZE_TRENDS)
write_tsv(found.orientations, output.orientations, ORIENTATIONS)
write_tsv(found.in_space, output.in_space, SIZES_3D)
logger.info("%d sites", found.fits["sites"].sum())
