"""Adapter of the rule join_versions."""

from damascene.contracts.ledger import VERSIONS
from damascene.contracts.table import read_tsvs, write_tsv
from damascene.figures.ledger import draw_versions
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
versions = read_tsvs(snakemake.input.parts, VERSIONS)
write_tsv(versions, snakemake.output.versions, VERSIONS)
save_figure(draw_versions(versions), snakemake.output.svg, snakemake.output.png)
