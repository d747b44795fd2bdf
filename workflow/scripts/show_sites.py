"""Adapter of the rule show_sites."""

from damascene.contracts.attention import Attention
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import ANSWERS
from damascene.contracts.phase_descriptors import PHASE_DESCRIPTORS
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table
from damascene.files import written_whole
from damascene.jobs.log import start_log
from damascene.viewer.sites import attention_script, outlines_script, sites_script

logger = start_log(snakemake.log[0])
source, output, name = snakemake.input, snakemake.output, snakemake.wildcards.panorama
sites = read_table(source.sites, SITES if snakemake.params.classified else CANDIDATES)
answers = read_table(source.answers, ANSWERS) if source.answers else None
attention = [Attention.read(path).of_panorama(name) for path in source.attention]
script = sites_script(
    f"sites/{name}.js",
    sites,
    phases=read_table(source.phases, PHASE_DESCRIPTORS) if source.phases else None,
    answers=None if answers is None else answers[answers["panorama"] == name],
    attention=attention,
)
runs = read_table(source.runs, CANDIDATE_RUNS)
outlines = outlines_script(f"sites/{name}.outlines.js", runs, sites)
maps = attention_script(f"sites/{name}.attention.js", attention)
with written_whole(output.sites, output.outlines, output.attention) as (table, pixels, heat):
    table.write_text(script, encoding="utf-8")
    pixels.write_bytes(outlines)
    heat.write_bytes(maps)
logger.info("%d sites", len(sites))
