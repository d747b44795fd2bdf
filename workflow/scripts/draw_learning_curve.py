"""Adapter of the rule draw_learning_curve."""

import pandas as pd

from damascene.figures.evaluation import draw_learning_curve
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
table, scores, agreement = (
    pd.read_csv(snakemake.input[name], sep="\t") for name in ("table", "scores", "agreement")
)
# An empty table is read without types.
agreement["comparison"] = agreement["comparison"].astype(str)
figure = draw_learning_curve(table, networks=scores, agreement=agreement)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
