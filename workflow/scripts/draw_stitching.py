"""Adapter of the rule draw_stitching."""

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.stitching import FRAMES, PAIRS
from damascene.contracts.table import read_tsv
from damascene.figures.stitching import draw_stitching
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
record = PanoramaRecord.read(snakemake.input.record)
frames = read_tsv(snakemake.input.frames, FRAMES)
pairs = read_tsv(snakemake.input.pairs, PAIRS)
figure = draw_stitching(frames, pairs, record=record)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
