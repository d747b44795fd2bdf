"""Adapter of the rule cut_unlabelled."""

from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.keyed import descriptors_of, with_keys
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, read_tables, write_table
from damascene.contracts.unlabelled import UNLABELLED
from damascene.jobs.log import start_log
from damascene.labels.unlabelled import cut_unlabelled

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
candidates = read_tables(source.candidates, CANDIDATES)
sites = cut_unlabelled(
    output.clips,
    candidates,
    read_table(source.split, SPLIT),
    [PanoramaRecord.read(path) for path in source.records],
    images=source.images,
    masks=source.masks,
    distance=params.distance,
    until_px=params.until_px,
    most=params.most,
    seed=params.seed,
    group_by=params.group_by,
    block=params.block,
    network=params.network,
    window=params.window,
    centre=params.centre,
)
write_table(sites, output.sites, UNLABELLED)
if source.descriptors:
    described = read_tables(source.descriptors, DESCRIPTORS)
    values = descriptors_of(sites, described, source="descriptors of candidates")
    write_table(with_keys(sites, values), output.descriptors, DESCRIPTORS)
logger.info("%d of %d candidates, none of them labelled", len(sites), len(candidates))
