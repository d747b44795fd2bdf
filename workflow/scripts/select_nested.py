"""Adapter of the rule select_nested."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import tempfile

from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.descriptors import SIMULATED_SITES
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.nested_selection import NESTED_CHOICES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_table, write_tsv
from damascene.evaluation.nested_selection import select_nested
from damascene.evaluation.trained_answers import stage_sites
from damascene.learning.device import choose_device

source, params, output = snakemake.input, snakemake.params, snakemake.output
choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
split = read_table(source.split, SPLIT)
with tempfile.TemporaryDirectory() as folder:
    sites = {
        "descriptors": read_descriptors(source.descriptors, split),
        "simulated": read_table(params.simulated, SIMULATED_SITES),
        "training": Training.model_validate_json(params.training),
        "panoramas": params.panoramas,
        "images": source.images,
        "masks": source.masks,
        "folder": folder,
    }
    settings = {name: Network.model_validate_json(text) for name, text in params.settings.items()}
    stages = {name: stage_sites(name, split, settings=settings[name], **sites) for name in settings}
    records = list(map(PanoramaRecord.read, source.records))
    choices, predictions = select_nested(stages, records, folds=params.folds, seed=params.seed)
write_tsv(choices, output.choices, NESTED_CHOICES)
write_table(predictions, output.predictions, HELD_OUT)
