"""Adapter of the rule collect_labels."""

import json
from pathlib import Path

from damascene.config.label_source import LabelSource
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import ANSWERS, LABELLED_SITES, LABELS, POSITIONS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, read_tsv, write_table, write_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.labels.collect import collect_labels, label_notes

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
answers, labels, positions = collect_labels(
    [
        LabelSource(path=path, **json.loads(text))
        for path, text in zip(params.files, params.sources, strict=True)
    ],
    [read_tsv(path, LABELS) for path in source.drawn],
    checksums=list(json.loads(Path(source.note).read_text(encoding="utf-8")).values())
    if source.note
    else [],
    records=[PanoramaRecord.read(path) for path in source.records],
    candidates=[read_table(path, CANDIDATES) for path in source.candidates],
    grids=params.grids,
    frames=dict(zip(params.stitched, source.frames, strict=True)),
    tolerance=params.tolerance,
)
write_table(answers, output.answers, ANSWERS)
write_table(labels, output.labels, LABELLED_SITES)
write_tsv(positions, output.positions, POSITIONS)
notes = label_notes(answers, labels, positions, only_correct=params.only_correct)
write_text(output.notes, "".join(f"{note}\n" for note in notes))
logger.info("%d answers, %d labelled sites\n%s", len(answers), len(labels), positions.to_string())
