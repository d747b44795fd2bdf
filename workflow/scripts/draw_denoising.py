"""Adapter of the rule draw_denoising."""

from damascene.contracts.denoising import DENOISING
from damascene.contracts.table import read_tsv
from damascene.figures.denoising import draw_denoising
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
scores = read_tsv(snakemake.input.table, DENOISING)
save_figure(draw_denoising(scores), snakemake.output.svg, snakemake.output.png)
