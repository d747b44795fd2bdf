"""Adapter of the rule draw_learning_curve."""

from damascene.contracts.agreement import AGREEMENT
from damascene.contracts.learning_curve import LEARNING_CURVE
from damascene.contracts.scores import SCORES
from damascene.contracts.table import read_tsv
from damascene.figures.evaluation import draw_learning_curve
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source = snakemake.input
figure = draw_learning_curve(
    read_tsv(source.table, LEARNING_CURVE),
    networks=read_tsv(source.scores, SCORES),
    agreement=read_tsv(source.agreement, AGREEMENT),
)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
