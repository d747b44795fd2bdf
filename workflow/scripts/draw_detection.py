"""Adapter of the rule draw_detection."""

import pandas as pd

from damascene.figures.scores import draw_detection_scores
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
scores = pd.read_csv(snakemake.input.detection, sep="\t")
save_figure(draw_detection_scores(scores), snakemake.output.svg, snakemake.output.png)
