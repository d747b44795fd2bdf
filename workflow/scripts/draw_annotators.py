"""Adapter of the rule draw_annotators."""

from damascene.contracts.agreement import AGREEMENT
from damascene.contracts.table import read_tsv
from damascene.figures.annotators import draw_annotators
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
agreement = read_tsv(snakemake.input.agreement, AGREEMENT)
save_figure(draw_annotators(agreement), snakemake.output.svg, snakemake.output.png)
