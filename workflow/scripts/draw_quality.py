"""Adapter of the rule draw_quality."""

from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.quality import QUALITY
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.table import read_tsv
from damascene.figures.quality import draw_quality
from damascene.figures.style import save_figure
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
with open_pair(snakemake.input.image, snakemake.input.valid) as (image, valid):
    figure = draw_quality(
        image,
        valid,
        read_tsv(snakemake.input.blocks, QUALITY),
        QualityRecord.read(snakemake.input.summary),
        NoiseRecord.read(snakemake.input.noise),
    )
save_figure(figure, snakemake.output.svg, snakemake.output.png)
