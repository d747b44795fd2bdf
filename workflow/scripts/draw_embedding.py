"""Adapter of the rule draw_embedding."""

from damascene.contracts.embedding import EMBEDDING, EMBEDDING_AGREEMENT
from damascene.contracts.table import read_table, read_tsv
from damascene.figures.explanation import draw_embedding
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
agreement = read_tsv(snakemake.input.agreement, EMBEDDING_AGREEMENT)
figure = draw_embedding(
    read_table(snakemake.input.embedding, EMBEDDING), agreement.iloc[0], agreement
)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
