"""Adapter of the rule draw_doubt."""

import pandas as pd

from damascene.figures.doubt import draw_doubt
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
figure = draw_doubt(
    pd.read_csv(snakemake.input.reliability, sep="\t"),
    pd.read_csv(snakemake.input.calibration, sep="\t"),
    pd.read_csv(snakemake.input.coverage, sep="\t"),
    level=snakemake.params.level,
)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
