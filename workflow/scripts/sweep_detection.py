"""Adapter of the rule sweep_detection."""

from damascene.config.detection import Detection
from damascene.config.sensitivity import Sensitivity
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sensitivity import SENSITIVITY
from damascene.contracts.table import write_tsv
from damascene.images.store import open_pair
from damascene.jobs.log import start_log
from damascene.sensitivity.sweep import sweep_panorama

start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
presets = {name: Detection.model_validate_json(text) for name, text in params.presets.items()}
with open_pair(source.image, source.valid) as (image, valid):
    counts = sweep_panorama(
        image,
        valid,
        record=PanoramaRecord.read(source.record),
        settings=Detection.model_validate_json(params.detection),
        grid=Sensitivity.model_validate_json(params.grid),
        presets=presets,
        reference=(source.reference_image, source.reference_valid),
        threads=snakemake.threads,
    )
write_tsv(counts, snakemake.output.counts, SENSITIVITY)
