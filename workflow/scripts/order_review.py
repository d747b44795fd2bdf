"""Adapter of the rule order_review."""

from damascene.contracts.labels import ANSWERS, CONTRADICTIONS, LABELLED_SITES
from damascene.contracts.review_order import DRAWN_BY, REVIEW_ORDER, REVIEW_REASONS
from damascene.contracts.table import empty_table, read_table, read_tsv, write_table, write_tsv
from damascene.jobs.log import start_log
from damascene.review.order import drawn_counts, order_sites
from damascene.review.pool import read_pool, training_space

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
answers = read_table(source.answers, ANSWERS) if source.answers else empty_table(ANSWERS)
labels = read_table(source.labels, LABELLED_SITES) if source.labels else empty_table(LABELLED_SITES)
open_still = empty_table(CONTRADICTIONS)
if source.contradictions:
    open_still = read_tsv(source.contradictions, CONTRADICTIONS)
pool = read_pool(
    params.panoramas,
    source.sites,
    source.features,
    classified=params.classified,
    answers=answers,
    contradictions=open_still,
    space=training_space(params.condition),
    most=params.most,
    seed=params.seed,
)
order = order_sites(pool, most=params.most, labels=labels["label"].value_counts().to_dict())
logger.info("sites in the queue: %s", drawn_counts(order, DRAWN_BY))
write_tsv(order, snakemake.output.order, REVIEW_ORDER)
write_table(order, snakemake.output.reasons, REVIEW_REASONS)
