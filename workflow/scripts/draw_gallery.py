"""Adapter of the rule draw_gallery."""

from damascene.clips.windows import common_window_um
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_tables
from damascene.figures.gallery import draw_gallery
from damascene.figures.samples import sample_clips
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
params, source = snakemake.params, snakemake.input
images, masks = (
    dict(zip(params.panoramas, map(TiledImage, paths), strict=True))
    for paths in (source.images, source.masks)
)
window_um = common_window_um(params.window, images)
clips = sample_clips(
    read_tables(source.sites, SITES),
    images,
    masks,
    window_um=window_um,
    per_class=params.per_class,
    seed=params.seed,
)
figure = draw_gallery(clips, window_um=window_um, panoramas=params.panoramas)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
