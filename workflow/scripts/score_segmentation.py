"""Adapter of the rule score_segmentation."""

import pandas as pd

from damascene.contracts.held_out_phases import HELD_OUT_PHASES
from damascene.contracts.segmentation_scores import (
    SEGMENTATION_CONFUSION,
    SEGMENTATION_COSTS,
    SEGMENTATION_SCORES,
)
from damascene.contracts.table import read_tables, read_tsv, write_tsv
from damascene.evaluation.segmentation import confusion_of_phases, score_segmentation
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
counts = read_tables(source.counts, HELD_OUT_PHASES)
scores = score_segmentation(counts, phases=params.phases, confidence=params.confidence)
write_tsv(scores, output.scores, SEGMENTATION_SCORES)
confusion = confusion_of_phases(counts, phases=params.phases)
write_tsv(confusion, output.confusion, SEGMENTATION_CONFUSION)
costs = pd.concat([read_tsv(path, SEGMENTATION_COSTS) for path in source.costs])
write_tsv(costs, output.costs, SEGMENTATION_COSTS)
logger.info("\n%s", scores.to_string())
