"""Adapter of the rule cut_workshop_image."""

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.jobs.log import start_log
from damascene.workshop.cut import cut_panorama, cut_picture, require_contrast, write_cut

logger = start_log(snakemake.log[0])
files, params = snakemake.input.image, snakemake.params
options = {"edge_px": params.edge_px, "wanted": params.place}
if params.picture:
    cut = cut_picture(files[0], pixel_size=params.pixel_size, **options)
else:
    image, valid, record = files
    pixel_size_nm = PanoramaRecord.read(record).pixel_size_nm
    cut = cut_panorama(image, valid, pixel_size_nm=pixel_size_nm, **options)
require_contrast(cut, origin=params.origin)
write_cut(cut, snakemake.output.cut)
rows, columns = cut.grey.shape
logger.info("%d rows, %d columns from row %d, column %d", rows, columns, *cut.place)
