"""Adapter of the rule draw_phase_surroundings."""

from damascene.contracts.phase_descriptors import DENSITY_BY_PHASE, PHASE_PROFILES
from damascene.contracts.table import read_tsv
from damascene.figures.phase_surroundings import draw_phase_surroundings
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source, output = snakemake.input, snakemake.output
figure = draw_phase_surroundings(
    read_tsv(source.profiles, PHASE_PROFILES),
    read_tsv(source.density, DENSITY_BY_PHASE),
    hard_phase=snakemake.params.hard_phase,
)
save_figure(figure, output.svg, output.png)
