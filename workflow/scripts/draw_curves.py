"""Adapter of the rule draw_curves."""

from damascene.contracts.curve_areas import CURVE_AREAS
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.curves import curves_and_areas
from damascene.figures.evaluation import draw_curves
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
curves, areas = curves_and_areas(
    read_table(snakemake.input.predictions, HELD_OUT),
    confidence=params.confidence,
)
write_tsv(areas, output.areas, CURVE_AREAS)
save_figure(draw_curves(curves, areas), output.svg, output.png)
logger.info("\n%s", areas.to_string())
