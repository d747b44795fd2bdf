"""Adapter of the rule compare_with_truth."""

from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.scores import CONFUSION, SCORES
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.truth import TRUTH
from damascene.contracts.truth_control import TRUTH_CONTROL
from damascene.contracts.truth_detection import TRUTH_DETECTION
from damascene.evaluation.truth import compare_with_truth
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
detection, confusion, scores, errors = compare_with_truth(
    [read_table(path, PREDICTIONS) for path in source.sites],
    [read_table(path, TRUTH) for path in source.truth],
    panoramas=params.panoramas,
    pixel_sizes_nm=params.pixel_sizes_nm,
    strains_percent=params.strains_percent,
    labelled_px=params.labelled_px,
    windows=params.windows,
    tolerance=params.tolerance,
    minimum_area=params.minimum_area,
    confidence=params.confidence,
    labels=read_table(source.labels, LABELLED_SITES),
)
write_tsv(detection, output.detection, TRUTH_DETECTION)
write_tsv(confusion, output.confusion, CONFUSION)
write_tsv(scores, output.scores, SCORES)
write_tsv(errors, output.control, TRUTH_CONTROL)
logger.info("%s\n%s", detection.to_string(), scores.to_string())
