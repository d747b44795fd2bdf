"""Adapter of the rule write_report."""

from pathlib import Path

from damascene.jobs.log import start_log
from damascene.report.build import study_of, write_report

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
facts = params.facts | {"viewer": bool(snakemake.input.viewer)}
study = study_of(snakemake.input.shown, settings=params.study, sheet=params.sheet, facts=facts)
sites = output.sites[0] if output.get("sites") else None
write_report(study, page=output.page, data=output.data, sites=sites, params=params.captions)
for path in (output.page, output.data):
    logger.info("%s: %.1f MB", path, Path(path).stat().st_size / 1e6)
