"""Adapter of the rule explain_networks."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from pathlib import Path

import numpy as np

from damascene.classes import STAGE_CLASSES
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import read_table
from damascene.evaluation.attention import attention_of_sites
from damascene.evaluation.explanation import explain_network
from damascene.figures.explanation import draw_explanation
from damascene.figures.style import save_figure
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, output, stage = snakemake.input, snakemake.output, snakemake.wildcards.stage
path = Path(snakemake.params.models) / f"{stage}.keras"
card = ModelCard.read(path.with_suffix(".json"))
split = read_table(source.split, SPLIT)
seen = {
    "card": card,
    "classes": STAGE_CLASSES[stage],
    "clips": np.load(source.clips, mmap_mode="r"),
    "descriptors": read_descriptors(source.descriptors, split) if card.descriptors else None,
}
explained = explain_network(path, labels=split["label"], **seen)
attention_of_sites(path, sites=split, stage=stage, **seen).write(output.attention)
for name, figure in draw_explanation(explained).items():
    save_figure(figure, output[f"{name}_svg"], output[f"{name}_png"])
