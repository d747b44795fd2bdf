"""Adapter of the rule compare_load_directions."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.labels import SPLIT
from damascene.contracts.load_direction import LOAD_DIRECTION
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.rotation import compare_load_directions
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
cards = [ModelCard.read(path) for path in source.cards]
table = compare_load_directions(
    read_table(source.split, SPLIT),
    list(zip(params.turns, source.models, cards, strict=True)),
    test_fold=params.test_fold,
    angles_deg=params.angles_deg,
    panoramas=params.panoramas,
    images=source.images,
    confidence=params.confidence,
)
write_tsv(table, snakemake.output.table, LOAD_DIRECTION)
