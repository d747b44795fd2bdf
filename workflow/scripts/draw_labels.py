"""Adapter of the rule draw_labels."""

from damascene.contracts.labels import LABELS
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.truth import TRUTH
from damascene.jobs.log import start_log
from damascene.simulation import draw_labels
from damascene.units import area_px

logger = start_log(snakemake.log[0])
params = snakemake.params
labels = draw_labels(
    read_table(snakemake.input.truth, TRUTH),
    panorama_width_px=params.width_px,
    labelled_fraction=params.labelled_fraction,
    labels_per_class=params.labels_per_class,
    minimum_area_px=area_px(params.minimum_area, pixel_size_nm=params.pixel_size_nm),
    seed=params.seed,
)
write_tsv(labels, snakemake.output.labels, LABELS)
logger.info("labels by class:\n%s", labels["label"].value_counts().to_string())
