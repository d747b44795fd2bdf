"""Adapter of the rule draw_embedding."""

import pandas as pd

from damascene.figures.explanation import draw_embedding
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
agreement = pd.read_csv(snakemake.input.agreement, sep="\t")
figure = draw_embedding(pd.read_parquet(snakemake.input.embedding), agreement.iloc[0], agreement)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
