"""Adapter of the rule join_sites."""

import numpy as np
import pandas as pd

from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table, write_table
from damascene.files import write_array
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
parts = [read_table(path, PREDICTIONS) for path in snakemake.input.parts]
sites = pd.concat([part for part in parts if len(part)] or parts[:1])
write_table(sites, snakemake.output.sites, PREDICTIONS)
features = [np.load(path) for path in snakemake.input.features]
joined = np.concatenate([part for part in features if len(part)] or features[:1])
write_array(snakemake.output.features, joined)
logger.info("sites by class:\n%s", sites["predicted_class"].value_counts().to_string())
