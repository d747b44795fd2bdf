"""Adapter of the rules draw_confusion_held_out and draw_confusion_truth."""

from damascene.contracts.scores import CONFUSION
from damascene.contracts.table import read_tsv
from damascene.figures.scores import draw_confusion
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
confusion = read_tsv(snakemake.input.confusion, CONFUSION)
figure = draw_confusion(confusion, title=snakemake.params.title)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
