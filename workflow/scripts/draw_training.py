"""Adapter of the rule draw_training."""

from damascene.classes import STAGES
from damascene.contracts.history import HISTORY
from damascene.contracts.table import read_tsv
from damascene.figures.scores import draw_training
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
histories = {}
for stage in STAGES:
    history = read_tsv(snakemake.input[stage], HISTORY)
    histories[f"{stage} network"] = history[history["run"] == "selection"]
save_figure(draw_training(histories), snakemake.output.svg, snakemake.output.png)
