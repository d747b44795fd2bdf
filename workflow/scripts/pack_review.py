"""Adapter of the rule pack_review."""

from damascene.contracts.labels import ANSWERS, LABELLED_SITES
from damascene.contracts.review_order import LABEL_SHEET, REVIEW_REASONS
from damascene.contracts.table import empty_table, read_table, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.review.clips import networks_name, queue_for_page, review_sites, write_for_page
from damascene.review.sheet import sheet_page, sheet_rows

logger = start_log(snakemake.log[0])
source, made, params = snakemake.input, snakemake.output, snakemake.params
table, clips = review_sites(
    read_table(source.order, REVIEW_REASONS),
    panoramas=params.panoramas,
    sites=source.sites,
    images=source.images,
    imported=source.imported,
    masks=source.masks,
    classified=params.classified,
)
answers = read_table(source.answers, ANSWERS) if source.answers else empty_table(ANSWERS)
labels = read_table(source.labels, LABELLED_SITES) if source.labels else empty_table(LABELLED_SITES)
counts = labels["label"].value_counts().to_dict()
model = networks_name(params.models) if params.classified else ""
rows = sheet_rows(table)
write_tsv(rows, made.sheet, LABEL_SHEET)
write_text(made.print, sheet_page(rows, clips, study=params.study))
queue = queue_for_page(table, clips, answers, labels=counts, model=model)
write_for_page(made.gallery, queue, clips)
logger.info("%d clips of %d panoramas", len(clips), table["panorama"].nunique())
