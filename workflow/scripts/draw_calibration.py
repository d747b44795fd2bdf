"""Adapter of the rule draw_calibration."""

from damascene.contracts.calibration import CALIBRATION_ERRORS, PREDICTION_SETS, RELIABILITY
from damascene.contracts.table import read_tsv
from damascene.figures.calibration import draw_calibration
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
figure = draw_calibration(
    read_tsv(snakemake.input.reliability, RELIABILITY),
    read_tsv(snakemake.input.errors, CALIBRATION_ERRORS),
    read_tsv(snakemake.input.coverage, PREDICTION_SETS),
    level=snakemake.params.coverage,
)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
