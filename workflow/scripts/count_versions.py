"""Adapter of the rule count_versions."""

from damascene.config.detection import Detection
from damascene.contracts.ledger import VERSIONS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import write_tsv
from damascene.images.store import open_pair
from damascene.jobs.log import start_log
from damascene.ledger.versions import compare_versions

start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
with open_pair(source.image, source.valid) as (image, valid):
    versions = compare_versions(
        image,
        valid,
        PanoramaRecord.read(source.record),
        settings=Detection.model_validate_json(params.detection),
        presets={
            name: Detection.model_validate_json(text) for name, text in params.presets.items()
        },
        reference=(source.reference_image, source.reference_valid),
        threads=snakemake.threads,
    )
write_tsv(versions, snakemake.output.versions, VERSIONS)
