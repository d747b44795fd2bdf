"""Adapter of the rule draw_segmentation."""

from damascene.contracts.segmentation_scores import SEGMENTATION_COSTS, SEGMENTATION_SCORES
from damascene.contracts.table import read_tsv
from damascene.figures.segmentation import draw_held_out_maps, draw_phase_scores, read_examples
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source, output = snakemake.input, snakemake.output
scores = read_tsv(source.scores, SEGMENTATION_SCORES)
costs = read_tsv(source.costs, SEGMENTATION_COSTS)
save_figure(draw_phase_scores(scores, costs), output.svg, output.png)
examples = read_examples(source.examples, list(dict.fromkeys(scores["method"])))
figure = draw_held_out_maps(examples, colours=snakemake.params.colours)
save_figure(figure, output.maps_svg, output.maps_png)
