"""Adapter of the rule draw_mistakes."""

import numpy as np
import pandas as pd

from damascene import tables
from damascene.classification.clips import cut_clips, window_px
from damascene.classification.mistakes import worst_mistakes
from damascene.config import length_px
from damascene.figures.evaluation import draw_mistakes
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
mistakes = worst_mistakes(pd.read_parquet(snakemake.input.predictions))
tables.write_tsv(mistakes, output.table)
images = dict(
    zip(params.panoramas, (TiledImage(path) for path in snakemake.input.images), strict=True)
)
# One scale bar serves all clips: a window in pixels is shown as wide as in the coarsest panorama.
window_um = max(
    length_px(params.window, pixel_size_nm=image.pixel_size_nm) * image.pixel_size_nm / 1000
    for image in images.values()
)
worst = mistakes.head(params.most)
clips = [
    cut_clips(
        image,
        [site.clip_x_px],
        [site.clip_y_px],
        window_px=window_px(f"{window_um} um", pixel_size_nm=image.pixel_size_nm),
        size_px=params.size_px,
    )
    for site in worst.itertuples()
    for image in [images[site.panorama]]
]
empty = np.empty((0, params.size_px, params.size_px), np.uint8)
figure = draw_mistakes(np.concatenate([empty, *clips]), worst, window_um=window_um)
save_figure(figure, output.svg, output.png)
logger.info("%d of the held-out labels are answered otherwise", len(mistakes))
