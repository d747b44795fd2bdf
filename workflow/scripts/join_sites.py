"""Adapter of the rule join_sites."""

import pandas as pd

from damascene import tables
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
parts = [tables.read(path, tables.SITES) for path in snakemake.input.parts]
sites = pd.concat([part for part in parts if len(part)] or parts[:1])
tables.write(sites, snakemake.output.sites, tables.SITES)
logger.info("sites by class:\n%s", sites["label"].value_counts().to_string())
