"""Adapter of the rule collect_labels."""

import json
from pathlib import Path

from damascene.config.label_source import label_source
from damascene.contracts import labels as contracts
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, read_tsv, write_table, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.labels.collect import collect_labels, label_notes

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
files = zip(params.files, map(json.loads, params.sources), strict=True)
collected = collect_labels(
    [label_source(*file) for file in files],
    [read_tsv(path, contracts.LABELS) for path in source.drawn],
    checksums=list(json.loads(Path(source.note).read_text(encoding="utf-8")).values())
    if source.note
    else [],
    records=[PanoramaRecord.read(path) for path in source.records],
    candidates=[read_table(path, CANDIDATES) for path in source.candidates],
    grids=params.grids,
    frames=dict(zip(params.stitched, source.frames, strict=True)),
    tolerance=params.tolerance,
    masks=dict(zip(params.panoramas, source.masks, strict=True)),
    pictures=dict(zip(params.panoramas, source.images, strict=True)),
)
write_table(collected.answers, output.answers, contracts.ANSWERS)
write_table(collected.labels, output.labels, contracts.LABELLED_SITES)
for table in ("positions", "orphans", "contradictions"):
    write_tsv(getattr(collected, table), output[table], getattr(contracts, table.upper()))
notes = label_notes(collected, only_correct=params.only_correct)
write_text(output.notes, "".join(f"{note}\n" for note in notes))
write_text(output.counts, f"{collected.counts.line(only_correct=params.only_correct)}\n")
logger.info("%s\n%s", collected.counts, collected.positions.to_string())
