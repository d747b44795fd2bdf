"""Adapter of the rule draw_mistakes."""

from damascene.clips.clips import common_window_um, cut_shown_clips
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.mistakes import MISTAKES
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.mistakes import worst_mistakes
from damascene.figures.evaluation import draw_mistakes
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
mistakes = worst_mistakes(read_table(snakemake.input.predictions, HELD_OUT))
write_tsv(mistakes, output.table, MISTAKES)
images = dict(zip(params.panoramas, map(TiledImage, snakemake.input.images), strict=True))
window_um = common_window_um(params.window, images)
worst = mistakes.head(params.most)
clips = cut_shown_clips(
    worst[["panorama", "clip_x_px", "clip_y_px"]].itertuples(index=False),
    images,
    window_um=window_um,
    size_px=params.size_px,
)
figure = draw_mistakes(clips, worst, window_um=window_um)
save_figure(figure, output.svg, output.png)
logger.info("the networks disagree with %d of the held-out labels", len(mistakes))
