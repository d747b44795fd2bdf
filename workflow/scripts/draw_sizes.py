"""Adapter of the rule draw_sizes."""

from damascene.contracts.orientations import ORIENTATIONS, SIZES_3D
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sites import SITES
from damascene.contracts.size_fits import SIZE_FITS, SIZE_TRENDS
from damascene.contracts.table import read_tables, read_tsv
from damascene.figures.crack_directions import draw_crack_directions
from damascene.figures.sizes import draw_median_sizes, draw_size_distributions, draw_sizes_3d
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log
from damascene.units import area_px

start_log(snakemake.log[0])
source, output = snakemake.input, snakemake.output
sizes_nm = {PanoramaRecord.read(path).pixel_size_nm for path in source.records}
limits_um2 = [
    area_px(snakemake.params.minimum_area, pixel_size_nm=size) * size**2 / 1e6 for size in sizes_nm
]
sites = read_tables(source.sites, SITES)
fits, trends = read_tsv(source.fits, SIZE_FITS), read_tsv(source.trends, SIZE_TRENDS)
# Classes of panoramas that are foreign to the networks are not shown.
sites = sites[sites["panorama"].isin(fits.loc[fits["sites"].notna(), "panorama"])]
# Below the coarsest limit the panoramas cannot be compared.
figure = draw_size_distributions(sites, fits=fits, detection_limit_um2=max(limits_um2))
save_figure(figure, output.svg, output.png)
save_figure(draw_median_sizes(fits, trends), output.medians_svg, output.medians_png)
figure = draw_crack_directions(sites, read_tsv(source.orientations, ORIENTATIONS))
save_figure(figure, output.rose_svg, output.rose_png)
figure = draw_sizes_3d(read_tsv(source.in_space, SIZES_3D))
save_figure(figure, output.in_space_svg, output.in_space_png)
