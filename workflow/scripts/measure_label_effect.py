"""Adapter of the rule measure_label_effect."""

from damascene.contracts.label_history import LABEL_EFFECT
from damascene.contracts.table import write_tsv
from damascene.evaluation.label_effect import effect_lines, label_effect
from damascene.evaluation.label_state import LabelState, state_before
from damascene.files import write_text
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
after = LabelState.read(snakemake.input.record)
before = state_before(snakemake.input.record)
table = label_effect(before, after)
lines = effect_lines(before, after, table)
write_tsv(table, snakemake.output.table, LABEL_EFFECT)
write_text(snakemake.output.notes, "".join(f"{line}\n" for line in lines))
logger.info("%s\n%s", "\n".join(lines), table.to_string())
