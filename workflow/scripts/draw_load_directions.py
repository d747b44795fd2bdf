"""Adapter of the rule draw_load_directions."""

from damascene.contracts.load_direction import LOAD_DIRECTION
from damascene.contracts.table import read_tsv
from damascene.figures.evaluation import draw_load_directions
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
table = read_tsv(snakemake.input.table, LOAD_DIRECTION)
save_figure(draw_load_directions(table), snakemake.output.svg, snakemake.output.png)
