"""Adapter of the rule draw_detection."""

from damascene.contracts.table import read_tsv
from damascene.contracts.truth_detection import TRUTH_DETECTION
from damascene.figures.scores import draw_detection_scores
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
scores = read_tsv(snakemake.input.detection, TRUTH_DETECTION)
save_figure(draw_detection_scores(scores), snakemake.output.svg, snakemake.output.png)
