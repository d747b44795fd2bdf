"""Adapter of the rule draw_phase_statistics."""

from damascene.contracts.phase_convergence import PHASE_CONVERGENCE
from damascene.contracts.phase_shapes import PHASE_SHAPES
from damascene.contracts.phases import PHASES
from damascene.contracts.table import read_tsv
from damascene.figures.phase_statistics import (
    draw_islands_and_bands,
    draw_phase_convergence,
    draw_phases_against_strain,
)
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
roles = {"colours": params.colours, "damage_phase": params.damage_phase}
phases = read_tsv(source.phases, PHASES)
convergence = read_tsv(source.convergence, PHASE_CONVERGENCE)
shapes = read_tsv(source.shapes, PHASE_SHAPES)
figures = {
    "fractions": draw_phases_against_strain(phases, **roles),
    "convergence": draw_phase_convergence(convergence, phases, phase=params.phase),
    "shapes": draw_islands_and_bands(shapes, phase=params.phase, **roles),
}
for name, figure in figures.items():
    save_figure(figure, output[f"{name}_svg"], output[f"{name}_png"])
