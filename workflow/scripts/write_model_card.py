"""Adapter of the rule write_model_card."""

from pathlib import Path

from damascene.classes import STAGES
from damascene.contracts.agreement import AGREEMENT
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.labels import SPLIT
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.scope import SCOPE
from damascene.contracts.scores import CONFUSION, SCORES
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv, write_tsv
from damascene.evaluation.model_page import model_page
from damascene.evaluation.scope import outside_of_sizes, scope_table
from damascene.files import write_text
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
split, sites = read_table(source.split, SPLIT), [read_table(path, SITES) for path in source.sites]
predictions = read_table(source.predictions, HELD_OUT)
scope = scope_table(split, predictions, sites, confidence=params.page["confidence"])
page = model_page(
    cards={stage: ModelCard.read(Path(params.models) / f"{stage}.json") for stage in STAGES},
    split=split,
    scores=read_tsv(source.scores, SCORES),
    confusion=read_tsv(source.confusion, CONFUSION),
    agreement=read_tsv(source.agreement, AGREEMENT),
    scope=scope,
    outside=outside_of_sizes(split, sites, scope),
    records=[PanoramaRecord.read(path) for path in source.records],
    **params.page,
)
write_tsv(scope, output.scope, SCOPE)
write_text(output.card, page)
logger.info("%s", page)
