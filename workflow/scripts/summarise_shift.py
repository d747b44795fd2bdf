"""Adapter of the rule summarise_shift."""

from damascene.contracts.domain_shift import DOMAIN_SHIFT
from damascene.contracts.shift_record import ShiftRecord
from damascene.contracts.table import write_tsv
from damascene.figures.shift import draw_shift
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log
from damascene.shift.table import shift_table

start_log(snakemake.log[0])
table = shift_table(ShiftRecord.read(path) for path in snakemake.input.records)
write_tsv(table, snakemake.output.table, DOMAIN_SHIFT)
save_figure(draw_shift(table), snakemake.output.svg, snakemake.output.png)
