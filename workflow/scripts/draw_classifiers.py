"""Adapter of the rule draw_classifiers."""

from damascene.contracts.classifiers import CLASSIFIERS
from damascene.contracts.table import read_tsv
from damascene.figures.classifiers import draw_classifiers
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
table = read_tsv(snakemake.input.table, CLASSIFIERS)
save_figure(draw_classifiers(table), snakemake.output.svg, snakemake.output.png)
