"""Adapter of the rule summarise_sites."""

from pathlib import Path

from damascene.classes import STAGES
from damascene.contracts.control import CONTROL
from damascene.contracts.densities import DENSITIES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality import QUALITY
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.sites import SITES
from damascene.contracts.sizes import SIZES
from damascene.contracts.table import read_tables, read_tsvs, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.statistics.summary import summarise_sites

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
*tables, headline = summarise_sites(
    read_tables(source.sites, SITES),
    [PanoramaRecord.read(path) for path in source.records],
    blocks=read_tsvs(source.blocks, QUALITY),
    strains_percent=params.strains_percent,
    confidence=params.confidence,
    cards=[ModelCard.read(f"{params.models}/{stage}.json") for stage in STAGES if params.models],
    quality=[QualityRecord.read(path) for path in source.quality],
    noise=[NoiseRecord.read(path) for path in source.noise],
    noise_conditions=params.noise_conditions,
    phases=[Path(path).read_text() for path in source.phases],
    others=[Path(path).read_text() for path in (*source.grey_scale, *source.labels)],
)
for table, path, contract in zip(tables, output[:3], (DENSITIES, SIZES, CONTROL), strict=True):
    write_tsv(table, path, contract)
write_text(output.headline, headline)
