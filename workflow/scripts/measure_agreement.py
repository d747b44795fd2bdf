"""Adapter of the rule measure_agreement."""

from damascene.contracts.agreement import AGREEMENT
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.labels import ANSWERS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.agreement import agreement_table
from damascene.jobs.log import start_log
from damascene.labels.split import groups_of_answers

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
answers = read_table(source.answers, ANSWERS)
predictions = read_table(source.predictions, HELD_OUT).set_index(["panorama", "site_id"])
agreement = agreement_table(
    answers,
    predicted=predictions["predicted_class"],
    groups=groups_of_answers(
        answers,
        [PanoramaRecord.read(path) for path in source.records],
        group_by=params.group_by,
        block=params.block,
    ),
    confidence=params.confidence,
    seed=params.seed,
)
write_tsv(agreement, snakemake.output.agreement, AGREEMENT)
logger.info("\n%s", agreement.to_string() if len(agreement) else "one annotator")
