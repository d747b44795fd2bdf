"""Adapter of the rule score_networks."""

from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.scores import CONFUSION, SCORES
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.scores import confusion_table, score_table
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
predictions = read_table(snakemake.input.predictions, HELD_OUT)
truth, predicted = predictions["label"], predictions["predicted_class"]
options = {"groups": predictions["group"], "confidence": params.confidence}
scores = score_table(truth, predicted, **options)
write_tsv(scores, output.scores, SCORES)
write_tsv(confusion_table(truth, predicted, **options), output.confusion, CONFUSION)
logger.info("%d sites held out\n%s", len(predictions), scores.to_string())
