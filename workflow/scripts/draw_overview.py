"""Adapter of the rule draw_overview."""

from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table
from damascene.figures.overview import draw_overview
from damascene.figures.style import save_figure
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
name, strain = snakemake.wildcards.panorama, snakemake.params.strain_percent
with open_pair(snakemake.input.image, snakemake.input.valid) as (image, valid):
    figure = draw_overview(
        image,
        read_table(snakemake.input.sites, SITES),
        # NaN: the strain is not known.
        title=name if strain != strain else f"{name}: strain {strain:g} %",
        valid=valid,
    )
save_figure(figure, snakemake.output.svg, snakemake.output.png)
