"""Adapter of the rules train_network and train_fold."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.classification.stage import read_sites, train_stage
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.descriptors import SIMULATED_SITES
from damascene.contracts.history import HISTORY
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.unlabelled import UNLABELLED
from damascene.learning.device import choose_device

device = choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
labelled = (source.split, source.clips, source.descriptors, source.features)
further = [source.get(f"unlabelled{part}") for part in ("", "_clips", "_descriptors")]
history, card = train_stage(
    snakemake.wildcards.stage,
    labelled=read_sites(*labelled, contract=SPLIT),
    unlabelled=read_sites(*further, contract=UNLABELLED) if further[0] else None,
    records=[PanoramaRecord.read(path) for path in source.records],
    images=dict(zip(params.panoramas, source.steel, strict=True)),
    test_fold=None if params.test_fold < 0 else params.test_fold,
    folds=params.folds,
    windows=params.windows,
    settings=Network.model_validate_json(params.settings),
    training=Training.model_validate_json(params.training),
    seed=params.seed,
    model_path=snakemake.output.model,
    note=params.note,
    simulated=next((read_table(path, SIMULATED_SITES) for path in params.simulated), None),
    mixed_precision=device == "GPU",
)
write_tsv(history, snakemake.output.history, HISTORY)
card.write(snakemake.output.card)
