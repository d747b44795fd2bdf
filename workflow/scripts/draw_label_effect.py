"""Adapter of the rule draw_label_effect."""

from pathlib import Path

from damascene.contracts.label_history import LABEL_EFFECT
from damascene.contracts.table import read_tsv
from damascene.figures.label_effect import draw_label_effect
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source = snakemake.input
notes = Path(source.notes).read_text(encoding="utf-8").splitlines()
figure = draw_label_effect(read_tsv(source.table, LABEL_EFFECT), notes)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
