"""Adapter of the rules train_network and train_fold."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import tables
from damascene.classification.descriptors import DESCRIPTORS
from damascene.classification.device import choose_device
from damascene.classification.split import fold_roles_in
from damascene.classification.train import train_network
from damascene.config import Network, Training
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
device = choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
params, stage = snakemake.params, snakemake.wildcards.stage
split = tables.read(snakemake.input.split, tables.SPLIT)
records = [json.loads(Path(path).read_text()) for path in snakemake.input.records]
roles = fold_roles_in(
    split,
    records,
    test_fold=None if params.test_fold < 0 else params.test_fold,
    folds=params.folds,
    windows=params.windows,
)
simulated = None
if snakemake.input.simulated:
    table = pd.read_parquet(snakemake.input.simulated)
    simulated = (table[list(DESCRIPTORS)].to_numpy(np.float32), table["label"].to_numpy())
history, card = train_network(
    clips=np.load(snakemake.input.clips, mmap_mode="r"),
    descriptors=np.load(snakemake.input.descriptors) if snakemake.input.descriptors else None,
    labels=split["label"],
    answers=split["answers"],
    simulated=simulated,
    roles=roles,
    classes=tables.STAGE_CLASSES[stage],
    settings=Network.model_validate_json(params.settings),
    training=Training.model_validate_json(params.training),
    seed=params.seed,
    mixed_precision=device == "GPU",
    model_path=snakemake.output.model,
)
sizes_nm = [one["pixel_size_nm"] for one in records]
card["pixel_size_nm"] = [min(sizes_nm), max(sizes_nm)]
card["note"] = params.note
tables.write_tsv(history, snakemake.output.history)
Path(snakemake.output.card).write_text(json.dumps(card, indent=2) + "\n")
