"""Adapter of the rule summarise_sites."""

from damascene.contracts.conditions import CONDITIONS
from damascene.contracts.densities import DENSITIES
from damascene.contracts.dispersion import DISPERSION
from damascene.contracts.evolution import EVOLUTION
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality import QUALITY
from damascene.contracts.rate_ratios import RATE_RATIOS
from damascene.contracts.shift_record import withheld_in
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_tables, read_tsvs, write_tsv
from damascene.jobs.log import start_log
from damascene.statistics.summary import summarise_sites

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
found = summarise_sites(
    read_tables(source.sites, SITES),
    [PanoramaRecord.read(path) for path in source.records],
    quality=read_tsvs(source.blocks, QUALITY),
    strains_percent=params.strains_percent,
    conditions=params.conditions,
    confidence=params.confidence,
    withheld=withheld_in(source.shifts) if params.withhold else {},
)
write_tsv(found.densities, output.densities, DENSITIES)
write_tsv(found.dispersion, output.dispersion, DISPERSION)
write_tsv(found.evolution, output.evolution, EVOLUTION)
write_tsv(found.conditions, output.conditions, CONDITIONS)
write_tsv(found.rate_ratios, output.rate_ratios, RATE_RATIOS)
