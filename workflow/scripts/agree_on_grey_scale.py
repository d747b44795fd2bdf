"""Adapter of the rule agree_on_grey_scale."""

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.files import write_text
from damascene.images.grey_scale import agree_on_grey_scale
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
notes = agree_on_grey_scale(PanoramaRecord.read(path) for path in snakemake.input.records)
for note in notes:
    logger.info(note)
write_text(snakemake.output.notes, "".join(f"{note}\n" for note in notes))
