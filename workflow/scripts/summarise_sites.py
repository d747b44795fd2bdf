"""Adapter of the rule summarise_sites."""

from pathlib import Path

from damascene.classes import STAGE_CLASSES
from damascene.contracts.densities import DENSITIES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.sites import SITES
from damascene.contracts.sizes import SIZES
from damascene.contracts.table import read_tables, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.statistics.caveats import caveat_lines
from damascene.statistics.density import density_table, headline_text
from damascene.statistics.sizes import size_distribution

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
records = [PanoramaRecord.read(path) for path in source.records]
sites = read_tables(source.sites, SITES)
densities = density_table(
    sites,
    records,
    strains_percent=[params.strains_percent[one.panorama] for one in records],
    confidence=params.confidence,
)
write_tsv(densities, output.densities, DENSITIES)
sizes = size_distribution(sites, panoramas=[one.panorama for one in records])
write_tsv(sizes, output.sizes, SIZES)
cards = [Path(params.models) / f"{stage}.json" for stage in STAGE_CLASSES if params.models]
notes = sorted({ModelCard.read(path).note for path in cards} - {""})
texts = [Path(path).read_text() for path in (*source.grey_scale, *source.labels)]
others = [line for text in texts for line in text.splitlines()]
notes += caveat_lines([QualityRecord.read(path) for path in source.quality], others=others)
headline = headline_text(densities, notes=notes)
write_text(output.headline, headline)
logger.info("%s", headline)
