"""Adapter of the rule learn_classical_phases."""

from damascene.jobs.log import start_log
from damascene.segmentation.classical import learn_classical_phases

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
learned = learn_classical_phases(
    params.panoramas,
    source.images,
    source.valid,
    source.labels,
    method=params.method,
    phases=params.phases,
    trained_on=params.trained_on,
    seed=params.seed,
    pixels_path=output.get("pixels"),
)
logger.info("%s", learned)
learned.write(output.record)
