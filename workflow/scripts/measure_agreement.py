"""Adapter of the rule measure_agreement."""

from damascene.contracts.agreement import AGREEMENT, CLASS_AGREEMENT
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.labels import ANSWERS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.agreement import measure_agreement
from damascene.evaluation.class_agreement import measure_class_agreement
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
answers = read_table(source.answers, ANSWERS)
records = [PanoramaRecord.read(path) for path in source.records]
options = {name: params[name] for name in ("group_by", "block", "confidence")}
predictions = read_table(source.predictions, HELD_OUT)
agreement = measure_agreement(answers, predictions, records, **options)
write_tsv(agreement, snakemake.output.agreement, AGREEMENT)
classes = measure_class_agreement(answers, records, **options)
write_tsv(classes, snakemake.output.classes, CLASS_AGREEMENT)
logger.info("\n%s", agreement.to_string() if len(agreement) else "one annotator")
