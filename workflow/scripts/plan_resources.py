"""Adapter of the rule plan_resources."""

from pathlib import Path

from damascene.config.study import Study
from damascene.contracts.costs import COSTS
from damascene.contracts.table import write_tsv
from damascene.figures.planning import draw_costs
from damascene.figures.style import save_figure
from damascene.files import write_text
from damascene.jobs.benchmarks import read_benchmarks
from damascene.jobs.log import start_log
from damascene.jobs.preview import (
    advice_yaml,
    cost_table,
    preview_text,
    resource_advice,
    study_sizes,
)
from damascene.jobs.unit_costs import read_unit_costs
from damascene.study.jobs import viewer_jobs
from damascene.study.plan import plan_study
from damascene.study.sheet import read_sheet

logger = start_log(snakemake.log[0])
study = Study.model_validate(snakemake.config)
plan = plan_study(study, read_sheet(Path(study.panoramas)))
costs, measured = read_unit_costs(), read_benchmarks()
known = {"plan": plan, "sizes": study_sizes(plan)}
table = cost_table(costs, measured, **known)
advice = resource_advice(costs, measured, **known)
viewer = cost_table(costs, measured, **known, jobs=viewer_jobs(plan))
text = preview_text(table, name=study.study, sizes=known["sizes"], advice=advice, viewer=viewer)
write_tsv(table, snakemake.output.costs, COSTS)
write_text(snakemake.output.advice, advice_yaml(advice))
write_text(snakemake.output.preview, text)
save_figure(draw_costs(table), snakemake.output.svg, snakemake.output.png)
logger.info("\n%s", text)
