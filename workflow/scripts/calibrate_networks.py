"""Adapter of the rule calibrate_networks."""

from damascene.classification.fit_calibration import fit_calibration
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.table import read_table
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
calibration = fit_calibration(
    read_table(snakemake.input.predictions, HELD_OUT),
    coverage=snakemake.params.coverage,
    tested=snakemake.params.tested,
)
calibration.write(snakemake.output.calibration)
logger.info("temperature: %.2f", calibration.temperature)
for name, each in calibration.classes.items():
    if each.not_promised:
        logger.info("no prediction sets for %s: %s", name, each.not_promised)
