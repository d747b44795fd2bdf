"""Adapter of the rule draw_sensitivity."""

import pandas as pd

from damascene.contracts.sensitivity import SENSITIVITY
from damascene.contracts.table import read_tsv
from damascene.figures.sensitivity import draw_sensitivity
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
counts = pd.concat([read_tsv(path, SENSITIVITY) for path in snakemake.input], ignore_index=True)
save_figure(draw_sensitivity(counts), snakemake.output.svg, snakemake.output.png)
