"""Adapter of the rule plant_voids."""

from damascene.config.detection import Detection
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.planted_voids import PLANTED_VOIDS, SITE_CONTRASTS
from damascene.contracts.table import read_table, write_table
from damascene.correction.planting import plant_voids
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
# By windows: the tiles under one window are often those under the next.
with open_pair(source.image, source.valid, by_windows=True) as (image, valid):
    voids, contrasts = plant_voids(
        image,
        valid,
        read_table(source.candidates, CANDIDATES),
        read_table(source.runs, CANDIDATE_RUNS),
        panorama=snakemake.wildcards.panorama,
        settings=Detection.model_validate_json(params.detection),
        reference_paths=(source.reference_image, source.reference_valid)
        if hasattr(source, "reference_image")
        else None,
        seed=params.seed,
        threads=snakemake.threads,
    )
write_table(voids, output.voids, PLANTED_VOIDS)
write_table(contrasts, output.contrasts, SITE_CONTRASTS)
logger.info("%d voids planted, %d found", len(voids), voids["found"].sum())
