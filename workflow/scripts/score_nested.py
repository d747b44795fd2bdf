"""Adapter of the rule score_nested."""

from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.nested_selection import NESTED_CHOICES, NESTED_SCORES
from damascene.contracts.table import read_table, read_tsv, write_tsv
from damascene.evaluation.nested_scores import score_selections
from damascene.figures.nested_selection import draw_nested_selection
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, output = snakemake.input, snakemake.output
scores = score_selections(
    read_table(source.study, HELD_OUT),
    read_table(source.nested, HELD_OUT),
    confidence=snakemake.params.confidence,
)
write_tsv(scores, output.scores, NESTED_SCORES)
figure = draw_nested_selection(scores, read_tsv(source.choices, NESTED_CHOICES))
save_figure(figure, output.svg, output.png)
logger.info("\n%s", scores[scores["class"] == "all"].to_string())
