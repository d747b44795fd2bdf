"""Adapter of the rules describe_candidates and describe_strip."""

from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.keyed import with_keys
from damascene.contracts.table import read_table, write_table
from damascene.descriptors.sites import describe_sites
from damascene.images.store import TiledImage
from damascene.images.tiles import strip_slice
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
candidates = read_table(snakemake.input.candidates, CANDIDATES)
candidates = candidates[strip_slice(len(candidates), strip=tuple(snakemake.params.strip))]
with TiledImage(snakemake.input.image, by_windows=True) as image:
    descriptors = describe_sites(
        image,
        candidates,
        runs=read_table(snakemake.input.runs, CANDIDATE_RUNS),
    )
write_table(with_keys(candidates, descriptors), snakemake.output.descriptors, DESCRIPTORS)
logger.info("%d candidates, %d descriptors each", *descriptors.shape)
