"""Adapter of the rule simulate_panorama."""

from damascene.contracts.table import write_table
from damascene.contracts.truth import TRUTH
from damascene.images.store import write_all_valid
from damascene.jobs.log import start_log
from damascene.simulation import simulate_panorama

logger = start_log(snakemake.log[0])
params, output, name = snakemake.params, snakemake.output, snakemake.wildcards.panorama
shape = (params.height_px, params.width_px)
truth, record = simulate_panorama(
    panorama=name,
    shape=shape,
    pixel_size_nm=params.pixel_size_nm,
    strain_percent=params.strain_percent,
    seed=params.seed,
    dwell_time_ns=params.dwell_time_ns,
    image_path=output.image,
    phases_path=output.phases,
    threads=snakemake.threads,
)
write_table(truth, output.truth, TRUTH)
write_all_valid(output.valid, shape=shape, pixel_size_nm=params.pixel_size_nm, name=f"{name} valid")
record.write(output.record)
logger.info("%s: %d true sites", name, len(truth))
