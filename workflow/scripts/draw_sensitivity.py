"""Adapter of the rule draw_sensitivity."""

import pandas as pd

from damascene.figures.sensitivity import draw_sensitivity
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
counts = pd.concat([pd.read_csv(path, sep="\t") for path in snakemake.input], ignore_index=True)
save_figure(draw_sensitivity(counts), snakemake.output.svg, snakemake.output.png)
