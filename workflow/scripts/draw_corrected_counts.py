"""Adapter of the rule draw_corrected_counts."""

from damascene.contracts.corrected import CORRECTED
from damascene.contracts.table import read_tsv
from damascene.figures.corrected import draw_corrected_counts
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
corrected = read_tsv(snakemake.input.corrected, CORRECTED)
save_figure(draw_corrected_counts(corrected), snakemake.output.svg, snakemake.output.png)
