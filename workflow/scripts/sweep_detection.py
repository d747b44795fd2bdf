"""Adapter of the rule sweep_detection."""

import pandas as pd

from damascene.config.detection import Detection
from damascene.config.sensitivity import Sensitivity
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sensitivity import SENSITIVITY
from damascene.contracts.table import write_tsv
from damascene.detection.darkness import valid_histogram
from damascene.images.store import open_pair
from damascene.jobs.log import start_log
from damascene.sensitivity.sweep import count_presets, sweep_grid

start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
record = PanoramaRecord.read(source.record)
with open_pair(source.reference_image, source.reference_valid) as (image, valid):
    reference = valid_histogram(image, valid, threads=snakemake.threads)
with open_pair(source.image, source.valid) as (image, valid):
    options = {
        "area_mm2": record.valid_area_mm2,
        "reference": reference,
        "threads": snakemake.threads,
    }
    grid = sweep_grid(
        image,
        valid,
        settings=Detection.model_validate_json(params.detection),
        grid=Sensitivity.model_validate_json(params.grid),
        **options,
    )
    presets = count_presets(
        image,
        valid,
        presets={
            name: Detection.model_validate_json(text) for name, text in params.presets.items()
        },
        **options,
    )
counts = pd.concat([grid, presets])
counts.insert(0, "panorama", record.panorama)
write_tsv(counts, snakemake.output.counts, SENSITIVITY)
