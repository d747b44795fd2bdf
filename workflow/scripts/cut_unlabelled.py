"""Adapter of the rule cut_unlabelled."""

from damascene.clips.storage import store_clips
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.keyed import descriptors_of, with_keys
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, read_tables, write_table
from damascene.contracts.unlabelled import UNLABELLED
from damascene.jobs.log import start_log
from damascene.labels.split import assign_groups
from damascene.labels.unlabelled import choose_unlabelled
from damascene.units import length_px

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
sizes_nm = {
    one.panorama: one.pixel_size_nm
    for one in (PanoramaRecord.read(path) for path in source.records)
}


def in_pixels(length):
    """Return a length in the pixels of each panorama."""
    return {name: length_px(length, pixel_size_nm=size) for name, size in sizes_nm.items()}


candidates = read_tables(source.candidates, CANDIDATES)
rows = choose_unlabelled(
    candidates,
    read_table(source.split, SPLIT),
    distance_px=in_pixels(params.distance),
    until_px=params.until_px,
    most=params.most,
    seed=params.seed,
)
sites = assign_groups(
    candidates.iloc[rows].rename(columns={"x_px": "clip_x_px", "y_px": "clip_y_px"}),
    group_by=params.group_by,
    block_px={name: round(edge) for name, edge in in_pixels(params.block).items()},
)
write_table(sites, output.sites, UNLABELLED)
store_clips(
    output.clips,
    sites,
    panoramas=params.panoramas,
    images=source.images,
    network=params.network,
    window=params.window,
    centre=params.centre,
)
if source.descriptors:
    described = read_tables(source.descriptors, DESCRIPTORS)
    values = descriptors_of(sites, described, source="descriptors of candidates")
    write_table(with_keys(sites, values), output.descriptors, DESCRIPTORS)
logger.info("%d of %d candidates, none of them labelled", len(rows), len(candidates))
