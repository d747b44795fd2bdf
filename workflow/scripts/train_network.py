"""Adapter of the rules train_network and train_fold."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import numpy as np

from damascene.classes import STAGE_CLASSES
from damascene.classification.pseudo import train_with_pseudo_labels
from damascene.classification.train import train_network
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.descriptors import DESCRIPTOR_NAMES, SIMULATED_SITES
from damascene.contracts.history import HISTORY
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.unlabelled import UNLABELLED
from damascene.labels.split import apart_from_held_out, fold_roles_in
from damascene.learning.device import choose_device

device = choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params, stage = snakemake.input, snakemake.params, snakemake.wildcards.stage
training = Training.model_validate_json(params.training)
split = read_table(source.split, SPLIT)
records = [PanoramaRecord.read(path) for path in source.records]
roles = fold_roles_in(
    split,
    records,
    test_fold=None if params.test_fold < 0 else params.test_fold,
    folds=params.folds,
    windows=params.windows,
)
simulated = None
for path in params.simulated:
    table = read_table(path, SIMULATED_SITES)
    simulated = (table[list(DESCRIPTOR_NAMES)].to_numpy(), table["label"].to_numpy())
train, options = train_network, {}
if training.pseudo_labels:
    places = read_table(source.unlabelled, UNLABELLED)
    usable = apart_from_held_out(places, split, roles, records, windows=params.windows)
    described, unlabelled = None, np.load(source.unlabelled_clips, mmap_mode="r")[usable]
    if source.unlabelled_descriptors:
        described = read_descriptors(source.unlabelled_descriptors, places[usable])
    train, options = train_with_pseudo_labels, {"unlabelled": (unlabelled, described)}
sizes_nm = [one.pixel_size_nm for one in records]
history, card = train(
    clips=np.load(source.clips, mmap_mode="r"),
    descriptors=read_descriptors(source.descriptors, split) if source.descriptors else None,
    labels=split["label"],
    answers=split["answers"],
    simulated=simulated,
    roles=roles,
    classes=STAGE_CLASSES[stage],
    settings=Network.model_validate_json(params.settings),
    training=training,
    seed=params.seed,
    mixed_precision=device == "GPU",
    model_path=snakemake.output.model,
    pixel_size_nm=(min(sizes_nm), max(sizes_nm)),
    note=params.note,
    **options,
)
write_tsv(history, snakemake.output.history, HISTORY)
card.write(snakemake.output.card)
