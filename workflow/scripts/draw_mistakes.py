"""Adapter of the rule draw_mistakes."""

from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.mistakes import MISTAKES
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.mistakes import mistake_clips, worst_mistakes
from damascene.figures.evaluation import draw_mistakes
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
mistakes = worst_mistakes(read_table(snakemake.input.predictions, HELD_OUT))
write_tsv(mistakes, output.table, MISTAKES)
images = dict(zip(params.panoramas, map(TiledImage, snakemake.input.images), strict=True))
worst = mistakes.head(params.most)
clips, window_um = mistake_clips(worst, images, window=params.window, size_px=params.size_px)
figure = draw_mistakes(clips, worst, window_um=window_um)
save_figure(figure, output.svg, output.png)
logger.info("the networks disagree with %d of the held-out labels", len(mistakes))
