"""Adapter of the rule find_candidates."""

from damascene.config.detection import Detection
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import write_table
from damascene.detection.candidates import funnel_lines
from damascene.detection.darkness import reference_histogram
from damascene.detection.settings import find_candidates_of
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source = snakemake.input
matched = hasattr(source, "reference_image")
reference = reference_histogram(
    (source.reference_image, source.reference_valid) if matched else None,
    threads=snakemake.threads,
)
with open_pair(source.image, source.valid) as (image, valid):
    found = find_candidates_of(
        image,
        valid,
        panorama=snakemake.wildcards.panorama,
        settings=Detection.model_validate_json(snakemake.params.detection),
        reference=reference,
        threads=snakemake.threads,
    )
for line in funnel_lines(found.counts):
    logger.info(line)
write_table(found.candidates, snakemake.output.candidates, CANDIDATES)
write_table(found.runs, snakemake.output.runs, CANDIDATE_RUNS)
found.counts.write(snakemake.output.counts)
