"""Adapter of the rule correct_counts."""

from damascene.contracts.corrected import CORRECTED
from damascene.contracts.densities import DENSITIES
from damascene.contracts.detection_recall import DETECTION_RECALL
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.planted_voids import PLANTED_VOIDS, SITE_CONTRASTS
from damascene.contracts.quality import QUALITY
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tables, read_tsv, read_tsvs, write_tsv
from damascene.correction.table import Tables, correct_counts
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
corrected, recall = correct_counts(
    Tables(
        sites=read_tables(source.sites, SITES),
        quality=read_tsvs(source.quality, QUALITY),
        densities=read_tsv(source.densities, DENSITIES),
        planted=read_tables(source.voids, PLANTED_VOIDS),
        contrasts=read_tables(source.contrasts, SITE_CONTRASTS),
        held_out=read_table(source.held_out, HELD_OUT) if source.held_out else None,
    ),
    [PanoramaRecord.read(path) for path in source.records],
    conditions=params.conditions,
    minimum_area=params.minimum_area,
    confidence=params.confidence,
    seed=params.seed,
)
write_tsv(corrected, output.corrected, CORRECTED)
write_tsv(recall, output.recall, DETECTION_RECALL)
for reason in sorted({*corrected["not_estimated"], *corrected["note"]} - {""}):
    logger.info("not corrected: %s", reason)
