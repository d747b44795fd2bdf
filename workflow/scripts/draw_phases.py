"""Adapter of the rule draw_phases."""

from damascene.contracts.phase_record import PhaseRecord
from damascene.figures.phases import draw_phases
from damascene.figures.style import save_figure
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
params = snakemake.params
with open_pair(snakemake.input.image, snakemake.input.phases) as (image, phases):
    figure = draw_phases(
        image,
        phases,
        colours=params.colours,
        fractions=PhaseRecord.read(snakemake.input.record).fractions,
        title=snakemake.wildcards.panorama,
        damage_phase=params.damage_phase,
    )
save_figure(figure, snakemake.output.svg, snakemake.output.png)
