"""Adapter of the rule summarise_sites."""

import json
from pathlib import Path

import pandas as pd

from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.statistics.density import density_table, headline_table
from damascene.statistics.sizes import size_distribution

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
panoramas = pd.DataFrame([json.loads(Path(path).read_text()) for path in source.records])
panoramas["strain_percent"] = params.strains
sites = pd.concat([read_table(path, SITES) for path in source.sites], ignore_index=True)
densities = density_table(sites, panoramas, confidence=params.confidence)
write_tsv(densities, output.densities)
write_tsv(size_distribution(sites, panoramas=list(panoramas["panorama"])), output.sizes)
# Panoramas side by side: a series is read along a row.
headline = headline_table(densities).set_index("panorama").T.to_string()
notes = {json.loads(Path(path).read_text()).get("note", "") for path in source.cards} - {""}
write_text(output.headline, "\n".join([headline, *sorted(notes)]) + "\n")
logger.info("%s", headline)
