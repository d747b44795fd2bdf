"""Adapter of the rule embed_sites."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from pathlib import Path

from damascene.contracts.embedding import EMBEDDING, EMBEDDING_AGREEMENT
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.model_card import ModelCard
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table, write_table, write_tsv
from damascene.evaluation.site_map import map_sites
from damascene.learning.device import choose_device, sites_at_once

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
path = Path(params.models) / "damage.keras"
card = ModelCard.read(path.with_suffix(".json"))
sites = [read_table(each, PREDICTIONS) for each in source.sites]
described = source.descriptors if card.descriptors else [None] * len(sites)
table, agreement = map_sites(
    sites,
    zip(source.images, source.masks, strict=True),
    (each and read_descriptors(each, of) for each, of in zip(described, sites, strict=True)),
    model_path=path,
    card=card,
    batch_size=sites_at_once(),
    seed=params.seed,
)
write_table(table, snakemake.output.embedding, EMBEDDING)
write_tsv(agreement, snakemake.output.agreement, EMBEDDING_AGREEMENT)
