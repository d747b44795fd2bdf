"""Adapter of the rule measure_calibration."""

from damascene.contracts.calibration import CALIBRATION_ERRORS, PREDICTION_SETS, RELIABILITY
from damascene.contracts.calibration_record import Calibration
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.calibration import measure_calibration
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
calibration = Calibration.read(snakemake.input.calibration)
reliability, errors, sets = measure_calibration(
    read_table(snakemake.input.predictions, HELD_OUT),
    calibration,
    confidence=params.confidence,
    seed=params.seed,
)
write_tsv(reliability, output.reliability, RELIABILITY)
write_tsv(errors, output.errors, CALIBRATION_ERRORS)
write_tsv(sets, output.coverage, PREDICTION_SETS)
logger.info("\n%s", errors.to_string())
logger.info("sets of classes at a level of %g:\n%s", calibration.coverage, sets.to_string())
