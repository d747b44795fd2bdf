"""Adapter of the rule cluster_strips."""

import numpy as np

from damascene.config.detection import Detection
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import write_table
from damascene.detection.candidates import candidates_of, funnel_lines
from damascene.detection.clusters import clusters_of_strips
from damascene.detection.dark_files import read_dark_pixels
from damascene.detection.settings import parameters_of, with_levels
from damascene.images.store import TiledImage, open_pair
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
with TiledImage(snakemake.input.image) as image:
    shape, pixel_size_nm = image.shape, image.pixel_size_nm
parameters = parameters_of(
    Detection.model_validate_json(snakemake.params.detection),
    pixel_size_nm=pixel_size_nm,
    # Which pixels are dark is known already; the threshold plays no role here.
    reference=np.zeros(256, np.int64),
)
clusters = clusters_of_strips(
    read_dark_pixels(snakemake.input.dark, height=shape[0]), shape=shape, parameters=parameters
)
found = candidates_of(
    clusters,
    panorama=snakemake.wildcards.panorama,
    parameters=parameters,
    pixel_size_nm=pixel_size_nm,
)
with open_pair(snakemake.input.image, snakemake.input.valid) as pair:
    found = with_levels(found, *pair, dark=parameters.dark)
for line in funnel_lines(found.counts):
    logger.info(line)
write_table(found.candidates, snakemake.output.candidates, CANDIDATES)
write_table(found.runs, snakemake.output.runs, CANDIDATE_RUNS)
found.counts.write(snakemake.output.counts)
