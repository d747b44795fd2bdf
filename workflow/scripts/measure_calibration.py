"""Adapter of the rule measure_calibration."""

import pandas as pd

from damascene.classification import calibration
from damascene.classification.conformal import (
    coverage_table,
    cross_prediction_sets,
)
from damascene.contracts.calibration import CALIBRATION_ERRORS, PREDICTION_SETS, RELIABILITY
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.table import read_table, write_tsv
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
predictions = read_table(snakemake.input.predictions, HELD_OUT)
probabilities = calibration.site_probabilities(predictions)
targets, groups = calibration.class_indices(predictions["label"]), predictions["group"]
part = calibration.deal_groups(groups, parts=5, seed=params.seed)
states = {
    "as_given": probabilities,
    "calibrated": calibration.cross_calibrated(probabilities, targets, part),
}
reliability = pd.concat(
    [
        calibration.reliability_table(one, targets).assign(probabilities=state)
        for state, one in states.items()
    ]
)
write_tsv(reliability, output.reliability, RELIABILITY)
sets = cross_prediction_sets(probabilities, targets, part, level=params.coverage)
coverage = coverage_table(
    sets, targets, groups=groups, confidence=params.confidence, seed=params.seed
)
write_tsv(coverage, output.coverage, PREDICTION_SETS)
errors = pd.DataFrame(
    {
        "probabilities": state,
        "expected_calibration_error": calibration.expected_calibration_error(
            reliability[reliability["probabilities"] == state]
        ),
        "by_chance": calibration.calibration_error_by_chance(one, seed=params.seed),
    }
    for state, one in states.items()
)
write_tsv(errors, output.errors, CALIBRATION_ERRORS)
logger.info("\n%s", errors.to_string())
logger.info("sets of classes at a level of %g:\n%s", params.coverage, coverage.to_string())
