"""Adapter of the rule summarise_phases."""

from damascene.contracts.phase_convergence import PHASE_CONVERGENCE
from damascene.contracts.phase_damage import PHASE_DAMAGE
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.phase_shapes import PHASE_SHAPES
from damascene.contracts.phases import PHASES
from damascene.contracts.table import read_tsvs, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.statistics.phases.summary import phase_notes, with_study

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
roles = {"hard_phase": params.hard_phase, "damage_phase": params.damage_phase}
phases = with_study(
    read_tsvs(source.phases, PHASES),
    damage_phase=params.damage_phase,
    confidence=params.confidence,
)
shapes = read_tsvs(source.shapes, PHASE_SHAPES)
records = [PhaseRecord.read(path) for path in source.records]
notes = phase_notes(phases, shapes, records, **roles)
write_tsv(phases, output.phases, PHASES)
write_tsv(read_tsvs(source.convergence, PHASE_CONVERGENCE), output.convergence, PHASE_CONVERGENCE)
write_tsv(shapes, output.shapes, PHASE_SHAPES)
write_tsv(read_tsvs(source.damage, PHASE_DAMAGE), output.damage, PHASE_DAMAGE)
write_text(output.notes, notes)
logger.info("%s", notes)
