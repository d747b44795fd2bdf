"""Adapter of the rule draw_sizes."""

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_tables
from damascene.figures.sizes import draw_size_distributions
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log
from damascene.units import area_px

start_log(snakemake.log[0])
sizes_nm = {PanoramaRecord.read(path).pixel_size_nm for path in snakemake.input.records}
limits_um2 = [
    area_px(snakemake.params.minimum_area, pixel_size_nm=size) * size**2 / 1e6 for size in sizes_nm
]
sites = read_tables(snakemake.input.sites, SITES)
# Below the coarsest limit the panoramas cannot be compared.
figure = draw_size_distributions(sites, detection_limit_um2=max(limits_um2))
save_figure(figure, snakemake.output.svg, snakemake.output.png)
