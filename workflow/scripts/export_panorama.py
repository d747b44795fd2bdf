"""Adapter of the rule export_panorama."""

from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.labels import ANSWER_SEPARATOR, LABELLED_SITES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sites import SITES
from damascene.contracts.table import empty_table, read_table
from damascene.exchange.export import panorama_files, write_files
from damascene.exchange.sites import sites_of
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source = snakemake.input
record = PanoramaRecord.read(source.record)
size_px = record.width_px, record.height_px
sites = sites_of(
    record.panorama,
    read_table(source.sites, SITES),
    read_table(source.runs, CANDIDATE_RUNS),
    read_table(source.labels, LABELLED_SITES) if source.labels else empty_table(LABELLED_SITES),
    size_px=size_px,
    separator=ANSWER_SEPARATOR,
)
contents = panorama_files(sites, panorama=record.panorama, size_px=size_px)
write_files(contents, dict(snakemake.output.items()))
labelled = sum(bool(site.label) for site in sites)
logger.info("%d sites and places, %d of them with a label of people", len(sites), labelled)
