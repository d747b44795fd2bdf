"""Adapter of the rule measure_phases."""

from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.phase_convergence import PHASE_CONVERGENCE
from damascene.contracts.phase_damage import PHASE_DAMAGE
from damascene.contracts.phase_shapes import PHASE_SHAPES
from damascene.contracts.phases import PHASES
from damascene.contracts.table import read_table, write_tsv
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.statistics.phases.measure import measure_phases

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
with TiledImage(source.phases) as phases:
    tables = measure_phases(
        phases,
        read_table(source.runs, CANDIDATE_RUNS),
        panorama=snakemake.wildcards.panorama,
        strain_percent=params.strain_percent,
        phases=params.phases,
        hard_phase=params.hard_phase,
        damage_phase=params.damage_phase,
        minimum_area=params.minimum_area,
        confidence=params.confidence,
    )
write_tsv(tables.phases, output.phases, PHASES)
write_tsv(tables.convergence, output.convergence, PHASE_CONVERGENCE)
write_tsv(tables.shapes, output.shapes, PHASE_SHAPES)
write_tsv(tables.damage, output.damage, PHASE_DAMAGE)
