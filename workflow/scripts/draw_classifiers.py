"""Adapter of the rule draw_classifiers."""

import pandas as pd

from damascene.figures.classifiers import draw_classifiers
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
table = pd.read_csv(snakemake.input.table, sep="\t")
save_figure(draw_classifiers(table), snakemake.output.svg, snakemake.output.png)
