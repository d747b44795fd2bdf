"""Adapter of the rule draw_load_directions."""

import pandas as pd

from damascene.figures.evaluation import draw_load_directions
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
table = pd.read_csv(snakemake.input.table, sep="\t")
save_figure(draw_load_directions(table), snakemake.output.svg, snakemake.output.png)
