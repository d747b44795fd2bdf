"""Adapter of the rule join_descriptors."""

import numpy as np

from damascene.files import write_array
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
descriptors = np.concatenate([np.load(path) for path in snakemake.input.parts])
write_array(snakemake.output.descriptors, descriptors)
logger.info("%d candidates, %d descriptors each", *descriptors.shape)
