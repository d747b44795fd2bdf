"""Adapter of the rule keep_label_state."""

from damascene.contracts.corrected import CORRECTED
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv
from damascene.evaluation.label_state import label_state
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
state = label_state(
    read_table(source.labels, LABELLED_SITES),
    read_table(source.held_out, HELD_OUT),
    read_tsv(source.corrected, CORRECTED),
    (read_table(path, SITES) for path in source.sites),
    [PanoramaRecord.read(path) for path in source.records],
    configuration=params.configuration,
    library=params.version,
    confidence=params.confidence,
)
state.write(snakemake.output.record)
logger.info("%s", state.record.labels)
