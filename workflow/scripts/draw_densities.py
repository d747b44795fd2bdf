"""Adapter of the rule draw_densities."""

from damascene.contracts.densities import DENSITIES
from damascene.contracts.evolution import EVOLUTION
from damascene.contracts.table import read_tsv
from damascene.figures.density import draw_class_shares, draw_density_against_strain
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
output = snakemake.output
densities = read_tsv(snakemake.input.densities, DENSITIES)
evolution = read_tsv(snakemake.input.evolution, EVOLUTION)
trend = draw_density_against_strain(densities, evolution)
save_figure(trend, output.density_svg, output.density_png)
save_figure(draw_class_shares(densities), output.shares_svg, output.shares_png)
